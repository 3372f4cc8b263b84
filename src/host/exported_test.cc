#include "host/exported.h"

#include "host/host_testing.h"

#include <tenon/instance.h>

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>

namespace tenon::host {
namespace {

constexpr const char* AN_HOUR = "3600000";  // in milliseconds: nothing here waits for it

// A call of `add` by its flat values.
struct Sum {
  uint32_t a = 0;
  uint32_t b = 0;
  std::optional<uint32_t> sum = {};

  abi::CallCodec codec() {
    return {.self = this,
            .lower =
                [](void* self, abi::Context&, RawValue* values) {
                  values[0].i32 = static_cast<Sum*>(self)->a;
                  values[1].i32 = static_cast<Sum*>(self)->b;
                },
            .lift = [](void* self, abi::Context&,
                       const RawValue* values) { static_cast<Sum*>(self)->sum = values[0].i32; }};
  }
};

constexpr abi::CallCodec NOTHING{
    .lower = [](void*, abi::Context&, RawValue*) {},
    .lift = [](void*, abi::Context&, const RawValue*) {},
};

// Exports of one instance, as whoever calls guests sees them.
class Callees : public ::testing::Test {
 protected:
  call::Callee& find(const std::string& name) {
    functions.push_back(instance.function(name).value());
    return FunctionState::of(functions.back()).exported;
  }
  kj::WaitScope& waitScope() { return LoopState::of(loop).io.waitScope; }

  Loop loop;
  Linker linker;
  Instance instance = linker.instantiate(guest("types"), loop).value();
  std::vector<DynamicFunction> functions;
};

TEST_F(Callees, HaveTheTypeOfTheirExport) {
  EXPECT_EQ(toString(find("add").type()), "func(a: u32, b: u32) -> u32");
}

TEST_F(Callees, RunAtOnceWhatNeitherWaitsNorTakesTurns) {
  Sum call{2, 3};
  auto outcome = find("add").callNow(call.codec(), {});
  ASSERT_TRUE(outcome && *outcome);
  EXPECT_EQ(call.sum, 5u);
}

TEST_F(Callees, RunNothingAtOnceWhileOthersGoOn) {
  Program sleeping(loop, {"sleep", AN_HOUR});
  auto sleeps = sleeping.instance->startRun().value();
  Sum call{2, 3};
  EXPECT_FALSE(find("add").callNow(call.codec(), {}));
  EXPECT_FALSE(call.sum);
  EXPECT_TRUE(find("add").call(call.codec(), {}).wait(waitScope()));
  EXPECT_EQ(call.sum, 5u);
}

TEST_F(Callees, RunNothingAtOnceThatMayWait) {
  Program sleeping(loop, {"sleep", "1"});
  DynamicFunction run = sleeping.instance->function("wasi:cli/run.run").value();
  call::Callee& callee = FunctionState::of(run).exported;
  EXPECT_FALSE(callee.callNow(NOTHING, {}));
  auto called = callee.call(NOTHING, {});
  EXPECT_FALSE(called.poll(waitScope()));
  EXPECT_TRUE(called.wait(waitScope()));
}

TEST_F(Callees, TellWhatEndsACall) {
  call::Callee& trap = find("faults.trap");
  auto outcome = trap.callNow(NOTHING, {});
  ASSERT_TRUE(outcome && !*outcome);
  EXPECT_EQ(outcome->error().code, ErrorCode::TRAPPED);
  EXPECT_EQ(trap.call(NOTHING, {}).wait(waitScope()).error().code, ErrorCode::UNUSABLE);
}

TEST_F(Callees, AreCancelledWithTheirPromise) {
  call::Callee& spin = find("faults.spin");
  {
    // Its turns end and come again, its call does not end.
    auto spinning = spin.call(NOTHING, {});
    loop.runFor(std::chrono::milliseconds(20));
    Sum call{2, 3};
    EXPECT_EQ(find("add").call(call.codec(), {}).wait(waitScope()).error().message,
              "another call of this instance is not done yet");
  }
  auto again = spin.call(NOTHING, {}).wait(waitScope());
  EXPECT_EQ(again.error().code, ErrorCode::UNUSABLE);
}

TEST_F(Callees, HoldToTheOptionsOfACall) {
  CallOptions options{.timeout = std::chrono::milliseconds(20)};
  auto late = find("faults.spin").call(NOTHING, options).wait(waitScope());
  EXPECT_EQ(late.error().code, ErrorCode::DEADLINE);
}

}  // namespace
}  // namespace tenon::host
