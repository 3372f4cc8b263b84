// Components that were built apart, joined at deployment: what the plan says, and what the calls
// give.

#include "component/abi/dynamic.h"
#include "component/binary/decoder.h"
#include "engine/executable.h"
#include "engine/instance.h"
#include "engine/linked.h"
#include "link/plan.h"

#include <tenon/value.h>

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>

namespace tenon::link {
namespace {

std::vector<std::byte> guest(const std::string& name) {
  std::ifstream in(std::string(TENON_GUESTS_DIR) + "/" + name + ".wasm", std::ios::binary);
  std::vector<char> text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  std::vector<std::byte> bytes(text.size());
  for (size_t i = 0; i < text.size(); ++i) bytes[i] = static_cast<std::byte>(text[i]);
  return bytes;
}

// A workload under test: components by name, each made of a guest.
class Workload {
 public:
  void add(const std::string& name, const std::string& file,
           const std::map<std::string, std::string>& targets = {}) {
    bytes_[name] = guest(file);
    definitions_[name] = component::decode(bytes_[name]).value();
    std::map<std::string, Link> links;
    for (const auto& [import, target] : targets) links[import] = {.to = target};
    parts_.push_back({name, definitions_[name].get(), std::move(links)});
  }

  Plan plan(std::string_view hostPrefix = "wasi:") {
    return link::plan(parts_, [=](std::string_view name) { return name.starts_with(hostPrefix); })
        .value();
  }

  std::unique_ptr<engine::Instance> run(const Plan& plan, component::ShimElision elision) {
    std::vector<engine::Executable::Part> parts;
    for (size_t i = 0; i < plan.parts.size(); ++i) {
      parts.push_back({plan.parts[i].name, bytes_[plan.parts[i].name], plan.wires(i)});
    }
    auto executable = engine::Executable::linkWorkload(std::move(parts), "test", elision).value();
    engine::EngineOptions options;
    options.allocation = engine::Allocation::ON_DEMAND;
    auto engine = engine::Engine::create(options).value();
    executable->compile(engine, nullptr).value();
    auto linked = engine::Linked::link(engine, executable, call::Registry()).value();
    return engine::Instance::create(linked).value();
  }

