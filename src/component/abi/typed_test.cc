#include "component/abi/context_testing.h"
#include "component/abi/dynamic.h"
#include "component/abi/typed_testing.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace tenon::abi {
namespace {

using namespace tenon::abi::testing;

constexpr StringEncoding ENCODINGS[] = {StringEncoding::UTF8, StringEncoding::UTF16,
                                        StringEncoding::LATIN1_UTF16};
const std::string TEXTS[] = {"",
                             "a",
                             "hello, world",
                             "é",
                             "ÿĀ",
                             "日本語",
                             "😀",
                             "a😀é",
                             std::string("\0x", 2),
                             "a long text of ASCII that does not fit into a short string é",
                             "ééééé☃"};

static_assert(Abi<uint32_t>::PLAIN && Abi<double>::PLAIN && Abi<std::byte>::PLAIN);
static_assert(!Abi<bool>::PLAIN && !Abi<char32_t>::PLAIN && !Abi<Color>::PLAIN);
static_assert(Abi<Point>::PLAIN && Abi<Five>::PLAIN);
static_assert(!Abi<Padded>::PLAIN && !Abi<Swapped>::PLAIN && !Abi<Person>::PLAIN);
static_assert(!Abi<uint32_t>::CAN_FAIL && !Abi<Point>::CAN_FAIL && Abi<char32_t>::CAN_FAIL);
static_assert(Abi<std::vector<std::string_view>>::IS_VIEW && !Abi<Person>::IS_VIEW);
static_assert(Abi<std::vector<Own<Counter>>>::HAS_RESOURCE && !Abi<Person>::HAS_RESOURCE);

bool same(float a, float b) { return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b); }
bool same(double a, double b) { return std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b); }
template <typename T>
bool same(const T& a, const T& b) {
  return a == b;
}

class Typed : public ::testing::Test {
 protected:
  // The typed walks agree with the dynamic ones, which are checked against definitions.py: same
  // bytes, same calls of realloc, same core values, and back again.
  template <typename T>
  void agree(const Type& type, const T& value) {
    SCOPED_TRACE(toString(type));
    TypeMatch match;
    ASSERT_TRUE(Abi<T>::matches(type, match)) << match.difference;
    EXPECT_EQ(Abi<T>::SIZE, type.size);
    EXPECT_EQ(Abi<T>::ALIGNMENT, type.alignment);
    EXPECT_EQ(Abi<T>::FLAT_COUNT, type.flatCount);
    if (Abi<T>::PLAIN) EXPECT_TRUE(type.isPlainBytes);
    for (StringEncoding encoding : ENCODINGS) {
      agreeInMemory(type, value, encoding);
      if (type.flatCount <= MAX_FLAT_PARAMS) agreeFlat(type, value, encoding);
    }
  }

  template <typename T>
  void agreeInMemory(const Type& type, const T& value, StringEncoding encoding) {
    FakeContext typed(encoding, 65536);
    uint32_t pointer = typed.allocate(type.size, type.alignment);
    Abi<T>::store(typed, value, pointer, &type);
    ASSERT_FALSE(typed.failed()) << typed.failure();
    T loaded = Abi<T>::load(typed, pointer, &type);
    ASSERT_FALSE(typed.failed()) << typed.failure();
    EXPECT_TRUE(same(loaded, value));

    Value dynamicValue = load(typed, type, pointer);
    ASSERT_FALSE(typed.failed()) << typed.failure();
    EXPECT_TRUE(checkValue(type, dynamicValue, "").ok());
    FakeContext dynamic(encoding, 65536);
    ASSERT_EQ(dynamic.allocate(type.size, type.alignment), pointer);
    store(dynamic, type, dynamicValue, pointer);
    ASSERT_FALSE(dynamic.failed()) << dynamic.failure();
    EXPECT_EQ(typed.data, dynamic.data);
    EXPECT_EQ(typed.log, dynamic.log);
  }

