#include "component/validate/value_bytes.h"

#include "component/types/type_table.h"

#include <gtest/gtest.h>

#include <vector>

namespace tenon::component {
namespace {

class ValueBytes : public ::testing::Test {
 protected:
  bool holds(const Type* type, std::vector<uint8_t> bytes) {
    std::vector<std::byte> raw;
    for (uint8_t byte : bytes) raw.push_back(std::byte{byte});
    return checkValueBytes(*type, raw, 0).ok();
  }
  const Type* of(TypeKind kind) { return table.primitive(kind); }

  TypeTable table;
};

TEST_F(ValueBytes, IntegersStayInTheirRange) {
  EXPECT_TRUE(holds(of(TypeKind::U16), {0xff, 0xff, 0x03}));
  EXPECT_FALSE(holds(of(TypeKind::U16), {0x80, 0x80, 0x04}));
  EXPECT_TRUE(holds(of(TypeKind::S16), {0x80, 0x80, 0x7e}));
  EXPECT_FALSE(holds(of(TypeKind::S16), {0xff, 0xff, 0x7d}));
  EXPECT_TRUE(holds(of(TypeKind::U64), {0x05}));
  EXPECT_TRUE(holds(of(TypeKind::S64), {0x7f}));
  EXPECT_TRUE(holds(of(TypeKind::S32), {0x7f}));
  EXPECT_TRUE(holds(of(TypeKind::U32), {0x7f}));
}

TEST_F(ValueBytes, ABoolIsZeroOrOne) {
  EXPECT_TRUE(holds(of(TypeKind::BOOL), {1}));
  EXPECT_FALSE(holds(of(TypeKind::BOOL), {2}));
}

TEST_F(ValueBytes, OnlyTheCanonicalNanIsAFloat) {
  EXPECT_TRUE(holds(of(TypeKind::F32), {0x00, 0x00, 0xc0, 0x7f}));
  EXPECT_FALSE(holds(of(TypeKind::F32), {0x01, 0x00, 0xc0, 0x7f}));
  EXPECT_TRUE(holds(of(TypeKind::F32), {0x00, 0x00, 0x80, 0x7f}));
  EXPECT_TRUE(holds(of(TypeKind::F64), {0, 0, 0, 0, 0, 0, 0xf8, 0x7f}));
  EXPECT_FALSE(holds(of(TypeKind::F64), {0, 0, 0, 0, 0, 0, 0xf8, 0xff}));
}

TEST_F(ValueBytes, TextIsUtf8) {
  EXPECT_TRUE(holds(of(TypeKind::STRING), {2, 0xc3, 0xa4}));
  EXPECT_FALSE(holds(of(TypeKind::STRING), {1, 0xc3}));
  EXPECT_TRUE(holds(of(TypeKind::CHAR), {0xe2, 0x98, 0x83}));
  EXPECT_FALSE(holds(of(TypeKind::CHAR), {0xed, 0xa0, 0x80}));
}

TEST_F(ValueBytes, CompoundsFollowTheirType) {
  const Type* u8 = of(TypeKind::U8);
  const Type* list = table.list(u8).value();
  EXPECT_TRUE(holds(list, {2, 7, 8}));
  EXPECT_FALSE(holds(list, {2, 7}));
  EXPECT_FALSE(holds(list, {1, 7, 8}));
  EXPECT_TRUE(holds(table.fixedList(u8, 2).value(), {7, 8}));
  EXPECT_TRUE(holds(table.map(u8, list).value(), {1, 7, 1, 8}));
  EXPECT_TRUE(holds(table.option(u8).value(), {0}));
  EXPECT_TRUE(holds(table.option(u8).value(), {1, 9}));
  EXPECT_TRUE(holds(table.result(u8, nullptr).value(), {1}));
  EXPECT_FALSE(holds(table.result(u8, nullptr).value(), {0}));
  const Type* variant = table.variant({{"a", nullptr, 0}, {"b", u8, 0}}).value();
  EXPECT_TRUE(holds(variant, {0}));
  EXPECT_TRUE(holds(variant, {1, 5}));
  EXPECT_FALSE(holds(variant, {2}));
  EXPECT_TRUE(holds(table.flags({"a", "b"}).value(), {3}));
  EXPECT_TRUE(holds(table.record({{"x", u8, 0}, {"y", list, 0}}).value(), {1, 0}));
}

TEST_F(ValueBytes, AHandleHasNoConstants) {
  auto result = checkValueBytes(*table.own(1), {}, 0);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::INVALID);
}

}  // namespace
}  // namespace tenon::component
