#include "engine/store.h"

#include "engine/engine_testing.h"

#include <chrono>
#include <string>
#include <vector>

namespace tenon::engine {
namespace {

using std::chrono::milliseconds;
using testing::compile;
using testing::Guest;
using testing::signature;
using testing::testEngine;

constexpr const char* SPIN = R"((module
    (func (export "spin") (loop $l (br $l)))
    (func (export "f") (result i32) i32.const 1)))";

TEST(Store, IsReachableFromItsHostFunctionsWithItsOwner) {
  int owner = 0;
  Guest guest(
      compile(R"((module (import "host" "mark" (func $mark)) (func (export "f") (call $mark))))"),
      {{"mark", signature(0, 0),
        [](void* environment, wasmtime_caller_t* caller, wasmtime_val_raw_t*,
           size_t) -> wasm_trap_t* {
          Store& store = Store::from(caller);
          *static_cast<int*>(store.owner) = store.owner == environment ? 1 : 2;
          return nullptr;
        }}},
      &owner);
  EXPECT_TRUE(guest.call("f").ok());
  EXPECT_EQ(owner, 1);
}

TEST(Store, RunsNothingAfterATrap) {
  Guest guest(compile(
      R"((module (func (export "bad") unreachable) (func (export "f") (result i32) i32.const 1)))"));
  EXPECT_EQ(*guest.call("f"), 1u);
  EXPECT_EQ(guest.trapOf("bad").kind, TrapKind::UNREACHABLE);
  EXPECT_TRUE(guest.store.poisoned());
  auto after = guest.call("f");
  ASSERT_FALSE(after);
  EXPECT_EQ(after.error().code, ErrorCode::UNUSABLE);
  EXPECT_EQ(instantiate(guest.store, compile("(module)"), {}).error().code, ErrorCode::UNUSABLE);
}

TEST(Store, LeavesOtherStoresUntouchedByATrap) {
  Module module = compile(
      R"((module (func (export "bad") unreachable) (func (export "f") (result i32) i32.const 1)))");
  Guest one(module), other(module);
  one.trapOf("bad");
  EXPECT_EQ(*other.call("f"), 1u);
}

TEST(Store, SaysSoWhenNoTrapWasRecorded) {
  Store store(testEngine(), nullptr);
  EXPECT_FALSE(store.hasTrap());
  EXPECT_EQ(store.takeTrap().message, "no trap was recorded");
}

TEST(Store, KeepsTheFirstReasonOfAnUnwinding) {
  Store store(testEngine(), nullptr);
  wasm_trap_delete(store.raise(TrapKind::HOST, "first"));
  wasm_trap_delete(store.raise(TrapKind::HOST, "second"));
  EXPECT_EQ(store.takeTrap().message, "first");
}

// -- Limits --------------------------------------------------------------------------------------

TEST(StoreLimits, MakeMemoryGrowFail) {
  StoreLimits limits;
  limits.memoryBytes = 3 * 65536;
  Guest guest(compile("(module (memory 1) (func (export \"grow\") (param i32) (result i32) "
                      "(memory.grow (local.get 0))))"),
              {}, nullptr, limits);
  EXPECT_EQ(*guest.call("grow", 2), 1u);
  EXPECT_EQ(*guest.call("grow", 1), 0xffffffffu);
}

