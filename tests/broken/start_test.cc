// Components whose start functions compute, trap, and want to wait.

#include "engine/engine_testing.h"
#include "run/executable.h"
#include "tests/broken/embedder.h"

#include <tenon/tenon.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace tenon::broken {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

// `start`: the body of a start function, which may call `$note` with a number, and wait by `$nap`.
// Exports `get`, which gives what the start function left in the global, and `spin`, which notes 1
// in every round of some thousand.
std::string starting(const std::string& start) {
  return std::string(R"((component
  (import "note" (func $note (param "n" u32)))
  (core func $note' (canon lower (func $note))))") +
         WAITING + R"(
  (core module $A
    (import "" "note" (func $note (param i32)))
    (global $g (mut i32) (i32.const 0))
    (func (export "set") (param i32) (global.set $g (local.get 0)))
    (func (export "get") (result i32) (global.get $g))
    (func (export "spin") (param $rounds i32) (local $i i32)
      (loop $again
        (call $note (i32.const 1))
        (local.set $i (i32.const 0))
        (loop $l (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1)))
          (i32.const 10000))))
        (br_if $again (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))))
  (core instance $a (instantiate $A (with "" (instance (export "note" (func $note'))))))
  (core module $starter
    (import "" "note" (func $note (param i32)))
    (import "" "set" (func $set (param i32)))
    (import "" "block" (func $block (param i32)))
    (import "" "subscribe" (func $subscribe (param i64) (result i32)))
    (func $nap (call $block (call $subscribe (i64.const 20000000))))
    (export "named" (func $nap))
    (func $begin (local $i i32) )" +
         start + R"()
    (start $begin))
  (core instance (instantiate $starter (with "" (instance
    (export "note" (func $note')) (export "set" (func $a "set"))
    (export "block" (func $block)) (export "subscribe" (func $subscribe))))))
  (func (export "get") (result u32) (canon lift (core func $a "get")))
  (func (export "spin") (param "rounds" u32) (canon lift (core func $a "spin"))))
)";
}

// Some tenths of a second.
constexpr const char* LONG = R"((loop $l (br_if $l (i32.lt_u
  (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 300000000)))))";

class StartFunctions : public Embedder {
 protected:
  StartFunctions() {
    linker.wasi();
    linker.function("", "note", [this](uint32_t n) { notes.push_back(n); });
  }

  Result<Instance> make(const std::string& start, std::optional<milliseconds> timeout = {}) {
    InstanceOptions options;
    options.timeout = timeout;
    return linker.instantiate(component(starting(start), "starting"), loop, options);
  }
  // A call that goes on, so that others have turns.
  void beginOther() {
    other.emplace(make("(nop)").value());
    spinning.emplace(other->function("spin").value().start({Value(uint32_t{100'000})}).value());
    ASSERT_FALSE(spinning->done());
  }

  std::optional<Instance> other;
  std::optional<PendingCall> spinning;
};

TEST_F(StartFunctions, RunOnceBeforeAnythingElse) {
  Instance instance = make("(call $note (i32.const 7)) (call $set (i32.const 42))").value();
  EXPECT_THAT(notes, ::testing::ElementsAre(7));
  EXPECT_EQ(instance.function<uint32_t()>("", "get").value()().value(), 42u);
}

TEST_F(StartFunctions, TakeTurnsWithCallsThatGoOn) {
  beginOther();
  size_t before = notes.size();
  Instance instance = make(std::string(LONG) + "(call $set (i32.const 42))").value();
  EXPECT_GT(notes.size(), before) << "the other call went on";
  EXPECT_FALSE(spinning->done());
  EXPECT_EQ(instance.function<uint32_t()>("", "get").value()().value(), 42u);
}

TEST_F(StartFunctions, EndAtTheirDeadline) {
  auto alone = make("(loop (br 0))", milliseconds(30));
  ASSERT_FALSE(alone);
  EXPECT_EQ(alone.error().code, ErrorCode::DEADLINE);
  beginOther();
  auto inTurns = make("(loop (br 0))", milliseconds(30));
  ASSERT_FALSE(inTurns);
  EXPECT_EQ(inTurns.error().code, ErrorCode::DEADLINE);
  EXPECT_FALSE(spinning->done());
}

TEST_F(StartFunctions, CannotWait) {
  auto alone = make("(call $nap)");
  ASSERT_FALSE(alone);
  EXPECT_THAT(alone.error().message, HasSubstr("cannot"));
  beginOther();
  auto inTurns = make("(call $nap)");
  ASSERT_FALSE(inTurns);
  EXPECT_EQ(inTurns.error().message, alone.error().message);
}

TEST_F(StartFunctions, ThatTrapSayWhereInTheFile) {
  // What the engine says of the module as it is in the file.
  constexpr const char* MODULE = R"((module $starter
    (func $nop) (export "named" (func $nop)) (func $begin unreachable) (start $begin)))";
  engine::Store store(engine::testing::testEngine(), nullptr);
  auto direct = engine::instantiate(store, engine::testing::compile(MODULE), {});
  ASSERT_FALSE(direct);
  ASSERT_THAT(direct.error().details, HasSubstr("module offset"));
  std::string text = "(component (core " + std::string(MODULE).substr(1) +
                     " (core instance (instantiate $starter)))";
  auto failed = linker.instantiate(component(text, "starting"), loop);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::TRAPPED);
  EXPECT_EQ(failed.error().details, direct.error().details);
}

}  // namespace
}  // namespace tenon::broken
