// Isolated links whose callee waits, and what ends such calls: deadlines, cancellation, full pools,
// chains that are too long.

#include "isolated_testing.h"

#include <tenon/call_options.h>
#include <tenon/component.h>
#include <tenon/engine.h>
#include <tenon/instance.h>
#include <tenon/linker.h>
#include <tenon/pending.h>
#include <tenon/workload.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tenon {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using ::testing::HasSubstr;
using testing_links::componentOf;
using testing_links::COUNT_DOWN;
using testing_links::PASS_ON;
using testing_links::step;
using testing_links::testEngine;
using testing_links::textOf;
using testing_links::WAIT_AND_COUNT;
using Via = WorkloadLink::Via;
using Life = InstancePolicy::Life;

constexpr const char* GATE = "h:h/gate";  // the host's: waits until the test says what it gives
constexpr const char* BACK = "t:t/back";
constexpr const char* FRONT = "t:t/front";

WorkloadLink isolated(const std::string& to, InstancePolicy policy = {},
                      std::optional<nanoseconds> timeout = {}) {
  return {.to = to, .via = Via::ISOLATED, .timeout = timeout, .instances = policy};
}

// "front", of which there may be many instances, calls "back" by a link; that waits at the gate.
class Waiting : public ::testing::Test {
 protected:
  Waiting() {
    linker.function(GATE, "run", [this](uint32_t v) {
      asked.push_back(v);
      return gates.emplace_back().pending();
    });
  }

  Workload workload(const WorkloadLink& link, const std::string& back = WAIT_AND_COUNT) {
    return Workload::fromComponents(
               testEngine(), "test",
               {{.name = "front",
                 .component = componentOf(step(BACK, FRONT, PASS_ON)),
                 .links = {{BACK, link}}},
                {.name = "back", .component = componentOf(step(GATE, BACK, back))}})
        .value();
  }
  // A call of an instance's front, begun.
  static PendingCall start(Instance& instance, uint32_t value, const CallOptions& options = {}) {
    auto function = instance.function("front", "run");
    if (!function) throw std::runtime_error(textOf(function.error()));
    return function->start({Value(value)}, options).value();
  }
  Instance instantiate(const Workload& workload, const WorkloadOptions& options = {}) {
    auto instance = workload.instantiate(linker, loop, options);
    if (!instance) throw std::runtime_error(textOf(instance.error()));
    return *std::move(instance);
  }
  static uint32_t numberOf(const Result<std::vector<Value>>& results) {
    if (!results) throw std::runtime_error(textOf(results.error()));
    return *results.value()[0].find<uint32_t>();
  }

  Loop loop;
  Linker linker;
  std::vector<uint32_t> asked;
  std::vector<Completer<uint32_t>> gates;
};

TEST_F(Waiting, TheCallerWaitsWithItsCallee) {
  Instance instance = instantiate(workload(isolated("back")));
  PendingCall call = start(instance, 7);
  ASSERT_EQ(asked, std::vector<uint32_t>{7});
  EXPECT_FALSE(call.done());
  gates[0].complete(0);
  EXPECT_EQ(numberOf(call.wait()), 1u);
}

TEST_F(Waiting, OthersGoOnMeanwhile) {
  Workload shop = workload(isolated("back", {.life = Life::REUSED}));
  Instance one = instantiate(shop), other = instantiate(shop);
  PendingCall first = start(one, 1), second = start(other, 2);
  ASSERT_EQ(gates.size(), 2u);
  gates[1].complete(0);
  EXPECT_EQ(numberOf(second.wait()), 1u);
  EXPECT_FALSE(first.done());
  gates[0].complete(0);
  EXPECT_EQ(numberOf(first.wait()), 1u);
}

TEST_F(Waiting, TheCalleesDeadlineEndsItsCallAndNotItsCaller) {
  Instance instance =
      instantiate(workload(isolated("back", {.life = Life::REUSED}, milliseconds(20))));
  Error error = start(instance, 1).wait().error();
  EXPECT_EQ(error.code, ErrorCode::TRAPPED);
  EXPECT_THAT(error.message,
              HasSubstr("t:t/back.run: the isolated link from front to back failed: DEADLINE: the "
                        "callee was not done after 20 ms"));
  EXPECT_TRUE(gates[0].abandoned());
}

TEST_F(Waiting, TheCallersDeadlineEndsItsCallee) {
  Instance instance = instantiate(workload(isolated("back", {}, hours(1))));
  Error error = start(instance, 1, {.timeout = milliseconds(20)}).wait().error();
  EXPECT_EQ(error.code, ErrorCode::DEADLINE);
  EXPECT_TRUE(gates[0].abandoned());
}

TEST_F(Waiting, ACancelledCallerEndsItsCallee) {
  Instance instance = instantiate(workload(isolated("back")));
  Canceller canceller;
  PendingCall call = start(instance, 1, {.canceller = canceller});
  ASSERT_EQ(gates.size(), 1u);
  canceller.cancel();
  EXPECT_EQ(call.wait().error().code, ErrorCode::CANCELLED);
  EXPECT_TRUE(gates[0].abandoned());
}

