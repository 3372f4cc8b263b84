#include "tests/wire/reference.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace tenon::wiretest {
namespace {

// Groups of seven bits, as many as are needed to tell the number from its neighbours.
std::string unsignedLeb(unsigned __int128 number) {
  std::string out;
  do {
    auto low = static_cast<unsigned>(number % 128);
    number /= 128;
    out += static_cast<char>(low + (number != 0 ? 128 : 0));
  } while (number != 0);
  return out;
}

std::string signedLeb(__int128 number) {
  unsigned groups = 1;
  while (number < -(static_cast<__int128>(1) << (7 * groups - 1)) ||
         number >= (static_cast<__int128>(1) << (7 * groups - 1))) {
    ++groups;
  }
  std::string out;
  for (unsigned i = 0; i < groups; ++i) {
    auto group = static_cast<unsigned>((number >> (7 * i)) & 127);
    out += static_cast<char>(group + (i + 1 < groups ? 128 : 0));
  }
  return out;
}

template <typename Bits>
std::string little(Bits bits) {
  std::string out(sizeof(Bits), '\0');
  std::memcpy(out.data(), &bits, sizeof(Bits));
  return out;
}

std::string utf8(char32_t c) {
  std::string out;
  unsigned tail = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
  constexpr unsigned LEADS[] = {0x00, 0xc0, 0xe0, 0xf0};
  out += static_cast<char>(LEADS[tail] | (c >> (6 * tail)));
  while (tail-- > 0) out += static_cast<char>(0x80 | ((c >> (6 * tail)) & 0x3f));
  return out;
}

std::string text(const std::string& string) { return unsignedLeb(string.size()) + string; }

template <typename T>
T as(const Value& value) {
  const T* found = value.find<T>();
  if (found == nullptr) std::abort();
  return *found;
}

uint64_t indexOf(const Type& type, const std::string& label) {
  for (size_t i = 0; i < type.members.size(); ++i) {
    if (type.members[i].label == label) return i;
  }
  std::abort();
}

std::string payload(const Type* type, const Box& box) {
  if (type == nullptr) return "";
  return encode(*type, *box);
}

std::string flags(const Type& type, const Flags& flags) {
  std::string out((type.members.size() + 7) / 8, '\0');
  for (const std::string& label : flags.labels) {
    uint64_t i = indexOf(type, label);
    out[i / 8] = static_cast<char>(out[i / 8] | (1 << (i % 8)));
  }
  return out;
}

}  // namespace

std::string encode(const Type& type, const Value& value) {
  switch (type.kind) {
    case TypeKind::BOOL:
      return as<bool>(value) ? std::string(1, '\1') : std::string(1, '\0');
    case TypeKind::S8:
      return std::string(1, static_cast<char>(as<int8_t>(value)));
    case TypeKind::U8:
      return std::string(1, static_cast<char>(as<uint8_t>(value)));
    case TypeKind::S16:
      return signedLeb(as<int16_t>(value));
    case TypeKind::U16:
      return unsignedLeb(as<uint16_t>(value));
    case TypeKind::S32:
      return signedLeb(as<int32_t>(value));
    case TypeKind::U32:
      return unsignedLeb(as<uint32_t>(value));
    case TypeKind::S64:
      return signedLeb(as<int64_t>(value));
    case TypeKind::U64:
      return unsignedLeb(as<uint64_t>(value));
    case TypeKind::F32: {
      auto number = as<float>(value);
      return std::isnan(number) ? std::string("\0\0\xc0\x7f", 4) : little(number);
    }
    case TypeKind::F64: {
      auto number = as<double>(value);
      return std::isnan(number) ? std::string("\0\0\0\0\0\0\xf8\x7f", 8) : little(number);
    }
    case TypeKind::CHAR:
      return utf8(as<Char>(value).code);
    case TypeKind::STRING:
      return text(as<std::string>(value));
    case TypeKind::LIST: {
      const auto& items = value.find<List>()->items;
      std::string out = unsignedLeb(items.size());
      for (const Value& item : items) out += encode(*type.element, item);
      return out;
    }
    case TypeKind::RECORD: {
      std::string out;
      const auto& fields = value.find<Record>()->fields;
      for (size_t i = 0; i < fields.size(); ++i) {
        out += encode(*type.members[i].type, fields[i].value);
      }
      return out;
    }
    case TypeKind::TUPLE: {
      std::string out;
      const auto& items = value.find<Tuple>()->items;
      for (size_t i = 0; i < items.size(); ++i) out += encode(*type.members[i].type, items[i]);
      return out;
    }
    case TypeKind::VARIANT: {
      const auto& variant = *value.find<Variant>();
      uint64_t index = indexOf(type, variant.label);
      return unsignedLeb(index) + payload(type.members[index].type, variant.payload);
    }
    case TypeKind::ENUM:
      return unsignedLeb(indexOf(type, value.find<Enum>()->label));
    case TypeKind::OPTION: {
      const auto& option = *value.find<Option>();
      if (!option.value) return std::string(1, '\0');
      return std::string(1, '\1') + encode(*type.element, *option.value);
    }
    case TypeKind::RESULT: {
      const auto& result = *value.find<ResultValue>();
      return std::string(1, result.isError ? '\1' : '\0') +
             payload(result.isError ? type.error : type.ok, result.payload);
    }
    case TypeKind::FLAGS:
      return flags(type, *value.find<Flags>());
    default:
      std::abort();
  }
}

}  // namespace tenon::wiretest
