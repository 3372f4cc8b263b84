#pragma once

// What stands behind tenon::Canceller, and how loops hear of it.

#include <tenon/call_options.h>

#include <kj/async.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

namespace tenon::host {

class CancelWatch;

// Shared between threads.
struct CancelState {
  std::atomic<bool> cancelled = false;  // set under `mutex`
  std::mutex mutex;
  std::vector<CancelWatch*> watches;  // guarded by `mutex`

  static std::shared_ptr<CancelState> of(const Canceller& canceller) { return canceller.state_; }
};

// Tells a loop that its call was cancelled. Bound to the thread that made it.
class CancelWatch {
 public:
  explicit CancelWatch(std::shared_ptr<CancelState> state);
  ~CancelWatch();
  CancelWatch(const CancelWatch&) = delete;
  CancelWatch& operator=(const CancelWatch&) = delete;

  // Resolves when it is cancelled, at once if it was before.
  kj::Promise<void> whenCancelled() { return cancelled_.addBranch(); }

 private:
  friend class tenon::Canceller;

  std::shared_ptr<CancelState> state_;
  kj::Own<kj::CrossThreadPromiseFulfiller<void>> fulfiller_;
  kj::ForkedPromise<void> cancelled_ = nullptr;
};

}  // namespace tenon::host
