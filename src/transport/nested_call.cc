#include "transport/nested_call.h"

#include "call/waitable.h"
#include "engine/native_stack.h"
#include "run/caller.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace tenon::transport {

using engine::Fiber;
using engine::TrapKind;

uint64_t ErrorMover::lift(abi::Context& from, const abi::MovedHandle& type, uint32_t index) {
  uint32_t rep = from.liftOwn(type.from, index);
  if (from.failed()) return 0;
  auto error = from_.take<RpcError>(rep);
  if (!error) {
    from.fail("the handle does not stand for an error");
    return 0;
  }
  lifted_.push_back(std::move(error));
  return lifted_.size() - 1;
}

uint32_t ErrorMover::lower(abi::Context& to, const abi::MovedHandle& type, uint64_t lifted) {
  uint32_t rep = to_.add(std::move(lifted_[lifted]));
  if (rep != 0) return to.lowerOwn(type.to, rep);
  to.fail("the instance holds too many host resources");
  return 0;
}

NestedCall::NestedCall(call::HostCall& caller, RawValue* values, const abi::Transfer& transfer,
                       Guest& guest, size_t number, const Target& target, Turns& turns)
    : caller_(caller),
      values_(values),
      transfer_(transfer),
      guest_(guest),
      number_(number),
      target_(target),
      turns_(turns),
      calling_(run::callerOf(caller)),
      callee_(*guest.instance()),
      canWait_(calling_.store().fiber() != nullptr) {
  if (!transfer_.handles().empty()) handles_.emplace(callee_.objects(), calling_.objects());
}

NestedCall::~NestedCall() {
  if (fiber_) {
    fiber_->cancel();
    callee_.store().setSlice(std::chrono::milliseconds::zero());
  }
  callee_.endCall();
}

Result<void> NestedCall::run() { return runsHere() ? runHere() : runOnFiber(); }

// The deadline is the smaller of the callee's own and the caller's; who cancels the caller cancels
// this.
void NestedCall::begin() {
  const engine::Store& store = calling_.store();
  run::CallLimits limits{.timeout = target_.timeout, .stopFlag = store.stopFlag()};
  if (store.deadline()) {
    auto left = std::max(*store.deadline() - engine::Store::Clock::now(),
                         engine::Store::Clock::duration::zero());
    limits.timeout = limits.timeout ? std::min<std::chrono::nanoseconds>(*limits.timeout, left)
                                    : std::chrono::nanoseconds(left);
  }
  callee_.beginCall(limits);
}

// Finds the function, once the instance is complete.
Result<void> NestedCall::find() {
  if (guest_.functions[number_]) return {};
  TENON_TRY(guest_.functions[number_], callee_.resolve(target_.functions[number_]));
  return {};
}

bool NestedCall::runsHere() const {
  if (canWait_) return false;
  if (callee_.linked().mayBlock(*target_.functions[number_].lifted)) return false;
  const engine::EngineOptions& options = callee_.store().engine()->options();
  return engine::nativeStackLeft() >= 2 * (options.maxWasmStack + options.hostReserve);
}

Result<void> NestedCall::runHere() {
  while (!callee_.complete()) {
    TENON_TRY(bool starts, callee_.advance());
    if (!starts) break;
    begin();
    if (!callee_.runStart()) return takeTrap();
  }
  TENON_CHECK(find());
  begin();
  if (!callee_.execute(function(), codec())) return takeTrap();
  return {};
}

Result<void> NestedCall::runOnFiber() {
  fiber_.emplace(callee_.store(), onReady, this);
  while (!callee_.complete()) {
    TENON_TRY(bool starts, callee_.advance());
    if (!starts) break;
    begin();
    TENON_CHECK(drive(start, Fiber::Waits::REFUSED));
  }
  TENON_CHECK(find());
  begin();
  // Also where the caller cannot wait: the callee's results need it to stop.
  return drive(call, Fiber::Waits::ALLOWED);
}

