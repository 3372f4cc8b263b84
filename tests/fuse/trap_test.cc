// Guests that break the canonical ABI: the adapter must stop them, name the reason and the guilty
// side.

#include "rig.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tenon::component::testing {
namespace {

using control::TrapCode;

constexpr uint32_t CALLER = 1, CALLEE = 2;
constexpr uint32_t FREE = 40000;  // in both guests: bytes that nothing else uses

class TrapTest : public ::testing::Test {
 protected:
  const Type* primitive(TypeKind kind) { return types->primitive(kind); }
  Rig& rig(std::vector<const Type*> params, const Type* result = nullptr, RigOptions options = {}) {
    FuncType type;
    for (const Type* param : params) type.params.push_back({"p", param});
    type.result = result;
    made = std::make_unique<Rig>(types, type, options);
    return *made;
  }
  void expectTrap(const Outcome& outcome, TrapCode code, uint32_t guilty) {
    ASSERT_TRUE(outcome.trapped);
    ASSERT_TRUE(outcome.code) << outcome.message;
    EXPECT_EQ(*outcome.code, code) << outcome.message;
    EXPECT_EQ(outcome.guilty, guilty);
    EXPECT_EQ(made->calls(), guilty == CALLEE ? 1u : 0u);
  }
  void expectFine(const Outcome& outcome) { ASSERT_FALSE(outcome.trapped) << outcome.message; }

