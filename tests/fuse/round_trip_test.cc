// Random function types and values through generated adapters: what arrives must be what was sent.

#include "rig.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace tenon::component::testing {
namespace {

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  uint32_t below(uint32_t bound) { return static_cast<uint32_t>(engine_() % bound); }
  uint64_t bits() { return engine_(); }

  const Type* type(TypeTable& types, uint32_t depth) {
    if (depth == 0 || below(3) == 0) {
      return below(5) == 0 ? types.primitive(TypeKind::STRING)
                           : types.primitive(static_cast<TypeKind>(below(13)));
    }
    switch (below(10)) {
      case 0:
      case 1:
        return *types.list(type(types, depth - 1));
      case 2: {
        std::vector<Labelled> fields;
        for (uint32_t i = 0, n = 1 + below(5); i < n; ++i) {
          fields.push_back({"f" + std::to_string(i), type(types, depth - 1), 0});
        }
        return *types.record(fields);
      }
      case 3: {
        std::vector<const Type*> parts;
        for (uint32_t i = 0, n = 1 + below(4); i < n; ++i) parts.push_back(type(types, depth - 1));
        return *types.tuple(parts);
      }
      case 4: {
        std::vector<Labelled> cases;
        uint32_t n = below(12) == 0 ? 300 : 1 + below(6);
        for (uint32_t i = 0; i < n; ++i) {
          const Type* payload = i < 6 && below(3) != 0 ? type(types, depth - 1) : nullptr;
          cases.push_back({"c" + std::to_string(i), payload, 0});
        }
        return *types.variant(cases);
      }
      case 5: {
        std::vector<std::string> labels;
        uint32_t n = below(8) == 0 ? 400 : 1 + below(5);
        for (uint32_t i = 0; i < n; ++i) labels.push_back("e" + std::to_string(i));
        return *types.enumeration(labels);
      }
      case 6:
        return *types.option(type(types, depth - 1));
      case 7: {
        const Type* ok = below(4) ? type(types, depth - 1) : nullptr;
        const Type* error = below(4) ? type(types, depth - 1) : nullptr;
        return *types.result(ok, error);
      }
      case 8:
        return *types.fixedList(type(types, depth - 1), below(6) == 0 ? 40 : 1 + below(5));
      default: {
        std::vector<std::string> labels;
        for (uint32_t i = 0, n = 1 + below(32); i < n; ++i)
          labels.push_back("b" + std::to_string(i));
        return *types.flags(labels);
      }
    }
  }

  Value value(const Type& type) {
    switch (type.kind) {
      case TypeKind::BOOL:
        return Value(below(2) == 1);
      case TypeKind::S8:
        return Value(static_cast<int8_t>(integer()));
      case TypeKind::U8:
        return Value(static_cast<uint8_t>(integer()));
      case TypeKind::S16:
        return Value(static_cast<int16_t>(integer()));
      case TypeKind::U16:
        return Value(static_cast<uint16_t>(integer()));
      case TypeKind::S32:
        return Value(static_cast<int32_t>(integer()));
      case TypeKind::U32:
        return Value(static_cast<uint32_t>(integer()));
      case TypeKind::S64:
        return Value(static_cast<int64_t>(integer()));
      case TypeKind::U64:
        return Value(integer());
      case TypeKind::F32:
        return Value(below(4) ? static_cast<float>(below(1000)) / 8 : -0.0f);
      case TypeKind::F64:
        return Value(below(4) ? static_cast<double>(below(1000)) / 8 : -0.0);
      case TypeKind::CHAR:
        return Value(Char{codePoint()});
      case TypeKind::STRING:
        return Value(string());
      case TypeKind::LIST: {
        List list;
        uint32_t n = type.fixedLength ? type.fixedLength : below(4) == 0 ? 0 : below(5);
        for (uint32_t i = 0; i < n; ++i) list.items.push_back(value(*type.element));
        return Value(list);
      }
      case TypeKind::RECORD: {
        Record record;
        for (const Labelled& field : type.members) {
          record.fields.push_back({field.label, value(*field.type)});
        }
        return Value(record);
      }
      case TypeKind::TUPLE: {
        Tuple tuple;
        for (const Labelled& part : type.members) tuple.items.push_back(value(*part.type));
        return Value(tuple);
      }
      case TypeKind::VARIANT: {
        uint32_t count = static_cast<uint32_t>(type.members.size());
        const Labelled& chosen = type.members[below(2) ? below(count) : below(std::min(count, 6u))];
        Variant variant{chosen.label, {}};
        if (chosen.type) variant.payload = Box(value(*chosen.type));
        return Value(variant);
      }
      case TypeKind::ENUM:
        return Value(Enum{type.members[below(static_cast<uint32_t>(type.members.size()))].label});
      case TypeKind::OPTION: {
        Option option;
        if (below(3)) option.value = Box(value(*type.element));
        return Value(option);
      }
      case TypeKind::RESULT: {
        ResultValue result;
        result.isError = below(2) == 1;
        const Type* payload = result.isError ? type.error : type.ok;
        if (payload) result.payload = Box(value(*payload));
        return Value(result);
      }
      case TypeKind::FLAGS: {
        Flags flags;
        for (const Labelled& member : type.members) {
          if (below(2)) flags.labels.push_back(member.label);
        }
        return Value(flags);
      }
      default:
        return Value(false);
    }
  }

