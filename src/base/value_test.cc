#include <tenon/value.h>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace tenon {
namespace {

TEST(Value, ComparesFloatsByTheirBits) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(Value(nan), Value(nan));
  EXPECT_NE(Value(0.0), Value(-0.0));
  EXPECT_NE(Value(0.0F), Value(-0.0F));
  EXPECT_EQ(Value(1.5F), Value(1.5F));
}

TEST(Value, OfAnotherWidthIsAnotherValue) {
  EXPECT_NE(Value(uint8_t{1}), Value(uint16_t{1}));
  EXPECT_NE(Value(1.0F), Value(1.0));
  EXPECT_EQ(Value(int64_t{-1}), Value(int64_t{-1}));
}

TEST(Value, TakesTextAsAString) {
  const Value text("hello");
  ASSERT_NE(text.find<std::string>(), nullptr);
  EXPECT_EQ(*text.find<std::string>(), "hello");
  EXPECT_EQ(text.find<bool>(), nullptr);
}

TEST(Value, CopiesDeeply) {
  const Value original(Option{Box(Value(List{{Value(uint8_t{1}), Value(uint8_t{2})}}))});
  Value copy = original;
  EXPECT_EQ(copy, original);
  (*copy.find<Option>()->value).find<List>()->items.pop_back();
  EXPECT_NE(copy, original);
  EXPECT_EQ((*original.find<Option>()->value).find<List>()->items.size(), 2U);
}

TEST(Value, ComparesBoxesByContent) {
  EXPECT_EQ(Box(), Box());
  EXPECT_NE(Box(), Box(Value(true)));
  EXPECT_EQ(Box(Value("a")), Box(Value("a")));
  Box box{Value("a")};
  box = Box(Value("b"));
  EXPECT_EQ(box, Box(Value("b")));
  EXPECT_EQ(Value(Variant{"some", Box(Value(true))}), Value(Variant{"some", Box(Value(true))}));
}

TEST(Value, ComparesHandlesByIdentity) {
  struct Handle final : ResourceHandle {
    std::string_view typeName() const override { return "counter"; }
    uint64_t id() const override { return 1; }
    bool moved() const override { return false; }
  };
  const auto handle = std::make_shared<Handle>();
  EXPECT_EQ(Value(Resource{handle, true}), Value(Resource{handle, true}));
  EXPECT_NE(Value(Resource{handle, true}), Value(Resource{std::make_shared<Handle>(), true}));
}

}  // namespace
}  // namespace tenon
