#include "random_values.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <memory>

namespace tenon::differential {
namespace {

using component::TypeTable;

std::vector<std::string> labels(const char* prefix, uint32_t count) {
  std::vector<std::string> all;
  for (uint32_t i = 0; i < count; ++i) all.push_back(prefix + std::to_string(i));
  return all;
}

const Type* randomLeaf(Random& random, TypeTable& types, bool borrowsAllowed) {
  switch (random.below(12)) {
    case 0:
    case 1:
      return types.primitive(TypeKind::STRING);
    case 2:
      return types.primitive(random.oneIn(2) ? TypeKind::F32 : TypeKind::F64);
    case 3:
      return types.primitive(TypeKind::CHAR);
    case 4:
      if (!random.oneIn(3)) break;
      return borrowsAllowed && random.oneIn(2) ? types.borrow(HOST_RESOURCE)
                                               : types.own(HOST_RESOURCE);
    default:
      break;
  }
  return types.primitive(static_cast<TypeKind>(random.below(12)));
}

const Type* randomKey(Random& random, TypeTable& types) {
  static constexpr TypeKind KINDS[] = {TypeKind::BOOL, TypeKind::U8,   TypeKind::S32,
                                       TypeKind::U64,  TypeKind::CHAR, TypeKind::STRING};
  return types.primitive(KINDS[random.below(std::size(KINDS))]);
}

// -- Values ---------------------------------------------------------------------------------------

uint64_t randomInteger(Random& random) {
  static constexpr uint64_t EDGES[] = {0,
                                       1,
                                       0x7f,
                                       0x80,
                                       0xff,
                                       0x7fff,
                                       0x8000,
                                       0xffff,
                                       0x10000,
                                       0x7fffffff,
                                       0x80000000,
                                       0xffffffff,
                                       uint64_t{1} << 32,
                                       INT64_MAX,
                                       uint64_t{1} << 63,
                                       UINT64_MAX};
  return random.oneIn(2) ? EDGES[random.below(std::size(EDGES))] : random.bits();
}

float randomF32(Random& random) {
  static constexpr uint32_t EDGES[] = {0,          0x80000000, 0x7f800000, 0xff800000, 0x7fc00000,
                                       0xffc00001, 0x7f800001, 1,          0x7f7fffff, 0x00800000};
  return std::bit_cast<float>(random.oneIn(2) ? EDGES[random.below(std::size(EDGES))]
                                              : static_cast<uint32_t>(random.bits()));
}

double randomF64(Random& random) {
  static constexpr uint64_t EDGES[] = {0,
                                       0x8000000000000000,
                                       0x7ff0000000000000,
                                       0xfff0000000000000,
                                       0x7ff8000000000000,
                                       0xfff8000000000001,
                                       0x7ff0000000000001,
                                       1,
                                       0x7fefffffffffffff};
  return std::bit_cast<double>(random.oneIn(2) ? EDGES[random.below(std::size(EDGES))]
                                               : random.bits());
}

char32_t randomChar(Random& random) {
  static constexpr char32_t EDGES[] = {0,      0x7f,   0x80,   0xff,   0x100,   0x7ff,    0x800,
                                       0xd7ff, 0xe000, 0xfffd, 0xffff, 0x10000, 0x10ffff, 'a'};
  if (random.oneIn(2)) return EDGES[random.below(std::size(EDGES))];
  for (;;) {
    char32_t code = random.below(0x110000);
    if (code < 0xd800 || code > 0xdfff) return code;
  }
}

void appendUtf8(std::string& text, char32_t code) {
  auto put = [&](char32_t byte) { text += static_cast<char>(byte); };
  if (code < 0x80) return put(code);
  if (code < 0x800) return put(0xc0 | code >> 6), put(0x80 | (code & 0x3f));
  if (code < 0x10000) {
    return put(0xe0 | code >> 12), put(0x80 | (code >> 6 & 0x3f)), put(0x80 | (code & 0x3f));
  }
  put(0xf0 | code >> 18), put(0x80 | (code >> 12 & 0x3f));
  put(0x80 | (code >> 6 & 0x3f)), put(0x80 | (code & 0x3f));
}

// Empty, ASCII, Latin-1, anything; Latin-1 that turns into something else late; long ones.
std::string randomString(Random& random) {
  uint32_t shape = random.below(8);
  uint32_t length = random.below(12);
  if (random.oneIn(25)) length = 200 + random.below(3000);
  std::string text;
  if (shape == 0) return text;
  for (uint32_t i = 0; i < length; ++i) {
    if (shape <= 2) {
      text += static_cast<char>(' ' + random.below(95));
    } else if (shape <= 4) {
      appendUtf8(text, random.below(256));
    } else if (shape == 5) {
      appendUtf8(text, i + 1 == length ? randomChar(random) : random.below(256));
    } else {
      appendUtf8(text, randomChar(random));
    }
  }
  return text;
}

List randomList(Random& random, const Type& type) {
  List list;
  uint32_t count = random.oneIn(4) ? 0 : 1 + random.below(4);
  if (random.oneIn(30) && type.element->size <= 16) count = 40 + random.below(200);
  if (type.fixedLength) count = type.fixedLength;
  std::vector<Value> keys;
  for (uint32_t i = 0; i < count; ++i) {
    Value item = randomValue(random, *type.element);
    if (type.isMap) {
      const Value& key = item.find<Tuple>()->items[0];
      if (std::ranges::find(keys, key) != keys.end()) continue;
      keys.push_back(key);
    }
    list.items.push_back(std::move(item));
  }
  return list;
}

}  // namespace

const Type* randomType(Random& random, TypeTable& types, uint32_t depth, bool borrowsAllowed) {
  if (depth == 0 || random.below(5) < 2) return randomLeaf(random, types, borrowsAllowed);
  auto inner = [&] { return randomType(random, types, depth - 1, borrowsAllowed); };
  switch (random.below(11)) {
    case 0:
    case 1:
      return *types.list(inner());
    case 2:
    case 3: {
      std::vector<Labelled> fields;
      uint32_t count = random.oneIn(10) ? 12 + random.below(12) : 1 + random.below(5);
      for (uint32_t i = 0; i < count; ++i) fields.push_back({"f" + std::to_string(i), inner(), 0});
      return *types.record(std::move(fields));
    }
    case 4: {
      std::vector<const Type*> parts;
      for (uint32_t i = 0, count = 1 + random.below(4); i < count; ++i) parts.push_back(inner());
      return *types.tuple(std::move(parts));
    }
    case 5:
    case 6: {
      std::vector<Labelled> cases;
      uint32_t count = random.oneIn(12) ? 256 + random.below(3) : 1 + random.below(5);
      for (uint32_t i = 0; i < count; ++i) {
        cases.push_back(
            {"c" + std::to_string(i), i < 5 && !random.oneIn(3) ? inner() : nullptr, 0});
      }
      return *types.variant(std::move(cases));
    }
    case 7:
      return *types.enumeration(
          labels("e", random.oneIn(6) ? 255 + random.below(4) : 1 + random.below(5)));
    case 8:
      return *types.option(inner());
    case 9: {
      const Type* ok = random.oneIn(4) ? nullptr : inner();
      return *types.result(ok, random.oneIn(4) ? nullptr : inner());
    }
    default:
      if (random.oneIn(2)) {
        const Type* key = randomKey(random, types);
        const Type* value = inner();
        // wasm-tools 1.263.0 refuses handles there, Wasmtime 48 does not yet.
        return *types.map(key, value->hasResource ? key : value);
      }
      return *types.flags(labels("b", 1 + random.below(32)));
  }
}

FuncType randomFunction(Random& random, TypeTable& types) {
  FuncType function;
  uint32_t count = random.below(5);
  if (random.oneIn(10)) count = 14 + random.below(5);  // around the limit of flat parameters
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t depth = count > 8 ? random.below(2) : random.below(4);
    function.params.push_back({"p" + std::to_string(i), randomType(random, types, depth, true)});
  }
  if (!random.oneIn(5)) function.result = randomType(random, types, random.below(4), false);
  return function;
}