 private:
  uint64_t integer() {
    constexpr uint64_t EDGES[] = {0,           1,          0x7f,       0x80,
                                  0xff,        0x7fff,     0x8000,     0xffff,
                                  0x7fffffff,  0x80000000, 0xffffffff, 0x7fffffffffffffff,
                                  ~uint64_t{0}};
    return below(2) ? EDGES[below(std::size(EDGES))] : bits();
  }
  char32_t codePoint() {
    constexpr char32_t EDGES[] = {0,     'a',    0x7f,   0x80,   0xff,    0x100,   0x7ff,
                                  0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff};
    return EDGES[below(std::size(EDGES))];
  }
  std::string string() {
    std::string text;
    uint32_t shape = below(4);
    for (uint32_t i = 0, n = below(40); i < n; ++i) {
      char32_t c = shape == 0                ? codePoint()
                   : shape == 1              ? 0x80 + below(0x80)
                   : shape == 2 && i < n / 2 ? 0xe9
                   : shape == 2              ? 0x20ac
                                             : 'a' + below(26);
      append(text, c);
    }
    return text;
  }
  static void append(std::string& text, char32_t c) {
    auto put = [&](uint32_t byte) { text.push_back(static_cast<char>(byte)); };
    if (c < 0x80) return put(c);
    if (c < 0x800) {
      put(0xc0 | (c >> 6));
    } else {
      if (c < 0x10000) {
        put(0xe0 | (c >> 12));
      } else {
        put(0xf0 | (c >> 18));
        put(0x80 | ((c >> 12) & 0x3f));
      }
      put(0x80 | ((c >> 6) & 0x3f));
    }
    put(0x80 | (c & 0x3f));
  }

  std::mt19937_64 engine_;
};

constexpr StringEncoding ENCODINGS[] = {StringEncoding::UTF8, StringEncoding::UTF16,
                                        StringEncoding::LATIN1_UTF16};

void runSeed(uint64_t seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  auto types = std::make_shared<TypeTable>();
  FuncType type;
  for (uint32_t i = 0, n = random.below(6); i < n; ++i) {
    type.params.push_back({"p" + std::to_string(i), random.type(*types, random.below(5))});
  }
  if (random.below(4)) type.result = random.type(*types, random.below(5));
  RigOptions options;
  options.caller = ENCODINGS[random.below(3)];
  options.callee = ENCODINGS[random.below(3)];
  options.postReturn = random.below(2) == 1;
  SCOPED_TRACE(toString(type));
  Rig rig(types, type, options);
  for (uint32_t call = 1; call <= 4; ++call) {
    std::vector<Value> arguments;
    for (const Parameter& param : type.params) arguments.push_back(random.value(*param.type));
    std::optional<Value> result;
    if (type.result) result = random.value(*type.result);
    Rig::RoundTrip trip = rig.roundTrip(arguments, result ? &*result : nullptr);
    ASSERT_FALSE(trip.outcome.trapped) << trip.outcome.message;
    ASSERT_EQ(trip.outcome.message, "");
    ASSERT_EQ(trip.arguments.size(), arguments.size());
    for (size_t i = 0; i < arguments.size(); ++i) {
      EXPECT_TRUE(trip.arguments[i] == arguments[i])
          << "argument " << i << ": " << abi::describeValue(arguments[i]) << " became "
          << abi::describeValue(trip.arguments[i]);
    }
    EXPECT_TRUE(trip.result == result);
    EXPECT_EQ(rig.calls(), call);
    EXPECT_EQ(rig.postReturns(), options.postReturn ? call : 0);
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(RoundTrip, RandomTypesArriveAsTheyWereSent) {
  uint64_t count = 200, first = 1;
  if (const char* text = std::getenv("TENON_SEEDS")) count = std::strtoull(text, nullptr, 10);
  if (const char* text = std::getenv("TENON_SEED")) {
    first = std::strtoull(text, nullptr, 10);
    count = 1;
  }
  for (uint64_t seed = first; seed < first + count && !HasFailure(); ++seed) runSeed(seed);
}

TEST(RoundTrip, ManyParametersGoThroughMemory) {
  auto types = std::make_shared<TypeTable>();
  FuncType type;
  std::vector<Value> arguments;
  for (uint32_t i = 0; i < 17; ++i) {
    bool wide = i % 3 == 0;
    type.params.push_back(
        {"p" + std::to_string(i), types->primitive(wide ? TypeKind::U64 : TypeKind::U8)});
    arguments.push_back(wide ? Value(uint64_t{1} << i) : Value(static_cast<uint8_t>(i)));
  }
  Rig rig(types, type);
  Rig::RoundTrip trip = rig.roundTrip(arguments, nullptr);
  ASSERT_FALSE(trip.outcome.trapped) << trip.outcome.message;
  EXPECT_TRUE(trip.arguments == arguments);
}

TEST(RoundTrip, SharedTypesDoNotMakeCodeExplode) {
  auto types = std::make_shared<TypeTable>();
  // Every level holds the one below four times: 4^12 leaves, written out. The lists stop the
  // layout.
  const Type* type = types->primitive(TypeKind::STRING);
  for (int level = 0; level < 12; ++level) {
    const Type* list = *types->list(type);
    type = *types->variant({{"a", list, 0}, {"b", type, 0}, {"c", list, 0}, {"d", type, 0}});
  }
  FuncType func{{{"p", type}}, type, false};
  Rig rig(types, func, {StringEncoding::UTF16, StringEncoding::UTF8});
  EXPECT_LT(rig.runtime().program().modules.back().bytes.size(), 200'000u);
}

}  // namespace
}  // namespace tenon::component::testing
