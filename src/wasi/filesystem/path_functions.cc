#include "wasi/binder.h"
#include "wasi/filesystem/functions.h"
#include "wasi/filesystem/sandbox.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <string>

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

int systemFlags(PathFlags path, OpenFlags open, DescriptorFlags flags, DescriptorFlags access) {
  int result = followFlag(path);
  if (access == (DescriptorFlags::READ | DescriptorFlags::WRITE)) {
    result |= O_RDWR;
  } else {
    result |= has(access, DescriptorFlags::WRITE) ? O_WRONLY : O_RDONLY;
  }
  if (has(open, OpenFlags::CREATE)) result |= O_CREAT;
  if (has(open, OpenFlags::CREATE) && has(open, OpenFlags::EXCLUSIVE)) result |= O_EXCL;
  if (has(open, OpenFlags::TRUNCATE)) result |= O_TRUNC;
  if (has(open, OpenFlags::DIRECTORY)) result |= O_DIRECTORY;
  if (has(flags, DescriptorFlags::FILE_INTEGRITY_SYNC)) result |= O_SYNC;
  if (has(flags, DescriptorFlags::DATA_INTEGRITY_SYNC)) result |= O_DSYNC;
  if (has(flags, DescriptorFlags::REQUESTED_WRITE_SYNC)) result |= O_RSYNC;
  return result;
}

FileResult<Own<Descriptor>> openAt(call::HostCall& call, Descriptor& self, PathFlags path,
                                   const std::string& name, OpenFlags open, DescriptorFlags flags) {
  const OpenFile& directory = *self.file;
  if (auto usable = checkDirectory(directory); !usable) return Unexpected{usable.error()};
  bool changes = has(open, OpenFlags::CREATE) || has(open, OpenFlags::TRUNCATE) ||
                 has(flags, DescriptorFlags::WRITE) ||
                 has(flags, DescriptorFlags::MUTATE_DIRECTORY);
  if (changes && directory.grant == Grant::READ_ONLY) return Unexpected{ErrorCode::READ_ONLY};
  bool creates = has(open, OpenFlags::CREATE) || has(open, OpenFlags::EXCLUSIVE) ||
                 has(open, OpenFlags::TRUNCATE);
  if (has(open, OpenFlags::DIRECTORY) && creates) return Unexpected{ErrorCode::INVALID};

  DescriptorFlags access = accessFor(open, flags);
  Opened opened = openBeneath(directory.fd, name, systemFlags(path, open, flags, access), NEW_FILE);
  if (opened.error) return systemFailure(opened.error);
  struct stat status;
  if (::fstat(opened.fd, &status) != 0) return systemFailure(errno);

  auto file = std::make_shared<OpenFile>();
  file->fd = std::move(opened.fd);
  file->type = toType(status.st_mode);
  file->grant = directory.grant;
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
  return give(call, std::make_unique<Descriptor>(std::move(file)));
}

// -- Looking --------------------------------------------------------------------------------------

FileResult<DescriptorStat> statAt(call::HostCall&, Descriptor& self, PathFlags flags,
                                  const std::string& path) {
  auto status = statusAt(*self.file, flags, path);
  if (!status) return Unexpected{status.error()};
  return toStat(*status);
}

FileResult<MetadataHashValue> metadataHashAt(call::HostCall&, Descriptor& self, PathFlags flags,
                                             const std::string& path) {
  auto status = statusAt(*self.file, flags, path);
  if (!status) return Unexpected{status.error()};
  return hashOf(*status);
}