TEST(StoreLimits, CountAllMemoriesAndTablesTogether) {
  constexpr uint64_t PAGE = 65536;
  StoreLimits limits;
  limits.memoryBytes = 5 * PAGE;
  Guest guest(compile(R"((module
      (memory $a 1) (memory $b 1 2) (table $t 0 funcref)
      (func (export "a") (param i32) (result i32) (memory.grow $a (local.get 0)))
      (func (export "b") (param i32) (result i32) (memory.grow $b (local.get 0)))
      (func (export "t") (param i32) (result i32)
        (table.grow $t (ref.null func) (local.get 0)))))"),
              {}, nullptr, limits);
  // What is refused, by its type or for what others have, takes nothing.
  EXPECT_EQ(*guest.call("b", 2), 0xffffffffu);
  EXPECT_EQ(*guest.call("a", 4), 0xffffffffu);
  EXPECT_EQ(*guest.call("t", 3 * PAGE / 8 + 1), 0xffffffffu);
  EXPECT_EQ(*guest.call("t", PAGE / 8), 0u);
  EXPECT_EQ(*guest.call("a", 1), 1u);
  EXPECT_EQ(*guest.call("b", 1), 1u);
  EXPECT_EQ(*guest.call("a", 1), 0xffffffffu);
  EXPECT_EQ(*guest.call("t", 1), 0xffffffffu);
  // Nor does what its instruction makes too large to be asked for.
  EXPECT_EQ(*guest.call("a", 0xffffffffu), 0xffffffffu);
  EXPECT_EQ(*guest.call("t", 0xffffffffu), 0xffffffffu);
}

TEST(StoreLimits, MakeTableGrowFail) {
  StoreLimits limits;
  limits.tableElements = 10;
  Guest guest(compile("(module (table 1 funcref) (func (export \"grow\") (param i32) (result i32) "
                      "(table.grow (ref.null func) (local.get 0))))"),
              {}, nullptr, limits);
  EXPECT_EQ(*guest.call("grow", 9), 1u);
  EXPECT_EQ(*guest.call("grow", 1), 0xffffffffu);
}

class StoreLimitsAt : public ::testing::TestWithParam<Allocation> {};
INSTANTIATE_TEST_SUITE_P(Allocations, StoreLimitsAt,
                         ::testing::Values(Allocation::ON_DEMAND, Allocation::POOLING),
                         [](const auto& info) {
                           return info.param == Allocation::POOLING ? "Pooling" : "OnDemand";
                         });

TEST_P(StoreLimitsAt, RefuseInstancesWithALimitError) {
  const auto& engine = testing::engineFor(GetParam());
  StoreLimits limits;
  limits.memoryBytes = 65536;
  limits.tableElements = 10;
  limits.instances = 2;
  limits.memories = 1;
  limits.tables = 1;
  auto codeOf = [&](std::initializer_list<const char*> modules) {
    Store store(engine, nullptr, limits);
    for (const char* wat : modules) {
      auto instance = instantiate(store, compile(wat, engine), {});
      if (!instance) {
        EXPECT_FALSE(store.poisoned());
        return instance.error().code;
      }
    }
    return ErrorCode::INTERNAL;
  };
  EXPECT_EQ(codeOf({"(module (memory 2))"}), ErrorCode::LIMIT_EXCEEDED);
  EXPECT_EQ(codeOf({"(module (table 11 funcref))"}), ErrorCode::LIMIT_EXCEEDED);
  EXPECT_EQ(codeOf({"(module)", "(module)", "(module)"}), ErrorCode::LIMIT_EXCEEDED);
  EXPECT_EQ(codeOf({"(module (memory 1))", "(module (memory 1))"}), ErrorCode::LIMIT_EXCEEDED);
  EXPECT_EQ(codeOf({"(module (table 1 funcref))", "(module (table 1 funcref))"}),
            ErrorCode::LIMIT_EXCEEDED);
}

