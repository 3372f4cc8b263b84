#include <tenon/result.h>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

namespace tenon {
namespace {

Result<int> half(int value) {
  if (value % 2 != 0) return Error{ErrorCode::INVALID_ARGUMENT, "odd"};
  return value / 2;
}

Result<int> quarter(int value) {
  TENON_TRY(int once, half(value));
  TENON_TRY(int twice, half(once));
  return twice;
}

Result<void> checkQuarter(int value) {
  TENON_CHECK(quarter(value));
  return {};
}

TEST(Result, ReturnsTheFirstErrorThroughTry) {
  EXPECT_EQ(quarter(12).value(), 3);
  auto failed = quarter(6);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "odd");
  EXPECT_TRUE(checkQuarter(12));
  EXPECT_EQ(checkQuarter(5).error().code, ErrorCode::INVALID_ARGUMENT);
}

TEST(Result, ThrowsFromValueWhenThereIsNone) {
  EXPECT_THROW(half(3).value(), ResultError);
  EXPECT_THROW(checkQuarter(3).value(), ResultError);
  try {
    static_cast<void>(half(3).value());
  } catch (const ResultError& thrown) {
    EXPECT_EQ(thrown.error().code, ErrorCode::INVALID_ARGUMENT);
    EXPECT_STREQ(thrown.what(), "odd");
  }
}

Result<std::unique_ptr<int>> makeOwned() { return std::make_unique<int>(7); }

Result<int> useOwned() {
  TENON_TRY(std::unique_ptr<int> owned, makeOwned());
  return *owned;
}

TEST(Result, MovesAValueThatCannotBeCopiedOutOfTry) { EXPECT_EQ(useOwned().value(), 7); }

TEST(Error, SaysWhereUnlessTheMessageDoes) {
  EXPECT_EQ(Error(ErrorCode::MALFORMED, "bad").text(), "bad");
  EXPECT_EQ(Error(ErrorCode::MALFORMED, "bad", 5).text(), "bad (at byte 5)");
  EXPECT_EQ(Error(ErrorCode::MALFORMED, "bad at byte 5", 5).text(), "bad at byte 5");
}

TEST(ErrorCode, HasALowerCaseNameForEach) {
  for (int i = 0; i <= static_cast<int>(ErrorCode::INTERNAL); ++i) {
    std::string name = toString(static_cast<ErrorCode>(i));
    EXPECT_NE(name, "unknown error") << i;
    EXPECT_FALSE(name.empty());
  }
  EXPECT_STREQ(toString(ErrorCode::TYPE_MISMATCH), "type mismatch");
}

}  // namespace
}  // namespace tenon
