#include "wasi/filesystem/descriptor.h"
#include "wasi/io/handles.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <limits>
#include <vector>

namespace tenon::wasi::filesystem {
namespace {

constexpr uint64_t PERMIT = 1024 * 1024;
constexpr uint64_t THREAD_PERMIT = 64 * 1024;  // where threads write
constexpr uint64_t MAX_OFFSET = std::numeric_limits<off_t>::max();

// Bytes that streams hold for threads, of all guests together. A guest may have a million streams:
// beyond `ENOUGH` each gets little.
std::atomic<size_t> held = 0;
constexpr size_t ENOUGH = 16 * 1024 * 1024;
constexpr size_t LITTLE = 512;

// Bytes that are counted while they exist.
struct HeldBytes {
  explicit HeldBytes(std::vector<std::byte> content) : bytes(std::move(content)) {
    held += bytes.size();
  }
  ~HeldBytes() { held -= bytes.size(); }
  HeldBytes(const HeldBytes&) = delete;
  HeldBytes& operator=(const HeldBytes&) = delete;

  std::vector<std::byte> bytes;
};

template <typename Operation>
int64_t repeat(Operation&& operation) {
  while (true) {
    ssize_t count = operation();
    if (count >= 0) return count;
    if (errno != EINTR) return -errno;
  }
}

// Writes at the end, whatever others write.
int64_t append(const OpenFile& file, std::span<const std::byte> bytes) {
  iovec vector{const_cast<std::byte*>(bytes.data()), bytes.size()};
  return repeat([&] { return ::pwritev2(file.fd.get(), &vector, 1, 0, RWF_APPEND); });
}

class FileSource final : public net::InputSource {
 public:
  FileSource(std::shared_ptr<OpenFile> file, uint64_t offset,
             std::shared_ptr<call::MemoryBudget> budget)
      : charge_(std::move(budget)), file_(std::move(file)), offset_(offset) {}

  net::StreamResult<size_t> read(std::span<std::byte> into) override {
    if (ended_) return net::closedFault();
    if (into.empty() || running_) return size_t{0};
    int64_t count = fetched_ ? takeFetched(into) : readNow(*file_, into, offset_);
    if (count > 0) {
      offset_ += static_cast<uint64_t>(count);
      return static_cast<size_t>(count);
    }
    if (count == -EAGAIN && !fetched_ && !net::Workers::forFiles().hasRoom()) count = -ENOMEM;
    if (count == -EAGAIN && !fetched_) {
      fetch(std::min(into.size(), held > ENOUGH ? LITTLE : MAX_READ));
      return size_t{0};
    }
    ended_ = true;
    if (count == 0) return net::closedFault();
    return net::systemFault("read", static_cast<int>(-count));
  }
  bool ready() override { return !running_; }
  kj::Promise<void> whenReady() override {
    if (!running_) return kj::READY_NOW;
    return fetching_.addBranch();
  }

 private:
  // What a thread reads, and how that ended: as `readAt`.
  struct Fetch {
    explicit Fetch(size_t size) : content(std::vector<std::byte>(size)) {}
    HeldBytes content;
    int64_t count = -EIO;
    size_t taken = 0;
  };

  void fetch(size_t size) {
    charge_.force(size);
    fetched_ = std::make_shared<Fetch>(size);
    kj::Function<bool()> work = [file = file_, fetch = fetched_, offset = offset_]() {
      auto read = [&]() { return readAt(*file, fetch->content.bytes, offset); };
      fetch->count = timed(*file->disk, read);
      return true;
    };
    running_ = true;
    auto done = [this](bool) { running_ = false; };
    auto failed = [this](kj::Exception&&) { running_ = false; };
    fetching_ =
        net::Workers::forFiles().run(kj::mv(work)).then(kj::mv(done), kj::mv(failed)).fork();
  }

