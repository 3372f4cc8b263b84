// Replays tests/abi/vectors.json, which gen_vectors.py made with the specification's
// definitions.py.
#include "component/abi/context_testing.h"
#include "component/abi/dynamic.h"
#include "component/types/type_table.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>

namespace tenon::abi {
namespace {

using nlohmann::json;

std::string path() {
  const char* given = std::getenv("TENON_ABI_VECTORS");
  return given ? given : TENON_SOURCE_DIR "/tests/abi/vectors.json";
}

const json& vectors() {
  static const json cases = [] {
    std::ifstream file(path());
    return json::parse(file);
  }();
  return cases;
}

StringEncoding encodingOf(const json& item) {
  std::string name = item["e"];
  if (name == "utf8") return StringEncoding::UTF8;
  return name == "utf16" ? StringEncoding::UTF16 : StringEncoding::LATIN1_UTF16;
}

std::vector<uint8_t> bytesOf(const json& hex) {
  std::string text = hex;
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i < text.size(); i += 2) {
    bytes.push_back(static_cast<uint8_t>(std::stoul(text.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

std::vector<RawValue> flatOf(const json& list) {
  std::vector<RawValue> flat;
  for (const json& bits : list) {
    RawValue raw{};
    raw.i64 = std::stoull(bits.get<std::string>(), nullptr, 16);
    flat.push_back(raw);
  }
  return flat;
}

class Vectors : public testing::Test {
 protected:
  const Type* typeOf(const json& t) {
    if (t.is_null()) return nullptr;
    static const std::map<std::string, TypeKind> PRIMITIVES = {
        {"bool", TypeKind::BOOL},    {"s8", TypeKind::S8},   {"u8", TypeKind::U8},
        {"s16", TypeKind::S16},      {"u16", TypeKind::U16}, {"s32", TypeKind::S32},
        {"u32", TypeKind::U32},      {"s64", TypeKind::S64}, {"u64", TypeKind::U64},
        {"f32", TypeKind::F32},      {"f64", TypeKind::F64}, {"char", TypeKind::CHAR},
        {"string", TypeKind::STRING}};
    if (t.is_string()) return table.primitive(PRIMITIVES.at(t));
    std::string kind = t[0];
    if (kind == "list") return table.list(typeOf(t[1])).value();
    if (kind == "fixed") return table.fixedList(typeOf(t[1]), t[2]).value();
    if (kind == "map") return table.map(typeOf(t[1]), typeOf(t[2])).value();
    if (kind == "option") return table.option(typeOf(t[1])).value();
    if (kind == "result") return table.result(typeOf(t[1]), typeOf(t[2])).value();
    if (kind == "enum") return table.enumeration(t[1]).value();
    if (kind == "flags") return table.flags(t[1]).value();
    if (kind == "own") return table.own(0);
    if (kind == "borrow") return table.borrow(0);
    if (kind == "tuple") {
      std::vector<const Type*> elements;
      for (const json& element : t[1]) elements.push_back(typeOf(element));
      return table.tuple(elements).value();
    }
    std::vector<Labelled> members;
    for (const json& member : t[1]) members.push_back({member[0], typeOf(member[1]), 0});
    return kind == "record" ? table.record(members).value() : table.variant(members).value();
  }

  Value valueOf(const Type& type, const json& v) {
    switch (type.kind) {
      case TypeKind::BOOL:
        return v.get<bool>();
      case TypeKind::S8:
        return v.get<int8_t>();
      case TypeKind::U8:
        return v.get<uint8_t>();
      case TypeKind::S16:
        return v.get<int16_t>();
      case TypeKind::U16:
        return v.get<uint16_t>();
      case TypeKind::S32:
        return v.get<int32_t>();
      case TypeKind::U32:
        return v.get<uint32_t>();
      case TypeKind::S64:
        return int64_t{std::stoll(v.get<std::string>())};
      case TypeKind::U64:
        return uint64_t{std::stoull(v.get<std::string>())};
      case TypeKind::F32:
        return std::bit_cast<float>(
            static_cast<uint32_t>(std::stoul(v.get<std::string>(), nullptr, 16)));
      case TypeKind::F64:
        return std::bit_cast<double>(uint64_t{std::stoull(v.get<std::string>(), nullptr, 16)});
      case TypeKind::CHAR:
        return Char{v.get<char32_t>()};
      case TypeKind::STRING:
        return v.get<std::string>();
      case TypeKind::LIST: {
        List list;
        for (const json& item : v) list.items.push_back(valueOf(*type.element, item));
        return list;
      }
      case TypeKind::RECORD: {
        Record record;
        for (size_t i = 0; i < v.size(); i++) {
          record.fields.push_back({type.members[i].label, valueOf(*type.members[i].type, v[i])});
        }
        return record;
      }
      case TypeKind::TUPLE: {
        Tuple tuple;
        for (size_t i = 0; i < v.size(); i++) {
          tuple.items.push_back(valueOf(*type.members[i].type, v[i]));
        }
        return tuple;
      }
      case TypeKind::VARIANT: {
        const Labelled& member = type.members[v[0].get<size_t>()];
        return Variant{member.label, v.size() == 1 ? Box() : Box(valueOf(*member.type, v[1]))};
      }
      case TypeKind::ENUM:
        return Enum{type.members[v.get<size_t>()].label};
      case TypeKind::OPTION:
        return Option{v.is_null() ? Box() : Box(valueOf(*type.element, v[0]))};
      case TypeKind::RESULT: {
        bool isError = v[0] == 1;
        const Type* payload = isError ? type.error : type.ok;
        return ResultValue{isError, v.size() == 1 ? Box() : Box(valueOf(*payload, v[1]))};
      }
      case TypeKind::FLAGS: {
        Flags flags;
        for (size_t i = 0; i < type.members.size(); i++) {
          if (v.get<uint32_t>() >> i & 1) flags.labels.push_back(type.members[i].label);
        }
        return flags;
      }
      default: {
        bool own = type.kind == TypeKind::OWN;
        return Resource{std::make_shared<FakeResource>(0, v.get<uint32_t>(), own), own};
      }
    }
  }

  component::TypeTable table;
};

// Equal, where any NaN equals any other and handles are equal when they stand for the same thing.
bool same(const Value& a, const Value& b) {
  if (a.storage().index() != b.storage().index()) return false;
  auto all = [](const auto& left, const auto& right, auto&& get) {
    if (left.size() != right.size()) return false;
    for (size_t i = 0; i < left.size(); i++) {
      if (!same(get(left[i]), get(right[i]))) return false;
    }
    return true;
  };
  auto box = [](const Box& left, const Box& right) {
    return bool(left) == bool(right) && (!left || same(*left, *right));
  };
  auto identity = [](const Value& value) -> const Value& { return value; };
  if (const auto* left = a.find<float>()) {
    const auto* right = b.find<float>();
    return (std::isnan(*left) && std::isnan(*right)) || a == b;
  }
  if (const auto* left = a.find<double>()) {
    const auto* right = b.find<double>();
    return (std::isnan(*left) && std::isnan(*right)) || a == b;
  }
  if (const auto* left = a.find<List>()) return all(left->items, b.find<List>()->items, identity);
  if (const auto* left = a.find<Tuple>()) return all(left->items, b.find<Tuple>()->items, identity);
  if (const auto* left = a.find<Record>()) {
    const auto& right = b.find<Record>()->fields;
    for (size_t i = 0; i < left->fields.size() && i < right.size(); i++) {
      if (left->fields[i].name != right[i].name) return false;
    }
    return all(left->fields, right, [](const Field& field) -> const Value& { return field.value; });
  }
  if (const auto* left = a.find<Variant>()) {
    return left->label == b.find<Variant>()->label &&
           box(left->payload, b.find<Variant>()->payload);
  }
  if (const auto* left = a.find<Option>()) return box(left->value, b.find<Option>()->value);
  if (const auto* left = a.find<ResultValue>()) {
    const auto* right = b.find<ResultValue>();
    return left->isError == right->isError && box(left->payload, right->payload);
  }
  if (const auto* left = a.find<Resource>()) {
    const auto* right = b.find<Resource>();
    return left->owned == right->owned && static_cast<FakeResource&>(*left->handle).rep ==
                                              static_cast<FakeResource&>(*right->handle).rep;
  }
  return a == b;
}

void fillTable(FakeContext& context, const json& handles) {
  for (const json& handle : handles) context.add({handle[0], 0, handle[1]});
}

json logOf(const FakeContext& context) {
  json log = json::array();
  for (const auto& call : context.log) log.push_back(call);
  return log;
}

json tableOf(const FakeContext& context) {
  json handles = json::array();
  for (size_t i = 1; i < context.table.size(); i++) {
    handles.push_back({context.table[i]->own, context.table[i]->rep});
  }
  return handles;
}

std::vector<uint8_t> used(const FakeContext& context) {
  return {context.data.begin(), context.data.begin() + context.bump};
}

// Lifting gives the value that the specification gives, or fails where it traps.
void expectOutcome(const FakeContext& context, const json& expected, const Value& value,
                   const std::function<Value(const json&)>& read) {
  EXPECT_EQ(context.failed(), expected.contains("trap"))
      << (context.failed() ? context.failure() : "no failure");
  if (!context.failed() && expected.contains("v")) {
    EXPECT_TRUE(same(value, read(expected["v"]))) << describeValue(value);
  }
}

TEST_F(Vectors, TypesAreLaidOutAsTheSpecificationSays) {
  for (const json& item : vectors()) {
    const Type& type = *typeOf(item["t"]);
    EXPECT_EQ(type.size, item["size"]) << item["t"];
    EXPECT_EQ(type.alignment, item["align"]) << item["t"];
    EXPECT_EQ(type.flatCount, item["flatCount"]) << item["t"];
  }
}

TEST_F(Vectors, StoringWritesTheSpecificationsBytesAndCallsReallocLikeIt) {
  for (const json& item : vectors()) {
    SCOPED_TRACE(item["t"].dump() + " " + item["v"].dump());
    const Type& type = *typeOf(item["t"]);
    FakeContext context(encodingOf(item));
    Value value = valueOf(type, item["v"]);
    EXPECT_TRUE(checkValue(type, value, "", &context.factory).ok());
    uint32_t pointer = context.allocate(type.size, type.alignment);
    EXPECT_EQ(pointer, item["p"]);
    context.log.clear();
    store(context, type, value, pointer);
    ASSERT_FALSE(context.failed()) << context.failure();
    EXPECT_EQ(logOf(context), item["log"]);
    EXPECT_EQ(tableOf(context), item["h"]);
    EXPECT_EQ(used(context), bytesOf(item["m"]));
  }
}

TEST_F(Vectors, LoadingGivesBackWhatWasStored) {
  for (const json& item : vectors()) {
    SCOPED_TRACE(item["t"].dump() + " " + item["v"].dump());
    const Type& type = *typeOf(item["t"]);
    FakeContext context(encodingOf(item), bytesOf(item["m"]));
    fillTable(context, item["h"]);
    Value value = load(context, type, item["p"]);
    ASSERT_FALSE(context.failed()) << context.failure();
    EXPECT_TRUE(same(value, valueOf(type, item["v"])));
  }
}

TEST_F(Vectors, LoadingDamagedMemoryTrapsExactlyWhereTheSpecificationTraps) {
  for (const json& item : vectors()) {
    const Type& type = *typeOf(item["t"]);
    for (const json& damaged : item["damaged"]) {
      SCOPED_TRACE(item["t"].dump() + " " + item["e"].dump() + " " + damaged.dump());
      FakeContext context(encodingOf(item), bytesOf(damaged["m"]));
      fillTable(context, item["h"]);
      Value value = load(context, type, item["p"]);
      expectOutcome(context, damaged, value, [&](const json& v) { return valueOf(type, v); });
    }
  }
}

TEST_F(Vectors, LoweringFlatGivesTheSpecificationsCoreValues) {
  for (const json& item : vectors()) {
    if (!item.contains("flat")) continue;
    SCOPED_TRACE(item["t"].dump() + " " + item["v"].dump());
    const Type& type = *typeOf(item["t"]);
    FakeContext context(encodingOf(item));
    std::vector<RawValue> flat(type.flatCount + 1);
    RawValue* out = flat.data();
    lowerFlat(context, type, valueOf(type, item["v"]), out);
    ASSERT_FALSE(context.failed()) << context.failure();
    ASSERT_EQ(out, flat.data() + type.flatCount);
    EXPECT_EQ(logOf(context), item["flatLog"]);
    auto expected = flatOf(item["flat"]);
    for (size_t i = 0; i < expected.size(); i++) EXPECT_EQ(flat[i].i64, expected[i].i64) << i;
  }
}

TEST_F(Vectors, LiftingDamagedCoreValuesTrapsExactlyWhereTheSpecificationTraps) {
  for (const json& item : vectors()) {
    if (!item.contains("flatDamaged")) continue;
    const json& damaged = item["flatDamaged"];
    SCOPED_TRACE(item["t"].dump() + " " + item["e"].dump() + " " + damaged.dump());
    const Type& type = *typeOf(item["t"]);
    FakeContext context(encodingOf(item), bytesOf(damaged["m"]));
    fillTable(context, damaged["h"]);
    auto flat = flatOf(damaged["f"]);
    const RawValue* in = flat.data();
    Value value = liftFlat(context, type, in);
    expectOutcome(context, damaged, value, [&](const json& v) { return valueOf(type, v); });
  }
}

}  // namespace
}  // namespace tenon::abi
