// One test, at least, per rule of the suspender (design, wasmtime.md section 3.2).
#include "engine/fiber.h"

#include "engine/engine_testing.h"

#include <chrono>
#include <deque>
#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace tenon::engine {
namespace {

using State = Fiber::State;
using testing::compile;
using testing::signature;
using testing::testEngine;

// A guest that calls a blocking import in a loop, and what its host functions need to know.
struct Blocking {
  explicit Blocking(Allocation allocation = Allocation::ON_DEMAND)
      : guest(compile(R"((module
            (import "host" "wait" (func $wait (param i32) (result i32)))
            (import "host" "nested" (func $nested (param i32) (result i32)))
            (memory (export "memory") 1)
            (func (export "nop") (param i32) (result i32) (local.get 0))
            (func (export "trap") (param i32) (result i32) unreachable)
            (func $run (export "run") (param $n i32) (result i32) (local $a i32)
              (loop $l
                (local.set $a (call $wait (local.get $a)))
                (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
              (local.get $a))
            (func (export "deep") (param i32) (result i32) (call $nested (local.get 0)))
            (func $recurse (export "recurse") (param i32) (result i32)
              (if (result i32) (local.get 0)
                (then (call $recurse (i32.sub (local.get 0) (i32.const 1))))
                (else (call $nested (i32.const 0)))))
            (func $forever (export "forever") (param i32) (result i32)
              (i32.add (call $forever (local.get 0)) (i32.const 1)))
            (func (export "spin") (param $n i32) (result i32)
              (loop $l (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
              (i32.const 77))))",
                      testing::engineFor(allocation)),
              {{"wait", signature(1, 1), wait}, {"nested", signature(1, 1), nested}}, this),
        fiber(guest.store, onReady, this) {}

  // Blocks, then adds one.
  static wasm_trap_t* wait(void*, wasmtime_caller_t* caller, wasmtime_val_raw_t* values, size_t) {
    Store& store = Store::from(caller);
    auto& self = *static_cast<Blocking*>(store.owner);
    ++self.waits;
    self.done = false;
    while (!self.done) {
      if (!block(store)) {
        ++self.unwound;
        return store.rethrow();
      }
      ++self.wakeUps;
    }
    values[0].i32 += 1;
    return nullptr;
  }

  static wasm_trap_t* nested(void*, wasmtime_caller_t* caller, wasmtime_val_raw_t* values, size_t) {
    Store& store = Store::from(caller);
    auto& self = *static_cast<Blocking*>(store.owner);
    RawValue value{};
    value.i32 = static_cast<uint32_t>(values[0].i32);
    ++self.depth;
    if (!callCore(store, self.guest.function(self.nestedName), {&value, 1})) return store.rethrow();
    values[0].i32 = static_cast<int32_t>(value.i32);
    return nullptr;
  }

  static void onReady(void* context, Fiber& fiber) {
    auto& self = *static_cast<Blocking*>(context);
    EXPECT_EQ(&fiber, &self.fiber);
    ++self.scheduled;
  }

  static bool body(void* context, Store& store) {
    auto& self = *static_cast<Blocking*>(context);
    self.value.i32 = self.argument;
    return callCore(store, self.guest.function(self.name), {&self.value, 1});
  }

  State start(std::string_view function, uint32_t with = 0) {
    name = function;
    argument = with;
    return fiber.start(body, this).value();
  }
  void finishWait() {
    done = true;
    fiber.wake();
  }

  std::string_view name;
  std::string_view nestedName = "nop";
  uint32_t argument = 0;
  RawValue value{};
  bool done = false;
  int waits = 0, wakeUps = 0, unwound = 0, scheduled = 0, depth = 0;
  testing::Guest guest;
  Fiber fiber;
};

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

// -- Rule 1: `suspend` only on a fiber, and never after it was refused ---------------------------

TEST(FiberRules, BlockingOffAFiberIsATrapWithASentence) {
  Blocking call;
  Trap trap = call.guest.trapOf("run", 1);
  EXPECT_EQ(trap.kind, TrapKind::HOST);
  EXPECT_EQ(trap.message, "this call would have to wait, and cannot here");
}

TEST(FiberRules, BlockingInAStartFunctionIsATrap) {
  HostLinker linker(testEngine());
  ASSERT_TRUE(
      linker
          .define(
              "host", "wait", signature(0, 0),
              [](void*, wasmtime_caller_t* caller, wasmtime_val_raw_t*, size_t) -> wasm_trap_t* {
                Store& store = Store::from(caller);
                return block(store) ? nullptr : store.rethrow();
              },
              nullptr)
          .ok());
  Store store(testEngine(), nullptr);
  auto instance =
      linker.prepare(compile("(module (import \"host\" \"wait\" (func $w)) (start $w))"))
          .value()
          .instantiate(store);
  ASSERT_FALSE(instance);
  EXPECT_EQ(instance.error().message, "this call would have to wait, and cannot here");
}

TEST(FiberRules, BlockingAgainAfterACancellationFailsAtOnce) {
  struct Context {
    int failures = 0;
  } context;
  testing::Guest guest(
      compile("(module (import \"host\" \"w\" (func $w)) (func (export \"f\") (call $w)))"),
      {{"w", signature(0, 0),
        [](void* environment, wasmtime_caller_t* caller, wasmtime_val_raw_t*,
           size_t) -> wasm_trap_t* {
          Store& store = Store::from(caller);
          // A host function that does not listen.
          for (int i = 0; i < 5; ++i) {
            if (!block(store)) ++static_cast<Context*>(environment)->failures;
          }
          return store.rethrow();
        }}},
      &context);
  Fiber fiber(guest.store);
  ASSERT_EQ(
      *fiber.start([](void* g, Store&) { return static_cast<testing::Guest*>(g)->call("f").ok(); },
                   &guest),
      State::BLOCKED);
  fiber.cancel();
  EXPECT_EQ(context.failures, 5);
}

TEST(FiberRulesDeathTest, WasmtimeAbortsWhenSuspendIsCalledDirectlyOffAFiber) {
  // What `block` protects from.
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        Store store(testEngine(), nullptr);
        wasmtime_extern_t item;
        std::string_view module = "tenon:engine/fiber";
        wasmtime_linker_get(testEngine()->fiberLinker(), store.context(), module.data(),
                            module.size(), "suspend", 7, &item);
        wasmtime_val_raw_t none{};
        wasm_trap_t* trap = nullptr;
        static_cast<void>(
            wasmtime_func_call_unchecked(store.context(), &item.of.func, &none, 1, &trap));
      },
      "");
}

// -- Rule 2: one thread --------------------------------------------------------------------------

TEST(FiberRulesDeathTest, PollingOnAnotherThreadEndsTheProcessWithASentence) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        Blocking call;
        call.start("run", 1);
        call.finishWait();
        std::thread([&] { call.fiber.poll(); }).join();
      },
      "a fiber is used on another thread than it started on");
}

