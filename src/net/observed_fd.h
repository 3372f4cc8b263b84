#pragma once

// A descriptor of our own with O_NONBLOCK set, which can be waited for: sockets and FIFOs. Bound to
// the thread of the event port.

#include "net/descriptor_place.h"
#include "net/owned_fd.h"

#include <kj/async-unix.h>

#include <memory>

namespace tenon::net {

class ObservedFd {
 public:
  // Takes `fd` over, and the place that it has. Null: the system observes no more descriptors. That
  // is found out here, because later, in the middle of a guest's call, nobody could be told.
  // `port` null: nothing can be waited for, the promises never resolve (tests without a loop of the
  // system).
  static std::shared_ptr<ObservedFd> make(kj::UnixEventPort* port, OwnedFd fd,
                                          DescriptorPlace place);

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
  ObservedFd(OwnedFd fd, DescriptorPlace place) : place_(std::move(place)), fd_(std::move(fd)) {}

  kj::Promise<void> when(Waiting& waiting, Direction direction);

  DescriptorPlace place_;
  OwnedFd fd_;
  std::unique_ptr<kj::UnixEventPort::FdObserver> observer_;  // null without a port
  Waiting read_;                                             // last: use what is above
  Waiting write_;
};

}  // namespace tenon::net