TEST(Pool, ReportsExhaustedSlotsAsALimit) {
  EngineOptions options;
  options.allocation = Allocation::POOLING;
  options.totalInstances = 3;
  options.totalMemories = 2;
  options.totalTables = 2;
  options.totalStacks = 2;
  options.totalGcHeaps = 1;
  auto engine = Engine::create(options).value();
  Module memory = compile("(module (memory 1))", engine);
  Module table = compile("(module (table 1 funcref))", engine);
  Module nothing = compile("(module (func (export \"f\")))", engine);
  auto fill = [&](const Module& module, size_t fits) {
    std::vector<std::unique_ptr<Store>> stores;
    for (size_t i = 0; i < fits; ++i) {
      stores.push_back(std::make_unique<Store>(engine, nullptr));
      auto instance = instantiate(*stores.back(), module, {});
      EXPECT_TRUE(instance.ok()) << instance.error().message;
    }
    Store last(engine, nullptr);
    auto instance = instantiate(last, module, {});
    ASSERT_FALSE(instance);
    EXPECT_EQ(instance.error().code, ErrorCode::LIMIT_EXCEEDED) << instance.error().message;
  };
  fill(memory, 2);
  fill(table, 2);
  fill(nothing, 3);
}

// -- Memories ------------------------------------------------------------------------------------

class MemoryAt : public StoreLimitsAt {};
INSTANTIATE_TEST_SUITE_P(Allocations, MemoryAt,
                         ::testing::Values(Allocation::ON_DEMAND, Allocation::POOLING),
                         [](const auto& info) {
                           return info.param == Allocation::POOLING ? "Pooling" : "OnDemand";
                         });

TEST_P(MemoryAt, NeverMovesWhileItGrows) {
  Guest guest(
      compile("(module (memory (export \"m\") 1) (func (export \"grow\") (param i32) (result i32) "
              "(memory.grow (local.get 0))))",
              testing::engineFor(GetParam())));
  Memory memory = exportedMemory(guest.store, guest.instance, "m").value();
  GuestMemory before = memory.view();
  ASSERT_TRUE(before.store<uint32_t>(100, 0x12345678));
  const std::byte* base = before.bytes(0, 1).data();
  for (uint32_t pages : {1u, 16u, 1000u, 20000u}) {
    ASSERT_NE(*guest.call("grow", pages), 0xffffffffu) << pages;
    EXPECT_EQ(memory.view().bytes(0, 1).data(), base);
    EXPECT_EQ(static_cast<const void*>(wasmtime_memory_data(guest.store.context(), &memory.raw())),
              static_cast<const void*>(base));
  }
  EXPECT_EQ(memory.view().size(), uint64_t{21018} * 65536);
  uint32_t kept = 0;
  EXPECT_TRUE(memory.view().load(100, kept));
  EXPECT_EQ(kept, 0x12345678u);
}

// -- Time ----------------------------------------------------------------------------------------

TEST(Deadline, EndsAGuestThatComputesForever) {
  Guest guest(compile(SPIN));
  auto start = Store::Clock::now();
  guest.store.setDeadline(start + milliseconds(30));
  Trap trap = guest.trapOf("spin");
  EXPECT_GE(Store::Clock::now(), start + milliseconds(30));
  EXPECT_EQ(trap.kind, TrapKind::DEADLINE);
  EXPECT_EQ(trap.message, "the deadline passed");
  ASSERT_EQ(trap.backtrace.size(), 1u);
  EXPECT_TRUE(guest.store.poisoned());
}

TEST(Deadline, EndsAStartFunctionThatComputesForever) {
  Store store(testEngine(), nullptr);
  store.setDeadline(Store::Clock::now() + milliseconds(20));
  auto instance =
      instantiate(store, compile("(module (func $s (loop $l (br $l))) (start $s))"), {});
  ASSERT_FALSE(instance);
  EXPECT_EQ(instance.error().code, ErrorCode::DEADLINE);
}

TEST(Deadline, ThatHasPassedStillLetsShortCallsBe) {
  // Guest code is stopped at its next tick; whoever needs more looks at the clock before calling.
  Guest guest(compile(SPIN));
  guest.store.setDeadline(Store::Clock::now() + std::chrono::hours(1));
  EXPECT_EQ(*guest.call("f"), 1u);
  guest.store.setDeadline(std::nullopt);
  EXPECT_EQ(*guest.call("f"), 1u);
}

