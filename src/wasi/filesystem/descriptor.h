#pragma once

// What a guest's descriptor handles stand for, and the streams over files. Bound to the loop's
// thread.

#include "call/host_objects.h"
#include "net/descriptor_place.h"
#include "net/lingering.h"
#include "net/streams.h"
#include "wasi/filesystem/disk.h"
#include "wasi/filesystem/types.h"

#include <sys/stat.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace tenon::wasi::filesystem {

// What a grant allows, which everything opened below it inherits.
enum class Grant : uint8_t { READ_WRITE, READ_ONLY };

// An open file or directory. Shared by its descriptor, by the streams over it, which may outlive
// the descriptor, and by threads that work on it: they change nothing here.
struct OpenFile {
  net::OwnedFd fd;
  DescriptorType type = DescriptorType::UNKNOWN;
  DescriptorFlags flags = DescriptorFlags::NONE;  // what the descriptor is open for
  Grant grant = Grant::READ_ONLY;
  std::shared_ptr<const std::string> granted;  // the guest's name for the directory it was found in
  dev_t device = 0;
  ino_t inode = 0;
  Disk* disk = nullptr;  // never null once it is open; lives as long as the process
  mutable std::atomic<bool> alwaysWaits = false;  // the file system does not know RWF_NOWAIT
  net::DescriptorPlace place;                     // none: it was granted

  // Takes an open descriptor over. `near`: another file, probably on the same disk; may be null.
  static std::shared_ptr<OpenFile> of(net::OwnedFd fd, const struct stat& status,
                                      const OpenFile* near);

  bool isDirectory() const { return type == DescriptorType::DIRECTORY; }
  bool mayRead() const { return has(flags, DescriptorFlags::READ); }
  bool mayWrite() const { return has(flags, DescriptorFlags::WRITE); }
  // Whether writing waits for the disk.
  bool writesThrough() const {
    return has(flags, DescriptorFlags::FILE_INTEGRITY_SYNC) ||
           has(flags, DescriptorFlags::DATA_INTEGRITY_SYNC);
  }
};

struct Descriptor final : call::HostObject {
  explicit Descriptor(std::shared_ptr<OpenFile> file) : file(std::move(file)) {}
  std::shared_ptr<OpenFile> file;
};

// A file's bytes from `offset` to its end. The file must be open for reading.
// What a thread reads for it, or writes, is charged to `budget`, which may be null; here and below.
std::shared_ptr<net::InputSource> newFileSource(std::shared_ptr<OpenFile> file, uint64_t offset,
                                                std::shared_ptr<call::MemoryBudget> budget);

// Bytes to a file from `offset` on, or always to its end. What a thread writes goes on when the
// sink is gone; `lingering` outlives every use of the sink. The file must be open for writing.
std::shared_ptr<net::OutputSink> newFileSink(std::shared_ptr<OpenFile> file, uint64_t offset,
                                             net::Lingering& lingering,
                                             std::shared_ptr<call::MemoryBudget> budget);
std::shared_ptr<net::OutputSink> newAppendSink(std::shared_ptr<OpenFile> file,
                                               net::Lingering& lingering,
                                               std::shared_ptr<call::MemoryBudget> budget);

// pread and pwrite, again after a signal. The number of bytes, or a negated errno. An offset that
// no file has is EINVAL for reading, EFBIG for writing.
int64_t readAt(const OpenFile& file, std::span<std::byte> into, uint64_t offset);
int64_t writeAt(const OpenFile& file, std::span<const std::byte> bytes, uint64_t offset);

// As readAt, on the loop's own thread. -EAGAIN: it may take long, `readAt` on a thread.
int64_t readNow(const OpenFile& file, std::span<std::byte> into, uint64_t offset);

}  // namespace tenon::wasi::filesystem
