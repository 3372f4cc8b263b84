// Components that were built apart, joined at deployment: what the plan says, and what the calls
// give.

#include "component/binary/decoder.h"
#include "engine/engine_testing.h"
#include "link/plan_testing.h"
#include "run/dynamic_call.h"
#include "run/executable.h"
#include "run/instance.h"
#include "run/linked.h"
#include "tests/link/shim_testing.h"

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

// What a plan has of parts: they are in one store.
const std::vector<PlannedPart>& partsOf(const Plan& plan) {
  EXPECT_EQ(plan.stores.size(), 1u);
  return plan.stores.front().parts;
}

// A workload under test: components by name, each made of a guest, or of text that begins with
// "(component".
class Workload {
 public:
  void add(const std::string& name, const std::string& file,
           const std::map<std::string, std::string>& targets = {}) {
    bytes_[name] = file.starts_with("(component") ? engine::testing::wasm(file) : guest(file);
    definitions_[name] = component::decode(bytes_[name]).value();
    std::map<std::string, WorkloadLink> links;
    for (const auto& [import, target] : targets) {
      bool own = target.ends_with("!");  // an instance of its own
      links[import] = {
          .to = target.substr(0, target.size() - (own ? 1 : 0)),
          .instance = own ? WorkloadLink::Instance::OWN : WorkloadLink::Instance::SHARED};
    }
    components_.push_back({name, definitions_[name].get(), std::move(links)});
  }

  Plan plan(std::string_view hostPrefix = "wasi:") {
    return planGiven(components_, wasiIs(std::string(hostPrefix))).value();
  }

  std::unique_ptr<run::Instance> run(const Plan& plan, component::Rewriting rewriting) {
    std::vector<run::Executable::Part> parts;
    for (const PlannedPart& part : partsOf(plan)) {
      parts.push_back({part.name, bytes_[components_[part.component].name], wiresOf(part)});
    }
    auto executable = run::Executable::link(std::move(parts), "test", rewriting).value();
    engine::EngineOptions options;
    options.allocation = engine::Allocation::ON_DEMAND;
    auto engine = engine::Engine::create(options).value();
    executable->compile(engine, nullptr).value();
    auto linked = run::Linked::link(engine, executable, call::Registry()).value();
    return run::Instance::create(linked).value();
  }

 private:
  std::map<std::string, std::vector<std::byte>> bytes_;
  std::map<std::string, std::unique_ptr<component::Component>> definitions_;
  std::vector<Given> components_;
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

// Calls `part`'s function with u32 arguments and gives its result, a u64 unless `R` says else.
template <typename R = uint64_t>
uint64_t call(run::Instance& instance, std::vector<std::string> path,
              const std::vector<Value>& arguments) {
  const component::LiftedFunction* lifted = find(instance.program().exports, std::move(path));
  if (!lifted) throw std::runtime_error("no such function");
  auto function = instance.resolve(*lifted).value();
  run::DynamicCall call{.type = lifted->type, .arguments = arguments, .results = {}};
  if (!instance.execute(function, call.codec())) {
    throw std::runtime_error(instance.store().takeTrap().message);
  }
  return *call.results.at(0).template find<R>();
}

class WorkloadTest : public testing::TestWithParam<component::Rewriting> {};
INSTANTIATE_TEST_SUITE_P(Shims, WorkloadTest,
                         testing::Values(component::Rewriting::ON, component::Rewriting::OFF),
                         [](const auto& info) {
                           return info.param == component::Rewriting::ON ? "LeftOut" : "Kept";
                         });

TEST_P(WorkloadTest, JoinsTwoComponentsByTheInterfaceOneExports) {
  Workload workload;
  workload.add("front", "caller");
  workload.add("back", "callee");
  Plan plan = workload.plan();
  ASSERT_TRUE(plan.ok());
  const std::vector<PlannedPart>& parts = partsOf(plan);
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[0].name, "back");
  ASSERT_EQ(parts[1].links.size(), 1u);
  const Part* provider = std::get_if<Part>(&parts[1].links[0].provider);
  ASSERT_NE(provider, nullptr);
  EXPECT_EQ(costOf(*provider), LinkCost::FUSED);
  EXPECT_EQ(parts[provider->index].name, "back");
  EXPECT_EQ(provider->item, "tenon:bench/api@0.1.0");
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

// The names and providers of a plan, one line an instance.
std::string linesOf(const Plan& plan) {
  std::string lines;
  for (const PlannedPart& part : partsOf(plan)) {
    lines += part.name + ":";
    for (const Link& link : part.links) {
      auto* provider = std::get_if<Part>(&link.provider);
      lines += " " + link.import + "=" +
               (provider ? partsOf(plan)[provider->index].name : toString(costOf(link.provider)));
    }
    lines += "\n";
  }
  for (const Error& problem : plan.problems) lines += problem.text() + "\n";
  return lines;
}

// -- Small components. Each counts in a global of its own.

// Exports `NAME`: an instance with `next: func() -> u32`, 1 the first time.
std::string counter(const std::string& name) {
  return R"((component
    (core module $m (global $n (mut i32) (i32.const 0))
      (func (export "next") (result i32)
        (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n)))
    (core instance $i (instantiate $m))
    (func $next (result u32) (canon lift (core func $i "next")))
    (instance $made (export "next" (func $next)))
    (export ")" +
         name + R"(" (instance $made))))";
}

