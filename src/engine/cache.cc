#include "engine/cache.h"

#include "engine/write_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

namespace tenon::engine {
namespace {

constexpr std::string_view SUFFIX = ".artifact";
// An entry's time of last use is written at most this often.
constexpr time_t TOUCH_SECONDS = 60;
// A temporary file of this age belongs to no process that still writes it.
constexpr time_t ABANDONED_SECONDS = 3600;

Error ioError(const std::string& what, const std::string& path, int code) {
  return Error(ErrorCode::IO, "cannot " + what + " " + path + ": " + std::strerror(code));
}

Result<void> makeFolders(const std::string& folder) {
  for (size_t end = folder.find('/', 1);; end = folder.find('/', end + 1)) {
    std::string part = folder.substr(0, end);
    if (mkdir(part.c_str(), 0700) != 0 && errno != EEXIST && errno != EISDIR) {
      // A parent that may not be written to is fine as long as it is there.
      int code = errno;
      struct stat info;
      if (stat(part.c_str(), &info) != 0) return ioError("make", part, code);
    }
    if (end == std::string::npos) return {};
  }
}

class Folder {
 public:
  explicit Folder(const std::string& path) : stream_(opendir(path.c_str())) {}
  ~Folder() {
    if (stream_ != nullptr) closedir(stream_);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  // The name of the next item; null at the end, or when the folder cannot be read.
  const char* next() {
    dirent* item = stream_ == nullptr ? nullptr : readdir(stream_);
    return item == nullptr ? nullptr : item->d_name;
  }

 private:
  DIR* stream_;
};

std::chrono::system_clock::time_point timeOf(const timespec& time) {
  auto since = std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  return std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(since));
}

// What is in a cache's folder.
struct Content {
  std::vector<CacheEntry> entries;       // without names, the last used first
  std::vector<std::string> halfWritten;  // paths
  std::vector<std::string> abandoned;    // of these, what nobody writes any more
};

Content contentOf(const std::string& folder) {
  Content content;
  Folder items(folder);
  const time_t now = std::time(nullptr);
  while (const char* name = items.next()) {
    std::string_view text(name);
    bool temporary = text.find(TEMPORARY_MARK) != std::string_view::npos;
    if (!temporary && !text.ends_with(SUFFIX)) continue;
    std::string path = folder + "/" + name;
    struct stat info;
    if (lstat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    if (!temporary) {
      content.entries.push_back({.path = std::move(path),
                                 .name = {},
                                 .size = static_cast<uint64_t>(info.st_size),
                                 .used = timeOf(info.st_mtim)});
      continue;
    }
    if (now - info.st_mtime > ABANDONED_SECONDS) content.abandoned.push_back(path);
    content.halfWritten.push_back(std::move(path));
  }
  std::ranges::sort(content.entries, std::greater(), &CacheEntry::used);
  return content;
}

// A file's name, such that it is the same wherever the command was started.
std::string absoluteName(const std::string& name) {
  std::unique_ptr<char, decltype(&free)> path(realpath(name.c_str(), nullptr), &free);
  struct stat info;
  if (!path || stat(path.get(), &info) != 0 || !S_ISREG(info.st_mode)) return name;
  return path.get();
}

void addName(CacheEntry& entry) {
  if (auto info = artifactInfoOf(entry.path)) entry.name = std::move(info->name);
}

}  // namespace

ArtifactCache::ArtifactCache(std::shared_ptr<Engine> engine, std::string folder,
                             const CachePolicy& policy)
    : engine_(std::move(engine)), folder_(std::move(folder)), policy_(policy) {}

Result<ArtifactCache> ArtifactCache::open(std::shared_ptr<Engine> engine, std::string folder,
                                          const CachePolicy& policy) {
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  if (folder.empty()) return Error(ErrorCode::IO, "the compile cache has no folder");
  TENON_CHECK(makeFolders(folder));
  struct stat info;
  if (lstat(folder.c_str(), &info) != 0) return ioError("examine", folder, errno);
  auto refuse = [&](const char* why) {
    return Error(ErrorCode::PERMISSION, "the compile cache " + folder + " " + why);
  };
  if (S_ISLNK(info.st_mode)) return refuse("is a symbolic link");
  if (!S_ISDIR(info.st_mode)) return refuse("is no folder");
  if (info.st_uid != geteuid()) return refuse("belongs to another user");
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) return refuse("can be written by other users");
  return ArtifactCache(std::move(engine), std::move(folder), policy);
}

std::string ArtifactCache::defaultFolder() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && cache[0] == '/') return std::string(cache) + "/tenon/artifacts";
  const char* home = std::getenv("HOME");
  if (home != nullptr && home[0] == '/') return std::string(home) + "/.cache/tenon/artifacts";
  return {};
}

