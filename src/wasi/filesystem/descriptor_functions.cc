#include "wasi/binder.h"
#include "wasi/context.h"
#include "wasi/filesystem/functions.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <memory>
#include <string>
#include <tuple>

namespace tenon::wasi::filesystem {
namespace {

constexpr uint64_t MAX_OFFSET = std::numeric_limits<off_t>::max();

// A directory being read. Has an open file of its own, so that several do not share a position.
struct DirectoryEntryStream final : call::HostObject {
  struct Closer {
    void operator()(DIR* directory) const { ::closedir(directory); }
  };
  explicit DirectoryEntryStream(DIR* directory) : directory(directory) {}
  std::unique_ptr<DIR, Closer> directory;
};

// The result of a system call that returns 0 or -1.
FileResult<void> checked(int result) {
  if (result != 0) return systemFailure(errno);
  return {};
}

// -- Reading and writing --------------------------------------------------------------------------

Unexpected<ErrorCode> notAFile(const OpenFile& file) {
  return {file.isDirectory() ? ErrorCode::IS_DIRECTORY : ErrorCode::BAD_DESCRIPTOR};
}

FileResult<Own<InputStream>> readViaStream(call::HostCall& call, Descriptor& self,
                                           uint64_t offset) {
  if (self.file->isDirectory() || !self.file->mayRead()) return notAFile(*self.file);
  return give(call, std::make_unique<InputStream>(newFileSource(self.file, offset)));
}

FileResult<Own<OutputStream>> writeViaStream(call::HostCall& call, Descriptor& self,
                                             uint64_t offset) {
  if (self.file->isDirectory() || !self.file->mayWrite()) return notAFile(*self.file);
  return give(call, std::make_unique<OutputStream>(newFileSink(self.file, offset)));
}

FileResult<Own<OutputStream>> appendViaStream(call::HostCall& call, Descriptor& self) {
  if (self.file->isDirectory() || !self.file->mayWrite()) return notAFile(*self.file);
  return give(call, std::make_unique<OutputStream>(newAppendSink(self.file)));
}

using ReadResult = FileResult<std::tuple<std::span<const std::byte>, bool>>;

ReadResult read(call::HostCall& call, Descriptor& self, uint64_t length, uint64_t offset) {
  if (self.file->isDirectory() || !self.file->mayRead()) return notAFile(*self.file);
  std::span<std::byte> buffer = contextOf(call).scratch();
  buffer = buffer.first(std::min<uint64_t>(length, buffer.size()));
  int64_t count = readAt(*self.file, buffer, offset);
  if (count < 0) return systemFailure(static_cast<int>(-count));
  std::span<const std::byte> bytes = buffer.first(static_cast<size_t>(count));
  return ReadResult::Ok{bytes, count == 0 && length != 0};
}

FileResult<uint64_t> write(call::HostCall&, Descriptor& self, std::span<const std::byte> bytes,
                           uint64_t offset) {
  if (self.file->isDirectory() || !self.file->mayWrite()) return notAFile(*self.file);
  int64_t count = writeAt(*self.file, bytes, offset);
  if (count < 0) return systemFailure(static_cast<int>(-count));
  return static_cast<uint64_t>(count);
}

// -- Attributes -----------------------------------------------------------------------------------

FileResult<void> advise(call::HostCall&, Descriptor& self, uint64_t offset, uint64_t length,
                        Advice advice) {
  static constexpr int ADVICE[] = {POSIX_FADV_NORMAL,   POSIX_FADV_SEQUENTIAL, POSIX_FADV_RANDOM,
                                   POSIX_FADV_WILLNEED, POSIX_FADV_DONTNEED,   POSIX_FADV_NOREUSE};
  if (self.file->isDirectory()) return Unexpected{ErrorCode::BAD_DESCRIPTOR};
  if (offset > MAX_OFFSET || length > MAX_OFFSET - offset) return Unexpected{ErrorCode::INVALID};
  int error = ::posix_fadvise(self.file->fd, static_cast<off_t>(offset), static_cast<off_t>(length),
                              ADVICE[static_cast<size_t>(advice)]);
  if (error != 0) return systemFailure(error);
  return {};
}

FileResult<void> syncData(call::HostCall&, Descriptor& self) {
  return checked(::fdatasync(self.file->fd));
}

FileResult<void> sync(call::HostCall&, Descriptor& self) { return checked(::fsync(self.file->fd)); }

FileResult<DescriptorFlags> getFlags(call::HostCall&, Descriptor& self) { return self.file->flags; }

FileResult<DescriptorType> getType(call::HostCall&, Descriptor& self) { return self.file->type; }

FileResult<void> setSize(call::HostCall&, Descriptor& self, uint64_t size) {
  if (self.file->isDirectory() || !self.file->mayWrite()) return notAFile(*self.file);
  if (size > MAX_OFFSET) return Unexpected{ErrorCode::FILE_TOO_LARGE};
  return checked(::ftruncate(self.file->fd, static_cast<off_t>(size)));
}

FileResult<void> setTimes(call::HostCall&, Descriptor& self, const NewTimestamp& access,
                          const NewTimestamp& modification) {
  if (self.file->grant == Grant::READ_ONLY) return Unexpected{ErrorCode::READ_ONLY};
  auto accessTime = toTimespec(access);
  auto modificationTime = toTimespec(modification);
  if (!accessTime) return systemFailure(accessTime.error());
  if (!modificationTime) return systemFailure(modificationTime.error());
  timespec times[] = {*accessTime, *modificationTime};
  return checked(::futimens(self.file->fd, times));
}

FileResult<DescriptorStat> stat(call::HostCall&, Descriptor& self) {
  struct stat status;
  if (::fstat(self.file->fd, &status) != 0) return systemFailure(errno);
  return toStat(status);
}

bool isSameObject(call::HostCall&, Descriptor& self, Descriptor& other) {
  struct stat mine;
  struct stat theirs;
  if (::fstat(self.file->fd, &mine) != 0 || ::fstat(other.file->fd, &theirs) != 0) return false;
  return mine.st_dev == theirs.st_dev && mine.st_ino == theirs.st_ino;
}

FileResult<MetadataHashValue> metadataHash(call::HostCall&, Descriptor& self) {
  struct stat status;
  if (::fstat(self.file->fd, &status) != 0) return systemFailure(errno);
  return hashOf(status);
}

// -- Directories ----------------------------------------------------------------------------------

FileResult<Own<DirectoryEntryStream>> readDirectory(call::HostCall& call, Descriptor& self) {
  if (!self.file->isDirectory()) return Unexpected{ErrorCode::NOT_DIRECTORY};
  kj::AutoCloseFd fd(::openat(self.file->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd == nullptr) return systemFailure(errno);
  DIR* directory = ::fdopendir(fd);
  if (!directory) return systemFailure(errno);
  (void)fd.release();
  return give(call, std::make_unique<DirectoryEntryStream>(directory));
}

DescriptorType typeOf(DIR* directory, const dirent& entry) {
  if (entry.d_type != DT_UNKNOWN) return toType(DTTOIF(entry.d_type));
  struct stat status;
  if (::fstatat(::dirfd(directory), entry.d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return DescriptorType::UNKNOWN;
  }
  return toType(status.st_mode);
}

FileResult<std::optional<DirectoryEntry>> readDirectoryEntry(call::HostCall&,
                                                             DirectoryEntryStream& self) {
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(self.directory.get());
    if (!entry) {
      if (errno != 0) return systemFailure(errno);
      return std::optional<DirectoryEntry>();
    }
    std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (!abi::isValidUtf8(name)) return Unexpected{ErrorCode::ILLEGAL_BYTE_SEQUENCE};
    return std::optional(DirectoryEntry{typeOf(self.directory.get(), *entry), std::move(name)});
  }
}

}  // namespace

MetadataHashValue hashOf(const struct stat& status) {
  struct Secret {
    uint64_t lower = 0x9e3779b97f4a7c15;
    uint64_t upper = 0xc2b2ae3d27d4eb4f;
    Secret() {
      // Without one the hash is merely guessable.
      ssize_t unused = ::getrandom(this, sizeof(*this), 0);
      (void)unused;
    }
  };
  static const Secret SECRET;
  // The finishing step of splitmix64, over identity and secret.
  auto mix = [](uint64_t value) {
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
    value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
    return value ^ (value >> 31);
  };
  auto device = static_cast<uint64_t>(status.st_dev);
  auto inode = static_cast<uint64_t>(status.st_ino);
  return {mix(inode + mix(device ^ SECRET.lower)), mix(inode ^ mix(device + SECRET.upper))};
}

Expected<timespec, int> toTimespec(const NewTimestamp& time) {
  if (time.index() == 0) return timespec{0, UTIME_OMIT};
  if (time.index() == 1) return timespec{0, UTIME_NOW};
  const Datetime& datetime = std::get<2>(time);
  if (datetime.nanoseconds >= 1'000'000'000) return Unexpected{EINVAL};
  if (datetime.seconds > static_cast<uint64_t>(std::numeric_limits<time_t>::max())) {
    return Unexpected{EOVERFLOW};
  }
  return timespec{static_cast<time_t>(datetime.seconds), static_cast<long>(datetime.nanoseconds)};
}

void provideDescriptorFunctions(Binder& types) {
  types.resource("descriptor")
      .resource("directory-entry-stream")
      .function<readViaStream>("[method]descriptor.read-via-stream")
      .function<writeViaStream>("[method]descriptor.write-via-stream")
      .function<appendViaStream>("[method]descriptor.append-via-stream")
      .function<advise>("[method]descriptor.advise")
      .function<syncData>("[method]descriptor.sync-data")
      .function<getFlags>("[method]descriptor.get-flags")
      .function<getType>("[method]descriptor.get-type")
      .function<setSize>("[method]descriptor.set-size")
      .function<setTimes>("[method]descriptor.set-times")
      .function<read>("[method]descriptor.read")
      .function<write>("[method]descriptor.write")
      .function<readDirectory>("[method]descriptor.read-directory")
      .function<sync>("[method]descriptor.sync")
      .function<stat>("[method]descriptor.stat")
      .function<isSameObject>("[method]descriptor.is-same-object")
      .function<metadataHash>("[method]descriptor.metadata-hash")
      .function<readDirectoryEntry>("[method]directory-entry-stream.read-directory-entry");
}

}  // namespace tenon::wasi::filesystem
