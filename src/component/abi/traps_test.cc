// What a hostile or broken guest passes, in both walks, and what a host may not pass.
#include "component/abi/context_testing.h"
#include "component/abi/dynamic.h"
#include "component/abi/typed_testing.h"

#include <gtest/gtest.h>

namespace tenon::abi {
namespace {

using namespace tenon::abi::testing;

constexpr auto UTF8 = StringEncoding::UTF8;
constexpr auto UTF16 = StringEncoding::UTF16;
constexpr auto LATIN1 = StringEncoding::LATIN1_UTF16;
constexpr uint32_t TAG = 0x80000000;

class Traps : public ::testing::Test {
 protected:
  // The failure of lifting `flat` as `type`, or "" for none; typed and dynamic walks must agree.
  template <typename T>
  std::string lift(const Type& type, std::vector<uint64_t> flat, StringEncoding encoding = UTF8,
                   std::vector<uint8_t> memory = std::vector<uint8_t>(64)) {
    std::vector<RawValue> raw(flat.size());
    for (size_t i = 0; i < flat.size(); i++) raw[i].i64 = flat[i];
    FakeContext typed(encoding, memory);
    const RawValue* in = raw.data();
    Abi<T>::liftFlat(typed, in, &type);
    EXPECT_EQ(in, raw.data() + raw.size());
    FakeContext dynamic(encoding, memory);
    in = raw.data();
    liftFlat(dynamic, type, in);
    EXPECT_EQ(typed.failed(), dynamic.failed());
    if (!typed.failed()) return "";
    EXPECT_STREQ(typed.failure(), dynamic.failure());
    return typed.failure();
  }

  std::string liftString(StringEncoding encoding, std::vector<uint8_t> bytes) {
    uint64_t units = encoding == UTF16 ? bytes.size() / 2 : bytes.size();
    return lift<std::string>(*types.string, {0, units}, encoding, bytes);
  }

