#include "host/host_testing.h"

#include <tenon/call_options.h>

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace tenon::host {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr const char* API = "demo:host/api";
constexpr const char* AN_HOUR = "3600000";  // in milliseconds: nothing here waits for it

CallOptions within(nanoseconds time) { return {.timeout = time}; }
CallOptions until(const Canceller& canceller) { return {.canceller = canceller}; }

// Uses a canceller from another thread, some time after the call has begun.
class OtherThread {
 public:
  explicit OtherThread(Canceller canceller)
      : thread_([canceller = std::move(canceller)] {
          std::this_thread::sleep_for(milliseconds(20));
          canceller.cancel();
        }) {}
  ~OtherThread() { thread_.join(); }
  OtherThread(const OtherThread&) = delete;
  OtherThread& operator=(const OtherThread&) = delete;

 private:
  std::thread thread_;
};

// A component whose `call-inc` calls `inc`.
class WithHost : public ::testing::Test {
 protected:
  template <typename Callable>
  Function<uint32_t(uint32_t)> callInc(Callable inc, const InstanceOptions& options = {}) {
    linker.resource(API, "ticket");
    for (const FunctionInfo& import : guest("host_imports").imports()) {
      linker.dynamicFunction(API, import.name, [](const FunctionInfo&, std::vector<Value>) {
        return Result<std::vector<Value>>(std::vector<Value>{});
      });
    }
    linker.function(API, "inc", std::move(inc));
    instance.emplace(linker.instantiate(guest("host_imports"), loop, options).value());
    return instance->function<uint32_t(uint32_t)>("", "call-inc").value();
  }
  Function<void()> spin(const InstanceOptions& options = {}) {
    instance.emplace(linker.instantiate(guest("types"), loop, options).value());
    return instance->function<void()>("tenon:types/faults", "spin").value();
  }

  Loop loop;
  Linker linker;
  std::optional<Instance> instance;
};

using CallTimeout = WithHost;

TEST_F(CallTimeout, EndsOneCallOfAnInstanceWithoutOne) {
  auto ended = spin().call(within(milliseconds(30)));
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, ErrorCode::DEADLINE);
}

TEST_F(CallTimeout, IsForThatCallOnly) {
  auto inc = callInc([](uint32_t v) {
    std::this_thread::sleep_for(milliseconds(300));
    return v + 1;
  });
  EXPECT_EQ(inc.call(within(milliseconds(200)), 0).value(), 0u) << "which calls nothing";
  EXPECT_EQ(inc(1).value(), 1u) << "without a limit again";
}

TEST_F(CallTimeout, ReplacesTheInstances) {
  InstanceOptions options;
  options.timeout = milliseconds(200);
  Program longer(loop, {"sleep", "400"}, options);
  EXPECT_EQ(longer.instance->run(within(nanoseconds::max())).value(), 0);
  Program shorter(loop, {"sleep", AN_HOUR}, options);
  EXPECT_EQ(shorter.instance->run().error().code, ErrorCode::DEADLINE);
}

TEST_F(CallTimeout, EndsACallThatWaits) {
  Program program(loop, {"sleep", AN_HOUR});
  EXPECT_EQ(program.instance->run(within(milliseconds(20))).error().code, ErrorCode::DEADLINE);
}

// What a host function takes that is too long: on a busy machine the clock's ticks come late.
constexpr milliseconds LONG[] = {milliseconds(60), milliseconds(600), milliseconds(6000)};

TEST_F(CallTimeout, CountsWhatHostFunctionsTake) {
  milliseconds takes;
  auto inc = callInc([&takes](uint32_t v) {
    std::this_thread::sleep_for(takes);
    return v + 1;
  });
  Result<uint32_t> late = 0u;
  for (auto time = std::begin(LONG); late && time != std::end(LONG); ++time) {
    takes = *time;
    late = inc.call(within(milliseconds(10)), 1);
  }
  ASSERT_FALSE(late) << "the guest does nothing more that could notice";
  EXPECT_EQ(late.error().code, ErrorCode::DEADLINE);
  EXPECT_EQ(late.error().message, "demo:host/api.inc: the deadline passed");
}

TEST_F(CallTimeout, CountsWhatHostFunctionsTakeOnAFiberToo) {
  milliseconds takes;
  callInc([&takes](uint32_t v) {
    std::this_thread::sleep_for(takes);
    return v + 1;
  });
  Result<std::vector<Value>> late = std::vector<Value>();
  for (auto time = std::begin(LONG); late && time != std::end(LONG); ++time) {
    takes = *time;
    auto pending = instance->function("call-inc")
                       .value()
                       .start({Value(uint32_t{1})}, within(milliseconds(10)));
    late = pending.value().wait();
  }
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().message, "demo:host/api.inc: the deadline passed");
}

TEST_F(CallTimeout, LeavesHostFunctionsThatAreInTimeAlone) {
  auto inc = callInc([](uint32_t v) {
    std::this_thread::sleep_for(milliseconds(20));
    return v + 1;
  });
  EXPECT_EQ(inc.call(within(std::chrono::minutes(1)), 2).value(), 2u);
}

