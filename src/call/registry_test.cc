#include "call/registry.h"

#include <gtest/gtest.h>

namespace tenon::call {
namespace {

HostFunction nothing() {
  return {.function = [](void*, HostCall&, RawValue*) noexcept {}};
}

TEST(Registry, KeepsOfAVersionWhatDecidesCompatibility) {
  EXPECT_EQ(canonicalInterface("a:b/c"), "a:b/c");
  EXPECT_EQ(canonicalInterface("a:b/c@1.2.3"), "a:b/c@1");
  EXPECT_EQ(canonicalInterface("a:b/c@0.2.3"), "a:b/c@0.2");
  EXPECT_EQ(canonicalInterface("a:b/c@0.0.3"), "a:b/c@0.0.3");
  EXPECT_EQ(canonicalInterface("a:b/c@0.0.0"), "a:b/c@0.0.0");
  EXPECT_EQ(canonicalInterface("a:b/c@1.2.3-rc.1"), "a:b/c@1.2.3-rc.1");
}

TEST(Registry, AnswersForEveryVersionOfATrack) {
  Registry registry;
  registry.add("wasi:io/poll@0.2.6", "poll", nothing());
  EXPECT_NE(registry.find("wasi:io/poll@0.2.0", "poll"), nullptr);
  EXPECT_NE(registry.find("wasi:io/poll@0.2.9", "poll"), nullptr);
  EXPECT_EQ(registry.find("wasi:io/poll@0.3.0", "poll"), nullptr);
  EXPECT_EQ(registry.find("wasi:io/poll", "poll"), nullptr);
  EXPECT_EQ(registry.find("wasi:io/poll@0.2.0", "pull"), nullptr);
}

TEST(Registry, NamesWhatIsSimilar) {
  Registry registry;
  registry.add("wasi:io/poll@0.2.6", "poll", nothing());
  registry.add("wasi:clocks/wall-clock@0.2.6", "now", nothing());
  EXPECT_EQ(registry.similar("wasi:io/pole@0.2.6", "poll"),
            std::vector<std::string>{"wasi:io/poll@0.2.6"});
  EXPECT_EQ(registry.similar("wasi:io/poll@0.2.0", "pol"),
            std::vector<std::string>{"wasi:io/poll@0.2.6.poll"});
}

TEST(Registry, MergesWithoutReplacing) {
  Registry first;
  first.add("", "f", {.function = nothing().function, .blocking = Blocking::MAY_BLOCK});
  Registry second;
  second.add("", "f", nothing());
  second.add("", "g", nothing());
  first.merge(second, "plugin");
  EXPECT_EQ(first.find("", "f")->blocking, Blocking::MAY_BLOCK);
  EXPECT_NE(first.find("", "g"), nullptr);
}

TEST(Registry, KnowsWhichPluginAnInterfaceCameWith) {
  Registry plugin;
  plugin.add("a:b/c@1.2.0", "f", nothing());
  plugin.add("a:b/mine", "f", nothing());
  plugin.addResource("a:b/things", {.name = "thing"});
  Registry registry;
  registry.add("a:b/mine", "g", nothing());
  registry.merge(plugin, "plugin");
  EXPECT_EQ(*registry.findPlugin("a:b/c@1.0.0"), "plugin");
  EXPECT_EQ(*registry.findPlugin("a:b/things"), "plugin");
  EXPECT_EQ(*registry.findPlugin("a:b/mine"), "");
  EXPECT_EQ(registry.findPlugin("a:b/c@2.0.0"), nullptr);
}

struct Apple : HostObject {};
struct Pear : HostObject {};

TEST(HostObjects, TakeOfTheBudgetWhatTheyCost) {
  struct Thing final : HostObject {};
  HostObjects objects(1'000'000, 10 * HostObjects::OBJECT_COST);
  for (uint32_t i = 1; i <= 10; ++i) EXPECT_EQ(objects.add(std::make_unique<Thing>()), i);
  EXPECT_EQ(objects.add(std::make_unique<Thing>()), 0u);
  EXPECT_TRUE(objects.drop(4));
  EXPECT_EQ(objects.add(std::make_unique<Thing>()), 4u);
  // They share it with all else.
  EXPECT_TRUE(objects.drop(4));
  MemoryCharge other(objects.budget());
  EXPECT_TRUE(other.set(HostObjects::OBJECT_COST));
  EXPECT_EQ(objects.add(std::make_unique<Thing>()), 0u);
}

TEST(HostObjects, FindOnlyTheTypeThatWasAdded) {
  HostObjects objects;
  uint32_t apple = objects.add(std::make_unique<Apple>());
  EXPECT_EQ(apple, 1u);
  EXPECT_NE(objects.find<Apple>(apple), nullptr);
  EXPECT_EQ(objects.find<Pear>(apple), nullptr);
  EXPECT_EQ(objects.find<Apple>(0), nullptr);
  EXPECT_EQ(objects.take<Pear>(apple), nullptr);
  EXPECT_NE(objects.take<Apple>(apple), nullptr);
  EXPECT_EQ(objects.find<Apple>(apple), nullptr);
  EXPECT_FALSE(objects.drop(apple));
}

}  // namespace
}  // namespace tenon::call