Value randomValue(Random& random, const Type& type) {
  auto payload = [&](const Type* part) { return part ? Box(randomValue(random, *part)) : Box(); };
  switch (type.kind) {
    case TypeKind::BOOL:
      return Value(random.oneIn(2));
    case TypeKind::S8:
      return Value(static_cast<int8_t>(randomInteger(random)));
    case TypeKind::U8:
      return Value(static_cast<uint8_t>(randomInteger(random)));
    case TypeKind::S16:
      return Value(static_cast<int16_t>(randomInteger(random)));
    case TypeKind::U16:
      return Value(static_cast<uint16_t>(randomInteger(random)));
    case TypeKind::S32:
      return Value(static_cast<int32_t>(randomInteger(random)));
    case TypeKind::U32:
      return Value(static_cast<uint32_t>(randomInteger(random)));
    case TypeKind::S64:
      return Value(static_cast<int64_t>(randomInteger(random)));
    case TypeKind::U64:
      return Value(randomInteger(random));
    case TypeKind::F32:
      return Value(randomF32(random));
    case TypeKind::F64:
      return Value(randomF64(random));
    case TypeKind::CHAR:
      return Value(Char{randomChar(random)});
    case TypeKind::STRING:
      return Value(randomString(random));
    case TypeKind::LIST:
      return Value(randomList(random, type));
    case TypeKind::RECORD: {
      Record record;
      for (const Labelled& field : type.members) {
        record.fields.push_back({field.label, randomValue(random, *field.type)});
      }
      return Value(std::move(record));
    }
    case TypeKind::TUPLE: {
      Tuple tuple;
      for (const Labelled& part : type.members) {
        tuple.items.push_back(randomValue(random, *part.type));
      }
      return Value(std::move(tuple));
    }
    case TypeKind::VARIANT: {
      auto count = static_cast<uint32_t>(type.members.size());
      const Labelled& chosen =
          type.members[random.oneIn(6) ? count - 1 : random.below(std::min(count, 6u))];
      return Value(Variant{chosen.label, payload(chosen.type)});
    }
    case TypeKind::ENUM: {
      auto count = static_cast<uint32_t>(type.members.size());
      return Value(Enum{type.members[random.oneIn(3) ? count - 1 : random.below(count)].label});
    }
    case TypeKind::OPTION:
      return Value(Option{random.oneIn(2) ? Box() : Box(randomValue(random, *type.element))});
    case TypeKind::RESULT: {
      bool isError = random.oneIn(2);
      return Value(ResultValue{isError, payload(isError ? type.error : type.ok)});
    }
    case TypeKind::FLAGS: {
      Flags flags;
      uint64_t mask = random.oneIn(3) ? UINT64_MAX : random.oneIn(3) ? 0 : random.bits();
      for (size_t i = 0; i < type.members.size(); ++i) {
        if (mask >> i & 1) flags.labels.push_back(type.members[i].label);
      }
      return Value(std::move(flags));
    }
    case TypeKind::OWN:
    case TypeKind::BORROW:
      return Value(Resource{std::make_shared<TestHandle>(static_cast<uint32_t>(
                                random.oneIn(2) ? random.below(4) : random.bits())),
                            type.kind == TypeKind::OWN});
    default:
      return {};
  }
}

