#include "component/abi/context_testing.h"
#include "component/abi/dynamic.h"
#include "component/abi/typed_testing.h"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <limits>

namespace tenon::abi {
namespace {

using namespace tenon::abi::testing;

class TypedCallTest : public ::testing::Test {
 protected:
  FuncType func(std::vector<const Type*> params, const Type* result = nullptr) {
    FuncType type;
    for (size_t i = 0; i < params.size(); i++) {
      type.params.push_back({std::string(1, static_cast<char>('a' + i)), params[i]});
    }
    type.result = result;
    return type;
  }

  // Runs a callable on `values` as a guest's call of an import with this type would.
  template <typename F>
  void call(FakeContext& context, const FuncType& type, F callable, RawValue* values) {
    TypeMatch match;
    ASSERT_TRUE(HostThunk<F>::matches(type, match)) << match.difference;
    HostThunk<F>::invoke(&callable, Caller(nullptr), context, type, values);
  }

  template <typename F>
  std::string difference(const FuncType& type, F) {
    TypeMatch match;
    EXPECT_FALSE(HostThunk<F>::matches(type, match));
    return match.difference;
  }

  // A string in the guest's memory as two core values.
  static void putString(FakeContext& context, std::string_view text, RawValue* values) {
    StringRange range = storeString(context, text);
    values[0].i64 = range.pointer;
    values[1].i64 = range.codeUnits;
  }
  static std::string getString(FakeContext& context, uint32_t pointer) {
    return Abi<std::string>::load(context, pointer, nullptr);
  }

