#include "host/host_testing.h"

#include <tenon/linker.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <new>
#include <numeric>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace test_types {
struct User {
  std::string name;
  uint32_t age = 0;
  std::vector<std::string> tags;
};
// What a host function borrows of a user.
struct UserView {
  std::string_view name;
  uint32_t age = 0;
  std::vector<std::string_view> tags;
};
class Ticket;
}  // namespace test_types

TENON_RECORD(test_types::User, name, age, tags)
TENON_RECORD(test_types::UserView, name, age, tags)

namespace tenon::host {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace test_types;

constexpr const char* API = "demo:host/api";

// Everything that `host_imports` imports.
class Host {
 public:
  Host() {
    linker.resource(API, "ticket", [this](uint32_t rep) { tickets.erase(rep); });
    linker.function(API, "log", [this](std::string_view message) { logged.emplace_back(message); });
    linker.function(API, "now", [this]() -> uint64_t { return ++now; });
    linker.function(API, "add", [](uint32_t a, uint32_t b) { return a + b; });
    linker.function(API, "inc", [](uint32_t v) { return v + 1; });
    linker.function(API, "length",
                    [](std::string_view v) { return static_cast<uint32_t>(v.size()); });
    linker.function(API, "echo-string", [](std::string_view v) { return v; });
    linker.function(API, "sum", [](std::span<const uint32_t> v) {
      return std::accumulate(v.begin(), v.end(), uint64_t{0});
    });
    linker.function(API, "bytes", [](uint32_t count) {
      std::vector<uint8_t> bytes(count);
      std::iota(bytes.begin(), bytes.end(), uint8_t{0});
      return bytes;
    });
    linker.function(API, "describe", [](const UserView& user) {
      std::string text = std::string(user.name) + " is " + std::to_string(user.age);
      for (std::string_view tag : user.tags) text += " " + std::string(tag);
      return text;
    });
    linker.function(API, "find", [](std::string_view name) -> Expected<User, std::string> {
      if (name.empty()) return Unexpected<std::string>{"no name"};
      return User{std::string(name), 36, {"a", "b"}};
    });
    linker.function(API, "[constructor]ticket", [this](uint32_t id) { return add(id); });
    linker.function(API, "[method]ticket.id",
                    [this](Borrow<Ticket> ticket) { return tickets.at(ticket.rep).id; });
    linker.function(API, "[method]ticket.note",
                    [this](Borrow<Ticket> ticket, std::string_view text) {
                      return std::exchange(tickets.at(ticket.rep).note, std::string(text));
                    });
    linker.function(API, "[static]ticket.join", [this](Own<Ticket> a, Own<Ticket> b) {
      uint32_t sum = tickets.at(a.rep).id + tickets.at(b.rep).id;
      tickets.erase(a.rep);
      tickets.erase(b.rep);
      return add(sum);
    });
    linker.function(API, "check",
                    [this](Borrow<Ticket> ticket) { return tickets.at(ticket.rep).id; });
  }

  struct State {
    uint32_t id = 0;
    std::optional<std::string> note;
  };
  Own<Ticket> add(uint32_t id) {
    tickets[++last] = {id, std::nullopt};
    return {last};
  }

