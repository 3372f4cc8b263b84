#include "link/route.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace tenon::link {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool isNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

bool isName(std::string_view name) {
  return !name.empty() && name.front() != '.' && name.find("..") == std::string_view::npos &&
         std::ranges::all_of(name, isNameCharacter);
}

bool isAddress(std::string_view text) {
  return text.find(':') != std::string_view::npos && std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'f') || (c >= '0' && c <= '9') || c == ':' || c == '.';
         });
}

// The host of "user@HOST:80", in lower case and without brackets.
std::string hostOf(std::string_view authority) {
  authority.remove_prefix(authority.rfind('@') + 1);
  if (authority.starts_with('[')) {
    authority = authority.substr(1, authority.find(']') - 1);
  } else {
    authority = authority.substr(0, authority.find(':'));
    if (authority.ends_with('.')) authority.remove_suffix(1);  // the name of the root
  }
  std::string host(authority);
  std::ranges::transform(host, host.begin(), lower);
  return host;
}

bool isFor(const RoutePattern& pattern, std::string_view host, std::string_view path) {
  if (pattern.below) {
    if (host.size() < pattern.host.size() + 2 || !host.ends_with(pattern.host) ||
        host[host.size() - pattern.host.size() - 1] != '.') {
      return false;
    }
  } else if (!pattern.host.empty() && pattern.host != host) {
    return false;
  }
  return path.starts_with(pattern.path) &&
         (path.size() == pattern.path.size() || pattern.path.empty() ||
          path[pattern.path.size()] == '/');
}

}  // namespace

Result<RoutePattern> parseRoute(std::string_view text) {
  auto refuse = [&](const std::string& why) {
    return Error(ErrorCode::INVALID, "'" + std::string(text) + "' is no route: " + why);
  };
  size_t slash = std::min(text.find('/'), text.size());
  std::string host(text.substr(0, slash));
  std::ranges::transform(host, host.begin(), lower);
  RoutePattern pattern{.path = std::string(text.substr(slash))};
  if (text.empty()) {
    return refuse("write a path, a host, or both: /api, example.com, *.example.com/api");
  }
  if (text.find("://") != std::string_view::npos) return refuse("it has no scheme");
  if (host.starts_with("*.")) {
    pattern.below = true;
    host.erase(0, 2);
  }
  if (host.starts_with('[') && host.ends_with(']') && !pattern.below) {
    host = host.substr(1, host.size() - 2);
    if (!isAddress(host)) return refuse("[" + host + "] is no address");
  } else if (host.find(':') != std::string::npos) {
    return refuse("its host has no port, and an IPv6 address needs brackets");
  } else if (slash != 0 && !isName(host)) {
    return refuse("'" + std::string(text.substr(0, slash)) + "' is no host");
  }
  if (host.ends_with('.')) host.pop_back();
  pattern.host = std::move(host);
  if (pattern.path.find_first_of("?#") != std::string::npos) {
    return refuse("a path has no '?' and no '#'");
  }
  bool printable = std::ranges::all_of(pattern.path, [](char c) { return c > ' ' && c < 0x7f; });
  if (!printable) return refuse("a path has only printable ASCII, the rest as %XX");
  if (pattern.path.ends_with('/')) pattern.path.pop_back();
  return pattern;
}

std::optional<size_t> findRoute(std::span<const Route> routes, const RoutePattern& pattern) {
  auto found = std::ranges::find(routes, pattern, &Route::pattern);
  if (found == routes.end()) return std::nullopt;
  return static_cast<size_t>(found - routes.begin());
}

void RouteTable::add(RoutePattern pattern, size_t answer) {
  byHost_ = byHost_ || !pattern.host.empty();
  auto rank = [](const Entry& entry) {
    const RoutePattern& pattern = entry.pattern;
    return std::tuple(!pattern.host.empty() && !pattern.below, pattern.host.size(),
                      pattern.path.size());
  };
  Entry entry{std::move(pattern), answer};
  auto place = std::ranges::upper_bound(entries_, rank(entry), std::greater<>(), rank);
  entries_.insert(place, std::move(entry));
}

std::optional<size_t> RouteTable::find(std::string_view authority, std::string_view target) const {
  std::string host = byHost_ ? hostOf(authority) : std::string();
  std::string_view path = target.substr(0, target.find('?'));
  for (const Entry& entry : entries_) {
    if (isFor(entry.pattern, host, path)) return entry.answer;
  }
  return std::nullopt;
}

}  // namespace tenon::link
