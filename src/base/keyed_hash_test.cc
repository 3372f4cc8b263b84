#include "base/keyed_hash.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace tenon {
namespace {

constexpr KeyedHash::Key ONE{1, 2};
constexpr KeyedHash::Key OTHER{1, 3};

size_t hashOf(const KeyedHash::Key& key, std::string_view text) {
  return KeyedHash(key).add(text).finish();
}

TEST(KeyedHash, IsTheSameForTheSameTextAndKey) {
  std::string copy = "a name of some length";
  EXPECT_EQ(hashOf(ONE, "a name of some length"), hashOf(ONE, copy));
  EXPECT_EQ(TextHash()("name"), TextHash()(std::string("name")));
}

TEST(KeyedHash, DependsOnTheKey) {
  for (const char* text : {"", "a", "12345678", "a name of some length"}) {
    EXPECT_NE(hashOf(ONE, text), hashOf(OTHER, text)) << text;
  }
}

TEST(KeyedHash, TellsApartWhatIsCutAtOtherPlaces) {
  auto two = [](std::string_view first, std::string_view second) {
    return KeyedHash(ONE).add(first).add(second).finish();
  };
  EXPECT_NE(two("ab", "c"), two("a", "bc"));
  EXPECT_NE(two("abc", ""), two("", "abc"));
  EXPECT_NE(hashOf(ONE, std::string_view("a\0", 2)), hashOf(ONE, "a"));
  EXPECT_NE(KeyedHash(ONE).add(uint64_t{0}).finish(), KeyedHash(ONE).finish());
}

TEST(KeyedHash, SpreadsNamesThatDifferInAFewBits) {
  // The lower bits choose a bucket, and all of them count.
  std::set<size_t> low, high;
  for (int i = 0; i < 4096; ++i) {
    size_t hash = hashOf(ONE, "name-" + std::to_string(i));
    low.insert(hash % 65536);
    high.insert(hash >> 48);
  }
  // Random numbers would give some 3970 different ones.
  EXPECT_GT(low.size(), 3900u);
  EXPECT_GT(high.size(), 3900u);
}

TEST(TextMap, FindsNamesHoweverTheyAreHeld) {
  OwnedTextMap<int> owned;
  owned.emplace("one", 1);
  EXPECT_EQ(owned.at(std::string("one")), 1);
  TextMap<int> borrowed{{"one", 1}, {"two", 2}};
  EXPECT_EQ(borrowed.at("two"), 2);
  EXPECT_FALSE(TextSet{"a"}.contains("b"));
}

}  // namespace
}  // namespace tenon