 private:
  std::map<std::string, std::vector<std::byte>> bytes_;
  std::map<std::string, std::unique_ptr<component::Component>> definitions_;
  std::vector<Part> parts_;
};

const component::LiftedFunction* find(const std::vector<component::ProgramExport>& exports,
                                      std::vector<std::string> path) {
  for (const component::ProgramExport& item : exports) {
    if (item.name != path.front()) continue;
    if (path.size() == 1) return std::get_if<component::LiftedFunction>(&item.item);
    auto* instance = std::get_if<component::ExportedInstance>(&item.item);
    return instance ? find(instance->exports, {path.begin() + 1, path.end()}) : nullptr;
  }
  return nullptr;
}

// Calls `part`'s function with u32 arguments and gives its u64 result.
uint64_t call(engine::Instance& instance, std::vector<std::string> path,
              std::vector<Value> arguments) {
  const component::LiftedFunction* lifted = find(instance.program().exports, std::move(path));
  if (!lifted) throw std::runtime_error("no such function");
  auto function = instance.resolve(*lifted).value();
  struct Call {
    const FuncType& type;
    std::vector<Value> arguments;
    std::optional<Value> result;
  } call{lifted->type, std::move(arguments), {}};
  engine::CallCodec codec{.self = &call,
                          .lower =
                              [](void* self, abi::Context& context, RawValue* values) {
                                auto& call = *static_cast<Call*>(self);
                                abi::lowerParams(context, call.type, call.arguments, values);
                              },
                          .lift =
                              [](void* self, abi::Context& context, const RawValue* values) {
                                auto& call = *static_cast<Call*>(self);
                                call.result = abi::liftResult(context, call.type, values);
                              }};
  if (!instance.execute(function, codec)) {
    throw std::runtime_error(instance.store().takeTrap().message);
  }
  return *call.result->find<uint64_t>();
}

class WorkloadTest : public testing::TestWithParam<component::ShimElision> {};
INSTANTIATE_TEST_SUITE_P(Shims, WorkloadTest,
                         testing::Values(component::ShimElision::ON, component::ShimElision::OFF),
                         [](const auto& info) {
                           return info.param == component::ShimElision::ON ? "LeftOut" : "Kept";
                         });

TEST_P(WorkloadTest, JoinsTwoComponentsByTheInterfaceOneExports) {
  Workload workload;
  workload.add("front", "caller");
  workload.add("back", "callee");
  Plan plan = workload.plan();
  ASSERT_TRUE(plan.ok());
  ASSERT_EQ(plan.parts.size(), 2u);
  EXPECT_EQ(plan.parts[0].name, "back");
  EXPECT_EQ(plan.parts[1].imports.size(), 1u);
  EXPECT_EQ(plan.parts[1].imports[0].cost, Cost::FUSED);
  EXPECT_EQ(plan.parts[1].imports[0].component, "back");
  auto instance = workload.run(plan, GetParam());
  const std::string run = "tenon:bench/run@0.1.0";
  auto numbers = [](uint32_t iterations, uint32_t size) {
    return std::vector<Value>{Value(iterations), Value(size)};
  };
  // The callee gives back what it was sent: the caller adds up what comes.
  EXPECT_NO_THROW(call(*instance, {"front", run, "run-inc"}, numbers(100, 0)));
  EXPECT_EQ(call(*instance, {"front", run, "run-len"}, numbers(3, 16)), 48u);
  EXPECT_EQ(call(*instance, {"front", run, "run-echo-string"}, numbers(2, 100)), 200u);
  EXPECT_NO_THROW(call(*instance, {"front", run, "run-place"}, numbers(5, 16)));
  EXPECT_NO_THROW(call(*instance, {"front", run, "run-meter-add"}, numbers(5, 0)));
  EXPECT_NO_THROW(call(*instance, {"front", run, "run-meter-new"}, numbers(50, 0)));
}

TEST(PlanTest, UsesOneComponentTwiceUnderTwoNames) {
  Workload workload;
  workload.add("front", "chain", {{"tenon:bench/step@0.1.0", "first"}});
  workload.add("first", "relay", {{"tenon:bench/step@0.1.0", "second"}});
  workload.add("second", "relay", {{"tenon:bench/step@0.1.0", "end"}});
  workload.add("end", "callee");
  Plan plan = workload.plan();
  ASSERT_TRUE(plan.ok()) << plan.problems[0].text();
  std::vector<std::string> order;
  for (const PlannedPart& part : plan.parts) order.push_back(part.name);
  EXPECT_EQ(order, (std::vector<std::string>{"end", "second", "first", "front"}));
  EXPECT_EQ(plan.unreached, std::vector<std::string>{"front"});
}

TEST(PlanTest, ListsTheComponentsThatOneInterfaceIsExportedBy) {
  Workload workload;
  workload.add("front", "caller");
  workload.add("one", "callee");
  workload.add("other", "callee");
  Plan plan = workload.plan();
  ASSERT_EQ(plan.problems.size(), 1u);
  EXPECT_EQ(plan.problems[0].code, ErrorCode::AMBIGUOUS);
  EXPECT_EQ(plan.problems[0].details, "  one exports it\n  other exports it");
}

TEST(PlanTest, ShowsAllProblemsAtOnce) {
  Workload workload;
  workload.add("front", "caller", {{"tenon:bench/api@0.1.0", "bck"}});
  workload.add("back", "types_through", {{"tenon:types/ech@1.0.0", "front"}});
  Plan plan = workload.plan();
  ASSERT_EQ(plan.problems.size(), 3u);
  EXPECT_EQ(plan.problems[0].message,
            "component front, import tenon:bench/api@0.1.0: there is no component 'bck'; did you "
            "mean 'back'?");
  EXPECT_EQ(plan.problems[1].message,
            "component back, import tenon:types/echo@1.0.0: nothing provides this instance: only "
            "the component "
            "itself exports it");
  EXPECT_EQ(
      plan.problems[2].message,
      "component back is linked at 'tenon:types/ech@1.0.0', but does not import it; did you mean "
      "'tenon:types/echo@1.0.0'?");
}

TEST(PlanTest, SpellsACycleOut) {
  Workload workload;
  workload.add("a", "relay", {{"tenon:bench/step@0.1.0", "b"}});
  workload.add("b", "relay", {{"tenon:bench/step@0.1.0", "a"}});
  Plan plan = workload.plan();
  ASSERT_EQ(plan.problems.size(), 1u);
  EXPECT_EQ(plan.problems[0].message, "the links form a cycle: a -> b -> a");
}

TEST(PlanTest, RefusesAComponentThatIsLinkedToItself) {
  Workload workload;
  workload.add("a", "relay", {{"tenon:bench/step@0.1.0", "a"}});
  Plan plan = workload.plan();
  ASSERT_EQ(plan.problems.size(), 1u);
  EXPECT_EQ(plan.problems[0].message,
            "component a, import tenon:bench/step@0.1.0: it is linked to itself");
}

TEST(PlanTest, LeavesToTheHostWhatTheHostProvides) {
  Workload workload;
  workload.add("program", "hello");
  Plan plan = workload.plan();
  ASSERT_TRUE(plan.ok());
  EXPECT_TRUE(plan.parts[0].program);
  EXPECT_TRUE(plan.unreached.empty());
  for (const PlannedImport& import : plan.parts[0].imports) EXPECT_EQ(import.cost, Cost::HOST);
}

}  // namespace
}  // namespace tenon::link
