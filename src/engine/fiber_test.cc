#include "engine/fiber.h"

#include "engine/fiber_testing.h"

#include <chrono>
#include <deque>
#include <initializer_list>
#include <memory>
#include <vector>

namespace tenon::engine {
namespace {

using State = Fiber::State;
using testing::Blocking;
using testing::compile;
using testing::signature;

class FiberAt : public ::testing::TestWithParam<Allocation> {};
INSTANTIATE_TEST_SUITE_P(Allocations, FiberAt,
                         ::testing::Values(Allocation::ON_DEMAND, Allocation::POOLING),
                         [](const auto& info) {
                           return info.param == Allocation::POOLING ? "Pooling" : "OnDemand";
                         });

TEST_P(FiberAt, RunsACallThatNeverWaitsToItsEnd) {
  Blocking call(GetParam());
  EXPECT_EQ(call.start("nop", 5), State::DONE);
  EXPECT_TRUE(call.fiber.succeeded());
  EXPECT_EQ(call.value.i32, 5u);
  EXPECT_EQ(call.guest.store.fiber(), nullptr);
}

TEST_P(FiberAt, GivesTheThreadAwayAtEachWaitAndGoesOnWhenWoken) {
  Blocking call(GetParam());
  ASSERT_EQ(call.start("run", 3), State::BLOCKED);
  EXPECT_TRUE(call.guest.store.busy());
  for (int i = 1; i <= 3; ++i) {
    EXPECT_EQ(call.waits, i);
    EXPECT_EQ(call.fiber.poll(), State::BLOCKED);
    EXPECT_EQ(call.scheduled, i - 1);
    call.finishWait();
    EXPECT_EQ(call.scheduled, i);
    EXPECT_EQ(call.fiber.poll(), i < 3 ? State::BLOCKED : State::DONE);
  }
  EXPECT_TRUE(call.fiber.succeeded());
  EXPECT_EQ(call.value.i32, 3u);
  EXPECT_FALSE(call.guest.store.busy());
  // Again, on the same fiber object and store.
  ASSERT_EQ(call.start("run", 1), State::BLOCKED);
  call.finishWait();
  EXPECT_EQ(call.fiber.poll(), State::DONE);
}

TEST_P(FiberAt, InterleavesSeveralStoresOnOneThread) {
  std::deque<Blocking> calls;
  for (int i = 0; i < 4; ++i) calls.emplace_back(GetParam());
  for (int i = 0; i < 4; ++i) ASSERT_EQ(calls[i].start("run", 10 + i), State::BLOCKED);
  int left = 4;
  for (int round = 0; left > 0; ++round) {
    ASSERT_LT(round, 100);
    for (int i = 3; i >= 0; --i) {
      if (calls[i].fiber.state() == State::DONE) continue;
      calls[i].finishWait();
      if (calls[i].fiber.poll() == State::DONE) --left;
    }
  }
  for (uint32_t i = 0; i < 4; ++i) EXPECT_EQ(calls[i].value.i32, 10 + i);
}

TEST_P(FiberAt, UnwindsACancelledCallFromWhereItWaits) {
  Blocking call(GetParam());
  ASSERT_EQ(call.start("run", 3), State::BLOCKED);
  call.finishWait();
  ASSERT_EQ(call.fiber.poll(), State::BLOCKED);
  call.fiber.cancel();
  EXPECT_EQ(call.unwound, 1);
  EXPECT_EQ(call.fiber.state(), State::DONE);
  EXPECT_FALSE(call.fiber.succeeded());
  EXPECT_TRUE(call.guest.store.poisoned());
  Trap trap = call.guest.store.takeTrap();
  EXPECT_EQ(trap.kind, TrapKind::CANCELLED);
  ASSERT_EQ(trap.backtrace.size(), 1u);
  EXPECT_EQ(trap.backtrace[0].function, "run");
  // Rule 7: nothing runs in the middle of a call.
  EXPECT_EQ(call.guest.call("nop").error().code, ErrorCode::UNUSABLE);
  EXPECT_EQ(call.fiber.start(Blocking::body, &call).error().code, ErrorCode::UNUSABLE);
}

TEST_P(FiberAt, SaysDeadlineWhenItIsCancelledForThat) {
  Blocking call(GetParam());
  ASSERT_EQ(call.start("run", 1), State::BLOCKED);
  call.fiber.cancel(TrapKind::DEADLINE);
  EXPECT_EQ(call.guest.store.takeTrap().toError().code, ErrorCode::DEADLINE);
}

TEST_P(FiberAt, CancelsWhenItIsDestroyed) {
  Blocking call(GetParam());
  {
    Fiber fiber(call.guest.store);
    call.name = "run";
    call.argument = 1;
    ASSERT_EQ(fiber.start(Blocking::body, &call).value(), State::BLOCKED);
  }
  EXPECT_EQ(call.unwound, 1);
  EXPECT_EQ(call.guest.store.fiber(), nullptr);
}

TEST_P(FiberAt, CancelsNothingThatIsDoneOrNeverStarted) {
  Blocking call(GetParam());
  call.fiber.cancel();
  EXPECT_FALSE(call.guest.store.poisoned());
  EXPECT_EQ(call.start("nop"), State::DONE);
  call.fiber.cancel();
  EXPECT_FALSE(call.guest.store.poisoned());
}

TEST_P(FiberAt, ReportsATrapOnTheFiber) {
  Blocking call(GetParam());
  EXPECT_EQ(call.start("trap"), State::DONE);
  EXPECT_FALSE(call.fiber.succeeded());
  EXPECT_EQ(call.guest.store.takeTrap().kind, TrapKind::UNREACHABLE);
  EXPECT_TRUE(call.guest.store.poisoned());
}

TEST_P(FiberAt, ReportsAStackOverflowOnTheFiber) {
  Blocking call(GetParam());
  EXPECT_EQ(call.start("forever"), State::DONE);
  EXPECT_EQ(call.guest.store.takeTrap().kind, TrapKind::STACK_OVERFLOW);
}

TEST_P(FiberAt, DrivesAFiberOfOneStoreFromAFiberOfAnother) {
  Blocking inner(GetParam());
  struct Context {
    Blocking* inner;
    std::vector<State> seen;
  } context{&inner, {}};
  testing::Guest outer(
      compile("(module (import \"host\" \"drive\" (func $d)) (func (export \"f\") (call $d)))",
              testing::engineFor(GetParam())),
      {{"drive", signature(0, 0),
        [](void* environment, wasmtime_caller_t*, wasmtime_val_raw_t*, size_t) -> wasm_trap_t* {
          auto& self = *static_cast<Context*>(environment);
          self.seen.push_back(self.inner->start("run", 2));
          self.inner->finishWait();
          self.seen.push_back(self.inner->fiber.poll());
          self.inner->finishWait();
          self.seen.push_back(self.inner->fiber.poll());
          return nullptr;
        }}},
      &context);
  wasmtime_func_t function = outer.function("f");
  Fiber fiber(outer.store);
  auto state = fiber.start(
      [](void* f, Store& store) {
        RawValue none{};
        return callCore(store, *static_cast<wasmtime_func_t*>(f), {&none, 1});
      },
      &function);
  EXPECT_EQ(*state, State::DONE);
  EXPECT_EQ(context.seen, (std::vector{State::BLOCKED, State::BLOCKED, State::DONE}));
  EXPECT_EQ(inner.value.i32, 2u);
}

TEST_P(FiberAt, LeavesTheStoreAbleToInstantiateOnceItIsDone) {
  Blocking call(GetParam());
  ASSERT_EQ(call.start("run", 1), State::BLOCKED);
  Module empty = compile("(module)", testing::engineFor(GetParam()));
  EXPECT_EQ(instantiate(call.guest.store, empty, {}).error().code, ErrorCode::UNUSABLE);
  call.finishWait();
  ASSERT_EQ(call.fiber.poll(), State::DONE);
  EXPECT_TRUE(instantiate(call.guest.store, empty, {}).ok());
}

TEST(FiberPool, ReportsAMissingStackAsALimit) {
  SKIP_UNDER_TSAN();
  EngineOptions options;
  options.allocation = Allocation::POOLING;
  options.totalStacks = 1;
  auto engine = Engine::create(options).value();
  Module module =
      compile("(module (import \"host\" \"w\" (func $w)) (func (export \"f\") (call $w)))", engine);
  testing::HostFunction wait{
      "w", signature(0, 0),
      [](void*, wasmtime_caller_t* caller, wasmtime_val_raw_t*, size_t) -> wasm_trap_t* {
        Store& store = Store::from(caller);
        return block(store) ? nullptr : store.rethrow();
      }};
  auto one = std::make_unique<testing::Guest>(module, std::initializer_list{wait});
  testing::Guest other(module, {wait});
  auto body = [](void* guest, Store&) {
    return static_cast<testing::Guest*>(guest)->call("f").ok();
  };
  Fiber second(other.store);
  {
    Fiber first(one->store);
    EXPECT_EQ(*first.start(body, one.get()), State::BLOCKED);
    EXPECT_EQ(*second.start(body, &other), State::DONE);
    EXPECT_FALSE(second.succeeded());
    EXPECT_EQ(other.store.takeTrap().kind, TrapKind::LIMIT);
  }
  // Nothing ran, so the store is as good as before. A store keeps its fiber's stack for the next
  // call.
  EXPECT_EQ(*second.start(body, &other), State::DONE);
  EXPECT_EQ(other.store.takeTrap().kind, TrapKind::LIMIT);
  one.reset();
  EXPECT_EQ(*second.start(body, &other), State::BLOCKED);
  second.wake();
  EXPECT_EQ(second.poll(), State::DONE);
  EXPECT_TRUE(second.succeeded());
}

// -- Time slices ---------------------------------------------------------------------------------

TEST_P(FiberAt, YieldsWhenItsTimeSliceIsOverAndGoesOn) {
  Blocking call(GetParam());
  call.guest.store.setSlice(std::chrono::milliseconds(5));
  State state = call.start("spin", 60'000'000);
  int yields = 0;
  while (state == State::YIELDED) {
    EXPECT_TRUE(call.guest.store.busy());
    ++yields;
    state = call.fiber.poll();
  }
  EXPECT_EQ(state, State::DONE);
  EXPECT_TRUE(call.fiber.succeeded());
  EXPECT_EQ(call.value.i32, 77u);
  EXPECT_GT(yields, 0);
}

TEST_P(FiberAt, CanBeCancelledWhereItYielded) {
  Blocking call(GetParam());
  call.guest.store.setSlice(std::chrono::milliseconds(5));
  ASSERT_EQ(call.start("spin", 0), State::YIELDED);  // 2^32 rounds
  call.fiber.cancel();
  EXPECT_EQ(call.fiber.state(), State::DONE);
  Trap trap = call.guest.store.takeTrap();
  EXPECT_EQ(trap.kind, TrapKind::CANCELLED);
  EXPECT_EQ(trap.message, "the call was cancelled");
}

TEST_P(FiberAt, YieldsUntilItsDeadlineAndTrapsThen) {
  Blocking call(GetParam());
  call.guest.store.setSlice(std::chrono::milliseconds(5));
  call.guest.store.setDeadline(Store::Clock::now() + std::chrono::milliseconds(50));
  State state = call.start("spin", 0);
  int yields = 0;
  for (; state == State::YIELDED; ++yields) state = call.fiber.poll();
  EXPECT_EQ(state, State::DONE);
  EXPECT_GT(yields, 0);
  EXPECT_EQ(call.guest.store.takeTrap().kind, TrapKind::DEADLINE);
}

TEST_P(FiberAt, SharesTheThreadBetweenGuestsThatCompute) {
  std::deque<Blocking> calls;
  for (int i = 0; i < 2; ++i) {
    calls.emplace_back(GetParam());
    calls.back().guest.store.setSlice(std::chrono::milliseconds(5));
  }
  int switches = 0;
  for (Blocking& call : calls) ASSERT_EQ(call.start("spin", 30'000'000), State::YIELDED);
  while (calls[0].fiber.state() != State::DONE || calls[1].fiber.state() != State::DONE) {
    for (Blocking& call : calls) call.fiber.poll();
    ASSERT_LT(++switches, 10'000);
  }
  for (Blocking& call : calls) EXPECT_EQ(call.value.i32, 77u);
}

// A host function that takes 30 ms, in a guest that has no loop.
wasm_trap_t* takeLong(void*, wasmtime_caller_t* caller, wasmtime_val_raw_t*, size_t) {
  auto until = Store::Clock::now() + std::chrono::milliseconds(30);
  while (Store::Clock::now() < until) continue;
  return Store::from(caller).settled([] { return std::string(); });
}

TEST(FiberTurns, EndWithAHostFunctionThatTakesLong) {
  testing::OneImport call(takeLong);
  call.guest.store.setSlice(std::chrono::milliseconds(5));
  ASSERT_EQ(call.start(), State::YIELDED);
  EXPECT_TRUE(call.guest.store.busy());
  EXPECT_EQ(call.fiber.poll(), State::DONE);
  EXPECT_TRUE(call.fiber.succeeded());
}

TEST(FiberTurns, AtTheEndOfAHostFunctionLoseNoWake) {
  testing::OneImport call([](void*, wasmtime_caller_t* caller, wasmtime_val_raw_t* values,
                             size_t count) -> wasm_trap_t* {
    Store& store = Store::from(caller);
    store.fiber()->wake();
    if (wasm_trap_t* trap = takeLong(nullptr, caller, values, count)) return trap;
    return block(store) ? nullptr : store.rethrow();
  });
  call.guest.store.setSlice(std::chrono::milliseconds(5));
  ASSERT_EQ(call.start(), State::YIELDED);
  EXPECT_EQ(call.fiber.poll(), State::DONE);
}

TEST(FiberTurns, AtTheEndOfAHostFunctionCanBeCancelled) {
  testing::OneImport call(takeLong);
  call.guest.store.setSlice(std::chrono::milliseconds(5));
  ASSERT_EQ(call.start(), State::YIELDED);
  call.fiber.cancel();
  EXPECT_EQ(call.fiber.state(), State::DONE);
  EXPECT_EQ(call.guest.store.takeTrap().kind, TrapKind::CANCELLED);
}

TEST(FiberTurns, AtTheEndOfAHostFunctionEndAtTheDeadline) {
  testing::OneImport call(takeLong);
  call.guest.store.setSlice(std::chrono::milliseconds(5));
  call.guest.store.setDeadline(Store::Clock::now() + std::chrono::milliseconds(10));
  EXPECT_EQ(call.start(), State::DONE);
  EXPECT_EQ(call.guest.store.takeTrap().kind, TrapKind::DEADLINE);
}

TEST_P(FiberAt, YieldsInsideNestedCalls) {
  Blocking call(GetParam());
  call.guest.store.setSlice(std::chrono::milliseconds(5));
  call.nestedName = "spin";
  State state = call.start("deep", 30'000'000);
  EXPECT_EQ(state, State::YIELDED);
  while (state == State::YIELDED) state = call.fiber.poll();
  EXPECT_TRUE(call.fiber.succeeded());
  EXPECT_EQ(call.value.i32, 77u);
}

}  // namespace
}  // namespace tenon::engine
