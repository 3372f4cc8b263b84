#pragma once

// Which component answers an HTTP request: by the host that it asks for, and by its path. Text to
// data; pure.

#include "base/keyed_hash.h"

#include <tenon/result.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

namespace tenon::link {

// Which requests a route is for.
struct RoutePattern {
  std::string host;    // in lower case, without port and brackets; empty: every host
  bool below = false;  // every name below `host`, but not `host` itself
  std::string path;    // without a slash at its end; empty: every path

  bool operator==(const RoutePattern&) const = default;
};

inline constexpr size_t MAX_ROUTE_BYTES = 2000;

// "/", "/api", "example.com", "*.example.com/api", "[::1]/x": a host, a path, or both. Errors:
// INVALID.
Result<RoutePattern> parseRoute(std::string_view text);

// Finds a pattern that is there twice.
class RouteIndex {
 public:
  // The index that the same pattern was added with before; else remembers `index`.
  std::optional<size_t> add(const RoutePattern& pattern, size_t index);

 private:
  OwnedTextMap<size_t> indices_;
};

// Finds the route of a request, in time that does not depend on how many there are. Immutable once
// filled, shared freely.
class RouteTable {
 public:
  // Requests that `pattern` is for have `answer`. No pattern twice.
  void add(const RoutePattern& pattern, size_t answer);

  // `authority`: "example.com:8080", as a request's Host field has it. `target`: path and query;
  // compared as they are, nothing is decoded. Of several routes the one whose host says most: a
  // name, then the longest "*.name", then none; among these the longest path. A path counts as
  // whole segments: "/api" is for "/api" and "/api/x", not for "/apis".
  std::optional<size_t> find(std::string_view authority, std::string_view target) const;

 private:
  std::optional<size_t> findBelow(const std::string& host, std::string_view path) const;

  OwnedTextMap<size_t> answers_;                          // by host and path
  std::unordered_set<std::string, TextHash> hosts_ = {};  // "name", "*.name", ""
  size_t longestPath_ = 0;
};

}  // namespace tenon::link
