#pragma once

// What belongs to a call that runs in an instance, and not to the instance. Calls are synchronous:
// one from the host is in an instance at a time, suspended or not, and what it calls returns last
// in, first out. So an instance has one Task, for one call after the other. Asynchronous components
// have one for each call, of which many are suspended at a time: what names an instance's fiber
// today (HostCall::wake, RunningCall) names a Task then. Bound to the instance's thread.

#include "call/handle_table.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

namespace tenon::run {

// A call from one component instance into another through an adapter, while it has borrows: what it
// was lent of the caller's handles, and how many of the callee's borrow handles are left.
struct FusedCall {
  call::BorrowScope borrows;
  call::Lends lends;
};

class Task {
 public:
  // From a call's beginning to its end; those inside of it included.
  class Scope {
   public:
    explicit Scope(Task& task) : task_(task) { task_.begin(); }
    ~Scope() { task_.end(); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Task& task_;
  };
  // For a call that ends elsewhere: instantiation.
  void begin() {
    if (depth_++ == 0) ++number_;
  }
  void end() { --depth_; }

  // Whether a call has begun and not ended.
  bool running() const { return depth_ != 0; }
  // Changes with every call.
  uint64_t number() const { return number_; }

  // The calls that adapters are in and that have borrows, the innermost last.
  std::deque<FusedCall>& fusedCalls() {
    if (!fusedCalls_) fusedCalls_ = std::make_unique<std::deque<FusedCall>>();
    return *fusedCalls_;
  }

  // What the host let go of while the call was suspended, to be dropped at its end: resource and
  // rep.
  std::vector<std::pair<uint32_t, uint32_t>> givenUp;

 private:
  uint32_t depth_ = 0;
  uint64_t number_ = 0;
  std::unique_ptr<std::deque<FusedCall>> fusedCalls_;  // null until the first one
};

}  // namespace tenon::run
