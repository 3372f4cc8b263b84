#include "wasi/filesystem/sandbox.h"

#include "net/descriptor_place.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <deque>
#include <utility>
#include <vector>

namespace tenon::wasi::filesystem {
namespace {

constexpr int MAX_SYMLINKS = 40;  // as the kernel's
constexpr int MAX_RETRIES = 64;   // of a resolution that a rename disturbed

int openat2(int directory, const char* path, int flags, mode_t mode) {
  open_how how{};
  how.flags = static_cast<uint64_t>(static_cast<unsigned>(flags));
  how.mode = flags & O_CREAT ? mode : 0;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(::syscall(SYS_openat2, directory, path, &how, sizeof(how)));
}

Opened failed(int error) { return {{}, error}; }

Opened openByKernel(int directory, const std::string& path, int flags, mode_t mode) {
  for (int attempt = 0; attempt < MAX_RETRIES; attempt++) {
    int fd = openat2(directory, path.c_str(), flags, mode);
    if (fd >= 0) return {net::OwnedFd(fd), 0};
    if (errno == EAGAIN || errno == EINTR) continue;
    return failed(errno == EXDEV ? EPERM : errno);
  }
  return failed(EAGAIN);
}

// One resolution, component by component.
class Walk {
 public:
  Walk(int directory, int flags, mode_t mode) : directory_(directory), flags_(flags), mode_(mode) {}

  Opened run(const std::string& path) {
    if (path.empty()) return failed(ENOENT);
    if (int error = push(path)) return failed(error);
    while (true) {
      std::string component = std::move(components_.front());
      components_.pop_front();
      if (component == "..") {
        if (parents_.empty()) return failed(EPERM);
        parents_.pop_back();
        component = ".";
      }
      if (component.empty()) component = ".";
      bool last = components_.empty();
      if (last) {
        Opened opened = openLast(component);
        if (opened.error != TRY_AGAIN) return opened;
      } else if (component != ".") {
        int error = enter(component);
        // "new/" cannot be created as a file.
        if (error == ENOENT && flags_ & O_CREAT && components_.front().empty()) error = EISDIR;
        if (error) return failed(error);
      }
    }
  }

 private:
  static constexpr int TRY_AGAIN = -1;  // a link was expanded

  struct Parent {
    net::OwnedFd fd;
    net::DescriptorPlace place;
  };

  int current() const { return parents_.empty() ? directory_ : parents_.back().fd.get(); }

  // Puts a path's components before those that are left.
  int push(std::string_view path) {
    if (path.front() == '/') return EPERM;
    std::vector<std::string> parts;
    while (!path.empty()) {
      size_t end = std::min(path.find('/'), path.size());
      if (end > 0) parts.emplace_back(path.substr(0, end));
      bool slash = end < path.size();
      path.remove_prefix(slash ? end + 1 : end);
      // A slash at the end asks for a directory.
      if (slash && path.empty() && components_.empty()) parts.emplace_back();
    }
    components_.insert(components_.begin(), parts.begin(), parts.end());
    return 0;
  }

  // Replaces a link by what it says.
  int expand(const char* name, int in) {
    if (++symlinks_ > MAX_SYMLINKS) return ELOOP;
    char target[PATH_MAX];
    ssize_t length = ::readlinkat(in, name, target, sizeof(target));
    if (length < 0) return errno;
    if (length == 0) return ENOENT;
    if (length == sizeof(target)) return ENAMETOOLONG;
    return push({target, static_cast<size_t>(length)});
  }

