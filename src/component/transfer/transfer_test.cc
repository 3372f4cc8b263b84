// The walk by kinds of values, its failures and who gets them. That it does what lifting and
// lowering do, for any type and any bytes, is tests/transfer.
#include "component/transfer/transfer.h"

#include "component/abi/context_testing.h"
#include "component/abi/dynamic.h"
#include "component/abi/typed_testing.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>
#include <new>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace {
size_t allocations = 0;
}

void* operator new(size_t size) {
  allocations++;
  void* memory = std::malloc(size);
  if (memory == nullptr) std::abort();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace tenon::abi {
namespace {

using testing::Types;

constexpr auto UTF8 = StringEncoding::UTF8;
constexpr auto UTF16 = StringEncoding::UTF16;
constexpr auto LATIN1 = StringEncoding::LATIN1_UTF16;

FuncType function(std::vector<const Type*> params, const Type* result = nullptr) {
  FuncType type;
  for (const Type* param : params) {
    type.params.push_back({"p" + std::to_string(type.params.size()), param});
  }
  type.result = result;
  return type;
}

Transfer transferOf(const FuncType& type) {
  auto transfer = Transfer::compile(type, type);
  if (!transfer) ADD_FAILURE() << transfer.error().message;
  return *std::move(transfer);
}

std::string refusal(const FuncType& caller, const FuncType& callee) {
  auto transfer = Transfer::compile(caller, callee);
  if (transfer) return "";
  return std::string(toString(transfer.error().code)) + ": " + transfer.error().message;
}

class TransferTest : public ::testing::Test {
 protected:
  // Moves one parameter that the caller has flat as `flat`.
  bool move(const Type* param, std::vector<uint64_t> flat, HandleMover* mover = nullptr) {
    FuncType type = function({param});
    Transfer transfer = transferOf(type);
    std::vector<RawValue> in(slotCount(type));
    for (size_t i = 0; i < flat.size() && i < in.size(); i++) in[i].i64 = flat[i];
    got.assign(slotCount(type), RawValue{});
    return transfer.parameters(caller, in.data(), callee, got.data(), mover);
  }
  std::vector<uint64_t> gotBits() const {
    std::vector<uint64_t> bits;
    for (const RawValue& raw : got) bits.push_back(raw.i64);
    return bits;
  }
  template <typename T>
  void put(uint32_t at, T value) {
    std::memcpy(&caller.data[at], &value, sizeof(T));
  }

  using Bits = std::vector<uint64_t>;
  Types types;
  FakeContext caller{UTF8}, callee{UTF8};
  std::vector<RawValue> got;
};

TEST_F(TransferTest, FlatValuesAreCutAndExtendedAsLiftingDoes) {
  constexpr uint64_t DIRTY = 0xfedcba9876543280;
  const std::pair<const Type*, uint64_t> cases[] = {
      {types.boolean, 1},
      {types.u8, 0x80},
      {types.of(TypeKind::S8), 0xffffff80},
      {types.u16, 0x3280},
      {types.s16, 0x3280},
      {types.u32, 0x76543280},
      {types.s32, 0x76543280},
      {types.u64, DIRTY},
      {types.s64, DIRTY},
      {types.f32, 0x76543280},
      {types.f64, DIRTY},
      {types.flags({"a", "b", "c", "d", "e", "f", "g", "h", "i"}), 0x80},
      {types.flags({"a", "b"}), 0},
  };
  for (const auto& [type, expected] : cases) {
    EXPECT_TRUE(move(type, {DIRTY})) << toString(*type);
    EXPECT_EQ(gotBits(), Bits{expected}) << toString(*type);
  }
  EXPECT_TRUE(move(types.s16, {0x8000}));
  EXPECT_EQ(gotBits(), Bits{0xffff8000});
  EXPECT_TRUE(caller.log.empty() && callee.log.empty());
}

TEST_F(TransferTest, TheBitsOfANanPassThrough) {
  EXPECT_TRUE(move(types.f32, {0x7fa00001}));
  EXPECT_EQ(gotBits(), Bits{0x7fa00001});
  EXPECT_TRUE(move(types.f64, {0x7ff4000000000001}));
  EXPECT_EQ(gotBits(), Bits{0x7ff4000000000001});
}

TEST_F(TransferTest, CasesShareSlotsAndWhatTheyDoNotUseIsZero) {
  const Type* type = types.variant({{"none", nullptr}, {"wide", types.u64}, {"two", types.string}});
  EXPECT_TRUE(move(type, {0, 77, 88}));
  EXPECT_EQ(gotBits(), (Bits{0, 0, 0}));
  EXPECT_TRUE(move(type, {1, ~0ull, 88}));
  EXPECT_EQ(gotBits(), (Bits{1, ~0ull, 0}));
  caller.data[100] = 'x';
  EXPECT_TRUE(move(type, {2, 100, 1}));
  EXPECT_EQ(gotBits(), (Bits{2, 8, 1}));
  EXPECT_EQ(callee.data[8], 'x');
}

TEST_F(TransferTest, AListOfPlainElementsIsOneAllocationAndOneCopy) {
  for (uint32_t i = 0; i < 300; i++) put(16 + 8 * i, i * 0x0101010101ull);
  EXPECT_TRUE(move(types.list(types.five()), {16, 100}));
  ASSERT_EQ(callee.log.size(), 1u);
  EXPECT_EQ(callee.log[0], (FakeContext::Realloc{0, 0, 8, 2400, 8}));
  EXPECT_EQ(std::memcmp(&callee.data[8], &caller.data[16], 2400), 0);
  EXPECT_EQ(gotBits(), (Bits{8, 100}));
}

TEST_F(TransferTest, PaddingIsNotCopied) {
  std::fill(caller.data.begin(), caller.data.end(), 0xee);
  std::fill(callee.data.begin(), callee.data.end(), 0x11);
  EXPECT_TRUE(move(types.list(types.padded()), {32, 2}));
  for (uint32_t at : {8u, 24u}) {
    EXPECT_EQ(callee.data[at], 0xee);
    for (uint32_t i = 1; i < 8; i++) EXPECT_EQ(callee.data[at + i], 0x11) << at + i;
    for (uint32_t i = 8; i < 16; i++) EXPECT_EQ(callee.data[at + i], 0xee) << at + i;
  }
}

TEST_F(TransferTest, BoolsBecomeOneAndFlagsLoseWhatTheyDoNotName) {
  for (uint8_t i = 0; i < 64; i++) put(64 + i, static_cast<uint8_t>(i % 3 == 0 ? 0 : i + 100));
  EXPECT_TRUE(move(types.list(types.boolean), {64, 64}));
  for (uint32_t i = 0; i < 64; i++) EXPECT_EQ(callee.data[8 + i], i % 3 != 0) << i;
  EXPECT_TRUE(move(types.list(types.access()), {64, 2}));
  uint32_t at = got[0].i32;
  EXPECT_EQ(callee.data[at], 0);
  EXPECT_EQ(callee.data[at + 1], 101 & 7);
}

TEST_F(TransferTest, TextIsTranscodedBetweenAllEncodings) {
  const std::string texts[] = {"",
                               "plain ascii, longer than eight bytes",
                               "na\u00efve",
                               "\u00ff\u0100",
                               "\u20ac and \U0001f600",
                               std::string(1000, 'y')};
  for (StringEncoding from : {UTF8, UTF16, LATIN1}) {
    for (StringEncoding to : {UTF8, UTF16, LATIN1}) {
      for (const std::string& text : texts) {
        FuncType type = function({types.string});
        Transfer transfer = transferOf(type);
        FakeContext source(from, 1 << 14), target(to, 1 << 14), direct(to, 1 << 14);
        RawValue in[2], out[2], expected[2];
        std::vector<Value> values{Value(text)};
        lowerParams(source, type, values, in);
        lowerParams(direct, type, values, expected);
        size_t before = allocations;
        EXPECT_TRUE(transfer.parameters(source, in, target, out));
        EXPECT_LE(allocations - before, target.log.size() * 2);  // of the fake's own log
        EXPECT_EQ(target.log, direct.log);
        EXPECT_EQ(target.data, direct.data);
        auto arrived = liftParams(target, type, out);
        ASSERT_EQ(arrived.size(), 1u);
        EXPECT_EQ(arrived[0], values[0]);
      }
    }
  }
}

TEST_F(TransferTest, WhatIsBadFailsWhoGaveItAndNoReallocRuns) {
  const Type* string = types.string;
  caller.data[200] = 0xff;
  struct Bad {
    const Type* type;
    Bits flat;
    const char* failure;
  };
  const Bad cases[] = {
      {types.character, {0xd800}, "a char is not a Unicode scalar value"},
      {types.character, {0x110000}, "a char is not a Unicode scalar value"},
      {types.color(), {3}, "a discriminant names no case of its type"},
      {types.option(types.u8), {2, 0}, "a discriminant names no case of its type"},
      {types.option(string), {2, 0, 0}, "a discriminant names no case of its type"},
      {types.option(string), {1, 8192, 1}, "a string is out of bounds of the memory"},
      {string, {200, 1}, "a string is not valid UTF-8"},
      {string, {0, 1 << 28}, "a string is longer than 2^28 - 1 bytes"},
      {types.list(types.u32), {2, 0}, "a pointer is not aligned for its type"},
      {types.list(types.u32), {8192, 1}, "a pointer is out of bounds of the memory"},
      {types.list(types.u32), {0, 0x40000001}, "a list is longer than 2^28 - 1 bytes"},
      {types.list(types.u32), {0, 0xffffffff}, "a list is longer than 2^28 - 1 bytes"},
      {types.list(types.u8), {0xffffffff, 0xfffffff}, "a pointer is out of bounds of the memory"},
  };
  // A good string goes before it, which would have been moved already.
  for (const Bad& bad : cases) {
    FakeContext from(UTF8, caller.data), to(UTF8);
    FuncType type = function({string, bad.type});
    Transfer transfer = transferOf(type);
    std::vector<RawValue> in(slotCount(type)), out(slotCount(type));
    in[1].i64 = 10;
    for (size_t i = 0; i < bad.flat.size(); i++) in[2 + i].i64 = bad.flat[i];
    EXPECT_FALSE(transfer.parameters(from, in.data(), to, out.data()));
    EXPECT_STREQ(from.failure(), bad.failure) << toString(*bad.type);
    EXPECT_FALSE(to.failed());
    EXPECT_TRUE(to.log.empty());
  }
}

TEST_F(TransferTest, AReallocThatAnswersRubbishFailsWhoGets) {
  const Type* strings = types.list(types.string);
  put<uint32_t>(64, 16);
  put<uint32_t>(68, 4);
  for (uint32_t answer : {0xffffffffu, 8190u, 2u}) {
    FakeContext to(UTF8);
    to.forced = answer;
    FuncType type = function({strings});
    Transfer transfer = transferOf(type);
    RawValue in[2], out[2];
    in[0].i64 = 64;
    in[1].i64 = 1;
    EXPECT_FALSE(transfer.parameters(caller, in, to, out));
    EXPECT_TRUE(to.failed());
    EXPECT_FALSE(caller.failed());
    EXPECT_EQ(to.log.size(), 1u);
    EXPECT_EQ(to.data, std::vector<uint8_t>(8192));
  }
}

TEST_F(TransferTest, AReallocThatMovesTheMemoryIsFollowed) {
  std::string text(100, 'z');
  FuncType type = function({types.list(types.string), types.string});
  Transfer transfer = transferOf(type);
  List list;
  for (int i = 0; i < 20; i++) list.items.emplace_back(text + std::to_string(i));
  std::vector<Value> values{Value(list), Value(text)};
  RawValue in[4], out[4];
  lowerParams(caller, type, values, in);
  FakeContext to(UTF8, 64);
  to.growWith = 4096;
  EXPECT_TRUE(transfer.parameters(caller, in, to, out));
  EXPECT_EQ(liftParams(to, type, out), values);
}

TEST_F(TransferTest, ManyParametersGoThroughMemoryOnBothSides) {
  std::vector<const Type*> params(17, types.u32);
  params.push_back(types.string);
  FuncType type = function(params);
  Transfer transfer = transferOf(type);
  std::vector<Value> values;
  for (uint32_t i = 0; i < 17; i++) values.emplace_back(i * 1000);
  values.emplace_back(std::string("last"));
  RawValue in[1], out[1];
  lowerParams(caller, type, values, in);
  EXPECT_TRUE(transfer.parametersNeedRealloc());
  EXPECT_TRUE(transfer.parameters(caller, in, callee, out));
  EXPECT_EQ(callee.log.size(), 2u);
  EXPECT_EQ(callee.log[0][3], 76u);
  EXPECT_EQ(liftParams(callee, type, out), values);
  in[0].i64 = 8192 - 4;
  FakeContext bad(UTF8);
  EXPECT_FALSE(transfer.parameters(bad, in, callee, out));
  EXPECT_STREQ(bad.failure(), "a pointer is out of bounds of the memory");
}

TEST_F(TransferTest, ResultsGoWhereTheCallerSays) {
  FuncType type = function({types.u32}, types.result(types.string, types.color()));
  Transfer transfer = transferOf(type);
  EXPECT_FALSE(transfer.parametersNeedRealloc());
  EXPECT_TRUE(transfer.resultsNeedRealloc());
  Value value(ResultValue{false, Box(Value(std::string("fine")))});
  uint32_t from = callee.allocate(12, 4);
  store(callee, *type.result, value, from);
  RawValue result[1], flat[2];
  result[0].i64 = from;
  flat[0].i64 = 7;
  flat[1].i64 = 128;
  EXPECT_TRUE(transfer.results(callee, result, caller, flat));
  EXPECT_EQ(load(caller, *type.result, 128), value);
  // A bad place is the caller's fault, and is found before `realloc`.
  for (uint32_t place : {130u, 8188u}) {
    FakeContext to(UTF8);
    flat[1].i64 = place;
    EXPECT_FALSE(transfer.results(callee, result, to, flat));
    EXPECT_TRUE(to.failed());
    EXPECT_FALSE(callee.failed());
    EXPECT_TRUE(to.log.empty());
  }
  // A bad result is the callee's.
  callee.data[from] = 2;
  flat[1].i64 = 128;
  EXPECT_FALSE(transfer.results(callee, result, caller, flat));
  EXPECT_STREQ(callee.failure(), "a discriminant names no case of its type");
  EXPECT_FALSE(caller.failed());
}

TEST_F(TransferTest, AFlatResultAndNoneNeedNoMemory) {
  FuncType type = function({types.u8}, types.boolean);
  Transfer transfer = transferOf(type);
  RawValue result[1], flat[1];
  result[0].i64 = 0x100;
  EXPECT_TRUE(transfer.results(callee, result, caller, flat));
  EXPECT_EQ(flat[0].i64, 1u);
  flat[0].i64 = 99;
  EXPECT_TRUE(transferOf(function({types.u8})).results(callee, result, caller, flat));
  EXPECT_EQ(flat[0].i64, 99u);
}

TEST_F(TransferTest, NothingIsDoneForAContextThatHasFailed) {
  FuncType type = function({types.string}, types.u32);
  Transfer transfer = transferOf(type);
  RawValue in[2] = {}, out[2] = {};
  FakeContext failed(UTF8);
  failed.fail("earlier");
  EXPECT_FALSE(transfer.parameters(failed, in, callee, out));
  EXPECT_FALSE(transfer.parameters(caller, in, failed, out));
  EXPECT_FALSE(transfer.results(failed, in, caller, out));
  EXPECT_FALSE(transfer.results(callee, in, failed, out));
  EXPECT_TRUE(callee.log.empty() && caller.log.empty() && failed.log.empty());
  EXPECT_STREQ(failed.failure(), "earlier");
}

TEST_F(TransferTest, ACallWithoutHandlesTakesNoMemoryOfTheHost) {
  FuncType type = function({types.person(), types.list(types.list(types.color()))});
  Transfer transfer = transferOf(type);
  FakeContext source(UTF8, 1 << 14), target(UTF8, 1 << 14);
  std::vector<RawValue> in(slotCount(type)), out(slotCount(type));
  // Spilled, and all zeros: empty strings and lists, first cases.
  in[0].i64 = 4096;
  target.log.reserve(100);
  size_t before = allocations;
  EXPECT_TRUE(transfer.parameters(source, in.data(), target, out.data()));
  EXPECT_EQ(allocations, before);
  EXPECT_FALSE(target.log.empty());
}

TEST_F(TransferTest, StringsAndListsAtOnePlaceAreChargedEachTime) {
  // 10 lists of 512 bools at one place.
  for (uint32_t i = 0; i < 10; i++) {
    put<uint32_t>(8 * i, 4096);
    put<uint32_t>(8 * i + 4, 512);
  }
  caller.budget = callee.budget = 80 + 10 * 512;
  EXPECT_TRUE(move(types.list(types.list(types.boolean)), {0, 10})) << callee.failure();
  EXPECT_EQ(caller.budget, 0u);
  EXPECT_EQ(callee.budget, 80u + 10 * 512);
  for (const Type* element : {types.list(types.boolean), types.string}) {
    FuncType type = function({types.list(element)});
    Transfer transfer = transferOf(type);
    FakeContext from(UTF8, caller.data), to(UTF8);
    from.budget = 80 + 9 * 512;
    RawValue in[2] = {}, out[2] = {};
    in[1].i64 = 10;
    EXPECT_FALSE(transfer.parameters(from, in, to, out));
    EXPECT_STREQ(from.failure(), "the values of one call take more host memory than allowed");
    EXPECT_TRUE(to.log.empty());
  }
}

// -- Handles --------------------------------------------------------------------------------------

class Recorder final : public HandleMover {
 public:
  uint64_t lift(Context& from, const MovedHandle& type, uint32_t index) override {
    steps.push_back("lift " + std::to_string(index));
    seen.push_back(type);
    if (index == refused) from.fail("not this one");
    return uint64_t{1} << 40 | index;
  }
  uint32_t lower(Context& to, const MovedHandle& type, uint64_t lifted) override {
    steps.push_back("lower " + std::to_string(lifted - (uint64_t{1} << 40)));
    seen.push_back(type);
    if (isFull) to.fail("the instance has too many handles");
    return static_cast<uint32_t>(lifted) + 1000;
  }

  std::vector<std::string> steps;
  std::vector<MovedHandle> seen;
  uint32_t refused = 99;
  bool isFull = false;
};

TEST_F(TransferTest, HandlesAreLiftedBeforeAnyIsLoweredInTheOrderOfTheWalk) {
  const Type* own = types.table.own(3);
  const Type* borrow = types.table.borrow(4);
  FuncType callerType = function({own, types.list(borrow), types.option(own)}, own);
  Types others;
  const Type* theirOwn = others.table.own(7);
  const Type* theirBorrow = others.table.borrow(5);
  FuncType calleeType =
      function({theirOwn, others.list(theirBorrow), others.option(theirOwn)}, theirOwn);
  auto transfer = Transfer::compile(callerType, calleeType);
  ASSERT_TRUE(transfer) << transfer.error().message;
  using Mode = MovedHandle::Mode;
  using Way = MovedHandle::Way;
  const MovedHandle expected[] = {{Mode::OWN, Way::TO_CALLEE, 3, 7},
                                  {Mode::BORROW, Way::TO_CALLEE, 4, 5},
                                  {Mode::OWN, Way::TO_CALLER, 7, 3}};
  ASSERT_EQ(transfer->handles().size(), 3u);
  for (size_t i = 0; i < 3; i++) EXPECT_EQ(transfer->handles()[i], expected[i]) << i;

  put<uint32_t>(64, 21);
  put<uint32_t>(68, 22);
  RawValue in[5] = {}, out[5] = {};
  in[0].i64 = 20;
  in[1].i64 = 64;
  in[2].i64 = 2;
  in[3].i64 = 1;
  in[4].i64 = 23;
  Recorder recorder;
  EXPECT_TRUE(transfer->parameters(caller, in, callee, out, &recorder));
  EXPECT_EQ(recorder.steps,
            (std::vector<std::string>{"lift 20", "lift 21", "lift 22", "lift 23", "lower 20",
                                      "lower 21", "lower 22", "lower 23"}));
  EXPECT_EQ(recorder.seen[1], expected[1]);
  EXPECT_EQ(out[0].i64, 1020u);
  EXPECT_EQ(out[4].i64, 1023u);
  uint32_t arrived = 0;
  ASSERT_TRUE(callee.memory.load(out[1].i32 + 4ull, arrived));
  EXPECT_EQ(arrived, 1022u);

  Recorder back;
  RawValue result[1] = {};
  result[0].i64 = 5;
  EXPECT_TRUE(transfer->results(callee, result, caller, in, &back));
  EXPECT_EQ(in[0].i64, 1005u);
  EXPECT_EQ(back.seen[0], expected[2]);
}

TEST_F(TransferTest, AHandleThatCannotMoveFailsItsSide) {
  const Type* own = types.table.own(0);
  Recorder refusing;
  refusing.refused = 6;
  FuncType type = function({types.string, own, own, own});
  Transfer transfer = transferOf(type);
  RawValue in[5] = {}, out[5] = {};
  for (uint32_t i = 2; i < 5; i++) in[i].i64 = 3 + i;
  EXPECT_FALSE(transfer.parameters(caller, in, callee, out, &refusing));
  EXPECT_STREQ(caller.failure(), "not this one");
  EXPECT_EQ(refusing.steps, (std::vector<std::string>{"lift 5", "lift 6"}));
  EXPECT_TRUE(callee.log.empty());

  FakeContext from(UTF8);
  Recorder full;
  full.isFull = true;
  EXPECT_FALSE(transfer.parameters(from, in, callee, out, &full));
  EXPECT_STREQ(callee.failure(), "the instance has too many handles");
  EXPECT_FALSE(from.failed());
  EXPECT_EQ(full.steps.size(), 4u);

  FakeContext alone(UTF8), nobody(UTF8);
  EXPECT_FALSE(transfer.parameters(alone, in, nobody, out));
  EXPECT_STREQ(alone.failure(), "resource handles cannot be passed here");
}

// -- Compiling ------------------------------------------------------------------------------------

TEST_F(TransferTest, TypesOfTwoTablesAreComparedByStructure) {
  Types others;
  EXPECT_EQ(refusal(function({types.person()}, types.list(types.shape())),
                    function({others.person()}, others.list(others.shape()))),
            "");
  EXPECT_EQ(refusal(function({types.record({{"x", types.list(types.u32)}})}),
                    function({others.record({{"x", others.list(others.u64)}})})),
            "type mismatch: parameter 'p0', field 'x', element: u32 in the caller, u64 in the "
            "callee");
  EXPECT_EQ(refusal(function({types.u8}, types.result(types.u8, types.string)),
                    function({others.u8}, others.result(others.u8, others.u8))),
            "type mismatch: result, error: string in the caller, u8 in the callee");
  EXPECT_EQ(
      refusal(function({types.shape()}), function({others.variant({{"none", nullptr},
                                                                   {"dot", others.padded()},
                                                                   {"text", others.string},
                                                                   {"size", others.f32},
                                                                   {"number", others.u64}})})),
      "type mismatch: parameter 'p0', case 'dot': record { x: s32, y: s32 } in the caller, "
      "record { small: u8, large: u64 } in the callee");
  EXPECT_EQ(refusal(function({types.u8}), function({})),
            "type mismatch: func(p0: u8) in the caller, func() in the callee");
  EXPECT_NE(refusal(function({types.color()}), function({others.enumeration({"a", "b", "c"})})),
            "");
  EXPECT_NE(refusal(function({types.table.own(1)}), function({others.table.borrow(1)})), "");
  EXPECT_NE(refusal(function({types.result(nullptr, types.u8)}),
                    function({others.result(types.u8, nullptr)})),
            "");
}

TEST_F(TransferTest, WhatNoCallCanMoveIsRefused) {
  const Type* stream = types.table.stream(types.u8).value();
  const Type* future = types.table.future(nullptr).value();
  const char* reason = "streams, futures and error contexts are not supported yet";
  EXPECT_EQ(refusal(function({types.option(stream)}), function({types.option(stream)})),
            std::string("unsupported: parameter 'p0', some: ") + reason);
  EXPECT_EQ(refusal(function({}, future), function({}, future)),
            std::string("unsupported: result: ") + reason);
  FuncType async = function({});
  async.async = true;
  EXPECT_EQ(refusal(async, async), "unsupported: async functions are not supported yet");
}

TEST_F(TransferTest, ParametersThatNoMemoryHoldsAreRefused) {
  const Type* large = types.table.fixedList(types.u8, (1 << 28) - 1).value();
  std::vector<const Type*> params(17, large);
  EXPECT_EQ(refusal(function(params), function(params)),
            "limit exceeded: the parameters take more than 2^32 - 1 bytes");
}

TEST_F(TransferTest, SharedPartsAreCompiledOnce) {
  // 3^45 strings in memory, and 60^13 among flat values, if parts were written out.
  const Type* deep = types.string;
  for (int i = 0; i < 45; i++) {
    deep = types.variant({{"a", deep}, {"b", deep}, {"c", types.option(deep)}});
  }
  const Type* flat = types.u32;
  for (int i = 0; i < 13; i++) {
    std::vector<std::pair<std::string, const Type*>> cases;
    for (int c = 0; c < 60; c++) cases.emplace_back("c" + std::to_string(c), flat);
    flat = types.variant(cases);
  }
  FuncType type = function({flat, types.list(deep)}, deep);
  Transfer transfer = transferOf(type);
  std::vector<RawValue> in(slotCount(type)), out(slotCount(type));
  for (uint32_t i = 0; i < 13; i++) in[i].i64 = i;
  in[13].i64 = 77;
  in[15].i64 = 1;
  EXPECT_TRUE(transfer.parameters(caller, in.data(), callee, out.data())) << caller.failure();
  for (uint32_t i = 0; i < 13; i++) EXPECT_EQ(out[i].i64, i);
  EXPECT_EQ(out[13].i64, 77u);
  EXPECT_EQ(callee.log.size(), 2u);
}

TEST_F(TransferTest, FixedListsOfAnyLengthArriveWhole) {
  for (uint32_t length : {1u, 3u, 16u, 17u, 200u}) {
    for (const Type* element : {types.u16, types.boolean, types.character, types.string}) {
      const Type* fixed = types.table.fixedList(element, length).value();
      FuncType type = function({types.list(fixed), fixed}, fixed);
      Transfer transfer = transferOf(type);
      FakeContext from(UTF8, 1 << 15), to(UTF8, 1 << 15);
      List list;
      for (uint32_t i = 0; i < length; i++) {
        switch (element->kind) {
          case TypeKind::U16:
            list.items.emplace_back(static_cast<uint16_t>(i * 77));
            break;
          case TypeKind::BOOL:
            list.items.emplace_back(i % 2 == 0);
            break;
          case TypeKind::CHAR:
            list.items.emplace_back(Char{U'a' + i});
            break;
          default:
            list.items.emplace_back(std::to_string(i));
        }
      }
      std::vector<Value> values{Value(List{{Value(list), Value(list)}}), Value(list)};
      std::vector<RawValue> in(slotCount(type)), out(slotCount(type));
      lowerParams(from, type, values, in.data());
      EXPECT_TRUE(transfer.parameters(from, in.data(), to, out.data()));
      EXPECT_EQ(liftParams(to, type, out.data()), values) << length << toString(*element);
    }
  }
}

}  // namespace
}  // namespace tenon::abi
