#include "engine/write_file.h"

#include "engine/file.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <system_error>

namespace tenon::engine {
namespace {

constexpr mode_t NEW_MODE = 0644;
constexpr int MAX_LINKS = 40;  // as the kernel

std::string folderOf(const std::string& path) {
  size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

// 0, or what went wrong; then nothing changed. `mode`: of the file that this replaces.
int tryReplace(const std::string& path, std::span<const std::byte> bytes,
               std::optional<mode_t> mode) {
  static std::atomic<uint32_t> counter = 0;
  std::string temporary = folderOf(path) + "/.tenon" + TEMPORARY_MARK + std::to_string(getpid()) +
                          "-" + std::to_string(counter.fetch_add(1));
  // Left over by a process of the same number that was killed.
  unlink(temporary.c_str());
  // What has no name yet goes with its process, so that nothing half-written stays when that is
  // killed. Not all file systems have such files.
  File out(open(folderOf(path).c_str(), O_WRONLY | O_TMPFILE | O_CLOEXEC, NEW_MODE));
  const bool isNameless = out.get() >= 0;
  if (!isNameless) {
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    out.reset(open(temporary.c_str(), flags, NEW_MODE));
    if (out.get() < 0) return errno;
  }
  int problem = 0;
  if (mode && fchmod(out.get(), *mode & (S_IRWXU | S_IRGRP | S_IXGRP | S_IROTH | S_IXOTH)) != 0) {
    problem = errno;
  }
  // No fsync: after a crash of the machine the sum does not fit, and the file is made again.
  if (problem == 0) problem = writeAll(out.get(), bytes);
  if (problem == 0 && isNameless) {
    std::string self = "/proc/self/fd/" + std::to_string(out.get());
    if (linkat(AT_FDCWD, self.c_str(), AT_FDCWD, temporary.c_str(), AT_SYMLINK_FOLLOW) != 0) {
      problem = errno;
    }
  }
  if (problem == 0) problem = out.close();
  if (problem == 0 && rename(temporary.c_str(), path.c_str()) != 0) problem = errno;
  if (problem != 0) unlink(temporary.c_str());
  return problem;
}

int writeInPlace(const std::string& path, std::span<const std::byte> bytes) {
  File out(open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY));
  if (out.get() < 0) return errno;
  int problem = writeAll(out.get(), bytes);
  return problem != 0 ? problem : out.close();
}

// Whether the link is one of /proc, whose text need not be where it leads.
bool isMagic(const std::string& link) {
  File at(open(link.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct statfs info;
  return at.get() < 0 || fstatfs(at.get(), &info) != 0 || info.f_type == PROC_SUPER_MAGIC;
}

// What a user's path leads to.
struct Target {
  std::string path;  // where a new file goes in its place; empty: none may
  bool exists = true;
  std::optional<mode_t> mode;  // of the file there
};

Target targetOf(std::string path) {
  for (int links = 0; links < MAX_LINKS; ++links) {
    struct stat info;
    if (lstat(path.c_str(), &info) != 0) return {path, errno != ENOENT, std::nullopt};
    if (S_ISREG(info.st_mode)) {
      bool ours = info.st_nlink == 1 && info.st_uid == geteuid() &&
                  faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0;
      return ours ? Target{path, true, info.st_mode} : Target{};
    }
    if (!S_ISLNK(info.st_mode) || isMagic(path)) return {};
    std::error_code problem;
    std::string next = std::filesystem::read_symlink(path, problem);
    if (problem || next.empty()) return {};
    path = next.front() == '/' ? next : folderOf(path) + "/" + next;
  }
  return {};
}

}  // namespace

Result<void> replaceFile(const std::string& path, std::span<const std::byte> bytes) {
  if (int problem = tryReplace(path, bytes, std::nullopt)) return ioError("write", path, problem);
  return {};
}

Result<void> writeFile(const std::string& path, std::span<const std::byte> bytes) {
  Target target = targetOf(path);
  int problem = 0;
  if (!target.path.empty()) {
    problem = tryReplace(target.path, bytes, target.mode);
    if (problem == 0) return {};
  }
  // A file in a folder that takes no new ones may be written all the same.
  bool closedFolder = problem == EACCES || problem == EPERM || problem == EROFS;
  if (target.exists && (problem == 0 || closedFolder)) problem = writeInPlace(path, bytes);
  if (problem != 0) return ioError("write", path, problem);
  return {};
}

}  // namespace tenon::engine
