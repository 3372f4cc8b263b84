#include "host/cache_guard.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <deque>
#include <memory>
#include <string_view>
#include <utility>

namespace tenon::host {
namespace {

constexpr int MAX_SYMLINKS = 40;  // as the kernel's

using Identity = std::pair<dev_t, ino_t>;

// What is at the end of a path, and every directory that is passed on the way there: whoever may
// change one of them decides where the path leads.
struct Way {
  std::vector<Identity> passed;  // the end included, as far as the path exists
  bool exists = false;
};

class Walk {
 public:
  Way run(const std::string& path) {
    if (!path.starts_with('/')) {
      char here[PATH_MAX];
      if (!::getcwd(here, sizeof(here))) return {};
      push(here);
    }
    append(path);
    pass("/");
    std::string at;  // absolute, without links; empty: the root
    while (!components_.empty()) {
      std::string component = std::move(components_.front());
      components_.pop_front();
      if (component.empty() || component == ".") continue;
      if (component == "..") {
        at.resize(at.empty() ? 0 : at.rfind('/'));
        pass(at.empty() ? "/" : at);
        continue;
      }
      std::string next = at + "/" + component;
      struct stat status;
      if (::lstat(next.c_str(), &status) != 0) return way_;
      if (S_ISLNK(status.st_mode)) {
        char target[PATH_MAX];
        ssize_t length = ::readlink(next.c_str(), target, sizeof(target));
        if (length <= 0 || ++symlinks_ > MAX_SYMLINKS) return way_;
        std::string_view text(target, static_cast<size_t>(length));
        if (text.starts_with('/')) at.clear();
        push(text);
        continue;
      }
      at = std::move(next);
      pass(at);
    }
    way_.exists = true;
    return way_;
  }

 private:
  static std::vector<std::string> split(std::string_view path) {
    std::vector<std::string> parts;
    while (!path.empty()) {
      size_t end = std::min(path.find('/'), path.size());
      parts.emplace_back(path.substr(0, end));
      path.remove_prefix(std::min(end + 1, path.size()));
    }
    return parts;
  }
  void push(std::string_view path) {
    auto parts = split(path);
    components_.insert(components_.begin(), parts.begin(), parts.end());
  }
  void append(std::string_view path) {
    auto parts = split(path);
    components_.insert(components_.end(), parts.begin(), parts.end());
  }
  void pass(const std::string& path) {
    struct stat status;
    if (::stat(path.c_str(), &status) == 0) {
      way_.passed.emplace_back(status.st_dev, status.st_ino);
    }
  }

  std::deque<std::string> components_;  // still to go
  int symlinks_ = 0;
  Way way_;
};

bool passes(const Way& way, const Identity& directory) {
  return std::ranges::find(way.passed, directory) != way.passed.end();
}

}  // namespace

Result<void> keepFrom(const std::string& cache, const DirectoryGrant& grant) {
  if (grant.readOnly || cache.empty()) return {};
  Way toGrant = Walk().run(grant.host);
  if (!toGrant.exists) return {};  // whoever opens it says why it cannot be given
  Way toCache = Walk().run(cache);
  const char* where = nullptr;
  if (passes(toCache, toGrant.passed.back())) {
    where = " is reached through it";
  } else if (toCache.exists && passes(toGrant, toCache.passed.back())) {
    where = " holds it";
  } else {
    return {};
  }
  return Error(ErrorCode::INVALID_ARGUMENT,
               "the directory '" + grant.host +
                   "' cannot be given to the guest for writing: the "
                   "compile cache " +
                   cache + where +
                   ", and who writes there can have native code "
                   "run; give it read-only, or set XDG_CACHE_HOME to a folder elsewhere");
}

Result<void> keepFromCache(const EngineState& engine, const std::vector<DirectoryGrant>& grants) {
  for (const DirectoryGrant& grant : grants) {
    if (engine.cache) TENON_CHECK(keepFrom(engine.cache->folder(), grant));
    TENON_CHECK(keepFrom(engine::ArtifactCache::defaultFolder(), grant));
  }
  return {};
}

}  // namespace tenon::host