  template <typename T>
  void agreeFlat(const Type& type, const T& value, StringEncoding encoding) {
    FakeContext typed(encoding, 65536);
    RawValue flat[MAX_FLAT_PARAMS];
    RawValue* out = flat;
    Abi<T>::lowerFlat(typed, value, out, &type);
    ASSERT_FALSE(typed.failed()) << typed.failure();
    EXPECT_EQ(out, flat + type.flatCount);
    const RawValue* in = flat;
    T lifted = Abi<T>::liftFlat(typed, in, &type);
    EXPECT_EQ(in, flat + type.flatCount);
    EXPECT_TRUE(same(lifted, value));

    in = flat;
    Value dynamicValue = liftFlat(typed, type, in);
    ASSERT_FALSE(typed.failed()) << typed.failure();
    FakeContext dynamic(encoding, 65536);
    RawValue dynamicFlat[MAX_FLAT_PARAMS];
    out = dynamicFlat;
    lowerFlat(dynamic, type, dynamicValue, out);
    ASSERT_EQ(out, dynamicFlat + type.flatCount);
    for (uint32_t i = 0; i < type.flatCount; i++) EXPECT_EQ(flat[i].i64, dynamicFlat[i].i64) << i;
    EXPECT_EQ(typed.data, dynamic.data);
    EXPECT_EQ(typed.log, dynamic.log);
  }

  template <typename T>
  std::string difference(const Type& type) {
    TypeMatch match;
    EXPECT_FALSE(Abi<T>::matches(type, match));
    return match.difference;
  }

  Types types;
};

template <typename T>
constexpr T EDGES[] = {0, 1, std::numeric_limits<T>::min(), std::numeric_limits<T>::max(),
                       static_cast<T>(-1)};

TEST_F(Typed, NumbersAgreeWithTheDynamicWalk) {
  auto each = [&]<typename... T>(std::type_identity<T>...) {
    (
        [&] {
          const Type& type = *types.of(detail::numberKind<T>());
          for (T value : EDGES<T>) agree<T>(type, value);
          agree(*types.list(&type), std::vector<T>(std::begin(EDGES<T>), std::end(EDGES<T>)));
          agree(*types.list(&type), std::vector<T>());
        }(),
        ...);
  };
  each(std::type_identity<int8_t>(), std::type_identity<uint8_t>(), std::type_identity<int16_t>(),
       std::type_identity<uint16_t>(), std::type_identity<int32_t>(),
       std::type_identity<uint32_t>(), std::type_identity<int64_t>(),
       std::type_identity<uint64_t>(), std::type_identity<float>(), std::type_identity<double>(),
       std::type_identity<long long>());
}

TEST_F(Typed, NaNBitsPassThrough) {
  for (uint32_t bits : {0x7FC00000u, 0x7F800001u, 0xFFFFFFFFu}) {
    agree(*types.f32, std::bit_cast<float>(bits));
    agree(*types.option(types.f32), std::optional(3.5f));
  }
  for (uint64_t bits : {0x7FF8000000000000u, 0x7FF0000000000001u, 0xFFFFFFFFFFFFFFFFu}) {
    agree(*types.f64, std::bit_cast<double>(bits));
  }
}

TEST_F(Typed, BoolsCharactersAndStringsAgreeInEveryEncoding) {
  agree(*types.boolean, true);
  agree(*types.list(types.boolean), std::vector<bool>{true, false, true});
  for (char32_t code : {0x0u, 0x41u, 0xD7FFu, 0xE000u, 0x10FFFFu}) {
    agree(*types.character, static_cast<char32_t>(code));
    agree(*types.character, Char{code});
  }
  for (const std::string& text : TEXTS) agree(*types.string, text);
  agree(*types.list(types.string), std::vector<std::string>(std::begin(TEXTS), std::end(TEXTS)));
}

TEST_F(Typed, RecordsAgreeWhetherTheyMoveAsBytesOrNot) {
  agree(*types.point(), Point{-1, 7});
  agree(*types.list(types.point()), std::vector<Point>{{1, 2}, {3, 4}, {-5, -6}});
  agree(*types.list(types.padded()), std::vector<Padded>{{1, 2}, {3, 4}});
  agree(*types.list(types.swapped()), std::vector<Swapped>{{1, 2}, {3, 4}});
  agree(*types.list(types.five()), std::vector<Five>{{1, 2, -3, 4.5f, 6.5, {7, 8}}, {}});
  agree(*types.tuple({types.u8, types.string, types.u64}),
        std::tuple<uint8_t, std::string, uint64_t>(1, "é", 2));
}

