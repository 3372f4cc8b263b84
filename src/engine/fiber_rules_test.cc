// One test, at least, per rule of the suspender (design, wasmtime.md section 3.2).
#include "engine/fiber_testing.h"

#include <memory>
#include <stdexcept>
#include <string_view>
#include <thread>

namespace tenon::engine {
namespace {

using State = Fiber::State;
using testing::Blocking;
using testing::compile;
using testing::signature;
using testing::testEngine;

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

TEST(FiberRules, BlockingWhereItIsRefusedIsATrap) {
  testing::Blocking call;
  call.name = "run";
  call.argument = 1;
  EXPECT_EQ(*call.fiber.start(testing::Blocking::body, &call, Fiber::Waits::REFUSED),
            Fiber::State::DONE);
  EXPECT_FALSE(call.fiber.succeeded());
  EXPECT_EQ(call.guest.store.takeTrap().message, "this call would have to wait, and cannot here");
}

TEST(FiberRules, BlockingAgainAfterACancellationFailsAtOnce) {
  struct Context {
    int failures = 0;
  } context;
  testing::OneImport call(
      [](void* environment, wasmtime_caller_t* caller, wasmtime_val_raw_t*,
         size_t) -> wasm_trap_t* {
        Store& store = Store::from(caller);
        // A host function that does not listen.
        for (int i = 0; i < 5; ++i) {
          if (!block(store)) ++static_cast<Context*>(environment)->failures;
        }
        return store.rethrow();
      },
      &context);
  ASSERT_EQ(call.start(), State::BLOCKED);
  call.fiber.cancel();
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
                            module.size(), "1", 1, &item);
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
        testing::OneImport call(
            [](void* environment, wasmtime_caller_t* caller, wasmtime_val_raw_t*,
               size_t) -> wasm_trap_t* {
              wasmtime_val_raw_t none{};
              wasm_trap_t* trap = nullptr;
              auto* error = wasmtime_func_call_unchecked(
                  wasmtime_caller_context(caller), &static_cast<Context*>(environment)->function,
                  &none, 1, &trap);
              if (error != nullptr) wasmtime_error_delete(error);
              return trap;
            },
            &context);
        context.function = call.guest.function("f");
        static_cast<void>(call.start());
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
  testing::OneImport call(
      [](void* environment, wasmtime_caller_t* caller, wasmtime_val_raw_t*,
         size_t) -> wasm_trap_t* {
        Store& store = Store::from(caller);
        store.fiber()->wake();
        store.fiber()->wake();
        static_cast<Context*>(environment)->waits += block(store) ? 1 : 100;
        return nullptr;
      },
      &context);
  EXPECT_EQ(call.start(), State::DONE);
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
  testing::OneImport call(
      [](void*, wasmtime_caller_t* caller, wasmtime_val_raw_t*, size_t) -> wasm_trap_t* {
        Store& store = Store::from(caller);
        bool ok = true;
        try {
          throw std::runtime_error("x");
        } catch (const std::runtime_error&) {
          ok = block(store);
        }
        return ok ? nullptr : store.rethrow();
      });
  EXPECT_EQ(call.start(), State::DONE);
  EXPECT_EQ(call.guest.store.takeTrap().message,
            "a host function waits inside an exception handler");
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

TEST(FiberRules, NoCallStartsWhileAnotherRunsOnTheNativeStack) {
  std::optional<ErrorCode> code;
  testing::OneImport call(
      [](void* code, wasmtime_caller_t* caller, wasmtime_val_raw_t*, size_t) -> wasm_trap_t* {
        Fiber fiber(Store::from(caller));
        auto started = fiber.start([](void*, Store&) { return true; }, nullptr);
        if (!started) *static_cast<std::optional<ErrorCode>*>(code) = started.error().code;
        return nullptr;
      },
      &code);
  EXPECT_TRUE(call.guest.call("f"));
  EXPECT_EQ(code, ErrorCode::UNUSABLE);
}

TEST(FiberRules, ACallWhoseStoreIsPoisonedMeanwhileUnwinds) {
  Blocking call;
  ASSERT_EQ(call.start("run", 1), State::BLOCKED);
  call.guest.store.poison();
  call.finishWait();
  EXPECT_EQ(call.fiber.poll(), State::DONE);
  EXPECT_FALSE(call.fiber.succeeded());
  EXPECT_EQ(call.unwound, 1);
  EXPECT_EQ(call.wakeUps, 0);
  EXPECT_EQ(call.guest.store.takeTrap().kind, TrapKind::UNUSABLE);
}

TEST(FiberRules, AStoreThatIsDestroyedCancelsItsCall) {
  testing::Guest guest(compile("(module)"));
  auto call = std::make_unique<Blocking>();
  auto store = std::make_unique<Store>(testEngine(), call.get());
  Fiber fiber(*store);
  ASSERT_EQ(*fiber.start([](void*, Store& store) { return block(store); }, nullptr),
            State::BLOCKED);
  store.reset();
  EXPECT_EQ(fiber.state(), State::DONE);
  EXPECT_FALSE(fiber.succeeded());
}

}  // namespace
}  // namespace tenon::engine
