#include "http/resolver.h"

#include <kj/common.h>

#include <netdb.h>

namespace tenon::http {

Addresses resolveWithSystem(const std::string& name) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;  // else each address comes once a type
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* list = nullptr;
  if (::getaddrinfo(name.c_str(), nullptr, &hints, &list) != 0) {
    return dnsError("address not available");
  }
  KJ_DEFER(::freeaddrinfo(list));
  std::vector<net::AddressBytes> addresses = net::addressesOf(list);
  if (addresses.empty()) return dnsError("address not available");
  return addresses;
}

}  // namespace tenon::http
