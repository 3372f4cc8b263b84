// Strings across adapters, byte by byte: what is copied, what is refused, and every call of
// `realloc`.

#include "rig.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <cstring>
#include <random>

namespace tenon::component::testing {
namespace {

using control::TrapCode;
using ::testing::ElementsAre;
using Realloc = Rig::Realloc;

constexpr StringEncoding UTF8 = StringEncoding::UTF8, UTF16 = StringEncoding::UTF16,
                         LATIN1 = StringEncoding::LATIN1_UTF16;
constexpr uint32_t TAG = 0x80000000;
constexpr uint32_t SOURCE = 40000;

class StringTest : public ::testing::Test {
 protected:
  Rig& between(StringEncoding caller, StringEncoding callee) {
    FuncType type{{{"s", types->primitive(TypeKind::STRING)}}, nullptr, false};
    made = std::make_unique<Rig>(types, type, RigOptions{caller, callee});
    return *made;
  }
  void put(std::string_view bytes, uint32_t at = SOURCE) {
    auto target = made->callerMemory().mutableBytes(at, bytes.size());
    ASSERT_EQ(target.size(), bytes.size());
    std::memcpy(target.data(), bytes.data(), bytes.size());
  }
  Outcome send(uint32_t units, uint32_t at = SOURCE) {
    return made->call({rawI32(at), rawI32(units)});
  }
  std::string arrived(uint32_t bytes) {
    auto view = made->calleeMemory().bytes(made->received()[0].i32, bytes);
    return {reinterpret_cast<const char*>(view.data()), view.size()};
  }
  uint32_t units() { return made->received()[1].i32; }
  static std::string wide(std::u16string_view text) {
    return {reinterpret_cast<const char*>(text.data()), 2 * text.size()};
  }

