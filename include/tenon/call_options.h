#pragma once

// What one call into an instance may take, and who may end it.

#include <chrono>
#include <memory>
#include <optional>

namespace tenon {

namespace host {
struct CancelState;
}  // namespace host

// Ends calls from any thread: of a user who goes away, of a shutdown. Copies are the same
// canceller. May be given to many calls, of instances on different threads.
class Canceller {
 public:
  Canceller();

  // Ends every call that has this canceller, and every one that is given it later: the call fails
  // with CANCELLED. On any thread, any number of times; does not wait for the calls to end. A guest
  // that computes is stopped within some milliseconds, one that waits at once, a host function of
  // the embedder's when it returns. A call that had begun leaves its instance UNUSABLE, like a
  // trap; one that had not leaves it as it was. Not for signal handlers.
  void cancel() const;
  bool cancelled() const;

 private:
  friend struct host::CancelState;
  std::shared_ptr<host::CancelState> state_;
};

struct CallOptions {
  // Wall-clock time of this call, its waiting and its host functions included, in place of
  // InstanceOptions::timeout. `nanoseconds::max()`: no limit.
  std::optional<std::chrono::nanoseconds> timeout = {};
  std::optional<Canceller> canceller = {};
};

}  // namespace tenon
