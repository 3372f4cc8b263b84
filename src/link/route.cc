#include "link/route.h"

#include "base/suggest.h"

#include <algorithm>
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

// "*.example.com": the hosts of a pattern, as one text.
std::string hostKey(const RoutePattern& pattern) {
  return (pattern.below ? "*." : "") + pattern.host;
}

}  // namespace

Result<RoutePattern> parseRoute(std::string_view text) {
  auto refuse = [&](const std::string& why) {
    return Error(ErrorCode::INVALID, "'" + base::shown(text) + "' is no route: " + why);
  };
  if (text.size() > MAX_ROUTE_BYTES) {
    return refuse("it has more than " + std::to_string(MAX_ROUTE_BYTES) + " bytes");
  }
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

std::optional<size_t> RouteIndex::add(const RoutePattern& pattern, size_t index) {
  auto [entry, fresh] = indices_.try_emplace(hostKey(pattern) + pattern.path, index);
  return fresh ? std::nullopt : std::optional(entry->second);
}

void RouteTable::add(const RoutePattern& pattern, size_t answer) {
  std::string host = hostKey(pattern);
  answers_[host + pattern.path] = answer;
  longestPath_ = std::max(longestPath_, pattern.path.size());
  hosts_.insert(std::move(host));
}

std::optional<size_t> RouteTable::find(std::string_view authority, std::string_view target) const {
  std::string_view path = target.substr(0, target.find('?'));
  const bool byHost = hosts_.size() > hosts_.count("");
  std::string host = byHost ? hostOf(authority) : std::string();
  if (!host.empty()) {
    if (auto answer = findBelow(host, path)) return answer;
    // The longest name first: behind the first dot, then behind the next.
    for (size_t dot = host.find('.', 1); dot != std::string::npos; dot = host.find('.', dot + 1)) {
      if (auto answer = findBelow("*" + host.substr(dot), path)) return answer;
    }
  }
  return findBelow("", path);
}

std::optional<size_t> RouteTable::findBelow(const std::string& host, std::string_view path) const {
  if (!hosts_.contains(host)) return std::nullopt;
  auto answer = [&](size_t size) {
    auto found = answers_.find(host + std::string(path.substr(0, size)));
    return found == answers_.end() ? std::nullopt : std::optional(found->second);
  };
  if (path.size() <= longestPath_) {
    if (auto found = answer(path.size())) return found;
  }
  // Then what is before each slash, the last first.
  for (size_t end = std::min(path.size(), longestPath_ + 1); end > 0; --end) {
    if (path[end - 1] != '/') continue;
    if (auto found = answer(end - 1)) return found;
  }
  return answer(0);
}

}  // namespace tenon::link
