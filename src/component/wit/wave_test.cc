#include "component/wit/wave.h"

#include "base/cpu_time_testing.h"
#include "component/types/type_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <chrono>
#include <limits>

namespace tenon::component {
namespace {

using ::testing::HasSubstr;

class Wave : public ::testing::Test {
 protected:
  const Type* primitive(TypeKind kind) { return types.primitive(kind); }
  const Type* list(const Type* element) { return types.list(element).value(); }
  const Type* option(const Type* element) { return types.option(element).value(); }
  const Type* result(const Type* ok, const Type* error) { return types.result(ok, error).value(); }
  const Type* tuple(std::vector<const Type*> elements) {
    return types.tuple(std::move(elements)).value();
  }
  const Type* record(std::vector<Labelled> fields) {
    return types.record(std::move(fields)).value();
  }
  const Type* variant(std::vector<Labelled> cases) {
    return types.variant(std::move(cases)).value();
  }
  const Type* enumeration(std::vector<std::string> labels) {
    return types.enumeration(std::move(labels)).value();
  }
  const Type* flags(std::vector<std::string> labels) {
    return types.flags(std::move(labels)).value();
  }

  // `text` parses, and prints as `printed`, which parses to the same value again.
  void expectPrints(const Type* type, std::string_view text, std::string_view printed) {
    SCOPED_TRACE(std::string(text) + " as " + toString(*type));
    const Result<Value> value = parseWave(text, *type);
    ASSERT_TRUE(value) << value.error().text();
    EXPECT_EQ(printWave(*value), printed);
    const Result<Value> again = parseWave(printed, *type);
    ASSERT_TRUE(again) << again.error().text();
    EXPECT_EQ(*again, *value);
  }
  void expectRoundTrip(const Type* type, std::string_view text) { expectPrints(type, text, text); }

  void expectError(const Type* type, std::string_view text, ErrorCode code, uint64_t offset,
                   std::string_view message) {
    SCOPED_TRACE(std::string(text) + " as " + toString(*type));
    const Result<Value> value = parseWave(text, *type);
    ASSERT_FALSE(value) << printWave(*value);
    EXPECT_STREQ(toString(value.error().code), toString(code)) << value.error().text();
    EXPECT_EQ(value.error().offset, offset) << value.error().text();
    EXPECT_THAT(value.error().message, HasSubstr(message));
  }

