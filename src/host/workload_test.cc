#include "base/temp_folder_testing.h"
#include "host/host_testing.h"

#include <tenon/workload.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>

namespace tenon::host {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// front -> relay -> end, each a component of its own.
Workload chain() {
  return Workload::fromComponents(
             testEngine(), "chain",
             {{.name = "front", .component = guest("chain"), .links = {{STEP, {.to = "relay"}}}},
              {.name = "relay", .component = guest("relay"), .links = {{STEP, {.to = "end"}}}},
              {.name = "end", .component = guest("callee")}})
      .value();
}

// A program and the component that it compares its context with.
Workload probing(WasiOptions web, WasiOptions cart) {
  return Workload::fromComponents(
             testEngine(), "probing",
             {{.name = "web", .component = guest("prober"), .links = {}, .wasi = std::move(web)},
              {.name = "cart", .component = guest("probe"), .links = {}, .wasi = std::move(cart)}})
      .value();
}

OutputStream captureTo(std::string& text) {
  OutputStream stream;
  stream.kind = OutputStream::Kind::CAPTURE;
  stream.capture = [&text](std::span<const std::byte> bytes) {
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  return stream;
}

TEST(Workloads, OfComponentsInMemoryAreJoinedAndCalled) {
  Workload workload = chain();
  EXPECT_EQ(workload.name(), "chain");
  Linker linker;
  Loop loop;
  auto instance = workload.instantiate(linker, loop);
  ASSERT_TRUE(instance) << textOf(instance.error());
  auto run = instance->function<uint32_t(uint32_t)>("front", RUN_STEP, "run-inc");
  ASSERT_TRUE(run) << textOf(run.error());
  EXPECT_EQ((*run)(1000).value(), 1000u);
  auto inc = instance->function("relay", "step.inc");
  ASSERT_TRUE(inc);
  EXPECT_EQ(inc->info().component, "relay");
  EXPECT_EQ(inc->call({Value(uint32_t{41})}).value(), std::vector<Value>{Value(uint32_t{42})});
  EXPECT_GT(instance->memorySize(), 0u);
}

TEST(Workloads, SayWhatSatisfiesEachImport) {
  WorkloadPlan plan = chain().plan(Linker());
  EXPECT_TRUE(plan.ok());
  ASSERT_EQ(plan.components.size(), 3u);
  EXPECT_EQ(plan.components[0].name, "end");
  EXPECT_EQ(plan.components[2].name, "front");
  ASSERT_EQ(plan.components[2].links.size(), 1u);
  const PlannedLink& link = plan.components[2].links[0];
  EXPECT_EQ(link.import, STEP);
  EXPECT_EQ(link.kind, "instance");
  EXPECT_EQ(link.cost, LinkCost::FUSED);
  EXPECT_EQ(link.component, "relay");
  EXPECT_EQ(link.item, STEP);
  EXPECT_THAT(plan.unreached, ElementsAre("front"));
}

TEST(Workloads, SayWhichPluginOfTheHostSatisfiesAnImport) {
  Workload workload = workloadOf("mixed", {{"program", "hello"}, {"relay", "relay"}});
  Linker linker;
  linker.wasi();
  linker.function(STEP, "inc", [](uint32_t value) { return value + 1; });
  WorkloadPlan plan = workload.plan(linker);
  ASSERT_TRUE(plan.ok()) << textOf(plan.error());
  ASSERT_EQ(plan.components.size(), 2u);
  EXPECT_FALSE(plan.components[0].links.empty());
  for (const PlannedLink& link : plan.components[0].links) {
    EXPECT_EQ(link.cost, LinkCost::HOST);
    EXPECT_EQ(link.plugin, "wasi") << link.import;
  }
  ASSERT_EQ(plan.components[1].links.size(), 1u);
  EXPECT_EQ(plan.components[1].links[0].cost, LinkCost::HOST);
  EXPECT_EQ(plan.components[1].links[0].plugin, "");
}

TEST(Workloads, AreInstantiatedManyTimesByThemselves) {
  Workload workload = probing({}, {});
  Linker linker;
  linker.wasi();
  Loop loop;
  for (int i = 0; i < 3; ++i) {
    auto instance = workload.instantiate(linker, loop);
    ASSERT_TRUE(instance) << textOf(instance.error());
    auto count = instance->function<uint32_t()>("cart", "tenon:context/probe", "count");
    ASSERT_TRUE(count);
    EXPECT_EQ((*count)().value(), 1u);
    EXPECT_EQ((*count)().value(), 2u);
  }
}

TEST(Workloads, GiveEachComponentItsOwnContext) {
  std::string here;
  std::string there;
  WasiOptions web;
  web.arguments = {"web", "env"};
  web.environment = {{"A", "1"}};
  web.output = captureTo(here);
  WasiOptions cart;
  cart.environment = {{"B", "2"}};
  cart.output = captureTo(there);
  Workload workload = probing(web, cart);
  Linker linker;
  linker.wasi();
  Loop loop;
  auto instance = workload.instantiate(linker, loop);
  ASSERT_TRUE(instance) << textOf(instance.error());
  EXPECT_EQ(instance->run().value(), 0);
  EXPECT_EQ(here, "here: [(\"A\", \"1\")]\nthere: [(\"B\", \"2\")]\n");
  auto say = instance->function<void(std::string_view)>("cart", "tenon:context/probe", "say");
  ASSERT_TRUE(say);
  EXPECT_TRUE((*say)("hello\n"));
  EXPECT_EQ(there, "hello\n");
}

TEST(Workloads, LetTheEmbedderChangeAContextAtTheLastMoment) {
  std::string output;
  Workload workload = probing({}, {});
  Linker linker;
  linker.wasi();
  Loop loop;
  WorkloadOptions options;
  options.adjust = [&](const PlannedComponent& component, WasiOptions& wasi) {
    wasi.arguments = {component.name, "args"};
    wasi.output = captureTo(output);
  };
  auto instance = workload.instantiate(linker, loop, options);
  ASSERT_TRUE(instance) << textOf(instance.error());
  EXPECT_EQ(instance->run("web").value(), 0);
  EXPECT_EQ(output, "here: [\"web\", \"args\"]\nthere: [\"cart\", \"args\"]\n");
}

TEST(Workloads, SayWhichComponentTrapped) {
  Workload workload = workloadOf("traps", {{"types", "types"}, {"end", "callee"}});
  Linker linker;
  linker.wasi();
  Loop loop;
  WorkloadInstance instance = workload.instantiate(linker, loop).value();
  auto outcome = instance.function("types", "trap").value().call(std::vector<Value>());
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::TRAPPED);
  EXPECT_EQ(outcome.error().message, "unreachable instruction executed (component types)");
}

TEST(Workloads, TellAHostFunctionWhichComponentCallsIt) {
  Workload workload = Workload::fromComponents(testEngine(), "two",
                                               {{.name = "one", .component = guest("chain")},
                                                {.name = "other", .component = guest("relay")}})
                          .value();
  std::map<std::string, int> calls;
  Linker linker;
  linker.dynamicFunction(STEP, "inc",
                         [&](const FunctionInfo& function,
                             std::vector<Value> arguments) -> Result<std::vector<Value>> {
                           ++calls[function.component];
                           return arguments;
                         });
  Loop loop;
  auto instance = workload.instantiate(linker, loop);
  ASSERT_TRUE(instance) << textOf(instance.error());
  EXPECT_TRUE(instance->function("other", "inc")->call({Value(uint32_t{1})}));
  EXPECT_TRUE(instance->function("one", "run-inc")->call({Value(uint32_t{3})}));
  EXPECT_EQ(calls, (std::map<std::string, int>{{"one", 3}, {"other", 1}}));
}

TEST(Workloads, AreRefusedWithAllTheirProblems) {
  Workload workload =
      Workload::fromComponents(
          testEngine(), "broken",
          {{.name = "front", .component = guest("chain"), .links = {{STEP, {.to = "bck"}}}},
           {.name = "back", .component = guest("caller")}})
          .value();
  Linker linker;
  WorkloadPlan plan = workload.plan(linker);
  ASSERT_EQ(plan.problems.size(), 2u);
  EXPECT_EQ(plan.problems[0].code, ErrorCode::NOT_FOUND);
  EXPECT_EQ(plan.problems[1].code, ErrorCode::MISSING_IMPORT);
  Loop loop;
  auto instance = workload.instantiate(linker, loop);
  ASSERT_FALSE(instance);
  EXPECT_EQ(instance.error().message, "2 problems");
  EXPECT_EQ(instance.error().details,
            "  component front, import tenon:bench/step@0.1.0: there is no component 'bck'; did "
            "you mean 'back'?\n"
            "  component back, import tenon:bench/api@0.1.0: nothing provides this instance");
}

TEST(Workloads, SayWhatTheHostLacksOfAnInterface) {
  Workload workload =
      Workload::fromComponents(testEngine(), "host", {{.name = "a", .component = guest("chain")}})
          .value();
  Linker missing;
  missing.function(STEP, "other", [](uint32_t v) { return v; });
  WorkloadPlan plan = workload.plan(missing);
  ASSERT_EQ(plan.problems.size(), 1u);
  EXPECT_EQ(plan.problems[0].code, ErrorCode::MISSING_IMPORT);
  EXPECT_THAT(plan.problems[0].message,
              HasSubstr("component a, import tenon:bench/step@0.1.0: the host does not have its "
                        "inc: func(v: u32) -> u32"));
  Linker different;
  different.function(STEP, "inc", [](uint64_t v) { return v; });
  plan = workload.plan(different);
  ASSERT_EQ(plan.problems.size(), 1u);
  EXPECT_EQ(plan.problems[0].code, ErrorCode::TYPE_MISMATCH);
  EXPECT_THAT(plan.problems[0].message, HasSubstr("function inc: the host has another type"));
}

TEST(Workloads, SayWhatIsNotThere) {
  Workload workload = chain();
  Linker linker;
  Loop loop;
  WorkloadInstance instance = workload.instantiate(linker, loop).value();
  auto component = instance.function("nobody", "inc");
  ASSERT_FALSE(component);
  EXPECT_EQ(component.error().code, ErrorCode::NOT_FOUND);
  EXPECT_EQ(instance.function("end", "nothing").error().code, ErrorCode::MISSING_EXPORT);
  auto wrong = instance.function<uint32_t(uint64_t)>("end", STEP, "inc");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, ErrorCode::TYPE_MISMATCH);
  EXPECT_EQ(instance.run().error().code, ErrorCode::MISSING_EXPORT);
}