TEST(FiberRules, AStoreMayMoveToAnotherThreadBetweenCalls) {
  Blocking call;
  ASSERT_EQ(call.start("nop", 1), State::DONE);
  std::thread([&] { EXPECT_EQ(call.start("nop", 2), State::DONE); }).join();
  EXPECT_EQ(call.value.i32, 2u);
}

// -- Rule 3: the stack ---------------------------------------------------------------------------

TEST(FiberRules, RecursionThroughTheHostEndsInATrapNotInACrash) {
  for (Allocation allocation : {Allocation::ON_DEMAND, Allocation::POOLING}) {
    Blocking call(allocation);
    call.nestedName = "deep";  // guest -> host -> guest -> ...
    EXPECT_EQ(call.start("deep"), State::DONE);
    EXPECT_EQ(call.guest.store.takeTrap().kind, TrapKind::STACK_OVERFLOW);
    EXPECT_GT(call.depth, 100);
  }
}

TEST(FiberRules, RecursionThroughTheHostOnTheNativeStackIsATrapToo) {
  Blocking call;
  call.nestedName = "deep";
  EXPECT_EQ(call.guest.trapOf("deep").kind, TrapKind::STACK_OVERFLOW);
  EXPECT_GT(call.depth, 100);
}

TEST(FiberRules, GuestsThatUseTheirWholeStackTwiceFindRoomForARealloc) {
  // Nearly all of max_wasm_stack in the export, then again in the nested call, then one more: the
  // fiber's size is made for that.
  Blocking call;
  call.nestedName = "nop";
  uint32_t most = 0;
  for (uint32_t frames = 1000;; frames += 1000) {
    Blocking probe;
    if (!probe.guest.call("recurse", frames)) break;
    most = frames;
  }
  ASSERT_GT(most, 1000u);
  EXPECT_EQ(call.start("recurse", most), State::DONE);
  EXPECT_TRUE(call.fiber.succeeded());
}

