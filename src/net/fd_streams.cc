#include "net/fd_streams.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

namespace tenon::net {
namespace {

constexpr uint64_t SOCKET_PERMIT = 64 * 1024;

// How long a peer may take nothing of what was written to a stream that nobody has any more.
constexpr kj::Duration PATIENCE = 10 * kj::SECONDS;

IoError::Of originOf(FdKind kind) {
  return kind == FdKind::SOCKET ? IoError::Of::SOCKET : IoError::Of::FILE;
}

}  // namespace

// -- Input ----------------------------------------------------------------------------------------

StreamResult<size_t> FdSource::read(std::span<std::byte> into) {
  if (ended_) return closedFault();
  if (into.empty()) return size_t{0};
  // A FIFO that nobody has opened for writing yet reads as ended, but is not readable.
  if (kind_ == FdKind::FIFO && !fd_->readable()) return size_t{0};
  while (true) {
    ssize_t count = ::read(fd_->get(), into.data(), into.size());
    if (count > 0) return static_cast<size_t>(count);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return size_t{0};
    ended_ = true;
    if (count == 0) return closedFault();
    return systemFault("read", errno, originOf(kind_));
  }
}

kj::Promise<void> FdSource::whenReady() {
  if (ended_) return kj::READY_NOW;
  return fd_->whenReadable();
}

// -- Output ---------------------------------------------------------------------------------------

void FdSink::finish() {
  closed_ = true;
  if (finished_) return;
  finished_ = true;
  if (pending_.empty()) sendEnd();
}

void FdSink::sendEnd() {
  // ENOTCONN: the peer was faster, which comes to the same.
  if (kind_ == FdKind::SOCKET) (void)::shutdown(fd_->get(), SHUT_WR);
}

StreamResult<uint64_t> FdSink::permit() {
  if (StreamResult<void> fault = takeFault(); !fault) {
    return Unexpected<StreamFault>{std::move(fault).error()};
  }
  if (!pending_.empty() || !fd_->writable()) return uint64_t{0};
  // A FIFO with room at all takes PIPE_BUF bytes.
  return kind_ == FdKind::SOCKET ? SOCKET_PERMIT : uint64_t{PIPE_BUF};
}

StreamResult<void> FdSink::write(std::span<const std::byte> bytes) {
  if (StreamResult<void> fault = takeFault(); !fault) return fault;
  size_t written = pending_.empty() ? move(bytes) : 0;
  if (StreamResult<void> fault = takeFault(); !fault) return fault;
  if (written == bytes.size()) return {};
  bool draining = !pending_.empty();
  pending_.insert(pending_.end(), bytes.begin() + static_cast<ptrdiff_t>(written), bytes.end());
  charge_.force(pending_.size());
  if (draining) return {};
  auto paf = kj::newPromiseAndFulfiller<void>();
  draining_ = paf.promise.fork();
  lingering_.add(drain(shared_from_this(), kj::mv(paf.fulfiller)));
  return {};
}

StreamResult<void> FdSink::flush() { return takeFault(); }

bool FdSink::ready() { return error_ != 0 || closed_ || (pending_.empty() && fd_->writable()); }

kj::Promise<void> FdSink::whenReady() {
  if (ready()) return kj::READY_NOW;
  return pending_.empty() ? fd_->whenWritable() : draining_.addBranch();
}

kj::Promise<void> FdSink::whenFlushed() {
  if (pending_.empty()) return kj::READY_NOW;
  return draining_.addBranch();
}

// Writes as much as goes without waiting; a failure is kept for the next operation.
size_t FdSink::move(std::span<const std::byte> bytes) {
  size_t written = 0;
  while (written < bytes.size()) {
    auto rest = bytes.subspan(written);
    ssize_t count = kind_ == FdKind::SOCKET
                        ? ::send(fd_->get(), rest.data(), rest.size(), MSG_NOSIGNAL)
                        : ::write(fd_->get(), rest.data(), rest.size());
    if (count >= 0) {
      written += static_cast<size_t>(count);
    } else if (errno != EINTR) {
      if (errno != EAGAIN && errno != EWOULDBLOCK) error_ = errno;
      break;
    }
  }
  return written;
}

// Tells of a failure once; from then on the stream is closed.
StreamResult<void> FdSink::takeFault() {
  if (closed_) return closedFault();
  if (error_ == 0) return {};
  closed_ = true;
  if (error_ == EPIPE) return closedFault();
  return systemFault("write", error_, originOf(kind_));
}

kj::Promise<void> FdSink::drain(std::shared_ptr<FdSink> self,
                                kj::Own<kj::PromiseFulfiller<void>> drained) {
  while (!self->pending_.empty()) {
    bool late = false;
    kj::Promise<void> patience =
        self->lingering_.timer().afterDelay(PATIENCE).then([&late]() { late = true; });
    co_await self->fd_->whenWritable().exclusiveJoin(kj::mv(patience));
    // Its guest has dropped it, or is gone: nobody else could end this.
    if (late && self.use_count() == 1) break;
    size_t written = self->move(self->pending_);
    self->pending_.erase(self->pending_.begin(),
                         self->pending_.begin() + static_cast<ptrdiff_t>(written));
    if (self->error_ != 0) self->pending_.clear();
  }
  self->pending_ = {};
  self->charge_.force(0);
  if (self->finished_) self->sendEnd();
  drained->fulfill();
}

}  // namespace tenon::net