TEST_F(Typed, ArraysAndMapsAgree) {
  agree(*types.table.fixedList(types.u16, 3).value(), std::array<uint16_t, 3>{1, 2, 3});
  agree(*types.table.fixedList(types.string, 2).value(), std::array<std::string, 2>{"a", "é"});
  agree(*types.list(types.table.fixedList(types.point(), 2).value()),
        std::vector<std::array<Point, 2>>{{Point{1, 2}, Point{3, 4}}});
  agree(*types.table.map(types.string, types.u8).value(),
        std::vector<std::tuple<std::string, uint8_t>>{{"one", 1}, {"two", 2}});
  EXPECT_EQ(difference<std::vector<uint8_t>>(*types.table.fixedList(types.u8, 2).value()),
            "expected list<u8>, found list<u8, 2>");
  EXPECT_EQ((difference<std::array<uint8_t, 3>>(*types.table.fixedList(types.u8, 2).value())),
            "expected list<u8, 3>, found list<u8, 2>");
}

TEST_F(Typed, EnumsAndFlagsAgree) {
  for (Color color : {Color::RED, Color::LIGHT_GREEN, Color::BLUE}) agree(*types.color(), color);
  for (uint16_t bits = 0; bits < 8; bits++) agree(*types.access(), static_cast<Access>(bits));
  std::vector<std::string> labels;
  for (int i = 0; i < 32; i++) labels.push_back("f" + std::to_string(i));
  agree(*types.flags(labels), FlagSet<32>{0xDEADBEEF});
  labels.resize(17);
  agree(*types.flags(labels), FlagSet<17>{0x10001});
}

TEST_F(Typed, VariantsOptionsAndResultsAgreeInEveryCase) {
  for (const Shape& shape :
       {Shape(), Shape(Point{1, -1}), Shape("é"), Shape(1.5f), Shape(~uint64_t{0})}) {
    agree(*types.shape(), shape);
    agree(*types.list(types.shape()), std::vector<Shape>{shape, Shape()});
    agree(*types.option(types.shape()), std::optional<Shape>(shape));
  }
  agree(*types.option(types.option(types.f64)), std::optional<std::optional<double>>(std::nullopt));
  agree(*types.option(types.option(types.f64)),
        std::optional<std::optional<double>>(std::optional<double>()));
  agree(*types.result(nullptr, nullptr), Expected<void>());
  agree(*types.result(nullptr, nullptr), Expected<void>(Unexpected<void>{}));
  agree(*types.result(types.f32, types.u64), Expected<float, uint64_t>(-0.0f));
  agree(*types.result(types.f32, types.u64), Expected<float, uint64_t>(Unexpected{uint64_t{9}}));
  agree(*types.result(nullptr, types.string), Expected<void, std::string>(Unexpected{"no"}));
  agree(*types.result(types.string, nullptr), Expected<std::string>("yes"));
}

TEST_F(Typed, RandomNestedValuesAgree) {
  const Type& type = *types.person();
  const Type& listType = *types.list(&type);
  for (uint32_t seed = 0; seed < 200; seed++) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    auto below = [&](uint32_t limit) { return static_cast<uint32_t>(random() % limit); };
    auto text = [&] { return TEXTS[below(std::size(TEXTS))]; };
    auto person = [&] {
      Person person;
      person.fullName = text();
      if (below(2)) person.age = static_cast<uint16_t>(random());
      person.favourite = static_cast<Color>(below(3));
      person.access = static_cast<Access>(below(8));
      for (uint32_t i = below(4); i > 0; i--) person.path.push_back({int(random()), int(random())});
      for (uint32_t i = below(4); i > 0; i--) person.nicknames.push_back(text());
      switch (below(5)) {
        case 1:
          person.shape = Point{int(random()), 0};
          break;
        case 2:
          person.shape = text();
          break;
        case 3:
          person.shape = static_cast<float>(random());
          break;
        case 4:
          person.shape = uint64_t{random()} << 32 | random();
          break;
        default:
          break;
      }
      if (below(2)) person.outcome = Unexpected{text()};
      std::get<2>(person.misc) = static_cast<int64_t>(uint64_t{random()} << 32);
      std::get<1>(person.misc) = 0x1F600;
      for (uint32_t i = below(3); i > 0; i--) {
        person.swapped.push_back(below(2) ? std::optional(Swapped{below(1000), 1}) : std::nullopt);
      }
      return person;
    };
    agree(type, person());
    agree(listType, std::vector<Person>{person(), person()});
  }
}

