// Which stores a plan has, and what it refuses of isolated links.

#include "component/binary/decoder.h"
#include "engine/engine_testing.h"
#include "link/plan_testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tenon::link {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Via = WorkloadLink::Via;
using Life = InstancePolicy::Life;

// Exports instances with `f: func() -> u32` under these names, and imports such.
std::string component(const std::vector<std::string>& imports,
                      const std::vector<std::string>& exports) {
  std::string text = "(component\n";
  for (const std::string& import : imports) {
    text += "(import \"" + import + "\" (instance (export \"f\" (func (result u32)))))\n";
  }
  text += R"((core module $m (func (export "f") (result i32) (i32.const 1)))
    (core instance $i (instantiate $m))
    (func $f (result u32) (canon lift (core func $i "f")))
    (instance $made (export "f" (func $f)))
)";
  for (const std::string& name : exports) {
    text += "(export \"" + name + "\" (instance $made))\n";
  }
  return text + ")";
}

WorkloadLink isolated(const std::string& to) { return {.to = to, .via = Via::ISOLATED}; }

class Stores {
 public:
  void add(const std::string& name, const std::string& text,
           std::map<std::string, WorkloadLink> links = {}) {
    auto [known, isNew] = parsed_.try_emplace(text);
    if (isNew) {
      known->second.bytes = engine::testing::wasm(text);
      known->second.definitions = component::decode(known->second.bytes).value();
    }
    given_.push_back({name, known->second.definitions.get(), std::move(links)});
  }
  Plan plan() { return planGiven(given_, nothingIs).value(); }

  // The messages of all problems.
  std::vector<std::string> problems() {
    std::vector<std::string> texts;
    for (const Error& problem : plan().problems) {
      texts.push_back(std::string(toString(problem.code)) + ": " + problem.message);
    }
    return texts;
  }

 private:
  struct Parsed {
    std::vector<std::byte> bytes;
    std::unique_ptr<component::Component> definitions;
  };
  std::map<std::string, Parsed> parsed_;  // by text
  std::vector<Given> given_;
};

// "web[a=cart b=>pricing] | pricing: rates pricing[c=rates]": the stores with their parts, each
// with what satisfies its imports.
std::string linesOf(const Plan& plan) {
  std::string text;
  for (const Store& store : plan.stores) {
    if (&store != &plan.stores.front()) {
      text += (text.empty() ? "| " : " | ") + store.name + ":";
    }
    for (const PlannedPart& part : store.parts) {
      text += (text.empty() ? "" : " ") + part.name;
      std::string links;
      for (const Link& link : part.links) {
        links += (links.empty() ? "" : " ") + link.import.substr(0, link.import.find(':')) + "=";
        if (auto* fused = std::get_if<Part>(&link.provider)) {
          links += store.parts[fused->index].name;
        } else if (auto* other = std::get_if<IsolatedPart>(&link.provider)) {
          const Store& called = plan.stores[other->store];
          EXPECT_EQ(costOf(link.provider), LinkCost::ISOLATED);
          links += ">" + called.name;
        } else {
          links += toString(costOf(link.provider));
        }
      }
      if (!links.empty()) text += "[" + links + "]";
    }
  }
  for (const Error& problem : plan.problems) text += "\n" + problem.text();
  return text;
}

TEST(IsolatedPlan, GivesTheCalleeAStoreOfItsOwn) {
  Stores stores;
  stores.add("web", component({"a:b/c"}, {}), {{"a:b/c", isolated("pricing")}});
  stores.add("pricing", component({}, {"a:b/c"}));
  Plan plan = stores.plan();
  EXPECT_EQ(linesOf(plan), "web[a=>pricing] | pricing: pricing");
  EXPECT_THAT(wiresOf(plan.stores[0].parts[0]), testing::IsEmpty());
  EXPECT_EQ(std::get<IsolatedPart>(plan.stores[0].parts[0].links[0].provider).item, "a:b/c");
  EXPECT_THAT(plan.unreached, ElementsAre("web"));
}

TEST(IsolatedPlan, TakesAlongWhatIsFusedToTheCallee) {
  Stores stores;
  stores.add("web", component({"a:b/c", "r:r/r"}, {}), {{"a:b/c", isolated("pricing")}});
  stores.add("pricing", component({"r:r/r"}, {"a:b/c"}));
  stores.add("rates", component({}, {"r:r/r"}));
  Plan plan = stores.plan();
  EXPECT_EQ(linesOf(plan), "rates web[a=>pricing r=rates] | pricing: rates pricing[r=rates]");
  EXPECT_EQ(plan.stores[1].called, 1u);
}