  TypeTable types;
  const Type* boolean = primitive(TypeKind::BOOL);
  const Type* u8 = primitive(TypeKind::U8);
  const Type* s8 = primitive(TypeKind::S8);
  const Type* u32 = primitive(TypeKind::U32);
  const Type* s64 = primitive(TypeKind::S64);
  const Type* u64 = primitive(TypeKind::U64);
  const Type* f32 = primitive(TypeKind::F32);
  const Type* f64 = primitive(TypeKind::F64);
  const Type* character = primitive(TypeKind::CHAR);
  const Type* string = primitive(TypeKind::STRING);
};

TEST_F(Wave, ReadsAndPrintsPrimitives) {
  expectRoundTrip(boolean, "true");
  expectRoundTrip(boolean, "false");
  expectRoundTrip(u8, "0");
  expectRoundTrip(u8, "255");
  expectRoundTrip(s8, "-128");
  expectPrints(s8, "-0", "0");
  expectRoundTrip(primitive(TypeKind::S16), "-32768");
  expectRoundTrip(primitive(TypeKind::U16), "65535");
  expectRoundTrip(primitive(TypeKind::S32), "-2147483648");
  expectRoundTrip(u32, "4294967295");
  expectRoundTrip(s64, "-9223372036854775808");
  expectRoundTrip(u64, "18446744073709551615");
  expectPrints(u32, "  7 // seven\n", "7");
}

TEST_F(Wave, ReadsAndPrintsFloatsExactly) {
  for (const Type* type : {f32, f64}) {
    for (const char* text : {"0", "-0", "1", "-1.5", "0.1", "nan", "inf", "-inf", "1e+30"}) {
      expectRoundTrip(type, text);
    }
    expectPrints(type, "1.0", "1");
    expectPrints(type, "100e-2", "1");
    expectPrints(type, "1E3", "1000");
  }
  expectRoundTrip(f64, "5e-324");
  expectRoundTrip(f64, "1.7976931348623157e+308");
  expectRoundTrip(f32, "3.4028235e+38");
  expectRoundTrip(f64, "0.30000000000000004");
  const Result<Value> zero = parseWave("-0", *f32);
  ASSERT_TRUE(zero);
  EXPECT_EQ(std::bit_cast<uint32_t>(*zero->find<float>()), 0x80000000U);
}

TEST_F(Wave, ReadsAndPrintsCharacters) {
  expectRoundTrip(character, "'x'");
  expectRoundTrip(character, "'☃'");
  expectRoundTrip(character, "'\U0001f600'");
  expectRoundTrip(character, "'\\''");
  expectRoundTrip(character, "'\"'");
  expectRoundTrip(character, "'\\\\'");
  expectRoundTrip(character, "'\\n'");
  expectPrints(character, "'\\u{0}'", "'\\u{0}'");
  expectPrints(character, "'\\u{10FFFF}'", "'\\u{10ffff}'");
  expectPrints(character, "'\\u{61}'", "'a'");
  expectPrints(character, "'\\\"'", "'\"'");
}

TEST_F(Wave, ReadsAndPrintsStrings) {
  expectRoundTrip(string, R"("")");
  expectRoundTrip(string, R"("abc\t123")");
  expectRoundTrip(string, R"("it's \"quoted\" and \\")");
  expectRoundTrip(string, R"("grüße \u{200b} \u{1b}[31m")");
  expectPrints(string, R"("\u{1F44B}\'\r\n")", "\"\U0001f44b'\\r\\n\"");
  expectPrints(string, "\"// no comment\"", "\"// no comment\"");
}

TEST_F(Wave, ReadsMultilineStrings) {
  expectPrints(string, "\"\"\"\nA single line\n\"\"\"", R"("A single line")");
  expectPrints(string, "\"\"\"\n    Indentation\n      by end\n  \"\"\"",
               R"("  Indentation\n    by end")");
  expectPrints(string, "\"\"\"\r\nCR\r\nLF\\r\r\n\"\"\"", R"("CR\nLF\r")");
  expectPrints(string, "\"\"\"\n\"\"\"", R"("")");
  expectPrints(string, "\"\"\"\n\n\"\"\"", R"("")");
  expectPrints(string, "\"\"\"\n\n\n\"\"\"", R"("\n")");
  expectPrints(string, "\"\"\"\n \"\"\\\"\" \n \"\"\"", R"("\"\"\"\" ")");
  expectError(string, "\"\"\"x\n\"\"\"", ErrorCode::MALFORMED, 3, "must end its line");
  expectError(string, "\"\"\"\nx\"\"\"", ErrorCode::MALFORMED, 4, "only spaces");
  expectError(string, "\"\"\"\n  a\n b\n  \"\"\"", ErrorCode::MALFORMED, 8, "indented");
  expectError(string, "\"\"\"\n", ErrorCode::MALFORMED, 0, "closing");
}

TEST_F(Wave, ReadsAndPrintsListsAndTuples) {
  expectRoundTrip(list(u8), "[]");
  expectRoundTrip(list(u8), "[1, 2, 3]");
  expectPrints(list(u8), " [ 1 ,2,3, ] ", "[1, 2, 3]");
  expectRoundTrip(list(list(string)), R"([[], ["a", "b"]])");
  expectRoundTrip(tuple({u8, string}), R"((123, "abc"))");
  expectPrints(tuple({u8}), "(1,)", "(1)");
}

TEST_F(Wave, HoldsListsToTheirLength) {
  const Type* pair = types.fixedList(u8, 2).value();
  expectRoundTrip(pair, "[1, 2]");
  expectError(pair, "[1]", ErrorCode::TYPE_MISMATCH, 0, "found a list of 1 values");
  expectError(pair, "[1, 2, 3]", ErrorCode::TYPE_MISMATCH, 0, "found a list of 3 values");
}

TEST_F(Wave, ReadsAndPrintsRecords) {
  const Type* example = record({{"must-have", u8}, {"optional", option(u8)}});
  expectPrints(example, "{must-have: 123}", "{must-have: 123}");
  expectPrints(example, "{optional: none, must-have: 123,}", "{must-have: 123}");
  expectPrints(example, "{optional: 5, %must-have: 1}", "{must-have: 1, optional: some(5)}");
  const Type* allOptional = record({{"ok", option(u8)}});
  expectRoundTrip(allOptional, "{:}");
  expectRoundTrip(allOptional, "{ok: some(1)}");
  const Result<Value> value = parseWave("{:}", *allOptional);
  EXPECT_EQ(*value, Value(Record{{Field{"ok", Value(Option{})}}}));
}

TEST_F(Wave, ReadsAndPrintsVariantsAndEnums) {
  const Type* response = variant({{"empty"}, {"body", list(u8)}, {"err", string}, {"none"}});
  expectRoundTrip(response, "empty");
  expectRoundTrip(response, "body([79, 75])");
  expectRoundTrip(response, R"(%err("oops"))");
  expectRoundTrip(response, "%none");
  expectPrints(response, "%empty", "empty");
  const Type* status = enumeration({"ok", "not-found", "HTTP3"});
  expectRoundTrip(status, "%ok");
  expectRoundTrip(status, "not-found");
  expectRoundTrip(status, "HTTP3");
}

TEST_F(Wave, ReadsAndPrintsOptionsAndResults) {
  expectPrints(option(u8), "123", "some(123)");
  expectRoundTrip(option(u8), "none");
  expectRoundTrip(option(option(u8)), "some(none)");
  expectRoundTrip(option(option(u8)), "some(some(1))");
  expectPrints(option(option(u8)), "some(1)", "some(some(1))");
  expectError(option(option(u8)), "1", ErrorCode::TYPE_MISMATCH, 0,
              "expected option<option<u8>>, found the number 1");
  expectPrints(result(u8, string), "1", "ok(1)");
  expectRoundTrip(result(u8, string), R"(err("oops"))");
  expectRoundTrip(result(nullptr, string), "ok");
  expectRoundTrip(result(nullptr, nullptr), "err");
  expectRoundTrip(result(option(u8), nullptr), "ok(some(1))");
  expectError(result(option(u8), nullptr), "1", ErrorCode::TYPE_MISMATCH, 0, "found the number 1");
  // Inside an option, a keyword is the option's; a case of that name is escaped.
  const Type* status = enumeration({"none", "ok"});
  expectRoundTrip(option(status), "some(%none)");
  expectPrints(option(status), "%none", "some(%none)");
  expectRoundTrip(option(status), "none");
}

TEST_F(Wave, ReadsAndPrintsFlags) {
  const Type* perms = flags({"read", "write", "none"});
  expectRoundTrip(perms, "{}");
  expectPrints(perms, "{write, read,}", "{read, write}");
  expectPrints(perms, "{%none}", "{none}");
}

TEST_F(Wave, ReadsHandlesThroughTheCaller) {
  struct Handle final : ResourceHandle {
    std::string_view typeName() const override { return "counter"; }
    uint64_t id() const override { return 3; }
    bool moved() const override { return false; }
  };
  const auto handle = std::make_shared<Handle>();
  const FindHandle find = [&](std::string_view text) -> std::shared_ptr<ResourceHandle> {
    return text == "#counter-3" ? handle : nullptr;
  };
  const Type* counters = list(types.own(0));
  const Result<Value> value = parseWave("[#counter-3]", *counters, find);
  ASSERT_TRUE(value) << value.error().text();
  EXPECT_EQ(*value, Value(List{{Value(Resource{handle, true})}}));
  EXPECT_EQ(printWave(*value), "[#counter-3]");
  const Result<Value> borrowed = parseWave("#counter-3", *types.borrow(0), find);
  ASSERT_TRUE(borrowed);
  EXPECT_FALSE(borrowed->find<Resource>()->owned);
  const Result<Value> unknown = parseWave("#counter-4", *types.own(0), find);
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message, HasSubstr("#counter-4, which no earlier call"));
  EXPECT_FALSE(parseWave("#counter-3", *types.own(0)));
}

TEST_F(Wave, ShowsWhatWasExpectedAndFound) {
  expectError(u32, "\"x\"", ErrorCode::TYPE_MISMATCH, 0, "expected u32, found the string \"x\"");
  expectError(u8, "256", ErrorCode::TYPE_MISMATCH, 0, "found the number 256 (from 0 to 255)");
  expectError(u8, "-1", ErrorCode::TYPE_MISMATCH, 0, "(from 0 to 255)");
  expectError(s64, "9223372036854775808", ErrorCode::TYPE_MISMATCH, 0, "from -9223372036854775808");
  expectError(u8, "1.5", ErrorCode::TYPE_MISMATCH, 0, "expected u8, found the number 1.5");
  expectError(f64, "1e400", ErrorCode::TYPE_MISMATCH, 0, "out of range");
  expectError(boolean, "yes", ErrorCode::TYPE_MISMATCH, 0, "expected bool, found yes");
  expectError(list(u8), "[1, x]", ErrorCode::TYPE_MISMATCH, 4, "expected u8, found x");
  expectError(tuple({u8, u8}), "(1)", ErrorCode::TYPE_MISMATCH, 0, "a tuple of 1 values");
  expectError(tuple({u8}), "(1, 2)", ErrorCode::TYPE_MISMATCH, 0, "more than 1 values");
  const Type* point = record({{"x", u8}, {"y", u8}});
  expectError(point, "{x: 1}", ErrorCode::TYPE_MISMATCH, 0, "without its field y of type u8");
  expectError(point, "{x: 1, z: 2}", ErrorCode::TYPE_MISMATCH, 7, "no field (did you mean x?)");
  expectError(point, "{x: 1, long: 2}", ErrorCode::TYPE_MISMATCH, 7, "(there are x, y)");
  expectError(point, "{x: 1, x: 2}", ErrorCode::MALFORMED, 7, "field x is there twice");
  expectError(point, "{x: true}", ErrorCode::TYPE_MISMATCH, 4, "field x: expected u8, found true");
  expectError(point, "{}", ErrorCode::TYPE_MISMATCH, 1, "{:}");
  const Type* shape = variant({{"circle", f64}, {"none"}});
  expectError(shape, "circle", ErrorCode::TYPE_MISMATCH, 6, "case circle carries a value");
  expectError(shape, "circl(1)", ErrorCode::TYPE_MISMATCH, 0, "did you mean circle?");
  expectError(shape, "none", ErrorCode::TYPE_MISMATCH, 0, "written %none");
  expectError(shape, "%none(1)", ErrorCode::TYPE_MISMATCH, 5, "case none carries no value");
  expectError(result(nullptr, u8), "ok(1)", ErrorCode::TYPE_MISMATCH, 2, "ok carries no value");
  expectError(flags({"a"}), "{a, a}", ErrorCode::MALFORMED, 4, "flag a is there twice");
  expectError(types.own(0), "1", ErrorCode::TYPE_MISMATCH, 0, "found the number 1");
  expectError(types.stream(u8).value(), "1", ErrorCode::UNSUPPORTED, 0, "stream<u8>");
}

TEST_F(Wave, RefusesMalformedText) {
  expectError(u8, "", ErrorCode::MALFORMED, 0, "expected u8, found the end of the text");
  expectError(u8, "1 2", ErrorCode::MALFORMED, 2, "found the number 2");
  expectError(u8, "007", ErrorCode::MALFORMED, 0, "not a number: 007");
  expectError(f64, "1.", ErrorCode::MALFORMED, 0, "not a number");
  expectError(f64, ".5", ErrorCode::MALFORMED, 0, "no value begins with '.'");
  expectError(f64, "1x", ErrorCode::MALFORMED, 0, "not a number: 1x");
  expectError(f64, "-", ErrorCode::MALFORMED, 0, "not a number");
  expectError(f64, "-infinity", ErrorCode::MALFORMED, 0, "not a number");
  expectError(string, "\"abc", ErrorCode::MALFORMED, 0, "does not end");
  expectError(string, "\"abc\\\"", ErrorCode::MALFORMED, 0, "does not end");
  expectError(string, "\"a\nb\"", ErrorCode::MALFORMED, 0, "does not end");
  expectError(string, "\"\\x\"", ErrorCode::MALFORMED, 1, "unknown escape");
  expectError(string, "\"\\u{d800}\"", ErrorCode::MALFORMED, 1, "scalar value");
  expectError(string, "\"\\u{110000}\"", ErrorCode::MALFORMED, 1, "scalar value");
  expectError(string, "\"\\u{}\"", ErrorCode::MALFORMED, 1, "scalar value");
  expectError(string, "\"\\u{1234567}\"", ErrorCode::MALFORMED, 1, "scalar value");
  expectError(string, "\"a\xff\"", ErrorCode::MALFORMED, 2, "not UTF-8");
  expectError(string, "\"a\xed\xa0\x80\"", ErrorCode::MALFORMED, 2, "not UTF-8");
  expectError(character, "''", ErrorCode::MALFORMED, 0, "one character");
  expectError(character, "'ab'", ErrorCode::MALFORMED, 0, "one character");
  expectError(list(u8), "[1 2]", ErrorCode::MALFORMED, 3, "expected ',' or ']'");
  expectError(list(u8), "[1", ErrorCode::MALFORMED, 2, "found the end of the text");
  expectError(list(u8), "[,]", ErrorCode::TYPE_MISMATCH, 1, "found ','");
  expectError(record({{"a", u8}}), "{a 1}", ErrorCode::MALFORMED, 3, "':' after the field a");
  expectError(enumeration({"a"}), "a-", ErrorCode::MALFORMED, 0, "not a name: a-");
  expectError(enumeration({"a"}), "aB", ErrorCode::MALFORMED, 0, "not a name: aB");
  expectError(enumeration({"a"}), "%", ErrorCode::MALFORMED, 0, "not a name");
  expectError(boolean, "\x01", ErrorCode::MALFORMED, 0, "control character");
}

TEST_F(Wave, PrintsBytesThatAreNotTextAsReplacements) {
  EXPECT_EQ(printWave(Value(std::string("a\xff"))), "\"a\xef\xbf\xbd\"");
}

TEST_F(Wave, RefusesTypesNestedTooDeep) {
  std::vector<Type> nodes(1000);
  for (size_t i = 0; i < nodes.size(); ++i) {
    nodes[i].kind = TypeKind::LIST;
    nodes[i].element = i == 0 ? u8 : &nodes[i - 1];
  }
  const Result<Value> value = parseWave(std::string(1000, '['), nodes.back());
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().code, ErrorCode::LIMIT_EXCEEDED);
}

TEST_F(Wave, SurvivesEveryCutAndEveryFlippedByte) {
  const Type* everything = record({{"a", option(list(tuple({u8, f64})))},
                                   {"b", variant({{"x"}, {"y", string}})},
                                   {"c", result(character, flags({"p", "q"}))}});
  const std::string text = R"({a: [(1, -2.5e3)], b: y("\u{41}\n'"), c: err({p, q})} // end)";
  ASSERT_TRUE(parseWave(text, *everything));
  for (size_t i = 0; i < text.size(); ++i) {
    static_cast<void>(parseWave(text.substr(0, i), *everything));
    for (int byte = 0; byte < 256; ++byte) {
      std::string changed = text;
      changed[i] = static_cast<char>(byte);
      const Result<Value> value = parseWave(changed, *everything);
      if (!value) {
        EXPECT_TRUE(value.error().offset.has_value());
        EXPECT_LE(*value.error().offset, text.size());
      }
    }
  }
}

// A search would take as much longer as there are more names.
TEST_F(Wave, NamesOfLargeTypesAreFoundWithoutSearching) {
  const std::vector<std::string> labels = [] {
    std::vector<std::string> all;
    for (int i = 0; i < 10'000; ++i) all.push_back("case-" + std::to_string(i));
    return all;
  }();
  // Reads a list of the last of so many names.
  auto timed = [&](size_t names) {
    const Type* type =
        list(enumeration({labels.end() - static_cast<ptrdiff_t>(names), labels.end()}));
    std::string text = "[";
    for (int i = 0; i < 20'000; ++i) text += "case-9999, ";
    return cpuTimeOf([&] {
      const Result<Value> value = parseWave(text + "]", *type);
      ASSERT_TRUE(value) << value.error().text();
      EXPECT_EQ(value->find<List>()->items.size(), 20'000u);
    });
  };
  EXPECT_LT(timed(10'000), 20 * timed(10) + std::chrono::milliseconds(20));
  EXPECT_FALSE(parseWave("[case-10000]", *list(enumeration(labels))));
}

}  // namespace
}  // namespace tenon::component