std::string ArtifactCache::pathOf(const ArtifactKey& key) const {
  return folder_ + "/" + key.hex() + std::string(SUFFIX);
}

std::optional<Artifact> ArtifactCache::load(const ArtifactKey& key, std::string* warning) const {
  std::string path = pathOf(key);
  auto artifact = readArtifact(engine_, path, &key);
  if (!artifact) {
    const Error& error = artifact.error();
    if (error.code == ErrorCode::NOT_FOUND && access(path.c_str(), F_OK) != 0) return std::nullopt;
    if (warning != nullptr) *warning = error.message;
    // What is not trusted stays for its owner to look at, and is made anew in place by `store`.
    if (error.code != ErrorCode::PERMISSION) unlink(path.c_str());
    return std::nullopt;
  }
  struct stat info;
  if (stat(path.c_str(), &info) == 0 && std::time(nullptr) - info.st_mtime > TOUCH_SECONDS) {
    utimensat(AT_FDCWD, path.c_str(), nullptr, AT_SYMLINK_NOFOLLOW);
  }
  return *std::move(artifact);
}

Result<void> ArtifactCache::store(const ArtifactKey& key, Artifact artifact) const {
  artifact.name = absoluteName(artifact.name);
  TENON_CHECK(writeArtifact(pathOf(key), key, artifact, *engine_, Placement::CACHE));
  evict(artifact.name);
  return {};
}

// Other processes may do the same at the same time: an entry that is gone already is fine, and one
// that is in use stays mapped. `name`: of the entry that was just stored.
void ArtifactCache::evict(const std::string& name) const {
  Content content = contentOf(folder_);
  for (const std::string& path : content.abandoned) unlink(path.c_str());
  uint64_t total = 0;
  bool full = false;
  size_t ofThisFile = 0;
  const bool isFile = name.starts_with('/');
  for (CacheEntry& entry : content.entries) {
    full = full || total + entry.size > policy_.maxBytes;
    bool keep = !full;
    if (keep && isFile) {
      addName(entry);
      keep = entry.name != name || ++ofThisFile <= policy_.maxOfOneFile;
    }
    if (keep) {
      total += entry.size;
    } else {
      unlink(entry.path.c_str());
    }
  }
}

Result<std::vector<CacheEntry>> ArtifactCache::list(const std::string& folder) {
  struct stat info;
  if (stat(folder.c_str(), &info) != 0) {
    if (errno == ENOENT) return std::vector<CacheEntry>();
    return ioError("read", folder, errno);
  }
  if (access(folder.c_str(), R_OK | X_OK) != 0) return ioError("read", folder, errno);
  Content content = contentOf(folder);
  for (CacheEntry& entry : content.entries) addName(entry);
  return std::move(content.entries);
}

Result<std::vector<CacheEntry>> ArtifactCache::clear(const std::string& folder) {
  TENON_TRY(std::vector<CacheEntry> entries, list(folder));
  for (const CacheEntry& entry : entries) {
    if (unlink(entry.path.c_str()) != 0 && errno != ENOENT) {
      return ioError("remove", entry.path, errno);
    }
  }
  for (const std::string& path : contentOf(folder).halfWritten) unlink(path.c_str());
  return entries;
}

}  // namespace tenon::engine