TEST(IsolatedPlan, LeavesWhatOnlyIsolatedLinksLeadToOutOfTheFirstStore) {
  Stores stores;
  stores.add("web", component({"a:b/c"}, {}), {{"a:b/c", isolated("pricing")}});
  stores.add("pricing", component({"r:r/r"}, {"a:b/c"}));
  stores.add("rates", component({}, {"r:r/r"}));
  stores.add("other", component({"a:b/c"}, {}), {{"a:b/c", {.to = "pricing"}}});
  EXPECT_EQ(linesOf(stores.plan()),
            "web[a=>pricing] rates pricing[r=rates] other[a=pricing] | pricing: rates "
            "pricing[r=rates]");
  Stores alone;
  alone.add("web", component({"a:b/c"}, {}), {{"a:b/c", isolated("pricing")}});
  alone.add("pricing", component({"r:r/r"}, {"a:b/c"}));
  alone.add("rates", component({}, {"r:r/r"}));
  EXPECT_EQ(linesOf(alone.plan()), "web[a=>pricing] | pricing: rates pricing[r=rates]");
}

TEST(IsolatedPlan, SharesAStoreBetweenLinksThatSayTheSame) {
  WorkloadLink quick = isolated("c");
  quick.timeout = milliseconds(5);
  WorkloadLink own = isolated("c");
  own.instance = WorkloadLink::Instance::OWN;
  Stores stores;
  stores.add("a", component({"x:x/x"}, {}), {{"x:x/x", isolated("c")}});
  stores.add("b", component({"x:x/x"}, {}), {{"x:x/x", isolated("c")}});
  stores.add("d", component({"x:x/x"}, {}), {{"x:x/x", quick}});
  stores.add("e", component({"x:x/x"}, {}), {{"x:x/x", own}});
  stores.add("c", component({}, {"x:x/x"}));
  Plan plan = stores.plan();
  EXPECT_EQ(linesOf(plan), "a[x=>c] b[x=>c] d[x=>c#2] e[x=>e/c] | c: c | c#2: c | e/c: c");
  EXPECT_EQ(plan.stores[1].timeout, std::nullopt);
  EXPECT_EQ(plan.stores[2].timeout, milliseconds(5));
}

TEST(IsolatedPlan, MakesCopiesForOwnLinksInEachStore) {
  WorkloadLink own{.to = "rates", .instance = WorkloadLink::Instance::OWN};
  Stores stores;
  stores.add("web", component({"a:b/c"}, {}), {{"a:b/c", isolated("pricing")}});
  stores.add("pricing", component({"r:r/r"}, {"a:b/c"}), {{"r:r/r", own}});
  stores.add("rates", component({}, {"r:r/r"}));
  EXPECT_EQ(linesOf(stores.plan()),
            "web[a=>pricing] | pricing: pricing/rates pricing[r=pricing/rates]");
}

TEST(IsolatedPlan, MayGoRoundInACircle) {
  Stores stores;
  stores.add("a", component({"b:b/b"}, {"a:a/a"}), {{"b:b/b", isolated("b")}});
  stores.add("b", component({"a:a/a"}, {"b:b/b"}), {{"a:a/a", isolated("a")}});
  EXPECT_EQ(linesOf(stores.plan()), "a[b=>b] | b: b[a=>a] | a: a[b=>b]");
  Stores half;
  half.add("a", component({"b:b/b"}, {"a:a/a"}), {{"b:b/b", isolated("b")}});
  half.add("b", component({"a:a/a"}, {"b:b/b"}));
  EXPECT_EQ(linesOf(half.plan()), "a[b=>b] | b: a[b=>b] b[a=a]");
  Stores fused;
  fused.add("a", component({"b:b/b"}, {"a:a/a"}));
  fused.add("b", component({"a:a/a"}, {"b:b/b"}));
  EXPECT_THAT(fused.problems(), ElementsAre("invalid: the links form a cycle: a -> b -> a"));
}