TEST_F(Typed, HighBitsOfSmallCoreValuesAreIgnored) {
  FakeContext context;
  RawValue raw{};
  raw.i64 = 0xFFFFFFFF'FFFFFF80;
  const RawValue* in = &raw;
  EXPECT_EQ(Abi<uint8_t>::liftFlat(context, in, nullptr), 0x80);
  in = &raw;
  EXPECT_EQ(Abi<int8_t>::liftFlat(context, in, nullptr), -128);
  in = &raw;
  EXPECT_EQ(Abi<uint16_t>::liftFlat(context, in, nullptr), 0xFF80);
  in = &raw;
  EXPECT_TRUE(Abi<bool>::liftFlat(context, in, nullptr));
  in = &raw;
  EXPECT_EQ(Abi<FlagSet<8>>::liftFlat(context, in, nullptr).bits, 0x80u);
  in = &raw;
  EXPECT_EQ(Abi<Access>::liftFlat(context, in, nullptr), Access{});
  EXPECT_FALSE(context.failed());
}

TEST_F(Typed, ViewsPointIntoGuestMemoryWhenTheEncodingIsUtf8) {
  FakeContext context;
  StringRange range = storeString(context, "héllo");
  std::string_view view = viewString(context, range);
  EXPECT_EQ(view, "héllo");
  EXPECT_EQ(reinterpret_cast<const uint8_t*>(view.data()), &context.data[range.pointer]);

  FakeContext wide(StringEncoding::UTF16);
  range = storeString(wide, "héllo");
  EXPECT_EQ(viewString(wide, range), "héllo");
}

TEST_F(Typed, HandlesCarryTheRepAndTheTypeNamesTheirResource) {
  const Type& own = *types.table.own(3);
  const Type& pair = *types.record({{"a", &own}, {"b", types.table.borrow(4)}});
  using Pair = std::tuple<Own<Counter>, Borrow<Counter>>;
  const Type& tuple = *types.tuple({&own, types.table.borrow(4)});
  TypeMatch match;
  EXPECT_TRUE(Abi<Pair>::matches(tuple, match));
  ASSERT_EQ(match.resources.size(), 2u);
  EXPECT_EQ(match.resources[0].tag, &RESOURCE_TAG<Counter>);
  EXPECT_EQ(match.resources[0].resource, 3u);
  EXPECT_EQ(match.resources[1].resource, 4u);

  FakeContext context;
  RawValue flat[2];
  RawValue* out = flat;
  Abi<Pair>::lowerFlat(context, {{70}, {80}}, out, &tuple);
  EXPECT_EQ(flat[0].i32, 1u);
  EXPECT_EQ(context.table[1]->resource, 3u);
  EXPECT_EQ(context.table[1]->rep, 70u);
  EXPECT_FALSE(context.table[2]->own);
  const RawValue* in = flat;
  Pair lifted = Abi<Pair>::liftFlat(context, in, &tuple);
  EXPECT_FALSE(context.failed());
  EXPECT_EQ(std::get<0>(lifted).rep, 70u);
  EXPECT_EQ(std::get<1>(lifted).rep, 80u);
  EXPECT_FALSE(context.table[1].has_value());
  in = flat;
  Abi<Pair>::liftFlat(context, in, &tuple);
  EXPECT_TRUE(context.failed());
  EXPECT_EQ(difference<Own<Counter>>(pair).substr(0, 12), "expected own");
}

