#include "host/host_testing.h"

#include <tenon/caller.h>
#include <tenon/workload.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace tenon::host {
namespace {

using ::testing::ElementsAre;

constexpr const char* API = "demo:host/api";

class Ticket;

// What an embedder keeps for each instance.
struct Session {
  std::string name;
  uint32_t calls = 0;
};

// Answers with some value of the right type.
Result<std::vector<Value>> anything(const FunctionInfo& function, std::vector<Value>) {
  if (!function.type.result) return std::vector<Value>{};
  switch (function.type.result->kind) {
    case TypeKind::U32:
      return std::vector<Value>{Value(uint32_t{0})};
    case TypeKind::U64:
      return std::vector<Value>{Value(uint64_t{0})};
    case TypeKind::STRING:
      return std::vector<Value>{Value("")};
    case TypeKind::LIST:
      return std::vector<Value>{Value(List{})};
    case TypeKind::OPTION:
      return std::vector<Value>{Value(Option{})};
    case TypeKind::RESULT:
      return std::vector<Value>{Value(ResultValue{true, Value("none")})};
    default:
      return Error(ErrorCode::INTERNAL, "nobody calls this");
  }
}

class Callers : public ::testing::Test {
 protected:
  Callers() {
    for (const char* name :
         {"log", "now", "add", "length", "echo-string", "sum", "bytes", "describe", "find",
          "[method]ticket.note", "[static]ticket.join", "check"}) {
      linker.dynamicFunction(API, name, anything);
    }
    linker.resource(API, "ticket", [this](const Caller& owner, uint32_t rep) {
      heard.push_back(describe(owner) + " drops " + std::to_string(rep));
    });
    linker.function(API, "[constructor]ticket", [](uint32_t id) { return Own<Ticket>{id + 1}; });
    linker.function(API, "[method]ticket.id", [](Borrow<Ticket> ticket) { return ticket.rep - 1; });
    linker.function(API, "inc", [this](const Caller& caller, uint32_t v) {
      heard.push_back(describe(caller) + " calls inc");
      return v + 1;
    });
  }

  static std::string describe(const Caller& caller) {
    auto* session = caller.userData<Session>();
    return std::string(caller.component()) + "@" + (session ? session->name : "nobody");
  }

  WorkloadInstance twice(const std::string& name) {
    Workload workload =
        Workload::fromComponents(testEngine(), "two",
                                 {{.name = "left", .component = guest("host_imports")},
                                  {.name = "right", .component = guest("host_imports")}})
            .value();
    WorkloadOptions options;
    options.userData = Session{.name = name};
    return workload.instantiate(linker, loop, options).value();
  }

  Loop loop;
  Linker linker;
  std::vector<std::string> heard;
};

TEST_F(Callers, AreTheComponentOfTheWorkloadAndTheUserDataOfTheInstance) {
  WorkloadInstance ada = twice("ada");
  WorkloadInstance bob = twice("bob");
  for (auto& [instance, component] : {std::pair(&ada, "right"), {&bob, "left"}, {&ada, "left"}}) {
    auto inc = instance->function<uint32_t(uint32_t)>(component, "", "call-inc").value();
    EXPECT_EQ(inc(1).value(), 1u);
  }
  EXPECT_THAT(heard,
              ElementsAre("right@ada calls inc", "left@bob calls inc", "left@ada calls inc"));
}

TEST_F(Callers, HaveNoNameWithoutAWorkloadAndNoDataOfAnotherType) {
  InstanceOptions options;
  options.userData = std::string("no session");
  Instance instance = linker.instantiate(guest("host_imports"), loop, options).value();
  EXPECT_EQ(instance.function<uint32_t(uint32_t)>("", "call-inc").value()(1).value(), 1u);
  Instance bare = linker.instantiate(guest("host_imports"), loop).value();
  EXPECT_EQ(bare.function<uint32_t(uint32_t)>("", "call-inc").value()(1).value(), 1u);
  EXPECT_THAT(heard, ElementsAre("@nobody calls inc", "@nobody calls inc"));
}

TEST_F(Callers, MayChangeTheUserData) {
  linker.function(API, "inc", [](const Caller& caller, uint32_t) {
    return ++caller.userData<Session>()->calls;
  });
  InstanceOptions options;
  options.userData = Session{};
  Instance instance = linker.instantiate(guest("host_imports"), loop, options).value();
  auto inc = instance.function<uint32_t(uint32_t)>("", "call-inc").value();
  EXPECT_EQ(inc(2).value(), 2u);
  EXPECT_EQ(inc(3).value(), 5u);
}

TEST_F(Callers, AreKnownToDynamicFunctionsToo) {
  linker.dynamicFunction(API, "inc",
                         [this](const Caller& caller, const FunctionInfo& function,
                                std::vector<Value> arguments) -> Result<std::vector<Value>> {
                           heard.push_back(describe(caller) + " calls " + function.path());
                           return arguments;
                         });
  WorkloadInstance ada = twice("ada");
  auto inc = ada.function<uint32_t(uint32_t)>("right", "", "call-inc").value();
  EXPECT_TRUE(inc(1));
  EXPECT_THAT(heard, ElementsAre("right@ada calls demo:host/api.inc"));
}

TEST_F(Callers, AreToldOfToDestructors) {
  {
    WorkloadInstance ada = twice("ada");
    auto hold = ada.function<uint32_t(uint32_t)>("right", "", "hold-tickets").value();
    EXPECT_EQ(hold(1).value(), 0u);
    EXPECT_EQ(hold(0).value(), 0u);
    EXPECT_THAT(heard, ElementsAre("right@ada drops 1"));
    EXPECT_EQ(hold(1).value(), 0u);
    heard.clear();
  }
  EXPECT_THAT(heard, ElementsAre("right@ada drops 1")) << "also when the instance goes";
}

TEST_F(Callers, AreNoComponentWhenTheHostDropsAHandle) {
  linker.dynamicFunction(API, "[method]ticket.id", anything);
  linker.dynamicFunction(
      API, "[static]ticket.join",
      [](const FunctionInfo&, std::vector<Value> arguments) -> Result<std::vector<Value>> {
        return std::vector<Value>{std::move(arguments[0])};  // drops the other one
      });
  WorkloadInstance ada = twice("ada");
  auto lines = ada.function<std::vector<std::string>()>("left", "", "run-all").value()();
  ASSERT_TRUE(lines) << textOf(lines.error());
  EXPECT_THAT(heard, ::testing::Contains(::testing::StartsWith("@ada drops ")));
}

}  // namespace
}  // namespace tenon::host
