#pragma once

// How the calls of one loop share its thread. Bound to that thread.
//
// A call that nobody else's work depends on has the thread until it is done. Calls that may wait,
// or that are not alone, run on fibers, and each gives the thread away when it waits or when its
// slice of time is over:
//
//     call A   ███ waits ·················· ██ done
//     call B      ██████ slice over ·· █████████ slice over ····
//     the loop          │I/O, timers│           │ A's wait is over
//
// Inside a host function there are no turns: what is called there must be done before it returns,
// because the guest that called it stands below on the same stack.

#include "engine/store.h"

#include <kj/async.h>
#include <kj/timer.h>

#include <chrono>
#include <cstdint>

namespace tenon::host {

// When a call gives the loop to others although it does not wait.
enum class Turns : uint8_t {
  SHARED,  // while other calls go on: nobody else can want the loop
  ALWAYS,  // also alone: whoever started it does more than wait for it
};

class Scheduler {
 public:
  explicit Scheduler(kj::Timer& timer) : timer_(timer) {}
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Whether a call that somebody waits for may have the thread to its end: no other goes on, or
  // this is inside of a host function, which has the loop to itself.
  bool isFree() const { return calls_ == 0 || inside_ > 0; }
  bool takesTurns(Turns turns) const { return turns == Turns::ALWAYS || !isFree(); }
  // Whether the loop may be run here, to wait for something.
  bool mayWait() const { return inside_ == 0; }

  // Something else than calls wants the loop, from now on: clients of a server.
  void share() { begin(); }
  // A call on a fiber begins, and is done.
  void begin() { ++calls_; }
  void end() { --calls_; }

  // Runs a fiber of `store`, which is `Fiber::start` or `Fiber::poll`, for its turn: SLICE at most
  // when it takes turns, else until it waits.
  template <typename Run>
  auto run(engine::Store& store, bool takesTurns, const Run& run) {
    Inside inside(inside_);
    store.setSlice(takesTurns ? SLICE : SLICE.zero());
    return run();
  }

  // Resolves when the others had their turns. By way of the timer, so that the loop also looks at
  // I/O.
  kj::Promise<void> nextTurn() { return timer_.afterDelay(0 * kj::NANOSECONDS); }
  kj::Timer& timer() { return timer_; }

 private:
  // After so much computing a guest lets the other calls of its loop go on.
  static constexpr std::chrono::milliseconds SLICE{10};

  struct Inside {
    explicit Inside(uint32_t& count) : count(count) { ++count; }
    ~Inside() { --count; }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;
    uint32_t& count;
  };

  kj::Timer& timer_;
  uint32_t calls_ = 0;   // on fibers, begun and not done
  uint32_t inside_ = 0;  // fibers that run right now, each in a host function of the one before
};

}  // namespace tenon::host