  int64_t takeFetched(std::span<std::byte> into) {
    Fetch& fetch = *fetched_;
    if (fetch.count <= 0) return fetch.count;
    size_t left = static_cast<size_t>(fetch.count) - fetch.taken;
    size_t count = std::min(left, into.size());
    std::memcpy(into.data(), fetch.content.bytes.data() + fetch.taken, count);
    fetch.taken += count;
    if (count == left) {
      fetched_ = nullptr;
      charge_.force(0);
    }
    return static_cast<int64_t>(count);
  }

  call::MemoryCharge charge_;  // for what a thread reads
  std::shared_ptr<OpenFile> file_;
  uint64_t offset_;
  bool ended_ = false;
  bool running_ = false;                        // a thread reads
  std::shared_ptr<Fetch> fetched_;              // by a thread, not yet all taken
  kj::ForkedPromise<void> fetching_ = nullptr;  // last: uses everything above
};

enum class Mode : uint8_t { AT_OFFSET, APPEND };

// Writes all of `bytes`. 0, or an errno.
int writeAll(const OpenFile& file, Mode mode, std::span<const std::byte> bytes, uint64_t offset) {
  while (!bytes.empty()) {
    int64_t count = mode == Mode::APPEND ? append(file, bytes) : writeAt(file, bytes, offset);
    if (count <= 0) return count == 0 ? EIO : static_cast<int>(-count);
    offset += static_cast<uint64_t>(count);
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
  return 0;
}

class FileSink final : public net::OutputSink, public std::enable_shared_from_this<FileSink> {
 public:
  FileSink(std::shared_ptr<OpenFile> file, Mode mode, uint64_t offset, net::Lingering& lingering,
           std::shared_ptr<call::MemoryBudget> budget)
      : charge_(std::move(budget)),
        file_(std::move(file)),
        mode_(mode),
        offset_(offset),
        lingering_(lingering) {}

  net::StreamResult<uint64_t> permit() override {
    if (net::StreamResult<void> fault = takeFault(); !fault) {
      return Unexpected<net::StreamFault>{std::move(fault).error()};
    }
    if (running_) return uint64_t{0};
    if (!usesThreads()) return PERMIT;
    return held > ENOUGH ? uint64_t{LITTLE} : THREAD_PERMIT;
  }
  net::StreamResult<void> write(std::span<const std::byte> bytes) override {
    if (net::StreamResult<void> fault = takeFault(); !fault) return fault;
    if (running_ || usesThreads()) {
      pending_.insert(pending_.end(), bytes.begin(), bytes.end());
      charge_.force(pending_.size());
      if (!running_ && !pending_.empty()) begin();
      return {};
    }
    auto work = [&]() { return writeAll(*file_, mode_, bytes, offset_); };
    error_ = timed(*file_->disk, work);
    offset_ += bytes.size();
    return takeFault();
  }
  net::StreamResult<void> flush() override { return takeFault(); }
  bool ready() override { return !running_; }
  kj::Promise<void> whenReady() override {
    if (!running_) return kj::READY_NOW;
    return writing_.addBranch();
  }
  bool flushed() override { return !running_; }
  kj::Promise<void> whenFlushed() override { return whenReady(); }

 private:
  bool usesThreads() const { return file_->disk->isSlow() || file_->writesThrough(); }

  // Has threads write what is pending.
  void begin() {
    running_ = true;
    auto paf = kj::newPromiseAndFulfiller<void>();
    writing_ = paf.promise.fork();
    lingering_.add(drain(shared_from_this(), kj::mv(paf.fulfiller)));
  }

  static kj::Promise<void> drain(std::shared_ptr<FileSink> self,
                                 kj::Own<kj::PromiseFulfiller<void>> drained) {
    while (!self->pending_.empty()) {
      size_t size = self->pending_.size();
      auto content = std::make_shared<HeldBytes>(std::move(self->pending_));
      kj::Function<int()> work = [file = self->file_, mode = self->mode_, offset = self->offset_,
                                  content = std::move(content)]() {
        auto write = [&]() { return writeAll(*file, mode, content->bytes, offset); };
        return timed(*file->disk, write);
      };
      self->pending_.clear();
      self->offset_ += size;
      auto failed = [](kj::Exception&&) { return EIO; };
      self->error_ = co_await net::Workers::forFiles().run(kj::mv(work)).catch_(kj::mv(failed));
      if (self->error_ != 0) self->pending_.clear();
    }
    self->running_ = false;
    self->charge_.force(0);
    drained->fulfill();
  }

  // Tells of a failure once; from then on the stream is closed.
  net::StreamResult<void> takeFault() {
    if (closed_) return net::closedFault();
    if (error_ == 0) return {};
    closed_ = true;
    return net::systemFault("write", error_);
  }

  call::MemoryCharge charge_;  // for what waits for a thread, or is written by it
  std::shared_ptr<OpenFile> file_;
  const Mode mode_;
  uint64_t offset_;
  net::Lingering& lingering_;
  int error_ = 0;
  bool closed_ = false;
  bool running_ = false;  // a thread writes
  std::vector<std::byte> pending_;
  kj::ForkedPromise<void> writing_ = nullptr;  // last: uses everything above
};

}  // namespace

std::shared_ptr<OpenFile> OpenFile::of(net::OwnedFd fd, const struct stat& status,
                                       const OpenFile* near) {
  auto file = std::make_shared<OpenFile>();
  file->fd = std::move(fd);
  file->type = toType(status.st_mode);
  file->device = status.st_dev;
  file->inode = status.st_ino;
  bool same = near && near->device == status.st_dev;
  file->disk = same ? near->disk : &Disk::of(file->fd, status.st_dev);
  return file;
}

int64_t readAt(const OpenFile& file, std::span<std::byte> into, uint64_t offset) {
  if (offset > MAX_OFFSET) return -EINVAL;
  return repeat(
      [&] { return ::pread(file.fd.get(), into.data(), into.size(), static_cast<off_t>(offset)); });
}

int64_t readNow(const OpenFile& file, std::span<std::byte> into, uint64_t offset) {
  if (offset > MAX_OFFSET) return -EINVAL;
  if (!file.alwaysWaits) {
    iovec vector{into.data(), into.size()};
    int64_t count = repeat([&] {
      return ::preadv2(file.fd.get(), &vector, 1, static_cast<off_t>(offset), RWF_NOWAIT);
    });
    if (count != -EOPNOTSUPP && count != -ENOSYS) return count;
    file.alwaysWaits = true;
  }
  if (file.disk->isSlow()) return -EAGAIN;
  auto work = [&]() { return readAt(file, into, offset); };
  return timed(*file.disk, work);
}

int64_t writeAt(const OpenFile& file, std::span<const std::byte> bytes, uint64_t offset) {
  if (offset > MAX_OFFSET - bytes.size()) return -EFBIG;
  return repeat([&] {
    return ::pwrite(file.fd.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
  });
}

std::shared_ptr<net::InputSource> newFileSource(std::shared_ptr<OpenFile> file, uint64_t offset,
                                                std::shared_ptr<call::MemoryBudget> budget) {
  return std::make_shared<FileSource>(std::move(file), offset, std::move(budget));
}

std::shared_ptr<net::OutputSink> newFileSink(std::shared_ptr<OpenFile> file, uint64_t offset,
                                             net::Lingering& lingering,
                                             std::shared_ptr<call::MemoryBudget> budget) {
  return std::make_shared<FileSink>(std::move(file), Mode::AT_OFFSET, offset, lingering,
                                    std::move(budget));
}

std::shared_ptr<net::OutputSink> newAppendSink(std::shared_ptr<OpenFile> file,
                                               net::Lingering& lingering,
                                               std::shared_ptr<call::MemoryBudget> budget) {
  return std::make_shared<FileSink>(std::move(file), Mode::APPEND, 0, lingering, std::move(budget));
}

}  // namespace tenon::wasi::filesystem
