#include "call/part_context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <any>
#include <memory>
#include <string>
#include <vector>

namespace tenon::call {
namespace {

// A plugin that notes what it is told.
template <int NUMBER>
class Plugin final : public PluginState {
 public:
  explicit Plugin(std::vector<std::string>& notes) : notes_(notes) {}
  kj::Promise<void> drained() override {
    note("drained");
    return kj::READY_NOW;
  }
  void failed() override { note("failed"); }
  std::unique_ptr<PluginState> copy() const override { return std::make_unique<Plugin>(*this); }
  void note(const std::string& what) {
    notes_.push_back(std::to_string(NUMBER) + " of '" + component() + "': " + what);
  }

 private:
  std::vector<std::string>& notes_;
};
using First = Plugin<1>;
using Second = Plugin<2>;

class PartContexts : public ::testing::Test {
 public:
  PartContexts() {
    part.put<First>(std::make_unique<First>(notes));
    part.put<Second>(std::make_unique<Second>(notes));
  }
  ~PartContexts() noexcept override {}

  std::vector<std::string> notes;
  std::any userData = 7;
  PartContext part{"cart", &userData};
};

TEST_F(PartContexts, KeepOneStateForEachPlugin) {
  part.find<Second>()->note("found");
  part.find<First>()->note("found");
  EXPECT_EQ(notes, (std::vector<std::string>{"2 of 'cart': found", "1 of 'cart': found"}));
  EXPECT_EQ(part.find<Plugin<3>>(), nullptr);
}

TEST_F(PartContexts, TellAllPlugins) {
  kj::EventLoop loop;
  kj::WaitScope scope(loop);
  part.failed();
  part.drained().wait(scope);
  EXPECT_THAT(notes,
              ::testing::UnorderedElementsAre("1 of 'cart': failed", "2 of 'cart': failed",
                                              "1 of 'cart': drained", "2 of 'cart': drained"));
}

TEST_F(PartContexts, AreCopiedWithTheirPluginsAndWithoutWhatIsTheInstances) {
  std::unique_ptr<PartContext> copied = part.copy();
  EXPECT_EQ(copied->component, "cart");
  EXPECT_EQ(copied->userData, nullptr);
  EXPECT_NE(copied->find<First>(), part.find<First>());
  copied->find<First>()->note("copied");
  EXPECT_EQ(notes, std::vector<std::string>{"1 of 'cart': copied"});
}

TEST(PluginStates, BelongToNoComponentBeforeTheyAreInAContext) {
  std::vector<std::string> notes;
  First(notes).note("alone");
  EXPECT_EQ(notes, std::vector<std::string>{"1 of '': alone"});
}

}  // namespace
}  // namespace tenon::call
