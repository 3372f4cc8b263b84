#include "wasi/binder.h"
#include "wasi/context.h"
#include "wasi/filesystem/functions.h"
#include "wasi/filesystem/sandbox.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <string>
#include <string_view>

namespace tenon::wasi::filesystem {
namespace {

constexpr mode_t NEW_FILE = 0666;  // less what the process's umask takes away
constexpr mode_t NEW_DIRECTORY = 0777;

// What stands in the way of using `file` as the directory that a path starts at.
FileResult<void> checkDirectory(const OpenFile& file) {
  if (!file.isDirectory()) return Unexpected{ErrorCode::NOT_DIRECTORY};
  return {};
}
// The same, for changing something below it.
FileResult<void> checkMutable(const OpenFile& file) {
  if (!file.isDirectory()) return Unexpected{ErrorCode::NOT_DIRECTORY};
  if (file.grant == Grant::READ_ONLY) return Unexpected{ErrorCode::READ_ONLY};
  return {};
}

// Tells people, if `result` is an error because of what was granted: to change something where only
// reading is, or to leave the directory. What a link leads to is not looked at.
template <typename Result>
Result tellIfRefused(call::HostCall& call, const OpenFile& directory, std::string_view path,
                     Result result) {
  if (result) return result;
  if (result.error() == ErrorCode::READ_ONLY && directory.grant == Grant::READ_ONLY) {
    contextOf(call).refused(Refusal::Kind::WRITE, directory.granted ? *directory.granted : "");
  }
  bool leaves = path.starts_with('/') || path == ".." || path.starts_with("../") ||
                path.find("/../") != std::string_view::npos || path.ends_with("/..");
  if (result.error() == ErrorCode::NOT_PERMITTED && leaves) {
    contextOf(call).refused(Refusal::Kind::OUTSIDE, path);
  }
  return result;
}

int followFlag(PathFlags flags) { return has(flags, PathFlags::SYMLINK_FOLLOW) ? 0 : O_NOFOLLOW; }

// Runs a system call on the last component of a path that is to be changed.
template <typename Operation>
FileResult<void> onEntry(const OpenFile& directory, const std::string& path,
                         Operation&& operation) {
  if (auto usable = checkMutable(directory); !usable) return usable;
  Entry entry = findEntry(directory.fd, path);
  if (entry.error) return systemFailure(entry.error);
  if (operation(entry) != 0) return systemFailure(errno);
  return {};
}

// The same where the disk wants it. `operation` owns all that it uses.
template <typename Operation>
FileResult<void> changeEntry(call::HostCall& call, const Descriptor& self, const std::string& path,
                             Operation operation) {
  auto changed = onDisk<FileResult<void>>(
      call, *self.file->disk,
      [directory = self.file, path, operation = std::move(operation)]() mutable {
        return onEntry(*directory, path, operation);
      });
  return tellIfRefused(call, *self.file, path, changed);
}

// The status of what a path leads to.
FileResult<struct stat> statusAt(const OpenFile& directory, PathFlags flags,
                                 const std::string& path) {
  if (auto usable = checkDirectory(directory); !usable) return Unexpected{usable.error()};
  Opened opened = openBeneath(directory.fd, path, O_PATH | followFlag(flags), 0);
  if (opened.error) return systemFailure(opened.error);
  struct stat status;
  if (::fstat(opened.fd, &status) != 0) return systemFailure(errno);
  return status;
}

// -- Opening --------------------------------------------------------------------------------------

// The descriptor's flags once it is open: reading is all that a file is for if nothing else is
// said.
DescriptorFlags accessFor(OpenFlags open, DescriptorFlags flags) {
  DescriptorFlags access = DescriptorFlags::NONE;
  bool write = has(flags, DescriptorFlags::WRITE) || has(open, OpenFlags::TRUNCATE);
  if (write) access = access | DescriptorFlags::WRITE;
  if (!has(flags, DescriptorFlags::WRITE) || has(flags, DescriptorFlags::READ)) {
    access = access | DescriptorFlags::READ;
  }
  return access;
}

// All that is told when opening but `truncate`.
int systemFlags(PathFlags path, OpenFlags open, DescriptorFlags flags, DescriptorFlags access) {
  int result = followFlag(path);
  if (access == (DescriptorFlags::READ | DescriptorFlags::WRITE)) {
    result |= O_RDWR;
  } else {
    result |= has(access, DescriptorFlags::WRITE) ? O_WRONLY : O_RDONLY;
  }
  if (has(open, OpenFlags::CREATE)) result |= O_CREAT;
  if (has(open, OpenFlags::CREATE) && has(open, OpenFlags::EXCLUSIVE)) result |= O_EXCL;
  if (has(open, OpenFlags::DIRECTORY)) result |= O_DIRECTORY;
  if (has(flags, DescriptorFlags::FILE_INTEGRITY_SYNC)) result |= O_SYNC;
  if (has(flags, DescriptorFlags::DATA_INTEGRITY_SYNC)) result |= O_DSYNC;
  if (has(flags, DescriptorFlags::REQUESTED_WRITE_SYNC)) result |= O_RSYNC;
  return result;
}

// As truncating would: that the file is changed now. One that was just made says so already.
void touch(int fd, const timespec& changed) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  constexpr int64_t SECOND = 1'000'000'000, JUST = 20'000'000;
  int64_t ago = (now.tv_sec - changed.tv_sec) * SECOND + now.tv_nsec - changed.tv_nsec;
  if (now.tv_sec - changed.tv_sec < 2 && ago >= 0 && ago < JUST) return;
  timespec times[] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, {.tv_sec = 0, .tv_nsec = UTIME_NOW}};
  (void)::futimens(fd, times);
}

