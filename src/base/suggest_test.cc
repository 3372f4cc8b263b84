#include "base/suggest.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tenon::base {
namespace {

TEST(Suggest, FindsTheNearestNameThatIsNear) {
  std::vector<std::string> names = {"pricing", "cart", "card"};
  EXPECT_EQ(didYouMean("carts", names), "; did you mean 'cart'?");
  EXPECT_EQ(didYouMean("elephant", names), "");
  EXPECT_EQ(didYouMean("", names), "");
}

TEST(Suggest, LooksAtNoMoreNamesThanItSays) {
  std::vector<std::string> names(Nearest::MOST_NAMES, "elephant");
  names.emplace_back("cart");
  EXPECT_EQ(didYouMean("carts", names), "");
  names.erase(names.begin());
  EXPECT_EQ(didYouMean("carts", names), "; did you mean 'cart'?");
}

TEST(Suggest, CutsWhatItShowsBetweenCharacters) {
  EXPECT_EQ(shown("short", 5), "short");
  EXPECT_EQ(shown("longer", 5), "longe...");
  EXPECT_EQ(shown("caf\xc3\xa9s", 4), "caf...");
}

}  // namespace
}  // namespace tenon::base
