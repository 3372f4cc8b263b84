#pragma once

// For host functions that run guests themselves: who calls them. All HostCalls that guests make are
// this part's.

#include "call/host_call.h"
#include "engine/trap.h"

namespace tenon::run {

class Instance;

// The instance whose guest makes the call.
Instance& callerOf(call::HostCall& call);

// Fails the call as one whose time is up (DEADLINE) or that was cancelled (CANCELLED).
void endCall(call::HostCall& call, engine::TrapKind due);

}  // namespace tenon::run
