#pragma once

// What a guest can wait for, and how a host function waits: it suspends the guest and lets the loop
// run. Bound to the loop's thread.

#include "call/host_call.h"

#include <kj/async.h>

#include <cstdint>
#include <span>
#include <vector>

namespace tenon::call {

// A condition of the world outside: a stream has bytes, a time has come. State that belongs to the
// loop changes only while the loop runs, that is while the guest is suspended.
class Waitable {
 public:
  virtual ~Waitable() noexcept(false) = default;

  // Whether waiting would be over at once. Cheap, never waits, never throws for what the outside
  // does.
  virtual bool ready() = 0;

  // Resolves when `ready` may have become true: whoever waits asks `ready` again. Several may wait
  // at the same time. Dropping the promise ends that wait. The promise must not outlive this
  // object.
  virtual kj::Promise<void> whenReady() = 0;
};

// Suspends the guest until `promise` is done, well or not. False: the call was cancelled or cannot
// wait, its failure is set, and the promise was dropped; the host function must return at once.
[[nodiscard]] bool wait(call::HostCall& call, kj::Promise<void> promise);

// Suspends the guest until `waitable` is ready; does not suspend when it is already. False: as
// `wait`.
[[nodiscard]] bool waitFor(call::HostCall& call, Waitable& waitable);

// Suspends the guest until at least one of `waitables` is ready, and returns the indices of those
// that are, in ascending order. Empty: as `wait` returning false. At least one waitable; the same
// may occur more than once.
std::vector<uint32_t> waitForAny(call::HostCall& call, std::span<Waitable* const> waitables);

}  // namespace tenon::call