TEST_F(Typed, GuestResourcesPassThroughTheFactory) {
  const Type& own = *types.table.own(0);
  const Type& borrow = *types.table.borrow(0);
  FakeContext context;
  RawValue raw{};
  raw.i32 = context.add({true, 0, 99});
  const RawValue* in = &raw;
  GuestResource resource = Abi<GuestResource>::liftFlat(context, in, &own);
  ASSERT_TRUE(resource.handle);
  EXPECT_TRUE(resource.owned);

  RawValue* out = &raw;
  Abi<GuestResource>::lowerFlat(context, resource, out, &borrow);
  ASSERT_FALSE(context.failed()) << context.failure();
  EXPECT_EQ(context.table[raw.i32]->rep, 99u);
  EXPECT_FALSE(context.table[raw.i32]->own);
  out = &raw;
  Abi<GuestResource>::lowerFlat(context, resource, out, &own);
  ASSERT_FALSE(context.failed()) << context.failure();
  EXPECT_TRUE(resource.handle->moved());
  out = &raw;
  Abi<GuestResource>::lowerFlat(context, resource, out, &own);
  EXPECT_STREQ(context.failure(), "the handle was given away");
}

TEST_F(Typed, MismatchesNameTheFirstDifferenceByPath) {
  EXPECT_EQ(difference<uint32_t>(*types.string), "expected u32, found string");
  EXPECT_EQ(difference<std::string>(*types.u8), "expected string, found u8");
  EXPECT_EQ(difference<Point>(*types.record({{"x", types.s32}, {"y", types.f64}})),
            "field 'y': expected s32, found f64");
  EXPECT_EQ(difference<std::vector<Point>>(
                *types.list(types.record({{"x", types.s32}, {"z", types.s32}}))),
            "element: expected field 'y', found 'z'");
  EXPECT_EQ(difference<Point>(*types.record({{"x", types.s32}})), "expected 2 fields, found 1");
  EXPECT_EQ(difference<Color>(*types.enumeration({"red", "green", "blue"})),
            "expected case 'LIGHT_GREEN', found 'green'");
  EXPECT_EQ(difference<Access>(*types.flags({"read"})), "expected 3 flags, found 1");
  EXPECT_EQ(difference<FlagSet<2>>(*types.u8), "expected flags of 2, found u8");
  EXPECT_EQ(difference<std::optional<uint8_t>>(*types.option(types.u16)),
            "content: expected u8, found u16");
  EXPECT_EQ((difference<std::tuple<uint8_t, Point>>(
                *types.tuple({types.u8, types.record({{"x", types.s32}, {"y", types.u8}})}))),
            "element 1, field 'y': expected s32, found u8");
  EXPECT_EQ((difference<Expected<void, uint8_t>>(*types.result(types.u8, types.u8))),
            "ok: expected no payload, found u8");
  EXPECT_EQ((difference<Expected<uint8_t, uint8_t>>(*types.result(types.u8, nullptr))),
            "error: expected u8, found no payload");
  EXPECT_EQ(difference<Shape>(*types.variant({{"a", nullptr}})), "expected 5 cases, found 1");
  using Two = std::variant<std::monostate, uint8_t>;
  EXPECT_EQ(difference<Two>(*types.variant({{"a", nullptr}, {"b", types.string}})),
            "case 'b': expected u8, found string");
  EXPECT_EQ(difference<GuestResource>(*types.u32), "expected own or borrow, found u32");
  EXPECT_EQ((difference<std::tuple<uint8_t>>(*types.list(types.u8))),
            "expected tuple<u8>, found list<u8>");
}

TEST_F(Typed, NamesMatchLabelsWithoutCaseAndHyphens) {
  EXPECT_TRUE(detail::sameLabel("userId", "user-id"));
  EXPECT_TRUE(detail::sameLabel("USER_ID", "user-id"));
  EXPECT_TRUE(detail::sameLabel("default_", "default"));
  EXPECT_TRUE(detail::sameLabel("httpGET", "HTTP-get"));
  EXPECT_FALSE(detail::sameLabel("user", "user-id"));
  EXPECT_FALSE(detail::sameLabel("userId2", "user-id"));
}

}  // namespace
}  // namespace tenon::abi
