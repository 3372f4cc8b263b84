#include "http/policy.h"

#include "http/message.h"
#include "net/grants.h"

#include <algorithm>
#include <utility>

namespace tenon::http {
namespace {

bool isHostCharacter(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_';
}

// A name or an IPv4 address; with `bracketed`, an IPv6 address.
bool isHost(std::string_view host, bool bracketed) {
  if (host.empty() || host.size() > 255) return false;
  if (bracketed) {
    return std::ranges::all_of(host, [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == ':' || c == '.';
    });
  }
  // These mean something else to the library that looks names up.
  if (host == "unix" || host == "unix-abstract") return false;
  return std::ranges::all_of(host, isHostCharacter);
}

std::optional<uint16_t> parsePort(std::string_view text) {
  auto port = parseLength(text);
  if (!port || *port == 0 || *port > 65535) return std::nullopt;
  return static_cast<uint16_t>(*port);
}

// Splits "host:port"; `port` is empty when there is none. Nothing when brackets do not fit.
struct HostPort {
  std::string host;
  std::string port;
  bool bracketed = false;
};
std::optional<HostPort> splitHostPort(std::string_view text) {
  HostPort parts;
  if (text.starts_with('[')) {
    size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    parts.host = lowerCase(text.substr(1, end - 1));
    parts.bracketed = true;
    text.remove_prefix(end + 1);
    if (text.empty()) return parts;
    if (!text.starts_with(':') || text.size() == 1) return std::nullopt;
    parts.port = text.substr(1);
    return parts;
  }
  size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    parts.host = lowerCase(text);
  } else {
    parts.host = lowerCase(text.substr(0, colon));
    parts.port = text.substr(colon + 1);
    if (parts.port.empty()) return std::nullopt;
  }
  return parts;
}

}  // namespace

std::string Target::url() const {
  std::string text = (secure ? "https://" : "http://") + authority();
  std::string own = secure ? ":443" : ":80";
  if (port == (secure ? 443 : 80)) text.resize(text.size() - own.size());
  return text;
}

std::string Target::authority() const {
  std::string text = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return text + ":" + std::to_string(port);
}

std::optional<Target> parseAuthority(std::string_view authority, bool secure) {
  auto parts = splitHostPort(authority);
  if (!parts || !isHost(parts->host, parts->bracketed)) return std::nullopt;
  Target target{secure, std::move(parts->host), secure ? uint16_t{443} : uint16_t{80}};
  if (!parts->port.empty()) {
    auto port = parsePort(parts->port);
    if (!port) return std::nullopt;
    target.port = *port;
  }
  return target;
}

Result<Allowed> Allowed::parse(const std::vector<std::string>& grants) {
  Allowed allowed;
  for (const std::string& text : grants) {
    auto refuse = [&]() {
      return Error(ErrorCode::INVALID_ARGUMENT,
                   "'" + text +
                       "' is no server to allow: write example.com, *.example.com, "
                       "https://example.com:8443 or *");
    };
    Grant grant;
    std::string_view rest = text;
    if (rest.starts_with("http://")) {
      grant.secure = false;
      rest.remove_prefix(7);
    } else if (rest.starts_with("https://")) {
      grant.secure = true;
      rest.remove_prefix(8);
    }
    if (rest.ends_with('/')) rest.remove_suffix(1);
    auto parts = splitHostPort(rest);
    if (!parts) return refuse();
    if (parts->host != "*") {
      std::string below = parts->host.starts_with("*.") ? "*." : "";
      std::string name = parts->host.substr(below.size());
      // Guests name hosts in ASCII; people may not.
      if (!std::ranges::all_of(name, [](char c) { return c >= 0; })) {
        name = net::normalName(name);
      }
      if (!isHost(name, parts->bracketed)) return refuse();
      parts->host = below + name;
    }
    grant.host = std::move(parts->host);
    if (parts->port == "*") {
      grant.anyPort = true;
    } else if (!parts->port.empty()) {
      grant.port = parsePort(parts->port);
      if (!grant.port) return refuse();
    }
    allowed.grants_.push_back(std::move(grant));
  }
  return allowed;
}

bool Allowed::matches(const Grant& grant, const Target& target) {
  if (grant.secure && *grant.secure != target.secure) return false;
  if (grant.port) {
    if (*grant.port != target.port) return false;
  } else if (!grant.anyPort && target.port != (target.secure ? 443 : 80)) {
    return false;
  }
  if (grant.host == "*") return true;
  if (grant.host.starts_with("*.")) {
    return target.host.size() > grant.host.size() - 1 &&
           target.host.ends_with(std::string_view(grant.host).substr(1));
  }
  return grant.host == target.host;
}

bool Allowed::allows(const Target& target) const {
  return std::ranges::any_of(grants_, [&](const Grant& grant) { return matches(grant, target); });
}

bool Allowed::namesPrivate(const Target& target) const {
  bool literal = target.host == "localhost" || target.host.find(':') != std::string::npos ||
                 target.host.find_first_not_of("0123456789.") == std::string::npos;
  return literal && std::ranges::any_of(grants_, [&](const Grant& grant) {
           return grant.host == target.host && matches(grant, target);
         });
}

}  // namespace tenon::http
