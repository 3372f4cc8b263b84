#include "component/abi/context_testing.h"
#include "component/abi/dynamic.h"
#include "component/abi/typed_testing.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tenon::abi {
namespace {

using namespace tenon::abi::testing;

class Check : public ::testing::Test {
 protected:
  std::string refused(const Type& type, const Value& value) {
    auto result = checkValue(type, value, "argument 'a'", &handles);
    EXPECT_FALSE(result.ok());
    if (result.ok()) return "";
    EXPECT_EQ(result.error().code, ErrorCode::INVALID_ARGUMENT);
    return result.error().message;
  }

  Types types;
  FakeHandles handles;
};

TEST_F(Check, ErrorsNameThePathAndShowWhatWasExpectedAndFound) {
  EXPECT_EQ(refused(*types.u32, "x"), "argument 'a': expected u32, found string \"x\"");
  EXPECT_EQ(refused(*types.u32, uint8_t{7}), "argument 'a': expected u32, found u8 7");
  EXPECT_EQ(refused(*types.string, 1.5), "argument 'a': expected string, found f64 1.5");
  EXPECT_EQ(refused(*types.list(types.u8), List{{uint8_t{1}, true}}),
            "argument 'a', item 1: expected u8, found bool true");
  EXPECT_EQ(refused(*types.point(), Record{{{"x", int32_t{1}}, {"y", Char{65}}}}),
            "argument 'a', field 'y': expected s32, found char U+41");
  EXPECT_EQ(refused(*types.point(), Record{{{"x", int32_t{1}}}}),
            "argument 'a': the field 'y' is missing");
  EXPECT_EQ(refused(*types.point(), Record{{{"x", int32_t{1}}, {"z", int32_t{1}}}}),
            "argument 'a': expected the field 'y', found 'z'");
  EXPECT_EQ(
      refused(*types.point(), Record{{{"x", int32_t{1}}, {"y", int32_t{1}}, {"z", int32_t{1}}}}),
      "argument 'a': there is no field 'z'");
  EXPECT_EQ(refused(*types.tuple({types.u8, types.u8}), Tuple{{uint8_t{1}}}),
            "argument 'a': expected tuple<u8, u8>, found tuple of 1 element");
  EXPECT_EQ(refused(*types.option(types.u8), Option{Box(Option{})}),
            "argument 'a', case 'some': expected u8, found option none");
  EXPECT_EQ(refused(*types.result(nullptr, types.string), ResultValue{true, {}}),
            "argument 'a', case 'error': expected string, found no payload");
  EXPECT_EQ(refused(*types.result(nullptr, types.string), ResultValue{false, Box(true)}),
            "argument 'a', case 'ok': expected no payload, found bool true");
  EXPECT_EQ(refused(*types.color(), Enum{"pink"}),
            "argument 'a': expected enum { red, light-green, blue }, found enum 'pink'");
  EXPECT_EQ(refused(*types.access(), Flags{{"read", "fly"}}),
            "argument 'a': expected flags { read, write, execute }, found flags { read, fly }");
  EXPECT_EQ(refused(*types.string, "\xFF"), "argument 'a': the string is not valid UTF-8");
  EXPECT_EQ(refused(*types.list(types.option(types.point())),
                    List{{Option{}, Option{Box(Record{{{"x", true}}})}}}),
            "argument 'a', item 1, case 'some', field 'x': expected s32, found bool true");
}

TEST_F(Check, HandlesAreAskedOfTheFactory) {
  auto own = std::make_shared<FakeResource>(0, 1, true);
  auto borrowed = std::make_shared<FakeResource>(0, 1, false);
  const Type& ownType = *types.table.own(0);
  const Type& borrowType = *types.table.borrow(0);
  EXPECT_TRUE(checkValue(ownType, Resource{own, true}, "", &handles).ok());
  EXPECT_TRUE(checkValue(borrowType, Resource{own, true}, "", &handles).ok());
  EXPECT_TRUE(checkValue(borrowType, Resource{borrowed, false}, "", &handles).ok());
  EXPECT_FALSE(checkValue(ownType, Resource{own, true}, "").ok());
  EXPECT_EQ(refused(ownType, Resource{borrowed, false}),
            "argument 'a': a borrowed resource handle cannot be given away");
  EXPECT_EQ(refused(*types.table.own(1), Resource{own, true}),
            "argument 'a': the handle is of another resource type");
  EXPECT_EQ(refused(ownType, Resource{}),
            "argument 'a': expected own<resource 0>, found an empty resource handle");
}

TEST_F(Check, TheNumberOfArgumentsIsCompared) {
  FuncType type;
  type.params = {{"a", types.u32}, {"b", types.string}};
  auto result = checkArguments(type, std::vector<Value>{uint32_t{1}});
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().message, "expected 2 arguments, found 1: func(a: u32, b: string)");
  result = checkArguments(type, std::vector<Value>{uint32_t{1}, true});
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().message, "argument 'b': expected string, found bool true");
  EXPECT_TRUE(checkArguments(type, std::vector<Value>{uint32_t{1}, "x"}).ok());
}

