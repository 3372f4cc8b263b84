// Calls between components, and what they may do with memories and handles.

#include "component_testing.h"

#include <gmock/gmock.h>

namespace tenon::component::testing {
namespace {

using control::TrapCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

INSTANTIATE_TEST_SUITE_P(Elision, ComponentTest, ::testing::Values(Rewriting::ON, Rewriting::OFF),
                         [](const auto& info) {
                           return info.param == Rewriting::ON ? "WithoutShims" : "Literal";
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

// -- May leave ------------------------------------------------------------------------------------

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

// -- Exceptions -----------------------------------------------------------------------------------

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

// -- Resources ------------------------------------------------------------------------------------

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

// -- Context storage ------------------------------------------------------------------------------

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

}  // namespace
}  // namespace tenon::component::testing
