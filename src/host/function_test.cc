#include "host/host_testing.h"

#include <tenon/instance.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace test_types {
struct Point {
  int32_t x = 0;
  int32_t y = 0;
  bool operator==(const Point&) const = default;
};
struct Line {
  Point start;
  Point end;
  std::optional<std::string> label;
  bool operator==(const Line&) const = default;
};
struct Wrong {
  int32_t x = 0;
  uint32_t y = 0;
};
struct Renamed {
  int32_t x = 0;
  int32_t z = 0;
};
// Its constructor fails when it is told to.
struct Moody {
  Moody() {
    if (fails) throw std::runtime_error("not today");
  }
  int32_t x = 0;
  int32_t y = 0;
  static inline bool fails = false;
};
enum class Color { RED, GREEN, BLUE };
enum class Access : uint32_t { READ = 1, WRITE = 2, EXECUTE = 4 };
}  // namespace test_types

TENON_RECORD(test_types::Point, x, y)
TENON_RECORD(test_types::Line, start, end, label)
TENON_RECORD(test_types::Wrong, x, y)
TENON_RECORD(test_types::Renamed, x, z)
TENON_RECORD(test_types::Moody, x, y)
TENON_ENUM(test_types::Color, RED, GREEN, BLUE)
TENON_FLAGS(test_types::Access, READ, WRITE, EXECUTE)

namespace tenon::host {
namespace {

using ::testing::HasSubstr;
using namespace test_types;

constexpr const char* ECHO = "tenon:types/echo@1.0.0";

class Functions : public ::testing::Test {
 protected:
  template <typename Signature>
  Function<Signature> find(std::string_view interface, std::string_view name) {
    return instance.function<Signature>(interface, name).value();
  }
  // What the look-up says of a signature that does not fit.
  template <typename Signature>
  std::string mismatch(std::string_view interface, std::string_view name) {
    auto found = instance.function<Signature>(interface, name);
    if (found) return "it fits";
    EXPECT_EQ(found.error().code, ErrorCode::TYPE_MISMATCH);
    return found.error().message;
  }