// -- Comparing ------------------------------------------------------------------------------------

namespace {

bool sameBox(const Box& a, const Box& b) {
  return static_cast<bool>(a) == static_cast<bool>(b) && (!a || sameValue(*a, *b));
}

template <typename T>
bool sameFloat(T a, T b) {
  return (std::isnan(a) && std::isnan(b)) || (a == b && std::signbit(a) == std::signbit(b));
}

}  // namespace

bool sameValues(const std::vector<Value>& a, const std::vector<Value>& b) {
  return std::ranges::equal(a, b, sameValue);
}

bool sameValue(const Value& a, const Value& b) {
  if (a.storage().index() != b.storage().index()) return false;
  if (auto* x = a.find<float>()) return sameFloat(*x, *b.find<float>());
  if (auto* x = a.find<double>()) return sameFloat(*x, *b.find<double>());
  if (auto* x = a.find<List>()) return sameValues(x->items, b.find<List>()->items);
  if (auto* x = a.find<Tuple>()) return sameValues(x->items, b.find<Tuple>()->items);
  if (auto* x = a.find<Record>()) {
    return std::ranges::equal(x->fields, b.find<Record>()->fields, [](auto& f, auto& g) {
      return f.name == g.name && sameValue(f.value, g.value);
    });
  }
  if (auto* x = a.find<Variant>()) {
    auto* y = b.find<Variant>();
    return x->label == y->label && sameBox(x->payload, y->payload);
  }
  if (auto* x = a.find<Option>()) return sameBox(x->value, b.find<Option>()->value);
  if (auto* x = a.find<ResultValue>()) {
    auto* y = b.find<ResultValue>();
    return x->isError == y->isError && sameBox(x->payload, y->payload);
  }
  if (auto* x = a.find<Resource>()) {
    auto* y = b.find<Resource>();
    return x->owned == y->owned && x->handle && y->handle && x->handle->id() == y->handle->id();
  }
  return a == b;
}

bool hasNan(const Value& value) {
  auto any = [](const std::vector<Value>& items) { return std::ranges::any_of(items, hasNan); };
  auto inBox = [](const Box& box) { return box && hasNan(*box); };
  if (auto* x = value.find<float>()) return std::isnan(*x);
  if (auto* x = value.find<double>()) return std::isnan(*x);
  if (auto* x = value.find<List>()) return any(x->items);
  if (auto* x = value.find<Tuple>()) return any(x->items);
  if (auto* x = value.find<Record>()) {
    return std::ranges::any_of(x->fields, [](auto& field) { return hasNan(field.value); });
  }
  if (auto* x = value.find<Variant>()) return inBox(x->payload);
  if (auto* x = value.find<Option>()) return inBox(x->value);
  if (auto* x = value.find<ResultValue>()) return inBox(x->payload);
  return false;
}

}  // namespace tenon::differential
