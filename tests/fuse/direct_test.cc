// When a caller gets the callee's own function, without an adapter between them.

#include "component/binary/decoder.h"
#include "component/flatten/flatten.h"
#include "component/fuse/fuse.h"
#include "component/relink/reach.h"
#include "test_runtime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tenon::component::testing {
namespace {

using control::TrapCode;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A callee of `add` with `numbers` as the types of both parameters and the result, and a caller
// whose `realloc` has the body `inRealloc`; it passes a string to itself to have it called.
std::string pairOf(const std::string& number, const std::string& core, const std::string& inRealloc,
                   const std::string& more = "") {
  return R"((component
    (component $adder
      (core module $m (func (export "add") (param )" +
         core + " " + core + ") (result " + core + ") (" + core +
         R"(.add (local.get 0) (local.get 1)))
        (memory (export "memory") 1) (data (i32.const 8) "text")
        (func (export "text") (result i32)
          (i32.store (i32.const 0) (i32.const 8)) (i32.store (i32.const 4) (i32.const 4))
          (i32.const 0)))
      (core instance $i (instantiate $m))
      (func (export "add") (param "a" )" +
         number + R"() (param "b" )" + number + ") (result " + number +
         R"() (canon lift (core func $i "add")))
      (func (export "text") (result string)
        (canon lift (core func $i "text") (memory (core memory $i "memory")))))
    (component $user
      (import "add" (func $add (param "a" )" +
         number + R"() (param "b" )" + number + ") (result " + number + R"()))
      (import "text" (func $text (result string)))
      (core func $add' (canon lower (func $add)))
      (core module $libc (import "" "add" (func $add (param )" +
         core + " " + core + ") (result " + core + R"()))
        (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) )" +
         inRealloc + R"( (i32.const 64))
        (func (export "sum") (result i32) (call $add ()" +
         core + ".const 40) (" + core + R"(.const 2)) )" + (core == "i32" ? "" : "i32.wrap_i64") +
         ") " + more + R"()
      (core instance $libc (instantiate $libc (with "" (instance (export "add" (func $add'))))))
      (core func $text' (canon lower (func $text) (memory (core memory $libc "memory"))
        (realloc (core func $libc "realloc"))))
      (core module $m (import "" "text" (func $text (param i32)))
        (func (export "get") (call $text (i32.const 16))))
      (core instance $i (instantiate $m (with "" (instance (export "text" (func $text'))))))
      (func (export "sum") (result u32) (canon lift (core func $libc "sum")))
      (func (export "get") (canon lift (core func $i "get"))))
    (instance $a (instantiate $adder))
    (instance $u (instantiate $user (with "add" (func $a "add")) (with "text" (func $a "text"))))
    (export "sum" (func $u "sum")) (export "get" (func $u "get"))))";
}

class DirectTest : public ::testing::Test {
 protected:
  // Links the component and gives how many functions the generated modules export.
  size_t adaptersOf(const std::string& text) {
    bytes = assemble(text);
    definitions = decode(bytes).value();
    Program program = flatten(*definitions, "test").value();
    EXPECT_TRUE(fuse(program, Rewriting::ON).ok());
    size_t adapters = 0;
    for (const ModuleBytes& module : program.modules) {
      if (!module.generated) continue;
      adapters += CallGraph::read(module.bytes).value().exports.size();
    }
    runtime = std::make_unique<TestRuntime>(std::move(program),
                                            std::map<std::string, TestRuntime::HostFunction>{});
    EXPECT_FALSE(runtime->instantiation().trapped) << runtime->instantiation().message;
    return adapters;
  }
  void expectSum() {
    Outcome outcome = runtime->call("sum", {});
    ASSERT_FALSE(outcome.trapped) << outcome.message;
    EXPECT_EQ(outcome.i32(), 42u);
  }
  void expectGetCannotLeave() {
    Outcome outcome = runtime->call("get", {});
    ASSERT_TRUE(outcome.trapped);
    EXPECT_EQ(outcome.code, TrapCode::CANNOT_LEAVE);
  }

  std::vector<std::byte> bytes;
  std::unique_ptr<Component> definitions;
  std::unique_ptr<TestRuntime> runtime;
};

TEST_F(DirectTest, NumbersNeedNoAdapter) {
  EXPECT_EQ(adaptersOf(pairOf("u32", "i32", "")), 1u);
  expectSum();
  EXPECT_FALSE(runtime->call("get", {}).trapped);
  EXPECT_EQ(adaptersOf(pairOf("s64", "i64", "")), 1u);
  expectSum();
}

TEST_F(DirectTest, WhatHasToBeCutToSizeNeedsOne) {
  EXPECT_EQ(adaptersOf(pairOf("u8", "i32", "")), 2u);
  expectSum();
}

TEST_F(DirectTest, AReallocThatCanCallTheImportKeepsTheCheck) {
  const char* call = "(drop (call $add (i32.const 1) (i32.const 2)))";
  EXPECT_EQ(adaptersOf(pairOf("u32", "i32", call)), 2u);
  expectSum();
  expectGetCannotLeave();
}

TEST_F(DirectTest, AReallocThatCanCallItByWayOfOthersKeepsTheCheck) {
  EXPECT_EQ(adaptersOf(pairOf("u32", "i32", "(call $first)",
                              "(func $first (call $second)) (func $second "
                              "(drop (call $add (i32.const 1) (i32.const 2))))")),
            2u);
  expectGetCannotLeave();
}

TEST_F(DirectTest, AReallocThatCanCallItByATableKeepsTheCheck) {
  EXPECT_EQ(adaptersOf(pairOf("u32", "i32",
                              "(drop (call_indirect (param i32 i32) (result i32) "
                              "(i32.const 1) (i32.const 2) (i32.const 0)))",
                              "(table 1 funcref) (elem (i32.const 0) $add)")),
            2u);
  expectGetCannotLeave();
}

TEST_F(DirectTest, ATableOfOtherFunctionsDoesNotMatter) {
  EXPECT_EQ(adaptersOf(pairOf("u32", "i32", "(call_indirect (i32.const 0))",
                              "(table 1 funcref) (elem (i32.const 0) $nothing) (func $nothing)")),
            1u);
  expectSum();
}

TEST_F(DirectTest, ATableThatOthersCanFillKeepsTheCheck) {
  EXPECT_EQ(adaptersOf(pairOf("u32", "i32", "(call_indirect (i32.const 0))",
                              "(table (export \"table\") 1 funcref) (elem (i32.const 0) $nothing) "
                              "(func $nothing)")),
            2u);
  expectSum();
}

TEST_F(DirectTest, CodeThatIsNotFollowedKeepsTheCheck) {
  EXPECT_EQ(adaptersOf(pairOf("u32", "i32", "(call_ref $none (ref.func $nothing))",
                              "(type $none (func)) (func $nothing (type $none)) "
                              "(elem declare func $nothing)")),
            2u);
  expectSum();
}

TEST(CallGraphTest, FindsCallsBehindInstructionsOfEveryKind) {
  auto bytes = assemble(R"((module
    (import "" "f" (func $f)) (import "" "m" (memory 1)) (import "" "g" (func $g))
    (memory $other 1) (table $t 4 funcref) (tag $e (param i32))
    (func (export "run") (param i32 v128) (result i32) (local f32 f64 funcref)
      (block (br_table 0 0 0 (local.get 0)))
      (drop (f32.const 1.5)) (drop (f64.const -2.5)) (drop (i64.const -9000000000))
      (drop (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 (local.get 1) (local.get 1)))
      (drop (v128.const i64x2 1 2))
      (drop (v128.load8_lane $other offset=70000 3 (local.get 0) (local.get 1)))
      (drop (i8x16.extract_lane_u 3 (local.get 1)))
      (memory.copy 0 $other (i32.const 0) (i32.const 0) (i32.const 4))
      (drop (i32.atomic.rmw.add (local.get 0) (i32.const 1))) (atomic.fence)
      (drop (select (result i32) (i32.const 1) (i32.const 2) (local.get 0)))
      (local.set 4 (ref.null func))
      (block $h (try_table (catch_all $h) (throw $e (i32.const 1))))
      (drop (i32.trunc_sat_f64_s (local.get 3)))
      (call $g) (local.get 0))))");
  auto graph = CallGraph::read(bytes);
  ASSERT_TRUE(graph.has_value());
  EXPECT_THAT(graph->importPositions, ElementsAre(0, 2));
  EXPECT_EQ(graph->exports.at("run"), 2u);
  ASSERT_EQ(graph->code.size(), 1u);
  auto body = CallGraph::bodyOf(graph->code[0]);
  ASSERT_TRUE(body.has_value());
  EXPECT_THAT(body->callees, ElementsAre(1));
  EXPECT_FALSE(body->indirect);
  EXPECT_FALSE(body->changesTables);
  EXPECT_THAT(graph->inTables, IsEmpty());
  EXPECT_TRUE(graph->knowsTables());
}

TEST(CallGraphTest, RefusesWhatIsCut) {
  auto bytes = assemble("(module (func (export \"f\") (call 0)))");
  for (size_t size = 0; size + 1 < bytes.size(); ++size) {
    auto graph = CallGraph::read(std::span(bytes).first(size));
    EXPECT_TRUE(!graph || graph->code.empty());
  }
}

}  // namespace
}  // namespace tenon::component::testing
