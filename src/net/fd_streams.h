#pragma once

// Streams over a socket or a FIFO that the host opened for the guest. Bound to the loop's thread.

#include "net/lingering.h"
#include "net/observed_fd.h"
#include "net/streams.h"

#include <memory>
#include <vector>

namespace tenon::net {

enum class FdKind : uint8_t { SOCKET, FIFO };

class FdSource final : public InputSource {
 public:
  FdSource(std::shared_ptr<ObservedFd> fd, FdKind kind) : fd_(std::move(fd)), kind_(kind) {}

  // What is there is dropped, and the stream is closed.
  void close() { ended_ = true; }

  StreamResult<size_t> read(std::span<std::byte> into) override;
  bool ready() override { return ended_ || fd_->readable(); }
  kj::Promise<void> whenReady() override;

 private:
  std::shared_ptr<ObservedFd> fd_;
  const FdKind kind_;
  bool ended_ = false;
};

// Takes up to 64 KiB at a time: what the kernel does not take at once follows when it does, also
// when the stream is dropped before that, unless the peer takes nothing for 10 s then.
class FdSink final : public OutputSink, public std::enable_shared_from_this<FdSink> {
 public:
  // `lingering` outlives every use of the sink, and may be gone when it is destroyed. Make it with
  // std::make_shared.
  // What was not yet taken is charged to `budget`, which may be null.
  FdSink(std::shared_ptr<ObservedFd> fd, FdKind kind, Lingering& lingering,
         std::shared_ptr<call::MemoryBudget> budget)
      : fd_(std::move(fd)), kind_(kind), lingering_(lingering), charge_(std::move(budget)) {}

  // Closes the stream. A socket's peer sees the end behind everything that was written.
  void finish();

  StreamResult<uint64_t> permit() override;
  StreamResult<void> write(std::span<const std::byte> bytes) override;
  StreamResult<void> flush() override;
  bool ready() override;
  kj::Promise<void> whenReady() override;
  bool flushed() override { return pending_.empty(); }
  kj::Promise<void> whenFlushed() override;

 private:
  size_t move(std::span<const std::byte> bytes);
  StreamResult<void> takeFault();
  void sendEnd();
  static kj::Promise<void> drain(std::shared_ptr<FdSink> self,
                                 kj::Own<kj::PromiseFulfiller<void>> drained);

  std::shared_ptr<ObservedFd> fd_;
  const FdKind kind_;
  Lingering& lingering_;
  int error_ = 0;
  bool closed_ = false;                         // for the guest
  bool finished_ = false;                       // the end is to be sent, or was
  call::MemoryCharge charge_;                   // for `pending_`
  std::vector<std::byte> pending_;              // taken, not yet written
  kj::ForkedPromise<void> draining_ = nullptr;  // while something is pending
};

}  // namespace tenon::net