TEST_F(Waiting, ADroppedCallerEndsItsCallee) {
  Instance instance = instantiate(workload(isolated("back")));
  {
    PendingCall call = start(instance, 1);
  }
  ASSERT_EQ(gates.size(), 1u);
  EXPECT_TRUE(gates[0].abandoned());
  gates[0].complete(0);  // an answer that comes too late
  loop.runFor(milliseconds(1));
}

TEST_F(Waiting, AnInstanceThatGoesEndsItsCallee) {
  std::optional<PendingCall> call;
  {
    Instance instance = instantiate(workload(isolated("back")));
    call = start(instance, 1);
  }
  EXPECT_EQ(call->wait().error().code, ErrorCode::CANCELLED);
  EXPECT_TRUE(gates[0].abandoned());
}

// -- Pools. Both fronts are in one store, and share the pool.

class Pooling : public Waiting {
 protected:
  // "a" and "b" call "back" by links that say the same; each is passed on by "both", which has
  // to be told to whom: of odd numbers "b", in a fiber of its own.
  Workload pair(const WorkloadLink& link) {
    return Workload::fromComponents(
               testEngine(), "test",
               {{.name = "front",
                 .component = componentOf(step("t:t/middle", FRONT, PASS_ON)),
                 .links = {{"t:t/middle", isolated("middle")}}},
                {.name = "middle",
                 .component = componentOf(step(BACK, "t:t/middle", PASS_ON)),
                 .links = {{BACK, link}}},
                {.name = "back", .component = componentOf(step(GATE, BACK, WAIT_AND_COUNT))}})
        .value();
  }
};

TEST_F(Pooling, ChainsOfLinksWaitAndComeBack) {
  Instance instance = instantiate(pair(isolated("back", {.life = Life::REUSED})));
  for (uint32_t i = 1; i <= 3; ++i) {
    PendingCall call = start(instance, i);
    ASSERT_EQ(gates.size(), i);
    gates.back().complete(0);
    EXPECT_EQ(numberOf(call.wait()), i);
  }
}

TEST_F(Pooling, AChainIsCancelledFromItsFrontToItsEnd) {
  Instance instance = instantiate(pair(isolated("back")));
  {
    PendingCall call = start(instance, 1);
  }
  ASSERT_EQ(gates.size(), 1u);
  EXPECT_TRUE(gates[0].abandoned());
}

TEST_F(Pooling, AnInstanceWhoseCallEndedBadlyIsNotUsedAgain) {
  Instance instance = instantiate(workload(isolated("back", {.life = Life::REUSED})));
  PendingCall good = start(instance, 1);
  gates[0].complete(0);
  EXPECT_EQ(numberOf(good.wait()), 1u);
  PendingCall counted = start(instance, 1);
  gates[1].complete(0);
  EXPECT_EQ(numberOf(counted.wait()), 2u);
}

// -- Circles

TEST(Circles, EndAtTheirDepth) {
  Loop loop;
  Linker linker;
  auto workload =
      Workload::fromComponents(testEngine(), "test",
                               {{.name = "a",
                                 .component = componentOf(step("b:b/b", "a:a/a", COUNT_DOWN)),
                                 .links = {{"b:b/b", isolated("b")}}},
                                {.name = "b",
                                 .component = componentOf(step("a:a/a", "b:b/b", COUNT_DOWN)),
                                 .links = {{"a:a/a", isolated("a")}}}})
          .value();
  auto run = [&](uint32_t depth) {
    Instance instance = workload.instantiate(linker, loop).value();
    return instance.function<uint32_t(uint32_t)>("a", "a:a/a", "run").value()(depth);
  };
  EXPECT_EQ(run(0).value(), 0u);
  EXPECT_EQ(run(5).value(), 5u);
  EXPECT_EQ(run(64).value(), 64u);
  for (uint32_t depth : {65u, 100u, 4'000'000'000u}) {
    auto result = run(depth);
    ASSERT_FALSE(result) << depth;
    EXPECT_EQ(result.error().code, ErrorCode::TRAPPED);
    EXPECT_THAT(result.error().message,
                HasSubstr("OVERLOADED: more than 64 isolated calls stand in each other"));
  }
  EXPECT_EQ(run(64).value(), 64u);
}

TEST(Circles, OfOneInstanceDoNotWaitForThemselves) {
  Loop loop;
  Linker linker;
  auto workload =
      Workload::fromComponents(testEngine(), "test",
                               {{.name = "a",
                                 .component = componentOf(step("b:b/b", "a:a/a", COUNT_DOWN)),
                                 .links = {{"b:b/b", isolated("b", {.life = Life::REUSED})}}},
                                {.name = "b",
                                 .component = componentOf(step("a:a/a", "b:b/b", COUNT_DOWN)),
                                 .links = {{"a:a/a", isolated("a")}}}})
          .value();
  Instance instance = workload.instantiate(linker, loop).value();
  auto function = instance.function<uint32_t(uint32_t)>("a", "a:a/a", "run").value();
  EXPECT_EQ(function(2).value(), 2u);
  auto result = function(3);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message,
              HasSubstr("OVERLOADED: a call of b goes on, which the caller is part of"));
}

}  // namespace
}  // namespace tenon
