#pragma once

// A store: the instances, memories and functions that live and die together, their limits, their
// time and how they failed. Bound to the thread that made it.
//
// Rule: host code enters WebAssembly through `callCore` (fiber.h) and nothing else. A call that
// fails leaves its Trap in the store; whoever sees the failure first either takes it (`takeTrap`,
// outermost), or returns `rethrow()` from its host function so that the guests in between unwind
// too.

#include "engine/engine.h"
#include "engine/trap.h"

#include <tenon/result.h>

#include <wasmtime.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

// AddressSanitizer is told of the change between stacks, see fiber.cc.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TENON_ENGINE_ASAN 1
#endif
#endif

namespace tenon::engine {

class Fiber;

// What the instances of a store may take together, except where it says "each". Checked by the
// engine: growing beyond makes `memory.grow` return -1; instantiating beyond is an error.
struct StoreLimits {
  uint64_t memoryBytes = uint64_t{4} << 30;  // linear memories, GC heaps and tables
  uint64_t tableElements = 1'000'000;        // each table
  uint32_t instances = 10'000;
  uint32_t tables = 10'000;
  uint32_t memories = 10'000;
};

class Store {
 public:
  using Clock = std::chrono::steady_clock;

  // `owner` is the upper layer's, reachable from host functions by `Store::from(caller).owner`.
  Store(std::shared_ptr<Engine> engine, void* owner, const StoreLimits& limits = {});
  // Cancels the call that is suspended here, if any. Not from a call of this store.
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // The store that is running, from a host function's `caller`. About 2 ns.
  static Store& from(wasmtime_caller_t* caller) {
    auto* store = static_cast<Store*>(wasmtime_context_get_data(wasmtime_caller_context(caller)));
#if defined(TENON_ENGINE_ASAN)
    store->noteArrival();
#endif
    return *store;
  }

  void* owner = nullptr;

  wasmtime_context_t* context() const { return context_; }
  const std::shared_ptr<Engine>& engine() const { return engine_; }
  const StoreLimits& limits() const { return limits_; }

  // -- Failures

  // For host functions: records why and returns what the callback must return at once. The first
  // record of an unwinding stays.
  [[nodiscard]] wasm_trap_t* raise(TrapKind kind, std::string_view message);
  [[nodiscard]] wasm_trap_t* raise(Trap trap);
  // The same when there is no memory for a Trap.
  [[nodiscard]] wasm_trap_t* raiseNoMemory() noexcept;
  // For host functions whose own call into the guest failed: returns what the callback must return.
  [[nodiscard]] wasm_trap_t* rethrow();
  // For host functions that may have taken long, or entered the guest without looking at what came
  // of it, at their end: null if the guest may go on, or what the callback must return. Here
  // deadline and stop flag hold too, and a call whose slice is over has others take their turn
  // before this returns. `who` is put in front of the message when the time of the call was up.
  template <typename Who>
  [[nodiscard]] wasm_trap_t* settled(const Who& who) {
    if (trap_ == nullptr && (state_ & (POISONED | TIMED)) == 0) [[likely]]
      return nullptr;
    if (trap_ != nullptr || poisoned()) return stop();
    // Host functions are too short and too many to read the clock after each.
    if (engine_->ticks() == tickSeen_ && stopFlag_ == nullptr) return nullptr;
    auto kind = noticeTick();
    if (trap_ != nullptr || poisoned()) return stop();
    return kind ? raise(*kind, who() + std::string(messageOf(*kind))) : nullptr;
  }

  bool hasTrap() const { return trap_ != nullptr; }
  // The record of the last failure, which is then gone. OTHER "no trap was recorded" without one.
  Trap takeTrap();
  // A trap (an exit included) leaves instances in the middle of a call: from then on nothing runs
  // in this store, and every call fails with `UNUSABLE`'s sentence.
  bool poisoned() const { return (state_ & POISONED) != 0; }
  void poison() { state_ |= POISONED; }

