#pragma once

// What stands behind tenon::Loop, with who has the loop when (scheduler.h).

#include "host/scheduler.h"

#include <tenon/engine.h>

#include <kj/async-io.h>

namespace tenon::host {

struct LoopState {
  // Events between two looks at I/O and timers while there is always another event: a peer that
  // never stops sending must not keep others waiting.
  static constexpr kj::uint MOST_EVENTS = 100;

  LoopState() { io.waitScope.setBusyPollInterval(MOST_EVENTS); }

  kj::AsyncIoContext io = kj::setupAsyncIo();
  Scheduler scheduler{io.provider->getTimer()};

  static LoopState& of(Loop& loop) { return *loop.state_; }
};

}  // namespace tenon::host
