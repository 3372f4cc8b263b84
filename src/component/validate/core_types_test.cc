#include "component/validate/core_types.h"

#include <gtest/gtest.h>

#include <array>

namespace tenon::component {
namespace {

using typed::CoreTypeSpace;
using typed::CoreTypeTable;

constexpr CoreValType I32{0x7f, 0};
constexpr CoreValType I64{0x7e, 0};
constexpr CoreValType FUNCREF{0x70, 0};
constexpr CoreValType NULLFUNCREF{0x73, 0};
constexpr CoreValType EXTERNREF{0x6f, 0};

CoreExternType memory(uint64_t min, std::optional<uint64_t> max = std::nullopt) {
  CoreExternType type;
  type.kind = CoreExternKind::MEMORY;
  type.limits.min = min;
  type.limits.max = max;
  return type;
}

CoreExternType global(CoreValType content, bool isMutable) {
  CoreExternType type;
  type.kind = CoreExternKind::GLOBAL;
  type.valType = content;
  type.isMutable = isMutable;
  return type;
}

class CoreTypes : public ::testing::Test {
 protected:
  bool fits(const CoreExternType& actual, const CoreExternType& expected) {
    return !coreMismatch(actual, expected, table).has_value();
  }

  // The group of these bytes, after what `space` has.
  template <size_t SIZE>
  Result<void> add(const std::array<uint8_t, SIZE>& bytes, uint32_t count, CoreTypeSpace& space) {
    return table.add(CoreOtherType{std::as_bytes(std::span(bytes)), count}, space, 0);
  }

  CoreTypeTable table;
};

TEST_F(CoreTypes, LimitsMayBeTighterThanAskedFor) {
  EXPECT_TRUE(fits(memory(2), memory(1)));
  EXPECT_FALSE(fits(memory(1), memory(2)));
  EXPECT_TRUE(fits(memory(1, 3), memory(1, 4)));
  EXPECT_FALSE(fits(memory(1, 5), memory(1, 4)));
  EXPECT_FALSE(fits(memory(1), memory(1, 4)));
}

TEST_F(CoreTypes, MemoriesDifferBySharingIndexTypeAndPageSize) {
  CoreExternType shared = memory(1, 2);
  shared.limits.shared = true;
  EXPECT_FALSE(fits(shared, memory(1)));
  CoreExternType wide = memory(1);
  wide.limits.is64 = true;
  EXPECT_FALSE(fits(wide, memory(1)));
  CoreExternType small = memory(1);
  small.limits.pageSizeLog2 = 0;
  EXPECT_FALSE(fits(small, memory(1)));
  small.limits.pageSizeLog2 = 16;
  EXPECT_TRUE(fits(small, memory(1)));
}

TEST_F(CoreTypes, AnImmutableGlobalMayBeOfASubtype) {
  EXPECT_TRUE(fits(global(NULLFUNCREF, false), global(FUNCREF, false)));
  EXPECT_FALSE(fits(global(FUNCREF, false), global(NULLFUNCREF, false)));
  EXPECT_FALSE(fits(global(NULLFUNCREF, true), global(FUNCREF, true)));
  EXPECT_FALSE(fits(global(FUNCREF, false), global(EXTERNREF, false)));
}

TEST_F(CoreTypes, FunctionTypesOfOneSignatureAreOne) {
  EXPECT_EQ(table.func({{I32}, {I64}}), table.func({{I32}, {I64}}));
  EXPECT_NE(table.func({{I32}, {I64}}), table.func({{I32, I64}, {}}));
}

TEST_F(CoreTypes, GroupsOfOneStructureAreOneWhereverTheyStand) {
  // (rec (type (func (param (ref 1)))) (type (struct))), and the same one index later.
  constexpr std::array<uint8_t, 11> HERE = {0x4e, 2, 0x60, 1, 0x64, 1, 0, 0x5f, 0};
  constexpr std::array<uint8_t, 11> LATER = {0x4e, 2, 0x60, 1, 0x64, 2, 0, 0x5f, 0};
  CoreTypeSpace first, second;
  ASSERT_TRUE(add(HERE, 2, first).ok());
  ASSERT_TRUE(table.add(CoreFuncType{}, second, 0).ok());
  ASSERT_TRUE(add(LATER, 2, second).ok());
  ASSERT_EQ(first.size(), 2u);
  ASSERT_EQ(second.size(), 3u);
  EXPECT_EQ(first[0].id, second[1].id);
  EXPECT_EQ(first[1].id, second[2].id);
}

TEST_F(CoreTypes, ASubtypeIsDeclared) {
  constexpr std::array<uint8_t, 5> OPEN = {0x50, 0, 0x60, 0, 0};      // (sub (func))
  constexpr std::array<uint8_t, 6> UNDER = {0x4f, 1, 0, 0x60, 0, 0};  // (sub final 0 (func))
  CoreTypeSpace space;
  ASSERT_TRUE(add(OPEN, 1, space).ok());
  ASSERT_TRUE(add(UNDER, 1, space).ok());
  EXPECT_TRUE(table.isSubtype(space[1].id, space[0].id));
  EXPECT_FALSE(table.isSubtype(space[0].id, space[1].id));
  // Of a final type there are none.
  constexpr std::array<uint8_t, 6> BELOW = {0x4f, 1, 1, 0x60, 0, 0};
  EXPECT_FALSE(add(BELOW, 1, space).ok());
}

TEST_F(CoreTypes, ASubtypeHasTheStructureOfItsSupertype) {
  constexpr std::array<uint8_t, 5> OPEN = {0x50, 0, 0x60, 0, 0};
  constexpr std::array<uint8_t, 7> OTHER = {0x4f, 1, 0, 0x60, 1, 0x7f, 0};
  CoreTypeSpace space;
  ASSERT_TRUE(add(OPEN, 1, space).ok());
  auto result = add(OTHER, 1, space);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().message, "sub type must match super type");
}

TEST_F(CoreTypes, AnIndexBeyondTheGroupIsRefused) {
  constexpr std::array<uint8_t, 6> FAR = {0x60, 1, 0x64, 9, 0};
  CoreTypeSpace space;
  EXPECT_FALSE(add(FAR, 1, space).ok());
}

TEST_F(CoreTypes, PrintAsText) {
  EXPECT_EQ(toString(CoreFuncType{{I32, FUNCREF}, {I64}}),
            "(func (param i32 funcref) (result i64))");
  EXPECT_EQ(toString(CoreFuncType{}), "(func)");
  EXPECT_EQ(toString(CoreValType{0x64, -16}), "(ref func)");
  EXPECT_EQ(toString(CoreValType{0x63, 3}), "(ref null type 3)");
}

}  // namespace
}  // namespace tenon::component
