#pragma once

// Which addresses a name leads to. The system's resolver blocks, so it is called on a thread of
// Workers::forNames.

#include "http/error_code.h"
#include "net/address.h"

#include <tenon/expected.h>

#include <functional>
#include <string>
#include <vector>

namespace tenon::http {

// In the order in which they should be tried; never empty.
using Addresses = Expected<std::vector<net::AddressBytes>, ErrorCode>;
using Resolver = std::function<Addresses(const std::string& name)>;

// Blocks. Errors: DNS-error.
Addresses resolveWithSystem(const std::string& name);

// Errors that say no more.
inline Unexpected<ErrorCode> dnsError(std::string why) {
  return {makeError<ErrorKind::DNS_ERROR>(DnsErrorPayload{std::move(why), 0})};
}

}  // namespace tenon::http
