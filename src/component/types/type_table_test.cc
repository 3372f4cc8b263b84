#include "component/types/type_table.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace tenon::component {
namespace {

std::string flatText(const std::vector<CoreType>& types) {
  std::string text;
  for (CoreType type : types) text += "iIfF"[static_cast<size_t>(type)];
  return text;
}

std::string signatureText(const CoreSignature& signature) {
  return flatText(signature.params) + ">" + flatText(signature.results);
}

// Short names, so that the tables below read like the calls of definitions.py that made them.
class TypeTableTest : public testing::Test {
 protected:
  using P = const Type*;

  P L(P element) { return table.list(element).value(); }
  template <typename... Types>
  P R(Types... types) {
    return table.record(labelled({types...})).value();
  }
  template <typename... Types>
  P T(Types... types) {
    return table.tuple({types...}).value();
  }
  template <typename... Types>
  P V(Types... types) {
    return table.variant(labelled({types...})).value();
  }
  P E(int count) { return table.enumeration(labels(count)).value(); }
  P FL(int count) { return table.flags(labels(count)).value(); }
  P O(P element) { return table.option(element).value(); }
  P RES(P ok, P error) { return table.result(ok, error).value(); }
  P ST(P element) { return table.stream(element).value(); }
  P FU(P element) { return table.future(element).value(); }

  static std::vector<Labelled> labelled(const std::vector<P>& types) {
    std::vector<Labelled> members;
    for (P type : types) {
      members.push_back({std::string(1, static_cast<char>('a' + members.size())), type, 0});
    }
    return members;
  }
  static std::vector<std::string> labels(int count) {
    std::vector<std::string> names;
    for (int i = 0; i < count; ++i) names.push_back("c" + std::to_string(i));
    return names;
  }
  static FuncType func(const std::vector<P>& params, P result) {
    FuncType type;
    for (P param : params) type.params.push_back({"p", param});
    type.result = result;
    return type;
  }

