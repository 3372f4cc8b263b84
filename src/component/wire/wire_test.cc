// Values on the wire, row by row of the encoding; what is none; limits. Generated types and values
// are in tests/wire.
#include "component/wire/wire.h"

#include "component/abi/context_testing.h"
#include "component/abi/dynamic.h"
#include "component/abi/typed_testing.h"

#include <gtest/gtest.h>

#include <bit>
#include <string>
#include <utility>
#include <vector>

namespace tenon::abi {
namespace {

using testing::Types;

constexpr auto UTF8 = StringEncoding::UTF8;
constexpr uint64_t LIMIT = 1 << 20;

FuncType function(std::vector<const Type*> params, const Type* result = nullptr) {
  FuncType type;
  for (const Type* param : params) {
    type.params.push_back({"p" + std::to_string(type.params.size()), param});
  }
  type.result = result;
  return type;
}

std::string hex(std::span<const std::byte> bytes) {
  std::string out;
  constexpr char DIGITS[] = "0123456789abcdef";
  for (std::byte byte : bytes) {
    if (!out.empty()) out += ' ';
    out += DIGITS[std::to_integer<int>(byte) >> 4];
    out += DIGITS[std::to_integer<int>(byte) & 15];
  }
  return out;
}

std::vector<std::byte> fromHex(std::string_view text) {
  std::vector<std::byte> bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 3) {
    bytes.push_back(static_cast<std::byte>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

class WireTest : public ::testing::Test {
 protected:
  // One value as parameter, encoded; "" and a failure if that does not go.
  std::string encoded(const Type* type, const Value& value, StringEncoding encoding = UTF8) {
    FuncType func = function({type});
    FakeContext from(encoding);
    std::vector<Value> values{value};
    std::vector<RawValue> flat(slotCount(func));
    lowerParams(from, func, values, flat.data());
    std::vector<std::byte> out;
    if (!encodeParameters(from, func, flat.data(), out, LIMIT)) return from.failure();
    return hex(out);
  }
  // The value of these bytes, which have to be all there is; or why there is none.
  Value decoded(const Type* type, std::string_view text) {
    FuncType func = function({type});
    auto bytes = fromHex(text);
    EXPECT_EQ(scan(type, text), "") << text;
    FakeContext to(UTF8);
    std::vector<RawValue> flat(slotCount(func));
    EXPECT_TRUE(decodeParameters(to, func, bytes, flat.data())) << text << ": " << to.failure();
    auto values = liftParams(to, func, flat.data());
    EXPECT_EQ(values.size(), 1u);
    return values.empty() ? Value() : values[0];
  }
  // "" if the bytes are a value, "more" if they begin one, or the error.
  std::string scan(const Type* type, std::string_view text, uint64_t limit = LIMIT) {
    auto wire = WireType::parameters(function({type}));
    if (!wire) return wire.error().text();
    auto bytes = fromHex(text);
    WireScan scan(*wire, limit);
    auto progress = scan.scan(bytes);
    if (!progress) return progress.error().text();
    if (*progress == WireScan::Progress::MORE) return "more";
    return scan.size() == bytes.size() ? "" : "too many bytes";
  }
  void both(const Type* type, const Value& value, std::string_view text) {
    EXPECT_EQ(encoded(type, value), text) << toString(*type);
    EXPECT_EQ(decoded(type, text), value) << toString(*type) << " " << text;
  }

  Types types;
};

TEST_F(WireTest, NumbersAreLebBytesOrLittleEndian) {
  const Type* s8 = types.of(TypeKind::S8);
  both(types.boolean, Value(true), "01");
  both(types.boolean, Value(false), "00");
  both(types.u8, Value(uint8_t{255}), "ff");
  both(s8, Value(int8_t{-1}), "ff");
  both(types.u16, Value(uint16_t{127}), "7f");
  both(types.u16, Value(uint16_t{128}), "80 01");
  both(types.u16, Value(uint16_t{65535}), "ff ff 03");
  both(types.u32, Value(uint32_t{300}), "ac 02");
  both(types.u32, Value(~uint32_t{0}), "ff ff ff ff 0f");
  both(types.u64, Value(~uint64_t{0}), "ff ff ff ff ff ff ff ff ff 01");
  both(types.s16, Value(int16_t{-1}), "7f");
  both(types.s16, Value(int16_t{63}), "3f");
  both(types.s16, Value(int16_t{64}), "c0 00");
  both(types.s32, Value(int32_t{-64}), "40");
  both(types.s32, Value(int32_t{-42}), "56");
  both(types.s16, Value(int16_t{-32768}), "80 80 7e");
  both(types.s16, Value(int16_t{32767}), "ff ff 01");
  both(types.s32, Value(std::numeric_limits<int32_t>::min()), "80 80 80 80 78");
  both(types.s32, Value(std::numeric_limits<int32_t>::max()), "ff ff ff ff 07");
  both(types.s64, Value(std::numeric_limits<int64_t>::min()), "80 80 80 80 80 80 80 80 80 7f");
  both(types.s64, Value(std::numeric_limits<int64_t>::max()), "ff ff ff ff ff ff ff ff ff 00");
  both(types.f32, Value(1.5F), "00 00 c0 3f");
  both(types.f64, Value(1.5), "00 00 00 00 00 00 f8 3f");
  both(types.f32, Value(-0.0F), "00 00 00 80");
}

TEST_F(WireTest, EveryNanIsSentAsOneAndTakenAsItComes) {
  EXPECT_EQ(encoded(types.f32, Value(std::bit_cast<float>(0xff800001))), "00 00 c0 7f");
  EXPECT_EQ(encoded(types.f64, Value(std::bit_cast<double>(0xfff0000000000001))),
            "00 00 00 00 00 00 f8 7f");
  auto found = decoded(types.f32, "01 00 80 ff");
  EXPECT_EQ(std::bit_cast<uint32_t>(*found.find<float>()), 0xff800001);
}

TEST_F(WireTest, TextIsUtf8WhateverTheGuestHas) {
  both(types.character, Value(Char{U'a'}), "61");
  both(types.character, Value(Char{U'\u00e9'}), "c3 a9");
  both(types.character, Value(Char{U'\u20ac'}), "e2 82 ac");
  both(types.character, Value(Char{U'\U00010348'}), "f0 90 8d 88");
  both(types.string, Value(std::string("")), "00");
  both(types.string, Value(std::string("hello")), "05 68 65 6c 6c 6f");
  for (auto encoding : {StringEncoding::UTF16, StringEncoding::LATIN1_UTF16}) {
    EXPECT_EQ(encoded(types.string, Value(std::string("\u00e9\u20ac")), encoding),
              "05 c3 a9 e2 82 ac");
  }
}

TEST_F(WireTest, CompoundsAreTheirPartsInOrder) {
  auto u8 = [](int n) { return Value(static_cast<uint8_t>(n)); };
  auto u32 = [](uint32_t n) { return Value(n); };
  auto text = [](const char* t) { return Value(std::string(t)); };
  both(types.list(types.u8), Value(List{{u8(1), u8(2), u8(3)}}), "03 01 02 03");
  both(types.list(types.u32), Value(List{{u32(1), u32(300)}}), "02 01 ac 02");
  both(types.list(types.string), Value(List{{text("a"), text("bc")}}), "02 01 61 02 62 63");
  both(types.tuple({types.u8, types.string}), Value(Tuple{{u8(5), text("hi")}}), "05 02 68 69");
  both(types.option(types.u8), Value(Option{}), "00");
  both(types.option(types.u8), Value(Option{Box(u8(42))}), "01 2a");
  both(types.option(types.option(types.u8)), Value(Option{Box(Value(Option{}))}), "01 00");
  both(types.result(types.u8, types.string), Value(ResultValue{false, Box(u8(42))}), "00 2a");
  both(types.result(types.u8, types.string), Value(ResultValue{true, Box(text("no"))}),
       "01 02 6e 6f");
  both(types.result(nullptr, nullptr), Value(ResultValue{false, {}}), "00");
  both(types.shape(), Value(Variant{"number", Box(Value(uint64_t{7}))}), "04 07");
  both(types.shape(), Value(Variant{"none", {}}), "00");
  both(types.color(), Value(Enum{"blue"}), "02");
  std::vector<std::string> many;
  for (int i = 0; i < 300; i++) many.push_back("c" + std::to_string(i));
  both(types.enumeration(many), Value(Enum{"c200"}), "c8 01");
}

TEST_F(WireTest, FlagsTakeAsManyBytesAsTheyNeed) {
  both(types.flags({"a", "b", "c"}), Value(Flags{{"a", "c"}}), "05");
  for (int count : {1, 8, 9, 16, 17, 24, 25, 32}) {
    std::vector<std::string> labels;
    for (int i = 0; i < count; i++) labels.push_back("f" + std::to_string(i));
    std::string text;
    for (int i = 0; i < (count + 7) / 8; i++) {
      bool isLast = i == (count - 1) / 8;
      int bit = isLast ? 1 << ((count - 1) % 8) : 0;
      constexpr char DIGITS[] = "0123456789abcdef";
      if (i != 0) text += ' ';
      text += DIGITS[bit >> 4];
      text += DIGITS[bit & 15];
    }
    both(types.flags(labels), Value(Flags{{labels.back()}}), text);
  }
  // Bits that no flag has are nothing.
  EXPECT_EQ(decoded(types.flags({"a", "b", "c"}), "fd"), Value(Flags{{"a", "c"}}));
}

TEST_F(WireTest, LongerNumbersWithinTheirBytesAreTakenAndOthersRefused) {
  EXPECT_EQ(decoded(types.u32, "80 00"), Value(uint32_t{0}));
  EXPECT_EQ(decoded(types.u32, "82 80 80 80 00"), Value(uint32_t{2}));
  EXPECT_EQ(decoded(types.s32, "ff ff ff ff 7f"), Value(int32_t{-1}));
  const char* reason = "parameter 'p0': a number does not fit its type (at byte 0)";
  EXPECT_EQ(scan(types.u16, "ff ff 04"), reason);
  EXPECT_EQ(scan(types.u16, "80 80 80 00"), reason);
  EXPECT_EQ(scan(types.u32, "ff ff ff ff 1f"), reason);
  EXPECT_EQ(scan(types.u32, "80 80 80 80 80 00"), reason);
  EXPECT_EQ(scan(types.u64, "ff ff ff ff ff ff ff ff ff 02"), reason);
  EXPECT_EQ(scan(types.s16, "ff ff 02"), reason);
  EXPECT_EQ(scan(types.s16, "80 80 7c"), reason);
  EXPECT_EQ(scan(types.s32, "ff ff ff ff 0f"), reason);
  EXPECT_EQ(scan(types.s64, "ff ff ff ff ff ff ff ff ff 01"), reason);
}

TEST_F(WireTest, WhatIsNoValueIsRefusedWithItsPlace) {
  const Type* record =
      types.record({{"x", types.u8}, {"ys", types.list(types.option(types.boolean))}});
  EXPECT_EQ(scan(record, "07 03 00 01 01 01 02"),
            "parameter 'p0', field 'ys', element 2, some: a bool is neither 0 nor 1 (at byte 6)");
  EXPECT_EQ(scan(types.option(types.u8), "02"),
            "parameter 'p0': there is no such case (at byte 0)");
  EXPECT_EQ(scan(types.result(nullptr, types.character), "01 ed a0 80"),
            "parameter 'p0', error: a char is not UTF-8 of a Unicode scalar value (at byte 1)");
  for (const char* bad :
       {"80", "c0 80", "c1 bf", "e0 80 80", "f0 80 80 80", "f4 90 80 80", "ff", "c3 41"}) {
    EXPECT_EQ(scan(types.character, bad),
              "parameter 'p0': a char is not UTF-8 of a Unicode scalar value (at byte 0)")
        << bad;
  }
  EXPECT_EQ(scan(types.shape(), "05"), "parameter 'p0': there is no such case (at byte 0)");
  EXPECT_EQ(scan(types.color(), "03"), "parameter 'p0': there is no such case (at byte 0)");
  EXPECT_EQ(scan(types.string, "02 c3 28"),
            "parameter 'p0': a string is not valid UTF-8 (at byte 0)");
  EXPECT_EQ(scan(types.string, "03 ed a0 80"),
            "parameter 'p0': a string is not valid UTF-8 (at byte 0)");
}

TEST_F(WireTest, CutAnywhereThereIsMoreToComeAndThePlaceSaysWhere) {
  const Type* record = types.record({{"name", types.string},
                                     {"tags", types.list(types.string)},
                                     {"kind", types.result(types.u64, types.shape())}});
  Value value(Record{
      {{"name", Value(std::string("abc"))},
       {"tags", Value(List{{Value(std::string("x")), Value(std::string("yz"))}})},
       {"kind",
        Value(ResultValue{true, Box(Value(Variant{"number", Box(Value(~uint64_t{0}))}))})}}});
  std::string text = encoded(record, value);
  auto bytes = fromHex(text);
  auto wire = WireType::parameters(function({record}));
  ASSERT_TRUE(wire);
  for (size_t cut = 0; cut < bytes.size(); cut++) {
    WireScan scan(*wire, LIMIT);
    auto progress = scan.scan(std::span(bytes).first(cut));
    ASSERT_TRUE(progress) << progress.error().text();
    EXPECT_EQ(*progress, WireScan::Progress::MORE) << cut;
    EXPECT_LE(scan.size(), cut);
    // Going on from there gives what scanning at once does.
    progress = scan.scan(bytes);
    ASSERT_TRUE(progress) << progress.error().text();
    EXPECT_EQ(*progress, WireScan::Progress::DONE);
    EXPECT_EQ(scan.size(), bytes.size());
  }
  auto placeAt = [&](size_t cut) {
    WireScan scan(*wire, LIMIT);
    EXPECT_TRUE(scan.scan(std::span(bytes).first(cut)));
    return scan.place();
  };
  EXPECT_EQ(placeAt(2), "parameter 'p0', field 'name'");
  EXPECT_EQ(placeAt(5), "parameter 'p0', field 'tags', element 0");
  EXPECT_EQ(placeAt(8), "parameter 'p0', field 'tags', element 1");
  EXPECT_EQ(placeAt(10), "parameter 'p0', field 'kind'");
  EXPECT_EQ(placeAt(13), "parameter 'p0', field 'kind', error, case 'number'");
}

TEST_F(WireTest, CountsThatCannotComeAreRefusedBeforeAnythingIsTaken) {
  const Type* wide = types.tuple(std::vector<const Type*>(64, types.u64));
  EXPECT_EQ(scan(types.list(types.u8), "ff ff ff ff 0f"),
            "parameter 'p0': longer than the bytes that may come (at byte 0)");
  EXPECT_EQ(scan(types.string, "ff ff ff ff 0f"),
            "parameter 'p0': longer than the bytes that may come (at byte 0)");
  // 2^20 options of 512 bytes are 2^29 bytes in memory, for 2^20 bytes on the wire.
  EXPECT_EQ(scan(types.list(types.option(wide)), "80 80 40", 1 << 21),
            "parameter 'p0': longer than 2^28 - 1 bytes in memory (at byte 0)");
  EXPECT_EQ(scan(types.list(types.u8), "05 01 02 03 04 05", 6), "");
  EXPECT_EQ(scan(types.list(types.u8), "06 01 02 03 04 05 06", 6),
            "parameter 'p0': longer than the bytes that may come (at byte 0)");
  EXPECT_EQ(scan(types.tuple({types.u64, types.u64}), "01 80 80 80", 3),
            "parameter 'p0', element 1: too many bytes (at byte 1)");
}

TEST_F(WireTest, TheEncoderStopsAtItsLimitAndAtBadValues) {
  FuncType type = function({types.list(types.list(types.u8))});
  // 100 lists of 512 bytes at one place.
  FakeContext from(UTF8);
  for (uint32_t i = 0; i < 100; i++) {
    uint32_t pair[] = {4096, 512};
    std::memcpy(&from.data[8 * i], pair, 8);
  }
  RawValue flat[2] = {};
  flat[1].i64 = 100;
  std::vector<std::byte> out;
  EXPECT_FALSE(encodeParameters(from, type, flat, out, 10'000));
  EXPECT_STREQ(from.failure(), "the values of one call take more bytes than allowed");
  EXPECT_LE(out.size(), 10'010u);

  FakeContext poor(UTF8, from.data);
  poor.budget = 800 + 99 * 512;
  out.clear();
  EXPECT_FALSE(encodeParameters(poor, type, flat, out, LIMIT));
  EXPECT_STREQ(poor.failure(), "the values of one call take more host memory than allowed");

  FakeContext bad(UTF8);
  flat[0].i64 = 0x110000;
  EXPECT_FALSE(encodeParameters(bad, function({types.character}), flat, out, LIMIT));
  EXPECT_STREQ(bad.failure(), "a char is not a Unicode scalar value");

  FakeContext exact(UTF8);
  flat[0].i64 = 300;
  out.clear();
  EXPECT_TRUE(encodeParameters(exact, function({types.u32}), flat, out, 2));
  FakeContext over(UTF8);
  EXPECT_FALSE(encodeParameters(over, function({types.u32}), flat, out, 1));
}

TEST_F(WireTest, ResultsGoWhereTheCallerSays) {
  FuncType type = function({types.u32}, types.person());
  FakeContext callee(UTF8), caller(UTF8);
  uint32_t at = callee.allocate(type.result->size, type.result->alignment);
  RawValue result[1], flat[2];
  result[0].i64 = at;
  std::vector<std::byte> bytes;
  EXPECT_TRUE(encodeResult(callee, type, result, bytes, LIMIT));
  auto wire = WireType::result(type);
  ASSERT_TRUE(wire);
  WireScan scan(*wire, LIMIT);
  auto progress = scan.scan(bytes);
  ASSERT_TRUE(progress) << progress.error().text();
  EXPECT_EQ(*progress, WireScan::Progress::DONE);
  flat[1].i64 = 4096;
  EXPECT_TRUE(decodeResult(caller, type, bytes, flat));
  EXPECT_EQ(load(caller, *type.result, 4096), load(callee, *type.result, at));
  flat[1].i64 = 8190;
  FakeContext bad(UTF8);
  EXPECT_FALSE(decodeResult(bad, type, bytes, flat));
  EXPECT_TRUE(bad.log.empty());
}

TEST_F(WireTest, NoValuesAreNoBytes) {
  FuncType type = function({});
  FakeContext context(UTF8);
  std::vector<std::byte> bytes;
  RawValue flat[1] = {};
  EXPECT_TRUE(encodeParameters(context, type, flat, bytes, 0));
  EXPECT_TRUE(encodeResult(context, type, flat, bytes, 0));
  EXPECT_TRUE(bytes.empty());
  auto wire = WireType::result(type);
  ASSERT_TRUE(wire);
  WireScan scan(*wire, 0);
  EXPECT_EQ(*scan.scan(bytes), WireScan::Progress::DONE);
  EXPECT_TRUE(decodeParameters(context, type, bytes, flat));
  EXPECT_TRUE(decodeResult(context, type, bytes, flat));
}

class Tokens final : public WireHandles {
 public:
  void encode(Context&, const Type& type, uint32_t index, std::vector<std::byte>& out) override {
    out.push_back(static_cast<std::byte>(type.resource));
    out.push_back(static_cast<std::byte>(index));
  }
  uint32_t decode(Context& to, const Type& type, std::span<const std::byte> handle) override {
    if (handle.size() != 2 || std::to_integer<uint32_t>(handle[0]) != type.resource) {
      to.fail("there is no such handle");
      return 0;
    }
    return std::to_integer<uint32_t>(handle[1]) + 100;
  }
};

TEST_F(WireTest, HandlesAreBytesOfTheLink) {
  FuncType type = function({types.table.borrow(3), types.list(types.table.own(4))});
  FakeContext from(UTF8), to(UTF8);
  RawValue in[3] = {}, out[3] = {};
  from.data[64] = 9;
  in[0].i64 = 7;
  in[1].i64 = 64;
  in[2].i64 = 1;
  Tokens tokens;
  std::vector<std::byte> bytes;
  EXPECT_TRUE(encodeParameters(from, type, in, bytes, LIMIT, &tokens));
  EXPECT_EQ(hex(bytes), "02 03 07 01 02 04 09");
  EXPECT_TRUE(decodeParameters(to, type, bytes, out, &tokens));
  EXPECT_EQ(out[0].i64, 107u);
  EXPECT_EQ(to.data[out[1].i32], 109);
  bytes[1] = std::byte{9};
  EXPECT_FALSE(decodeParameters(to, type, bytes, out, &tokens));
  EXPECT_STREQ(to.failure(), "there is no such handle");
  FakeContext nobody(UTF8);
  EXPECT_FALSE(encodeParameters(nobody, type, in, bytes, LIMIT));
}

TEST_F(WireTest, WhatHasNoEncodingIsRefusedWithItsPlace) {
  auto refusal = [](const FuncType& type) {
    auto wire = WireType::parameters(type);
    return wire ? "" : wire.error().text();
  };
  const Type* stream = types.table.stream(types.u8).value();
  const Type* map = types.table.map(types.string, types.u8).value();
  const Type* fixed = types.table.fixedList(types.u8, 4).value();
  EXPECT_EQ(refusal(function({types.u8, types.option(stream)})),
            "parameter 'p1', some: streams and futures cannot be sent");
  EXPECT_EQ(refusal(function({types.record({{"m", map}})})),
            "parameter 'p0', field 'm': maps cannot be sent");
  EXPECT_EQ(refusal(function({types.list(fixed)})),
            "parameter 'p0', element: lists of fixed length cannot be sent");
  auto result = WireType::result(function({}, types.result(nullptr, stream)));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().text(), "result, error: streams and futures cannot be sent");
}

TEST_F(WireTest, BytesThatWereNotScannedFailTheGuest) {
  FuncType type = function({types.list(types.string)});
  RawValue flat[2] = {};
  for (const char* text : {"", "02 01", "01 05 61", "ff ff ff ff 0f", "01 01 ff"}) {
    FakeContext to(UTF8);
    EXPECT_FALSE(decodeParameters(to, type, fromHex(text), flat)) << text;
    EXPECT_TRUE(to.failed());
  }
}

}  // namespace
}  // namespace tenon::abi