  Loop loop;
  Linker linker;
  Instance instance = linker.instantiate(guest("types"), loop).value();
};

TEST_F(Functions, AreCalledWithCppTypes) {
  auto add = find<uint32_t(uint32_t, uint32_t)>("", "add");
  EXPECT_EQ(add(2, 3).value(), 5u);
  EXPECT_EQ(add(4294967295u, 1).value(), 0u);
  auto greet = find<std::string(std::string_view)>("", "greet");
  EXPECT_EQ(greet("you").value(), "Hello, you!");
}

TEST_F(Functions, AreFoundWithoutTheVersionAndByAnyCompatibleOne) {
  for (const char* interface :
       {"tenon:types/echo", "tenon:types/echo@1.0.0", "tenon:types/echo@1.4.2"}) {
    EXPECT_EQ(find<uint8_t(uint8_t)>(interface, "echo-u8")(7).value(), 7) << interface;
  }
  EXPECT_FALSE(instance.function<uint8_t(uint8_t)>("tenon:types/echo@2.0.0", "echo-u8"));
}

TEST_F(Functions, TakeAndReturnStructsAndVariants) {
  EXPECT_EQ(find<Point(Point)>(ECHO, "echo-point")({-1, 2}).value(), (Point{-1, 2}));
  Line line{{1, 2}, {3, 4}, "label"};
  EXPECT_EQ(find<Line(Line)>(ECHO, "echo-line")(line).value(), line);
  std::vector<Point> points{{1, 2}, {3, 4}};
  EXPECT_EQ(find<std::vector<Point>(std::span<const Point>)>(ECHO, "echo-points")(points).value(),
            points);
  using Tuple = std::tuple<uint8_t, std::string, double>;
  EXPECT_EQ(find<Tuple(Tuple)>(ECHO, "echo-tuple")({1, "two", 3.5}).value(),
            (Tuple{1, "two", 3.5}));
  using Narrow = std::variant<std::monostate, uint32_t, float, char32_t>;
  Narrow narrow{std::in_place_index<3>, U'ß'};
  EXPECT_EQ(find<Narrow(Narrow)>(ECHO, "echo-narrow")(narrow).value(), narrow);
  EXPECT_EQ(find<Color(Color)>(ECHO, "echo-color")(Color::BLUE).value(), Color::BLUE);
  EXPECT_EQ(find<Access(Access)>(ECHO, "echo-flags3")(Access::WRITE).value(), Access::WRITE);
  using Nested = std::optional<std::optional<uint32_t>>;
  EXPECT_EQ(find<Nested(Nested)>(ECHO, "echo-option-option")(Nested(std::in_place)).value(),
            Nested(std::in_place));
  using Outcome = Expected<Point, Color>;
  Outcome failed = Unexpected<Color>{Color::GREEN};
  EXPECT_EQ(find<Outcome(Outcome)>(ECHO, "echo-result-point")(failed).value().error(),
            Color::GREEN);
}

TEST_F(Functions, KeepTheBitsOfFloats) {
  auto echo = find<double(double)>(ECHO, "echo-f64");
  EXPECT_TRUE(std::signbit(echo(-0.0).value()));
  EXPECT_TRUE(std::isnan(echo(std::numeric_limits<double>::quiet_NaN()).value()));
  EXPECT_EQ(echo(5e-324).value(), 5e-324);
}

TEST_F(Functions, OfAnotherTypeAreRefusedWithBothTypes) {
  EXPECT_EQ((mismatch<uint32_t(uint32_t)>("", "add")),
            "add: expected 1 parameter, found 2: func(a: u32, b: u32) -> u32");
  EXPECT_THAT((mismatch<uint64_t(uint32_t, uint32_t)>("", "add")),
              ::testing::AllOf(HasSubstr("result"), HasSubstr("u64"), HasSubstr("u32")));
  EXPECT_THAT((mismatch<void(uint32_t, uint32_t)>("", "add")), HasSubstr("result"));
  EXPECT_THAT((mismatch<std::string(uint32_t)>("", "greet")),
              ::testing::AllOf(HasSubstr("'name'"), HasSubstr("u32"), HasSubstr("string")));
  EXPECT_THAT((mismatch<Wrong(Wrong)>(ECHO, "echo-point")),
              ::testing::AllOf(HasSubstr("'y'"), HasSubstr("u32"), HasSubstr("s32")));
  EXPECT_THAT((mismatch<Renamed(Renamed)>(ECHO, "echo-point")),
              ::testing::AllOf(HasSubstr("z"), HasSubstr("y")));
}

TEST_F(Functions, ThatAreMissingListWhatThereIs) {
  auto found = instance.function<void()>("tenon:types/echo@1.0.0", "nopp");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::MISSING_EXPORT);
  EXPECT_THAT(found.error().message, HasSubstr("did you mean 'nop'?"));
  EXPECT_THAT(found.error().details, HasSubstr("echo@1.0.0.nop: func()"));
}

TEST_F(Functions, AreCalledWithDynamicValues) {
  auto add = instance.function("add").value();
  EXPECT_EQ(add.info().path(), "add");
  EXPECT_EQ(add.call({Value(uint32_t{2}), Value(uint32_t{3})}).value(),
            std::vector<Value>{Value(uint32_t{5})});
  auto point = instance.function("echo-point").value();
  Value value{Record{{{"x", Value(int32_t{1})}, {"y", Value(int32_t{-2})}}}};
  EXPECT_EQ(point.call({value}).value(), std::vector<Value>{value});
  EXPECT_TRUE(instance.function("nop").value().call({}).value().empty());
}

TEST_F(Functions, RefuseDynamicValuesOfAnotherTypeAndStayUsable) {
  auto add = instance.function("add").value();
  auto tooFew = add.call({Value(uint32_t{2})});
  ASSERT_FALSE(tooFew);
  EXPECT_EQ(tooFew.error().code, ErrorCode::INVALID_ARGUMENT);
  auto other = add.call({Value(uint32_t{2}), Value("x")});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::INVALID_ARGUMENT);
  EXPECT_THAT(other.error().message, HasSubstr("u32"));
  EXPECT_TRUE(add.call({Value(uint32_t{2}), Value(uint32_t{3})}));
}