  Types types;
  std::array<RawValue, 20> values{};
};

uint32_t plain(uint32_t value) { return value * 2; }

TEST_F(TypedCallTest, HostFunctionsMayBePointersLambdasAndFunctionObjects) {
  FakeContext context;
  FuncType type = func({types.u32}, types.u32);
  values[0].i64 = 21;
  call(context, type, &plain, values.data());
  EXPECT_EQ(values[0].i64, 42u);
  call(context, type, [](uint32_t value) { return value + 1; }, values.data());
  EXPECT_EQ(values[0].i64, 43u);
  uint32_t calls = 0;
  call(
      context, type, [&calls](const uint32_t& value) mutable noexcept { return ++calls + value; },
      values.data());
  EXPECT_EQ(values[0].i64, 44u);
  call(context, type, std::function<uint32_t(uint32_t)>(plain), values.data());
  EXPECT_EQ(values[0].i64, 88u);
}

TEST_F(TypedCallTest, HostFunctionsMayTakeTheContextFirst) {
  FakeContext context;
  values[0].i64 = 5;
  call(
      context, func({types.u32}, types.boolean),
      [&](Context& given, uint32_t value) { return &given == &context && value == 5; },
      values.data());
  EXPECT_EQ(values[0].i64, 1u);
  call(context, func({}), [](Context& given) { given.fail("enough"); }, values.data());
  EXPECT_STREQ(context.failure(), "enough");
}

TEST_F(TypedCallTest, ViewsOfParametersAreOfGuestMemory) {
  FakeContext context;
  putString(context, "hello", values.data());
  std::vector<uint32_t> numbers = {1, 2, 3};
  StringRange list = storePlainList(context, numbers.data(), 3, 12, 4);
  values[2].i64 = list.pointer;
  values[3].i64 = list.codeUnits;
  bool called = false;
  call(
      context, func({types.string, types.list(types.u32)}),
      [&](std::string_view text, std::span<const uint32_t> list) {
        called = true;
        EXPECT_EQ(text, "hello");
        EXPECT_EQ(reinterpret_cast<const uint8_t*>(text.data()), &context.data[values[0].i32]);
        EXPECT_EQ(list.size(), 3u);
        EXPECT_EQ(list[2], 3u);
        EXPECT_EQ(reinterpret_cast<const uint8_t*>(list.data()), &context.data[values[2].i32]);
      },
      values.data());
  EXPECT_TRUE(called);
}

TEST_F(TypedCallTest, AReturnedViewOfAParameterSurvivesThatTheMemoryMoves) {
  for (auto encoding : {StringEncoding::UTF8, StringEncoding::UTF16}) {
    FakeContext context(encoding);
    putString(context, "héllo", values.data());
    context.bump = 64;
    uint32_t result = context.allocate(8, 4);
    values[2].i64 = result;
    context.growWith = 1 << 20;
    context.afterRealloc = [](std::vector<uint8_t>& data) {
      std::fill(data.begin(), data.begin() + 64, 0xFF);
    };
    call(
        context, func({types.string}, types.string), [](std::string_view text) { return text; },
        values.data());
    ASSERT_FALSE(context.failed()) << context.failure();
    EXPECT_EQ(getString(context, result), "héllo");
  }
  FakeContext context;
  uint32_t result = context.allocate(8, 4);
  std::vector<uint8_t> bytes = {1, 2, 3};
  StringRange list = storePlainList(context, bytes.data(), 3, 3, 1);
  values[0].i64 = list.pointer;
  values[1].i64 = 3;
  values[2].i64 = result;
  context.growWith = 1 << 20;
  call(
      context, func({types.list(types.u8)}, types.list(types.u8)),
      [](std::span<const uint8_t> bytes) { return bytes.subspan(1); }, values.data());
  ASSERT_FALSE(context.failed()) << context.failure();
  EXPECT_EQ((Abi<std::vector<uint8_t>>::load(context, result, nullptr)),
            (std::vector<uint8_t>{2, 3}));
}

TEST_F(TypedCallTest, MoreThanSixteenCoreParametersComeThroughMemory) {
  FakeContext context;
  FuncType type = func({types.person(), types.u64}, types.u64);
  std::vector<Value> arguments;
  Person person;
  person.fullName = "Ada";
  uint32_t at = context.allocate(types.person()->size, 8);
  Abi<Person>::store(context, person, at, nullptr);
  arguments.push_back(load(context, *types.person(), at));
  arguments.push_back(uint64_t{40});
  ASSERT_EQ(slotCount(type), 1u);
  lowerParams(context, type, arguments, values.data());
  ASSERT_FALSE(context.failed()) << context.failure();
  call(
      context, type,
      [&](const Person& given, uint64_t number) {
        EXPECT_EQ(given, person);
        return number + 2;
      },
      values.data());
  EXPECT_EQ(values[0].i64, 42u);
}

TEST_F(TypedCallTest, SpilledParametersMustBeAlignedAndInBounds) {
  FuncType type = func({types.person(), types.u64});
  for (uint32_t pointer : {4u, 12u, 8192u - 8, 8192u, 0xFFFFFFF8u}) {
    FakeContext context;
    values[0].i64 = pointer;
    bool called = false;
    call(context, type, [&](const Person&, uint64_t) { called = true; }, values.data());
    EXPECT_TRUE(context.failed()) << pointer;
    EXPECT_FALSE(called);
    FakeContext dynamic;
    EXPECT_TRUE(liftParams(dynamic, type, values.data()).empty());
    EXPECT_STREQ(dynamic.failure(), context.failure());
  }
}

TEST_F(TypedCallTest, ResultsOfMoreThanOneCoreValueGoWhereTheLastParameterPoints) {
  FakeContext context;
  FuncType type = func({types.u8}, types.point());
  ASSERT_EQ(slotCount(type), 2u);
  values[0].i64 = 7;
  values[1].i64 = 64;
  call(context, type, [](uint8_t x) { return Point{x, -1}; }, values.data());
  EXPECT_EQ((Abi<Point>::load(context, 64, nullptr)), (Point{7, -1}));
}

TEST_F(TypedCallTest, ABadResultPointerFailsAfterTheCall) {
  FuncType type = func({}, types.point());
  for (uint32_t pointer : {2u, 8188u, 0xFFFFFFFCu}) {
    FakeContext context;
    values[0].i64 = pointer;
    bool called = false;
    call(context, type, [&] { return called = true, Point{}; }, values.data());
    EXPECT_TRUE(called);
    EXPECT_TRUE(context.failed());
  }
}

TEST_F(TypedCallTest, AHostFunctionIsNotRunWithParametersThatDoNotLift) {
  FakeContext context;
  values[0].i64 = 0xD800;
  bool called = false;
  call(context, func({types.character}), [&](char32_t) { called = true; }, values.data());
  EXPECT_FALSE(called);
  EXPECT_STREQ(context.failure(), "a char is not a Unicode scalar value");
}

TEST_F(TypedCallTest, AnErrorOfAHostFunctionFailsTheCallWithItsText) {
  FakeContext context;
  auto refuse = [](uint32_t value) -> Result<uint32_t> {
    if (value == 0) return Error{ErrorCode::PERMISSION, "zero is not allowed"};
    return value;
  };
  FuncType type = func({types.u32}, types.u32);
  values[0].i64 = 3;
  call(context, type, refuse, values.data());
  EXPECT_EQ(values[0].i64, 3u);
  EXPECT_FALSE(context.failed());
  values[0].i64 = 0;
  call(context, type, refuse, values.data());
  EXPECT_STREQ(context.failure(), "zero is not allowed");
  ASSERT_TRUE(context.error());
  EXPECT_EQ(context.error()->code, ErrorCode::PERMISSION);
}

TEST_F(TypedCallTest, SignaturesAreComparedOnceAndTheDifferenceIsNamed) {
  auto nothing = [](uint32_t, const Point&) {};
  EXPECT_EQ(difference(func({types.u32}), nothing), "expected 2 parameters, found 1: func(a: u32)");
  EXPECT_EQ(difference(func({types.u64, types.point()}), nothing),
            "parameter 'a': expected u32, found u64");
  EXPECT_EQ(difference(func({types.u32, types.swapped()}), nothing),
            "parameter 'b': expected field 'x', found 'first'");
  EXPECT_EQ(difference(func({types.u32, types.point()}, types.u8), nothing),
            "expected no result, found u8");
  EXPECT_EQ(difference(func({}), [] { return 1.5f; }), "expected a result, found none");
  EXPECT_EQ(difference(func({}, types.list(types.string)), [] { return std::vector<Point>(); }),
            "result, element: expected record { x: s32, y: s32 }, found string");
  FuncType async = func({});
  async.async = true;
  EXPECT_EQ(difference(async, [] {}), "expected a synchronous function, found an async one");
}

TEST_F(TypedCallTest, ExportsAreCalledWithFlatArguments) {
  using Call = TypedCall<std::string(std::string_view, const std::vector<uint16_t>&, bool)>;
  FuncType type = func({types.string, types.list(types.u16), types.boolean}, types.string);
  TypeMatch match;
  ASSERT_TRUE(Call::matches(type, match)) << match.difference;
  EXPECT_GE(Call::SLOTS, slotCount(func({types.string, types.list(types.u16), types.boolean})));
  FakeContext context;
  Call::lower(context, type, values.data(), "hey", {1, 2, 3}, true);
  ASSERT_FALSE(context.failed());
  EXPECT_EQ(viewString(context, {values[0].i32, values[1].i32}), "hey");
  EXPECT_EQ(values[3].i32, 3u);
  EXPECT_EQ(values[4].i32, 1u);
  EXPECT_EQ(context.log.size(), 2u);

  uint32_t result = context.allocate(8, 4);
  Abi<std::string>::store(context, "done", result, nullptr);
  values[0].i64 = result;
  EXPECT_EQ(Call::lift(context, type, values.data()), "done");
  values[0].i64 = result + 2;
  EXPECT_EQ(Call::lift(context, type, values.data()), "");
  EXPECT_TRUE(context.failed());
}

TEST_F(TypedCallTest, SpilledArgumentsAreAllocatedBeforeTheirContent) {
  using Call = TypedCall<uint32_t(Person, std::string_view)>;
  FuncType type = func({types.person(), types.string}, types.u32);
  TypeMatch match;
  ASSERT_TRUE(Call::matches(type, match)) << match.difference;
  EXPECT_EQ(Call::SLOTS, 1u);
  FakeContext typed;
  Person person;
  person.fullName = "Grace";
  person.path = {{1, 2}};
  Call::lower(typed, type, values.data(), person, "last");
  ASSERT_FALSE(typed.failed());

  FakeContext source;
  uint32_t at = source.allocate(types.person()->size, 8);
  Abi<Person>::store(source, person, at, nullptr);
  std::vector<Value> arguments = {load(source, *types.person(), at), "last"};
  FakeContext dynamic;
  std::array<RawValue, 1> flat{};
  lowerParams(dynamic, type, arguments, flat.data());
  EXPECT_EQ(flat[0].i64, values[0].i64);
  EXPECT_EQ(typed.data, dynamic.data);
  EXPECT_EQ(typed.log, dynamic.log);
  EXPECT_EQ(typed.log[0][3], 88u + 8u);

  auto lifted = liftParams(dynamic, type, flat.data());
  ASSERT_EQ(lifted.size(), 2u);
  EXPECT_EQ(lifted, arguments);
}

TEST_F(TypedCallTest, DynamicResultsPassFlatAndThroughMemory) {
  FuncType flat = func({}, types.u64);
  FuncType spilled = func({types.string, types.u8}, types.string);
  FakeContext context;
  Value number = uint64_t{7};
  lowerResult(context, flat, &number, values.data());
  EXPECT_EQ(liftResult(context, flat, values.data()), number);

  values[3].i64 = context.allocate(8, 4);
  Value text = "text";
  lowerResult(context, spilled, &text, values.data());
  ASSERT_FALSE(context.failed()) << context.failure();
  EXPECT_EQ(liftResult(context, spilled, &values[3]), text);
  EXPECT_EQ(liftResult(context, func({}), values.data()), std::nullopt);

  lowerResult(context, flat, nullptr, values.data());
  EXPECT_TRUE(context.failed());
}

TEST_F(TypedCallTest, WhatLiftingTakesIsChargedToTheBudget) {
  FakeContext context(StringEncoding::UTF8, 1 << 16);
  std::vector<uint8_t> bytes(1000);
  StringRange list = storePlainList(context, bytes.data(), 1000, 1000, 1);
  values[0].i64 = list.pointer;
  values[1].i64 = list.codeUnits;
  context.budget = 999;
  const RawValue* in = values.data();
  EXPECT_TRUE((Abi<std::vector<uint8_t>>::liftFlat(context, in, nullptr)).empty());
  EXPECT_TRUE(context.failed());

  FakeContext dynamic(StringEncoding::UTF8, context.data);
  dynamic.budget = 1000 * sizeof(Value) - 1;
  in = values.data();
  liftFlat(dynamic, *types.list(types.u8), in);
  EXPECT_STREQ(dynamic.failure(), context.failure());
  FakeContext view(StringEncoding::UTF8, context.data);
  view.budget = 0;
  in = values.data();
  EXPECT_EQ((Abi<std::span<const uint8_t>>::liftFlat(view, in, nullptr)).size(), 1000u);
  EXPECT_FALSE(view.failed());
}

}  // namespace
}  // namespace tenon::abi
