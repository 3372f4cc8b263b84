// Links that leave the store, called: the same components over fused and isolated links, and what
// goes wrong in a callee.

#include "isolated_testing.h"

#include <tenon/component.h>
#include <tenon/engine.h>
#include <tenon/instance.h>
#include <tenon/linker.h>
#include <tenon/workload.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tenon {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using testing_links::API;
using testing_links::callee;
using testing_links::componentOf;
using testing_links::forwarder;
using testing_links::testEngine;
using testing_links::textOf;
using Via = WorkloadLink::Via;
using Life = InstancePolicy::Life;

WorkloadLink isolated(InstancePolicy policy = {}) {
  return {.to = "back", .via = Via::ISOLATED, .instances = policy};
}
const InstancePolicy REUSED{.life = Life::REUSED};

// "front" passes calls on to "back", by a link as given.
class Pair {
 public:
  explicit Pair(const WorkloadLink& link, const std::string& back = callee(),
                const WorkloadOptions& options = {})
      : workload_(Workload::fromComponents(testEngine(), "test",
                                           {{.name = "front",
                                             .component = componentOf(forwarder(API, "t:t/front")),
                                             .links = {{API, link}}},
                                            {.name = "back", .component = componentOf(back)}})
                      .value()) {
    auto instance = workload_.instantiate(linker_, loop_, options);
    if (!instance) throw std::runtime_error(textOf(instance.error()));
    instance_ = *std::move(instance);
  }

  template <typename Signature, typename... Arguments>
  auto call(const std::string& name, const Arguments&... arguments) {
    auto function = instance_->function<Signature>("front", "t:t/front", name);
    if (!function) throw std::runtime_error(textOf(function.error()));
    return (*function)(arguments...);
  }
  uint32_t next() { return call<uint32_t()>("next").value(); }
  Error boom() { return call<void()>("boom").error(); }

  Loop& loop() { return loop_; }
  Instance& instance() { return *instance_; }

 private:
  Loop loop_;
  Linker linker_;
  Workload workload_;
  std::optional<Instance> instance_;
};

// -- What is the same over all kinds of links

struct Kind {
  const char* name;
  WorkloadLink link;
};

class Links : public testing::TestWithParam<Kind> {};
INSTANTIATE_TEST_SUITE_P(, Links,
                         testing::Values(Kind{"Fused", {.to = "back"}}, Kind{"Fresh", isolated()},
                                         Kind{"Reused", isolated(REUSED)},
                                         Kind{"Pooled",
                                              isolated({.life = Life::POOLED, .max = 2})}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_P(Links, PassNumbersStringsAndLists) {
  Pair pair(GetParam().link);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ((pair.call<uint32_t(uint32_t, uint32_t)>("add", 40u, 2u).value()), 42u);
    EXPECT_EQ((pair.call<std::string(std::string_view)>("echo", std::string_view("h\xc3\xa9llo")))
                  .value(),
              "h\xc3\xa9llo");
  }
  std::string big(300'000, 'x');
  EXPECT_EQ((pair.call<std::string(std::string_view)>("echo", std::string_view(big))).value(), big);
  std::vector<uint8_t> bytes(100'000, 7);
  EXPECT_EQ(
      (pair.call<uint32_t(std::span<const uint8_t>)>("length", std::span<const uint8_t>(bytes)))
          .value(),
      100'000u);
}

TEST_P(Links, MakeATrapOfTheCalleeOneOfTheCaller) {
  Pair pair(GetParam().link);
  Error error = pair.boom();
  EXPECT_EQ(error.code, ErrorCode::TRAPPED);
  EXPECT_THAT(error.message, HasSubstr("unreachable"));
  // The caller trapped as well.
  auto again = pair.call<uint32_t()>("next");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::UNUSABLE);
}

// -- What differs

TEST(IsolatedLinks, MakeAnInstanceForEachCallWhenItIsFresh) {
  Pair pair(isolated());
  EXPECT_EQ(pair.next(), 1u);
  EXPECT_EQ(pair.next(), 1u);
}

TEST(IsolatedLinks, KeepAnInstanceThatIsReused) {
  Pair pair(isolated(REUSED));
  EXPECT_EQ(pair.next(), 1u);
  EXPECT_EQ(pair.next(), 2u);
}

TEST(IsolatedLinks, RenewAnInstanceAfterItsCalls) {
  Pair pair(isolated({.life = Life::REUSED, .maxCalls = 2}));
  EXPECT_EQ(pair.next(), 1u);
  EXPECT_EQ(pair.next(), 2u);
  EXPECT_EQ(pair.next(), 1u);
}

TEST(IsolatedLinks, NameLinkCalleeAndCause) {
  Pair pair(isolated());
  EXPECT_THAT(pair.boom().message,
              HasSubstr("t:t/api.boom: the isolated link from front to back failed: the callee "
                        "trapped: "));
}

}  // namespace
}  // namespace tenon
