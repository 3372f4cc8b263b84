#pragma once

// Calls into WebAssembly, and calls that wait. A guest calls imports synchronously while the host
// is an event loop, so a call that may wait runs on a *fiber*: a stack of its own. A host function
// that has to wait starts its I/O and calls `block`; the fiber stops there and the thread goes on
// with other work. When the I/O is done somebody calls `wake`, and a later `poll` continues the
// host function.
//
//     Fiber fiber(store, onReady, loop);
//     auto state = fiber.start(body, context);      // runs body until it is done or blocks
//     ...                                           // onReady was called
//     state = fiber.poll();
//
// Why it is built on Wasmtime this way, and the rules it must keep: docs, "The suspender".

#include "engine/store.h"
#include "engine/trap.h"

#include <tenon/abi/context.h>
#include <tenon/result.h>

#include <wasmtime.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <thread>

namespace tenon::engine {

static_assert(sizeof(RawValue) == sizeof(wasmtime_val_raw_t));

// Calls a WebAssembly function: the only way in. `values` holds the arguments, then the results;
// its size is the larger count (at least 1 slot of room). The caller has checked the function's
// signature once. False: it trapped (the store has the Trap and is poisoned), or it cannot run
// (poisoned, occupied by a suspended call, too deep on a fiber: the Trap says which). On the
// store's thread; in a host function too, on fibers or not.
bool callCore(Store& store, const wasmtime_func_t& function, std::span<RawValue> values);

// For host functions, on a fiber: gives the thread away until somebody calls `wake` on this store's
// fiber. May return early, so callers test their own condition in a loop:
//     while (!done) if (!block(store)) return store.rethrow();
// False: cancelled, not on a fiber, or on one that may not wait; the host function must return
// `store.rethrow()` at once. No lock may be held, no exception may be in flight.
[[nodiscard]] bool block(Store& store);

// One call that may wait. Lives on the store's thread, at one address from `start` to its end.
class Fiber {
 public:
  enum class State : uint8_t {
    BLOCKED,  // in `block`: poll after `wake`
    YIELDED,  // its time slice is over: poll again once others had their turn
    DONE,     // the body returned, or unwound; see `succeeded`
  };
  // Whether `block` works in a call. Where it is refused, the call still has its turns.
  enum class Waits : uint8_t { ALLOWED, REFUSED };
  // Runs on the fiber. False: failed, the store has the Trap. Must not throw.
  using Body = bool (*)(void* context, Store& store);
  // Called by `wake` when a blocked fiber becomes ready. Must not poll; it schedules a poll.
  using OnReady = void (*)(void* context, Fiber& fiber);

  explicit Fiber(Store& store, OnReady onReady = nullptr, void* onReadyContext = nullptr)
      : store_(store), onReady_(onReady), onReadyContext_(onReadyContext) {}
  // Cancels when the call is not done.
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Runs `body` on a stack of its own, until DONE, BLOCKED or YIELDED. May be called again after
  // DONE. On the native stack, or on a fiber of another store. A failure to get a stack is DONE
  // without success (LIMIT). Errors: UNUSABLE when the store is poisoned or another call lives in
  // it, on a fiber or not.
  Result<State> start(Body body, void* context, Waits waits = Waits::ALLOWED);

  // Continues. Only after BLOCKED or YIELDED; a fiber that nobody woke stays BLOCKED (0.1 us). In a
  // store that was poisoned meanwhile it unwinds instead.
  State poll();

  // Makes `block` return. On the store's thread, any number of times, also before `block` (which
  // then returns at once) and after DONE (no effect).
  void wake();

  // Ends the call: `block` returns false, the guest unwinds, all inside this function. The store is
  // poisoned and has a Trap of this kind. No effect when not started or done. Not from the fiber
  // itself.
  void cancel(TrapKind kind = TrapKind::CANCELLED, std::string_view message = {});

  Store& store() const { return store_; }
  bool started() const { return future_ != nullptr || state_ == State::DONE; }
  State state() const { return state_; }
  // After DONE. False: `store().takeTrap()` says why.
  bool succeeded() const { return succeeded_; }
  // True while the body runs, as opposed to being suspended.
  bool running() const { return running_; }