  std::shared_ptr<TypeTable> types = std::make_shared<TypeTable>();
  std::unique_ptr<Rig> made;
};

TEST_F(TrapTest, ScalarsAreCutToTheirWidth) {
  Rig& r = rig({primitive(TypeKind::BOOL), primitive(TypeKind::U8), primitive(TypeKind::S8),
                primitive(TypeKind::U16), primitive(TypeKind::S16)});
  expectFine(
      r.call({rawI32(0x100), rawI32(0x1ff), rawI32(0x180), rawI32(0x12345), rawI32(0x18000)}));
  auto got = r.received();
  EXPECT_EQ(got[0].i32, 1u);
  EXPECT_EQ(got[1].i32, 0xffu);
  EXPECT_EQ(got[2].i32, 0xffffff80u);
  EXPECT_EQ(got[3].i32, 0x2345u);
  EXPECT_EQ(got[4].i32, 0xffff8000u);
}

TEST_F(TrapTest, UnknownFlagsAreDropped) {
  Rig& r = rig({*types->flags({"a", "b", "c"})});
  expectFine(r.call({rawI32(0xffff)}));
  EXPECT_EQ(r.received()[0].i32, 7u);
}

TEST_F(TrapTest, CharsOutsideUnicodeTrap) {
  for (uint32_t bad : {0xd800u, 0xdfffu, 0x110000u, 0xffffffffu}) {
    Rig& r = rig({primitive(TypeKind::CHAR)});
    expectTrap(r.call({rawI32(bad)}), TrapCode::INVALID_CHAR, CALLER);
  }
  for (uint32_t good : {0u, 0xd7ffu, 0xe000u, 0x10ffffu}) {
    Rig& r = rig({primitive(TypeKind::CHAR)});
    expectFine(r.call({rawI32(good)}));
    EXPECT_EQ(r.received()[0].i32, good);
  }
}

TEST_F(TrapTest, CharsInResultsAreTheCalleesFault) {
  Rig& r = rig({}, primitive(TypeKind::CHAR));
  r.answer(rawI32(0xd800));
  expectTrap(r.call({}), TrapCode::INVALID_CHAR, CALLEE);
}

TEST_F(TrapTest, DiscriminantsOutOfRangeTrap) {
  for (const Type* type :
       {*types->enumeration({"a", "b", "c"}), *types->option(primitive(TypeKind::U8)),
        *types->variant({{"only", primitive(TypeKind::U64), 0}})}) {
    Rig& r = rig({type});
    std::vector<RawValue> flat(type->flatCount);
    flat[0] = rawI32(3);
    expectTrap(r.call(flat), TrapCode::INVALID_DISCRIMINANT, CALLER);
  }
  Rig& r = rig({*types->list(*types->enumeration({"a", "b"}))});
  ASSERT_TRUE(r.callerMemory().store(FREE, uint8_t{1}));
  ASSERT_TRUE(r.callerMemory().store(FREE + 1, uint8_t{2}));
  expectTrap(r.call({rawI32(FREE), rawI32(2)}), TrapCode::INVALID_DISCRIMINANT, CALLER);
}

TEST_F(TrapTest, PayloadsOfOtherCasesBecomeZero) {
  const Type* type = *types->variant({{"none", nullptr, 0},
                                      {"small", primitive(TypeKind::U8), 0},
                                      {"big", primitive(TypeKind::F64), 0}});
  Rig& r = rig({type});
  expectFine(r.call({rawI32(0), rawI64(~uint64_t{0})}));
  EXPECT_EQ(r.received()[1].i64, 0u);
  expectFine(r.call({rawI32(1), rawI64(~uint64_t{0})}));
  EXPECT_EQ(r.received()[1].i64, 0xffu);
  expectFine(r.call({rawI32(2), rawI64(0x400921fb54442d18)}));
  EXPECT_EQ(r.received()[1].i64, 0x400921fb54442d18u);
}

TEST_F(TrapTest, ListsAreCheckedBeforeTheyAreRead) {
  const Type* numbers = *types->list(primitive(TypeKind::U32));
  uint32_t size = 64 * 65536;
  struct Case {
    uint32_t pointer, length;
    std::optional<TrapCode> code;
  };
  for (const Case& c : {Case{FREE, 3, std::nullopt},
                        {size, 0, std::nullopt},
                        {size - 4, 1, std::nullopt},
                        {FREE + 2, 1, TrapCode::POINTER_MISALIGNED},
                        {FREE + 1, 0, TrapCode::POINTER_MISALIGNED},
                        {size, 1, TrapCode::POINTER_OUT_OF_BOUNDS},
                        {size + 4, 0, TrapCode::POINTER_OUT_OF_BOUNDS},
                        {0xfffffffc, 1, TrapCode::POINTER_OUT_OF_BOUNDS},
                        {0xfffffffc, 4, TrapCode::POINTER_OUT_OF_BOUNDS},
                        {FREE, (1u << 26) - 1, TrapCode::POINTER_OUT_OF_BOUNDS},
                        {FREE, 1u << 26, TrapCode::LIST_TOO_LONG},
                        {FREE, 1u << 30, TrapCode::LIST_TOO_LONG},
                        {FREE, 0xffffffff, TrapCode::LIST_TOO_LONG}}) {
    SCOPED_TRACE(std::to_string(c.pointer) + ", " + std::to_string(c.length));
    Rig& r = rig({numbers});
    Outcome outcome = r.call({rawI32(c.pointer), rawI32(c.length)});
    if (c.code) {
      expectTrap(outcome, *c.code, CALLER);
    } else {
      expectFine(outcome);
      EXPECT_EQ(r.received()[1].i32, c.length);
    }
  }
}

TEST_F(TrapTest, ReallocIsCalledForEmptyListsToo) {
  Rig& r = rig({*types->list(primitive(TypeKind::U64)), primitive(TypeKind::STRING)});
  expectFine(r.call({rawI32(0), rawI32(0), rawI32(0), rawI32(0)}));
  EXPECT_THAT(r.reallocs(true),
              ::testing::ElementsAre(Rig::Realloc{0, 0, 8, 0}, Rig::Realloc{0, 0, 1, 0}));
  EXPECT_TRUE(r.reallocs(false).empty());
}

TEST_F(TrapTest, ReallocsResultIsChecked) {
  const Type* numbers = *types->list(primitive(TypeKind::U32));
  uint32_t size = 64 * 65536;
  struct Case {
    uint32_t pointer;
    TrapCode code;
  };
  for (Case c : {Case{FREE + 2, TrapCode::REALLOC_MISALIGNED},
                 {size, TrapCode::REALLOC_OUT_OF_BOUNDS},
                 {size - 4, TrapCode::REALLOC_OUT_OF_BOUNDS},
                 {0xfffffffc, TrapCode::REALLOC_OUT_OF_BOUNDS}}) {
    SCOPED_TRACE(c.pointer);
    Rig& r = rig({numbers});
    r.forceRealloc(true, c.pointer);
    Outcome outcome = r.call({rawI32(FREE), rawI32(2)});
    ASSERT_TRUE(outcome.code) << outcome.message;
    EXPECT_EQ(*outcome.code, c.code);
    EXPECT_EQ(outcome.guilty, CALLEE);
    EXPECT_EQ(r.calls(), 0u);
  }
  // For results it is the caller's.
  Rig& r = rig({}, numbers);
  r.forceRealloc(false, size);
  ASSERT_TRUE(r.calleeMemory().store(FREE, FREE + 16));
  ASSERT_TRUE(r.calleeMemory().store(FREE + 4, uint32_t{1}));
  r.answer(rawI32(FREE));
  Outcome outcome = r.call({rawI32(FREE)});
  ASSERT_TRUE(outcome.code) << outcome.message;
  EXPECT_EQ(*outcome.code, TrapCode::REALLOC_OUT_OF_BOUNDS);
  EXPECT_EQ(outcome.guilty, CALLER);
}

TEST_F(TrapTest, SpilledParametersAreChecked) {
  std::vector<const Type*> params(17, primitive(TypeKind::U64));
  uint32_t size = 64 * 65536;
  expectTrap(rig(params).call({rawI32(FREE + 4)}), TrapCode::POINTER_MISALIGNED, CALLER);
  expectTrap(rig(params).call({rawI32(size - 8)}), TrapCode::POINTER_OUT_OF_BOUNDS, CALLER);
  Rig& r = rig(params);
  expectFine(r.call({rawI32(size - 136)}));
  EXPECT_THAT(r.reallocs(true), ::testing::ElementsAre(Rig::Realloc{0, 0, 8, 136}));
}

TEST_F(TrapTest, SpilledResultsAreCheckedOnBothSides) {
  const Type* pair = *types->tuple({primitive(TypeKind::U64), primitive(TypeKind::U64)});
  uint32_t size = 64 * 65536;
  auto call = [&](uint32_t from, uint32_t to) -> Outcome {
    Rig& r = rig({}, pair);
    r.answer(rawI32(from));
    return r.call({rawI32(to)});
  };
  expectFine(call(FREE, FREE));
  expectTrap(call(FREE + 4, FREE), TrapCode::POINTER_MISALIGNED, CALLEE);
  expectTrap(call(size - 8, FREE), TrapCode::POINTER_OUT_OF_BOUNDS, CALLEE);
  // The caller's mistake shows only after the call: that is the specification's order.
  for (uint32_t to : {FREE + 4, size - 8}) {
    Outcome outcome = call(FREE, to);
    EXPECT_TRUE(outcome.code);
    EXPECT_EQ(outcome.guilty, CALLER);
    EXPECT_EQ(made->calls(), 1u);
  }
}

TEST_F(TrapTest, NestedPointersAreChecked) {
  const Type* lists = *types->list(*types->list(primitive(TypeKind::U8)));
  Rig& r = rig({lists});
  ASSERT_TRUE(r.callerMemory().store(FREE, uint32_t{0xfffffff0}));
  ASSERT_TRUE(r.callerMemory().store(FREE + 4, uint32_t{32}));
  expectTrap(r.call({rawI32(FREE), rawI32(1)}), TrapCode::POINTER_OUT_OF_BOUNDS, CALLER);
}

TEST_F(TrapTest, PaddingIsNotCopied) {
  const Type* record =
      *types->record({{"a", primitive(TypeKind::U8), 0}, {"b", primitive(TypeKind::U32), 0}});
  Rig& r = rig({*types->list(record)});
  ASSERT_TRUE(r.callerMemory().store(FREE, ~uint64_t{0}));
  expectFine(r.call({rawI32(FREE), rawI32(1)}));
  uint64_t seen = 0;
  ASSERT_TRUE(r.calleeMemory().load(r.received()[0].i32, seen));
  EXPECT_EQ(seen, 0xffffffff000000ffu);
}

TEST_F(TrapTest, ABarredCallerCannotCall) {
  Rig& r = rig({});
  ASSERT_TRUE(r.runtime().program().control);
  GuestMemory control = r.runtime().memory(*r.runtime().program().control);
  ASSERT_TRUE(control.store(control::barredOffset(CALLEE), uint32_t{1}));
  expectFine(r.call({}));
  ASSERT_TRUE(control.store(control::barredOffset(CALLER), uint32_t{1}));
  Outcome outcome = r.call({});
  ASSERT_TRUE(outcome.code) << outcome.message;
  EXPECT_EQ(*outcome.code, TrapCode::CANNOT_LEAVE);
}

}  // namespace
}  // namespace tenon::component::testing