TEST_F(Check, AHandleThatIsGivenAwayIsPassedOnce) {
  auto thing = std::make_shared<FakeResource>(0, 1, true);
  auto other = std::make_shared<FakeResource>(0, 2, true);
  const Type* own = types.table.own(0);
  const Type* borrow = types.table.borrow(0);
  auto check = [&](const Type* first, const Type* second, auto& handle) {
    FuncType type;
    type.params = {{"a", first}, {"b", second}};
    std::vector<Value> arguments = {Resource{thing, true}, Resource{handle, true}};
    return checkArguments(type, arguments, &handles);
  };
  EXPECT_TRUE(check(own, own, other).ok());
  EXPECT_TRUE(check(borrow, own, other).ok());
  EXPECT_TRUE(check(borrow, borrow, thing).ok());
  const char* twice =
      "argument 'b': a resource handle that is given away is passed twice in one call";
  EXPECT_EQ(check(own, own, thing).error().message, twice);
  EXPECT_EQ(check(own, borrow, thing).error().message, twice);
  EXPECT_EQ(check(borrow, own, thing).error().message, twice);
  EXPECT_FALSE(thing->isMoved);
}

TEST_F(Check, DescriptionsStayShort) {
  EXPECT_EQ(describeValue(std::string(500, 'x')), "string \"" + std::string(60, 'x') + "...\"");
  EXPECT_EQ(describeValue("a\n\"b"), "string \"a?\\\"b\"");
  EXPECT_EQ(describeValue(std::nanf("")), "f32 nan");
  EXPECT_EQ(describeValue(std::nan("")), "f64 nan");
  EXPECT_EQ(describeValue(int8_t{-128}), "s8 -128");
  EXPECT_EQ(describeValue(int16_t{-7}), "s16 -7");
  EXPECT_EQ(describeValue(uint16_t{65535}), "u16 65535");
  EXPECT_EQ(describeValue(int32_t{-1}), "s32 -1");
  EXPECT_EQ(describeValue(uint32_t{4294967295}), "u32 4294967295");
  EXPECT_EQ(describeValue(int64_t{-1}), "s64 -1");
  EXPECT_EQ(describeValue(uint64_t{18446744073709551615u}), "u64 18446744073709551615");
  EXPECT_EQ(describeValue(1.5F), "f32 1.5");
  EXPECT_EQ(describeValue(Variant{"pear", {}}), "case 'pear'");
  EXPECT_EQ(describeValue(Resource{std::make_shared<FakeResource>(0, 1, true), true}).substr(0, 4),
            "own ");
  EXPECT_EQ(describeValue(ResultValue{true, Box(Value(ResultValue{}))}),
            "result error with a result");
  EXPECT_EQ(describeValue(List{{true}}), "list of 1 item");
  Record record;
  for (int i = 0; i < 100; i++) record.fields.push_back({"field" + std::to_string(i), true});
  EXPECT_LT(describeValue(record).size(), 80u);
  Value nested = true;
  for (int i = 0; i < 1000; i++) nested = Option{Box(std::move(nested))};
  EXPECT_EQ(describeValue(nested), "option with an option");
}

}  // namespace
}  // namespace tenon::abi