struct FileToEmpty {
  std::shared_ptr<OpenFile> file;
  bool hasContent = false;  // which is to be emptied
};

FileResult<FileToEmpty> openFile(const OpenFile& directory, PathFlags path, const std::string& name,
                                 OpenFlags open, DescriptorFlags flags) {
  DescriptorFlags access = accessFor(open, flags);
  Opened opened = openBeneath(directory.fd, name, systemFlags(path, open, flags, access), NEW_FILE);
  if (opened.error) return systemFailure(opened.error);
  struct stat status;
  if (::fstat(opened.fd, &status) != 0) return systemFailure(errno);
  bool empties = has(open, OpenFlags::TRUNCATE) && S_ISREG(status.st_mode);
  if (empties && status.st_size == 0) touch(opened.fd, status.st_mtim);

  auto file = OpenFile::of(std::move(opened.fd), status, &directory);
  file->grant = directory.grant;
  file->granted = directory.granted;
  file->flags = access;
  if (file->isDirectory()) {
    file->flags = DescriptorFlags::READ;
    if (file->grant == Grant::READ_WRITE)
      file->flags = file->flags | DescriptorFlags::MUTATE_DIRECTORY;
  } else {
    for (DescriptorFlags flag :
         {DescriptorFlags::FILE_INTEGRITY_SYNC, DescriptorFlags::DATA_INTEGRITY_SYNC,
          DescriptorFlags::REQUESTED_WRITE_SYNC}) {
      if (has(flags, flag)) file->flags = file->flags | flag;
    }
  }
  return FileToEmpty{std::move(file), empties && status.st_size != 0};
}

FileResult<Own<Descriptor>> openAt(call::HostCall& call, Descriptor& self, PathFlags path,
                                   const std::string& name, OpenFlags open, DescriptorFlags flags) {
  if (auto usable = checkDirectory(*self.file); !usable) return Unexpected{usable.error()};
  bool changes = has(open, OpenFlags::CREATE) || has(open, OpenFlags::TRUNCATE) ||
                 has(flags, DescriptorFlags::WRITE) ||
                 has(flags, DescriptorFlags::MUTATE_DIRECTORY);
  if (changes && self.file->grant == Grant::READ_ONLY) {
    FileResult<Own<Descriptor>> refused = Unexpected{ErrorCode::READ_ONLY};
    return tellIfRefused(call, *self.file, name, refused);
  }
  bool creates = has(open, OpenFlags::CREATE) || has(open, OpenFlags::EXCLUSIVE) ||
                 has(open, OpenFlags::TRUNCATE);
  if (has(open, OpenFlags::DIRECTORY) && creates) return Unexpected{ErrorCode::INVALID};

  net::DescriptorPlace place = net::DescriptorPlace::take();
  if (!place) return systemFailure(EMFILE);
  auto opened = onDisk<FileResult<FileToEmpty>>(
      call, *self.file->disk, [directory = self.file, path, name, open, flags]() {
        return openFile(*directory, path, name, open, flags);
      });
  if (!opened) return Unexpected{tellIfRefused(call, *self.file, name, opened).error()};
  if (call.failed()) return {};
  if (opened->hasContent) {
    auto emptied = resize(call, opened->file, 0);
    if (call.failed()) return {};
    if (!emptied) return Unexpected{emptied.error()};
  }
  opened->file->place = std::move(place);
  return give(call, std::make_unique<Descriptor>(std::move(opened->file)));
}

