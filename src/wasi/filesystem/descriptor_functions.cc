#include "net/fd_streams.h"
#include "wasi/binder.h"
#include "wasi/context.h"
#include "wasi/filesystem/functions.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <limits>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

namespace tenon::wasi::filesystem {
namespace {

constexpr uint64_t MAX_OFFSET = std::numeric_limits<off_t>::max();
constexpr size_t MAX_WRITE = 1024 * 1024;  // in one call, whatever it was given
constexpr size_t ENTRIES_ON_THREAD = 512;
constexpr uint64_t LISTING_COST = 40 * 1024;  // the C library's buffer for a directory

// The result of a system call that returns 0 or -1.
FileResult<void> checked(int result) {
  if (result != 0) return systemFailure(errno);
  return {};
}

// -- Reading and writing --------------------------------------------------------------------------

Unexpected<ErrorCode> notAFile(const OpenFile& file) {
  return {file.isDirectory() ? ErrorCode::IS_DIRECTORY : ErrorCode::BAD_DESCRIPTOR};
}

// A FIFO has no offsets, and is waited for. Errors: as `systemFailure`.
FileResult<std::shared_ptr<net::ObservedFd>> observe(call::HostCall& call, const OpenFile& file) {
  net::DescriptorPlace place = net::DescriptorPlace::take();
  if (!place) return systemFailure(EMFILE);
  // A number of its own, because an event port takes each number once.
  int fd = ::fcntl(file.fd, F_DUPFD_CLOEXEC, 3);
  if (fd < 0) return systemFailure(errno);
  auto observed =
      net::ObservedFd::make(contextOf(call).eventPort, net::OwnedFd(fd), std::move(place));
  if (!observed) return systemFailure(ENOMEM);
  return observed;
}

FileResult<Own<InputStream>> readViaStream(call::HostCall& call, Descriptor& self,
                                           uint64_t offset) {
  if (self.file->isDirectory() || !self.file->mayRead()) return notAFile(*self.file);
  std::shared_ptr<net::InputSource> source;
  if (self.file->type == DescriptorType::FIFO) {
    auto fifo = observe(call, *self.file);
    if (!fifo) return Unexpected{fifo.error()};
    source = std::make_shared<net::FdSource>(*std::move(fifo), net::FdKind::FIFO);
  } else {
    source = newFileSource(self.file, offset, call.objects.budget());
  }
  return give(call, std::make_unique<InputStream>(std::move(source)));
}

// A stream to a file; `otherwise` makes that of a file with offsets.
template <typename Otherwise>
FileResult<Own<OutputStream>> giveSink(call::HostCall& call, Descriptor& self,
                                       Otherwise otherwise) {
  if (self.file->isDirectory() || !self.file->mayWrite()) return notAFile(*self.file);
  net::Lingering& lingering = *contextOf(call).lingering;
  std::shared_ptr<net::OutputSink> sink;
  if (self.file->type == DescriptorType::FIFO) {
    auto fifo = observe(call, *self.file);
    if (!fifo) return Unexpected{fifo.error()};
    sink = std::make_shared<net::FdSink>(*std::move(fifo), net::FdKind::FIFO, lingering,
                                         call.objects.budget());
  } else {
    sink = otherwise(lingering);
  }
  return give(call, std::make_unique<OutputStream>(std::move(sink)));
}

FileResult<Own<OutputStream>> writeViaStream(call::HostCall& call, Descriptor& self,
                                             uint64_t offset) {
  return giveSink(call, self, [&](net::Lingering& lingering) {
    return newFileSink(self.file, offset, lingering, call.objects.budget());
  });
}

FileResult<Own<OutputStream>> appendViaStream(call::HostCall& call, Descriptor& self) {
  return giveSink(call, self, [&](net::Lingering& lingering) {
    return newAppendSink(self.file, lingering, call.objects.budget());
  });
}

using ReadResult = FileResult<std::tuple<std::span<const std::byte>, bool>>;

// Reads on a thread. As `readAt`.
int64_t readOnThread(call::HostCall& call, const std::shared_ptr<OpenFile>& file,
                     std::span<std::byte> into, uint64_t offset) {
  struct Read {
    std::vector<std::byte> bytes;
    int64_t count;
  };
  auto read = onThread<FileResult<Read>>(call, *file->disk,
                                         [file, size = into.size(), offset]() -> FileResult<Read> {
                                           Read result{std::vector<std::byte>(size), 0};
                                           result.count = readAt(*file, result.bytes, offset);
                                           return result;
                                         });
  if (call.failed()) return 0;
  if (read->count > 0) std::copy_n(read->bytes.begin(), read->count, into.begin());
  return read->count;
}

ReadResult read(call::HostCall& call, Descriptor& self, uint64_t length, uint64_t offset) {
  auto file = self.file;
  if (file->isDirectory() || !file->mayRead()) return notAFile(*file);
  std::span<std::byte> buffer = contextOf(call).scratch();
  buffer = buffer.first(std::min<uint64_t>(length, buffer.size()));
  int64_t count = readNow(*file, buffer, offset);
  if (count == -EAGAIN) count = readOnThread(call, file, buffer, offset);
  if (count < 0) return systemFailure(static_cast<int>(-count));
  std::span<const std::byte> bytes = buffer.first(static_cast<size_t>(count));
  return ReadResult::Ok{bytes, count == 0 && length != 0};
}

FileResult<uint64_t> write(call::HostCall& call, Descriptor& self, std::span<const std::byte> bytes,
                           uint64_t offset) {
  auto file = self.file;
  if (file->isDirectory() || !file->mayWrite()) return notAFile(*file);
  int64_t count;
  bytes = bytes.first(std::min(bytes.size(), MAX_WRITE));
  if (file->disk->isSlow() || file->writesThrough()) {
    // The guest's memory is not ours while it is suspended.
    auto written = onThread<FileResult<int64_t>>(
        call, *file->disk,
        [file, copy = std::vector<std::byte>(bytes.begin(), bytes.end()),
         offset]() -> FileResult<int64_t> { return writeAt(*file, copy, offset); });
    count = *written;
  } else {
    auto work = [&]() { return writeAt(*file, bytes, offset); };
    count = timed(*file->disk, work);
  }
  if (count < 0) return systemFailure(static_cast<int>(-count));
  return static_cast<uint64_t>(count);
}

// -- Attributes -----------------------------------------------------------------------------------

FileResult<void> advise(call::HostCall& call, Descriptor& self, uint64_t offset, uint64_t length,
                        Advice advice) {
  static constexpr int ADVICE[] = {POSIX_FADV_NORMAL,   POSIX_FADV_SEQUENTIAL, POSIX_FADV_RANDOM,
                                   POSIX_FADV_WILLNEED, POSIX_FADV_DONTNEED,   POSIX_FADV_NOREUSE};
  if (self.file->isDirectory()) return Unexpected{ErrorCode::BAD_DESCRIPTOR};
  if (offset > MAX_OFFSET || length > MAX_OFFSET - offset) return Unexpected{ErrorCode::INVALID};
  auto work = [file = self.file, offset, length, advice]() -> FileResult<void> {
    int error = ::posix_fadvise(file->fd, static_cast<off_t>(offset), static_cast<off_t>(length),
                                ADVICE[static_cast<size_t>(advice)]);
    if (error != 0) return systemFailure(error);
    return {};
  };
  // These begin to read, or to write back; the others only set how the file is read ahead.
  bool moves = advice == Advice::WILL_NEED || advice == Advice::DONT_NEED;
  return moves ? onThread<FileResult<void>>(call, *self.file->disk, work)
               : onDisk<FileResult<void>>(call, *self.file->disk, work);
}

FileResult<void> syncData(call::HostCall& call, Descriptor& self) {
  return onThread<FileResult<void>>(
      call, *self.file->disk, [file = self.file]() { return checked(::fdatasync(file->fd)); });
}

FileResult<void> sync(call::HostCall& call, Descriptor& self) {
  return onThread<FileResult<void>>(call, *self.file->disk,
                                    [file = self.file]() { return checked(::fsync(file->fd)); });
}

FileResult<DescriptorFlags> getFlags(call::HostCall&, Descriptor& self) { return self.file->flags; }

FileResult<DescriptorType> getType(call::HostCall&, Descriptor& self) { return self.file->type; }

FileResult<void> setSize(call::HostCall& call, Descriptor& self, uint64_t size) {
  if (self.file->isDirectory() || !self.file->mayWrite()) return notAFile(*self.file);
  if (size > MAX_OFFSET) return Unexpected{ErrorCode::FILE_TOO_LARGE};
  return resize(call, self.file, static_cast<off_t>(size));
}

FileResult<void> setTimes(call::HostCall& call, Descriptor& self, const NewTimestamp& access,
                          const NewTimestamp& modification) {
  if (self.file->grant == Grant::READ_ONLY) return Unexpected{ErrorCode::READ_ONLY};
  auto accessTime = toTimespec(access);
  auto modificationTime = toTimespec(modification);
  if (!accessTime) return systemFailure(accessTime.error());
  if (!modificationTime) return systemFailure(modificationTime.error());
  return onDisk<FileResult<void>>(
      call, *self.file->disk,
      [file = self.file, access = *accessTime, modification = *modificationTime]() {
        timespec times[] = {access, modification};
        return checked(::futimens(file->fd, times));
      });
}

FileResult<DescriptorStat> stat(call::HostCall& call, Descriptor& self) {
  return onDisk<FileResult<DescriptorStat>>(call, *self.file->disk,
                                            [file = self.file]() -> FileResult<DescriptorStat> {
                                              struct stat status;
                                              if (::fstat(file->fd, &status) != 0)
                                                return systemFailure(errno);
                                              return toStat(status);
                                            });
}

bool isSameObject(call::HostCall&, Descriptor& self, Descriptor& other) {
  return self.file->device == other.file->device && self.file->inode == other.file->inode;
}

FileResult<MetadataHashValue> metadataHash(call::HostCall& call, Descriptor& self) {
  return onDisk<FileResult<MetadataHashValue>>(
      call, *self.file->disk, [file = self.file]() -> FileResult<MetadataHashValue> {
        struct stat status;
        if (::fstat(file->fd, &status) != 0) return systemFailure(errno);
        return hashOf(status);
      });
}

// -- Directories ----------------------------------------------------------------------------------

using EntryResult = FileResult<std::optional<DirectoryEntry>>;

// A directory being read. Has an open file of its own, so that several do not share a position.
// Used by one thread at a time.
class Listing {
 public:
  explicit Listing(DIR* directory) : directory_(directory) {}

