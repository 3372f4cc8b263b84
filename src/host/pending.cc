#include "host/pending.h"

#include "call/waitable.h"

#include <kj/async.h>

#include <atomic>
#include <mutex>
#include <utility>

namespace tenon {

namespace host {

struct PendingSignal {
  std::atomic<bool> claimed = false;
  std::atomic<bool> abandoned = false;
  std::mutex mutex;
  bool published = false;                                         // guarded by `mutex`
  const kj::CrossThreadPromiseFulfiller<void>* waiter = nullptr;  // guarded by `mutex`
};

namespace {

// Tells a loop that a Pending was published. Bound to the thread that made it.
class Watch {
 public:
  explicit Watch(PendingSignal& signal) : signal_(signal) {
    std::lock_guard lock(signal_.mutex);
    signal_.waiter = paf_.fulfiller.get();
    if (signal_.published) paf_.fulfiller->fulfill();
  }
  ~Watch() {
    std::lock_guard lock(signal_.mutex);
    signal_.waiter = nullptr;
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // Once.
  kj::Promise<void> takePromise() { return kj::mv(paf_.promise); }

 private:
  PendingSignal& signal_;
  kj::PromiseCrossThreadFulfillerPair<void> paf_ = kj::newPromiseAndCrossThreadFulfiller<void>();
};

}  // namespace

bool HostWaiter::wait(detail::PendingState& state) {
  PendingSignal& signal = state.signal();
  {
    std::lock_guard lock(signal.mutex);
    if (signal.published) return true;
  }
  Watch watch(signal);
  return call::wait(call_, watch.takePromise());
}

}  // namespace host

namespace detail {

PendingState::PendingState() : signal_(std::make_unique<host::PendingSignal>()) {}
PendingState::~PendingState() = default;

bool PendingState::claim() { return !signal_->claimed.exchange(true); }

void PendingState::publish() {
  std::lock_guard lock(signal_->mutex);
  signal_->published = true;
  if (signal_->waiter) signal_->waiter->fulfill();
}

void PendingState::abandon() { signal_->abandoned = true; }

bool PendingState::abandoned() const { return signal_->abandoned; }

}  // namespace detail
}  // namespace tenon
