#include "engine/fiber.h"

#include <tenon_wasmtime.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <utility>

#if defined(TENON_ENGINE_ASAN)
#include <sanitizer/common_interface_defs.h>
#define TENON_NO_ASAN __attribute__((no_sanitize("address"), noinline))
#else
#define TENON_NO_ASAN
#endif

namespace tenon::engine {
namespace {

// No guest can import from here: the linkers that guests are linked with do not have it.
constexpr std::string_view FIBER_MODULE = "tenon:engine/fiber";
// Numbers, so that both are found at once: see Store::FiberFunction.
constexpr std::string_view ENTER = "0";
constexpr std::string_view SUSPEND = "1";

// Bytes of a fiber's stack that lie above `enter`'s frame, at most: the engine's entry.
constexpr size_t ENTRY_SLACK = 32 * 1024;

// Rules of the engine that, once broken, leave no sound state.
[[noreturn]] void fatal(const char* what) {
  std::fprintf(stderr, "tenon: fatal: %s\n", what);
  std::abort();
}

Trap makeTrap(TrapKind kind, std::string_view message) {
  Trap trap;
  trap.kind = kind;
  trap.message = message;
  return trap;
}

}  // namespace

wasmtime_linker_t* newFiberLinker(wasm_engine_t* engine) {
  wasmtime_linker_t* linker = wasmtime_linker_new(engine);
  wasm_valtype_vec_t none1, none2;
  wasm_valtype_vec_new_empty(&none1);
  wasm_valtype_vec_new_empty(&none2);
  wasm_functype_t* type = wasm_functype_new(&none1, &none2);
  wasmtime_error_t* error = wasmtime_linker_define_func_unchecked(
      linker, FIBER_MODULE.data(), FIBER_MODULE.size(), ENTER.data(), ENTER.size(), type,
      EngineAccess::onEnter, nullptr, nullptr);
  if (error == nullptr) {
    error = wasmtime_linker_define_async_func(linker, FIBER_MODULE.data(), FIBER_MODULE.size(),
                                              SUSPEND.data(), SUSPEND.size(), type,
                                              EngineAccess::onSuspend, nullptr, nullptr);
  }
  wasm_functype_delete(type);
  if (error != nullptr) fatal(takeMessage(error).c_str());
  return linker;
}

void EngineAccess::findFiberFunctions(Store& store) {
  if (store.fiberFunctionsKnown_) return;
  store.fiberFunctionsKnown_ = true;
  size_t found = tenon_wasmtime_linker_functions(store.engine_->fiberLinker(), store.context_,
                                                 store.fiberFunctions_, 2);
  if (found != 2) fatal("the fiber functions are missing");
}

// -- Calls ---------------------------------------------------------------------------------------

bool EngineAccess::callSlow(Store& store, const wasmtime_func_t& function,
                            std::span<RawValue> values) {
  if (auto refused = store.refusal()) {
    store.keep(refused->kind, refused->message);
    return false;
  }
  std::optional<Store::Ticking> ticking;
  auto here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  const size_t room = store.engine_->options().maxWasmStack + store.engine_->options().hostReserve;
  bool exhausted = false;
  if ((store.state_ & Store::ON_FIBER) != 0) {
    // On a fiber each entry gets a fresh allowance of stack from the engine, so that guest -> host
    // -> guest could run off its end, which the engine does not survive.
    uintptr_t low = store.fiber_->stackLow_;
    exhausted = here < low || here - low < room;
  } else {
    ticking.emplace(store);
    // On the native stack guest code looks how much is left. A built-in may be called without any
    // in between: a destructor that is `resource.drop` of the next resource.
    if (store.depth_ == EngineAccess::DEEP) store.deepStack_ = here;
    exhausted = store.depth_ > EngineAccess::DEEP && store.deepStack_ - here > room;
  }
  if (exhausted) {
    store.recordTrap(makeTrap(TrapKind::STACK_OVERFLOW, messageOfCode(0)));
    return false;
  }
  wasm_trap_t* trap = nullptr;
  ++store.depth_;
  wasmtime_error_t* error = wasmtime_func_call_unchecked(
      store.context_, &function, reinterpret_cast<wasmtime_val_raw_t*>(values.data()),
      values.size(), &trap);
  --store.depth_;
  if (error != nullptr || trap != nullptr) return callFailed(store, error, trap);
  return true;
}

bool EngineAccess::callFailed(Store& store, wasmtime_error_t* error, wasm_trap_t* trap) {
  store.noteArrival();
  // An exception stays pending in the store until somebody takes it.
  if (wasmtime_context_has_exception(store.context_)) {
    wasmtime_exnref_t exception;
    if (wasmtime_context_take_exception(store.context_, &exception)) {
      wasmtime_exnref_unroot(&exception);
    }
  }
  store.recordTrap(error != nullptr ? tenon::engine::takeTrap(error)
                                    : tenon::engine::takeTrap(trap));
  settle(store);
  return false;
}

void EngineAccess::settle(Store& store) {
  if (store.depth_ == 0) store.dropGrace();
}

// -- Fibers --------------------------------------------------------------------------------------

// Runs on the fiber, called by the engine.
wasm_trap_t* EngineAccess::onEnter(void*, wasmtime_caller_t* caller, wasmtime_val_raw_t*,
                                   size_t) noexcept {
  Store& store = Store::from(caller);
  Fiber& fiber = *store.fiber_;
  fiber.arriveOnFiber();
  fiber.entered_ = true;
  bool ok = false;
  try {
    ok = fiber.body_(fiber.bodyContext_, store);
  } catch (...) {
    wasm_trap_delete(store.raiseNoMemory());
  }
  fiber.succeeded_ = ok;
  return ok ? nullptr : store.rethrow();
}

// Called by the engine when `block` calls `suspend`.
void EngineAccess::onSuspend(void*, wasmtime_caller_t* caller, const wasmtime_val_t*, size_t,
                             wasmtime_val_t*, size_t, wasm_trap_t**,
                             wasmtime_async_continuation_t* continuation) noexcept {
  *continuation = {isReady, Store::from(caller).fiber_, nullptr};
}

// On the fiber, once per poll: must touch nothing but its flags.
bool EngineAccess::isReady(void* context) noexcept {
  Fiber& fiber = *static_cast<Fiber*>(context);
  // Whose turn is over waits for nothing: the first poll finds it, the second is its next turn.
  if (fiber.takesTurn_) return std::exchange(fiber.turnCame_, true);
  return std::exchange(fiber.ready_, false);
}

bool EngineAccess::block(Store& store) {
  auto fail = [&](TrapKind kind, std::string_view message) {
    store.keep(kind, message);
    return false;
  };
  if ((store.state_ & Store::ON_FIBER) == 0 || !store.fiber_->mayWait_) {
    return fail(TrapKind::HOST, "this call would have to wait, and cannot here");
  }
  Fiber& fiber = *store.fiber_;
  if (fiber.cancelled_) return fail(fiber.cancelKind_, "the call was cancelled");
  if (store.poisoned()) return fail(TrapKind::UNUSABLE, store.refusal()->message);
  // The exceptions in flight belong to the thread, not to the fiber.
  if (std::uncaught_exceptions() != 0 || std::current_exception() != nullptr) {
    return fail(TrapKind::HOST, "a host function waits inside an exception handler");
  }
  if (std::exchange(fiber.ready_, false)) return true;
  fiber.waiting_ = true;
  bool resumed = suspend(store);
  fiber.waiting_ = false;
  return resumed || fail(fiber.cancelKind_, "the call was cancelled");
}

bool EngineAccess::takeTurn(Store& store) {
  Fiber& fiber = *store.fiber_;
  // As for `block`; then the turn is taken by the guest at its next tick.
  if (std::uncaught_exceptions() != 0 || std::current_exception() != nullptr) return true;
  if (fiber.cancelled_ || store.poisoned()) return true;
  fiber.takesTurn_ = true;
  fiber.turnCame_ = false;
  bool resumed = suspend(store);
  fiber.takesTurn_ = false;
  if (!resumed) store.keep(fiber.cancelKind_, Store::messageOf(fiber.cancelKind_));
  return resumed;
}

// Gives the thread away. False: `cancel` wants the frames to unwind. It must not be called again
// after that.
bool EngineAccess::suspend(Store& store) {
  wasmtime_val_raw_t none{};
  wasm_trap_t* trap = nullptr;
  wasmtime_error_t* error = wasmtime_func_call_unchecked(
      store.context_, &store.fiberFunctions_[Store::SUSPEND], &none, 1, &trap);
  store.noteArrival();
  if (error == nullptr && trap == nullptr) return true;
  store.fiber_->cancelled_ = true;  // "future dropped"
  if (error != nullptr) wasmtime_error_delete(error);
  if (trap != nullptr) wasm_trap_delete(trap);
  return false;
}

bool block(Store& store) { return EngineAccess::block(store); }

Fiber::~Fiber() { cancel(); }

void Fiber::checkThread() const {
  if (std::this_thread::get_id() != thread_)
    fatal("a fiber is used on another thread than it started on");
}

Result<Fiber::State> Fiber::start(Body body, void* context, Waits waits) {
  if (auto refused = store_.refusal()) return refused->toError();
  if (store_.fiber_ != nullptr || store_.depth_ != 0)
    return Error(ErrorCode::UNUSABLE, "another call runs in this store");
  EngineAccess::findFiberFunctions(store_);
  body_ = body;
  bodyContext_ = context;
  thread_ = std::this_thread::get_id();
  ready_ = waiting_ = takesTurn_ = cancelled_ = entered_ = succeeded_ = false;
  mayWait_ = waits == Waits::ALLOWED;
  trap_ = nullptr;
  error_ = nullptr;
  stackLow_ = 0;
  store_.fiber_ = this;
  future_ = wasmtime_func_call_async(store_.context_, &store_.fiberFunctions_[Store::ENTER],
                                     nullptr, 0, nullptr, 0, &trap_, &error_);
  return resume();
}

Fiber::State Fiber::poll() {
  if (future_ == nullptr) return State::DONE;
  checkThread();
  if (running_) fatal("a fiber polls itself");
  if (store_.poisoned()) {
    cancel(TrapKind::UNUSABLE, store_.refusal()->message);
    return State::DONE;
  }
  if (state_ == State::BLOCKED && !ready_) return State::BLOCKED;
  return resume();
}

Fiber::State Fiber::resume() {
  Store::Ticking ticking(store_);
  store_.tickSeen_ = store_.engine_->ticks();
  sliceEnd_ = store_.tickSeen_ + store_.sliceTicks_ + 1;  // the first tick may come at once
  store_.state_ = (store_.state_ & ~Store::SUSPENDED) | Store::ON_FIBER;
  running_ = true;
  bool done = wasmtime_call_future_poll(future_);
  running_ = false;
  arriveOnCaller(done);
  store_.state_ &= ~Store::ON_FIBER;
  if (done) {
    finish();
  } else {
    state_ = waiting_ ? State::BLOCKED : State::YIELDED;
    store_.state_ |= Store::SUSPENDED;
  }
  return state_;
}

void Fiber::finish() {
  wasmtime_call_future_delete(std::exchange(future_, nullptr));
  store_.fiber_ = nullptr;
  state_ = State::DONE;
  if (!entered_) {
    // No stack could be had.
    Trap trap = error_ != nullptr ? takeTrap(std::exchange(error_, nullptr))
                                  : takeTrap(std::exchange(trap_, nullptr));
    trap.kind = TrapKind::LIMIT;
    if (!store_.trap_) store_.trap_ = std::make_unique<Trap>(std::move(trap));
  } else if (!succeeded_) {
    store_.state_ |= Store::POISONED;
  }
  if (error_ != nullptr) wasmtime_error_delete(std::exchange(error_, nullptr));
  if (trap_ != nullptr) wasm_trap_delete(std::exchange(trap_, nullptr));
}

void Fiber::wake() {
  if (future_ == nullptr || std::exchange(ready_, true)) return;
  if (waiting_ && onReady_ != nullptr) onReady_(onReadyContext_, *this);
}

void Fiber::cancel(TrapKind kind, std::string_view message) {
  if (future_ == nullptr) return;
  checkThread();
  if (running_) fatal("a fiber cancels itself");
  cancelled_ = true;
  cancelKind_ = kind;
  store_.recordTrap(makeTrap(kind, message.empty() ? Store::messageOf(kind) : message));
  store_.state_ = (store_.state_ & ~Store::SUSPENDED) | Store::ON_FIBER;
  running_ = true;
  // Resumes the fiber once, with an error; returns when it has unwound.
  wasmtime_call_future_delete(std::exchange(future_, nullptr));
  running_ = false;
  arriveOnCaller(true);
  store_.state_ &= ~Store::ON_FIBER;
  store_.fiber_ = nullptr;
  state_ = State::DONE;
  succeeded_ = false;
}

// -- Stacks, as AddressSanitizer should see them -------------------------------------------------
// The switch itself happens inside the engine, whose code is not instrumented. So both halves of
// the announcement are made on arrival: as soon as instrumented code runs on the new stack.

TENON_NO_ASAN void Fiber::arriveOnFiber() {
  if (stackLow_ == 0) {
    auto here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
    stackLow_ = here - (store_.engine_->fiberStackSize() - ENTRY_SLACK);
  }
#if defined(TENON_ENGINE_ASAN)
  if (std::exchange(onFiber_, true)) return;
  __sanitizer_start_switch_fiber(&callerFakeStack_, reinterpret_cast<const void*>(stackLow_),
                                 store_.engine_->fiberStackSize() - ENTRY_SLACK);
  __sanitizer_finish_switch_fiber(fakeStack_, &callerBottom_, &callerSize_);
#endif
}

TENON_NO_ASAN void Fiber::arriveOnCaller([[maybe_unused]] bool fiberEnded) {
#if defined(TENON_ENGINE_ASAN)
  if (!std::exchange(onFiber_, false)) return;
  // A fiber that has ended gives its fake stack back.
  __sanitizer_start_switch_fiber(fiberEnded ? nullptr : &fakeStack_, callerBottom_, callerSize_);
  __sanitizer_finish_switch_fiber(callerFakeStack_, nullptr, nullptr);
  if (fiberEnded) fakeStack_ = nullptr;
#endif
}

}  // namespace tenon::engine