  Linker linker;
  std::vector<std::string> logged;
  std::map<uint32_t, State> tickets;
  uint32_t last = 0;
  uint64_t now = 0;
};

class HostFunctions : public ::testing::Test {
 protected:
  Loop loop;
  Host host;
};

TEST_F(HostFunctions, AreCalledWithViewsRecordsAndResources) {
  Instance instance = host.linker.instantiate(guest("host_imports"), loop).value();
  auto lines = instance.function<std::vector<std::string>()>("", "run-all").value()();
  ASSERT_TRUE(lines) << textOf(lines.error());
  EXPECT_THAT(*lines,
              ElementsAre("now is monotonic: true", "add(2, 3) = 5", "inc(41) = 42",
                          "length(\"héllo\") = 6", "echo-string(\"héllo\") = héllo",
                          "sum([1, 2, 4294967295]) = 4294967298", "bytes(3) = [0, 1, 2]",
                          "describe = Ada is 36 x y", "find(\"Ada\") = Ada 36 [\"a\", \"b\"]",
                          "find(\"\") failed: no name", "ticket.id = 7", "ticket.note = None",
                          "ticket.note = Some(\"first\")", "check = 8", "ticket.join = 15"));
  EXPECT_THAT(host.logged, ElementsAre("run-all"));
  EXPECT_TRUE(host.tickets.empty()) << "the guest dropped them all";
}

TEST_F(HostFunctions, AreTheSameWithoutRewriting) {
  EngineOptions options;
  options.rewriting = false;
  Component literal = guestWith(options, "host_imports");
  Instance instance = host.linker.instantiate(literal, loop).value();
  auto lines = instance.function<std::vector<std::string>()>("", "run-all").value()();
  ASSERT_TRUE(lines) << textOf(lines.error());
  EXPECT_EQ(lines->size(), 15u);
}

TEST_F(HostFunctions, AreToldWhenAGuestDropsItsResources) {
  Instance instance = host.linker.instantiate(guest("host_imports"), loop).value();
  auto hold = instance.function<uint32_t(uint32_t)>("", "hold-tickets").value();
  EXPECT_EQ(hold(4).value(), 0u + 1 + 2 + 3);
  EXPECT_EQ(host.tickets.size(), 4u);
  EXPECT_EQ(hold(0).value(), 0u);
  EXPECT_TRUE(host.tickets.empty());
}

TEST_F(HostFunctions, AreToldWhatAnInstanceHadWhenItGoes) {
  {
    Instance instance = host.linker.instantiate(guest("host_imports"), loop).value();
    auto hold = instance.function<uint32_t(uint32_t)>("", "hold-tickets").value();
    EXPECT_EQ(hold(4).value(), 0u + 1 + 2 + 3);
    EXPECT_EQ(host.tickets.size(), 4u);
  }
  EXPECT_TRUE(host.tickets.empty());
}

TEST_F(HostFunctions, OfAnotherTypeAreRefusedWhenLinking) {
  host.linker.function(API, "add",
                       [](uint32_t a, uint64_t b) { return a + static_cast<uint32_t>(b); });
  host.linker.function(API, "inc", [](uint32_t) { return std::string(); });
  auto refused = host.linker.instantiate(guest("host_imports"), loop);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::TYPE_MISMATCH);
  EXPECT_THAT(textOf(refused.error()),
              AllOf(HasSubstr("demo:host/api.add: "), HasSubstr("'b'"), HasSubstr("u64"),
                    HasSubstr("demo:host/api.inc: "), HasSubstr("result")));
}

TEST_F(HostFunctions, ThatAreMissingAreAllNamedWithTheirTypes) {
  Linker empty;
  empty.function("demo:host/ape", "add", [](uint32_t a, uint32_t b) { return a + b; });
  auto refused = empty.instantiate(guest("host_imports"), loop);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::MISSING_IMPORT);
  EXPECT_EQ(refused.error().message, "16 imports are not provided");
  EXPECT_THAT(
      refused.error().details,
      AllOf(HasSubstr("demo:host/api.add: func(a: u32, b: u32) -> u32 (provided: demo:host/ape)"),
            HasSubstr("demo:host/api.ticket: resource")));
}

TEST_F(HostFunctions, GetTheNumbersOfTheirOwnResourceOnly) {
  struct Other;
  host.linker.function(API, "check", [](Borrow<Other> other) { return other.rep; });
  auto refused = host.linker.instantiate(guest("host_imports"), loop);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::TYPE_MISMATCH);
  EXPECT_THAT(refused.error().message, HasSubstr("the resource 'ticket' is not the one"));
}

TEST_F(HostFunctions, EndTheGuestWithTheErrorTheyReturn) {
  host.linker.function(API, "inc", [](uint32_t v) -> Result<uint32_t> {
    if (v == 2) return Error(ErrorCode::LIMIT_EXCEEDED, "no more than two");
    return v + 1;
  });
  Instance instance = host.linker.instantiate(guest("host_imports"), loop).value();
  auto inc = instance.function<uint32_t(uint32_t)>("", "call-inc").value();
  EXPECT_EQ(inc(2).value(), 2u);
  auto failed = inc(5);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "demo:host/api.inc: no more than two");
  EXPECT_EQ(inc(1).error().code, ErrorCode::UNUSABLE);
}

TEST_F(HostFunctions, ThatThrowTrapTheGuestAndNotTheHost) {
  host.linker.function(API, "inc", [](uint32_t) -> uint32_t { throw std::runtime_error("oh no"); });
  Instance instance = host.linker.instantiate(guest("host_imports"), loop).value();
  auto failed = instance.function<uint32_t(uint32_t)>("", "call-inc").value()(1);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::TRAPPED);
  EXPECT_EQ(failed.error().message, "demo:host/api.inc: the host function threw: oh no");
}