  Types types;
};

TEST_F(Traps, CharactersOutsideUnicodeScalarValuesTrap) {
  const char* reason = "a char is not a Unicode scalar value";
  for (uint32_t code : {0xD800u, 0xDBFFu, 0xDC00u, 0xDFFFu, 0x110000u, 0xFFFFFFFFu}) {
    EXPECT_EQ(lift<char32_t>(*types.character, {code}), reason) << code;
  }
  EXPECT_EQ(lift<char32_t>(*types.character, {0x10FFFF}), "");
}

TEST_F(Traps, DiscriminantsWithoutACaseTrap) {
  const char* reason = "a discriminant names no case of its type";
  EXPECT_EQ(lift<Color>(*types.color(), {3}), reason);
  EXPECT_EQ(lift<Color>(*types.color(), {256}), reason);
  EXPECT_EQ(lift<std::optional<uint8_t>>(*types.option(types.u8), {2, 0}), reason);
  EXPECT_EQ((lift<Expected<uint8_t, void>>(*types.result(types.u8, nullptr), {0xFFFFFFFF, 0})),
            reason);
  EXPECT_EQ(lift<Shape>(*types.shape(), {5, 0, 0}), reason);
}

TEST_F(Traps, ListsMustBeAlignedInBoundsAndShortEnough) {
  const Type& list = *types.list(types.u32);
  using List = std::vector<uint32_t>;
  const char* unaligned = "a pointer is not aligned for its type";
  const char* outside = "a pointer is out of bounds of the memory";
  const char* tooLong = "a list is longer than 2^28 - 1 bytes";
  EXPECT_EQ(lift<List>(list, {4, 15}), "");
  EXPECT_EQ(lift<List>(list, {64, 0}), "");
  EXPECT_EQ(lift<List>(list, {4, 16}), outside);
  EXPECT_EQ(lift<List>(list, {68, 0}), outside);
  EXPECT_EQ(lift<List>(list, {0xFFFFFFFC, 0}), outside);
  EXPECT_EQ(lift<List>(list, {0xFFFFFFFC, 2}), outside);
  EXPECT_EQ(lift<List>(list, {2, 0}), unaligned);
  EXPECT_EQ(lift<List>(list, {0, 0x4000000}), tooLong);
  EXPECT_EQ(lift<List>(list, {0, 0x3FFFFFF}), outside);
  EXPECT_EQ(lift<List>(list, {0, 0xFFFFFFFF}), tooLong);
  EXPECT_EQ(lift<List>(list, {0, 0x40000001}), tooLong);  // 4 bytes in 32-bit arithmetic
  EXPECT_EQ(lift<std::vector<uint8_t>>(*types.list(types.u8), {0, (1 << 28) - 1}), outside);
  EXPECT_EQ(lift<std::vector<uint8_t>>(*types.list(types.u8), {0, 1 << 28}), tooLong);
}

TEST_F(Traps, AListOfHugeHostElementsIsChargedBeforeItIsMade) {
  std::vector<uint8_t> memory(1 << 20);
  const Type& bools = *types.list(types.boolean);
  std::vector<RawValue> raw(2);
  raw[1].i64 = memory.size();
  FakeContext context(UTF8, memory);
  context.budget = 1 << 20;
  const RawValue* in = raw.data();
  liftFlat(context, bools, in);
  EXPECT_TRUE(context.failed());
  EXPECT_EQ(context.budget, uint64_t{1} << 20);
}

TEST_F(Traps, StringsThatLieAtOnePlaceAreChargedEachTime) {
  for (StringEncoding encoding : {UTF8, UTF16, LATIN1}) {
    FakeContext views(encoding, std::vector<uint8_t>(64));
    FakeContext copies(encoding, std::vector<uint8_t>(64));
    views.budget = copies.budget = 100;
    for (int i = 0; i < 3; i++) {
      EXPECT_EQ(viewString(views, {0, 30}).size(), 30u);
      EXPECT_EQ(loadString(copies, {0, 30}).size(), 30u);
    }
    EXPECT_EQ(viewString(views, {0, 30}), "");
    EXPECT_EQ(loadString(copies, {0, 30}), "");
    EXPECT_TRUE(views.failed() && copies.failed());
    EXPECT_EQ(views.budget, 10u);
    EXPECT_EQ(copies.budget, 10u);
  }
  // In a list, as host functions take them.
  std::vector<uint8_t> memory(1 << 16, 'x');
  for (uint32_t i = 0; i < 100; i++) {
    uint32_t pair[] = {0x8000, 0x8000};
    std::memcpy(&memory[8 * i], pair, 8);
  }
  FakeContext context(UTF8, memory);
  context.budget = 1 << 20;
  std::vector<RawValue> raw(2);
  raw[1].i32 = 100;
  const RawValue* in = raw.data();
  Abi<std::vector<std::string_view>>::liftFlat(context, in, types.list(types.string));
  EXPECT_STREQ(context.failure(), "the values of one call take more host memory than allowed");
}

TEST_F(Traps, StringsMustBeInBoundsAlignedAndShortEnough) {
  const Type& string = *types.string;
  const char* outside = "a string is out of bounds of the memory";
  const char* unaligned = "a string is not aligned for its encoding";
  const char* tooLong = "a string is longer than 2^28 - 1 bytes";
  EXPECT_EQ(lift<std::string>(string, {1, 63}), "");
  EXPECT_EQ(lift<std::string>(string, {64, 0}), "");
  EXPECT_EQ(lift<std::string>(string, {65, 0}), outside);
  EXPECT_EQ(lift<std::string>(string, {1, 64}), outside);
  EXPECT_EQ(lift<std::string>(string, {0xFFFFFFFF, 1}), outside);
  EXPECT_EQ(lift<std::string>(string, {0, (1 << 28) - 1}), outside);
  EXPECT_EQ(lift<std::string>(string, {0, 1 << 28}), tooLong);
  EXPECT_EQ(lift<std::string>(string, {0, TAG | 1}), tooLong);  // utf8 has no tag
  EXPECT_EQ(lift<std::string>(string, {2, 31}, UTF16), "");
  EXPECT_EQ(lift<std::string>(string, {2, 32}, UTF16), outside);
  EXPECT_EQ(lift<std::string>(string, {1, 0}, UTF16), unaligned);
  EXPECT_EQ(lift<std::string>(string, {0, 1 << 27}, UTF16), tooLong);
  EXPECT_EQ(lift<std::string>(string, {0, (1 << 27) - 1}, UTF16), outside);
  EXPECT_EQ(lift<std::string>(string, {0, TAG}, UTF16), tooLong);
  EXPECT_EQ(lift<std::string>(string, {0, 64}, LATIN1), "");
  EXPECT_EQ(lift<std::string>(string, {0, TAG | 32}, LATIN1), "");
  EXPECT_EQ(lift<std::string>(string, {0, TAG | 33}, LATIN1), outside);
  EXPECT_EQ(lift<std::string>(string, {1, 1}, LATIN1), unaligned);
  EXPECT_EQ(lift<std::string>(string, {0, 1 << 28}, LATIN1), tooLong);
  EXPECT_EQ(lift<std::string>(string, {0, TAG | 1 << 27}, LATIN1), tooLong);
}

TEST_F(Traps, InvalidUtf8Traps) {
  const char* reason = "a string is not valid UTF-8";
  std::vector<std::vector<uint8_t>> bad = {
      {0x80},                    // a continuation alone
      {0xC3},                    // cut off
      {0xC0, 0x80},              // overlong
      {0xE0, 0x80, 0x80},        // overlong
      {0xED, 0xA0, 0x80},        // a surrogate
      {0xF0, 0x80, 0x80, 0x80},  // overlong
      {0xF4, 0x90, 0x80, 0x80},  // above U+10FFFF
      {0xF8, 0x88, 0x80, 0x80, 0x80},
      {0xFF},
      {'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 0xC3, 'i'},
  };
  for (const auto& bytes : bad) {
    EXPECT_EQ(liftString(UTF8, bytes), reason);
    for (size_t length : {100, 1000}) {
      std::vector<uint8_t> longText(length, 'x');
      longText.insert(longText.end(), bytes.begin(), bytes.end());
      EXPECT_EQ(liftString(UTF8, longText), reason);
    }
  }
  EXPECT_EQ(liftString(UTF8, {0xF4, 0x8F, 0xBF, 0xBF}), "");
}

TEST_F(Traps, UnpairedSurrogatesTrap) {
  const char* reason = "a string has an unpaired surrogate";
  EXPECT_EQ(liftString(UTF16, {0x00, 0xD8}), reason);
  EXPECT_EQ(liftString(UTF16, {0x00, 0xDC}), reason);
  EXPECT_EQ(liftString(UTF16, {0x00, 0xD8, 0x41, 0x00}), reason);
  EXPECT_EQ(liftString(UTF16, {0x00, 0xD8, 0x00, 0xD8, 0x00, 0xDC}), reason);
  EXPECT_EQ(liftString(UTF16, {0x00, 0xDC, 0x00, 0xD8}), reason);
  EXPECT_EQ(liftString(UTF16, {0x00, 0xD8, 0x00, 0xDC}), "");
  EXPECT_EQ(lift<std::string>(*types.string, {0, TAG | 1}, LATIN1, {0xFF, 0xDF}), reason);
}

TEST_F(Traps, AViewOfABadStringIsEmpty) {
  FakeContext context(UTF8, std::vector<uint8_t>{0xFF, 'a'});
  EXPECT_EQ(viewString(context, {0, 1}), "");
  EXPECT_TRUE(context.failed());
  EXPECT_EQ(viewString(context, {1, 1}), "");
}

TEST_F(Traps, ReallocThatReturnsRubbishTrapsAndNothingIsWritten) {
  for (StringEncoding encoding : {UTF8, UTF16, LATIN1}) {
    for (uint32_t pointer : {0xFFFFFFF0u, 8192u, 8190u}) {
      FakeContext context(encoding);
      context.forced = pointer;
      storeString(context, "hé☃");
      EXPECT_TRUE(context.failed());
      EXPECT_EQ(context.data, std::vector<uint8_t>(8192));
    }
  }
  FakeContext context;
  context.forced = 3;
  Abi<std::vector<uint32_t>>::store(context, {1, 2}, 0, nullptr);
  EXPECT_TRUE(context.failed());
  FakeContext dynamic;
  dynamic.forced = 3;
  store(dynamic, *types.list(types.padded()),
        List{{Record{{{"small", uint8_t{1}}, {"large", uint64_t{2}}}}}}, 0);
  EXPECT_TRUE(dynamic.failed());
}

TEST_F(Traps, TheHostCannotPassTextOrValuesThatGuestsMustNotSee) {
  FakeContext text;
  storeString(text, "\xFF");
  EXPECT_STREQ(text.failure(), "a string given by the host is not valid UTF-8");
  EXPECT_TRUE(text.log.empty());
  RawValue raw[2];
  RawValue* out = raw;
  FakeContext character;
  Abi<char32_t>::lowerFlat(character, 0xD800, out, nullptr);
  EXPECT_TRUE(character.failed());
  out = raw;
  FakeContext color;
  Abi<Color>::lowerFlat(color, static_cast<Color>(9), out, nullptr);
  EXPECT_TRUE(color.failed());
}

TEST_F(Traps, WrongDynamicValuesFailAndNeverMisbehave) {
  const std::vector<Value> values = {true,
                                     uint8_t{1},
                                     int64_t{1},
                                     1.5f,
                                     1.5,
                                     Char{0xD800},
                                     "text",
                                     List{{"x"}},
                                     Record{},
                                     Record{{{"x", "y"}}},
                                     Tuple{{uint8_t{1}}},
                                     Variant{"nope", {}},
                                     Variant{"dot", {}},
                                     Variant{"none", Box("x")},
                                     Enum{"nope"},
                                     Option{Box("x")},
                                     ResultValue{true, {}},
                                     Flags{{"nope"}},
                                     Resource{},
                                     "\xFF"};
  const std::vector<const Type*> all = {types.boolean,
                                        types.u8,
                                        types.s64,
                                        types.f32,
                                        types.character,
                                        types.list(types.u8),
                                        types.person(),
                                        types.point(),
                                        types.tuple({types.u8, types.u8}),
                                        types.shape(),
                                        types.color(),
                                        types.option(types.u8),
                                        types.result(types.u8, types.string),
                                        types.access(),
                                        types.table.own(0),
                                        types.table.borrow(0)};
  for (const Type* type : all) {
    for (const Value& value : values) {
      if (checkValue(*type, value, "").ok()) continue;
      FakeContext context;
      store(context, *type, value, 8);
      EXPECT_TRUE(context.failed()) << toString(*type) << " " << describeValue(value);
      if (type->flatCount > MAX_FLAT_PARAMS) continue;
      FakeContext flat;
      RawValue raw[MAX_FLAT_PARAMS];
      RawValue* out = raw;
      lowerFlat(flat, *type, value, out);
      EXPECT_TRUE(flat.failed()) << toString(*type) << " " << describeValue(value);
      EXPECT_LE(out, raw + type->flatCount);
    }
  }
}

TEST_F(Traps, StreamsFuturesAndErrorContextsAreRefused) {
  for (const Type* type :
       {types.table.stream(types.u8).value(), types.table.future(nullptr).value(),
        types.of(TypeKind::ERROR_CONTEXT)}) {
    FakeContext context;
    RawValue raw{};
    const RawValue* in = &raw;
    liftFlat(context, *type, in);
    EXPECT_TRUE(context.failed());
    auto checked = checkValue(*type, uint32_t{1}, "argument 's'");
    ASSERT_FALSE(checked.ok());
    EXPECT_EQ(checked.error().code, ErrorCode::UNSUPPORTED);
  }
}

// Source: definitions.py `store_string_to_latin1_or_utf16`; found by tests/differential.
TEST_F(Traps, TextThatTurnsOutNotToBeLatin1IsWidenedAsTheGuestsReallocLeftIt) {
  FakeContext context(LATIN1);
  context.afterRealloc = [](std::vector<uint8_t>& data) { data[8] = 'x'; };
  StringRange range = storeString(context, "a\u20ac");
  ASSERT_FALSE(context.failed());
  EXPECT_EQ(range.codeUnits, 2 | TAG);
  EXPECT_EQ(context.data[range.pointer], 'x');
  EXPECT_EQ(context.data[range.pointer + 1], 0);
  EXPECT_EQ(context.data[range.pointer + 2], 0xac);
  EXPECT_EQ(context.data[range.pointer + 3], 0x20);
}

}  // namespace
}  // namespace tenon::abi