  // -- Time
  // Guest code is interrupted within a tick (5 ms) of the deadline, or at the end of the host
  // function that it is in; one bulk instruction (`memory.fill`) is not interrupted. Time that
  // passes while the guest is suspended counts too, but only guest code that runs notices: who
  // waits on behalf of the guest also watches `deadline()` and cancels the fiber with
  // TrapKind::DEADLINE.

  // Absolute; nullopt: none. May be changed at any time on the store's thread, unless `busy`.
  void setDeadline(std::optional<Clock::time_point> deadline);
  const std::optional<Clock::time_point>& deadline() const { return deadline_; }
  // True ends the call as a deadline does, with TrapKind::CANCELLED. Any thread may set it; it
  // outlives the call. Null: none.
  void setStopFlag(const std::atomic<bool>* flag);
  const std::atomic<bool>* stopFlag() const { return stopFlag_; }
  static std::string_view messageOf(TrapKind due);
  // After how much time a guest on a fiber yields to the loop, that of its host functions included,
  // rounded up to ticks. Zero: never. Off a fiber, slices do nothing. Holds from when the call next
  // starts or is polled.
  void setSlice(std::chrono::milliseconds slice);

  // -- Fibers

  // The fiber of the call that lives in this store; null without. One at a time.
  Fiber* fiber() const { return fiber_; }
  // Whether a suspended call occupies the store: nothing else may run in it.
  bool busy() const { return (state_ & SUSPENDED) != 0; }

 private:
  friend class Fiber;
  friend struct EngineAccess;

  // Why a call cannot go the direct way. `callCore` tests all at once.
  enum State : uint32_t { POISONED = 1, SUSPENDED = 2, ON_FIBER = 4, TIMED = 8 };

  // Keeps the engine's clock ticking while guest code of a store with a deadline or slice runs.
  class Ticking {
   public:
    explicit Ticking(Store& store);
    ~Ticking();

   private:
    Store& store_;
    bool holds_;
  };

  static wasmtime_error_t* onEpoch(wasmtime_context_t* context, void* data, uint64_t* delta,
                                   wasmtime_update_deadline_kind_t* kind) noexcept;
  // Why the call that runs must end: DEADLINE or CANCELLED.
  std::optional<TrapKind> dueNow() const;
  void updateTimed();
  void dropGrace();
  void noteArrival();
  wasm_trap_t* stop();
  std::optional<TrapKind> noticeTick();
  bool sliceIsOver();
  // Records, unless something is recorded.
  void keep(TrapKind kind, std::string_view message) noexcept;
  // Adds to what is recorded, or records. Poisons.
  void recordTrap(Trap trap);
  // "trap ..." when a call cannot start; empty when it can.
  std::optional<Trap> refusal() const;

  uint32_t state_ = 0;
  uint32_t depth_ = 0;       // calls into WebAssembly that have not returned
  uintptr_t deepStack_ = 0;  // on the native stack, where the stack was after DEEP of them
  wasmtime_context_t* context_ = nullptr;
  Fiber* fiber_ = nullptr;
  std::unique_ptr<Trap> trap_;
  bool trapLost_ = false;  // there was no memory for it
  std::shared_ptr<Engine> engine_;
  StoreLimits limits_;
  std::optional<Clock::time_point> deadline_;
  const std::atomic<bool>* stopFlag_ = nullptr;
  uint32_t sliceTicks_ = 0;
  uint64_t tickSeen_ = 0;  // the last at which somebody looked at the time
  bool grace_ = false;     // holds the ticker for a deadline that was set in the middle of a call
  // Of the engine's fiberLinker(), by their names there. Their address is stable while a future is
  // alive.
  enum FiberFunction : uint8_t { ENTER = 0, SUSPEND = 1 };
  wasmtime_func_t fiberFunctions_[2]{};
  bool fiberFunctionsKnown_ = false;
  wasmtime_store_t* store_ = nullptr;
};

}  // namespace tenon::engine