TEST(FiberRulesDeathTest, WasmtimeAbortsWhenAFibersStackOverflowsInTheHost) {
  // What `callCore` protects from: unchecked calls get a fresh allowance each.
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        struct Context {
          wasmtime_func_t function;
        } context;
        testing::Guest guest(
            compile("(module (import \"host\" \"n\" (func $n)) (func (export \"f\") (call $n)))"),
            {{"n", signature(0, 0),
              [](void* environment, wasmtime_caller_t* caller, wasmtime_val_raw_t*,
                 size_t) -> wasm_trap_t* {
                wasmtime_val_raw_t none{};
                wasm_trap_t* trap = nullptr;
                auto* error = wasmtime_func_call_unchecked(
                    wasmtime_caller_context(caller), &static_cast<Context*>(environment)->function,
                    &none, 1, &trap);
                if (error != nullptr) wasmtime_error_delete(error);
                return trap;
              }}},
            &context);
        context.function = guest.function("f");
        Fiber fiber(guest.store);
        static_cast<void>(fiber.start(
            [](void* g, Store&) { return static_cast<testing::Guest*>(g)->call("f").ok(); },
            &guest));
      },
      "");
}

// -- Rule 4: one live call per store -------------------------------------------------------------

TEST(FiberRules, NothingElseRunsInAStoreWhoseCallIsSuspended) {
  Blocking call;
  ASSERT_EQ(call.start("run", 1), State::BLOCKED);
  auto other = call.guest.call("nop");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::UNUSABLE);
  EXPECT_EQ(other.error().message, "another call is suspended in this store");
  Fiber second(call.guest.store);
  EXPECT_EQ(second.start(Blocking::body, &call).error().code, ErrorCode::UNUSABLE);
  // The suspended call is as it was.
  call.finishWait();
  EXPECT_EQ(call.fiber.poll(), State::DONE);
  EXPECT_TRUE(call.fiber.succeeded());
}

// -- Rule 5: the continuation only tests a flag --------------------------------------------------

TEST(FiberRules, AWakeThatComesBeforeTheWaitIsNotLost) {
  struct Context {
    int waits = 0;
  } context;
  testing::Guest guest(
      compile("(module (import \"host\" \"w\" (func $w)) (func (export \"f\") (call $w)))"),
      {{"w", signature(0, 0),
        [](void* environment, wasmtime_caller_t* caller, wasmtime_val_raw_t*,
           size_t) -> wasm_trap_t* {
          Store& store = Store::from(caller);
          store.fiber()->wake();
          store.fiber()->wake();
          static_cast<Context*>(environment)->waits += block(store) ? 1 : 100;
          return nullptr;
        }}},
      &context);
  Fiber fiber(guest.store);
  EXPECT_EQ(
      *fiber.start([](void* g, Store&) { return static_cast<testing::Guest*>(g)->call("f").ok(); },
                   &guest),
      State::DONE);
  EXPECT_EQ(context.waits, 1);
}

TEST(FiberRules, AWakeWithoutReasonOnlyMakesTheHostFunctionLookAgain) {
  Blocking call;
  ASSERT_EQ(call.start("run", 1), State::BLOCKED);
  for (int i = 1; i <= 3; ++i) {
    call.fiber.wake();
    call.fiber.wake();
    EXPECT_EQ(call.scheduled, i);
    EXPECT_EQ(call.fiber.poll(), State::BLOCKED);
    EXPECT_EQ(call.wakeUps, i);
  }
  EXPECT_EQ(call.waits, 1);
}