using Cancelling = WithHost;

// What `call` fails with, which another thread cancels after it began: on a busy machine that
// thread may be faster, and the call is made again.
template <typename Call>
Error cancelled(const Call& call) {
  while (true) {
    Canceller canceller;
    OtherThread other(canceller);
    Error error = call(until(canceller)).error();
    EXPECT_EQ(error.code, ErrorCode::CANCELLED);
    if (error.message != "the call was cancelled before it began") return error;
  }
}

TEST_F(Cancelling, EndsAGuestThatComputes) {
  auto forever = spin();
  Error error = cancelled([&](const CallOptions& options) { return forever.call(options); });
  EXPECT_EQ(error.message, "the call was cancelled");
  EXPECT_EQ(instance->function("nop").value().call({}).error().code, ErrorCode::UNUSABLE);
}

TEST_F(Cancelling, EndsAGuestThatComputesOnAFiber) {
  spin();
  cancelled([&](const CallOptions& options) -> Result<void> {
    TENON_TRY(PendingCall pending, instance->function("spin").value().start({}, options));
    TENON_CHECK(pending.wait());
    return {};
  });
  EXPECT_EQ(instance->function("nop").value().call({}).error().code, ErrorCode::UNUSABLE);
}

TEST_F(Cancelling, EndsAGuestThatWaits) {
  Program program(loop, {"sleep", AN_HOUR});
  cancelled([&](const CallOptions& options) { return program.instance->run(options); });
  EXPECT_EQ(program.instance->run().error().code, ErrorCode::UNUSABLE);
}

TEST_F(Cancelling, IsNoticedWhenAHostFunctionReturns) {
  Canceller canceller;
  auto inc = callInc([canceller](uint32_t v) {
    canceller.cancel();
    return v + 1;
  });
  auto ended = inc.call(until(canceller), 1);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, ErrorCode::CANCELLED);
  EXPECT_EQ(ended.error().message, "demo:host/api.inc: the call was cancelled");
}

TEST_F(Cancelling, BeforeTheCallBeginsLeavesTheInstanceAsItWas) {
  auto inc = callInc([](uint32_t v) { return v + 1; });
  Canceller canceller;
  canceller.cancel();
  EXPECT_TRUE(canceller.cancelled());
  EXPECT_EQ(inc.call(until(canceller), 1).error().code, ErrorCode::CANCELLED);
  auto started =
      instance->function("call-inc").value().start({Value(uint32_t{1})}, until(canceller));
  EXPECT_EQ(started.error().code, ErrorCode::CANCELLED);
  EXPECT_EQ(inc(1).value(), 1u);
}

TEST_F(Cancelling, AfterTheCallHasEndedChangesNothing) {
  auto inc = callInc([](uint32_t v) { return v + 1; });
  {
    Canceller canceller;
    EXPECT_EQ(inc.call(until(canceller), 1).value(), 1u);
    canceller.cancel();
  }
  EXPECT_EQ(inc(2).value(), 2u) << "nothing looks at the canceller any more";
}

TEST_F(Cancelling, EndsAllCallsOfACanceller) {
  Canceller canceller;
  std::vector<std::thread> threads;
  std::vector<ErrorCode> codes(3, ErrorCode::INTERNAL);
  for (ErrorCode& code : codes) {
    threads.emplace_back([&code, canceller] {
      Loop loop;
      Program program(loop, {"sleep", AN_HOUR});
      code = program.instance->run(until(canceller)).error().code;
    });
  }
  {
    Program program(loop, {"sleep", AN_HOUR});
    auto first = program.instance->startRun(until(canceller)).value();
    Program second(loop, {"sleep", AN_HOUR});
    auto pending = second.instance->startRun(until(canceller)).value();
    OtherThread other(canceller);
    EXPECT_EQ(first.wait().error().code, ErrorCode::CANCELLED);
    EXPECT_EQ(pending.wait().error().code, ErrorCode::CANCELLED);
  }
  for (std::thread& thread : threads) thread.join();
  for (ErrorCode code : codes) EXPECT_EQ(code, ErrorCode::CANCELLED);
}

TEST_F(Cancelling, AndTimeoutsNeedAnEngineThatCanInterruptGuests) {
  EngineOptions settings;
  settings.interruptible = false;
  Component types = guestWith(settings, "types");
  Instance plain = linker.instantiate(types, loop).value();
  auto add = plain.function<uint32_t(uint32_t, uint32_t)>("", "add").value();
  EXPECT_EQ(add.call(within(milliseconds(30)), 1, 2).error().code, ErrorCode::INVALID_ARGUMENT);
  EXPECT_EQ(add.call(until(Canceller()), 1, 2).error().code, ErrorCode::INVALID_ARGUMENT);
  EXPECT_EQ(add(1, 2).value(), 3u);
}

}  // namespace
}  // namespace tenon::host