  TypeTable table;
  P B = table.primitive(TypeKind::BOOL);
  P S8 = table.primitive(TypeKind::S8);
  P U8 = table.primitive(TypeKind::U8);
  P U16 = table.primitive(TypeKind::U16);
  P U32 = table.primitive(TypeKind::U32);
  P S64 = table.primitive(TypeKind::S64);
  P U64 = table.primitive(TypeKind::U64);
  P F32 = table.primitive(TypeKind::F32);
  P F64 = table.primitive(TypeKind::F64);
  P C = table.primitive(TypeKind::CHAR);
  P S = table.primitive(TypeKind::STRING);
  P OWN = table.own(0);
  P BOR = table.borrow(0);
  P N = nullptr;
};

// Expectations computed with the specification's definitions.py: alignment and elem_size (i32,
// i64), the size of discriminant_type, where elem_size_variant puts the payload, flatten_type.
TEST_F(TypeTableTest, LaysOutAndFlattensAsTheSpecificationDoes) {
  struct Row {
    const char* text;
    const Type* type;
    uint32_t alignment, size, alignment64, size64, discriminantSize, payloadOffset, flatCount;
    const char* flat;
  };
  const Row rows[] = {
      {"B", B, 1, 1, 1, 1, 0, 0, 1, "i"},
      {"S8", S8, 1, 1, 1, 1, 0, 0, 1, "i"},
      {"U16", U16, 2, 2, 2, 2, 0, 0, 1, "i"},
      {"C", C, 4, 4, 4, 4, 0, 0, 1, "i"},
      {"F32", F32, 4, 4, 4, 4, 0, 0, 1, "f"},
      {"F64", F64, 8, 8, 8, 8, 0, 0, 1, "F"},
      {"U64", U64, 8, 8, 8, 8, 0, 0, 1, "I"},
      {"S", S, 4, 8, 8, 16, 0, 0, 2, "ii"},
      {"L(U8)", L(U8), 4, 8, 8, 16, 0, 0, 2, "ii"},
      {"L(R(U8, U64))", L(R(U8, U64)), 4, 8, 8, 16, 0, 0, 2, "ii"},
      {"OWN", OWN, 4, 4, 4, 4, 0, 0, 1, "i"},
      {"BOR", BOR, 4, 4, 4, 4, 0, 0, 1, "i"},
      {"ST(N)", ST(N), 4, 4, 4, 4, 0, 0, 1, "i"},
      {"FU(S)", FU(S), 4, 4, 4, 4, 0, 0, 1, "i"},
      {"R(U8)", R(U8), 1, 1, 1, 1, 0, 0, 1, "i"},
      {"R(U8, U32)", R(U8, U32), 4, 8, 4, 8, 0, 0, 2, "ii"},
      {"R(U32, U8)", R(U32, U8), 4, 8, 4, 8, 0, 0, 2, "ii"},
      {"R(U8, U16, U8, U64, U8)", R(U8, U16, U8, U64, U8), 8, 24, 8, 24, 0, 0, 5, "iiiIi"},
      {"R(F32, F64, U8)", R(F32, F64, U8), 8, 24, 8, 24, 0, 0, 3, "fFi"},
      {"R(S, S, U8)", R(S, S, U8), 4, 20, 8, 40, 0, 0, 5, "iiiii"},
      {"R(B, C, S64)", R(B, C, S64), 8, 16, 8, 16, 0, 0, 3, "iiI"},
      {"T(U8, T(U16, U8), U8)", T(U8, T(U16, U8), U8), 2, 8, 2, 8, 0, 0, 4, "iiii"},
      {"T(U64, F32)", T(U64, F32), 8, 16, 8, 16, 0, 0, 2, "If"},
      {"T(U8, S)", T(U8, S), 4, 12, 8, 24, 0, 0, 3, "iii"},
      {"V(N)", V(N), 1, 1, 1, 1, 1, 1, 1, "i"},
      {"V(N, U64)", V(N, U64), 8, 16, 8, 16, 1, 8, 2, "iI"},
      {"V(F32, U32)", V(F32, U32), 4, 8, 4, 8, 1, 4, 2, "ii"},
      {"V(F32, F64)", V(F32, F64), 8, 16, 8, 16, 1, 8, 2, "iI"},
      {"V(U32, F64)", V(U32, F64), 8, 16, 8, 16, 1, 8, 2, "iI"},
      {"V(F32, S)", V(F32, S), 4, 12, 8, 24, 1, 4, 3, "iii"},
      {"V(S, F32, U64)", V(S, F32, U64), 8, 16, 8, 24, 1, 8, 3, "iIi"},
      {"V(U8, R(U8, U64), N)", V(U8, R(U8, U64), N), 8, 24, 8, 24, 1, 8, 3, "iiI"},
      {"V(T(F32, F32), T(U32, U64), T(F64))", V(T(F32, F32), T(U32, U64), T(F64)), 8, 24, 8, 24, 1,
       8, 3, "iII"},
      {"V(T(U8, S), L(U8), N)", V(T(U8, S), L(U8), N), 4, 16, 8, 32, 1, 4, 4, "iiii"},
      {"V(C, B, U16)", V(C, B, U16), 4, 8, 4, 8, 1, 4, 2, "ii"},
      {"E(1)", E(1), 1, 1, 1, 1, 1, 1, 1, "i"},
      {"E(2)", E(2), 1, 1, 1, 1, 1, 1, 1, "i"},
      {"E(256)", E(256), 1, 1, 1, 1, 1, 1, 1, "i"},
      {"E(257)", E(257), 2, 2, 2, 2, 2, 2, 1, "i"},
      {"E(65536)", E(65536), 2, 2, 2, 2, 2, 2, 1, "i"},
      {"E(65537)", E(65537), 4, 4, 4, 4, 4, 4, 1, "i"},
      {"FL(1)", FL(1), 1, 1, 1, 1, 0, 0, 1, "i"},
      {"FL(8)", FL(8), 1, 1, 1, 1, 0, 0, 1, "i"},
      {"FL(9)", FL(9), 2, 2, 2, 2, 0, 0, 1, "i"},
      {"FL(16)", FL(16), 2, 2, 2, 2, 0, 0, 1, "i"},
      {"FL(17)", FL(17), 4, 4, 4, 4, 0, 0, 1, "i"},
      {"FL(32)", FL(32), 4, 4, 4, 4, 0, 0, 1, "i"},
      {"O(U8)", O(U8), 1, 2, 1, 2, 1, 1, 2, "ii"},
      {"O(U64)", O(U64), 8, 16, 8, 16, 1, 8, 2, "iI"},
      {"O(S)", O(S), 4, 12, 8, 24, 1, 4, 3, "iii"},
      {"O(O(U16))", O(O(U16)), 2, 6, 2, 6, 1, 2, 3, "iii"},
      {"O(OWN)", O(OWN), 4, 8, 4, 8, 1, 4, 2, "ii"},
      {"RES(N, N)", RES(N, N), 1, 1, 1, 1, 1, 1, 1, "i"},
      {"RES(U8, N)", RES(U8, N), 1, 2, 1, 2, 1, 1, 2, "ii"},
      {"RES(N, S)", RES(N, S), 4, 12, 8, 24, 1, 4, 3, "iii"},
      {"RES(U64, S)", RES(U64, S), 8, 16, 8, 24, 1, 8, 3, "iIi"},
      {"RES(F32, F64)", RES(F32, F64), 8, 16, 8, 16, 1, 8, 2, "iI"},
      {"RES(T(U8, U8), E(300))", RES(T(U8, U8), E(300)), 2, 4, 2, 4, 1, 2, 3, "iii"},
      {"RES(L(U8), V(N, F64))", RES(L(U8), V(N, F64)), 8, 24, 8, 24, 1, 8, 3, "iiI"},
      {"R(O(U8), O(U32), RES(N, C))", R(O(U8), O(U32), RES(N, C)), 4, 20, 4, 20, 0, 0, 6, "iiiiii"},
      {"R(FL(9), E(300), U8)", R(FL(9), E(300), U8), 2, 6, 2, 6, 0, 0, 3, "iii"},
      {"T(S, S, S, S, S, S, S, S)", T(S, S, S, S, S, S, S, S), 4, 64, 8, 128, 0, 0, 16,
       "iiiiiiiiiiiiiiii"},
      {"T(S, S, S, S, S, S, S, S, U8)", T(S, S, S, S, S, S, S, S, U8), 4, 68, 8, 136, 0, 0, 17, ""},
      {"O(T(S, S, S, S, S, S, S, S))", O(T(S, S, S, S, S, S, S, S)), 4, 68, 8, 136, 1, 4, 17, ""},
      {"T(V(F32, U32), V(U64, F32), V(F32, F64))", T(V(F32, U32), V(U64, F32), V(F32, F64)), 8, 40,
       8, 40, 0, 0, 6, "iiiIiI"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.text);
    EXPECT_EQ(row.type->alignment, row.alignment);
    EXPECT_EQ(row.type->size, row.size);
    EXPECT_EQ(row.type->alignment64, row.alignment64);
    EXPECT_EQ(row.type->size64, row.size64);
    EXPECT_EQ(row.type->discriminantSize, row.discriminantSize);
    EXPECT_EQ(row.type->payloadOffset, row.payloadOffset);
    EXPECT_EQ(row.type->flatCount, row.flatCount);
    EXPECT_EQ(flatText(row.type->flat), row.flat);
  }
}

// Expectations computed with flatten_functype: lift, lower, async lift without and with a callback,
// async lower.
TEST_F(TypeTableTest, FlattensFunctionTypesAsTheSpecificationDoes) {
  struct Row {
    std::vector<P> params;
    P result;
    const char *lift, *lower, *asyncLift, *callbackLift, *asyncLower;
  };
  const Row rows[] = {
      {{}, N, ">", ">", ">", ">i", ">i"},
      {{U8, F64}, U64, "iF>I", "iF>I", "iF>", "iF>i", "iFi>i"},
      {{S}, S, "ii>i", "iii>", "ii>", "ii>i", "iii>i"},
      {{S}, T(U8, U8), "ii>i", "iii>", "ii>", "ii>i", "iii>i"},
      {{T(S, S, S, S, S, S, S, S)},
       U8,
       "iiiiiiiiiiiiiiii>i",
       "iiiiiiiiiiiiiiii>i",
       "iiiiiiiiiiiiiiii>",
       "iiiiiiiiiiiiiiii>i",
       "ii>i"},
      {{T(S, S, S, S, S, S, S, S), U8}, U8, "i>i", "i>i", "i>", "i>i", "ii>i"},
      {{T(S, S, S, S, S, S, S, S), U8}, S, "i>i", "ii>", "i>", "i>i", "ii>i"},
      {{U64, U64, F32, U8}, O(U8), "IIfi>i", "IIfii>", "IIfi>", "IIfi>i", "IIfii>i"},
      {{S, S, U8}, N, "iiiii>", "iiiii>", "iiiii>", "iiiii>i", "i>i"},
  };
  for (const Row& row : rows) {
    FuncType type = func(row.params, row.result);
    SCOPED_TRACE(toString(type));
    EXPECT_EQ(signatureText(flattenLift(type)), row.lift);
    EXPECT_EQ(signatureText(flattenLower(type)), row.lower);
    EXPECT_EQ(signatureText(flattenAsyncLift(type, AsyncLift::STACKFUL)), row.asyncLift);
    EXPECT_EQ(signatureText(flattenAsyncLift(type, AsyncLift::CALLBACK)), row.callbackLift);
    EXPECT_EQ(signatureText(flattenAsyncLower(type)), row.asyncLower);
  }
}

TEST_F(TypeTableTest, GivesOneAddressForOneStructure) {
  EXPECT_EQ(L(U8), L(U8));
  EXPECT_EQ(R(U8, L(S)), R(U8, L(S)));
  EXPECT_EQ(V(N, U8), V(N, U8));
  EXPECT_EQ(table.own(3), table.own(3));
  EXPECT_EQ(E(300), E(300));
  EXPECT_EQ(ST(N), ST(N));

  EXPECT_NE(L(U8), L(S8));
  EXPECT_NE(R(U8, U8), T(U8, U8));
  EXPECT_NE(V(N, U8), V(U8, N));
  EXPECT_NE(RES(U8, N), RES(N, U8));
  EXPECT_NE(table.own(3), table.borrow(3));
  EXPECT_NE(table.own(3), table.own(4));
  EXPECT_NE(E(3), FL(3));
  EXPECT_NE(ST(U8), FU(U8));
  EXPECT_NE(ST(N), ST(U8));
  auto other = table.record({{"b", U8, 0}});
  EXPECT_NE(R(U8), other.value());
}

TEST_F(TypeTableTest, IgnoresOffsetsThatTheCallerSets) {
  auto first = table.record({{"a", U8, 77}, {"b", U32, 78}}).value();
  EXPECT_EQ(first, R(U8, U32));
  EXPECT_EQ(first->members[0].offset, 0);
  EXPECT_EQ(first->members[1].offset, 4);
  EXPECT_EQ(table.variant({{"a", U8, 5}}).value()->members[0].offset, 0);
}

TEST_F(TypeTableTest, RefusesEmptyTypesAndTooManyFlags) {
  EXPECT_EQ(table.record({}).error().message, "record type without a field");
  EXPECT_EQ(table.variant({}).error().message, "variant type without a case");
  EXPECT_EQ(table.tuple({}).error().message, "tuple type without a member");
  EXPECT_EQ(table.enumeration({}).error().message, "enum type without a case");
  EXPECT_EQ(table.flags({}).error().message, "flags type without a label");
  auto flags = table.flags(labels(33));
  EXPECT_EQ(flags.error().code, ErrorCode::INVALID);
  EXPECT_EQ(flags.error().message, "flags type with 33 labels, there can be at most 32");
}

TEST_F(TypeTableTest, RefusesATypeThatIsNestedTooDeep) {
  P type = U8;
  for (uint32_t depth = 2; depth <= MAX_TYPE_DEPTH; ++depth) type = L(type);
  EXPECT_EQ(type->depth, MAX_TYPE_DEPTH);
  auto deeper = table.list(type);
  ASSERT_FALSE(deeper);
  EXPECT_EQ(deeper.error().code, ErrorCode::LIMIT_EXCEEDED);
  EXPECT_EQ(deeper.error().message, "type is nested deeper than 100 levels");
}

// Source: the official suite, validation/max-value-size.wast: sizes count in a 64-bit memory.
TEST_F(TypeTableTest, RefusesATypeWhoseValuesAreTooLarge) {
  P type = U64;  // 2^3 bytes
  for (int power = 4; power <= 27; ++power) type = T(type, type);
  EXPECT_EQ(type->size, uint32_t{1} << 27);
  auto doubled = table.tuple({type, type});
  ASSERT_FALSE(doubled);
  EXPECT_EQ(doubled.error().code, ErrorCode::LIMIT_EXCEEDED);

  P strings = S;  // 2^3 bytes, but 2^4 in a 64-bit memory
  for (int power = 4; power <= 26; ++power) strings = T(strings, strings);
  EXPECT_EQ(strings->size, uint32_t{1} << 26);
  EXPECT_EQ(strings->size64, uint32_t{1} << 27);
  EXPECT_FALSE(table.tuple({strings, strings}));
}

TEST_F(TypeTableTest, TakesATypeThatIsExponentialWhenWrittenOut) {
  P type = OWN;
  for (int i = 0; i < 33; ++i) type = R(L(type), L(O(type)));
  EXPECT_EQ(type->size, 16);
  EXPECT_LT(toString(*type).size(), 5000);
  P replaced = table.substitute(type, [](uint32_t) { return 9; });
  EXPECT_NE(replaced, type);
  EXPECT_EQ(replaced->depth, type->depth);
  EXPECT_EQ(table.substitute(replaced, [](uint32_t) { return 0; }), type);
}

TEST_F(TypeTableTest, CountsFlatTypesOnBeyondWhatItKeeps) {
  P type = U8;
  for (int i = 0; i < 20; ++i) type = T(type, type);
  EXPECT_EQ(type->flatCount, uint32_t{1} << 20);
  EXPECT_TRUE(type->flat.empty());
  FuncType function = func(std::vector<P>(8192, type), nullptr);  // 2^33 in all
  EXPECT_TRUE(paramsSpill(function));
  EXPECT_EQ(signatureText(flattenLower(function)), "i>");
}

TEST_F(TypeTableTest, LaysOutSpilledParametersAsATuple) {
  TupleLayout layout = paramsLayout(func({U8, U64, S, U8}, nullptr));
  EXPECT_EQ(layout.offsets, (std::vector<uint32_t>{0, 8, 16, 24}));
  EXPECT_EQ(layout.size, 32);
  EXPECT_EQ(layout.alignment, 8);
  TupleLayout none = paramsLayout(func({}, nullptr));
  EXPECT_EQ(none.size, 0);
  EXPECT_EQ(none.alignment, 1);
}

TEST_F(TypeTableTest, KnowsWhatATypeContains) {
  EXPECT_TRUE(R(U8, O(BOR))->hasBorrow);
  EXPECT_TRUE(R(U8, O(BOR))->hasResource);
  EXPECT_FALSE(R(U8, O(OWN))->hasBorrow);
  EXPECT_TRUE(L(OWN)->hasResource);
  EXPECT_TRUE(FU(OWN)->hasResource);
  EXPECT_FALSE(R(U8, O(OWN))->hasPointer);
  EXPECT_TRUE(RES(N, T(U8, S))->hasPointer);
  EXPECT_TRUE(L(U8)->hasPointer);
  EXPECT_FALSE(ST(S)->hasPointer);
}

TEST_F(TypeTableTest, CallsBytesPlainOnlyWithoutPaddingAndForbiddenValues) {
  EXPECT_TRUE(U8->isPlainBytes);
  EXPECT_TRUE(F64->isPlainBytes);
  EXPECT_TRUE(R(U32, F32, T(U16, S8, U8))->isPlainBytes);
  EXPECT_FALSE(R(U8, U32)->isPlainBytes);
  EXPECT_FALSE(R(U32, U8)->isPlainBytes);
  EXPECT_FALSE(B->isPlainBytes);
  EXPECT_FALSE(C->isPlainBytes);
  EXPECT_FALSE(S->isPlainBytes);
  EXPECT_FALSE(L(U8)->isPlainBytes);
  EXPECT_FALSE(O(U8)->isPlainBytes);
  EXPECT_FALSE(E(256)->isPlainBytes);
  EXPECT_FALSE(OWN->isPlainBytes);
}

TEST_F(TypeTableTest, SubstitutesResourcesAndSharesTheRest) {
  P plain = R(U8, S);
  EXPECT_EQ(table.substitute(plain, [](uint32_t) { return 1; }), plain);
  P type = V(plain, L(table.own(2)), table.borrow(3));
  P mapped = table.substitute(type, [](uint32_t resource) { return resource + 10; });
  EXPECT_EQ(mapped, V(plain, L(table.own(12)), table.borrow(13)));
  EXPECT_EQ(mapped->members[0].type, plain);
  EXPECT_EQ(table.substitute(type, [](uint32_t resource) { return resource; }), type);
}

TEST_F(TypeTableTest, PrintsTypesAsWit) {
  EXPECT_EQ(toString(*L(U8)), "list<u8>");
  EXPECT_EQ(toString(*R(U8, O(S))), "record { a: u8, b: option<string> }");
  EXPECT_EQ(toString(*V(N, T(F32, C))), "variant { a, b(tuple<f32, char>) }");
  EXPECT_EQ(toString(*E(2)), "enum { c0, c1 }");
  EXPECT_EQ(toString(*FL(2)), "flags { c0, c1 }");
  EXPECT_EQ(toString(*RES(N, N)), "result");
  EXPECT_EQ(toString(*RES(U8, N)), "result<u8>");
  EXPECT_EQ(toString(*RES(N, U8)), "result<_, u8>");
  EXPECT_EQ(toString(*RES(U8, S)), "result<u8, string>");
  EXPECT_EQ(toString(*T(table.own(3), table.borrow(4))),
            "tuple<own<resource 3>, borrow<resource 4>>");
  EXPECT_EQ(toString(*ST(N)), "stream");
  EXPECT_EQ(toString(*FU(S64)), "future<s64>");
  FuncType type;
  type.params = {{"a", U32}, {"b", S}};
  type.result = B;
  EXPECT_EQ(toString(type), "func(a: u32, b: string) -> bool");
  type.async = true;
  type.result = nullptr;
  EXPECT_EQ(toString(type), "async func(a: u32, b: string)");
  EXPECT_EQ(toString(flattenLower(type)), "(i32, i32, i32) -> ()");
}

TEST_F(TypeTableTest, PrintsResourcesByTheirNamesWhereTheyHaveOne) {
  const Type* type = T(table.own(3), table.borrow(4));
  table.nameResources([](uint32_t resource) { return resource == 3 ? "counter" : ""; });
  EXPECT_EQ(toString(*type), "tuple<own<counter>, borrow<resource 4>>");
}

TEST_F(TypeTableTest, ComparesFunctionTypesByNameAndType) {
  FuncType type;
  type.params = {{"a", U32}};
  FuncType other = type;
  EXPECT_EQ(type, other);
  other.params[0].name = "b";
  EXPECT_FALSE(type == other);
  other = type;
  other.result = U8;
  EXPECT_FALSE(type == other);
  other = type;
  other.async = true;
  EXPECT_FALSE(type == other);
}

TEST_F(TypeTableTest, AMapIsAListOfPairsWithAMark) {
  const Type* map = table.map(S, U32).value();
  EXPECT_EQ(map->kind, TypeKind::LIST);
  EXPECT_TRUE(map->isMap);
  EXPECT_EQ(map->element, T(S, U32));
  EXPECT_EQ(map->size, 8u);
  EXPECT_EQ(map->flatCount, 2u);
  EXPECT_TRUE(map->hasPointer);
  EXPECT_EQ(map, table.map(S, U32).value());
  EXPECT_NE(map, table.list(map->element).value());
  EXPECT_EQ(toString(*map), "map<string, u32>");
}

TEST_F(TypeTableTest, AFixedListLiesInline) {
  const Type* three = table.fixedList(U32, 3).value();
  EXPECT_EQ(three->size, 12u);
  EXPECT_EQ(three->alignment, 4u);
  EXPECT_EQ(three->flat, std::vector<CoreType>(3, CoreType::I32));
  EXPECT_FALSE(three->hasPointer);
  EXPECT_NE(three, table.fixedList(U32, 4).value());
  EXPECT_EQ(toString(*three), "list<u32, 3>");
  const Type* many = table.fixedList(U32, 17).value();
  EXPECT_EQ(many->flatCount, 17u);
  EXPECT_TRUE(many->flat.empty());
  EXPECT_FALSE(table.fixedList(U32, 0).ok());
  EXPECT_FALSE(table.fixedList(S64, 1u << 25).ok());
}

TEST_F(TypeTableTest, FindsEveryTypeAgainAmongMany) {
  std::vector<P> types;
  for (int i = 0; i < 5000; ++i) {
    types.push_back(table.flags({"flag-" + std::to_string(i), "other"}).value());
    types.push_back(table.list(types.back()).value());
  }
  for (int i = 0; i < 5000; ++i) {
    P flags = table.flags({"flag-" + std::to_string(i), "other"}).value();
    ASSERT_EQ(flags, types[2 * static_cast<size_t>(i)]);
    ASSERT_EQ(table.list(flags).value(), types[2 * static_cast<size_t>(i) + 1]);
  }
}

TEST(CoreSignatureText, NamesEveryCoreType) {
  EXPECT_EQ(toString(CoreSignature{{CoreType::I32, CoreType::I64}, {CoreType::F32, CoreType::F64}}),
            "(i32, i64) -> (f32, f64)");
}

}  // namespace
}  // namespace tenon::component
