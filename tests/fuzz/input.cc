#include "tests/fuzz/input.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <utility>
#include <vector>

namespace tenon::fuzzing {
namespace {

constexpr uint32_t MAX_NODES = 40;

void append(std::string& text, char32_t c) {
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

}  // namespace

uint32_t Input::below(uint32_t bound) {
  if (bound <= 1) return 0;
  uint32_t number = byte();
  if (bound > 0x100) number = number << 8 | byte();
  if (bound > 0x10000) number = (number << 8 | byte()) << 8 | byte();
  return number % bound;
}

uint64_t Input::bits() {
  uint64_t number = 0;
  for (int i = 0; i < 8; ++i) number = number << 8 | byte();
  return number;
}

uint64_t Input::integer() {
  constexpr uint64_t EDGES[] = {0,           1,          0x7f,        0x80,
                                0xff,        0x7fff,     0x8000,      0xffff,
                                0x10000,     0x7fffffff, 0x80000000,  0xfffffff,
                                0xfffffff0,  0xffffffff, 0x100000000, 0x7fffffffffffffff,
                                ~uint64_t{0}};
  uint32_t kind = below(4);
  if (kind == 0) return EDGES[below(std::size(EDGES))];
  if (kind == 1) return below(256);
  if (kind == 2) return below(0x10000);
  return bits();
}

std::span<const uint8_t> Input::rest() {
  std::span<const uint8_t> found(data_ + position_, size_ - position_);
  position_ = size_;
  return found;
}

std::string_view Input::text() {
  auto bytes = rest();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

namespace {

// Of how many values one of this type consists, at most.
uint64_t valuesIn(const Type& type) {
  uint64_t inside = 0;
  for (const Labelled& member : type.members) {
    if (member.type != nullptr) inside += valuesIn(*member.type);
  }
  for (const Type* part : {type.element, type.ok, type.error}) {
    if (part != nullptr) inside += valuesIn(*part);
  }
  if (type.kind == TypeKind::LIST) inside *= type.fixedLength != 0 ? type.fixedLength : 4;
  return 1 + inside;
}

}  // namespace

const Type* Input::type(component::TypeTable& types, uint32_t depth, Kinds kinds) {
  if (++nodes_ > MAX_NODES || depth == 0 || below(3) == 0) {
    uint32_t last = kinds == Kinds::VALUES_AND_HANDLES ? 14 : 13;
    return types.primitive(static_cast<TypeKind>(below(last)));
  }
  return compound(types, depth - 1, kinds);
}

const Type* Input::compound(component::TypeTable& types, uint32_t depth, Kinds kinds) {
  auto part = [&] { return type(types, depth, kinds); };
  // What cannot be made (for its size, say) is a byte.
  auto orByte = [&](const Result<const Type*>& made) {
    return made ? *made : types.primitive(TypeKind::U8);
  };
  auto labels = [&](uint32_t count, const char* prefix) {
    std::vector<std::string> made;
    for (uint32_t i = 0; i < count; ++i) made.push_back(prefix + std::to_string(i));
    return made;
  };
  switch (below(kinds == Kinds::VALUES_AND_HANDLES ? 15 : 11)) {
    case 0:
    case 1:
      return orByte(types.list(part()));
    case 2: {
      std::vector<Labelled> fields;
      for (const std::string& label : labels(1 + below(5), "f")) {
        fields.push_back({label, part(), 0});
      }
      return orByte(types.record(std::move(fields)));
    }
    case 3: {
      std::vector<const Type*> parts;
      for (uint32_t i = 0, n = 1 + below(5); i < n; ++i) parts.push_back(part());
      return orByte(types.tuple(std::move(parts)));
    }
    case 4: {
      std::vector<Labelled> cases;
      for (const std::string& label : labels(below(12) == 0 ? 300 : 1 + below(6), "c")) {
        cases.push_back({label, cases.size() < 6 && flip() ? part() : nullptr, 0});
      }
      return orByte(types.variant(std::move(cases)));
    }
    case 5:
      return orByte(types.enumeration(labels(below(8) == 0 ? 400 : 1 + below(5), "e")));
    case 6:
      return orByte(types.option(part()));
    case 7: {
      const Type* ok = flip() ? part() : nullptr;
      const Type* error = flip() ? part() : nullptr;
      return orByte(types.result(ok, error));
    }
    case 8: {
      const Type* element = part();
      uint32_t length = 1 + below(flip() ? 3 : 60);
      // Lists in lists in lists would take longer to make than to test.
      while (length > 1 && length * valuesIn(*element) > 500) length /= 2;
      return orByte(types.fixedList(element, length));
    }
    case 9:
      return orByte(types.flags(labels(1 + below(32), "b")));
    case 10: {
      const Type* key = types.primitive(flip() ? TypeKind::STRING : TypeKind::U32);
      return orByte(types.map(key, part()));
    }
    case 11:
      return types.own(below(2));
    case 12:
      return types.borrow(below(2));
    case 13:
      return orByte(types.stream(flip() ? part() : nullptr));
    default:
      return orByte(types.future(flip() ? part() : nullptr));
  }
}

FuncType Input::function(component::TypeTable& types, Kinds kinds) {
  FuncType func;
  uint32_t count = below(8) == 0 ? 17 + below(4) : below(5);
  for (uint32_t i = 0; i < count; ++i) {
    nodes_ = 0;
    func.params.push_back({"p" + std::to_string(i), type(types, below(5), kinds)});
  }
  nodes_ = 0;
  if (flip()) func.result = type(types, below(5), kinds);
  return func;
}

std::string Input::string() {
  constexpr char32_t EDGES[] = {0,      'a',    0x7f,   0x80,    0xff,     0x100,  0x7ff, 0x800,
                                0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff, U'"',   '\\',  '\n',
                                '\'',   0xe9,   0x20ac, 0x1f600, 0x2028,   0x200b, '{',   '\r'};
  std::string text;
  for (uint32_t i = 0, n = below(4) == 0 ? below(200) : below(12); i < n; ++i) {
    append(text, flip() ? EDGES[below(std::size(EDGES))] : U'a' + below(26));
  }
  return text;
}

Value Input::value(const Type& type) {
  switch (type.kind) {
    case TypeKind::BOOL:
      return Value(flip());
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
    case TypeKind::F32: {
      auto number = std::bit_cast<float>(static_cast<uint32_t>(integer()));
      return Value(number == number ? number : 0.5F);
    }
    case TypeKind::F64: {
      auto number = std::bit_cast<double>(integer());
      return Value(number == number ? number : 0.5);
    }
    case TypeKind::CHAR: {
      uint32_t code = below(0x110000);
      return Value(Char{code >= 0xd800 && code < 0xe000 ? U'x' : char32_t{code}});
    }
    case TypeKind::STRING:
      return Value(string());
    case TypeKind::LIST: {
      List list;
      uint32_t n = type.fixedLength != 0 ? type.fixedLength : below(5);
      for (uint32_t i = 0; i < n; ++i) list.items.push_back(value(*type.element));
      return Value(std::move(list));
    }
    case TypeKind::RECORD: {
      Record record;
      for (const Labelled& field : type.members) {
        record.fields.push_back({field.label, value(*field.type)});
      }
      return Value(std::move(record));
    }
    case TypeKind::TUPLE: {
      Tuple tuple;
      for (const Labelled& part : type.members) tuple.items.push_back(value(*part.type));
      return Value(std::move(tuple));
    }
    case TypeKind::VARIANT: {
      const Labelled& chosen = type.members[below(static_cast<uint32_t>(type.members.size()))];
      Variant variant{chosen.label, {}};
      if (chosen.type != nullptr) variant.payload = Box(value(*chosen.type));
      return Value(std::move(variant));
    }
    case TypeKind::ENUM:
      return Value(Enum{type.members[below(static_cast<uint32_t>(type.members.size()))].label});
    case TypeKind::OPTION: {
      Option option;
      if (flip()) option.value = Box(value(*type.element));
      return Value(std::move(option));
    }
    case TypeKind::RESULT: {
      ResultValue result;
      result.isError = flip();
      const Type* payload = result.isError ? type.error : type.ok;
      if (payload != nullptr) result.payload = Box(value(*payload));
      return Value(std::move(result));
    }
    case TypeKind::FLAGS: {
      Flags flags;
      for (const Labelled& member : type.members) {
        if (flip()) flags.labels.push_back(member.label);
      }
      return Value(std::move(flags));
    }
    default:
      fail("a type without values was generated");
  }
}

void fail(const std::string& what) {
  std::fprintf(stderr, "PROPERTY BROKEN: %s\n", what.c_str());
  std::abort();
}

}  // namespace tenon::fuzzing
