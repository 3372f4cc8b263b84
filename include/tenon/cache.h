#pragma once

// The folder in which compiled code is kept between processes: what is in it, and emptying it.
// Engines use it by themselves, unless EngineOptions say otherwise.

#include <tenon/result.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace tenon {

// Compiled code of one component or workload, or how a workload is joined.
struct CacheEntry {
  std::string path;
  std::string name;  // the component's file, or other text for people; empty when not known
  uint64_t size = 0;
  std::chrono::system_clock::time_point used;  // within a minute
};

struct CacheContent {
  std::string folder;               // may not be there
  uint64_t limit = 0;               // bytes; beyond, the least recently used go
  std::vector<CacheEntry> entries;  // the last used first
  uint64_t size() const;
};

// `folder` empty: as EngineOptions::cacheDirectory. Errors: IO; NOT_FOUND when there is no home to
// have it in.
Result<CacheContent> cacheContent(std::string folder = {});
// Removes all of it; what was there. Processes may go on with what they have loaded.
Result<CacheContent> clearCache(std::string folder = {});

}  // namespace tenon