TEST(Workloads, WithSeveralProgramsRunTheOneThatIsNamed) {
  std::string output;
  WasiOptions wasi;
  wasi.output = captureTo(output);
  Workload workload = Workload::fromComponents(
                          testEngine(), "programs",
                          {{.name = "a", .component = guest("hello"), .links = {}, .wasi = wasi},
                           {.name = "b", .component = guest("hello")}})
                          .value();
  Linker linker;
  linker.wasi();
  Loop loop;
  WorkloadInstance instance = workload.instantiate(linker, loop).value();
  EXPECT_EQ(instance.run().error().code, ErrorCode::AMBIGUOUS);
  EXPECT_EQ(instance.run("a").value(), 0);
  EXPECT_EQ(output, "Hello from a component\n");
}

TEST(Workloads, HaveComponentsWithProperNamesOfTheirOwn) {
  auto make = [](std::vector<std::string> names) {
    std::vector<WorkloadComponent> components;
    for (const std::string& name : names) components.push_back({name, guest("callee")});
    return Workload::fromComponents(testEngine(), "names", std::move(components));
  };
  EXPECT_TRUE(make({"a-1", "b_2.c"}));
  EXPECT_EQ(make({"a", "a"}).error().code, ErrorCode::INVALID_ARGUMENT);
  EXPECT_EQ(make({"a/b"}).error().code, ErrorCode::INVALID_ARGUMENT);
  EXPECT_EQ(make({""}).error().code, ErrorCode::INVALID_ARGUMENT);
  EXPECT_EQ(make({}).error().code, ErrorCode::INVALID_ARGUMENT);
}