TEST(IsolatedPlan, RefusesWhatCannotCross) {
  Stores stores;
  stores.add("user", R"((component
    (import "a:b/c" (instance $c
      (export "thing" (type $thing (sub resource)))
      (export "make" (func (result (own $thing))))
      (export "use" (func (param "t" (borrow $thing))))
      (export "plain" (func (param "s" string) (result u32)))
      (export "feed" (func (param "s" (list (stream u8)))))))))",
             {{"a:b/c", isolated("owner")}});
  stores.add("owner", component({}, {"a:b/c"}));
  const std::string before = "unsupported: component user, import a:b/c: ";
  EXPECT_THAT(
      stores.problems(),
      ElementsAre(
          before + "resource thing cannot cross an isolated link yet",
          before + "function make cannot cross an isolated link: it takes or gives handles, which "
                   "is not supported yet",
          before + "function use cannot cross an isolated link: it takes or gives handles, which "
                   "is not supported yet",
          before + "function feed cannot cross an isolated link: streams, futures and error "
                   "contexts are not supported yet"));
}

TEST(IsolatedPlan, RefusesPoliciesThatCannotBe) {
  auto problemOf = [](const WorkloadLink& link) {
    Stores stores;
    stores.add("web", component({"a:b/c"}, {}), {{"a:b/c", link}});
    stores.add("pricing", component({}, {"a:b/c"}));
    std::vector<std::string> problems = stores.problems();
    EXPECT_LE(problems.size(), 1u);
    return problems.empty() ? "ok" : problems.front();
  };
  auto with = [](InstancePolicy policy) {
    WorkloadLink link = isolated("pricing");
    link.instances = policy;
    return link;
  };
  EXPECT_EQ(problemOf(with({})), "ok");
  EXPECT_EQ(problemOf(with({.max = 3})), "ok");
  EXPECT_EQ(problemOf(with({.life = Life::REUSED, .maxCalls = 3, .idle = milliseconds(1)})), "ok");
  EXPECT_THAT(problemOf(with({.life = Life::REUSED, .max = 2})), HasSubstr("of reused ones"));
  EXPECT_THAT(problemOf(with({.maxCalls = 2})), HasSubstr("a fresh one has one call"));
  EXPECT_THAT(problemOf(with({.idle = milliseconds(1)})), HasSubstr("a fresh one has one call"));
  WorkloadLink fused{.to = "pricing"};
  fused.timeout = milliseconds(1);
  EXPECT_THAT(problemOf(fused), HasSubstr("this one is fused"));
}

TEST(IsolatedPlan, RefusesALinkThatNamesNobodyOrItself) {
  Stores stores;
  stores.add("web", component({"a:b/c", "d:e/f"}, {"d:e/f"}),
             {{"a:b/c", isolated("pricng")}, {"d:e/f", isolated("web")}});
  stores.add("pricing", component({}, {"a:b/c"}));
  EXPECT_THAT(stores.problems(),
              ElementsAre("not found: component web, import a:b/c: there is no component 'pricng'; "
                          "did you mean 'pricing'?",
                          "invalid: component web, import d:e/f: it is linked to itself"));
}

TEST(IsolatedPlan, ComparesTypes) {
  Stores stores;
  stores.add("web", R"((component (import "a:b/c" (instance (export "f" (func (result u64)))))))",
             {{"a:b/c", isolated("pricing")}});
  stores.add("pricing", component({}, {"a:b/c"}));
  ASSERT_EQ(stores.problems().size(), 1u);
  EXPECT_THAT(stores.problems().front(),
              HasSubstr("component 'pricing' exports another type: func c.f, result: expected u64, "
                        "found u32"));
}

TEST(IsolatedPlan, CountsThePartsOfAllStores) {
  // Each link says something else, so that each has a store of its own, with 3 parts.
  Stores stores;
  stores.add("end", component({"r:r/r", "s:s/s"}, {"a:b/c"}));
  stores.add("r", component({}, {"r:r/r"}));
  stores.add("s", component({}, {"s:s/s"}));
  for (size_t i = 0; i < MAX_PLANNED_PARTS / 4 + 1; ++i) {
    WorkloadLink link = isolated("end");
    link.timeout = milliseconds(i + 1);
    stores.add("u" + std::to_string(i), component({"a:b/c"}, {}), {{"a:b/c", link}});
  }
  ASSERT_EQ(stores.problems().size(), 1u);
  EXPECT_THAT(stores.problems().front(), HasSubstr("more than 2000 instances"));
}

}  // namespace
}  // namespace tenon::link
