#pragma once

// Which servers a component may send requests to. Pure functions. Names are checked here, before
// anything is asked; the addresses that they lead to are checked when a connection is made
// (client.cc), so that a name cannot lead elsewhere than was meant.

#include <tenon/result.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::http {

struct Target {
  bool secure = false;
  std::string host;  // in lower case; an IPv6 address without brackets
  uint16_t port = 80;

  // "https://host", with the port where it is not the scheme's own: as a grant names it.
  std::string url() const;
  // "host:port", with brackets where they are needed.
  std::string authority() const;
};

// "host", "host:port", "[::1]:port". Nothing when it is none, or the host is nothing to look up.
std::optional<Target> parseAuthority(std::string_view authority, bool secure);

class Allowed {
 public:
  // "example.com", "*.example.com" (every name below it), "https://example.com:8443", "*". Without
  // a scheme both are meant, without a port those of the schemes: 80 and 443; "example.com:*" is
  // every port. Errors: INVALID_ARGUMENT.
  static Result<Allowed> parse(const std::vector<std::string>& grants);

  bool empty() const { return grants_.empty(); }
  bool allows(const Target& target) const;
  // Whether `target` is a private address, or "localhost", that a grant names as it is.
  bool namesPrivate(const Target& target) const;

 private:
  struct Grant {
    std::optional<bool> secure;
    std::string host;  // "*": all; "*.x": all below x
    std::optional<uint16_t> port;
    bool anyPort = false;
  };
  static bool matches(const Grant& grant, const Target& target);

  std::vector<Grant> grants_;
};

}  // namespace tenon::http