FileResult<std::string> readlinkAt(call::HostCall&, Descriptor& self, const std::string& path) {
  if (auto usable = checkDirectory(*self.file); !usable) return Unexpected{usable.error()};
  Opened opened = openBeneath(self.file->fd, path, O_PATH | O_NOFOLLOW, 0);
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

// -- Changing -------------------------------------------------------------------------------------

FileResult<void> createDirectoryAt(call::HostCall&, Descriptor& self, const std::string& path) {
  return onEntry(*self.file, path, [](const Entry& entry) {
    return ::mkdirat(entry.parent, entry.name.c_str(), NEW_DIRECTORY);
  });
}

FileResult<void> removeDirectoryAt(call::HostCall&, Descriptor& self, const std::string& path) {
  return onEntry(*self.file, path, [](const Entry& entry) {
    return ::unlinkat(entry.parent, entry.name.c_str(), AT_REMOVEDIR);
  });
}

FileResult<void> unlinkFileAt(call::HostCall&, Descriptor& self, const std::string& path) {
  return onEntry(*self.file, path, [](const Entry& entry) {
    return ::unlinkat(entry.parent, entry.name.c_str(), 0);
  });
}

FileResult<void> symlinkAt(call::HostCall&, Descriptor& self, const std::string& target,
                           const std::string& path) {
  if (target.starts_with('/')) return Unexpected{ErrorCode::NOT_PERMITTED};
  if (target.find('\0') != std::string::npos) return Unexpected{ErrorCode::INVALID};
  return onEntry(*self.file, path, [&target](const Entry& entry) {
    return ::symlinkat(target.c_str(), entry.parent, entry.name.c_str());
  });
}

FileResult<void> renameAt(call::HostCall&, Descriptor& self, const std::string& oldPath,
                          Descriptor& newDirectory, const std::string& newPath) {
  if (auto usable = checkMutable(*newDirectory.file); !usable) return usable;
  return onEntry(*self.file, oldPath, [&](const Entry& from) {
    Entry to = findEntry(newDirectory.file->fd, newPath);
    if (to.error) {
      errno = to.error;
      return -1;
    }
    return ::renameat(from.parent, from.name.c_str(), to.parent, to.name.c_str());
  });
}

FileResult<void> linkAt(call::HostCall&, Descriptor& self, PathFlags flags,
                        const std::string& oldPath, Descriptor& newDirectory,
                        const std::string& newPath) {
  if (auto usable = checkMutable(*newDirectory.file); !usable) return usable;
  if (has(flags, PathFlags::SYMLINK_FOLLOW)) return Unexpected{ErrorCode::INVALID};
  return onEntry(*self.file, oldPath, [&](Entry& from) {
    // With a slash at its end the name of a link would be followed, out of the directory too.
    if (from.name.ends_with('/')) {
      struct stat status;
      from.name.pop_back();
      if (::fstatat(from.parent, from.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return -1;
      errno = S_ISDIR(status.st_mode) ? EPERM : ENOTDIR;
      return -1;
    }
    Entry to = findEntry(newDirectory.file->fd, newPath);
    if (to.error) {
      errno = to.error;
      return -1;
    }
    return ::linkat(from.parent, from.name.c_str(), to.parent, to.name.c_str(), 0);
  });
}

FileResult<void> setTimesAt(call::HostCall&, Descriptor& self, PathFlags flags,
                            const std::string& path, const NewTimestamp& access,
                            const NewTimestamp& modification) {
  if (auto usable = checkMutable(*self.file); !usable) return usable;
  auto accessTime = toTimespec(access);
  auto modificationTime = toTimespec(modification);
  if (!accessTime) return systemFailure(accessTime.error());
  if (!modificationTime) return systemFailure(modificationTime.error());
  Opened opened = openBeneath(self.file->fd, path, O_PATH | followFlag(flags), 0);
  if (opened.error) return systemFailure(opened.error);
  timespec times[] = {*accessTime, *modificationTime};
  if (::utimensat(opened.fd, "", times, AT_EMPTY_PATH) == 0) return {};
  if (errno != EINVAL) return systemFailure(errno);
  // Kernels before 5.8 do not know AT_EMPTY_PATH here.
  std::string number = "/proc/self/fd/" + std::to_string(opened.fd.get());
  if (::utimensat(AT_FDCWD, number.c_str(), times, 0) != 0) return systemFailure(errno);
  return {};
}

}  // namespace

void providePathFunctions(Binder& types) {
  types.function<createDirectoryAt>("[method]descriptor.create-directory-at")
      .function<statAt>("[method]descriptor.stat-at")
      .function<setTimesAt>("[method]descriptor.set-times-at")
      .function<linkAt>("[method]descriptor.link-at")
      .function<openAt>("[method]descriptor.open-at")
      .function<readlinkAt>("[method]descriptor.readlink-at")
      .function<removeDirectoryAt>("[method]descriptor.remove-directory-at")
      .function<renameAt>("[method]descriptor.rename-at")
      .function<symlinkAt>("[method]descriptor.symlink-at")
      .function<unlinkFileAt>("[method]descriptor.unlink-file-at")
      .function<metadataHashAt>("[method]descriptor.metadata-hash-at");
}

}  // namespace tenon::wasi::filesystem