TEST(FiberRules, AWakeAfterTheEndDoesNothing) {
  Blocking call;
  call.fiber.wake();
  EXPECT_EQ(call.start("nop"), State::DONE);
  call.fiber.wake();
  EXPECT_EQ(call.scheduled, 0);
  EXPECT_EQ(call.fiber.poll(), State::DONE);
}

// -- Rule 6: not inside an exception handler -----------------------------------------------------

TEST(FiberRules, WaitingInsideAnExceptionHandlerIsATrap) {
  testing::Guest guest(
      compile("(module (import \"host\" \"w\" (func $w)) (func (export \"f\") (call $w)))"),
      {{"w", signature(0, 0),
        [](void*, wasmtime_caller_t* caller, wasmtime_val_raw_t*, size_t) -> wasm_trap_t* {
          Store& store = Store::from(caller);
          bool ok = true;
          try {
            throw std::runtime_error("x");
          } catch (const std::runtime_error&) {
            ok = block(store);
          }
          return ok ? nullptr : store.rethrow();
        }}});
  Fiber fiber(guest.store);
  auto body = [](void* g, Store& store) {
    auto& self = *static_cast<testing::Guest*>(g);
    RawValue none{};
    return callCore(store, self.function("f"), {&none, 1});
  };
  EXPECT_EQ(*fiber.start(body, &guest), State::DONE);
  EXPECT_EQ(guest.store.takeTrap().message, "a host function waits inside an exception handler");
}

TEST(FiberRules, ExceptionsThrownAndCaughtOnAFiberWork) {
  Blocking call;
  call.name = "run";
  call.argument = 2;
  auto body = [](void* context, Store& store) {
    int caught = 0;
    for (int i = 0; i < 3; ++i) {
      try {
        throw std::runtime_error("on the fiber");
      } catch (const std::exception&) {
        ++caught;
      }
    }
    return Blocking::body(context, store) && caught == 3;
  };
  ASSERT_EQ(*call.fiber.start(body, &call), State::BLOCKED);
  try {
    throw std::runtime_error("on the native stack, while the fiber is suspended");
  } catch (const std::exception&) {
    call.finishWait();
  }
  EXPECT_EQ(call.fiber.poll(), State::BLOCKED);
  call.finishWait();
  EXPECT_EQ(call.fiber.poll(), State::DONE);
  EXPECT_TRUE(call.fiber.succeeded());
}

// -- Rule 7: never poll after the end; a fiber does not poll or cancel itself ---------------------

TEST(FiberRules, PollingAfterTheEndIsHarmless) {
  Blocking call;
  EXPECT_EQ(call.fiber.poll(), State::DONE);
  EXPECT_EQ(call.start("nop"), State::DONE);
  EXPECT_EQ(call.fiber.poll(), State::DONE);
}

TEST(FiberRulesDeathTest, CancellingItselfEndsTheProcessWithASentence) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        Blocking call;
        static_cast<void>(call.fiber.start(
            [](void* context, Store&) {
              static_cast<Blocking*>(context)->fiber.cancel();
              return true;
            },
            &call));
      },
      "a fiber cancels itself");
}

// -- Rule 8: no instantiation on a fiber of the same store ---------------------------------------

TEST(FiberRules, InstantiatingOnAFiberIsRefusedInItsStoreAndFineInAnother) {
  Blocking call;
  struct Context {
    Module empty = compile("(module)");
    ErrorCode own = ErrorCode::INTERNAL;
    bool other = false;
  } context;
  Fiber fiber(call.guest.store);
  EXPECT_EQ(*fiber.start(
                [](void* c, Store& store) {
                  auto& self = *static_cast<Context*>(c);
                  self.own = instantiate(store, self.empty, {}).error().code;
                  Store another(testEngine(), nullptr);
                  self.other = instantiate(another, self.empty, {}).ok();
                  return true;
                },
                &context),
            State::DONE);
  EXPECT_EQ(context.own, ErrorCode::UNUSABLE);
  EXPECT_TRUE(context.other);
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
