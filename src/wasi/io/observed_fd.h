#pragma once

// A descriptor of our own with O_NONBLOCK set, which can be waited for: sockets and FIFOs. Bound to
// the thread of the event port.

#include <kj/async-unix.h>
#include <kj/io.h>

#include <memory>

namespace tenon::wasi {

class ObservedFd {
 public:
  // `port` null: nothing can be waited for, the promises never resolve (tests without a loop of the
  // system).
  ObservedFd(kj::UnixEventPort* port, kj::AutoCloseFd fd) : port_(port), fd_(kj::mv(fd)) {}

  KJ_DISALLOW_COPY_AND_MOVE(ObservedFd);

  int get() const { return fd_.get(); }

  // Whether an operation would say something now: move bytes, or tell of the end or an error.
  bool readable() const;
  bool writable() const;

  // Resolve when `readable` or `writable` may have become true: whoever waits asks again. Several
  // may wait at the same time. Must not outlive this object.
  kj::Promise<void> whenReadable() { return when(read_, Direction::READ); }
  kj::Promise<void> whenWritable() { return when(write_, Direction::WRITE); }

 private:
  enum class Direction : uint8_t { READ, WRITE };
  struct Waiting {
    kj::Maybe<kj::ForkedPromise<void>> promise;
    bool arrived = true;
  };
  kj::Promise<void> when(Waiting& waiting, Direction direction);

  kj::UnixEventPort* port_;
  kj::AutoCloseFd fd_;
  std::unique_ptr<kj::UnixEventPort::FdObserver> observer_;  // made when something waits
  Waiting read_;                                             // last: use what is above
  Waiting write_;
};

}  // namespace tenon::wasi