// Imports `NAME` as `counter` exports it, and exports its function at the root.
std::string user(const std::string& name) {
  return R"((component
    (import ")" +
         name + R"(" (instance $made (export "next" (func (result u32)))))
    (alias export $made "next" (func $next'))
    (core func $next (canon lower (func $next')))
    (core module $m (import "" "next" (func $next (result i32)))
      (func (export "next") (result i32) (call $next)))
    (core instance $i (instantiate $m (with "" (instance (export "next" (func $next))))))
    (func (export "next") (result u32) (canon lift (core func $i "next")))))";
}

uint32_t next(run::Instance& instance, std::vector<std::string> path) {
  return static_cast<uint32_t>(call<uint32_t>(instance, std::move(path), {}));
}

TEST(PlanTest, GivesOneInstanceToAllThatAreLinkedToIt) {
  Workload workload;
  workload.add("a", user("x:y/z@1.0.0"));
  workload.add("b", user("x:y/z@1.0.0"));
  workload.add("c", counter("x:y/z@1.0.0"));
  Plan plan = workload.plan();
  EXPECT_EQ(linesOf(plan), "c:\na: x:y/z@1.0.0=c\nb: x:y/z@1.0.0=c\n");
  auto instance = workload.run(plan, component::Rewriting::ON);
  EXPECT_EQ(next(*instance, {"a", "next"}), 1u);
  EXPECT_EQ(next(*instance, {"b", "next"}), 2u);
  EXPECT_EQ(next(*instance, {"c", "x:y/z@1.0.0", "next"}), 3u);
}

TEST(PlanTest, GivesAnInstanceOfItsOwnWhereALinkSaysSo) {
  Workload workload;
  workload.add("a", user("x:y/z@1.0.0"), {{"x:y/z@1.0.0", "c!"}});
  workload.add("b", user("x:y/z@1.0.0"));
  workload.add("c", counter("x:y/z@1.0.0"));
  Plan plan = workload.plan();
  EXPECT_EQ(linesOf(plan), "a/c:\na: x:y/z@1.0.0=a/c\nc:\nb: x:y/z@1.0.0=c\n");
  auto instance = workload.run(plan, component::Rewriting::ON);
  EXPECT_EQ(next(*instance, {"a", "next"}), 1u);
  EXPECT_EQ(next(*instance, {"b", "next"}), 1u);
  EXPECT_EQ(next(*instance, {"a", "next"}), 2u);
}

TEST(PlanTest, LeavesOutAnInstanceThatOnlyOwnLinksLeadTo) {
  Workload workload;
  workload.add("a", user("x:y/z@1.0.0"), {{"x:y/z@1.0.0", "c!"}});
  workload.add("b", user("x:y/z@1.0.0"), {{"x:y/z@1.0.0", "c!"}});
  workload.add("c", counter("x:y/z@1.0.0"));
  Plan plan = workload.plan();
  EXPECT_EQ(linesOf(plan), "a/c:\na: x:y/z@1.0.0=a/c\nb/c:\nb: x:y/z@1.0.0=b/c\n");
}

TEST(PlanTest, GivesTheImportsOfAnOwnInstanceToEachOfThem) {
  Workload workload;
  workload.add("first", "chain", {{"tenon:bench/step@0.1.0", "relay!"}});
  workload.add("second", "chain", {{"tenon:bench/step@0.1.0", "relay!"}});
  workload.add("relay", "relay", {{"tenon:bench/step@0.1.0", "end!"}});
  workload.add("end", "callee");
  EXPECT_EQ(linesOf(workload.plan()),
            "first/relay/end:\n"
            "first/relay: tenon:bench/step@0.1.0=first/relay/end\n"
            "first: tenon:bench/step@0.1.0=first/relay\n"
            "second/relay/end:\n"
            "second/relay: tenon:bench/step@0.1.0=second/relay/end\n"
            "second: tenon:bench/step@0.1.0=second/relay\n");
}

TEST(PlanTest, BoundsTheInstancesThatOwnLinksMultiplyTo) {
  // Each level has two importers with instances of their own of the next: 2^16 in the end.
  Workload workload;
  std::string pair = R"((component
    (import "l:l/a@1.0.0" (instance (export "next" (func (result u32)))))
    (import "l:l/b@1.0.0" (instance $b (export "next" (func (result u32)))))
    (export "l:l/a@1.0.0" (instance $b)) (export "l:l/b@1.0.0" (instance $b))))";
  for (int level = 0; level < 16; ++level) {
    for (const char* half : {"a", "b"}) {
      std::string below = std::to_string(level + 1);
      workload.add(half + std::to_string(level), pair,
                   {{"l:l/a@1.0.0", "a" + below + "!"}, {"l:l/b@1.0.0", "b" + below + "!"}});
    }
  }
  workload.add("a16", counter("l:l/a@1.0.0"));
  workload.add("b16", counter("l:l/b@1.0.0"));
  Plan plan = workload.plan();
  ASSERT_EQ(plan.problems.size(), 1u);
  EXPECT_EQ(plan.problems[0].code, ErrorCode::LIMIT_EXCEEDED);
}

TEST(PlanTest, MatchesVersionsAsCanonicalInterfaceNamesDo) {
  auto fits = [](const std::string& import, const std::string& exported) {
    Workload workload;
    workload.add("a", user(import));
    workload.add("c", counter(exported));
    Plan plan = workload.plan();
    if (!plan.ok()) return false;
    auto instance = workload.run(plan, component::Rewriting::ON);
    return next(*instance, {"a", "next"}) == 1;
  };
  EXPECT_TRUE(fits("x:y/z@1.2.3", "x:y/z@1.0.0"));
  EXPECT_TRUE(fits("x:y/z@1.0.0", "x:y/z@1.9.0"));
  EXPECT_TRUE(fits("x:y/z@0.2.0", "x:y/z@0.2.9"));
  EXPECT_TRUE(fits("x:y/z@0.0.3", "x:y/z@0.0.3"));
  EXPECT_TRUE(fits("x:y/z", "x:y/z"));
  EXPECT_FALSE(fits("x:y/z@1.0.0", "x:y/z@2.0.0"));
  EXPECT_FALSE(fits("x:y/z@0.2.0", "x:y/z@0.3.0"));
  EXPECT_FALSE(fits("x:y/z@0.0.3", "x:y/z@0.0.4"));
  EXPECT_FALSE(fits("x:y/z@1.0.0-rc1", "x:y/z@1.0.0"));
  EXPECT_FALSE(fits("x:y/z@1.0.0", "x:y/z"));
}

TEST(PlanTest, TakesALinkWithoutAVersionWhereOneVersionIsImported) {
  Workload workload;
  workload.add("a", user("x:y/z@1.2.3"), {{"x:y/z", "d"}});
  workload.add("c", counter("x:y/z@1.0.0"));
  workload.add("d", counter("x:y/z@1.0.0"));
  EXPECT_EQ(linesOf(workload.plan()), "d:\na: x:y/z@1.2.3=d\nc:\n");
}

TEST(PlanTest, LinksFunctionsAndInstancesAtTheRootOfAWorld) {
  Workload workload;
  workload.add("a", R"((component
    (import "next" (func $next' (result u32)))
    (import "plain" (instance $plain (export "next" (func (result u32)))))
    (alias export $plain "next" (func $other'))
    (core func $next (canon lower (func $next')))
    (core func $other (canon lower (func $other')))
    (core module $m (import "" "next" (func $next (result i32)))
      (import "" "other" (func $other (result i32)))
      (func (export "both") (result i32)
        (i32.add (i32.mul (call $next) (i32.const 10)) (call $other))))
    (core instance $i (instantiate $m (with "" (instance (export "next" (func $next))
                                                        (export "other" (func $other))))))
    (func (export "both") (result u32) (canon lift (core func $i "both")))))");
  workload.add("b", user("x:y/z@1.0.0"));  // exports `next` at the root
  workload.add("c", counter("x:y/z@1.0.0"));
  workload.add("d", counter("plain"));
  Plan plan = workload.plan();
  EXPECT_EQ(linesOf(plan), "c:\nb: x:y/z@1.0.0=c\nd:\na: next=b plain=d\n");
  EXPECT_EQ(partsOf(plan)[3].links[0].kind, "func");
  EXPECT_EQ(partsOf(plan)[3].links[1].kind, "instance");
  auto instance = workload.run(plan, component::Rewriting::ON);
  EXPECT_EQ(next(*instance, {"a", "both"}), 11u);
  EXPECT_EQ(next(*instance, {"a", "both"}), 22u);
}

TEST(PlanTest, NeedsNobodyForInterfacesOfTypesAlone) {
  const std::string types = R"((component
    (import "x:y/types@1.0.0" (instance $t (type $p' (record (field "x" u32)))
      (export "p" (type $p (eq $p')))))
    (alias export $t "p" (type $p))
    (core module $m (func (export "f") (param i32) (result i32) (local.get 0)))
    (core instance $i (instantiate $m))
    (func (export "f") (param "p" $p) (result u32) (canon lift (core func $i "f")))))";
  const std::string exporter = R"((component
    (type $p' (record (field "x" u32)))
    (instance $t (export "p" (type $p')))
    (export "x:y/types@1.0.0" (instance $t))))";
  Workload workload;
  workload.add("a", types);
  EXPECT_EQ(linesOf(workload.plan()), "a: x:y/types@1.0.0=types\n");
  workload.add("b", exporter);
  workload.add("c", exporter);  // two that export it are no choice to make
  EXPECT_EQ(linesOf(workload.plan()), "a: x:y/types@1.0.0=types\nb:\nc:\n");
}

// -- A resource that three components know.

// Exports `x:y/box@1.0.0`: a resource `box` with `make: func(u32) -> own<box>` and
// `open: func(borrow<box>) -> u32`.
constexpr const char* BOXES = R"((component
  (core module $m
    (func (export "open") (param i32) (result i32) (local.get 0)))
  (core instance $i (instantiate $m))
  (type $box' (resource (rep i32)))
  (core func $new (canon resource.new $box'))
  (core module $n (import "" "new" (func $new (param i32) (result i32)))
    (func (export "make") (param i32) (result i32) (call $new (local.get 0))))
  (core instance $j (instantiate $n (with "" (instance (export "new" (func $new))))))
  (func $make' (param "n" u32) (result (own $box')) (canon lift (core func $j "make")))
  (func $open' (param "b" (borrow $box')) (result u32) (canon lift (core func $i "open")))
  (component $shell
    (import "box" (type $box (sub resource)))
    (import "make" (func $make (param "n" u32) (result (own $box))))
    (import "open" (func $open (param "b" (borrow $box)) (result u32)))
    (export $out "box" (type $box))
    (export "make" (func $make) (func (param "n" u32) (result (own $out))))
    (export "open" (func $open) (func (param "b" (borrow $out)) (result u32))))
  (instance $made (instantiate $shell (with "box" (type $box')) (with "make" (func $make'))
                                      (with "open" (func $open'))))
  (export "x:y/box@1.0.0" (instance $made))))";

// Imports it, and exports `x:y/keep@1.0.0`: `look: func(own<box>) -> u32`.
constexpr const char* KEEPER = R"((component
  (import "x:y/box@1.0.0" (instance $boxes (export "box" (type $box (sub resource)))
    (export "open" (func (param "b" (borrow $box)) (result u32)))))
  (alias export $boxes "box" (type $box))
  (alias export $boxes "open" (func $open'))
  (core func $open (canon lower (func $open')))
  (core func $drop (canon resource.drop $box))
  (core module $m (import "" "open" (func $open (param i32) (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (func (export "look") (param i32) (result i32)
      (call $open (local.get 0)) (call $drop (local.get 0))))
  (core instance $i (instantiate $m (with "" (instance (export "open" (func $open))
                                                      (export "drop" (func $drop))))))
  (func $look' (param "b" (own $box)) (result u32) (canon lift (core func $i "look")))
  (component $shell
    (import "box" (type $box' (sub resource)))
    (import "look" (func $look (param "b" (own $box')) (result u32)))
    (export $out "box" (type $box'))
    (export "look" (func $look) (func (param "b" (own $out)) (result u32))))
  (instance $made (instantiate $shell (with "box" (type $box)) (with "look" (func $look'))))
  (export "x:y/keep@1.0.0" (instance $made))))";

// Imports both, with the same box in them, makes one and has it looked at: `run: func() -> u32`.
constexpr const char* SENDER = R"((component
  (import "x:y/box@1.0.0" (instance $boxes (export "box" (type $box (sub resource)))
    (export "make" (func (param "n" u32) (result (own $box))))))
  (alias export $boxes "box" (type $box))
  (import "x:y/keep@1.0.0" (instance $keep (export "box" (type $same (eq $box)))
    (export "look" (func (param "b" (own $same)) (result u32)))))
  (alias export $boxes "make" (func $make'))
  (alias export $keep "look" (func $look'))
  (core func $make (canon lower (func $make')))
  (core func $look (canon lower (func $look')))
  (core module $m (import "" "make" (func $make (param i32) (result i32)))
    (import "" "look" (func $look (param i32) (result i32)))
    (func (export "run") (result i32) (call $look (call $make (i32.const 42)))))
  (core instance $i (instantiate $m (with "" (instance (export "make" (func $make))
                                                      (export "look" (func $look))))))
  (func (export "run") (result u32) (canon lift (core func $i "run")))))";

TEST(PlanTest, JoinsADiamondThatSharesTheResourceOfAThird) {
  Workload workload;
  workload.add("sender", SENDER);
  workload.add("keeper", KEEPER);
  workload.add("boxes", BOXES);
  Plan plan = workload.plan();
  EXPECT_EQ(linesOf(plan),
            "boxes:\nkeeper: x:y/box@1.0.0=boxes\n"
            "sender: x:y/box@1.0.0=boxes x:y/keep@1.0.0=keeper\n");
  auto instance = workload.run(plan, component::Rewriting::ON);
  EXPECT_EQ(next(*instance, {"sender", "run"}), 42u);
}

TEST(PlanTest, RefusesADiamondWhoseSidesHaveResourcesOfTheirOwn) {
  // The keeper's boxes are those of an instance of its own: another resource.
  Workload workload;
  workload.add("sender", SENDER);
  workload.add("keeper", KEEPER, {{"x:y/box@1.0.0", "boxes!"}});
  workload.add("boxes", BOXES);
  Plan plan = workload.plan();
  ASSERT_EQ(plan.problems.size(), 1u) << linesOf(plan);
  EXPECT_EQ(plan.problems[0].code, ErrorCode::TYPE_MISMATCH);
  EXPECT_NE(plan.problems[0].message.find("component sender, import x:y/keep@1.0.0"),
            std::string::npos);
}

TEST(PlanTest, ReportsWhatNoProgramReaches) {
  Workload workload;
  workload.add("program", "hello");
  workload.add("a", user("x:y/z@1.0.0"));
  workload.add("c", counter("x:y/z@1.0.0"));
  Plan plan = workload.plan();
  EXPECT_TRUE(plan.ok());
  EXPECT_EQ(plan.unreached, (std::vector<std::string>{"c", "a"}));
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
  for (const PlannedPart& part : partsOf(plan)) order.push_back(part.name);
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
  const PlannedPart& program = partsOf(plan)[0];
  EXPECT_TRUE(program.program);
  EXPECT_TRUE(plan.unreached.empty());
  EXPECT_FALSE(program.links.empty());
  for (const Link& link : program.links) {
    EXPECT_TRUE(std::holds_alternative<Wasi>(link.provider)) << link.import;
    EXPECT_EQ(costOf(link.provider), LinkCost::HOST);
  }
}

// -- Code that is written anew --------------------------------------------------------------------

// A pair of components whose caller needs its own memory for the call; `field` is one more of its
// main module.
std::string callerWith(const std::string& field) {
  const Shim shim{.lowered = "$len'", .params = 2};
  return R"((component
    (component $callee
      (core module $m (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64))
        (func (export "len") (param i32 i32) (result i32) (local.get 1)))
      (core instance $i (instantiate $m))
      (func (export "len") (param "s" string) (result u32) (canon lift (core func $i "len")
        (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
    (component $caller
      (import "len" (func $len (param "s" string) (result u32)))
      )" +
         shim.text() + R"(
      (core module $main (import "i" "len" (func $len (param i32 i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "run") (result i32) (call $len (i32.const 8) (i32.const 5)))
        )" +
         field + R"()
      (core instance $main (instantiate $main (with "i" (instance
        (export "len" (func $shim "0"))))))
      (core func $len' (canon lower (func $len) (memory (core memory $main "memory"))))
      )" +
         shim.fixup() + R"(
      (func (export "run") (result u32) (canon lift (core func $main "run"))))
    (instance $a (instantiate $callee))
    (instance $b (instantiate $caller (with "len" (func $a "len"))))
    (export "run" (func $b "run"))))";
}

TEST(CodeWrittenAnew, RunsInThreeCoreInstances) {
  Workload workload;
  workload.add("both", callerWith(""));
  Plan plan = workload.plan();
  auto instance = workload.run(plan, component::Rewriting::ON);
  EXPECT_EQ(instance->program().steps.size(), 3u);
  EXPECT_EQ(call<uint32_t>(*instance, {"both", "run"}, {}), 5u);
}

// The table that it gets would make these valid.
TEST(CodeWrittenAnew, IsRefusedWithItsPlaceWhereTheGuestsIsNotValid) {
  engine::EngineOptions options;
  options.allocation = engine::Allocation::ON_DEMAND;
  auto engine = engine::Engine::create(options).value();
  for (const char* field : {
           "(func (drop (call_indirect (type 0) (i32.const 1) (i32.const 2) (i32.const 0))))",
           "(func (table.set 0 (i32.const 0) (ref.null func)))",
       }) {
    auto executable = run::Executable::link(engine::testing::wasm(callerWith(field)), "test",
                                            component::Rewriting::ON);
    ASSERT_TRUE(executable.ok()) << executable.error().text();
    EXPECT_EQ((*executable)->program().steps.size(), 3u) << field;
    auto compiled = (*executable)->compile(engine, nullptr);
    ASSERT_FALSE(compiled.ok()) << field;
    EXPECT_EQ(compiled.error().code, ErrorCode::INVALID) << field;
    EXPECT_TRUE(compiled.error().offset) << field;
  }
}

}  // namespace
}  // namespace tenon::link
