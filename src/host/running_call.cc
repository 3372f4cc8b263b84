#include "host/running_call.h"

#include "host/exported.h"
#include "host/isolated.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

namespace tenon::host {
namespace {

// How long until the store's deadline; nothing when it has none.
kj::Maybe<kj::Duration> timeLeft(const engine::Store& store) {
  if (!store.deadline()) return nullptr;
  auto left = *store.deadline() - engine::Store::Clock::now();
  auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(left).count();
  return std::max<int64_t>(nanoseconds, 0) * kj::NANOSECONDS;
}

}  // namespace

Error takeTrap(InstanceState& instance) { return instance.instance->takeTrap().toError(); }

Result<void> beginCall(run::Instance& instance, const CallOptions& options) {
  bool isPlain = !options.timeout && !options.canceller;
  if (!isPlain && !instance.linked().engine()->options().interruptible) {
    return Error(ErrorCode::INVALID_ARGUMENT,
                 "a timeout or canceller needs an engine whose guests can be interrupted");
  }
  run::CallLimits limits{.timeout = options.timeout};
  if (options.canceller) {
    if (options.canceller->cancelled()) {
      return Error(ErrorCode::CANCELLED, "the call was cancelled before it began");
    }
    limits.stopFlag = &CancelState::of(*options.canceller)->cancelled;
  }
  instance.beginCall(limits);
  return {};
}

InstanceState::InstanceState(LoopState& loop, std::shared_ptr<const PreparedState> prepared)
    : loop(loop), prepared(std::move(prepared)) {}

InstanceState::~InstanceState() {
  if (running) running->cancel(Error(ErrorCode::CANCELLED, "the instance was destroyed"));
}

RunningCall::RunningCall(ExportedFunction& function, const abi::CallCodec& codec)
    : instance_(function.instance),
      loop_(instance_.loop),
      scheduler_(loop_.scheduler),
      function_(&function),
      codec_(codec),
      fiber_(instance_.instance->store(), onReady, this) {}

RunningCall::RunningCall(InstanceState& instance)
    : instance_(instance),
      loop_(instance.loop),
      scheduler_(loop_.scheduler),
      function_(nullptr),
      codec_(),
      fiber_(instance.instance->store(), onReady, this) {}

RunningCall::~RunningCall() {
  if (begun_ && !done_) cancel(Error(ErrorCode::CANCELLED, "the call was cancelled"));
}

void RunningCall::cancel(Error why) {
  driving_ = nullptr;
  ready_ = nullptr;
  fiber_.cancel();
  instance_.instance->store().takeTrap();
  finish(std::move(why));
}

bool RunningCall::body(void* context, engine::Store&) {
  auto& self = *static_cast<RunningCall*>(context);
  run::Instance& instance = *self.instance_.instance;
  if (!instance.complete()) return instance.runStart();
  return instance.execute(self.function_->function, self.codec_);
}

void RunningCall::onReady(void* context, engine::Fiber&) {
  auto& self = *static_cast<RunningCall*>(context);
  KJ_IF_MAYBE (fulfiller, self.ready_) (*fulfiller)->fulfill();
}

Result<void> RunningCall::start(Turns turns, const CallOptions& options) {
  run::Instance& instance = *instance_.instance;
  engine::Store& store = instance.store();
  if (store.poisoned()) {
    return Error(ErrorCode::UNUSABLE,
                 "the instance trapped or exited earlier and runs nothing more");
  }
  if (store.fiber() || instance.inCall()) {
    return Error(ErrorCode::UNUSABLE, "another call of this instance is not done yet");
  }
  if (turns == Turns::SHARED && function_) {
    if (auto outcome = function_->callNow(codec_, options)) {
      outcome_ = *std::move(outcome);
      done_ = true;
      return {};
    }
  }
  if (options.canceller) cancel_ = CancelState::of(*options.canceller);
  takesTurns_ = scheduler_.takesTurns(turns);
  if (instance.complete()) TENON_CHECK(beginCall(instance, options));
  begun_ = true;
  scheduler_.begin();
  instance_.running = this;
  auto state = proceed();
  if (!state) {
    finish(std::move(state).error());
  } else if (*state != engine::Fiber::State::DONE) {
    driving_ = drive().eagerlyEvaluate(nullptr).fork();
  }
  return {};
}

// Begins one thing after the other, start functions and then the call, until one waits or has had
// its turn, or all are done.
Result<engine::Fiber::State> RunningCall::proceed() {
  using State = engine::Fiber::State;
  run::Instance& instance = *instance_.instance;
  while (!called_) {
    bool starts = false;
    if (!instance.complete()) {
      TENON_TRY(starts, instance.advance());
      if (!starts) {
        if (whenInstantiated) TENON_CHECK(whenInstantiated());
        instance.beginCall();  // from here on it has a call's time
      }
    }
    if (!starts) {
      called_ = true;
      if (!function_) break;
    }
    auto waits = starts ? engine::Fiber::Waits::REFUSED : engine::Fiber::Waits::ALLOWED;
    TENON_TRY(State reached, scheduler_.run(instance.store(), takesTurns_,
                                            [&] { return fiber_.start(body, this, waits); }));
    if (reached != State::DONE) return reached;
    if (!fiber_.succeeded()) return takeTrap(instance_);
  }
  finish({});
  return State::DONE;
}

void RunningCall::finish(Result<void> outcome) {
  outcome_ = std::move(outcome);
  instance_.instance->store().setSlice(std::chrono::milliseconds::zero());
  instance_.instance->endCall();
  instance_.running = nullptr;
  scheduler_.end();
  done_ = true;
}

kj::Promise<void> RunningCall::drive() {
  using State = engine::Fiber::State;
  engine::Store& store = instance_.instance->store();
  kj::Timer& timer = scheduler_.timer();
  kj::Maybe<kj::Own<CancelWatch>> watch;
  if (cancel_) watch = kj::heap<CancelWatch>(cancel_);
  while (!done_) {
    bool late = false;
    if (fiber_.state() == State::YIELDED) {
      co_await scheduler_.nextTurn();
    } else {
      auto paf = kj::newPromiseAndFulfiller<void>();
      ready_ = kj::mv(paf.fulfiller);
      kj::Promise<void> ready = kj::mv(paf.promise);
      KJ_IF_MAYBE (left, timeLeft(store)) {
        ready = ready.exclusiveJoin(timer.afterDelay(*left).then([&late]() { late = true; }));
      }
      KJ_IF_MAYBE (w, watch) ready = ready.exclusiveJoin((*w)->whenCancelled());
      co_await ready;
      ready_ = nullptr;
    }
    if (cancel_ && cancel_->cancelled) {
      fiber_.cancel(engine::TrapKind::CANCELLED);
    } else if (late) {
      fiber_.cancel(engine::TrapKind::DEADLINE);
    } else {
      // Whoever waited has let others begin meanwhile.
      scheduler_.run(store, true, [&] { return fiber_.poll(); });
    }
    if (fiber_.state() != State::DONE) continue;
    if (!fiber_.succeeded()) {
      finish(takeTrap(instance_));
    } else if (auto state = proceed(); !state) {
      finish(std::move(state).error());
    }
  }
}

kj::Promise<Result<void>> ExportedFunction::call(const abi::CallCodec& codec,
                                                 const CallOptions& options) {
  auto call = kj::heap<RunningCall>(*this, codec);
  if (auto started = call->start(Turns::ALWAYS, options); !started) return started;
  if (call->done()) return call->takeOutcome();
  RunningCall& running = *call;
  return running.whenDone()
      .then([&running]() { return running.takeOutcome(); })
      .attach(kj::mv(call));
}

void RunningCall::wait() {
  if (done_) return;
  if (!scheduler_.mayWait()) {
    cancel(
        Error(ErrorCode::UNSUPPORTED,
              "a host function cannot wait for a call: the guest that called it holds the loop"));
    return;
  }
  driving_.addBranch().wait(loop_.io.waitScope);
}

Result<void> instantiate(InstanceState& instance, std::shared_ptr<const run::Linked> linked,
                         run::InstanceOptions options) {
  if (!linked->hasStarts() || instance.loop.scheduler.isFree()) {
    TENON_TRY(instance.instance, run::Instance::create(std::move(linked), std::move(options)));
    return {};
  }
  TENON_TRY(instance.instance, run::Instance::make(std::move(linked), std::move(options)));
  RunningCall call(instance);
  TENON_CHECK(call.start(Turns::SHARED));
  call.wait();
  return call.takeOutcome();
}

void drain(InstanceState& instance, const CallOptions& options) {
  LoopState& loop = instance.loop;
  if (!loop.scheduler.mayWait()) return;
  kj::Promise<void> drained = kj::READY_NOW;
  for (const auto& context : instance.contexts) {
    drained = drained.then([&context]() { return context->drained(); });
  }
  if (instance.isolated) {
    drained = drained.then([&instance]() { return instance.isolated->drained(); });
  }
  KJ_IF_MAYBE (left, timeLeft(instance.instance->store())) {
    drained = drained.exclusiveJoin(loop.io.provider->getTimer().afterDelay(*left));
  }
  std::optional<CancelWatch> watch;
  if (options.canceller) {
    watch.emplace(CancelState::of(*options.canceller));
    drained = drained.exclusiveJoin(watch->whenCancelled());
  }
  drained.wait(loop.io.waitScope);
}

}  // namespace tenon::host