TEST(Deadline, HoldsAtTheEndOfAHostFunction) {
  // Nothing but a call, so that the guest itself does not look.
  Guest guest(compile(R"((module (import "host" "wait" (func $wait))
      (func (export "f") (call $wait))))"),
              {{"wait", signature(0, 0),
                [](void*, wasmtime_caller_t* caller, wasmtime_val_raw_t*, size_t) -> wasm_trap_t* {
                  auto until = Store::Clock::now() + milliseconds(40);
                  while (Store::Clock::now() < until) continue;
                  return Store::from(caller).settled([] { return std::string(); });
                }}});
  guest.store.setDeadline(Store::Clock::now() + milliseconds(10));
  EXPECT_EQ(guest.trapOf("f").kind, TrapKind::DEADLINE);
}

TEST(Deadline, CanBeSetByAHostFunctionInTheMiddleOfACall) {
  Guest guest(compile(R"((module (import "host" "arm" (func $arm))
      (func (export "f") (call $arm) (loop $l (br $l)))))"),
              {{"arm", signature(0, 0),
                [](void*, wasmtime_caller_t* caller, wasmtime_val_raw_t*, size_t) -> wasm_trap_t* {
                  Store::from(caller).setDeadline(Store::Clock::now() + milliseconds(10));
                  return nullptr;
                }}});
  EXPECT_EQ(guest.trapOf("f").kind, TrapKind::DEADLINE);
}

TEST(Deadline, SetInTheMiddleOfACallHoldsBeyondFurtherCalls) {
  struct Context {
    wasmtime_func_t inner{};
  } context;
  Guest guest(
      compile(R"((module (import "host" "arm" (func $arm)) (func (export "inner"))
      (func (export "f") (call $arm) (loop $l (br $l)))))"),
      {{"arm", signature(0, 0),
        [](void* environment, wasmtime_caller_t* caller, wasmtime_val_raw_t*,
           size_t) -> wasm_trap_t* {
          Store& store = Store::from(caller);
          // Longer than the clock's patience with nobody that holds it.
          store.setDeadline(Store::Clock::now() + milliseconds(300));
          RawValue none{};
          EXPECT_TRUE(callCore(store, static_cast<Context*>(environment)->inner, {&none, 1}));
          return nullptr;
        }}},
      &context);
  context.inner = guest.function("inner");
  EXPECT_EQ(guest.trapOf("f").kind, TrapKind::DEADLINE);
}

TEST(Deadline, LetsTheClockSleepBetweenCalls) {
  EngineOptions options;
  options.allocation = Allocation::ON_DEMAND;
  auto engine = Engine::create(options).value();
  Guest guest(compile(SPIN, engine));
  guest.store.setDeadline(Store::Clock::now() + std::chrono::hours(1));
  EXPECT_EQ(*guest.call("f"), 1u);
  auto giveUp = Store::Clock::now() + std::chrono::seconds(20);
  while (engine->tickerTicks() && Store::Clock::now() < giveUp) std::this_thread::yield();
  EXPECT_FALSE(engine->tickerTicks());
  EXPECT_EQ(*guest.call("f"), 1u);
  EXPECT_TRUE(engine->tickerTicks());
}

TEST(Deadline, DoesNotDisturbOtherStores) {
  Guest timed(compile(SPIN)), other(compile(R"((module (func (export "f") (param i32) (result i32)
      (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) i32.const 9)))"));
  timed.store.setDeadline(Store::Clock::now() + milliseconds(5));
  EXPECT_EQ(timed.trapOf("spin").kind, TrapKind::DEADLINE);
  EXPECT_EQ(*other.call("f", 50'000'000), 9u);
}

TEST(Slice, DoesNothingOnTheNativeStack) {
  Guest guest(compile(R"((module (func (export "f") (param i32) (result i32)
      (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) i32.const 9)))"));
  guest.store.setSlice(milliseconds(1));
  EXPECT_EQ(*guest.call("f", 50'000'000), 9u);
}

}  // namespace
}  // namespace tenon::engine