 private:
  friend class Store;
  friend struct EngineAccess;

  State resume();
  void finish();
  void checkThread() const;
  void arriveOnFiber();
  void arriveOnCaller(bool fiberEnded);

  Store& store_;
  OnReady onReady_;
  void* onReadyContext_;
  Body body_ = nullptr;
  void* bodyContext_ = nullptr;
  wasmtime_call_future_t* future_ = nullptr;
  wasm_trap_t* trap_ = nullptr;        // written by the engine
  wasmtime_error_t* error_ = nullptr;  // written by the engine
  uintptr_t stackLow_ = 0;  // lowest usable address of the fiber's stack, on the safe side
  State state_ = State::DONE;
  bool ready_ = false;
  bool waiting_ = false;
  bool takesTurn_ = false;  // in `suspend` because its time slice is over
  bool turnCame_ = false;
  bool mayWait_ = true;
  bool cancelled_ = false;
  bool entered_ = false;
  bool succeeded_ = false;
  bool running_ = false;
  TrapKind cancelKind_ = TrapKind::CANCELLED;
  uint64_t sliceEnd_ = 0;   // the tick with which the time slice is over
  std::thread::id thread_;  // of `start`

  // AddressSanitizer's view of the two stacks; unused otherwise.
  bool onFiber_ = false;
  void* fakeStack_ = nullptr;
  void* callerFakeStack_ = nullptr;
  const void* callerBottom_ = nullptr;
  size_t callerSize_ = 0;
};

// Everything of this part that sees the insides of Store and Fiber.
struct EngineAccess {
  static bool callSlow(Store& store, const wasmtime_func_t& function, std::span<RawValue> values);
  static bool callFailed(Store& store, wasmtime_error_t* error, wasm_trap_t* trap);
  static bool block(Store& store);
  static bool takeTurn(Store& store);
  static bool suspend(Store& store);
  static std::optional<Error> beforeInstantiate(Store& store);
  static Error instantiateFailed(Store& store, wasmtime_error_t* error, wasm_trap_t* trap);
  template <typename Make>
  static Result<wasmtime_instance_t> instantiate(Store& store, Make&& make);
  static wasm_trap_t* onEnter(void*, wasmtime_caller_t*, wasmtime_val_raw_t*, size_t) noexcept;
  static void onSuspend(void*, wasmtime_caller_t*, const wasmtime_val_t*, size_t, wasmtime_val_t*,
                        size_t, wasm_trap_t**, wasmtime_async_continuation_t*) noexcept;
  static bool isReady(void* fiber) noexcept;
  static void settle(Store& store);
  static void findFiberFunctions(Store& store);
  // So many calls within calls need a look at the stack.
  static constexpr uint32_t DEEP = 64;
  static bool needsCare(const Store& store) { return store.state_ != 0 || store.depth_ >= DEEP; }
  static uint32_t& depth(Store& store) { return store.depth_; }
};

inline bool callCore(Store& store, const wasmtime_func_t& function, std::span<RawValue> values) {
  if (EngineAccess::needsCare(store)) [[unlikely]] {
    return EngineAccess::callSlow(store, function, values);
  }
  wasm_trap_t* trap = nullptr;
  ++EngineAccess::depth(store);
  wasmtime_error_t* error = wasmtime_func_call_unchecked(
      store.context(), &function, reinterpret_cast<wasmtime_val_raw_t*>(values.data()),
      values.size(), &trap);
  --EngineAccess::depth(store);
  if (error != nullptr || trap != nullptr) [[unlikely]] {
    return EngineAccess::callFailed(store, error, trap);
  }
  // A host function changed the store's time.
  if (EngineAccess::needsCare(store)) [[unlikely]]
    EngineAccess::settle(store);
  return true;
}

// The linker with `enter` and `suspend`, one per engine.
wasmtime_linker_t* newFiberLinker(wasm_engine_t* engine);

}  // namespace tenon::engine
