#include "host/prepared.h"

#include "host/host_testing.h"
#include "host/linker.h"
#include "host/workload.h"

#include <tenon/linker.h>
#include <tenon/prepared.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace tenon::host {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// first -> last.
Workload chainOfTwo() { return workloadOf("chain", {{"first", "chain"}, {"last", "callee"}}); }

// What a linker keeps of `source`.
template <typename Source>
const PreparedState* keptOf(Linker& linker, const Source& source) {
  return &PreparedState::of(linker.prepare(source).value());
}

TEST(PreparedComponents, KeepTheFunctionsThatTheirLinkerHadThen) {
  auto runInc = [](const Prepared& prepared, Loop& loop) {
    Instance instance = prepared.instantiate(loop).value();
    return instance.function<uint32_t(uint32_t)>(RUN_STEP, "run-inc").value()(5).value();
  };
  Loop loop;
  std::optional<Prepared> before, after;
  {
    Linker linker;
    linker.wasi();
    linker.function(STEP, "inc", [](uint32_t v) { return v + 1; });
    before = linker.prepare(guest("chain")).value();
    linker.function(STEP, "inc", [](uint32_t v) { return v + 2; });
    after = linker.prepare(guest("chain")).value();
  }
  EXPECT_EQ(runInc(*before, loop), 5u);
  EXPECT_EQ(runInc(*after, loop), 10u);
}

