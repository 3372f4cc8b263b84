#pragma once

// Work that a guest started and need not wait for, such as moving its last bytes to a slow peer. It
// goes on when the guest dropped everything that it belongs to. Bound to the loop's thread.

#include <kj/async.h>
#include <kj/timer.h>

namespace tenon::net {

class Lingering final : private kj::TaskSet::ErrorHandler {
 public:
  explicit Lingering(kj::Timer& timer) : timer_(timer), tasks_(*this) {}

  // `task` owns all that it uses.
  void add(kj::Promise<void> task) { tasks_.add(kj::mv(task)); }

  kj::Timer& timer() { return timer_; }

  bool done() { return tasks_.isEmpty(); }

  // Resolves when nothing is left to do, or after 10 s. Must not outlive this object.
  kj::Promise<void> whenDone();

 private:
  // Whoever cares for a failure was told on its stream.
  void taskFailed(kj::Exception&&) override {}

  kj::Timer& timer_;
  kj::TaskSet tasks_;
  bool waiting_ = false;                     // `empty_` is not there yet
  kj::ForkedPromise<void> empty_ = nullptr;  // last: uses what is above
};

}  // namespace tenon::net
