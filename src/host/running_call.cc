#include <utility>

#include "host/state.h"

namespace tenon::host {

RunningCall::RunningCall(InstanceState& instance, const engine::Instance::Export& function,
                         const engine::CallCodec& codec)
    : instance_(instance),
      function_(function),
      codec_(codec),
      fiber_(instance.instance->store(), onReady, this) {}

RunningCall::~RunningCall() {
  if (done_ || !fiber_.started()) return;
  driving_ = nullptr;
  fiber_.cancel();
}

bool RunningCall::body(void* context, engine::Store&) {
  auto& self = *static_cast<RunningCall*>(context);
  return self.function_.instance->execute(self.function_, self.codec_);
}

void RunningCall::onReady(void* context, engine::Fiber&) {
  auto& self = *static_cast<RunningCall*>(context);
  KJ_IF_MAYBE(fulfiller, self.ready_) (*fulfiller)->fulfill();
}

Result<void> RunningCall::start() {
  engine::Instance& instance = *instance_.instance;
  instance.beginCall();
  if (!instance.mayBlock()) {
    succeeded_ = instance.execute(function_, codec_);
    done_ = true;
    return {};
  }
  TENON_TRY(engine::Fiber::State state, fiber_.start(body, this));
  if (state == engine::Fiber::State::DONE) {
    succeeded_ = fiber_.succeeded();
    done_ = true;
    return {};
  }
  driving_ = drive().eagerlyEvaluate(nullptr).fork();
  return {};
}

kj::Promise<void> RunningCall::drive() {
  engine::Store& store = instance_.instance->store();
  kj::Timer& timer = instance_.loop.io.provider->getTimer();
  while (fiber_.state() != engine::Fiber::State::DONE) {
    if (fiber_.state() == engine::Fiber::State::YIELDED) {
      // By way of the timer, so that the loop also looks at I/O.
      co_await timer.afterDelay(0 * kj::NANOSECONDS);
      fiber_.poll();
      continue;
    }
    auto paf = kj::newPromiseAndFulfiller<void>();
    ready_ = kj::mv(paf.fulfiller);
    bool late = false;
    if (store.deadline()) {
      auto left = *store.deadline() - engine::Store::Clock::now();
      auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(left).count();
      kj::Promise<void> expired =
          timer.afterDelay(std::max<int64_t>(nanoseconds, 0) * kj::NANOSECONDS);
      co_await paf.promise.exclusiveJoin(expired.then([&late]() { late = true; }));
    } else {
      co_await paf.promise;
    }
    ready_ = nullptr;
    if (late) {
      fiber_.cancel(engine::TrapKind::DEADLINE);
    } else {
      fiber_.poll();
    }
  }
  succeeded_ = fiber_.succeeded();
  done_ = true;
}

void RunningCall::wait() {
  if (done_) return;
  driving_.addBranch().wait(instance_.loop.io.waitScope);
}

Result<void> RunningCall::outcome() {
  if (succeeded_) return {};
  return instance_.instance->store().takeTrap().toError();
}

}  // namespace tenon::host
