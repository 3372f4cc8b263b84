#pragma once

// How a guest waits for a tenon::Pending: its fiber is suspended, and whichever thread completes
// the Pending wakes it through the loop.

#include "call/host_call.h"

#include <tenon/pending.h>

namespace tenon::host {

// For one call of a host function. Lives on its stack.
class HostWaiter final : public abi::Waiter {
 public:
  explicit HostWaiter(call::HostCall& call) : call_(call) {}

  using abi::Waiter::wait;
  bool wait(detail::PendingState& state) override;

 private:
  call::HostCall& call_;
};

}  // namespace tenon::host
