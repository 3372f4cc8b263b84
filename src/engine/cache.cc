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
#include <string_view>
#include <utility>

namespace tenon::engine {
namespace {

constexpr std::string_view SUFFIX = ".artifact";
// An entry's time of last use is written at most this often.
constexpr time_t TOUCH_SECONDS = 3600;
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

struct Entry {
  std::string path;
  uint64_t size;
  timespec used;
};

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

Result<void> ArtifactCache::store(const ArtifactKey& key, const Artifact& artifact) const {
  TENON_CHECK(writeArtifact(pathOf(key), key, artifact, *engine_, Placement::CACHE));
  evict();
  return {};
}

// Other processes may do the same at the same time: an entry that is gone already is fine, and one
// that is in use stays mapped.
void ArtifactCache::evict() const {
  Folder folder(folder_);
  std::vector<Entry> entries;
  uint64_t total = 0;
  time_t now = std::time(nullptr);
  while (const char* name = folder.next()) {
    std::string_view text(name);
    bool temporary = text.find(TEMPORARY_MARK) != std::string_view::npos;
    if (!temporary && !text.ends_with(SUFFIX)) continue;
    Entry entry{folder_ + "/" + name, 0, {}};
    struct stat info;
    if (lstat(entry.path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    if (temporary) {
      if (now - info.st_mtime > ABANDONED_SECONDS) unlink(entry.path.c_str());
      continue;
    }
    entry.size = static_cast<uint64_t>(info.st_size);
    entry.used = info.st_mtim;
    total += entry.size;
    entries.push_back(std::move(entry));
  }
  if (total <= policy_.maxBytes) return;
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.used.tv_sec, a.used.tv_nsec) < std::pair(b.used.tv_sec, b.used.tv_nsec);
  });
  for (const Entry& entry : entries) {
    if (total <= policy_.maxBytes) break;
    unlink(entry.path.c_str());
    total -= entry.size;
  }
}

}  // namespace tenon::engine
