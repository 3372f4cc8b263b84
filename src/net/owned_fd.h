#pragma once

// A descriptor that belongs to one owner. Any thread.

#include <unistd.h>

#include <cstddef>
#include <utility>

namespace tenon::net {

// Closed when it goes. In contrast to kj::AutoCloseFd that never throws: closing a file fails where
// another machine, a quota or a FUSE program has the last word, and nobody is left to be told.
class OwnedFd {
 public:
  OwnedFd() = default;
  explicit OwnedFd(int fd) : fd_(fd) {}
  OwnedFd(OwnedFd&& other) noexcept : fd_(other.release()) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  OwnedFd& operator=(std::nullptr_t) noexcept {
    reset(-1);
    return *this;
  }
  ~OwnedFd() { reset(-1); }

  // -1: none.
  int get() const { return fd_; }
  operator int() const { return fd_; }
  bool operator==(std::nullptr_t) const { return fd_ < 0; }
  // Leaves it open; the caller's from now on.
  int release() noexcept { return std::exchange(fd_, -1); }

 private:
  void reset(int fd) noexcept {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }

  int fd_ = -1;
};

}  // namespace tenon::net