bool NestedCall::start(void* self, engine::Store&) {
  return static_cast<NestedCall*>(self)->callee_.runStart();
}

bool NestedCall::call(void* self, engine::Store&) {
  auto& call = *static_cast<NestedCall*>(self);
  return call.callee_.execute(call.function(), call.codec());
}

void NestedCall::onReady(void* self, Fiber&) {
  auto& call = *static_cast<NestedCall*>(self);
  call.woken_ = true;
  call.caller_.wake();
}

Result<void> NestedCall::drive(Fiber::Body body, Fiber::Waits waits) {
  struct Beginning {
    NestedCall& call;
    Fiber::Body body;
    Fiber::Waits waits;
  } beginning{*this, body, waits};
  const auto slices = canWait_ ? Turns::Slices::YES : Turns::Slices::NO;
  engine::Store& store = callee_.store();
  auto state = turns_.run(
      store, slices,
      [](void* self) {
        auto& beginning = *static_cast<Beginning*>(self);
        return beginning.call.fiber_->start(beginning.body, &beginning.call, beginning.waits);
      },
      &beginning);
  while (state && *state != Fiber::State::DONE) {
    bool goesOn = true;
    if (resultsFrom_) {
      moveResults();
      fiber_->wake();
    } else if (*state == Fiber::State::YIELDED) {
      goesOn = call::wait(caller_, turns_.nextTurn());
    } else {
      goesOn = waitForCallee();
    }
    if (!goesOn) {
      fiber_->cancel();
      return takeTrap();
    }
    woken_ = false;
    state = turns_.run(
        store, slices,
        [](void* self) -> Result<Fiber::State> {
          return static_cast<NestedCall*>(self)->fiber_->poll();
        },
        this);
  }
  if (!state) return std::move(state).error();
  if (!fiber_->succeeded()) return takeTrap();
  return {};
}

// Until the callee can go on, or its time is up. False: the caller's call ended.
bool NestedCall::waitForCallee() {
  if (!canWait_) {
    fiber_->cancel(TrapKind::HOST, "this call would have to wait, and its caller cannot");
    return true;
  }
  bool isLate = false;
  kj::Promise<void> late = kj::NEVER_DONE;
  if (const auto& deadline = callee_.store().deadline()) {
    auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(*deadline -
                                                                     engine::Store::Clock::now());
    late = turns_.timer()
               .afterDelay(std::max<int64_t>(left.count(), 0) * kj::NANOSECONDS)
               .then([&]() {
                 isLate = true;
                 caller_.wake();
               })
               .eagerlyEvaluate(nullptr);
  }
  while (!woken_ && !isLate) {
    if (!caller_.suspend()) return false;
  }
  if (!woken_) fiber_->cancel(TrapKind::DEADLINE);
  return true;
}

void NestedCall::lower(void* self, abi::Context& context, RawValue* values) {
  auto& call = *static_cast<NestedCall*>(self);
  if (!call.transfer_.parameters(call.caller_, call.values_, context, values)) {
    context.fail("the caller's values are bad");  // unless it is the callee that failed
  }
}

void NestedCall::lift(void* self, abi::Context& context, const RawValue* values) {
  auto& call = *static_cast<NestedCall*>(self);
  call.resultsFrom_ = &context;
  call.resultValues_ = values;
  if (!call.fiber_ || !call.transfer_.resultsNeedRealloc()) return call.moveResults();
  // The caller's realloc needs the caller's stack.
  while (call.resultsFrom_) {
    if (engine::block(call.callee_.store())) continue;
    call.resultsFrom_ = nullptr;
    context.fail("the call was cancelled");
  }
}

void NestedCall::moveResults() {
  abi::Context& context = *std::exchange(resultsFrom_, nullptr);
  // Whichever side is to blame has failed then; when it is the caller, the callee did its part.
  (void)transfer_.results(context, resultValues_, caller_, values_,
                          handles_ ? &*handles_ : nullptr);
}

}  // namespace tenon::transport
