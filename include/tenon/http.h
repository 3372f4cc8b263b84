#pragma once

// What a component may do as an HTTP client.

#include <string>
#include <vector>

namespace tenon {

// Which servers a component may send requests to: none, unless it is said here.
struct HttpOptions {
  // "example.com", "*.example.com" (every name below it), "https://example.com:8443", "*". Without
  // a scheme http and https are meant, without a port 80 and 443; "example.com:*" is every port.
  std::vector<std::string> allow;
  // Whether a name that is allowed may lead to a private, link-local or loopback address. Without
  // it such an address is reached only where `allow` has it as an address ("10.0.0.7:80"), or as
  // "localhost". What is checked is the address that is connected to.
  bool allowPrivate = false;
  // PEM certificates of authorities to trust in place of the system's; may be empty.
  std::string roots;
};

}  // namespace tenon