TEST_F(Functions, ReadTheirArgumentsFromText) {
  auto point = instance.function("echo-point").value();
  std::string texts[] = {"{y: 2, x: 1}"};
  auto arguments = point.parseArguments(texts);
  ASSERT_TRUE(arguments) << arguments.error().text();
  auto results = point.call(*std::move(arguments));
  ASSERT_TRUE(results);
  EXPECT_EQ(toWave((*results)[0]), "{x: 1, y: 2}");

  texts[0] = "{x: 1}";
  auto refused = parseArguments(point.info(), texts);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::INVALID_ARGUMENT);
  EXPECT_THAT(refused.error().message,
              HasSubstr("'{x: 1}' does not fit argument 'v: record { x: s32, y: s32 }'"));
  EXPECT_THAT(point.parseArguments({}).error().message, HasSubstr("takes 1 value, not 0"));
}

TEST_F(Functions, GiveAndTakeHandlesOfTheGuestsResources) {
  auto construct = find<GuestResource(uint32_t)>(ECHO, "[constructor]counter");
  auto increment = find<uint32_t(GuestResource, uint32_t)>(ECHO, "[method]counter.increment");
  auto merge = find<GuestResource(GuestResource, GuestResource)>(ECHO, "[static]counter.merge");
  auto value = find<uint32_t(GuestResource)>(ECHO, "[method]counter.value");
  auto live = find<uint32_t()>(ECHO, "live");
  GuestResource a = construct(1).value();
  EXPECT_EQ(a.handle->typeName(), "counter");
  {
    GuestResource b = construct(10).value();
    EXPECT_EQ(increment(b, 5).value(), 15u);
    EXPECT_EQ(live().value(), 2u);
    GuestResource sum = merge(a, b).value();
    EXPECT_EQ(value(sum).value(), 16u);
    EXPECT_TRUE(a.handle->moved());
    EXPECT_EQ(live().value(), 1u);
  }
  EXPECT_EQ(live().value(), 0u);
}

TEST_F(Functions, RefuseAHandleThatWasGivenAway) {
  auto construct = find<GuestResource(uint32_t)>(ECHO, "[constructor]counter");
  auto echo = find<GuestResource(GuestResource)>(ECHO, "echo-counter");
  auto counter = construct(1).value();
  auto again = echo(counter).value();
  auto refused = echo(counter);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("given away"));
}

TEST_F(Functions, RefuseAHandleOfAnotherInstance) {
  Instance other = linker.instantiate(guest("types"), loop).value();
  auto counter =
      other.function<GuestResource(uint32_t)>(ECHO, "[constructor]counter").value()(1).value();
  auto peek = instance.function("peek").value();
  auto refused = peek.call({Value(counter)});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("belongs to another instance"));
  EXPECT_TRUE(instance.function("live").value().call({}));
}

TEST_F(Functions, LeaveHandlesThatOutliveTheirInstance) {
  GuestResource kept;
  {
    Instance short_ = linker.instantiate(guest("types"), loop).value();
    kept =
        short_.function<GuestResource(uint32_t)>(ECHO, "[constructor]counter").value()(1).value();
  }
  EXPECT_EQ(kept.handle->typeName(), "resource");
  EXPECT_FALSE(kept.handle->moved());
}