  EntryResult next() {
    while (true) {
      errno = 0;
      const dirent* entry = ::readdir(directory_.get());
      if (!entry) {
        if (errno != 0) return systemFailure(errno);
        return std::optional<DirectoryEntry>();
      }
      std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      if (!abi::isValidUtf8(name)) return Unexpected{ErrorCode::ILLEGAL_BYTE_SEQUENCE};
      return std::optional(DirectoryEntry{typeOf(*entry), std::move(name)});
    }
  }

 private:
  struct Closer {
    void operator()(DIR* directory) const { ::closedir(directory); }
  };

  DescriptorType typeOf(const dirent& entry) {
    if (entry.d_type != DT_UNKNOWN) return toType(DTTOIF(entry.d_type));
    struct stat status;
    if (::fstatat(::dirfd(directory_.get()), entry.d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
      return DescriptorType::UNKNOWN;
    }
    return toType(status.st_mode);
  }

  std::unique_ptr<DIR, Closer> directory_;
};

struct DirectoryEntryStream final : call::HostObject {
  DirectoryEntryStream(std::shared_ptr<Listing> listing, Disk& disk, net::DescriptorPlace place,
                       std::shared_ptr<call::MemoryBudget> budget)
      : charge(std::move(budget)),
        listing(std::move(listing)),
        disk(disk),
        place(std::move(place)) {
    charge.force(LISTING_COST);
  }
  call::MemoryCharge charge;
  std::shared_ptr<Listing> listing;
  Disk& disk;
  net::DescriptorPlace place;
  std::deque<EntryResult> ahead;  // what a thread read
};

// What `entries` take.
uint64_t sizeOf(const std::deque<EntryResult>& entries) {
  uint64_t size = 0;
  for (const EntryResult& entry : entries) {
    size += sizeof(EntryResult) + (entry && *entry ? (*entry)->name.capacity() : 0);
  }
  return size;
}

FileResult<std::shared_ptr<Listing>> openListing(const OpenFile& file) {
  net::OwnedFd fd(::openat(file.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd == nullptr) return systemFailure(errno);
  DIR* directory = ::fdopendir(fd);
  if (!directory) return systemFailure(errno);
  (void)fd.release();
  return std::make_shared<Listing>(directory);
}

FileResult<Own<DirectoryEntryStream>> readDirectory(call::HostCall& call, Descriptor& self) {
  auto file = self.file;
  if (!file->isDirectory()) return Unexpected{ErrorCode::NOT_DIRECTORY};
  net::DescriptorPlace place = net::DescriptorPlace::take();
  if (!place) return systemFailure(EMFILE);
  auto listing = onDisk<FileResult<std::shared_ptr<Listing>>>(
      call, *file->disk, [file]() { return openListing(*file); });
  if (!listing) return Unexpected{listing.error()};
  if (call.failed()) return {};
  return give(call, std::make_unique<DirectoryEntryStream>(
                        *std::move(listing), *file->disk, std::move(place), call.objects.budget()));
}

EntryResult readDirectoryEntry(call::HostCall& call, DirectoryEntryStream& self) {
  if (self.ahead.empty() && !self.disk.isSlow()) {
    auto work = [&]() { return self.listing->next(); };
    return timed(self.disk, work);
  }
  if (self.ahead.empty()) {
    using Entries = FileResult<std::deque<EntryResult>>;
    auto read = onThread<Entries>(call, self.disk, [listing = self.listing]() -> Entries {
      std::deque<EntryResult> entries;
      while (entries.size() < ENTRIES_ON_THREAD) {
        entries.push_back(listing->next());
        if (entries.back() && !*entries.back()) break;  // the end
      }
      return entries;
    });
    if (call.failed()) return {};
    self.ahead = *std::move(read);
    self.charge.force(LISTING_COST + sizeOf(self.ahead));
  }
  EntryResult entry = std::move(self.ahead.front());
  self.ahead.pop_front();
  if (self.ahead.empty()) self.charge.force(LISTING_COST);
  return entry;
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
  // The finishing step of splitmix64, over everything and a secret.
  auto mix = [](uint64_t value) {
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
    value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
    return value ^ (value >> 31);
  };
  auto device = static_cast<uint64_t>(status.st_dev);
  auto inode = static_cast<uint64_t>(status.st_ino);
  uint64_t upper = mix(inode ^ mix(device + SECRET.upper));
  for (uint64_t part :
       {static_cast<uint64_t>(status.st_size), static_cast<uint64_t>(status.st_mtim.tv_sec),
        static_cast<uint64_t>(status.st_mtim.tv_nsec)}) {
    upper = mix(upper ^ mix(part + SECRET.upper));
  }
  return {mix(inode + mix(device ^ SECRET.lower)), upper};
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

FileResult<void> resize(call::HostCall& call, std::shared_ptr<const OpenFile> file, off_t size) {
  Disk& disk = *file->disk;
  struct stat status{};
  bool isKnown = !disk.isSlow() && ::fstat(file->fd, &status) == 0;
  bool isQuick = isKnown && status.st_size - size <= MOST_FREED_AT_ONCE;
  auto work = [file = std::move(file), size]() { return checked(::ftruncate(file->fd, size)); };
  return isQuick ? timed(disk, work) : onThread<FileResult<void>>(call, disk, std::move(work));
}

void provideDescriptorFunctions(Binder& types) {
  types.resource("descriptor")
      .resource("directory-entry-stream")
      .function<readViaStream>("[method]descriptor.read-via-stream")
      .function<writeViaStream>("[method]descriptor.write-via-stream")
      .function<appendViaStream>("[method]descriptor.append-via-stream")
      .blocking<advise>("[method]descriptor.advise")
      .blocking<syncData>("[method]descriptor.sync-data")
      .function<getFlags>("[method]descriptor.get-flags")
      .function<getType>("[method]descriptor.get-type")
      .blocking<setSize>("[method]descriptor.set-size")
      .blocking<setTimes>("[method]descriptor.set-times")
      .blocking<read>("[method]descriptor.read")
      .blocking<write>("[method]descriptor.write")
      .blocking<readDirectory>("[method]descriptor.read-directory")
      .blocking<sync>("[method]descriptor.sync")
      .blocking<stat>("[method]descriptor.stat")
      .function<isSameObject>("[method]descriptor.is-same-object")
      .blocking<metadataHash>("[method]descriptor.metadata-hash")
      .blocking<readDirectoryEntry>("[method]directory-entry-stream.read-directory-entry");
}

}  // namespace tenon::wasi::filesystem
