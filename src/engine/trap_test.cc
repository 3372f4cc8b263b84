#include "engine/trap.h"

#include "engine/engine_testing.h"

#include <string>

namespace tenon::engine {
namespace {

using testing::compile;
using testing::Guest;
using testing::signature;

Trap trapOf(const char* body) {
  Guest guest(compile(std::string("(module (memory 1) (table 1 funcref) (type $v (func)) "
                                  "(func (export \"f\") (param i32) (result i32) (local f64) ") +
                      body + "))"));
  return guest.trapOf("f");
}

TEST(Trap, HasAKindAndASentenceForEveryWayToFail) {
  struct Case {
    const char* body;
    TrapKind kind;
    const char* message;
  };
  for (const Case& item : {
           Case{"unreachable", TrapKind::UNREACHABLE, "unreachable instruction executed"},
           Case{"(i32.load (i32.const 65536))", TrapKind::OUT_OF_BOUNDS,
                "out of bounds memory access"},
           Case{"(memory.fill (i32.const 65535) (i32.const 0) (i32.const 2)) i32.const 0",
                TrapKind::OUT_OF_BOUNDS, "out of bounds memory access"},
           Case{"(call_indirect (type $v) (i32.const 7)) i32.const 0", TrapKind::OUT_OF_BOUNDS,
                "undefined element: out of bounds table access"},
           Case{"(call_indirect (type $v) (i32.const 0)) i32.const 0", TrapKind::BAD_CALL,
                "uninitialized element: call through a null table entry"},
           Case{"(i32.div_s (i32.const 1) (local.get 0))", TrapKind::ARITHMETIC,
                "integer divide by zero"},
           Case{"(i32.div_s (i32.const 0x80000000) (i32.const -1))", TrapKind::ARITHMETIC,
                "integer overflow"},
           Case{"(i32.trunc_f64_s (f64.div (local.get 1) (local.get 1)))", TrapKind::ARITHMETIC,
                "invalid conversion to integer"},
       }) {
    Trap trap = trapOf(item.body);
    EXPECT_EQ(trap.kind, item.kind) << item.body;
    EXPECT_EQ(trap.message, item.message) << item.body;
    EXPECT_EQ(trap.backtrace.size(), 1u) << item.body;
    EXPECT_EQ(trap.toError().code, ErrorCode::TRAPPED);
  }
}

TEST(Trap, NamesTheWrongTypeOfAnIndirectCall) {
  Guest guest(compile(
      "(module (table 1 funcref) (elem (i32.const 0) $g) (func $g) (type $t (func (param i64)))"
      "(func (export \"f\") (call_indirect (type $t) (i64.const 0) (i32.const 0))))"));
  EXPECT_EQ(guest.trapOf("f").kind, TrapKind::BAD_CALL);
}

TEST(Trap, TurnsEndlessRecursionIntoAStackOverflow) {
  Guest guest(compile("(module (func $f (export \"f\") (call $f) (call $f)))"));
  Trap trap = guest.trapOf("f");
  EXPECT_EQ(trap.kind, TrapKind::STACK_OVERFLOW);
  EXPECT_EQ(trap.message, "call stack exhausted");
  EXPECT_LE(trap.backtrace.size(), Trap::MAX_FRAMES);
  EXPECT_GE(trap.backtrace.size(), 2u);
}

TEST(Trap, NamesTheFunctionsOnTheStackInnermostFirst) {
  Guest guest(compile(R"((module $shop
      (func $inner unreachable)
      (func $middle (call $inner))
      (func (export "f") (call $middle))))"));
  Trap trap = guest.trapOf("f");
  ASSERT_EQ(trap.backtrace.size(), 3u);
  EXPECT_EQ(trap.backtrace[0].module, "shop");
  EXPECT_EQ(trap.backtrace[0].function, "inner");
  EXPECT_EQ(trap.backtrace[1].function, "middle");
  EXPECT_EQ(trap.backtrace[2].function, "");
  EXPECT_EQ(trap.backtrace[2].functionIndex, 2u);
  EXPECT_NE(trap.backtrace[0].moduleOffset, Frame::NO_OFFSET);
  std::string text = trap.backtraceText();
  EXPECT_NE(text.find("  at shop!inner+0x0 (module offset 0x"), std::string::npos) << text;
  EXPECT_NE(text.find("  at shop!function 2+0x"), std::string::npos) << text;
  EXPECT_EQ(trap.toError().details, text);
}

TEST(Trap, DemanglesFunctionNamesOfRustAndCpp) {
  Guest guest(compile(R"((module
      (func $_ZN4core9panicking5panic17h0123456789abcdefE unreachable)
      (func $_ZN4shop4cart3addEi (call $_ZN4core9panicking5panic17h0123456789abcdefE))
      (func $_RNvCs15kBYyAo9fc_7mycrate7example (call $_ZN4shop4cart3addEi))
      (func (export "f") (call $_RNvCs15kBYyAo9fc_7mycrate7example))))"));
  Trap trap = guest.trapOf("f");
  ASSERT_EQ(trap.backtrace.size(), 4u);
  EXPECT_EQ(trap.backtrace[0].function, "core::panicking::panic");
  EXPECT_EQ(trap.backtrace[1].function, "shop::cart::add(int)");
  EXPECT_EQ(trap.backtrace[2].function, "mycrate::example");
}

TEST(Trap, LeavesNamesThatAreNotMangled) {
  Guest guest(compile(R"((module
      (func $f unreachable)
      (func $St (call $f))
      (func $"core::panicking::panic::h0123456789abcdef" (call $St))
      (func (export "f") (call $"core::panicking::panic::h0123456789abcdef"))))"));
  Trap trap = guest.trapOf("f");
  ASSERT_EQ(trap.backtrace.size(), 4u);
  EXPECT_EQ(trap.backtrace[0].function, "f");
  EXPECT_EQ(trap.backtrace[1].function, "St");
  EXPECT_EQ(trap.backtrace[2].function, "core::panicking::panic::h0123456789abcdef");
}

TEST(Trap, ShowsNamesWithoutWhatSteersATerminalAndNotWithoutEnd) {
  Trap trap;
  Frame frame;
  frame.module = "m\n\x1b[31m";
  frame.function = std::string(100'000, 'f');
  trap.append({frame});
  EXPECT_EQ(trap.backtraceText(), "  at m\\n\\u{1b}[31m!" + std::string(256, 'f') +
                                      "... (99744 bytes more)+0x0 (module offset 0x0)\n");
}

TEST(Trap, ReportsAnExceptionThatNobodyCatches) {
  Guest guest(
      compile("(module (tag $e (param i32)) (func $t (throw $e (i32.const 3))) "
              "(func (export \"f\") (call $t)))"));
  Trap trap = guest.trapOf("f");
  EXPECT_EQ(trap.kind, TrapKind::EXCEPTION);
  EXPECT_EQ(trap.message, "uncaught exception");
  EXPECT_FALSE(wasmtime_context_has_exception(guest.store.context()));
}

TEST(Trap, KeepsTheReasonOfAHostFunctionAndWhereTheGuestCalledIt) {
  Guest guest(compile(R"((module (import "host" "refuse" (func $refuse))
                         (func $caller (export "f") (call $refuse))))"),
              {{"refuse", signature(0, 0),
                [](void*, wasmtime_caller_t* caller, wasmtime_val_raw_t*, size_t) {
                  return Store::from(caller).raise(TrapKind::HOST, "no such handle: 17");
                }}});
  Trap trap = guest.trapOf("f");
  EXPECT_EQ(trap.kind, TrapKind::HOST);
  EXPECT_EQ(trap.message, "no such handle: 17");
  ASSERT_EQ(trap.backtrace.size(), 1u);
  EXPECT_EQ(trap.backtrace[0].function, "caller");
}

TEST(Trap, CarriesTheExitCode) {
  Guest guest(compile(R"((module (import "host" "exit" (func $exit (param i32)))
                         (func (export "f") (param i32) (call $exit (local.get 0)))))"),
              {{"exit", signature(1, 0),
                [](void*, wasmtime_caller_t* caller, wasmtime_val_raw_t* values, size_t) {
                  return Store::from(caller).raise(Trap::exit(values[0].i32));
                }}});
  Trap trap = guest.trapOf("f", 42);
  EXPECT_EQ(trap.kind, TrapKind::EXIT);
  EXPECT_EQ(trap.toError().code, ErrorCode::EXITED);
  EXPECT_EQ(trap.toError().exitCode, 42);
}

TEST(Trap, JoinsTheBacktracesOfNestedGuests) {
  struct Context {
    wasmtime_func_t inner;
  } context;
  Guest guest(compile(R"((module (import "host" "again" (func $again))
      (func $inner (export "inner") unreachable)
      (func $outer (export "f") (call $again))))"),
              {{"again", signature(0, 0),
                [](void* environment, wasmtime_caller_t* caller, wasmtime_val_raw_t*,
                   size_t) -> wasm_trap_t* {
                  Store& store = Store::from(caller);
                  RawValue none{};
                  if (callCore(store, static_cast<Context*>(environment)->inner, {&none, 1}))
                    return nullptr;
                  return store.rethrow();
                }}},
              &context);
  context.inner = guest.function("inner");
  Trap trap = guest.trapOf("f");
  EXPECT_EQ(trap.kind, TrapKind::UNREACHABLE);
  // The engine walks through the host's frames, so the inner trap knows all of them.
  ASSERT_GE(trap.backtrace.size(), 2u);
  EXPECT_EQ(trap.backtrace[0].function, "inner");
  EXPECT_EQ(trap.backtrace.back().function, "outer");
}

TEST(Trap, SaysHowManyFramesItLeftOut) {
  Trap trap;
  trap.append(std::vector<Frame>(Trap::MAX_FRAMES + 3));
  EXPECT_EQ(trap.backtrace.size(), Trap::MAX_FRAMES);
  EXPECT_NE(trap.backtraceText().find("and 3 more"), std::string::npos);
}

TEST(Trap, BecomesTheLibrarysErrorByKind) {
  auto codeOf = [](TrapKind kind) {
    Trap trap;
    trap.kind = kind;
    return trap.toError().code;
  };
  EXPECT_EQ(codeOf(TrapKind::DEADLINE), ErrorCode::DEADLINE);
  EXPECT_EQ(codeOf(TrapKind::LIMIT), ErrorCode::LIMIT_EXCEEDED);
  EXPECT_EQ(codeOf(TrapKind::CANCELLED), ErrorCode::CANCELLED);
  EXPECT_EQ(codeOf(TrapKind::UNUSABLE), ErrorCode::UNUSABLE);
  EXPECT_EQ(codeOf(TrapKind::HOST), ErrorCode::TRAPPED);
}

}  // namespace
}  // namespace tenon::engine