  int enter(const std::string& name) {
    net::OwnedFd fd(::openat(current(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (fd == nullptr) return errno;
    struct stat status;
    if (::fstat(fd, &status) != 0) return errno;
    if (S_ISLNK(status.st_mode)) return expand("", fd);
    if (!S_ISDIR(status.st_mode)) return ENOTDIR;
    // A path may lead through thousands of links to folders.
    net::DescriptorPlace place = net::DescriptorPlace::take();
    if (!place) return EMFILE;
    parents_.push_back({std::move(fd), std::move(place)});
    return 0;
  }

  Opened openLast(const std::string& name) {
    if (name == "." && flags_ & O_CREAT) return failed(flags_ & O_EXCL ? EEXIST : EISDIR);
    bool follow = !(flags_ & O_NOFOLLOW);
    net::OwnedFd fd(::openat(current(), name.c_str(), flags_ | O_NOFOLLOW, mode_));
    if (fd == nullptr) {
      int error = errno;
      // What a link at the end gives when it is not followed: ELOOP, or ENOTDIR with O_DIRECTORY.
      if (!follow || (error != ELOOP && error != ENOTDIR)) return failed(error);
      struct stat status;
      if (::fstatat(current(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
        return failed(errno);
      if (!S_ISLNK(status.st_mode)) return failed(error);
      int expanded = expand(name.c_str(), current());
      return failed(expanded ? expanded : TRY_AGAIN);
    }
    if (follow && flags_ & O_PATH) {
      struct stat status;
      if (::fstat(fd, &status) != 0) return failed(errno);
      if (S_ISLNK(status.st_mode)) {
        int expanded = expand("", fd);
        return failed(expanded ? expanded : TRY_AGAIN);
      }
    }
    return {std::move(fd), 0};
  }

  const int directory_;
  const int flags_;
  const mode_t mode_;
  int symlinks_ = 0;
  std::vector<Parent> parents_;  // of the current directory, itself last; empty: `directory_`
  std::deque<std::string> components_;  // still to go; an empty one: a slash at the end
};

}  // namespace

Resolver bestResolver() {
  static const Resolver BEST = [] {
    int fd = openat2(AT_FDCWD, ".", O_PATH | O_CLOEXEC, 0);
    // ENOSYS: an old kernel. EPERM: a container's filter that does not know the call.
    if (fd < 0) return errno == ENOSYS || errno == EPERM ? Resolver::WALK : Resolver::KERNEL;
    ::close(fd);
    return Resolver::KERNEL;
  }();
  return BEST;
}

Opened openBeneath(int directory, const std::string& path, int flags, mode_t mode,
                   Resolver resolver) {
  if (path.size() >= PATH_MAX) return failed(ENAMETOOLONG);
  if (path.find('\0') != std::string::npos) return failed(EINVAL);
  flags |= O_CLOEXEC;
  if (!(flags & O_PATH)) flags |= O_NONBLOCK | O_NOCTTY;
  if (resolver == Resolver::WALK) return Walk(directory, flags, mode).run(path);
  Opened opened = openByKernel(directory, path, flags, mode);
  // Somebody renames all the time: resolve without the kernel's help.
  if (opened.error == EAGAIN) return Walk(directory, flags, mode).run(path);
  return opened;
}

Entry findEntry(int directory, const std::string& path, Resolver resolver) {
  Entry entry;
  auto fail = [&entry](int error) {
    entry.error = error;
    return std::move(entry);
  };
  if (path.size() >= PATH_MAX) return fail(ENAMETOOLONG);
  if (path.find('\0') != std::string::npos) return fail(EINVAL);
  size_t end = path.find_last_not_of('/');
  if (end == std::string::npos) return fail(path.empty() ? ENOENT : EPERM);  // "/" is outside
  size_t slash = path.find_last_of('/', end);
  size_t begin = slash == std::string::npos ? 0 : slash + 1;
  entry.name = path.substr(begin, end + 1 - begin);
  // A directory has no name of its own inside itself. Resolved as a whole, in case it is outside.
  if (entry.name == "." || entry.name == "..") {
    Opened whole = openBeneath(directory, path, O_PATH, 0, resolver);
    if (whole.error) return fail(whole.error);
  }
  if (end + 1 < path.size()) entry.name += '/';
  entry.parent = directory;
  if (begin > 0) {
    // The slash stays, so that "/x" is seen to be absolute.
    Opened parent =
        openBeneath(directory, path.substr(0, begin), O_PATH | O_DIRECTORY, 0, resolver);
    if (parent.error) return fail(parent.error);
    entry.opened = std::move(parent.fd);
    entry.parent = entry.opened;
  }
  return entry;
}

}  // namespace tenon::wasi::filesystem
