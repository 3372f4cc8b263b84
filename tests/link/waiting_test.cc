// Whether a call may wait is known of each export: those that cannot come to a host function that
// waits run at once, on the caller's stack, although others of the same program need a fiber.

#include "engine/engine_testing.h"
#include "host/linker.h"
#include "run/executable.h"
#include "run/instance.h"
#include "run/linked.h"
#include "tests/link/shim_testing.h"

#include <tenon/tenon.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace tenon::run {
namespace {

using component::Rewriting;
using engine::testing::wasm;

using Wire = component::WorkloadPart::Wire;
struct Part {
  std::string name;
  std::string text;
  std::vector<Wire> wires = {};
};

call::HostFunction hostFunction(call::Blocking blocking) {
  return {.function = [](void*, call::HostCall&, RawValue*) noexcept {},
          .closure = nullptr,
          .blocking = blocking,
          .mismatch = {}};
}

// What the host has: `wait`, which may wait, and `note`, which never does.
call::Registry host() {
  call::Registry registry;
  registry.add("", "wait", hostFunction(call::Blocking::MAY_BLOCK));
  registry.add("", "note", hostFunction(call::Blocking::NEVER));
  registry.addResource("", {.name = "thing", .drop = {}});
  return registry;
}

std::shared_ptr<Executable> compiled(std::shared_ptr<Executable> executable) {
  executable->compile(engine::testing::testEngine(), nullptr).value();
  return executable;
}
std::shared_ptr<Executable> join(const std::vector<Part>& parts, Rewriting rewriting) {
  std::vector<Executable::Part> given;
  for (const Part& part : parts) {
    given.push_back({.name = part.name, .bytes = wasm(part.text), .wires = part.wires});
  }
  return compiled(Executable::link(std::move(given), "test", rewriting).value());
}
std::shared_ptr<Executable> alone(const std::string& text) {
  return compiled(Executable::link(wasm(text), "test", Rewriting::ON).value());
}

// The exported functions of which a call may wait, by name, "part.function" in a workload.
void add(const Linked& linked, const std::vector<component::ProgramExport>& exports,
         const std::string& prefix, std::string& names) {
  for (const component::ProgramExport& item : exports) {
    if (auto* lifted = std::get_if<component::LiftedFunction>(&item.item)) {
      if (linked.mayBlock(*lifted)) names += (names.empty() ? "" : " ") + prefix + item.name;
    } else if (auto* instance = std::get_if<component::ExportedInstance>(&item.item)) {
      add(linked, instance->exports, prefix + item.name + ".", names);
    }
  }
}
std::string waiting(const std::shared_ptr<Executable>& executable) {
  auto linked = Linked::link(engine::testing::testEngine(), executable, host()).value();
  std::string names;
  add(*linked, linked->program().exports, "", names);
  return names;
}

// -- Components -----------------------------------------------------------------------------------

// Exports `f: func(s: string) -> u32`, and calls the host's `name` in it.
std::string leaf(const std::string& name) {
  return R"((component
    (import ")" +
         name + R"(" (func $host'))
    (core func $host (canon lower (func $host')))
    (core module $m (import "" "host" (func $host)) (memory (export "memory") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
      (func (export "f") (param i32 i32) (result i32) (call $host) (local.get 1)))
    (core instance $i (instantiate $m (with "" (instance (export "host" (func $host))))))
    (func (export "f") (param "s" string) (result u32) (canon lift (core func $i "f")
      (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  )";
}

// Imports `f`, and exports `g: func() -> u32`, which calls it with a string of its memory, by way
// of a shim as `wit-component` makes it.
const link::Shim SHIM{.lowered = "$f", .params = 2};
const std::string USER = R"((component
    (import "f" (func $f' (param "s" string) (result u32)))
    )" + SHIM.text() + R"(
    (core module $main (import "i" "f" (func $f (param i32 i32) (result i32)))
      (memory (export "memory") 1)
      (func (export "g") (result i32) (call $f (i32.const 8) (i32.const 5))))
    (core instance $main (instantiate $main (with "i" (instance (export "f" (func $shim "0"))))))
    (core func $f (canon lower (func $f') (memory (core memory $main "memory"))))
    )" + SHIM.fixup() + R"(
    (func (export "g") (result u32) (canon lift (core func $main "g")))))";

class Waiting : public ::testing::TestWithParam<Rewriting> {};
INSTANTIATE_TEST_SUITE_P(Shims, Waiting, ::testing::Values(Rewriting::ON, Rewriting::OFF),
                         [](const auto& info) {
                           return info.param == Rewriting::ON ? "LeftOut" : "Kept";
                         });

TEST_P(Waiting, IsFoundThroughTheAdaptersThatAComponentCallsAndNoOthers) {
  auto executable = join({{"sleeper", leaf("wait")},
                          {"quick", leaf("note")},
                          {"calls-sleeper", USER, {{"f", 0, "f"}}},
                          {"calls-quick", USER, {{"f", 1, "f"}}}},
                         GetParam());
  EXPECT_EQ(waiting(executable), "sleeper.f calls-sleeper.g");
}

TEST_P(Waiting, IsFoundThroughSeveralComponents) {
  const std::string relay = R"((component
    (import "g" (func $g' (result u32)))
    (core func $g (canon lower (func $g')))
    (core module $m (import "" "g" (func $g (result i32)))
      (func (export "h") (result i32) (i32.add (call $g) (i32.const 1))))
    (core instance $i (instantiate $m (with "" (instance (export "g" (func $g))))))
    (func (export "h") (result u32) (canon lift (core func $i "h")))))";
  auto executable = join({{"sleeper", leaf("wait")},
                          {"quick", leaf("note")},
                          {"a", USER, {{"f", 0, "f"}}},
                          {"b", USER, {{"f", 1, "f"}}},
                          {"far", relay, {{"g", 2, "g"}}},
                          {"near", relay, {{"g", 3, "g"}}}},
                         GetParam());
  EXPECT_EQ(waiting(executable), "sleeper.f a.g far.h");
}

TEST(WaitingTest, IsNothingsWhereNoImportWaits) {
  EXPECT_EQ(waiting(alone(leaf("note"))), "");
  EXPECT_EQ(waiting(alone(leaf("wait"))), "f");
}

// -- Core instances of one component --------------------------------------------------------------

// Two core instances, `a` before `b`, each with an export of its name that is lifted. `a` exports
// `shared` also; `b` gets it, and the host's `wait`.
std::string two(const std::string& shared, const std::string& imported) {
  return R"((component
    (import "wait" (func $wait'))
    (core func $wait (canon lower (func $wait')))
    (core module $a (func (export "a")) )" +
         shared + R"()
    (core instance $a (instantiate $a))
    (core module $b (import "" "wait" (func $wait)) )" +
         imported + R"( (func (export "b") (call $wait)))
    (core instance $b (instantiate $b (with "" (instance (export "wait" (func $wait))))
      (with "a" (instance $a))))
    (func (export "a") (canon lift (core func $a "a")))
    (func (export "b") (canon lift (core func $b "b")))))";
}

TEST(WaitingTest, IsOfTheCoreInstancesThatImportIt) {
  EXPECT_EQ(waiting(alone(two("", ""))), "b");
  // Who is called does not wait for that.
  EXPECT_EQ(waiting(alone(two("", R"((import "a" "a" (func)))"))), "b");
  // Bytes and numbers are no way to call.
  EXPECT_EQ(waiting(alone(two(R"((memory (export "m") 1))", R"((import "a" "m" (memory 1)))"))),
            "b");
}

TEST(WaitingTest, IsTakenToBeFoundWhereFunctionsCanGoUnseen) {
  // By what the later one puts there, the earlier one can call it.
  EXPECT_EQ(waiting(alone(
                two(R"((table (export "t") 1 funcref))", R"((import "a" "t" (table 1 funcref)))"))),
            "a b");
  EXPECT_EQ(waiting(alone(two(R"((global (export "g") (mut funcref) (ref.null func)))",
                              R"((import "a" "g" (global (mut funcref))))"))),
            "a b");
  EXPECT_EQ(waiting(alone(two(R"((func (export "r") (param funcref)))",
                              R"((import "a" "r" (func (param funcref))))"))),
            "a b");
}

TEST(WaitingTest, IsFoundThroughCoreInstancesThatAreCalled) {
  EXPECT_EQ(waiting(alone(R"((component
    (import "wait" (func $wait'))
    (core func $wait (canon lower (func $wait')))
    (core module $inner (import "" "wait" (func $wait)) (func (export "f") (call $wait)))
    (core instance $inner (instantiate $inner
      (with "" (instance (export "wait" (func $wait))))))
    (core module $outer (import "" "f" (func $f)) (func (export "g") (call $f)))
    (core instance $outer (instantiate $outer (with "" (instance $inner))))
    (core module $other (func (export "h")))
    (core instance $other (instantiate $other))
    (func (export "g") (canon lift (core func $outer "g")))
    (func (export "h") (canon lift (core func $other "h")))))")),
            "g");
}

TEST(WaitingTest, IsFoundInWhatTheCanonicalOptionsCall) {
  auto withOption = [](const std::string& realloc, const std::string& postReturn) {
    return R"((component
      (import "wait" (func $wait'))
      (core func $wait (canon lower (func $wait')))
      (core module $m (import "" "wait" (func $wait))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
          (call $wait) (i32.const 1024))
        (func (export "post") (param i32) (call $wait)))
      (core instance $waits (instantiate $m (with "" (instance (export "wait" (func $wait))))))
      (core module $n (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
        (func (export "post") (param i32))
        (func (export "f") (param i32 i32) (result i32) (i32.const 64)))
      (core instance $plain (instantiate $n))
      (func (export "f") (param "s" string) (result string) (canon lift (core func $plain "f")
        (memory (core memory $plain "memory")) (realloc (core func $)" +
           realloc + R"( "realloc"))
        (post-return (core func $)" +
           postReturn + R"( "post"))))))";
  };
  EXPECT_EQ(waiting(alone(withOption("plain", "plain"))), "");
  EXPECT_EQ(waiting(alone(withOption("waits", "plain"))), "f");
  EXPECT_EQ(waiting(alone(withOption("plain", "waits"))), "f");
}

TEST(WaitingTest, IsTakenToBeFoundByAnyCallWhereADestructorWaits) {
  auto withDestructor = [](const std::string& of) {
    return R"((component
      (import "wait" (func $wait'))
      (core func $wait (canon lower (func $wait')))
      (core module $m (import "" "wait" (func $wait)) (func (export "drop") (param i32)
        (call $wait)))
      (core instance $waits (instantiate $m (with "" (instance (export "wait" (func $wait))))))
      (core module $n (func (export "drop") (param i32)) (func (export "f")))
      (core instance $plain (instantiate $n))
      (type $thing (resource (rep i32) (dtor (core func $)" +
           of + R"( "drop"))))
      (export "thing" (type $thing))
      (func (export "f") (canon lift (core func $plain "f")))))";
  };
  EXPECT_EQ(waiting(alone(withDestructor("plain"))), "");
  EXPECT_EQ(waiting(alone(withDestructor("waits"))), "f");
}

// -- Calls ----------------------------------------------------------------------------------------

// How far the stack here is from the one that the test runs on.
uint64_t distanceFrom(const void* frame) {
  auto here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  auto there = reinterpret_cast<uintptr_t>(frame);
  return here > there ? here - there : there - here;
}

TEST(WaitingTest, ExportsThatCannotWaitRunAtOnceAlthoughOthersCan) {
  Engine engine = Engine::create().value();
  auto component = [&](const std::string& text) {
    return Component::fromBytes(engine, wasm(text)).value();
  };
  Workload workload =
      Workload::fromComponents(engine, "both",
                               {{.name = "sleeper", .component = component(leaf("wait"))},
                                {.name = "quick", .component = component(leaf("note"))}})
          .value();
  struct Seen {
    const void* frame = nullptr;
    uint64_t distance = 0;
  } seen;
  Linker linker;
  call::HostFunction look = {.function =
                                 [](void* closure, call::HostCall&, RawValue*) noexcept {
                                   auto& seen = **static_cast<Seen**>(closure);
                                   seen.distance = distanceFrom(seen.frame);
                                 },
                             .closure = std::make_shared<Seen*>(&seen),
                             .blocking = call::Blocking::NEVER,
                             .mismatch = {}};
  call::Registry& registry = tenon::host::LinkerState::of(linker).registry;
  registry.add("", "note", look);
  look.blocking = call::Blocking::MAY_BLOCK;
  registry.add("", "wait", look);
  Loop loop;
  auto instance = workload.instantiate(linker, loop).value();
  seen.frame = __builtin_frame_address(0);
  constexpr uint64_t SAME_STACK = 1 << 20;
  auto call = [&](const char* name) {
    auto function = instance.function<uint32_t(std::string_view)>(name, "", "f").value();
    EXPECT_EQ(function("four").value(), 4u);
    return seen.distance;
  };
  EXPECT_LT(call("quick"), SAME_STACK);
  EXPECT_GT(call("sleeper"), SAME_STACK);
  EXPECT_LT(call("quick"), SAME_STACK);
  auto dynamic = instance.function("quick", "f").value();
  EXPECT_EQ(dynamic.call({Value("five!")}).value(), std::vector<Value>{Value(uint32_t{5})});
  EXPECT_LT(seen.distance, SAME_STACK);
}

}  // namespace
}  // namespace tenon::run
