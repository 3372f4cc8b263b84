#include "net/inherited_streams.h"

#include <kj/debug.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <string>
#include <vector>

namespace tenon::net {
namespace {

constexpr uint64_t FILE_PERMIT = 64 * 1024;
const dev_t PTMX = makedev(5, 2);  // opening it again would make another terminal

enum class Direction : uint8_t { READ, WRITE };

// How bytes move without waiting.
enum class Access : uint8_t {
  UNOPENED,
  CLOSED,       // the descriptor is not open
  DIRECT,       // never waits for another process
  NONBLOCKING,  // the open file has O_NONBLOCK
  SOCKET,       // MSG_DONTWAIT with each call
  POLLED,       // blocks, unless it was just found ready
};

class InheritedFd {
 public:
  InheritedFd(kj::UnixEventPort& port, int number, Direction direction)
      : port_(port), number_(number), direction_(direction) {}

  Access access() {
    if (access_ == Access::UNOPENED) access_ = open();
    return access_;
  }

  bool ready() {
    if (broken_ || access() == Access::DIRECT || access() == Access::CLOSED) return true;
    pollfd entry{
        .fd = fd_.get(), .events = static_cast<short>(isRead() ? POLLIN : POLLOUT), .revents = 0};
    return ::poll(&entry, 1, 0) != 0;  // an error shows in the next operation
  }

  kj::Promise<void> whenReady() {
    if (ready()) return kj::READY_NOW;
    KJ_IF_MAYBE (waiting, waiting_) {
      if (!arrived_) return waiting->addBranch();
    }
    auto failure = kj::runCatchingExceptions([this]() {
      if (!observer_) {
        auto what = isRead() ? kj::UnixEventPort::FdObserver::OBSERVE_READ
                             : kj::UnixEventPort::FdObserver::OBSERVE_WRITE;
        observer_ = std::make_unique<kj::UnixEventPort::FdObserver>(port_, fd_.get(), what);
      }
      arrived_ = false;
      auto becomes = isRead() ? observer_->whenBecomesReadable() : observer_->whenBecomesWritable();
      waiting_ = becomes.then([this]() { arrived_ = true; }).fork();
    });
    if (failure != nullptr) {
      broken_ = true;  // cannot be waited for: the next operation says so
      return kj::READY_NOW;
    }
    return KJ_ASSERT_NONNULL(waiting_).addBranch();
  }

