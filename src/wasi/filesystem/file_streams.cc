#include "wasi/filesystem/descriptor.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>

namespace tenon::wasi::filesystem {
namespace {

constexpr uint64_t PERMIT = 1024 * 1024;
constexpr uint64_t MAX_OFFSET = std::numeric_limits<off_t>::max();

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

class FileSource final : public InputSource {
 public:
  FileSource(std::shared_ptr<OpenFile> file, uint64_t offset)
      : file_(std::move(file)), offset_(offset) {}

  StreamResult<size_t> read(std::span<std::byte> into) override {
    if (ended_) return closedFault();
    if (into.empty()) return size_t{0};
    int64_t count = readAt(*file_, into, offset_);
    if (count > 0) {
      offset_ += static_cast<uint64_t>(count);
      return static_cast<size_t>(count);
    }
    ended_ = true;
    if (count == 0) return closedFault();
    return systemFault("read", static_cast<int>(-count));
  }
  bool ready() override { return true; }
  kj::Promise<void> whenReady() override { return kj::READY_NOW; }

 private:
  std::shared_ptr<OpenFile> file_;
  uint64_t offset_;
  bool ended_ = false;
};

class FileSink final : public OutputSink {
 public:
  enum class Mode : uint8_t { AT_OFFSET, APPEND };

  FileSink(std::shared_ptr<OpenFile> file, Mode mode, uint64_t offset)
      : file_(std::move(file)), mode_(mode), offset_(offset) {}

  StreamResult<uint64_t> permit() override {
    if (closed_) return closedFault();
    return PERMIT;
  }
  StreamResult<void> write(std::span<const std::byte> bytes) override {
    if (closed_) return closedFault();
    while (!bytes.empty()) {
      int64_t count =
          mode_ == Mode::APPEND ? append(*file_, bytes) : writeAt(*file_, bytes, offset_);
      if (count <= 0) {
        closed_ = true;
        return systemFault("write", count == 0 ? EIO : static_cast<int>(-count));
      }
      offset_ += static_cast<uint64_t>(count);
      bytes = bytes.subspan(static_cast<size_t>(count));
    }
    return {};
  }
  StreamResult<void> flush() override {
    if (closed_) return closedFault();
    return {};
  }
  bool ready() override { return true; }
  kj::Promise<void> whenReady() override { return kj::READY_NOW; }

 private:
  std::shared_ptr<OpenFile> file_;
  Mode mode_;
  uint64_t offset_;
  bool closed_ = false;
};

}  // namespace

int64_t readAt(const OpenFile& file, std::span<std::byte> into, uint64_t offset) {
  if (offset > MAX_OFFSET) return -EINVAL;
  return repeat(
      [&] { return ::pread(file.fd.get(), into.data(), into.size(), static_cast<off_t>(offset)); });
}

int64_t writeAt(const OpenFile& file, std::span<const std::byte> bytes, uint64_t offset) {
  if (offset > MAX_OFFSET - bytes.size()) return -EFBIG;
  return repeat([&] {
    return ::pwrite(file.fd.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
  });
}

std::shared_ptr<InputSource> newFileSource(std::shared_ptr<OpenFile> file, uint64_t offset) {
  return std::make_shared<FileSource>(std::move(file), offset);
}

std::shared_ptr<OutputSink> newFileSink(std::shared_ptr<OpenFile> file, uint64_t offset) {
  return std::make_shared<FileSink>(std::move(file), FileSink::Mode::AT_OFFSET, offset);
}

std::shared_ptr<OutputSink> newAppendSink(std::shared_ptr<OpenFile> file) {
  return std::make_shared<FileSink>(std::move(file), FileSink::Mode::APPEND, 0);
}

}  // namespace tenon::wasi::filesystem
