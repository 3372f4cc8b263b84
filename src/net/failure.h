#pragma once

// What KJ tells in words only: why a connection could not be made. The one place that reads the
// texts of its exceptions; they are those of the system and of OpenSSL.

#include <kj/exception.h>

#include <cstdint>

namespace tenon::net {

enum class Failure : uint8_t {
  OTHER,
  REFUSED,
  TIMED_OUT,
  UNREACHABLE,  // no way leads there
  NOT_TRUSTED,  // the other side's certificate; the handshake itself went well
  CERTIFICATE,  // something else about a certificate
};

Failure failureOf(const kj::Exception& exception);

}  // namespace tenon::net