TEST_F(Functions, RunNothingMoreAfterATrap) {
  auto add = find<uint32_t(uint32_t, uint32_t)>("", "add");
  auto construct = find<GuestResource(uint32_t)>(ECHO, "[constructor]counter");
  GuestResource counter = construct(1).value();
  auto trapped = find<void()>("tenon:types/faults", "trap")();
  ASSERT_FALSE(trapped);
  EXPECT_EQ(trapped.error().code, ErrorCode::TRAPPED);
  EXPECT_EQ(trapped.error().message, "unreachable instruction executed");
  EXPECT_THAT(trapped.error().details, HasSubstr("trap"));
  auto refused = add(1, 2);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::UNUSABLE);
  auto dynamic = instance.function("add").value().call({Value(uint32_t{1}), Value(uint32_t{2})});
  ASSERT_FALSE(dynamic);
  EXPECT_EQ(dynamic.error().code, ErrorCode::UNUSABLE);
  // Others of the same component are untouched.
  Instance other = linker.instantiate(guest("types"), loop).value();
  EXPECT_TRUE(other.function("add").value().call({Value(uint32_t{1}), Value(uint32_t{2})}));
}

TEST_F(Functions, WhoseResultCannotBeMadeFailAndTheHostGoesOn) {
  linker.wasi();
  for (const char* name : {"types", "types_std"}) {  // on the native stack, and on a fiber
    Instance other = linker.instantiate(guest(name), loop).value();
    auto echo = other.function<Moody(Moody)>(ECHO, "echo-point").value();
    Moody point;
    Moody::fails = true;
    auto failed = echo(point);
    Moody::fails = false;
    ASSERT_FALSE(failed) << name;
    EXPECT_EQ(failed.error().code, ErrorCode::TRAPPED);
    EXPECT_THAT(failed.error().message,
                ::testing::StartsWith("moving the values threw: not today"));
    EXPECT_EQ(echo(point).error().code, ErrorCode::UNUSABLE);
  }
}

TEST_F(Functions, StopAtTheirDeadline) {
  InstanceOptions options;
  options.timeout = std::chrono::milliseconds(30);
  Instance limited = linker.instantiate(guest("types"), loop, options).value();
  auto spin = limited.function<void()>("tenon:types/faults", "spin").value()();
  ASSERT_FALSE(spin);
  EXPECT_EQ(spin.error().code, ErrorCode::DEADLINE);
}

TEST_F(Functions, OfAnEngineThatCannotInterruptThemHaveNoDeadline) {
  EngineOptions settings;
  settings.interruptible = false;
  Component types = guestWith(settings, "types");
  InstanceOptions options;
  options.timeout = std::chrono::milliseconds(30);
  auto refused = linker.instantiate(types, loop, options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::INVALID_ARGUMENT);
  Instance instance = linker.instantiate(types, loop).value();
  EXPECT_TRUE(instance.function("add").value().call({Value(uint32_t{1}), Value(uint32_t{2})}));
}

TEST_F(Functions, GetNoMoreMemoryThanTheirInstanceMayHave) {
  InstanceOptions options;
  options.maxMemory = 8 << 20;
  Instance limited = linker.instantiate(guest("types"), loop, options).value();
  uint32_t got =
      limited.function<uint32_t(uint32_t)>("tenon:types/faults", "allocate").value()(100).value();
  EXPECT_GE(got, 4u);
  EXPECT_LT(got, 8u);
  EXPECT_LE(limited.memorySize(), options.maxMemory);
  options.maxMemory = 65536;
  auto refused = linker.instantiate(guest("types"), loop, options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::LIMIT_EXCEEDED);
}

TEST_F(Functions, WorkOnInstancesFromThePool) {
  Component pooled =
      Component::load(testEngine(true), std::string(TENON_GUESTS_DIR) + "/types.wasm").value();
  for (int i = 0; i < 20; ++i) {
    Instance fresh = linker.instantiate(pooled, loop).value();
    auto live = fresh.function<uint32_t()>(ECHO, "live").value();
    EXPECT_EQ(live().value(), 0u) << "what an instance left must not be seen by the next";
    auto counters = fresh.function("counters").value().call({Value(uint32_t{3})}).value();
    EXPECT_EQ(live().value(), 3u);
  }
}

}  // namespace
}  // namespace tenon::host
