#include "net/observed_fd.h"

#include <kj/debug.h>

#include <poll.h>

namespace tenon::net {
namespace {

bool isReady(int fd, short events) {
  pollfd entry{.fd = fd, .events = events, .revents = 0};
  return ::poll(&entry, 1, 0) != 0;  // an error shows in the next operation
}

}  // namespace

std::shared_ptr<ObservedFd> ObservedFd::make(kj::UnixEventPort* port, OwnedFd fd,
                                             DescriptorPlace place) {
  std::shared_ptr<ObservedFd> observed(new ObservedFd(std::move(fd), std::move(place)));
  if (!port) return observed;
  auto failure = kj::runCatchingExceptions([&]() {
    observed->observer_ = std::make_unique<kj::UnixEventPort::FdObserver>(
        *port, observed->fd_.get(), kj::UnixEventPort::FdObserver::OBSERVE_READ_WRITE);
  });
  if (failure != nullptr) return nullptr;
  return observed;
}

bool ObservedFd::readable() const { return isReady(fd_.get(), POLLIN | POLLRDHUP); }

bool ObservedFd::writable() const { return isReady(fd_.get(), POLLOUT); }

kj::Promise<void> ObservedFd::when(Waiting& waiting, Direction direction) {
  bool isRead = direction == Direction::READ;
  if (isRead ? readable() : writable()) return kj::READY_NOW;
  if (!observer_) return kj::NEVER_DONE;
  if (waiting.arrived) {
    waiting.arrived = false;
    auto becomes = isRead ? observer_->whenBecomesReadable() : observer_->whenBecomesWritable();
    waiting.promise = becomes.then([&waiting]() { waiting.arrived = true; }).fork();
  }
  return KJ_ASSERT_NONNULL(waiting.promise).addBranch();
}

}  // namespace tenon::net
