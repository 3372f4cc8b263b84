#include "engine/engine_testing.h"
#include "host/host_testing.h"

#include <tenon/call_options.h>
#include <tenon/pending.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace tenon::host {
namespace {

using std::chrono::milliseconds;
using ::testing::Contains;
using ::testing::HasSubstr;

constexpr const char* API = "demo:host/api";

// A component whose `call-inc` calls `inc`, which makes it wait.
class PendingValues : public ::testing::Test {
 protected:
  PendingValues() {
    linker.resource(API, "ticket");
    for (const FunctionInfo& import : guest("host_imports").imports()) {
      linker.dynamicFunction(API, import.name, [](const FunctionInfo&, std::vector<Value>) {
        return Result<std::vector<Value>>(std::vector<Value>{});
      });
    }
    linker.function(API, "inc", [this](uint32_t v) {
      asked.push_back(v);
      return completers.emplace_back().pending();
    });
  }

  Instance newInstance() { return linker.instantiate(guest("host_imports"), loop).value(); }
  static Function<uint32_t(uint32_t)> callInc(Instance& instance) {
    return instance.function<uint32_t(uint32_t)>("", "call-inc").value();
  }
  // A call that stands in `inc`: on a busy machine its turn may end before.
  PendingCall startInc(Instance& instance, const CallOptions& options = {}) {
    size_t before = completers.size();
    PendingCall call = start(instance, options);
    while (completers.size() == before) loop.runFor(milliseconds(1));
    return call;
  }
  static PendingCall start(Instance& instance, const CallOptions& options = {}) {
    return instance.function("call-inc").value().start({Value(uint32_t{1})}, options).value();
  }
  static uint32_t numberOf(const Result<std::vector<Value>>& results) {
    return *results.value()[0].find<uint32_t>();
  }

  Loop loop;
  Linker linker;
  std::vector<uint32_t> asked;
  std::vector<Completer<uint32_t>> completers;
};

TEST_F(PendingValues, MayComeFromAnotherThread) {
  std::vector<std::thread> threads;
  linker.function(API, "inc", [&threads](uint32_t v) {
    Completer<uint32_t> completer;
    auto answer = completer.pending();
    threads.emplace_back([completer, v] { completer.complete(v + 1); });
    return answer;
  });
  Instance instance = newInstance();
  EXPECT_EQ(callInc(instance)(5).value(), 5u);
  for (std::thread& thread : threads) thread.join();
}

TEST_F(PendingValues, MayBeThereAlready) {
  linker.function(API, "inc", [](uint32_t v) { return Pending<uint32_t>(v + 1); });
  Instance there = newInstance();
  EXPECT_EQ(callInc(there)(3).value(), 3u);
  linker.function(API, "inc", [](uint32_t v) {
    Completer<uint32_t> completer;
    completer.complete(v + 2);
    return completer.pending();
  });
  Instance completed = newInstance();
  EXPECT_EQ(callInc(completed)(3).value(), 6u);
}

TEST_F(PendingValues, LetOtherCallsGoOnMeanwhile) {
  Instance instance = newInstance();
  Instance other = newInstance();
  PendingCall first = startInc(instance);
  PendingCall second = startInc(other);
  ASSERT_EQ(completers.size(), 2u);
  Instance types = linker.instantiate(guest("types"), loop).value();
  EXPECT_EQ((types.function<uint32_t(uint32_t, uint32_t)>("", "add").value()(2, 3).value()), 5u);
  EXPECT_FALSE(first.done() || second.done());
  EXPECT_FALSE(completers[0].abandoned());
  completers[1].complete(22);
  EXPECT_EQ(numberOf(second.wait()), 22u);
  EXPECT_FALSE(first.done());
  completers[0].complete(11);
  EXPECT_EQ(numberOf(first.wait()), 11u);
}

TEST_F(PendingValues, MayBeInMemoryAndComeWithTheCaller) {
  linker.function(API, "echo-string", [](const Caller& caller, std::string_view text) {
    EXPECT_EQ(caller.component(), "");
    Completer<std::string> completer;
    auto answer = completer.pending();
    std::thread([completer, text = std::string(text)] { completer.complete(text + "!"); }).join();
    return answer;
  });
  Instance instance = newInstance();
  auto echo = instance.function<uint64_t(uint32_t, uint32_t)>("", "call-echo-string").value();
  EXPECT_EQ(echo(3, 10).value(), 33u);
}

TEST_F(PendingValues, MayBeNone) {
  std::vector<Completer<>> done;
  linker.function(API, "log", [&](std::string_view) { return done.emplace_back().pending(); });
  linker.function(API, "now", [] { return Result<uint64_t>(Error(ErrorCode::IO, "no clock")); });
  Instance instance = newInstance();
  PendingCall call = instance.function("run-all").value().start({}).value();
  EXPECT_FALSE(call.done());
  done.at(0).complete();
  EXPECT_EQ(call.wait().error().message, "demo:host/api.now: no clock") << "it went on";
}

TEST_F(PendingValues, OfAnotherTypeAreRefusedWhenLinking) {
  linker.function(API, "inc", [](uint32_t) { return Pending<std::string>(std::string()); });
  auto refused = linker.instantiate(guest("host_imports"), loop);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::TYPE_MISMATCH);
  EXPECT_THAT(refused.error().message, HasSubstr("demo:host/api.inc"));
}