TEST(PreparedComponents, AreInstantiatedByManyThreadsAtOnce) {
  Linker linker;
  linker.wasi();
  const Prepared prepared = linker.prepare(guest("types")).value();
  std::vector<std::thread> threads;
  std::vector<uint32_t> sums(4);
  for (uint32_t i = 0; i < sums.size(); ++i) {
    threads.emplace_back([&prepared, &sum = sums[i], i] {
      Loop loop;
      for (uint32_t round = 0; round < 20; ++round) {
        Instance instance = prepared.instantiate(loop).value();
        auto add = instance.function<uint32_t(uint32_t, uint32_t)>("", "add").value();
        sum = add(sum, i).value();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(sums, ElementsAre(0, 20, 40, 60));
}

TEST(PreparedComponents, AreAWorkloadOfOneWithoutAName) {
  Linker linker;
  linker.wasi();
  Prepared prepared = linker.prepare(guest("cli")).value();
  ASSERT_EQ(prepared.plan().components.size(), 1u);
  EXPECT_EQ(prepared.plan().components[0].name, "");
  EXPECT_TRUE(prepared.plan().components[0].program);
  EXPECT_FALSE(prepared.plan().components[0].answers);
  std::string output;
  WorkloadOptions options;
  options.adjust = [&output](const PlannedComponent&, WasiOptions& wasi) {
    wasi.arguments = {"cli", "args", "hello"};
    wasi.output = {.kind = OutputStream::Kind::CAPTURE,
                   .capture = [&output](std::span<const std::byte> bytes) {
                     output.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
                   }};
  };
  Loop loop;
  Instance instance = prepared.instantiate(loop, options).value();
  EXPECT_EQ(instance.run().value(), 0);
  EXPECT_THAT(output, HasSubstr("hello"));
  auto other = instance.function("other", "run");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::NOT_FOUND);
  EXPECT_EQ(textOf(other.error()), "there is no component 'other'\n");
}

TEST(PreparedComponents, HaveTheLinksThatTheyHaveInAWorkload) {
  Linker linker;
  linker.wasi();
  linker.function(STEP, "inc", [](uint32_t v) { return v; });
  auto linksOf = [](const WorkloadPlan& plan) {
    std::vector<std::string> lines;
    for (const PlannedLink& link : plan.components.at(0).links) {
      lines.push_back(link.import + " " + link.kind + " " + toString(link.cost) + " " +
                      link.plugin + link.component + link.item);
    }
    return lines;
  };
  for (const char* name : {"cli", "chain", "http_hello", "types"}) {
    auto alone = linksOf(linker.prepare(guest(name)).value().plan());
    EXPECT_EQ(alone, linksOf(workloadOf(name, {{"it", name}}).plan(linker))) << name;
  }
  EXPECT_THAT(linksOf(linker.prepare(guest("chain")).value().plan()),
              ::testing::Contains(std::string(STEP) + " instance host "));
}

TEST(PreparedWorkloads, WantTheNameOfAComponentWhereThereAreSeveral) {
  Linker linker;
  linker.wasi();
  Loop loop;
  Instance instance = linker.prepare(chainOfTwo()).value().instantiate(loop).value();
  auto named = instance.function<uint32_t(uint32_t)>("last", STEP, "inc");
  ASSERT_TRUE(named) << textOf(named.error());
  EXPECT_EQ((*named)(1).value(), 2u);
  auto misnamed = instance.function("lst", "inc");
  ASSERT_FALSE(misnamed);
  EXPECT_EQ(textOf(misnamed.error()),
            "there is no component 'lst'; did you mean 'last'?\n  last\n  first");
  auto unnamed = instance.function("inc");
  ASSERT_FALSE(unnamed);
  EXPECT_EQ(unnamed.error().code, ErrorCode::AMBIGUOUS);
  EXPECT_EQ(textOf(unnamed.error()), "the workload has 2 components: say which\n  last\n  first");
}

TEST(PreparedWorkloads, RefuseTheContextOfASingleComponent) {
  Linker linker;
  linker.wasi();
  Loop loop;
  auto refused = linker.prepare(chainOfTwo()).value().instantiate(loop, InstanceOptions());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::INVALID_ARGUMENT);
}

TEST(Linkers, KeepWhatTheyPreparedWhileNothingChanges) {
  Linker linker;
  linker.wasi();
  const Workload workload = chainOfTwo();
  const PreparedState* types = keptOf(linker, guest("types"));
  const PreparedState* chain = keptOf(linker, workload);
  EXPECT_EQ(keptOf(linker, guest("types")), types);
  EXPECT_EQ(keptOf(linker, workload), chain);
  Prepared before = linker.prepare(workload).value();  // so that its address is not used again
  linker.function("a:b/c", "d", [] {});
  EXPECT_NE(keptOf(linker, workload), chain);
}

TEST(Linkers, PrepareWhatWasPlannedWithoutPlanningAgain) {
  Linker linker;
  linker.wasi();
  const Workload workload = chainOfTwo();
  EXPECT_TRUE(workload.plan(linker).ok());
  auto planned = LinkerState::of(linker).plan(WorkloadState::shared(workload));
  EXPECT_EQ(&linker.prepare(workload).value().plan(), &planned->shown);
  linker.function("a:b/c", "d", [] {});
  EXPECT_NE(LinkerState::of(linker).plan(WorkloadState::shared(workload)), planned);
}

TEST(Linkers, KeepNothingOfWhatHasGone) {
  Linker linker;
  linker.wasi();
  for (int i = 0; i < 3; ++i) {
    const Workload workload = chainOfTwo();
    (void)linker.prepare(workload).value();
    EXPECT_EQ(LinkerState::of(linker).kept.size(), 1u);
  }
}

TEST(Contexts, AreGivenInPartOrWhole) {
  WasiOptions given;
  given.arguments = {"more"};
  given.environment = {{"A", "2"}, {"B", "3"}};
  given.output.kind = OutputStream::Kind::INHERIT;
  given.input.kind = InputStream::Kind::INHERIT;
  WasiOptions own;
  own.arguments = {"own"};
  own.environment = {{"A", "1"}, {"C", "1"}};
  WasiOptions part = own;
  give(part, given, Share::OUTPUT);
  EXPECT_EQ(part.output.kind, OutputStream::Kind::INHERIT);
  EXPECT_EQ(part.input.kind, InputStream::Kind::EMPTY);
  EXPECT_THAT(part.arguments, ElementsAre("own"));
  EXPECT_EQ(part.environment, own.environment);
  give(own, given, Share::EVERYTHING);
  EXPECT_EQ(own.input.kind, InputStream::Kind::INHERIT);
  EXPECT_THAT(own.arguments, ElementsAre("own", "more"));
  EXPECT_THAT(own.environment,
              ElementsAre(std::pair("C", "1"), std::pair("A", "2"), std::pair("B", "3")));
}

}  // namespace
}  // namespace tenon::host
