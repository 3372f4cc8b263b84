#pragma once

// What stands behind tenon::Loop, and who has the loop when.

#include <tenon/engine.h>

#include <kj/async-io.h>

#include <cstdint>

namespace tenon::host {

struct LoopState {
  // Events between two looks at I/O and timers while there is always another event: a peer that
  // never stops sending must not keep others waiting.
  static constexpr kj::uint MOST_EVENTS = 100;

  LoopState() { io.waitScope.setBusyPollInterval(MOST_EVENTS); }

  kj::AsyncIoContext io = kj::setupAsyncIo();
  uint32_t calls = 0;   // on fibers, started and not done
  uint32_t inside = 0;  // fibers that run right now, each inside a host function of the one before

  static LoopState& of(Loop& loop) { return *loop.state_; }
};

// Whether a call that somebody waits for takes turns with others: with those that go on, but not
// inside a host function, which has the loop to itself.
inline bool takesTurnsNow(const LoopState& loop) { return loop.calls > 0 && loop.inside == 0; }

// When a call gives the loop to others although it does not wait.
enum class Turns : uint8_t {
  SHARED,  // while other calls go on: nobody else can want the loop
  ALWAYS,  // also alone: whoever started it does more than wait for it
};

}  // namespace tenon::host
