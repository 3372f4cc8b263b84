// Whole components through decoder, flattener and fuser, with and without shims.

#include "component/binary/decoder.h"
#include "component/flatten/flatten.h"
#include "component/fuse/fuse.h"
#include "component/program/dump.h"
#include "test_runtime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tenon::component::testing {
namespace {

using control::TrapCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ComponentTest : public ::testing::TestWithParam<ShimElision> {
 protected:
  Result<Program> compile(const std::string& text, const Features& features = {}) {
    bytes.push_back(assemble(text));
    auto decoded = decode(bytes.back(), features);
    if (!decoded) return decoded.error();
    auto program = flatten(**decoded, "test", GetParam());
    components.push_back(*std::move(decoded));
    if (!program) return program;
    Result<void> fused = fuse(*program);
    if (!fused) return fused.error();
    for (const ModuleBytes& module : program->modules) {
      if (module.generated) EXPECT_EQ(validateBytes(module.bytes), "");
    }
    return program;
  }
  void load(const std::string& text,
            std::map<std::string, TestRuntime::HostFunction> imports = {}) {
    auto program = compile(text);
    ASSERT_TRUE(program.ok()) << program.error().text();
    runtime = std::make_unique<TestRuntime>(*std::move(program), std::move(imports));
  }
  void loadWell(const std::string& text,
                std::map<std::string, TestRuntime::HostFunction> imports = {}) {
    load(text, std::move(imports));
    ASSERT_TRUE(runtime);
    ASSERT_FALSE(runtime->instantiation().trapped) << runtime->instantiation().message;
  }
  uint32_t value(const std::string& name, std::vector<uint32_t> arguments = {}) {
    std::vector<RawValue> raw;
    for (uint32_t argument : arguments) raw.push_back(rawI32(argument));
    Outcome outcome = runtime->call(name, raw);
    EXPECT_FALSE(outcome.trapped) << name << ": " << outcome.message;
    return outcome.trapped || outcome.values.empty() ? 0 : outcome.i32();
  }

  std::vector<std::vector<std::byte>> bytes;
  std::vector<std::unique_ptr<Component>> components;
  std::unique_ptr<TestRuntime> runtime;
};
INSTANTIATE_TEST_SUITE_P(Elision, ComponentTest,
                         ::testing::Values(ShimElision::ON, ShimElision::OFF),
                         [](const auto& info) {
                           return info.param == ShimElision::ON ? "WithoutShims" : "Literal";
                         });

// A module with a memory and a bump allocator.
constexpr const char* LIBC = R"((core module $libc
  (memory (export "memory") 2) (global $next (mut i32) (i32.const 4096))
  (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $next) (i32.sub (local.get 2) (i32.const 1)))
      (i32.sub (i32.const 0) (local.get 2))))
    (global.set $next (i32.add (local.get $at) (local.get 3)))
    (local.get $at))))";