  std::shared_ptr<TypeTable> types = std::make_shared<TypeTable>();
  std::unique_ptr<Rig> made;
};

TEST_F(StringTest, Utf8OfEveryLengthArrives) {
  between(UTF8, UTF8);
  std::string text;
  for (uint32_t length = 0; length < 300; ++length) {
    put(text);
    Outcome outcome = send(length);
    ASSERT_FALSE(outcome.trapped) << length << ": " << outcome.message;
    ASSERT_EQ(arrived(length), text);
    text.push_back(static_cast<char>('a' + length % 26));
  }
  for (uint32_t length : {511u, 512u, 1024u, 4095u, 4096u, 4097u, 4224u, 16383u, 16511u, 16513u}) {
    while (text.size() < length) text.push_back(static_cast<char>('a' + text.size() % 26));
    text.resize(length);
    put(text);
    Outcome outcome = send(length);
    ASSERT_FALSE(outcome.trapped) << length << ": " << outcome.message;
    ASSERT_EQ(arrived(length), text);
  }
}

TEST_F(StringTest, TextBeyondAsciiArrivesWhereverItBegins) {
  between(UTF8, UTF8);
  for (uint32_t length : {6u, 40u, 127u, 128u, 130u, 255u, 256u, 257u, 384u, 520u, 4100u}) {
    for (uint32_t at = 0; at + 4 <= length; at += length > 600 ? 61 : 1) {
      std::string text(length, 'x');
      text.replace(at, 4, "\xf0\x9f\x8c\x8d");
      put(text);
      Outcome outcome = send(length);
      ASSERT_FALSE(outcome.trapped) << length << ", " << at << outcome.message;
      ASSERT_EQ(arrived(length), text) << length << ", " << at;
    }
  }
}

TEST_F(StringTest, EveryByteOfUtf8IsLookedAt) {
  for (uint32_t length : {1u,  2u,  3u,  4u,  5u,  7u,   8u,   9u,   15u,  16u,  17u,
                          31u, 33u, 64u, 65u, 80u, 128u, 129u, 255u, 256u, 257u, 400u}) {
    between(UTF8, UTF8);
    for (uint32_t at = 0; at < length; ++at) {
      std::string text(length, 'x');
      text[at] = '\xff';
      put(text);
      Outcome outcome = send(length);
      ASSERT_TRUE(outcome.code) << length << ", " << at << outcome.message;
      ASSERT_EQ(*outcome.code, TrapCode::INVALID_UTF8);
      ASSERT_EQ(outcome.guilty, 1u);
      // This rig goes on after a trap, which bars the callee for good.
      GuestMemory control = made->runtime().memory(*made->runtime().program().control);
      ASSERT_TRUE(control.store(control::barredOffset(2), uint32_t{0}));
    }
  }
}

TEST_F(StringTest, Utf8IsValidatedAsOthersDo) {
  between(UTF8, UTF8);
  std::mt19937_64 random(7);
  const std::vector<std::string> pieces = {
      "a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
      "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
      // Not valid:
      "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
      "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xc2", "\xe1\x80", "\xf1\x80\x80", "\xf8"};
  int valid = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text(random() % 40, 'x');
    size_t count = random() % 8;
    bool good = random() % 2;
    for (size_t i = 0; i < count; ++i) {
      text += pieces[random() % (good ? 10 : pieces.size())];
      if (random() % 3 == 0) text += std::string(random() % 20, 'y');
    }
    if (!text.empty() && random() % 8 == 0) text[random() % text.size()] ^= 1 << (random() % 8);
    put(text);
    Outcome outcome = send(static_cast<uint32_t>(text.size()));
    bool expected = simdjson::validate_utf8(text.data(), text.size());
    valid += expected;
    ASSERT_EQ(!outcome.trapped, expected) << ::testing::PrintToString(text);
    if (expected) {
      ASSERT_EQ(arrived(static_cast<uint32_t>(text.size())), text);
    } else {
      ASSERT_EQ(*outcome.code, TrapCode::INVALID_UTF8);
    }
  }
  EXPECT_GT(valid, 5000);
  EXPECT_LT(valid, 18000);
}

TEST_F(StringTest, UnpairedSurrogatesTrap) {
  for (StringEncoding callee : {UTF8, UTF16, LATIN1}) {
    for (std::u16string text : {u"a\xd800", u"\xdc00z", u"\xd800z", u"\xd800\xd800\xdc00"}) {
      between(UTF16, callee);
      put(wide(text));
      Outcome outcome = send(static_cast<uint32_t>(text.size()));
      ASSERT_TRUE(outcome.code) << outcome.message;
      EXPECT_EQ(*outcome.code, TrapCode::INVALID_UTF16);
      between(LATIN1, callee);
      put(wide(text));
      outcome = send(static_cast<uint32_t>(text.size()) | TAG);
      ASSERT_TRUE(outcome.code) << outcome.message;
      EXPECT_EQ(*outcome.code, TrapCode::INVALID_UTF16);
    }
  }
}

TEST_F(StringTest, PointersAreChecked) {
  uint32_t size = 64 * 65536;
  struct Case {
    StringEncoding encoding;
    uint32_t pointer, units;
    std::optional<TrapCode> code;
  };
  for (const Case& c : {Case{UTF8, size, 0, std::nullopt},
                        {UTF8, size - 1, 1, std::nullopt},
                        {UTF8, size, 1, TrapCode::POINTER_OUT_OF_BOUNDS},
                        {UTF8, size + 1, 0, TrapCode::POINTER_OUT_OF_BOUNDS},
                        {UTF8, 0xffffffff, 2, TrapCode::POINTER_OUT_OF_BOUNDS},
                        {UTF8, SOURCE, (1u << 28) - 1, TrapCode::POINTER_OUT_OF_BOUNDS},
                        {UTF8, SOURCE, 1u << 28, TrapCode::STRING_TOO_LONG},
                        {UTF8, SOURCE, 0xffffffff, TrapCode::STRING_TOO_LONG},
                        {UTF16, SOURCE + 1, 0, TrapCode::POINTER_MISALIGNED},
                        {UTF16, size - 2, 1, std::nullopt},
                        {UTF16, size - 2, 2, TrapCode::POINTER_OUT_OF_BOUNDS},
                        {UTF16, SOURCE, (1u << 27) - 1, TrapCode::POINTER_OUT_OF_BOUNDS},
                        {UTF16, SOURCE, 1u << 27, TrapCode::STRING_TOO_LONG},
                        {UTF16, SOURCE, 1u << 31, TrapCode::STRING_TOO_LONG},
                        {LATIN1, SOURCE + 1, 1, TrapCode::POINTER_MISALIGNED},
                        {LATIN1, SOURCE + 1, TAG, TrapCode::POINTER_MISALIGNED},
                        {LATIN1, size, 1, TrapCode::POINTER_OUT_OF_BOUNDS},
                        {LATIN1, size - 2, TAG | 2, TrapCode::POINTER_OUT_OF_BOUNDS},
                        {LATIN1, SOURCE, 1u << 28, TrapCode::STRING_TOO_LONG},
                        {LATIN1, SOURCE, TAG | (1u << 27), TrapCode::STRING_TOO_LONG}}) {
    for (StringEncoding callee : {UTF8, UTF16, LATIN1}) {
      SCOPED_TRACE(std::to_string(c.pointer) + ", " + std::to_string(c.units));
      between(c.encoding, callee);
      Outcome outcome = send(c.units, c.pointer);
      EXPECT_EQ(outcome.code, c.code) << outcome.message;
      EXPECT_EQ(outcome.trapped, c.code.has_value()) << outcome.message;
    }
  }
}

// -- The calls of realloc, as definitions.py makes them
// -----------------------------------------------

TEST_F(StringTest, Utf8ToUtf8AllocatesOnce) {
  Rig& rig = between(UTF8, UTF8);
  put("gr\xc3\xbc\xc3\x9f");
  ASSERT_FALSE(send(6).trapped);
  EXPECT_EQ(arrived(6), "gr\xc3\xbc\xc3\x9f");
  EXPECT_THAT(rig.reallocs(true), ElementsAre(Realloc{0, 0, 1, 6}));
}

TEST_F(StringTest, Utf16ToUtf16AllocatesOnce) {
  Rig& rig = between(UTF16, UTF16);
  put(wide(u"a\u20ac\xd83d\xde00"));
  ASSERT_FALSE(send(4).trapped);
  EXPECT_EQ(units(), 4u);
  EXPECT_EQ(arrived(8), wide(u"a\u20ac\xd83d\xde00"));
  EXPECT_THAT(rig.reallocs(true), ElementsAre(Realloc{0, 0, 2, 8}));
}

TEST_F(StringTest, AsciiToUtf8AllocatesOnce) {
  Rig& rig = between(UTF16, UTF8);
  put(wide(u"abc"));
  ASSERT_FALSE(send(3).trapped);
  EXPECT_EQ(arrived(3), "abc");
  EXPECT_THAT(rig.reallocs(true), ElementsAre(Realloc{0, 0, 1, 3}));
}

TEST_F(StringTest, Utf16ToUtf8GrowsThenShrinks) {
  Rig& rig = between(UTF16, UTF8);
  put(wide(u"ab\u00e9\u20ac\xd83d\xde00"));
  ASSERT_FALSE(send(6).trapped);
  EXPECT_EQ(units(), 11u);
  EXPECT_EQ(arrived(11), "ab\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
  auto calls = rig.reallocs(true);
  ASSERT_EQ(calls.size(), 3u);
  EXPECT_EQ(calls[0], (Realloc{0, 0, 1, 6}));
  EXPECT_EQ(calls[1], (Realloc{calls[1].old, 6, 1, 18}));
  EXPECT_EQ(calls[2], (Realloc{calls[2].old, 18, 1, 11}));
}

TEST_F(StringTest, AWorstCaseThatIsReachedIsNotShrunk) {
  Rig& rig = between(UTF16, UTF8);
  put(wide(u"\u20ac\u20ac"));
  ASSERT_FALSE(send(2).trapped);
  EXPECT_EQ(arrived(6), "\xe2\x82\xac\xe2\x82\xac");
  EXPECT_EQ(rig.reallocs(true).size(), 2u);
}

TEST_F(StringTest, Latin1ToUtf8GrowsToTwice) {
  Rig& rig = between(LATIN1, UTF8);
  put("a\xe9z\xff");
  ASSERT_FALSE(send(4).trapped);
  EXPECT_EQ(arrived(units()), "a\xc3\xa9z\xc3\xbf");
  auto calls = rig.reallocs(true);
  ASSERT_EQ(calls.size(), 3u);
  EXPECT_EQ(calls[0], (Realloc{0, 0, 1, 4}));
  EXPECT_EQ(calls[1].size, 8u);
  EXPECT_EQ(calls[2].size, 6u);
}

TEST_F(StringTest, Utf8ToUtf16StartsWithTheWorstCase) {
  Rig& rig = between(UTF8, UTF16);
  put("a\xc3\xa9\xf0\x9f\x98\x80");
  ASSERT_FALSE(send(7).trapped);
  EXPECT_EQ(units(), 4u);
  EXPECT_EQ(arrived(8), wide(u"a\u00e9\xd83d\xde00"));
  auto calls = rig.reallocs(true);
  ASSERT_EQ(calls.size(), 2u);
  EXPECT_EQ(calls[0], (Realloc{0, 0, 2, 14}));
  EXPECT_EQ(calls[1].oldSize, 14u);
  EXPECT_EQ(calls[1].alignment, 2u);
  EXPECT_EQ(calls[1].size, 8u);
  between(UTF8, UTF16);
  put("abc");
  ASSERT_FALSE(send(3).trapped);
  EXPECT_THAT(made->reallocs(true), ElementsAre(Realloc{0, 0, 2, 6}));
}

TEST_F(StringTest, Latin1ToUtf16IsWidened) {
  Rig& rig = between(LATIN1, UTF16);
  put("a\xff");
  ASSERT_FALSE(send(2).trapped);
  EXPECT_EQ(units(), 2u);
  EXPECT_EQ(arrived(4), wide(u"a\u00ff"));
  EXPECT_THAT(rig.reallocs(true), ElementsAre(Realloc{0, 0, 2, 4}));
}

TEST_F(StringTest, Utf8ToLatin1ShrinksWhatFits) {
  Rig& rig = between(UTF8, LATIN1);
  put("a\xc3\xbf");
  ASSERT_FALSE(send(3).trapped);
  EXPECT_EQ(units(), 2u);
  EXPECT_EQ(arrived(2), "a\xff");
  auto calls = rig.reallocs(true);
  ASSERT_EQ(calls.size(), 2u);
  EXPECT_EQ(calls[0], (Realloc{0, 0, 2, 3}));
  EXPECT_EQ(calls[1], (Realloc{calls[1].old, 3, 2, 2}));
}

TEST_F(StringTest, Utf8BeyondLatin1BecomesTaggedUtf16) {
  Rig& rig = between(UTF8, LATIN1);
  put("\xc3\xa9y\xe2\x82\xac!");
  ASSERT_FALSE(send(7).trapped);
  EXPECT_EQ(units(), 4u | TAG);
  EXPECT_EQ(arrived(8), wide(u"\u00e9y\u20ac!"));
  auto calls = rig.reallocs(true);
  ASSERT_EQ(calls.size(), 3u);
  EXPECT_EQ(calls[0], (Realloc{0, 0, 2, 7}));
  EXPECT_EQ(calls[1], (Realloc{calls[1].old, 7, 2, 14}));
  EXPECT_EQ(calls[2], (Realloc{calls[2].old, 14, 2, 8}));
}

TEST_F(StringTest, Utf16BeyondLatin1IsNotShrunk) {
  Rig& rig = between(UTF16, LATIN1);
  put(wide(u"\u00e9\u20ac"));
  ASSERT_FALSE(send(2).trapped);
  EXPECT_EQ(units(), 2u | TAG);
  EXPECT_EQ(arrived(4), wide(u"\u00e9\u20ac"));
  auto calls = rig.reallocs(true);
  ASSERT_EQ(calls.size(), 2u);
  EXPECT_EQ(calls[1], (Realloc{calls[1].old, 2, 2, 4}));
}

TEST_F(StringTest, Utf16ThatFitsLatin1IsNarrowed) {
  Rig& rig = between(UTF16, LATIN1);
  put(wide(u"\u00e9x"));
  ASSERT_FALSE(send(2).trapped);
  EXPECT_EQ(units(), 2u);
  EXPECT_EQ(arrived(2), "\xe9x");
  EXPECT_THAT(rig.reallocs(true), ElementsAre(Realloc{0, 0, 2, 2}));
}

TEST_F(StringTest, Latin1ToLatin1IsCopied) {
  Rig& rig = between(LATIN1, LATIN1);
  put("\xff\x80z");
  ASSERT_FALSE(send(3).trapped);
  EXPECT_EQ(units(), 3u);
  EXPECT_EQ(arrived(3), "\xff\x80z");
  EXPECT_THAT(rig.reallocs(true), ElementsAre(Realloc{0, 0, 2, 3}));
}

TEST_F(StringTest, TaggedUtf16StaysOrIsNarrowed) {
  Rig& stays = between(LATIN1, LATIN1);
  put(wide(u"a\u20ac"));
  ASSERT_FALSE(send(2 | TAG).trapped);
  EXPECT_EQ(units(), 2u | TAG);
  EXPECT_EQ(arrived(4), wide(u"a\u20ac"));
  EXPECT_THAT(stays.reallocs(true), ElementsAre(Realloc{0, 0, 2, 4}));
  Rig& fits = between(LATIN1, LATIN1);
  put(wide(u"a\u00ff"));
  ASSERT_FALSE(send(2 | TAG).trapped);
  EXPECT_EQ(units(), 2u);
  EXPECT_EQ(arrived(2), "a\xff");
  auto calls = fits.reallocs(true);
  ASSERT_EQ(calls.size(), 2u);
  EXPECT_EQ(calls[0], (Realloc{0, 0, 2, 4}));
  EXPECT_EQ(calls[1], (Realloc{calls[1].old, 4, 1, 2}));
}

TEST_F(StringTest, EmptyStringsCrossInEveryPair) {
  for (StringEncoding caller : {UTF8, UTF16, LATIN1}) {
    for (StringEncoding callee : {UTF8, UTF16, LATIN1}) {
      between(caller, callee);
      Outcome outcome = send(0);
      ASSERT_FALSE(outcome.trapped) << outcome.message;
      EXPECT_EQ(units(), 0u);
      EXPECT_EQ(made->reallocs(true).size(), 1u);
    }
  }
  between(LATIN1, UTF8);
  ASSERT_FALSE(send(TAG).trapped);
  EXPECT_EQ(units(), 0u);
}

}  // namespace
}  // namespace tenon::component::testing