TEST_F(PendingValues, MayFail) {
  Instance instance = newInstance();
  PendingCall call = startInc(instance);
  completers[0].fail(Error(ErrorCode::IO, "the prices are gone"));
  auto failed = call.wait();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "demo:host/api.inc: the prices are gone");
  EXPECT_EQ(callInc(instance)(1).error().code, ErrorCode::UNUSABLE);
}

TEST_F(PendingValues, AreSetByTheFirstWhoCompletesThem) {
  Instance instance = newInstance();
  PendingCall call = startInc(instance);
  Completer<uint32_t> copy = completers[0];
  copy.complete(7);
  completers[0].fail(Error(ErrorCode::IO, "too late"));
  completers[0].complete(8);
  EXPECT_EQ(numberOf(call.wait()), 7u);
}

TEST_F(PendingValues, ThatNobodyCompletesFailTheCall) {
  Instance instance = newInstance();
  PendingCall call = startInc(instance);
  Completer<uint32_t> copy = completers[0];
  completers.clear();
  loop.runFor(milliseconds(1));
  EXPECT_FALSE(call.done()) << "one is left";
  std::thread([last = std::move(copy)] {}).join();
  auto failed = call.wait();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message,
            "demo:host/api.inc: the host function's Completer is gone, and completed nothing");
}

TEST_F(PendingValues, ThatNobodyCouldCompleteFailTheCall) {
  linker.function(API, "inc", [](uint32_t) { return Completer<uint32_t>().pending(); });
  Instance instance = newInstance();
  EXPECT_THAT(callInc(instance)(1).error().message, HasSubstr("Completer is gone"));
}

TEST_F(PendingValues, AreWaitedForUntilTheDeadline) {
  // On a busy machine the first may pass before the guest asks.
  for (auto timeout = milliseconds(20); completers.empty(); timeout *= 10) {
    Instance instance = newInstance();
    auto late = callInc(instance).call({.timeout = timeout}, 1);
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, ErrorCode::DEADLINE);
  }
  EXPECT_TRUE(completers[0].abandoned());
  completers[0].complete(1);
}

TEST_F(PendingValues, AreWaitedForUntilTheCallIsCancelled) {
  Instance instance = newInstance();
  Canceller canceller;
  PendingCall call = startInc(instance, {.canceller = canceller});
  EXPECT_FALSE(completers[0].abandoned());
  std::thread([canceller] { canceller.cancel(); }).join();
  EXPECT_EQ(call.wait().error().code, ErrorCode::CANCELLED);
  EXPECT_TRUE(completers[0].abandoned());
  completers[0].complete(1);
}

TEST_F(PendingValues, AreNotWaitedForWhenTheCallIsDropped) {
  Instance instance = newInstance();
  {
    PendingCall call = startInc(instance);
  }
  EXPECT_TRUE(completers[0].abandoned());
  completers[0].complete(1);
}

TEST_F(PendingValues, MayComeWhenTheInstanceIsGone) {
  std::optional<Instance> instance(newInstance());
  PendingCall call = startInc(*instance);
  instance.reset();
  EXPECT_EQ(call.wait().error().code, ErrorCode::CANCELLED);
  EXPECT_TRUE(completers[0].abandoned());
  std::thread([this] { completers[0].complete(1); }).join();
  loop.runFor(milliseconds(1));
}

TEST(PendingValuesOfALoop, MayComeWhenTheLoopIsGone) {
  Completer<std::vector<std::string>> completer;
  {
    Loop loop;
    Linker linker;
    linker.wasi();
    linker.function("wasi:cli/environment@0.2.0", "get-arguments",
                    [&completer]() { return completer.pending(); });
    Instance instance = linker.instantiate(guest("cli"), loop).value();
    auto call = instance.startRun().value();
    EXPECT_FALSE(call.done());
    EXPECT_FALSE(completer.abandoned());
  }
  EXPECT_TRUE(completer.abandoned());
  completer.complete({});
}