TEST_P(ComponentTest, ACallCrossesBetweenNestedComponents) {
  loadWell(R"((component
    (component $adder
      (core module $m (func (export "add") (param i32 i32) (result i32)
        (i32.add (local.get 0) (local.get 1))))
      (core instance $i (instantiate $m))
      (func (export "add") (param "a" u32) (param "b" u32) (result u32)
        (canon lift (core func $i "add"))))
    (component $user
      (import "add" (func $add (param "a" u32) (param "b" u32) (result u32)))
      (core func $add' (canon lower (func $add)))
      (core module $m (import "" "add" (func $add (param i32 i32) (result i32)))
        (func (export "twice") (param i32) (result i32)
          (call $add (local.get 0) (local.get 0))))
      (core instance $i (instantiate $m (with "" (instance (export "add" (func $add'))))))
      (func (export "twice") (param "a" u32) (result u32) (canon lift (core func $i "twice"))))
    (instance $a (instantiate $adder))
    (instance $u (instantiate $user (with "add" (func $a "add"))))
    (export "twice" (func $u "twice"))))");
  EXPECT_EQ(value("twice", {21}), 42u);
}

TEST_P(ComponentTest, StringsAndListsCrossAndComeBack) {
  loadWell(std::string(R"((component
    (component $upper )") +
           LIBC + R"(
      (core instance $libc (instantiate $libc))
      (core module $m (import "" "memory" (memory 1)) (import "" "realloc" (func $realloc (param i32 i32 i32 i32) (result i32)))
        (global $posts (mut i32) (i32.const 0))
        (func (export "up") (param $p i32) (param $n i32) (result i32) (local $i i32)
          (loop $l
            (i32.store8 (i32.add (local.get $p) (local.get $i))
              (i32.sub (i32.load8_u (i32.add (local.get $p) (local.get $i))) (i32.const 32)))
            (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
          (i32.store (i32.const 16) (local.get $p)) (i32.store (i32.const 20) (local.get $n))
          (i32.const 16))
        (func (export "post") (param i32) (global.set $posts (i32.add (global.get $posts) (i32.const 1))))
        (func (export "posts") (result i32) (global.get $posts)))
      (core instance $i (instantiate $m (with "" (instance $libc))))
      (func (export "up") (param "s" string) (result string)
        (canon lift (core func $i "up") (memory (core memory $libc "memory"))
          (realloc (core func $libc "realloc")) (post-return (core func $i "post"))))
      (func (export "posts") (result u32) (canon lift (core func $i "posts"))))
    (component $user
      (import "up" (func $up (param "s" string) (result string))) )" +
           LIBC + R"(
      (core instance $libc (instantiate $libc))
      (core func $up' (canon lower (func $up) (memory (core memory $libc "memory"))
        (realloc (core func $libc "realloc")) string-encoding=utf8))
      (core module $m (import "libc" "memory" (memory 1))
        (import "" "up" (func $up (param i32 i32 i32)))
        (data (i32.const 100) "hello")
        (func (export "last") (result i32)
          (call $up (i32.const 100) (i32.const 5) (i32.const 200))
          ;; the length and the last letter
          (i32.add (i32.mul (i32.load (i32.const 204)) (i32.const 1000))
            (i32.load8_u (i32.add (i32.load (i32.const 200)) (i32.const 4))))))
      (core instance $i (instantiate $m (with "libc" (instance $libc))
        (with "" (instance (export "up" (func $up'))))))
      (func (export "last") (result u32) (canon lift (core func $i "last"))))
    (instance $c (instantiate $upper))
    (instance $u (instantiate $user (with "up" (func $c "up"))))
    (export "last" (func $u "last")) (export "posts" (func $c "posts"))))");
  EXPECT_EQ(value("last"), 5000u + 'O');
  EXPECT_EQ(value("posts"), 1u);
}

// -- May leave
// ------------------------------------------------------------------------------------------

std::string leavingText(const char* where) {
  std::string text = R"((component
    (import "host" (func $host))
    (component $callee
      (import "host" (func $host))
      (core func $host' (canon lower (func $host)))
      (core module $m (import "" "host" (func $host)) (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) REALLOC (i32.const 64))
        (func (export "f") (param i32 i32) (result i32) CALL (i32.const 7))
        (func (export "post") (param i32) POST))
      (core instance $i (instantiate $m (with "" (instance (export "host" (func $host'))))))
      (func (export "f") (param "s" string) (result u32)
        (canon lift (core func $i "f") (memory (core memory $i "memory"))
          (realloc (core func $i "realloc")) (post-return (core func $i "post")))))
    (component $caller
      (import "f" (func $f (param "s" string) (result u32)))
      (core module $mem (memory (export "memory") 1))
      (core instance $mem (instantiate $mem))
      (core func $f' (canon lower (func $f) (memory (core memory $mem "memory"))))
      (core module $m (import "" "f" (func $f (param i32 i32) (result i32)))
        (func (export "run") (result i32) (call $f (i32.const 0) (i32.const 3))))
      (core instance $i (instantiate $m (with "" (instance (export "f" (func $f'))))))
      (func (export "run") (result u32) (canon lift (core func $i "run"))))
    (instance $callee (instantiate $callee (with "host" (func $host))))
    (instance $caller (instantiate $caller (with "f" (func $callee "f"))))
    (export "run" (func $caller "run"))))";
  for (const char* place : {"REALLOC", "CALL", "POST"}) {
    std::string name(place);
    size_t at = text.find(name);
    text.replace(at, name.size(), name == where ? "(call $host)" : "");
  }
  return text;
}

TEST_P(ComponentTest, TheCalleeMayLeaveOnlyWhileItIsCalled) {
  int calls = 0;
  std::map<std::string, TestRuntime::HostFunction> imports;
  imports["host"] = [&](TestRuntime&, RawValue*) { return ++calls > 0; };
  loadWell(leavingText("CALL"), imports);
  EXPECT_EQ(value("run"), 7u);
  EXPECT_EQ(calls, 1);
  for (const char* where : {"REALLOC", "POST"}) {
    loadWell(leavingText(where), imports);
    Outcome outcome = runtime->call("run");
    EXPECT_TRUE(outcome.trapped);
    EXPECT_THAT(outcome.message, HasSubstr("cannot leave"));
    EXPECT_EQ(calls, 1);
  }
}

// -- Exceptions
// -----------------------------------------------------------------------------------------

TEST_P(ComponentTest, ExceptionsDoNotCross) {
  loadWell(R"((component
    (component $callee
      (core module $m (tag $t) (func (export "f") (param i32) (result i32)
        (if (local.get 0) (then (throw $t))) (i32.const 5)))
      (core instance $i (instantiate $m))
      (func (export "f") (param "throw" bool) (result u32) (canon lift (core func $i "f"))))
    (component $caller
      (import "f" (func $f (param "throw" bool) (result u32)))
      (core func $f' (canon lower (func $f)))
      (core module $m (import "" "f" (func $f (param i32) (result i32)))
        (func (export "run") (param i32) (result i32)
          (block $caught (try_table (catch_all $caught) (return (call $f (local.get 0)))))
          (i32.const 99)))
      (core instance $i (instantiate $m (with "" (instance (export "f" (func $f'))))))
      (func (export "run") (param "throw" bool) (result u32) (canon lift (core func $i "run"))))
    (instance $callee (instantiate $callee))
    (instance $caller (instantiate $caller (with "f" (func $callee "f"))))
    (export "run" (func $caller "run"))))");
  EXPECT_EQ(value("run", {0}), 5u);
  Outcome outcome = runtime->call("run", {rawI32(1)});
  ASSERT_TRUE(outcome.trapped);
  EXPECT_EQ(outcome.code, TrapCode::UNCAUGHT_EXCEPTION);
}

// -- Resources
// ------------------------------------------------------------------------------------------

// $maker defines a resource, $middle takes borrows of it without defining it, $user calls both.
std::string resourceText(const char* middleBody) {
  return std::string(R"((component
    (component $maker
      (core module $dtor (global $dropped (export "dropped") (mut i32) (i32.const 0))
        (func (export "dtor") (param i32) (global.set $dropped (local.get 0)))
        (func (export "last") (result i32) (global.get $dropped)))
      (core instance $dtor (instantiate $dtor))
      (type $r' (resource (rep i32) (dtor (core func $dtor "dtor"))))
      (core func $new (canon resource.new $r'))
      (core module $m (import "" "new" (func $new (param i32) (result i32)))
        (func (export "make") (param i32) (result i32) (call $new (local.get 0)))
        (func (export "get") (param i32) (result i32) (local.get 0))
        (func (export "swap") (param i32 i32) (result i32) (call $new (i32.add (local.get 0) (local.get 1)))))
      (core instance $i (instantiate $m (with "" (instance (export "new" (func $new))))))
      (export $r "r" (type $r'))
      (func (export "make") (param "rep" u32) (result (own $r)) (canon lift (core func $i "make")))
      (func (export "get") (param "self" (borrow $r)) (result u32) (canon lift (core func $i "get")))
      (func (export "both") (param "a" (borrow $r)) (param "b" (borrow $r)) (result (own $r))
        (canon lift (core func $i "swap")))
      (func (export "last") (result u32) (canon lift (core func $dtor "last"))))
    (component $middle
      (import "m" (instance $m (export "r" (type $r (sub resource)))
        (export "get" (func (param "self" (borrow $r)) (result u32)))))
      (alias export $m "r" (type $r))
      (core func $get (canon lower (func $m "get")))
      (core func $drop (canon resource.drop $r))
      (core module $c (import "" "get" (func $get (param i32) (result i32)))
        (import "" "drop" (func $drop (param i32)))
        (func (export "look") (param i32) (result i32) (local $v i32) )") +
         middleBody + R"( ))
      (core instance $i (instantiate $c (with "" (instance (export "get" (func $get)) (export "drop" (func $drop))))))
      (func (export "look") (param "r" (borrow $r)) (result u32) (canon lift (core func $i "look"))))
    (component $user
      (import "m" (instance $m (export "r" (type $r (sub resource)))
        (export "make" (func (param "rep" u32) (result (own $r))))
        (export "both" (func (param "a" (borrow $r)) (param "b" (borrow $r)) (result (own $r))))
        (export "get" (func (param "self" (borrow $r)) (result u32)))))
      (alias export $m "r" (type $r))
      (import "look" (func $look (param "r" (borrow $r)) (result u32)))
      (core func $make (canon lower (func $m "make")))
      (core func $get (canon lower (func $m "get")))
      (core func $both (canon lower (func $m "both")))
      (core func $look' (canon lower (func $look)))
      (core func $drop (canon resource.drop $r))
      (core module $c
        (import "" "make" (func $make (param i32) (result i32)))
        (import "" "get" (func $get (param i32) (result i32)))
        (import "" "both" (func $both (param i32 i32) (result i32)))
        (import "" "look" (func $look (param i32) (result i32)))
        (import "" "drop" (func $drop (param i32)))
        (func (export "make") (param i32) (result i32) (call $make (local.get 0)))
        (func (export "get") (param i32) (result i32) (call $get (local.get 0)))
        (func (export "both") (param i32 i32) (result i32) (call $both (local.get 0) (local.get 1)))
        (func (export "look") (param i32) (result i32) (call $look (local.get 0)))
        (func (export "drop") (param i32) (call $drop (local.get 0))))
      (core instance $i (instantiate $c (with "" (instance (export "make" (func $make))
        (export "get" (func $get)) (export "both" (func $both)) (export "look" (func $look'))
        (export "drop" (func $drop))))))
      (func (export "make") (param "rep" u32) (result u32) (canon lift (core func $i "make")))
      (func (export "get") (param "h" u32) (result u32) (canon lift (core func $i "get")))
      (func (export "both") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "both")))
      (func (export "look") (param "h" u32) (result u32) (canon lift (core func $i "look")))
      (func (export "drop") (param "h" u32) (canon lift (core func $i "drop"))))
    (instance $maker (instantiate $maker))
    (instance $middle (instantiate $middle (with "m" (instance $maker))))
    (instance $user (instantiate $user (with "m" (instance $maker)) (with "look" (func $middle "look"))))
    (export "make" (func $user "make")) (export "get" (func $user "get"))
    (export "both" (func $user "both")) (export "look" (func $user "look"))
    (export "drop" (func $user "drop")) (export "last" (func $maker "last"))))";
}

constexpr const char* LOOK_AND_DROP =
    "(local.set $v (call $get (local.get 0))) (call $drop (local.get 0)) (local.get $v)";

// Source: Concurrency.md, "Reentrance"; definitions.py has no such trap. Wasmtime 48 traps.
TEST_P(ComponentTest, AParentThatItsChildCallsIsEnteredAgain) {
  loadWell(R"((component
    (core module $A (memory (export "m") 1)
      (global $busy (export "busy") (mut i32) (i32.const 0))
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64))
      (func (export "f") (param i32 i32) (result i32) (global.get $busy)))
    (core instance $a (instantiate $A))
    (func $f (param "s" string) (result u32) (canon lift (core func $a "f")
      (memory (core memory $a "m")) (realloc (core func $a "realloc"))))
    (component $K (import "f" (func $f (param "s" string) (result u32)))
      (core module $Mem (memory (export "m") 1)) (core instance $mem (instantiate $Mem))
      (core func $f' (canon lower (func $f) (memory (core memory $mem "m"))))
      (core module $M (import "" "f" (func $f (param i32 i32) (result i32)))
        (func (export "g") (result i32) (call $f (i32.const 0) (i32.const 3))))
      (core instance $m (instantiate $M (with "" (instance (export "f" (func $f'))))))
      (func (export "g") (result u32) (canon lift (core func $m "g"))))
    (instance $k (instantiate $K (with "f" (func $f))))
    (core func $g (canon lower (func $k "g")))
    (core module $B (import "" "g" (func $g (result i32)))
      (import "" "busy" (global $busy (mut i32)))
      (func (export "run") (result i32) (global.set $busy (i32.const 777)) (call $g)))
    (core instance $b (instantiate $B (with "" (instance (export "g" (func $g))
      (export "busy" (global $a "busy"))))))
    (func (export "run") (result u32) (canon lift (core func $b "run")))))");
  EXPECT_EQ(value("run"), 777u);
}

TEST_P(ComponentTest, OwnedHandlesMoveAndBorrowedOnesAreLent) {
  loadWell(resourceText(LOOK_AND_DROP));
  uint32_t handle = value("make", {77});
  EXPECT_EQ(handle, 1u);
  EXPECT_EQ(value("get", {handle}), 77u);
  EXPECT_THAT(runtime->log, ElementsAre("lend"));
  EXPECT_EQ(value("both", {handle, handle}), 2u);
  EXPECT_EQ(value("get", {2}), 154u);
  value("drop", {handle});
  EXPECT_EQ(value("last"), 77u);
  Outcome outcome = runtime->call("get", {rawI32(handle)});
  EXPECT_TRUE(outcome.trapped);
  EXPECT_THAT(outcome.message, HasSubstr("unknown handle"));
}

TEST_P(ComponentTest, ABorrowThatIsDroppedInTimeIsFine) {
  loadWell(resourceText(LOOK_AND_DROP));
  uint32_t handle = value("make", {31});
  EXPECT_EQ(value("look", {handle}), 31u);
  EXPECT_THAT(runtime->log, ElementsAre("borrow", "lend"));
  value("drop", {handle});
  EXPECT_EQ(value("last"), 31u);
}

TEST_P(ComponentTest, ABorrowThatIsKeptTraps) {
  loadWell(resourceText("(local.set $v (call $get (local.get 0))) (local.get $v)"));
  uint32_t handle = value("make", {31});
  Outcome outcome = runtime->call("look", {rawI32(handle)});
  ASSERT_TRUE(outcome.trapped);
  EXPECT_THAT(outcome.message, HasSubstr("borrow handles still remain"));
}

TEST_P(ComponentTest, EveryInstantiationHasItsOwnResources) {
  loadWell(R"((component
    (component $c (type $r' (resource (rep i32))) (export "r" (type $r')))
    (instance $a (instantiate $c)) (instance $b (instantiate $c))
    (export "a" (instance $a)) (export "b" (instance $b))))");
  EXPECT_EQ(runtime->program().resources.size(), 2u);
  EXPECT_EQ(runtime->program().resources[0].name, "r");
}

// -- Context storage
// ------------------------------------------------------------------------------------

TEST_P(ComponentTest, ContextStorageBelongsToTheCall) {
  loadWell(R"((component
    (component $callee
      (core func $get (canon context.get i32 0))
      (core func $set (canon context.set i32 0))
      (core module $m (import "" "get" (func $get (result i32))) (import "" "set" (func $set (param i32)))
        (func (export "f") (param i32) (result i32) (local $was i32)
          (local.set $was (call $get)) (call $set (local.get 0)) (i32.mul (local.get $was) (i32.const 10))))
      (core instance $i (instantiate $m (with "" (instance (export "get" (func $get)) (export "set" (func $set))))))
      (func (export "f") (param "v" u32) (result u32) (canon lift (core func $i "f"))))
    (component $caller
      (import "f" (func $f (param "v" u32) (result u32)))
      (core func $f' (canon lower (func $f)))
      (core func $get (canon context.get i32 0))
      (core func $set (canon context.set i32 0))
      (core module $m (import "" "f" (func $f (param i32) (result i32)))
        (import "" "get" (func $get (result i32))) (import "" "set" (func $set (param i32)))
        (func (export "run") (result i32)
          (call $set (i32.const 3))
          (i32.add (i32.add (call $f (i32.const 8)) (call $f (i32.const 9))) (call $get))))
      (core instance $i (instantiate $m (with "" (instance (export "f" (func $f'))
        (export "get" (func $get)) (export "set" (func $set))))))
      (func (export "run") (result u32) (canon lift (core func $i "run"))))
    (instance $callee (instantiate $callee))
    (instance $caller (instantiate $caller (with "f" (func $callee "f"))))
    (export "run" (func $caller "run"))))");
  EXPECT_EQ(value("run"), 3u);
}

// -- Shims
// ----------------------------------------------------------------------------------------------

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
  EXPECT_EQ(runtime->program().steps.size(), GetParam() == ShimElision::ON ? 1u : 3u);
  value("run");
  EXPECT_EQ(logged, "hi");
}

TEST_P(ComponentTest, AFixupThatDoesMoreKeepsTheShim) {
  loadWell(shimText("", "(global i32 (i32.const 1))"));
  if (GetParam() == ShimElision::OFF) EXPECT_EQ(runtime->program().steps.size(), 3u);
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

// -- What the world imports and exports
// -----------------------------------------------------------------

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
