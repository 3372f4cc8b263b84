// Host functions of a plugin that is not WASI: its state decides who may call, and its namespace
// says what its errors are.

#include "call/binder.h"

#include "call/host_call_testing.h"

#include <kj/debug.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tenon::shop {

// What a part was given: how much it may buy.
class Purse final : public call::PluginState {
 public:
  explicit Purse(uint32_t coins) : coins(coins) {}
  kj::Promise<void> drained() override { return kj::READY_NOW; }
  void failed() override {}
  std::unique_ptr<call::PluginState> copy() const override {
    return std::make_unique<Purse>(*this);
  }
  uint32_t coins;
};

enum class Refusal : uint8_t { TOO_DEAR, CLOSED };

Refusal errorOf(call::HostCall&, const std::string&, call::ErrorOf<Purse, Refusal>) {
  return Refusal::CLOSED;
}

uint32_t coins(call::HostCall& call) { return call.part->find<Purse>()->coins; }

Expected<uint32_t, Refusal> buy(call::HostCall& call, uint32_t price) {
  Purse& purse = *call.part->find<Purse>();
  if (price > purse.coins) return Unexpected{Refusal::TOO_DEAR};
  if (price == 0) KJ_FAIL_REQUIRE("nobody is there");
  return purse.coins -= price;
}

}  // namespace tenon::shop

TENON_ENUM(tenon::shop::Refusal, TOO_DEAR, CLOSED)

namespace tenon::call {
namespace {

class Binders : public ::testing::Test {
 public:
  Binders() {
    Binder<shop::Purse>(registry, "demo:shop/purse")
        .function<shop::coins>("coins")
        .function<shop::buy>("buy");
    u32.kind = TypeKind::U32;
    u32.size = u32.alignment = 4;
    u32.flat = {CoreType::I32};
    u32.flatCount = 1;
  }
  ~Binders() noexcept override {}

  // Calls `coins`. What failed is the text; else the number.
  std::string coins(PartContext* part) {
    FuncType type;
    type.result = &u32;
    std::vector<std::byte> memory(64);
    FakeCall call(memory, part, objects, type, scope);
    RawValue values[4] = {};
    registry.find("demo:shop/purse", "coins")->function(nullptr, call, values);
    return call.failed() ? call.failure() : std::to_string(values[0].i32);
  }
  // Calls `buy`. What the guest sees: "ok 3", "error 1", or why it trapped.
  std::string buy(PartContext* part, uint32_t price) {
    Type refusal;
    refusal.kind = TypeKind::ENUM;
    refusal.members = {{"too-dear"}, {"closed"}};
    refusal.size = refusal.discriminantSize = 1;
    Type result;
    result.kind = TypeKind::RESULT;
    result.ok = &u32;
    result.error = &refusal;
    FuncType type;
    type.params = {{"price", &u32}};
    type.result = &result;
    std::vector<std::byte> memory(64);
    FakeCall call(memory, part, objects, type, scope);
    RawValue values[4] = {};
    values[0].i32 = price;
    values[1].i32 = 16;  // where the result goes
    registry.find("demo:shop/purse", "buy")->function(nullptr, call, values);
    if (call.failed()) return call.failure();
    auto at = [&](size_t offset) { return std::to_string(static_cast<int>(memory[offset])); };
    return at(16) == "0" ? "ok " + at(20) : "error " + at(20);
  }

  kj::EventLoop loop;
  kj::WaitScope scope{loop};
  Registry registry;
  HostObjects objects;
  Type u32;
};

TEST_F(Binders, GiveAFunctionThePluginsStateOfThePartThatCalls) {
  PartContext rich;
  rich.put<shop::Purse>(std::make_unique<shop::Purse>(10));
  PartContext poor;
  poor.put<shop::Purse>(std::make_unique<shop::Purse>(1));
  EXPECT_EQ(coins(&rich), "10");
  EXPECT_EQ(buy(&rich, 4), "ok 6");
  EXPECT_EQ(buy(&poor, 4), "error 0");
  EXPECT_EQ(coins(&rich), "6");
}

TEST_F(Binders, RefuseAPartThatHasNothingOfThePlugin) {
  PartContext empty;
  constexpr const char* WHY = "the part that calls was given nothing of what provides the function";
  EXPECT_EQ(coins(&empty), WHY);
  EXPECT_EQ(coins(nullptr), WHY);
}

TEST_F(Binders, TellAnExceptionOfALibraryAsThePluginsError) {
  PartContext part;
  part.put<shop::Purse>(std::make_unique<shop::Purse>(10));
  EXPECT_EQ(buy(&part, 0), "error 1");
}

}  // namespace
}  // namespace tenon::call