TEST_F(PendingValues, CannotBeWaitedForInsideAHostFunction) {
  Linker outer;
  outer.wasi();
  Instance inner = newInstance();
  std::optional<Result<uint32_t>> outcome;
  outer.function("wasi:cli/environment@0.2.0", "get-arguments", [&]() {
    if (!outcome) outcome = callInc(inner)(1);
    return std::vector<std::string>{"cli", "args"};
  });
  Instance program = outer.instantiate(guest("cli"), loop).value();
  EXPECT_EQ(program.run().value(), 0);
  ASSERT_TRUE(outcome && !*outcome);
  EXPECT_EQ(outcome->error().code, ErrorCode::UNSUPPORTED);
  EXPECT_TRUE(completers[0].abandoned());
}

TEST_F(PendingValues, CannotBeWaitedForByAStartFunctionWhoseTrapNamesTheHostFunction) {
  Component starting = Component::fromBytes(testEngine(), engine::testing::wasm(R"((component
    (import "doze" (func $doze'))
    (core func $doze (canon lower (func $doze')))
    (core module $m (import "" "doze" (func $doze)) (start 0))
    (core instance (instantiate $m (with "" (instance (export "doze" (func $doze))))))))"))
                           .value();
  Completer<> completer;
  linker.function("", "doze", [&completer]() { return completer.pending(); });
  auto instance = linker.instantiate(starting, loop);
  ASSERT_FALSE(instance);
  EXPECT_EQ(instance.error().code, ErrorCode::TRAPPED);
  EXPECT_EQ(instance.error().message, "doze: this call would have to wait, and cannot here");
}

TEST_F(PendingValues, MayBeDynamic) {
  std::vector<Completer<std::vector<Value>>> dynamic;
  std::string asked;
  linker.dynamicFunction(API, "inc",
                         [&](const FunctionInfo& function, std::vector<Value> arguments) {
                           asked = function.path() + "(" + toWave(arguments[0]) + ")";
                           return dynamic.emplace_back().pending();
                         });
  Instance instance = newInstance();
  PendingCall call = start(instance);
  while (dynamic.empty()) loop.runFor(milliseconds(1));
  EXPECT_EQ(asked, "demo:host/api.inc(0)");
  dynamic[0].complete({Value(uint32_t{9})});
  EXPECT_EQ(numberOf(call.wait()), 9u);

  PendingCall wrong = start(instance);
  while (dynamic.size() < 2) loop.runFor(milliseconds(1));
  std::thread([last = dynamic[1]] { last.complete({Value("no number")}); }).join();
  EXPECT_THAT(wrong.wait().error().message, HasSubstr("u32"));
}

TEST_F(PendingValues, MayBeDynamicAndComeWithTheCaller) {
  linker.dynamicFunction(
      API, "inc", [](const Caller& caller, const FunctionInfo&, std::vector<Value>) {
        return Pending<std::vector<Value>>(
            Error(ErrorCode::NOT_FOUND, "nobody knows '" + std::string(caller.component()) + "'"));
      });
  Instance instance = newInstance();
  EXPECT_EQ(callInc(instance)(1).error().message, "demo:host/api.inc: nobody knows ''");
}

TEST_F(PendingValues, OfManyInstancesComeInAnyOrderAndFromManyThreads) {
  constexpr uint32_t COUNT = 40, THREADS = 4;
  std::vector<Instance> instances;
  std::vector<PendingCall> calls;
  for (uint32_t i = 0; i < COUNT; ++i) {
    instances.push_back(newInstance());
    calls.push_back(startInc(instances.back()));
  }
  ASSERT_EQ(completers.size(), COUNT);
  std::vector<std::thread> threads;
  for (uint32_t t = 0; t < THREADS; ++t) {
    threads.emplace_back([this, t] {
      for (uint32_t i = COUNT; i-- > 0;) {
        if (i % THREADS == t) completers[i].complete(100 + i);
      }
    });
  }
  for (uint32_t i = 0; i < COUNT; ++i) EXPECT_EQ(numberOf(calls[i].wait()), 100 + i);
  for (std::thread& thread : threads) thread.join();
}

TEST_F(PendingValues, ThatComeWhileTheCallIsDroppedAreNoHarm) {
  for (int i = 0; i < 100; ++i) {
    Instance instance = newInstance();
    std::optional<PendingCall> call(startInc(instance));
    std::thread completing([last = std::move(completers[0])] { last.complete(1); });
    if (i % 2 == 0) loop.runFor(std::chrono::microseconds(i));
    call.reset();
    completing.join();
    completers.clear();
  }
}

}  // namespace
}  // namespace tenon::host
