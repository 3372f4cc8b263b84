#include "engine/store.h"

#include "engine/fiber.h"

#include <tenon_wasmtime.h>

#include <algorithm>
#include <new>
#include <utility>

namespace tenon::engine {
namespace {

// What a host function that failed returns. The reason is in the store, so only the code's
// cheapness counts; this one belongs to an interpreter that is not built in and never comes from
// the engine itself.
constexpr wasmtime_trap_code_t RECORDED = WASMTIME_TRAP_CODE_DISABLED_OPCODE;

}  // namespace

Store::Store(std::shared_ptr<Engine> engine, void* owner, const StoreLimits& limits)
    : owner(owner), engine_(std::move(engine)), limits_(limits) {
  store_ = wasmtime_store_new(engine_->raw(), this, nullptr);
  context_ = wasmtime_store_context(store_);
  tenon_wasmtime_limits_t limited = {.bytes = limits.memoryBytes,
                                     .table_elements = limits.tableElements,
                                     .instances = limits.instances,
                                     .tables = limits.tables,
                                     .memories = limits.memories};
  tenon_wasmtime_store_limit(store_, &limited);
  // Also without a deadline every store looks at each tick: guest code keeps the number of the tick
  // that it waits for in a register, so one that waited for "never" would not notice a deadline
  // that is set later.
  wasmtime_store_epoch_deadline_callback(store_, onEpoch, this, nullptr);
  wasmtime_context_set_epoch_deadline(context_, 1);
}

Store::~Store() {
  if (fiber_ != nullptr) fiber_->cancel();
  dropGrace();
  wasmtime_store_delete(store_);
}

wasm_trap_t* Store::raise(TrapKind kind, std::string_view message) {
  keep(kind, message);
  return wasmtime_trap_new_code(RECORDED);
}

wasm_trap_t* Store::raise(Trap trap) {
  if (!trap_) trap_ = std::make_unique<Trap>(std::move(trap));
  return wasmtime_trap_new_code(RECORDED);
}

wasm_trap_t* Store::raiseNoMemory() noexcept {
  trapLost_ = true;
  return wasmtime_trap_new_code(RECORDED);
}

void Store::keep(TrapKind kind, std::string_view message) noexcept {
  if (trap_) return;
  try {
    Trap trap;
    trap.kind = kind;
    trap.message = message;
    trap_ = std::make_unique<Trap>(std::move(trap));
  } catch (const std::bad_alloc&) {
    trapLost_ = true;
  }
}

wasm_trap_t* Store::rethrow() {
  if (!trap_) return raise(TrapKind::OTHER, "a host function failed without a reason");
  return wasmtime_trap_new_code(RECORDED);
}

wasm_trap_t* Store::stop() {
  if (!trap_) return raise(*refusal());
  return rethrow();
}

Trap Store::takeTrap() {
  if (!trap_) {
    Trap none;
    none.message =
        std::exchange(trapLost_, false) ? "the host has no memory left" : "no trap was recorded";
    return none;
  }
  Trap trap = std::move(*trap_);
  trap_.reset();
  return trap;
}

void Store::recordTrap(Trap trap) {
  if (trap_) {
    trap_->append(std::move(trap.backtrace));
    trap_->framesLeftOut += trap.framesLeftOut;
  } else {
    trap_ = std::make_unique<Trap>(std::move(trap));
  }
  state_ |= POISONED;
}

std::optional<Trap> Store::refusal() const {
  Trap trap;
  trap.kind = TrapKind::UNUSABLE;
  if ((state_ & POISONED) != 0) {
    trap.message = "the instance trapped or exited earlier and runs nothing more";
  } else if ((state_ & SUSPENDED) != 0) {
    trap.message = "another call is suspended in this store";
  } else {
    return std::nullopt;
  }
  return trap;
}

void Store::setDeadline(std::optional<Clock::time_point> deadline) {
  deadline_ = deadline;
  updateTimed();
}

void Store::setStopFlag(const std::atomic<bool>* flag) {
  stopFlag_ = flag;
  updateTimed();
}

std::optional<TrapKind> Store::dueNow() const {
  if (stopFlag_ != nullptr && stopFlag_->load(std::memory_order_relaxed)) {
    return TrapKind::CANCELLED;
  }
  if (deadline_ && Clock::now() >= *deadline_) return TrapKind::DEADLINE;
  return std::nullopt;
}

std::string_view Store::messageOf(TrapKind due) {
  return due == TrapKind::DEADLINE ? "the deadline passed" : "the call was cancelled";
}

void Store::setSlice(std::chrono::milliseconds slice) {
  int64_t ticks = (slice.count() + Engine::TICK_MILLISECONDS - 1) / Engine::TICK_MILLISECONDS;
  sliceTicks_ = static_cast<uint32_t>(std::clamp<int64_t>(ticks, 0, 1'000'000));
  updateTimed();
}

void Store::updateTimed() {
  bool timed = deadline_.has_value() || stopFlag_ != nullptr || sliceTicks_ != 0;
  if (timed == ((state_ & TIMED) != 0)) return;
  if (timed) {
    state_ |= TIMED;
    grace_ = true;
    engine_->holdTicker();
  } else {
    state_ &= ~TIMED;
    dropGrace();
  }
}

void Store::dropGrace() {
  if (std::exchange(grace_, false)) engine_->releaseTicker();
}

Store::Ticking::Ticking(Store& store) : store_(store), holds_((store.state_ & TIMED) != 0) {
  if (holds_) store.engine_->holdTicker();
}

Store::Ticking::~Ticking() {
  if (holds_) store_.engine_->releaseTicker();
  if (store_.depth_ == 0 || store_.busy()) store_.dropGrace();
}

// Called by guest code at every tick, as long as any store's deadline or slice keeps the clock
// ticking.
wasmtime_error_t* Store::onEpoch(wasmtime_context_t*, void* data, uint64_t* delta,
                                 wasmtime_update_deadline_kind_t* kind) noexcept {
  Store& store = *static_cast<Store*>(data);
  store.noteArrival();
  *delta = 1;
  *kind = WASMTIME_UPDATE_DEADLINE_CONTINUE;
  if (auto due = store.dueNow()) {
    store.keep(*due, messageOf(*due));
    return wasmtime_error_new("interrupted");
  }
  if (store.sliceIsOver()) *kind = WASMTIME_UPDATE_DEADLINE_YIELD;
  return nullptr;
}

// At the end of a host function. Why the call must end; nothing when it may go on, or has a Trap.
std::optional<TrapKind> Store::noticeTick() {
  tickSeen_ = engine_->ticks();
  if (auto due = dueNow()) return due;
  if (!sliceIsOver()) return std::nullopt;
  if (!EngineAccess::takeTurn(*this)) return std::nullopt;
  return dueNow();  // time has passed
}

bool Store::sliceIsOver() {
  tickSeen_ = engine_->ticks();
  return (state_ & ON_FIBER) != 0 && sliceTicks_ != 0 && tickSeen_ >= fiber_->sliceEnd_;
}

void Store::noteArrival() {
#if defined(TENON_ENGINE_ASAN)
  if ((state_ & ON_FIBER) != 0) fiber_->arriveOnFiber();
#endif
}

}  // namespace tenon::engine
