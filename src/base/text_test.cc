#include "base/utf8.h"

#include <tenon/text.h>

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace tenon {
namespace {

TEST(DecodeScalar, TakesWellFormedUtf8Only) {
  for (const char32_t code :
       {U'a', U'\u00e4', U'\u20ac', U'\uffff', U'\U00010000', U'\U0010ffff'}) {
    std::string text;
    appendScalar(text, code);
    const std::optional<Scalar> scalar = decodeScalar(text);
    ASSERT_TRUE(scalar);
    EXPECT_EQ(scalar->code, code);
    EXPECT_EQ(scalar->length, text.size());
    EXPECT_FALSE(decodeScalar(std::string_view(text).substr(0, text.size() - 1)));
  }
  for (const char* bad : {"\x80", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                          "\xf8\x88\x80\x80\x80", "\xc3(", "\xff"}) {
    EXPECT_FALSE(decodeScalar(bad));
  }
}

TEST(Printable, LeavesWhatShowsItself) {
  for (const char* text : {"", "plain ASCII ~", "back\\slash", "Umlaute äöü, 日本, 🦀"}) {
    EXPECT_EQ(printable(text), text);
  }
}

TEST(Printable, EscapesWhatMovesHidesOrReordersText) {
  EXPECT_EQ(printable("a\x1b[31mb"), "a\\u{1b}[31mb");
  EXPECT_EQ(printable("one\r\ntwo\t"), "one\\r\\ntwo\\t");
  EXPECT_EQ(printable(std::string_view("\0\x7f", 2)), "\\u{0}\\u{7f}");
  EXPECT_EQ(printable("\u009b31m"), "\\u{9b}31m");  // C1: a control sequence of one byte
  EXPECT_EQ(printable("\u202eevil\u2066"), "\\u{202e}evil\\u{2066}");
  EXPECT_EQ(printable("a\u061c\u200b\ufeff\u2028"), "a\\u{61c}\\u{200b}\\u{feff}\\u{2028}");
  EXPECT_EQ(printable("\xff\xc3("), "\\xff\\xc3(");
  EXPECT_EQ(printable("\x9b[2J"), "\\x9b[2J");
}

TEST(Printable, LeavesNoControlOfAnyKindAndChangesNothingTheSecondTime) {
  for (uint32_t code = 0; code < 0x11000; ++code) {
    if (!isScalar(code)) continue;
    std::string text;
    appendScalar(text, code);
    std::string once = printable(text);
    for (char c : once) EXPECT_FALSE(c >= 0 && (c < ' ' || c == '\x7f')) << std::hex << code;
    EXPECT_EQ(printable(once), once) << std::hex << code;
    EXPECT_EQ(once == text, !isHidden(code)) << std::hex << code;
  }
}

TEST(Printable, KeepsLineEndsAndTabsOfSeveralLines) {
  EXPECT_EQ(printable("a\n\tb\x1b\r\n", Lines::SEVERAL), "a\n\tb\\u{1b}\\r\n");
}

TEST(Printable, CutsAtAWholeCharacterAndSaysHowMuchIsLeftOut) {
  EXPECT_EQ(printable("abcdef", Lines::ONE, 6), "abcdef");
  EXPECT_EQ(printable("abcdef", Lines::ONE, 4), "abcd... (2 bytes more)");
  EXPECT_EQ(printable("abc\u20acdef", Lines::ONE, 5), "abc... (6 bytes more)");
  EXPECT_EQ(printable("abc\x1b", Lines::ONE, 5), "abc... (1 bytes more)");
  EXPECT_EQ(printable("abc", Lines::ONE, 0), "... (3 bytes more)");
  std::string cut = printable(std::string(1 << 20, '\x1b'), Lines::ONE, 100);
  EXPECT_LT(cut.size(), 140u);
}

TEST(Shortened, CutsBetweenCharactersAndEscapesNothing) {
  EXPECT_EQ(shortened("a\x1b", 2), "a\x1b");
  EXPECT_EQ(shortened("ab\u20ac\x1b", 4), "ab... (4 bytes more)");
  EXPECT_EQ(shortened(std::string(9, '\x80'), 5), std::string(5, '\x80') + "... (4 bytes more)");
  EXPECT_EQ(shortened("abc", 0), "... (3 bytes more)");
}

TEST(PrintableJson, MeansTheSame) {
  EXPECT_EQ(printableJson("{\n  \"a\": \"ä\u009b\u202e\x7f\"}"),
            "{\n  \"a\": \"ä\\u009b\\u202e\\u007f\"}");
  EXPECT_EQ(printableJson("\"\U000e0041🦀\""), "\"\\udb40\\udc41🦀\"");
}

}  // namespace
}  // namespace tenon
