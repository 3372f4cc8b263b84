#include "engine/blame.h"
#include "host/state.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

namespace tenon::host {
namespace {

// After so much computing a guest lets the other calls of its loop go on.
constexpr std::chrono::milliseconds SLICE{10};

// How long until the store's deadline; nothing when it has none.
kj::Maybe<kj::Duration> timeLeft(const engine::Store& store) {
  if (!store.deadline()) return nullptr;
  auto left = *store.deadline() - engine::Store::Clock::now();
  auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(left).count();
  return std::max<int64_t>(nanoseconds, 0) * kj::NANOSECONDS;
}

}  // namespace

Error takeTrap(InstanceState& instance) {
  engine::Trap trap = instance.instance->store().takeTrap();
  engine::nameComponent(instance.instance->program(), trap);
  return trap.toError();
}

Result<void> beginCall(engine::Instance& instance, const CallOptions& options) {
  bool isPlain = !options.timeout && !options.canceller;
  if (!isPlain && !instance.linked().engine()->options().interruptible) {
    return Error(ErrorCode::INVALID_ARGUMENT,
                 "a timeout or canceller needs an engine whose guests can be interrupted");
  }
  engine::CallLimits limits{.timeout = options.timeout};
  if (options.canceller) {
    if (options.canceller->cancelled()) {
      return Error(ErrorCode::CANCELLED, "the call was cancelled before it began");
    }
    limits.stopFlag = &CancelState::of(*options.canceller)->cancelled;
  }
  instance.beginCall(limits);
  return {};
}

InstanceState::~InstanceState() {
  if (running) running->cancel(Error(ErrorCode::CANCELLED, "the instance was destroyed"));
}

RunningCall::RunningCall(InstanceState& instance, const engine::Instance::Export& function,
                         const engine::CallCodec& codec)
    : instance_(instance),
      loop_(instance.loop),
      function_(function),
      codec_(codec),
      fiber_(instance.instance->store(), onReady, this) {}

RunningCall::~RunningCall() {
  if (!done_ && fiber_.started()) cancel(Error(ErrorCode::CANCELLED, "the call was cancelled"));
}

void RunningCall::cancel(Error why) {
  driving_ = nullptr;
  ready_ = nullptr;
  fiber_.cancel();
  finish();
  outcome_ = std::move(why);
}

bool RunningCall::body(void* context, engine::Store&) {
  auto& self = *static_cast<RunningCall*>(context);
  return self.function_.instance->execute(self.function_, self.codec_);
}

void RunningCall::onReady(void* context, engine::Fiber&) {
  auto& self = *static_cast<RunningCall*>(context);
  KJ_IF_MAYBE (fulfiller, self.ready_) (*fulfiller)->fulfill();
}

Result<void> RunningCall::start(Turns turns, const CallOptions& options) {
  engine::Instance& instance = *instance_.instance;
  engine::Store& store = instance.store();
  if (store.poisoned()) {
    return Error(ErrorCode::UNUSABLE,
                 "the instance trapped or exited earlier and runs nothing more");
  }
  if (store.fiber() || instance.inCall()) {
    return Error(ErrorCode::UNUSABLE, "another call of this instance is not done yet");
  }
  TENON_CHECK(beginCall(instance, options));
  if (options.canceller) cancel_ = CancelState::of(*options.canceller);
  // Inside a host function there are no turns: what is called there must be done before it returns.
  bool takesTurns = turns == Turns::ALWAYS || takesTurnsNow(loop_);
  if (!instance.mayBlock() && !takesTurns) {
    if (!instance.execute(function_, codec_)) outcome_ = takeTrap(instance_);
    instance.endCall();
    done_ = true;
    return {};
  }
  ++loop_.calls;
  instance_.running = this;
  auto started = [&]() {
    ++loop_.inside;
    store.setSlice(takesTurns ? SLICE : SLICE.zero());
    auto state = fiber_.start(body, this);
    --loop_.inside;
    return state;
  }();
  if (!started) {
    --loop_.calls;
    instance_.running = nullptr;
    instance.endCall();
    return std::move(started).error();
  }
  if (*started == engine::Fiber::State::DONE) {
    finish();
  } else {
    driving_ = drive().eagerlyEvaluate(nullptr).fork();
  }
  return {};
}

// Takes the outcome out of the store, where another call's could follow.
void RunningCall::finish() {
  engine::Store& store = instance_.instance->store();
  if (!fiber_.succeeded()) outcome_ = takeTrap(instance_);
  store.setSlice(SLICE.zero());
  instance_.instance->endCall();
  instance_.running = nullptr;
  --loop_.calls;
  done_ = true;
}

kj::Promise<void> RunningCall::drive() {
  engine::Store& store = instance_.instance->store();
  kj::Timer& timer = loop_.io.provider->getTimer();
  kj::Maybe<kj::Own<CancelWatch>> watch;
  if (cancel_) watch = kj::heap<CancelWatch>(cancel_);
  while (fiber_.state() != engine::Fiber::State::DONE) {
    bool late = false;
    if (fiber_.state() == engine::Fiber::State::YIELDED) {
      // By way of the timer, so that the loop also looks at I/O.
      co_await timer.afterDelay(0 * kj::NANOSECONDS);
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
      ++loop_.inside;
      store.setSlice(SLICE);
      fiber_.poll();
      --loop_.inside;
    }
  }
  finish();
}

void RunningCall::wait() {
  if (done_) return;
  if (loop_.inside > 0) {
    cancel(
        Error(ErrorCode::UNSUPPORTED,
              "a host function cannot wait for a call: the guest that called it holds the loop"));
    return;
  }
  driving_.addBranch().wait(loop_.io.waitScope);
}

void drain(InstanceState& instance, const CallOptions& options) {
  LoopState& loop = instance.loop;
  if (loop.inside > 0) return;
  kj::Promise<void> drained = kj::READY_NOW;
  for (const auto& context : instance.contexts) {
    drained = drained.then([&context]() { return context->drained(); });
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
