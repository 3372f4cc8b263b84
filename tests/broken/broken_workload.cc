#include "tests/broken/broken_workload.h"

#include "component/binary/decoder.h"
#include "engine/engine_testing.h"
#include "host/linker.h"
#include "run/dynamic_call.h"
#include "run/executable.h"
#include "run/linked.h"

#include <tenon/value.h>

#include <gmock/gmock.h>

#include <algorithm>
#include <cstring>

namespace tenon::broken {
namespace {

std::string number(uint64_t value) { return std::to_string(value); }

// The core module with a component's memory and realloc. Exports "memory" and "realloc".
std::string memoryModule(const Memory& memory, bool mayNote) {
  const std::string good = R"((local $p i32)
    (local.set $p (i32.and
      (i32.add (i32.load (i32.const )" +
                           number(MARK) + R"()) (i32.sub (local.get $align) (i32.const 1)))
      (i32.sub (i32.const 0) (local.get $align))))
    (i32.store (i32.const )" +
                           number(MARK) + R"() (i32.add (local.get $p) (local.get $size)))
    (local.get $p))";
  return R"(
  (core module $Memory
    )" + std::string(mayNote ? R"((import "notes" "note" (func $note)))" : "") +
         R"(
    (memory (export "memory") 1)
    (func (export "realloc") (param $old i32) (param $oldSize i32) (param $align i32) (param $size i32)
      (result i32) )" +
         (memory.realloc.empty() ? good : memory.realloc) + R"()
    (data $data ")" +
         memory.data + R"(")
    (func $start
      (memory.fill (i32.const 0) (i32.const 0xa5) (i32.const 0x10000))
      (memory.init $data (i32.const )" +
         number(DATA) + R"() (i32.const 0) (i32.const )" +
         number(static_cast<uint64_t>(
             // Each byte is written as \hh, or as itself.
             memory.data.size() - 2 * static_cast<size_t>(std::ranges::count(memory.data, '\\')))) +
         R"())
      (i32.store (i32.const )" +
         number(CALLS) + R"() (i32.const 0))
      (i32.store (i32.const )" +
         number(MARK) + R"() (i32.const )" + number(HEAP) + R"()))
    (start $start))
  )";
}

std::string lower(const std::string& encoding) {
  return R"((memory (core memory $memory "memory")) (realloc (core func $memory "realloc")) string-encoding=)" +
         encoding;
}

const component::LiftedFunction* find(const std::vector<component::ProgramExport>& exports,
                                      const std::vector<std::string>& path) {
  const std::vector<component::ProgramExport>* inside = &exports;
  for (const std::string& name : path) {
    auto found = std::ranges::find(*inside, name, &component::ProgramExport::name);
    if (found == inside->end()) return nullptr;
    if (&name == &path.back()) return std::get_if<component::LiftedFunction>(&found->item);
    inside = &std::get<component::ExportedInstance>(found->item).exports;
  }
  return nullptr;
}

}  // namespace

std::string Caller::text() const {
  return R"((component
  (import "t:t/api" (instance $api (export "f" (func )" +
         type + R"())))
  )" + memoryModule(memory, false) +
         R"(
  (core instance $memory (instantiate $Memory))
  (core func $f (canon lower (func $api "f") )" +
         lower(encoding) + R"())
  (core module $Main
    (import "own" "memory" (memory 1))
    (import "api" "f" (func $f )" +
         core + R"())
    (func (export "go") (result i32) )" +
         body + R"())
  (core instance $main (instantiate $Main
    (with "own" (instance $memory))
    (with "api" (instance (export "f" (func $f))))))
  (func (export "go") (result u32) (canon lift (core func $main "go"))))
)";
}

std::string Callee::text() const {
  const std::string notes = mayNote ? R"(
  (import "t:t/notes" (instance $notes (export "note" (func))))
  (core func $note (canon lower (func $notes "note")))
  (core instance $noteBag (export "note" (func $note))))"
                                    : "";
  const std::string withNotes = mayNote ? R"( (with "notes" (instance $noteBag)))" : "";
  std::string post;
  if (!postReturn.empty()) {
    post = R"((func (export "post") (param i32) )" + postReturn + ")";
  }
  return "(component" + notes + memoryModule(memory, mayNote) + R"(
  (core instance $memory (instantiate $Memory)" +
         withNotes + R"())
  (core module $Main
    (import "own" "memory" (memory 1))
    )" + std::string(mayNote ? R"((import "notes" "note" (func $note)))" : "") +
         R"(
    (func (export "f") )" +
         core + R"(
      (i32.store (i32.const )" +
         number(CALLS) + R"() (i32.add (i32.load (i32.const )" + number(CALLS) +
         R"()) (i32.const 1)))
      )" +
         body + ")\n    " + post + R"()
  (core instance $main (instantiate $Main (with "own" (instance $memory)))" +
         withNotes + R"())
  (func $f )" +
         type + R"( (canon lift (core func $main "f") )" + lower(encoding) +
         (postReturn.empty() ? "" : R"( (post-return (core func $main "post")))") + R"())
  (instance $api (export "f" (func $f)))
  (export "t:t/api" (instance $api)))
)";
}

std::string bystander() {
  return "(component" + memoryModule({}, false) + R"(
  (core instance $memory (instantiate $Memory))
  (core module $Main
    (import "own" "memory" (memory 1))
    (func (export "ping") (result i32) (i32.const 42))
    (func (export "text") (result i32) (i32.store (i32.const 0xb000) (i32.const 0))
      (i32.store (i32.const 0xb004) (i32.const 0)) (i32.const 0xb000)))
  (core instance $main (instantiate $Main (with "own" (instance $memory))))
  (func (export "ping") (result u32) (canon lift (core func $main "ping")))
  (func (export "text") (result string) (canon lift (core func $main "text") (memory (core memory $memory "memory")))))
)";
}

void Workload::add(const std::string& name, const std::string& text) {
  bytes_[name] = engine::testing::wasm(text);
  ASSERT_FALSE(bytes_[name].empty()) << text;
  auto decoded = component::decode(bytes_[name]);
  ASSERT_TRUE(decoded) << decoded.error().text() << text;
  definitions_[name] = *std::move(decoded);
  components_.push_back({.name = name, .definitions = definitions_[name].get()});
}

void Workload::link() {
  if (linked_) return;
  const call::Registry& registry = host::LinkerState::of(linker).registry;
  auto plan = link::planGiven(components_, [&](std::string_view name) {
    return registry.findPlugin(name) ? link::Provider(link::Plugin{}) : link::Missing{};
  });
  ASSERT_TRUE(plan) << plan.error().text();
  ASSERT_TRUE(plan->ok()) << plan->problems[0].text();
  std::vector<run::Executable::Part> parts;
  for (const link::PlannedPart& part : plan->stores.front().parts) {
    parts.push_back({part.name, bytes_[part.name], link::wiresOf(part)});
  }
  auto executable = run::Executable::link(std::move(parts), "test", component::Rewriting::ON);
  ASSERT_TRUE(executable) << executable.error().text();
  const auto& engine = engine::testing::testEngine();
  auto compiled = (*executable)->compile(engine, nullptr);
  ASSERT_TRUE(compiled) << compiled.error().text();
  auto linked = run::Linked::link(engine, *executable, registry);
  ASSERT_TRUE(linked) << linked.error().text() << linked.error().details;
  linked_ = *std::move(linked);
}

std::unique_ptr<run::Instance> Workload::instance() {
  return run::Instance::create(linked_).value();
}

Workload::Outcome Workload::call(run::Instance& instance, const std::string& component,
                                 const std::string& name) {
  const component::LiftedFunction* lifted = find(instance.program().exports, {component, name});
  if (!lifted) throw std::runtime_error("no function " + component + "." + name);
  auto function = instance.resolve(*lifted).value();
  run::DynamicCall call{.type = lifted->type, .arguments = {}, .results = {}};
  Outcome outcome;
  if (instance.execute(function, call.codec())) {
    const uint32_t* value = call.results.empty() ? nullptr : call.results[0].find<uint32_t>();
    outcome.value = value ? *value : 0;
  } else {
    outcome.trap = instance.store().takeTrap();
  }
  return outcome;
}

Workload::Snapshot Workload::memoriesBut(run::Instance& instance, const std::string& guilty) {
  Snapshot snapshot;
  const component::Program& program = instance.program();
  for (uint32_t slot = 0; slot < program.memories.size(); ++slot) {
    const component::InstantiateStep& step = program.steps[program.memories[slot].index];
    if (program.instances[step.instance].name == guilty) continue;
    GuestMemory memory = instance.memory(slot);
    std::span<const std::byte> bytes = memory.bytes(0, memory.size());
    snapshot[slot].assign(bytes.begin(), bytes.end());
  }
  return snapshot;
}

void Workload::expectUntouched(run::Instance& instance, const Snapshot& before) {
  for (const auto& [slot, bytes] : before) {
    GuestMemory memory = instance.memory(static_cast<uint32_t>(slot));
    ASSERT_EQ(memory.size(), bytes.size());
    std::span<const std::byte> now = memory.bytes(0, memory.size());
    uint32_t heapEnd = 0;
    std::memcpy(&heapEnd, now.data() + MARK, sizeof heapEnd);
    size_t changed = 0;
    for (size_t i = 0; i < bytes.size(); ++i) {
      bool own = (i >= MARK && i < MARK + 4) || (i >= CALLS && i < CALLS + 4) ||
                 (i >= HEAP && i < heapEnd) || (i >= RESULTS && i < RESULTS_END);
      if (!own && now[i] != bytes[i] && ++changed < 4) {
        ADD_FAILURE() << "memory " << slot << " changed at " << i;
      }
    }
  }
}

void Workload::expectBlame(const std::string& caller, const std::string& guilty,
                           const std::vector<std::string>& reasons) {
  link();
  if (!linked_) return;
  auto independent = instance();
  auto broken = instance();
  Snapshot before = memoriesBut(*broken, guilty);
  Snapshot elsewhere = memoriesBut(*independent, "");
  Outcome outcome = call(*broken, caller, "go");
  ASSERT_FALSE(outcome.value) << "it returned " << *outcome.value;
  std::vector<testing::Matcher<std::string>> any;
  for (const std::string& reason : reasons) {
    any.push_back(testing::HasSubstr(reason + " (component " + guilty + ")"));
  }
  EXPECT_THAT(outcome.trap.message, testing::AnyOfArray(any));
  expectUntouched(*broken, before);
  // Nothing of that workload instance runs any more, and another one does not notice.
  if (definitions_.contains("bystander")) {
    EXPECT_EQ(call(*broken, "bystander", "ping").value, std::nullopt);
    EXPECT_EQ(call(*independent, "bystander", "ping").value, 42u);
  }
  expectUntouched(*independent, elsewhere);
}

void Workload::expectFine(const std::string& caller, uint32_t value) {
  link();
  if (!linked_) return;
  auto fine = instance();
  Outcome outcome = call(*fine, caller, "go");
  ASSERT_TRUE(outcome.value) << outcome.trap.message;
  EXPECT_EQ(*outcome.value, value);
}

}  // namespace tenon::broken
