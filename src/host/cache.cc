#include "engine/cache.h"

#include <tenon/cache.h>

#include <utility>

namespace tenon {
namespace {

Result<std::string> folderOf(std::string given) {
  if (given.empty()) given = engine::ArtifactCache::defaultFolder();
  if (!given.empty()) return given;
  return Error(ErrorCode::NOT_FOUND,
               "there is no compile cache: neither XDG_CACHE_HOME nor HOME is set");
}

CacheContent contentOf(std::string folder, std::vector<engine::CacheEntry> entries) {
  CacheContent content{std::move(folder), engine::CachePolicy().maxBytes, {}};
  for (engine::CacheEntry& entry : entries) {
    content.entries.push_back(
        {std::move(entry.path), std::move(entry.name), entry.size, entry.used});
  }
  return content;
}

}  // namespace

uint64_t CacheContent::size() const {
  uint64_t size = 0;
  for (const CacheEntry& entry : entries) size += entry.size;
  return size;
}

Result<CacheContent> cacheContent(std::string folder) {
  TENON_TRY(std::string place, folderOf(std::move(folder)));
  TENON_TRY(auto entries, engine::ArtifactCache::list(place));
  return contentOf(std::move(place), std::move(entries));
}

Result<CacheContent> clearCache(std::string folder) {
  TENON_TRY(std::string place, folderOf(std::move(folder)));
  TENON_TRY(auto entries, engine::ArtifactCache::clear(place));
  return contentOf(std::move(place), std::move(entries));
}

}  // namespace tenon
