// A host that drops, lends and calls in the middle of calls, and components that make use of it.

#include "base/cpu_time_testing.h"
#include "engine/engine_testing.h"
#include "host/linker.h"
#include "run/dynamic_call.h"
#include "run/executable.h"
#include "run/instance.h"
#include "run/linked.h"
#include "tests/broken/embedder.h"

#include <tenon/tenon.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tenon::broken {
namespace {

using engine::testing::testEngine;
using engine::testing::wasm;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Resource thing: its destructor tells the host, computes, tells again, and traps for 13. `go`
// tells the host, `nap` waits a moment.
constexpr const char* THINGS = R"((component
  (import "note" (func $note (param "n" u32)))
  (core func $note' (canon lower (func $note)))
  (core module $D
    (import "" "note" (func $note (param i32)))
    (func (export "dtor") (param i32) (local $i i32)
      (call $note (local.get 0))
      (loop $l (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000))))
      (if (i32.eq (local.get 0) (i32.const 13)) (then unreachable))
      (call $note (i32.add (i32.const 100) (local.get 0)))))
  (core instance $d (instantiate $D (with "" (instance (export "note" (func $note'))))))
  (type $thing' (resource (rep i32) (dtor (core func $d "dtor"))))
  (export $thing "thing" (type $thing'))
  (core func $new (canon resource.new $thing'))
  NAP-IMPORTS
  (core module $M
    (import "" "note" (func $note (param i32)))
    (import "" "new" (func $new (param i32) (result i32)))
    NAP-CORE
    (func (export "make") (param i32) (result i32) (call $new (local.get 0)))
    (func (export "go") (result i32) (call $note (i32.const 1000)) (i32.const 7))
    (func (export "both") (param i32 i32)))
  (core instance $m (instantiate $M (with "" (instance
    (export "note" (func $note')) (export "new" (func $new)) NAP-ARGUMENTS))))
  NAP-EXPORT
  (func (export "make") (param "rep" u32) (result (own $thing)) (canon lift (core func $m "make")))
  (func (export "go") (result u32) (canon lift (core func $m "go")))
  (func (export "both") (param "a" (borrow $thing)) (param "b" (own $thing))
    (canon lift (core func $m "both"))))
)";

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  text.replace(text.find(what), what.size(), with);
  return text;
}

std::string things(bool nap) {
  std::string text = replaced(THINGS, "NAP-IMPORTS", !nap ? "" : WAITING);
  text = replaced(text, "NAP-CORE", !nap ? "" : R"(
    (import "" "block" (func $block (param i32)))
    (import "" "subscribe" (func $subscribe (param i64) (result i32)))
    (func (export "nap") (call $block (call $subscribe (i64.const 20000000)))))");
  text = replaced(
      text, "NAP-ARGUMENTS",
      !nap ? "" : R"((export "block" (func $block)) (export "subscribe" (func $subscribe)))");
  return replaced(text, "NAP-EXPORT",
                  !nap ? "" : R"((func (export "nap") (canon lift (core func $m "nap"))))");
}

class HostMisuse : public Embedder {
 protected:
  void load(bool nap = false, InstanceOptions options = {}) {
    if (nap) linker.wasi();
    linker.function("", "note", [this](uint32_t n) {
      notes.push_back(n);
      if (n == 1000 && inside) inside();
      if (n < 100 && inDestructor) inDestructor();
    });
    instance = linker.instantiate(component(things(nap), "things"), loop, options).value();
  }
  GuestResource make(uint32_t rep) {
    return instance->function<GuestResource(uint32_t)>("", "make").value()(rep).value();
  }
  Result<uint32_t> go() { return instance->function<uint32_t()>("", "go").value()(); }

  std::function<void()> inside;        // of `go`
  std::function<void()> inDestructor;  // at its start
  std::optional<Instance> instance;
};

TEST_F(HostMisuse, ADestructorBetweenCallsHasTimeOfItsOwn) {
  InstanceOptions options;
  options.timeout = milliseconds(400);
  load(false, options);
  GuestResource thing = make(1);
  loop.runFor(milliseconds(450));  // the deadline of the call before has passed
  // The guest looks at the clock only when it has ticked.
  inDestructor = [] {
    auto until = std::chrono::steady_clock::now() + milliseconds(30);
    while (std::chrono::steady_clock::now() < until) continue;
  };
  thing = {};
  EXPECT_THAT(notes, ElementsAre(1, 101));
  EXPECT_EQ(go().value(), 7u);
}

TEST_F(HostMisuse, ADestructorThatTrapsEndsTheCallWhoseHostFunctionCausedIt) {
  load();
  GuestResource thing = make(13);
  inside = [&] { thing = {}; };
  auto outcome = go();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::TRAPPED);
  EXPECT_THAT(outcome.error().message, HasSubstr("unreachable"));
  EXPECT_EQ(go().error().code, ErrorCode::UNUSABLE);
}

TEST_F(HostMisuse, ADestructorThatTrapsBetweenCallsOnlyPoisons) {
  load();
  GuestResource thing = make(13);
  thing = {};
  EXPECT_EQ(go().error().code, ErrorCode::UNUSABLE);
}

TEST_F(HostMisuse, AHandleThatIsDroppedInAHostFunctionIsDroppedAtOnce) {
  load();
  GuestResource thing = make(2);
  inside = [&] {
    thing = {};
    notes.push_back(3);
  };
  EXPECT_EQ(go().value(), 7u);
  EXPECT_THAT(notes, ElementsAre(1000, 2, 102, 3));
}

TEST_F(HostMisuse, AHandleThatIsDroppedWhileACallWaitsIsDroppedAfterIt) {
  load(true);
  GuestResource thing = make(4);
  auto nap = instance->function("nap").value().start({});
  ASSERT_TRUE(nap);
  ASSERT_FALSE(nap->done());
  thing = {};
  EXPECT_THAT(notes, IsEmpty()) << "nothing runs in a store whose call is suspended";
  ASSERT_TRUE(nap->wait());
  EXPECT_THAT(notes, ElementsAre(4, 104));
  // What traps then is that call's.
  thing = make(13);
  nap = instance->function("nap").value().start({});
  ASSERT_FALSE(nap->done());
  thing = {};
  auto outcome = nap->wait();
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().message, HasSubstr("unreachable"));
}

TEST_F(HostMisuse, NoCallStartsInsideAnotherOfTheSameInstance) {
  load();
  std::vector<ErrorCode> codes;
  inside = [&] {
    auto started = instance->function("go").value().start({});
    codes.push_back(started ? ErrorCode::INTERNAL : started.error().code);
    auto called = instance->function("go").value().call({});
    codes.push_back(called ? ErrorCode::INTERNAL : called.error().code);
    auto typed = instance->function<uint32_t()>("", "go").value()();
    codes.push_back(typed ? ErrorCode::INTERNAL : typed.error().code);
  };
  EXPECT_EQ(go().value(), 7u);
  EXPECT_THAT(codes, ElementsAre(ErrorCode::UNUSABLE, ErrorCode::UNUSABLE, ErrorCode::UNUSABLE));
  EXPECT_THAT(notes, ElementsAre(1000));
  inside = nullptr;
  EXPECT_EQ(go().value(), 7u) << "it is as good as before";
}

TEST_F(HostMisuse, AHandleIsNotLentAndGivenAwayInOneCall) {
  load();
  GuestResource thing = make(5);
  auto both = instance->function("both").value();
  auto refused = both.call({Value(thing), Value(thing)});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::INVALID_ARGUMENT);
  EXPECT_THAT(refused.error().message, HasSubstr("passed twice"));
  GuestResource other = make(6);
  EXPECT_TRUE(both.call({Value(thing), Value(other)}));
  EXPECT_TRUE(both.call({Value(thing), Value(make(7))})) << "it was lent to an earlier call";
  // C++ types are lowered without a look at all of them before.
  auto typed = instance->function<void(GuestResource, GuestResource)>("", "both").value();
  auto trapped = typed(thing, thing);
  ASSERT_FALSE(trapped);
  EXPECT_THAT(trapped.error().message, HasSubstr("lent to the same call"));
}

// -- Without the library --------------------------------------------------------------------------

std::shared_ptr<const run::Linked> linkedOf(std::vector<run::Executable::Part> parts) {
  static Linker linker;
  auto executable = run::Executable::link(std::move(parts), "test", component::Rewriting::ON);
  EXPECT_TRUE(executable) << executable.error().text();
  (*executable)->compile(testEngine(), nullptr).value();
  return run::Linked::link(testEngine(), *executable, host::LinkerState::of(linker).registry)
      .value();
}
std::shared_ptr<const run::Linked> linkedOf(const std::string& text) {
  std::vector<run::Executable::Part> parts;
  parts.push_back({.name = "part", .bytes = wasm(text), .wires = {}});
  return linkedOf(std::move(parts));
}

// Calls `name` of the only part with numbers; the error is the trap's.
Result<std::vector<Value>> invoke(run::Instance& instance, const std::string& name,
                                  std::vector<Value> arguments = {}) {
  const auto& parts = instance.program().exports;
  const auto& exports = std::get<component::ExportedInstance>(parts.at(0).item).exports;
  auto found = std::ranges::find(exports, name, &component::ProgramExport::name);
  if (found == exports.end()) return Error(ErrorCode::MISSING_EXPORT, name);
  auto& lifted = std::get<component::LiftedFunction>(found->item);
  auto function = instance.resolve(lifted).value();
  run::DynamicCall dynamic{.type = lifted.type, .arguments = arguments, .results = {}};
  if (!instance.execute(function, dynamic.codec())) return instance.store().takeTrap().toError();
  return std::move(dynamic.results);
}

TEST(HostInstance, ThatIsDestroyedUnwindsItsCallWhileItIsWhole) {
  auto instance = run::Instance::create(linkedOf(R"((component
    (type $r (resource (rep i32))) (export "r" (type $r))))"))
                      .value();
  struct Context {
    run::Instance* instance;
    bool handle = false;
  } context{instance.get()};
  engine::Fiber fiber(instance->store());
  auto started = fiber.start(
      [](void* given, engine::Store& store) {
        if (engine::block(store)) return true;
        auto& context = *static_cast<Context*>(given);
        context.handle = context.instance->handles().wrapBorrow(0, 1) != nullptr;
        return false;
      },
      &context);
  ASSERT_EQ(*started, engine::Fiber::State::BLOCKED);
  instance.reset();
  EXPECT_TRUE(context.handle);
  EXPECT_FALSE(fiber.succeeded());
}

TEST(LentHandles, AreCountedHoweverManyTimesOneIsLent) {
  auto linked = linkedOf(R"((component
    (component $B
      (core module $m (memory (export "m") 1)
        (func (export "f") (param i32 i32))
        (func (export "r") (param i32 i32 i32 i32) (result i32) (i32.const 16)))
      (core instance $i (instantiate $m))
      (type $r (resource (rep i32)))
      (export $r2 "r" (type $r))
      (core func $new (canon resource.new $r))
      (core module $n (import "" "new" (func $new (param i32) (result i32)))
        (func (export "mk") (result i32) (call $new (i32.const 1))))
      (core instance $ni (instantiate $n (with "" (instance (export "new" (func $new))))))
      (func (export "mk") (result (own $r2)) (canon lift (core func $ni "mk")))
      (func (export "f") (param "x" (list (borrow $r2)))
        (canon lift (core func $i "f") (memory (core memory $i "m")) (realloc (core func $i "r")))))
    (instance $b (instantiate $B))
    (core module $mem (memory (export "m") 1))
    (core instance $mi (instantiate $mem))
    (core func $bf (canon lower (func $b "f") (memory (core memory $mi "m"))))
    (core func $mk (canon lower (func $b "mk")))
    (core module $n
      (import "" "m" (memory 1))
      (import "" "mk" (func $mk (result i32)))
      (import "" "f" (func $f (param i32 i32)))
      (global $h (mut i32) (i32.const 0))
      (func (export "g") (param $n i32) (local $i i32)
        (if (i32.eqz (global.get $h)) (then (global.set $h (call $mk))))
        (loop $l
          (i32.store (i32.shl (local.get $i) (i32.const 2)) (global.get $h))
          (br_if $l (i32.lt_u
            (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
        (call $f (i32.const 0) (local.get $n))))
    (core instance $ni (instantiate $n (with "" (instance
      (export "f" (func $bf)) (export "mk" (func $mk)) (export "m" (memory $mi "m"))))))
    (func (export "g") (param "n" u32) (canon lift (core func $ni "g")))))");
  run::InstanceOptions options;
  options.maxHandles = 100;
  auto instance = run::Instance::create(linked, options).value();
  EXPECT_TRUE(invoke(*instance, "g", {uint32_t{100}}));
  EXPECT_TRUE(invoke(*instance, "g", {uint32_t{100}})) << "they were given back";
  auto outcome = invoke(*instance, "g", {uint32_t{101}});
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().message, HasSubstr("lends too many handles"));
}

TEST(AsynchronousFunctions, TrapWhenTheyAreCalledAlsoIfOnlyTheirTypeIsAsynchronous) {
  // The first would have to wait for backpressure to end, the second for itself.
  for (const char* text : {R"((component
    (component $B
      (core func $inc (canon backpressure.inc))
      (core module $m (import "" "inc" (func $inc))
        (func (export "p") (call $inc)) (func (export "f") (result i32) (i32.const 7)))
      (core instance $i (instantiate $m (with "" (instance (export "inc" (func $inc))))))
      (func (export "p") (canon lift (core func $i "p")))
      (func (export "f") async (result u32) (canon lift (core func $i "f"))))
    (instance $b (instantiate $B))
    (core func $bf (canon lower (func $b "f")))
    (core func $bp (canon lower (func $b "p")))
    (core module $n (import "" "f" (func $f (result i32))) (import "" "p" (func $p))
      (func (export "fine") (result i32) (i32.const 1))
      (func (export "g") (result i32) (call $p) (call $f)))
    (core instance $ni (instantiate $n (with "" (instance
      (export "f" (func $bf)) (export "p" (func $bp))))))
    (func (export "fine") (result u32) (canon lift (core func $ni "fine")))
    (func (export "g") (result u32) (canon lift (core func $ni "g")))))",
                           R"((component
    (core module $T (table (export "t") 1 funcref)
      (type $v (func (result i32)))
      (func (export "h") (result i32) (call_indirect (type $v) (i32.const 0))))
    (core instance $t (instantiate $T))
    (func $h (result u32) (canon lift (core func $t "h")))
    (component $B
      (import "h" (func $h (result u32)))
      (core func $lh (canon lower (func $h)))
      (core module $m (import "" "h" (func $h (result i32)))
        (global $n (mut i32) (i32.const 0))
        (func (export "f") (result i32)
          (global.set $n (i32.add (global.get $n) (i32.const 1)))
          (if (i32.lt_u (global.get $n) (i32.const 3)) (then (drop (call $h))))
          (global.get $n)))
      (core instance $i (instantiate $m (with "" (instance (export "h" (func $lh))))))
      (func (export "f") async (result u32) (canon lift (core func $i "f"))))
    (instance $b (instantiate $B (with "h" (func $h))))
    (core func $bf (canon lower (func $b "f")))
    (core module $n (import "" "t" (table 1 funcref)) (import "" "f" (func $f (result i32)))
      (elem (i32.const 0) func $f)
      (func (export "fine") (result i32) (i32.const 1))
      (func (export "g") (result i32) (call $f)))
    (core instance $ni (instantiate $n (with "" (instance
      (export "f" (func $bf)) (export "t" (table $t "t"))))))
    (func (export "fine") (result u32) (canon lift (core func $ni "fine")))
    (func (export "g") (result u32) (canon lift (core func $ni "g")))))"}) {
    auto instance = run::Instance::create(linkedOf(text)).value();
    EXPECT_TRUE(invoke(*instance, "fine"));
    auto outcome = invoke(*instance, "g");
    ASSERT_FALSE(outcome);
    EXPECT_THAT(outcome.error().message,
                HasSubstr("not supported yet: calls of asynchronous functions"));
  }
}

// A component whose start function runs `body`, which calls the built-ins of resource `n` as
// $new<n> and $drop<n>.
std::string withResources(int count, const std::function<std::string(int)>& destructor,
                          const std::string& body) {
  std::string definitions, imports, arguments;
  for (int i = 0; i < count; ++i) {
    std::string n = std::to_string(i);
    definitions += "(type $t" + n + " (resource (rep i32)" + destructor(i) + "))";
    definitions += "(core func $new" + n + " (canon resource.new $t" + n + "))";
    definitions += "(core func $drop" + n + " (canon resource.drop $t" + n + "))\n";
    imports += R"((import "" "new)" + n + "\" (func $new" + n + " (param i32) (result i32)))";
    imports += R"((import "" "drop)" + n + "\" (func $drop" + n + " (param i32)))\n";
    arguments += "(export \"new" + n + "\" (func $new" + n + "))";
    arguments += "(export \"drop" + n + "\" (func $drop" + n + "))\n";
  }
  return "(component " + definitions + "(core module $m " + imports +
         "(func $start (local $i i32) " + body +
         ") (start $start)) (core instance (instantiate $m (with \"\" (instance " + arguments +
         ")))))";
}

TEST(Destructors, ThatAreBuiltInsOfTheNextResourceEndWithTheStack) {
  // No guest code runs in between, which would look at the stack.
  constexpr int COUNT = 20'000;
  std::string body = "(local.set $i (i32.const 0))";
  for (int i = 0; i < COUNT; ++i) {
    body += "(local.set $i (call $new" + std::to_string(i) + " (local.get $i)))";
  }
  body += "(call $drop" + std::to_string(COUNT - 1) + " (local.get $i))";
  auto previous = [](int i) {
    return i == 0 ? "" : "(dtor (core func $drop" + std::to_string(i - 1) + "))";
  };
  auto instance = run::Instance::create(linkedOf(withResources(COUNT, previous, body)));
  ASSERT_FALSE(instance);
  EXPECT_EQ(instance.error().code, ErrorCode::TRAPPED);
  EXPECT_THAT(instance.error().message, HasSubstr("call stack exhausted"));
}

TEST(Handles, OfAllInstancesTogetherAreLimited) {
  constexpr int COUNT = 40;
  std::string component = withResources(1, [](int) { return ""; }, R"(
    (loop $l (drop (call $new0 (i32.const 1)))
      (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1)))
                          (i32.const 500000)))))");
  component.insert(std::string("(component").size(), " $c");
  std::string text = "(component " + component;
  for (int i = 0; i < COUNT; ++i) text += "(instance (instantiate $c))";
  auto instance = run::Instance::create(linkedOf(text + ")"));
  ASSERT_FALSE(instance);
  EXPECT_EQ(instance.error().code, ErrorCode::TRAPPED);
  EXPECT_THAT(instance.error().message, HasSubstr("too many handles"));
}

TEST(Memories, AreAsManyAsComponentsHave) {
  // Each may have the most that one may have, so their number counts.
  std::string ten;
  for (int i = 0; i < 10; ++i) ten += " (memory 0)";
  auto withModules = [&](int count) {
    std::string text = "(component (core module $m" + ten + ")";
    for (int i = 0; i < count; ++i) text += " (core instance (instantiate $m))";
    return text + ")";
  };
  EXPECT_TRUE(run::Instance::create(linkedOf(withModules(10))));
  auto refused = run::Instance::create(linkedOf(withModules(11)));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::LIMIT_EXCEEDED);
  // A workload of many components has many.
  std::vector<run::Executable::Part> parts;
  for (int i = 0; i < 12; ++i) {
    parts.push_back(
        {.name = "part" + std::to_string(i), .bytes = wasm(withModules(1)), .wires = {}});
  }
  EXPECT_TRUE(run::Instance::create(linkedOf(std::move(parts))));
}

TEST(Shims, AreReadOnceHoweverManyInstancesTheyHave) {
  // Reading this module takes about as long as everything else about an instance of it, thousands
  // of times over.
  std::string module = "(core module $s (type $t (func))";
  for (int i = 0; i < 20'000; ++i) {
    std::string number = std::to_string(i);
    module +=
        " (func (export \"" + number + "\") (call_indirect (type $t) (i32.const " + number + ")))";
  }
  module += R"( (table (export "$imports") 20000 20000 funcref)))";
  auto timeOf = [&](int instances) {
    std::string text = "(component " + module;
    for (int i = 0; i < instances; ++i) text += " (core instance (instantiate $s))";
    std::vector<std::byte> bytes = wasm(text + ")");
    return cpuTimeOf(
        [&] { EXPECT_TRUE(run::Executable::link(bytes, "shims", component::Rewriting::ON)); });
  };
  auto one = timeOf(1);
  EXPECT_LT(timeOf(3000), 100 * one + milliseconds(500));
}

}  // namespace
}  // namespace tenon::broken