TEST_F(HostFunctions, ThatHaveNoMemoryTrapTheGuestAndNotTheHost) {
  host.linker.function(API, "inc", [](uint32_t) -> uint32_t { throw std::bad_alloc(); });
  Instance instance = host.linker.instantiate(guest("host_imports"), loop).value();
  auto failed = instance.function<uint32_t(uint32_t)>("", "call-inc").value()(1);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "demo:host/api.inc: the host has no memory for it");
}

TEST_F(HostFunctions, WhoseDestructorsThrowTrapTheGuestAndNotTheHost) {
  host.linker.resource(API, "ticket", [](uint32_t) { throw std::runtime_error("oh no"); });
  {
    Instance instance = host.linker.instantiate(guest("host_imports"), loop).value();
    auto hold = instance.function<uint32_t(uint32_t)>("", "hold-tickets").value();
    EXPECT_TRUE(hold(1));
    auto failed = hold(0);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, ErrorCode::TRAPPED);
    EXPECT_EQ(failed.error().message, "the destructor of ticket threw: oh no");
  }
  Instance instance = host.linker.instantiate(guest("host_imports"), loop).value();
  EXPECT_TRUE(instance.function<uint32_t(uint32_t)>("", "hold-tickets").value()(1))
      << "what it holds goes with it, and nobody is told";
}

TEST_F(HostFunctions, MayTakeDynamicValues) {
  std::vector<std::string> calls;
  for (const char* name : {"add", "describe", "find"}) {
    host.linker.dynamicFunction(
        API, name,
        [&calls](const FunctionInfo& function,
                 std::vector<Value> arguments) -> Result<std::vector<Value>> {
          std::string text = function.path() + "(";
          for (const Value& argument : arguments) text += toWave(argument) + ";";
          calls.push_back(text + ")");
          if (function.name == "add") return std::vector<Value>{Value(uint32_t{100})};
          if (function.name == "describe") return std::vector<Value>{Value("somebody")};
          return std::vector<Value>{Value(ResultValue{true, Value("nobody")})};
        });
  }
  Instance instance = host.linker.instantiate(guest("host_imports"), loop).value();
  auto lines = instance.function<std::vector<std::string>()>("", "run-all").value()();
  ASSERT_TRUE(lines) << textOf(lines.error());
  EXPECT_THAT(*lines, ::testing::Contains("add(2, 3) = 100"));
  EXPECT_THAT(*lines, ::testing::Contains("describe = somebody"));
  EXPECT_THAT(*lines, ::testing::Contains("find(\"Ada\") failed: nobody"));
  EXPECT_THAT(calls,
              ElementsAre("demo:host/api.add(2;3;)",
                          "demo:host/api.describe({name: \"Ada\", age: 36, tags: [\"x\", \"y\"]};)",
                          "demo:host/api.find(\"Ada\";)", "demo:host/api.find(\"\";)"));
}

TEST_F(HostFunctions, ThatReturnAnotherDynamicTypeTrapTheGuest) {
  host.linker.dynamicFunction(
      API, "inc", [](const FunctionInfo&, std::vector<Value>) -> Result<std::vector<Value>> {
        return std::vector<Value>{Value("no number")};
      });
  Instance instance = host.linker.instantiate(guest("host_imports"), loop).value();
  auto failed = instance.function<uint32_t(uint32_t)>("", "call-inc").value()(1);
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, AllOf(HasSubstr("u32"), HasSubstr("result")));
}

TEST_F(HostFunctions, OfALinkerServeManyComponentsAndInstances) {
  host.linker.wasi();
  for (int i = 0; i < 3; ++i) {
    Instance first = host.linker.instantiate(guest("host_imports"), loop).value();
    Instance second = host.linker.instantiate(guest("types"), loop).value();
    EXPECT_EQ(first.function<uint32_t(uint32_t)>("", "call-add").value()(3).value(), 3u);
    EXPECT_TRUE(second.function("nop").value().call({}));
  }
}

TEST_F(HostFunctions, MayCallOtherInstances) {
  Instance types = host.linker.instantiate(guest("types"), loop).value();
  auto add = types.function<uint32_t(uint32_t, uint32_t)>("", "add").value();
  host.linker.function(API, "inc", [&add](uint32_t v) -> Result<uint32_t> { return add(v, 10); });
  Instance instance = host.linker.instantiate(guest("host_imports"), loop).value();
  EXPECT_EQ(instance.function<uint32_t(uint32_t)>("", "call-inc").value()(3).value(), 30u);
}

}  // namespace
}  // namespace tenon::host
