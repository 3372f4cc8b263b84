// What components are made of: shims that are left out, imports, exports, instances, and limits.

#include "component_testing.h"

#include <gmock/gmock.h>

namespace tenon::component::testing {
namespace {

using ::testing::HasSubstr;

// -- Shims ----------------------------------------------------------------------------------------

// What wit-component makes for an import that needs main's memory. `start` is in the main module.
std::string shimText(const char* start, const char* fixupExtra = "") {
  return std::string(R"((component
    (import "log" (func $log (param "s" string)))
    (core module $shim
      (type $t (func (param i32 i32)))
      (table (export "$imports") 1 1 funcref)
      (func (export "0") (type $t)
        local.get 0 local.get 1 i32.const 0 call_indirect (type $t)))
    (core instance $shim (instantiate $shim))
    (core module $main (import "host" "log" (func $log (param i32 i32)))
      (memory (export "memory") 1) (data (i32.const 8) "hi")
      (func $run (export "run") (call $log (i32.const 8) (i32.const 2))))") +
         start + R"()
    (core instance $main (instantiate $main
      (with "host" (instance (export "log" (func $shim "0"))))))
    (core func $log' (canon lower (func $log) (memory (core memory $main "memory"))))
    (core module $fixup
      (type $t (func (param i32 i32)))
      (import "" "0" (func (type $t)))
      (import "" "$imports" (table 1 1 funcref))
      (elem (i32.const 0) func 0) )" +
         fixupExtra + R"()
    (core instance (instantiate $fixup (with "" (instance
      (export "0" (func $log')) (export "$imports" (table $shim "$imports"))))))
    (func (export "run") (canon lift (core func $main "run")))))";
}

TEST_P(ComponentTest, AShimIsLeftOutWhenItIsCertain) {
  std::string logged;
  std::map<std::string, TestRuntime::HostFunction> imports;
  imports["log"] = [&](TestRuntime& runtime, RawValue* values) {
    GuestMemory memory = runtime.memory(runtime.program().memories[0]);
    auto text = memory.bytes(values[0].i32, values[1].i32);
    logged.assign(reinterpret_cast<const char*>(text.data()), text.size());
    return true;
  };
  loadWell(shimText(""), imports);
  EXPECT_EQ(runtime->program().steps.size(), GetParam() == Rewriting::ON ? 1u : 3u);
  value("run");
  EXPECT_EQ(logged, "hi");
}

TEST_P(ComponentTest, AFixupThatDoesMoreKeepsTheShim) {
  loadWell(shimText("", "(global i32 (i32.const 1))"));
  if (GetParam() == Rewriting::OFF) EXPECT_EQ(runtime->program().steps.size(), 3u);
}

TEST_P(ComponentTest, AStartFunctionThatCallsTooEarlyTrapsAllTheSame) {
  int calls = 0;
  std::map<std::string, TestRuntime::HostFunction> imports;
  imports["log"] = [&](TestRuntime&, RawValue*) { return ++calls > 0; };
  load(shimText("(start $run)"), imports);
  EXPECT_TRUE(runtime->instantiation().trapped);
  EXPECT_EQ(calls, 0);
  EXPECT_THAT(runtime->instantiation().message, HasSubstr("uninitialized element"));
}

TEST_P(ComponentTest, AfterAHarmlessStartFunctionCallsWork) {
  int calls = 0;
  std::map<std::string, TestRuntime::HostFunction> imports;
  imports["log"] = [&](TestRuntime&, RawValue*) { return ++calls > 0; };
  loadWell(shimText("(func $s) (start $s)"), imports);
  value("run");
  EXPECT_EQ(calls, 1);
}

// -- What the world imports and exports -----------------------------------------------------------

TEST_P(ComponentTest, ImportsAndExportsKeepTheirNamesAndTypes) {
  loadWell(R"((component
    (import "a:b/c@1.0.0" (instance $i
      (type $rec' (record (field "x" u8)))
      (export "rec" (type $rec (eq $rec')))
      (export "res" (type $res (sub resource)))
      (export "f" (func (param "r" $rec) (param "h" (borrow $res))))))
    (import "plain" (func $plain (result bool)))
    (alias export $i "rec" (type $rec))
    (export "again" (func $plain))
    (export "a:b/d" (instance (;made;) $i))
    (export "rec" (type $rec))))",
           {});
  const Program& program = runtime->program();
  ASSERT_EQ(program.imports.size(), 2u);
  EXPECT_EQ(program.imports[0].interface, "a:b/c@1.0.0");
  EXPECT_EQ(program.imports[0].name, "f");
  EXPECT_EQ(toString(program.imports[0].type), "func(r: record { x: u8 }, h: borrow<res>)");
  EXPECT_EQ(program.imports[1].interface, "");
  EXPECT_EQ(program.resources[0].interface, "a:b/c@1.0.0");
  EXPECT_TRUE(program.resources[0].imported);
  ASSERT_EQ(program.exports.size(), 3u);
  EXPECT_EQ(program.exports[0].name, "again");
  EXPECT_EQ(toString(std::get<LiftedFunction>(program.exports[0].item).type), "func() -> bool");
  const auto& inner = std::get<ExportedInstance>(program.exports[1].item).exports;
  ASSERT_EQ(inner.size(), 3u);
  EXPECT_EQ(inner[1].name, "res");
  EXPECT_EQ(std::get<ExportedType>(inner[1].item).resource, 0u);
  EXPECT_EQ(toString(std::get<LiftedFunction>(inner[2].item).type),
            "func(r: record { x: u8 }, h: borrow<res>)");
}

TEST_P(ComponentTest, OuterAliasesReachEnclosingComponents) {
  loadWell(R"((component
    (core module $m (func (export "f") (result i32) (i32.const 11)))
    (type $t (func (result u32)))
    (component $inner
      (core instance $i (instantiate $m))
      (component $innermost
        (alias outer 2 $m (core module $again))
        (core instance $i (instantiate $again))
        (func (export "f") (type $t) (canon lift (core func $i "f"))))
      (instance $x (instantiate $innermost))
      (export "f" (func $x "f")))
    (instance $x (instantiate $inner))
    (export "f" (func $x "f"))))");
  EXPECT_EQ(value("f"), 11u);
  EXPECT_EQ(runtime->program().modules.size(), 1u);
  EXPECT_EQ(runtime->program().steps.size(), 2u);
}

TEST_P(ComponentTest, ComponentsAreArgumentsToo) {
  loadWell(R"((component
    (component $five
      (core module $m (func (export "f") (result i32) (i32.const 5)))
      (core instance $i (instantiate $m))
      (func (export "f") (result u32) (canon lift (core func $i "f"))))
    (component $runner
      (import "c" (component $c (export "f" (func (result u32)))))
      (instance $x (instantiate $c))
      (export "f" (func $x "f")))
    (instance $x (instantiate $runner (with "c" (component $five))))
    (export "f" (func $x "f"))))");
  EXPECT_EQ(value("f"), 5u);
}

TEST_P(ComponentTest, AsynchronousBuiltinsCanBeImportedButTrap) {
  loadWell(R"((component
    (core func $new (canon waitable-set.new))
    (core func $yield (canon task.cancel))
    (core module $m (import "" "new" (func $new (result i32))) (import "" "cancel" (func $cancel))
      (func (export "fine") (result i32) (i32.const 1))
      (func (export "bad") (call $cancel)))
    (core instance $i (instantiate $m (with "" (instance (export "new" (func $new)) (export "cancel" (func $yield))))))
    (func (export "fine") (result u32) (canon lift (core func $i "fine")))
    (func (export "bad") (canon lift (core func $i "bad")))))");
  EXPECT_EQ(value("fine"), 1u);
  Outcome outcome = runtime->call("bad");
  ASSERT_TRUE(outcome.trapped);
  EXPECT_THAT(outcome.message, HasSubstr("task.cancel"));
}

TEST_P(ComponentTest, WhatIsNotSupportedIsNamed) {
  auto refused = [&](const char* text) {
    auto program = compile(text);
    if (program.ok()) return std::string("accepted");
    EXPECT_EQ(program.error().code, ErrorCode::UNSUPPORTED);
    return program.error().message;
  };
  EXPECT_THAT(refused(R"((component (import "m" (core module))))"), HasSubstr("core module, m"));
  EXPECT_THAT(refused(R"((component (import "c" (component))))"), HasSubstr("component, c"));
}

TEST_P(ComponentTest, ParametersThatNoMemoryHoldsAreRefused) {
  Features features;
  features.fixedLists = true;
  // Each is as large as a type may be.
  std::string params;
  for (int i = 0; i < 17; ++i) {
    params += " (param \"p" + std::to_string(i) + "\" (list u64 33554431))";
  }
  auto program = compile(R"((component
    (component $callee
      (core module $m (memory (export "m") 1) (func (export "f") (param i32))
        (func (export "r") (param i32 i32 i32 i32) (result i32) unreachable))
      (core instance $i (instantiate $m))
      (func (export "f"))" + params +
                             R"(
        (canon lift (core func $i "f") (memory (core memory $i "m"))
          (realloc (core func $i "r")))))
    (instance $c (instantiate $callee))
    (core module $mem (memory (export "m") 1))
    (core instance $mem (instantiate $mem))
    (core func $f (canon lower (func $c "f") (memory (core memory $mem "m"))))
    (core module $m (import "" "f" (func $f (param i32))))
    (core instance (instantiate $m (with "" (instance (export "f" (func $f))))))))",
                         features);
  ASSERT_FALSE(program.ok());
  EXPECT_EQ(program.error().code, ErrorCode::LIMIT_EXCEEDED);
  EXPECT_THAT(program.error().message, HasSubstr("more than 2^32 - 1 bytes"));
}

TEST_P(ComponentTest, ExponentialInstantiationIsStopped) {
  std::string text = "(component (component $c0)";
  for (int i = 1; i < 40; ++i) {
    std::string previous = "$c" + std::to_string(i - 1);
    text += "(component $c" + std::to_string(i) + " (instance (instantiate " + previous +
            ")) (instance (instantiate " + previous + ")))";
  }
  auto program = compile(text + "(instance (instantiate $c39)))");
  ASSERT_FALSE(program.ok());
  EXPECT_EQ(program.error().code, ErrorCode::LIMIT_EXCEEDED);
}

TEST_P(ComponentTest, DeepInstantiationIsStopped) {
  std::string text = "(component (component $c0)";
  for (int i = 1; i < 3000; ++i) {
    text += "(component $c" + std::to_string(i) + " (instance (instantiate $c" +
            std::to_string(i - 1) + ")))";
  }
  auto program = compile(text + "(instance (instantiate $c2999)))");
  ASSERT_FALSE(program.ok());
  EXPECT_EQ(program.error().code, ErrorCode::LIMIT_EXCEEDED);
}

}  // namespace
}  // namespace tenon::component::testing