// -- Looking --------------------------------------------------------------------------------------

FileResult<struct stat> statusAt(call::HostCall& call, const Descriptor& self, PathFlags flags,
                                 const std::string& path) {
  auto status = onDisk<FileResult<struct stat>>(
      call, *self.file->disk,
      [directory = self.file, flags, path]() { return statusAt(*directory, flags, path); });
  return tellIfRefused(call, *self.file, path, status);
}

FileResult<DescriptorStat> statAt(call::HostCall& call, Descriptor& self, PathFlags flags,
                                  const std::string& path) {
  auto status = statusAt(call, self, flags, path);
  if (!status) return Unexpected{status.error()};
  return toStat(*status);
}

FileResult<MetadataHashValue> metadataHashAt(call::HostCall& call, Descriptor& self,
                                             PathFlags flags, const std::string& path) {
  auto status = statusAt(call, self, flags, path);
  if (!status) return Unexpected{status.error()};
  return hashOf(*status);
}

FileResult<std::string> readLink(const OpenFile& directory, const std::string& path) {
  if (auto usable = checkDirectory(directory); !usable) return Unexpected{usable.error()};
  Opened opened = openBeneath(directory.fd, path, O_PATH | O_NOFOLLOW, 0);
  if (opened.error) return systemFailure(opened.error);
  std::string target(PATH_MAX, '\0');
  ssize_t length = ::readlinkat(opened.fd, "", target.data(), target.size());
  // What is no link: EINVAL by its path, ENOENT by its descriptor.
  if (length < 0) return systemFailure(errno == ENOENT ? EINVAL : errno);
  target.resize(static_cast<size_t>(length));
  if (target.starts_with('/')) return Unexpected{ErrorCode::NOT_PERMITTED};
  if (!abi::isValidUtf8(target)) return Unexpected{ErrorCode::ILLEGAL_BYTE_SEQUENCE};
  return target;
}

FileResult<std::string> readlinkAt(call::HostCall& call, Descriptor& self,
                                   const std::string& path) {
  return onDisk<FileResult<std::string>>(call, *self.file->disk, [directory = self.file, path]() {
    return readLink(*directory, path);
  });
}

// -- Changing -------------------------------------------------------------------------------------

FileResult<void> createDirectoryAt(call::HostCall& call, Descriptor& self,
                                   const std::string& path) {
  return changeEntry(call, self, path, [](const Entry& entry) {
    return ::mkdirat(entry.parent, entry.name.c_str(), NEW_DIRECTORY);
  });
}

FileResult<void> removeDirectoryAt(call::HostCall& call, Descriptor& self,
                                   const std::string& path) {
  return changeEntry(call, self, path, [](const Entry& entry) {
    return ::unlinkat(entry.parent, entry.name.c_str(), AT_REMOVEDIR);
  });
}

FileResult<void> unlinkFileAt(call::HostCall& call, Descriptor& self, const std::string& path) {
  return changeEntry(call, self, path, [](const Entry& entry) {
    return ::unlinkat(entry.parent, entry.name.c_str(), 0);
  });
}

FileResult<void> symlinkAt(call::HostCall& call, Descriptor& self, const std::string& target,
                           const std::string& path) {
  if (target.starts_with('/')) return Unexpected{ErrorCode::NOT_PERMITTED};
  if (target.size() >= PATH_MAX) return Unexpected{ErrorCode::NAME_TOO_LONG};
  if (target.find('\0') != std::string::npos) return Unexpected{ErrorCode::INVALID};
  return changeEntry(call, self, path, [target](const Entry& entry) {
    return ::symlinkat(target.c_str(), entry.parent, entry.name.c_str());
  });
}

// Where something is renamed or linked to. Sets errno if there is no such place.
Entry findTarget(const OpenFile& directory, const std::string& path) {
  Entry entry = findEntry(directory.fd, path);
  if (entry.error) errno = entry.error;
  return entry;
}