TEST(Workloads, AreLoadedFromTheirManifest) {
  auto temporary = std::make_optional<TempFolder>();
  const std::string folder = temporary->path();
  for (const char* name : {"chain", "callee"}) {
    std::filesystem::copy(std::string(TENON_GUESTS_DIR) + "/" + name + ".wasm", folder);
  }
  std::ofstream(folder + "/tenon.toml") << "name = \"two\"\n"
                                           "[components.front]\nsource = \"chain.wasm\"\n"
                                           "[components.back]\nsource = \"callee.wasm\"\n";
  EXPECT_TRUE(Workload::isManifest(folder));
  EXPECT_TRUE(Workload::isManifest(folder + "/tenon.toml"));
  EXPECT_FALSE(Workload::isManifest(folder + "/chain.wasm"));
  for (const std::string& path : {folder, folder + "/tenon.toml"}) {
    auto workload = Workload::load(testEngine(), path);
    ASSERT_TRUE(workload) << textOf(workload.error());
    EXPECT_EQ(workload->name(), "two");
    EXPECT_EQ(workload->components()[1].name, "back");
    Linker linker;
    Loop loop;
    auto instance = workload->instantiate(linker, loop);
    ASSERT_TRUE(instance) << textOf(instance.error());
    EXPECT_EQ(instance->function("front", "run-inc")->call({Value(uint32_t{5})}).value(),
              std::vector<Value>{Value(uint32_t{5})});
  }
  temporary.reset();
  EXPECT_EQ(Workload::load(testEngine(), folder + "/tenon.toml").error().code,
            ErrorCode::NOT_FOUND);
}

TEST(Workloads, CallsThatRunAtOnceTakeTurns) {
  Workload workload = chain();
  Linker linker;
  Loop loop;
  WorkloadInstance first = workload.instantiate(linker, loop).value();
  WorkloadInstance second = workload.instantiate(linker, loop).value();
  auto slow = first.function("front", "run-inc")->start({Value(uint32_t{4'000'000'000})});
  ASSERT_TRUE(slow);
  EXPECT_FALSE(slow->done()) << "its turn is over";
  auto quick = second.function("front", "run-inc")->start({Value(uint32_t{1000})});
  ASSERT_TRUE(quick);
  EXPECT_EQ(quick->wait().value(), std::vector<Value>{Value(uint32_t{1000})});
  EXPECT_FALSE(slow->done());
}

}  // namespace
}  // namespace tenon::host