  // The number of bytes moved, 0 at the end of the input, or a negated errno. -EAGAIN: wait.
  ssize_t read(std::span<std::byte> into) {
    return attempt([&]() -> ssize_t {
      if (access_ == Access::SOCKET) {
        return ::recv(fd_.get(), into.data(), into.size(), MSG_DONTWAIT);
      }
      return ::read(fd_.get(), into.data(), into.size());
    });
  }
  ssize_t write(std::span<const std::byte> bytes) {
    return attempt([&]() -> ssize_t {
      if (access_ == Access::SOCKET) {
        return ::send(fd_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      }
      return ::write(fd_.get(), bytes.data(), bytes.size());
    });
  }

 private:
  bool isRead() const { return direction_ == Direction::READ; }

  template <typename Operation>
  ssize_t attempt(Operation&& operation) {
    if (broken_) return -EIO;
    if (access() == Access::POLLED && !ready()) return -EAGAIN;
    while (true) {
      ssize_t count = operation();
      if (count >= 0) return count;
      if (errno != EINTR) return errno == EWOULDBLOCK ? -EAGAIN : -errno;
    }
  }

  Access open() {
    int flags = ::fcntl(number_, F_GETFL);
    struct stat status;
    if (flags < 0 || ::fstat(number_, &status) != 0) return Access::CLOSED;
    int mode = flags & O_ACCMODE;
    bool usable = mode == O_RDWR || mode == (isRead() ? O_RDONLY : O_WRONLY);
    bool terminal = S_ISCHR(status.st_mode) && ::isatty(number_);
    if ((S_ISFIFO(status.st_mode) || (terminal && status.st_rdev != PTMX)) && usable) {
      std::string path = "/proc/self/fd/" + std::to_string(number_);
      int own = ::open(path.c_str(),
                       (isRead() ? O_RDONLY : O_WRONLY) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
      if (own >= 0) {
        fd_ = OwnedFd(own);
        return Access::NONBLOCKING;
      }
    }
    // A number of its own, because an event port takes each number once.
    int duplicate = ::fcntl(number_, F_DUPFD_CLOEXEC, 3);
    if (duplicate < 0) return Access::CLOSED;
    fd_ = OwnedFd(duplicate);
    if (S_ISSOCK(status.st_mode)) return Access::SOCKET;
    if (flags & O_NONBLOCK) return Access::NONBLOCKING;
    return S_ISFIFO(status.st_mode) || terminal ? Access::POLLED : Access::DIRECT;
  }

  kj::UnixEventPort& port_;
  const int number_;
  const Direction direction_;
  Access access_ = Access::UNOPENED;
  bool broken_ = false;
  bool arrived_ = false;
  OwnedFd fd_;
  std::unique_ptr<kj::UnixEventPort::FdObserver>
      observer_;                                // made when there is something to wait for
  kj::Maybe<kj::ForkedPromise<void>> waiting_;  // last: uses what is above
};

class InheritedSource final : public InputSource {
 public:
  InheritedSource(kj::UnixEventPort& port, int fd) : fd_(port, fd, Direction::READ) {}

  StreamResult<size_t> read(std::span<std::byte> into) override {
    if (ended_ || fd_.access() == Access::CLOSED) return closedFault();
    if (into.empty()) return size_t{0};
    ssize_t count = fd_.read(into);
    if (count == -EAGAIN) return size_t{0};
    if (count > 0) return static_cast<size_t>(count);
    ended_ = true;
    // A terminal that was hung up reads as EIO.
    if (count == 0) return closedFault();
    return systemFault("read", static_cast<int>(-count));
  }
  bool ready() override { return ended_ || fd_.ready(); }
  kj::Promise<void> whenReady() override {
    if (ended_) return kj::READY_NOW;
    return fd_.whenReady();
  }

 private:
  bool ended_ = false;
  InheritedFd fd_;
};

class InheritedSink final : public OutputSink {
 public:
  InheritedSink(kj::UnixEventPort& port, int fd) : fd_(port, fd, Direction::WRITE) {}

  StreamResult<uint64_t> permit() override {
    if (StreamResult<void> fault = takeFault(); !fault) {
      return Unexpected<StreamFault>{std::move(fault).error()};
    }
    if (fd_.access() == Access::DIRECT || fd_.access() == Access::CLOSED) return FILE_PERMIT;
    // A pipe with room at all takes PIPE_BUF bytes.
    return pending_.empty() && fd_.ready() ? uint64_t{PIPE_BUF} : uint64_t{0};
  }

  StreamResult<void> write(std::span<const std::byte> bytes) override {
    if (StreamResult<void> fault = takeFault(); !fault) return fault;
    if (fd_.access() == Access::CLOSED) return {};
    size_t written = move(bytes);
    if (StreamResult<void> fault = takeFault(); !fault) return fault;
    if (written == bytes.size()) return {};
    pending_.assign(bytes.begin() + static_cast<ptrdiff_t>(written), bytes.end());
    draining_ = drain().fork();
    return {};
  }

  StreamResult<void> flush() override { return takeFault(); }

  bool ready() override { return error_ != 0 || closed_ || (pending_.empty() && fd_.ready()); }

  kj::Promise<void> whenReady() override {
    if (ready()) return kj::READY_NOW;
    return pending_.empty() ? fd_.whenReady() : draining_.addBranch();
  }

  bool flushed() override { return pending_.empty(); }
  kj::Promise<void> whenFlushed() override {
    if (pending_.empty()) return kj::READY_NOW;
    return draining_.addBranch();
  }

 private:
  // Writes as much as goes without waiting; a failure is kept for the next operation.
  size_t move(std::span<const std::byte> bytes) {
    size_t written = 0;
    while (written < bytes.size()) {
      ssize_t count = fd_.write(bytes.subspan(written));
      if (count == -EAGAIN) break;
      if (count < 0) {
        error_ = static_cast<int>(-count);
        break;
      }
      written += static_cast<size_t>(count);
    }
    return written;
  }

  // Tells of a failure once; from then on the stream is closed.
  StreamResult<void> takeFault() {
    if (closed_) return closedFault();
    if (error_ == 0) return {};
    closed_ = true;
    if (error_ == EPIPE) return closedFault();
    return systemFault("write", error_);
  }

  kj::Promise<void> drain() {
    while (!pending_.empty()) {
      co_await fd_.whenReady();
      size_t written = move(pending_);
      pending_.erase(pending_.begin(), pending_.begin() + static_cast<ptrdiff_t>(written));
      if (error_ != 0) pending_.clear();
    }
  }

  int error_ = 0;
  bool closed_ = false;
  InheritedFd fd_;
  std::vector<std::byte> pending_;              // taken, not yet written
  kj::ForkedPromise<void> draining_ = nullptr;  // last: uses everything above
};

}  // namespace

std::shared_ptr<InputSource> newInheritedSource(kj::UnixEventPort& port, int fd) {
  return std::make_shared<InheritedSource>(port, fd);
}

std::shared_ptr<OutputSink> newInheritedSink(kj::UnixEventPort& port, int fd) {
  return std::make_shared<InheritedSink>(port, fd);
}

}  // namespace tenon::net