FileResult<void> renameAt(call::HostCall& call, Descriptor& self, const std::string& oldPath,
                          Descriptor& newDirectory, const std::string& newPath) {
  if (auto usable = checkMutable(*newDirectory.file); !usable) {
    return tellIfRefused(call, *newDirectory.file, newPath, usable);
  }
  return changeEntry(
      call, self, oldPath, [directory = newDirectory.file, newPath](const Entry& from) {
        Entry to = findTarget(*directory, newPath);
        if (to.error) return -1;
        return ::renameat(from.parent, from.name.c_str(), to.parent, to.name.c_str());
      });
}

int linkEntry(Entry& from, const OpenFile& directory, const std::string& newPath) {
  // With a slash at its end the name of a link would be followed, out of the directory too.
  if (from.name.ends_with('/')) {
    struct stat status;
    from.name.pop_back();
    if (::fstatat(from.parent, from.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return -1;
    errno = S_ISDIR(status.st_mode) ? EPERM : ENOTDIR;
    return -1;
  }
  Entry to = findTarget(directory, newPath);
  if (to.error) return -1;
  return ::linkat(from.parent, from.name.c_str(), to.parent, to.name.c_str(), 0);
}

FileResult<void> linkAt(call::HostCall& call, Descriptor& self, PathFlags flags,
                        const std::string& oldPath, Descriptor& newDirectory,
                        const std::string& newPath) {
  if (auto usable = checkMutable(*newDirectory.file); !usable) {
    return tellIfRefused(call, *newDirectory.file, newPath, usable);
  }
  if (has(flags, PathFlags::SYMLINK_FOLLOW)) return Unexpected{ErrorCode::INVALID};
  return changeEntry(call, self, oldPath, [directory = newDirectory.file, newPath](Entry& from) {
    return linkEntry(from, *directory, newPath);
  });
}

FileResult<void> setTimesBelow(const OpenFile& directory, PathFlags flags, const std::string& path,
                               timespec access, timespec modification) {
  Opened opened = openBeneath(directory.fd, path, O_PATH | followFlag(flags), 0);
  if (opened.error) return systemFailure(opened.error);
  timespec times[] = {access, modification};
  if (::utimensat(opened.fd, "", times, AT_EMPTY_PATH) == 0) return {};
  if (errno != EINVAL) return systemFailure(errno);
  // Kernels before 5.8 do not know AT_EMPTY_PATH here.
  std::string number = "/proc/self/fd/" + std::to_string(opened.fd.get());
  if (::utimensat(AT_FDCWD, number.c_str(), times, 0) != 0) return systemFailure(errno);
  return {};
}

FileResult<void> setTimesAt(call::HostCall& call, Descriptor& self, PathFlags flags,
                            const std::string& path, const NewTimestamp& access,
                            const NewTimestamp& modification) {
  if (auto usable = checkMutable(*self.file); !usable) {
    return tellIfRefused(call, *self.file, path, usable);
  }
  auto accessTime = toTimespec(access);
  auto modificationTime = toTimespec(modification);
  if (!accessTime) return systemFailure(accessTime.error());
  if (!modificationTime) return systemFailure(modificationTime.error());
  return onDisk<FileResult<void>>(call, *self.file->disk,
                                  [directory = self.file, flags, path, access = *accessTime,
                                   modification = *modificationTime]() {
                                    return setTimesBelow(*directory, flags, path, access,
                                                         modification);
                                  });
}

}  // namespace

void providePathFunctions(Binder& types) {
  types.blocking<createDirectoryAt>("[method]descriptor.create-directory-at")
      .blocking<statAt>("[method]descriptor.stat-at")
      .blocking<setTimesAt>("[method]descriptor.set-times-at")
      .blocking<linkAt>("[method]descriptor.link-at")
      .blocking<openAt>("[method]descriptor.open-at")
      .blocking<readlinkAt>("[method]descriptor.readlink-at")
      .blocking<removeDirectoryAt>("[method]descriptor.remove-directory-at")
      .blocking<renameAt>("[method]descriptor.rename-at")
      .blocking<symlinkAt>("[method]descriptor.symlink-at")
      .blocking<unlinkFileAt>("[method]descriptor.unlink-file-at")
      .blocking<metadataHashAt>("[method]descriptor.metadata-hash-at");
}

}  // namespace tenon::wasi::filesystem
