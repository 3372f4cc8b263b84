#include "script.h"

#include <bit>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <type_traits>

namespace tenon::conformance {

std::vector<std::byte> readBytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::vector<char> text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  std::vector<std::byte> bytes(text.size());
  for (size_t i = 0; i < text.size(); ++i) bytes[i] = static_cast<std::byte>(text[i]);
  return bytes;
}

namespace {

using nlohmann::json;

template <typename T>
Value integer(const std::string& text) {
  if constexpr (std::is_signed_v<T>)
    return Value(static_cast<T>(std::stoll(text)));
  else
    return Value(static_cast<T>(std::stoull(text)));
}

Value valueFrom(const json& item);

Box boxFrom(const json& item) { return item.is_null() ? Box() : Box(valueFrom(item)); }

}  // namespace

std::vector<Value> valuesFrom(const nlohmann::json& items) {
  std::vector<Value> values;
  for (const nlohmann::json& item : items) values.push_back(valueFrom(item));
  return values;
}

namespace {

char32_t firstCodePoint(const std::string& utf8) {
  unsigned char lead = static_cast<unsigned char>(utf8.at(0));
  size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  char32_t code = length == 1 ? lead : lead & (0xff >> (length + 1));
  for (size_t i = 1; i < length; ++i) code = code << 6 | (utf8.at(i) & 0x3f);
  return code;
}

// Floats are written as their bits, in decimal.
Value valueFrom(const json& item) {
  const std::string type = item.at("type");
  const json& value = item.contains("value") ? item.at("value") : json();
  if (type == "bool") return Value(value.get<bool>());
  if (type == "u8") return integer<uint8_t>(value);
  if (type == "s8") return integer<int8_t>(value);
  if (type == "u16") return integer<uint16_t>(value);
  if (type == "s16") return integer<int16_t>(value);
  if (type == "u32") return integer<uint32_t>(value);
  if (type == "s32") return integer<int32_t>(value);
  if (type == "u64") return integer<uint64_t>(value);
  if (type == "s64") return integer<int64_t>(value);
  if (type == "f32") {
    return Value(std::bit_cast<float>(static_cast<uint32_t>(std::stoul(value.get<std::string>()))));
  }
  if (type == "f64") {
    return Value(std::bit_cast<double>(uint64_t{std::stoull(value.get<std::string>())}));
  }
  if (type == "char") return Value(Char{firstCodePoint(value)});
  if (type == "string") return Value(value.get<std::string>());
  if (type == "list") return Value(List{valuesFrom(value)});
  if (type == "tuple") return Value(Tuple{valuesFrom(value)});
  if (type == "record") {
    Record record;
    for (const json& field : value) record.fields.push_back({field.at(0), valueFrom(field.at(1))});
    return Value(std::move(record));
  }
  if (type == "variant") {
    return Value(Variant{value.at("case"), boxFrom(value.value("payload", json()))});
  }
  if (type == "enum") return Value(Enum{value.get<std::string>()});
  if (type == "option") return Value(Option{boxFrom(value)});
  if (type == "result") {
    bool isError = value.contains("Err");
    return Value(ResultValue{isError, boxFrom(value.at(isError ? "Err" : "Ok"))});
  }
  if (type == "flags") return Value(Flags{value.get<std::vector<std::string>>()});
  throw std::runtime_error("unknown value type in the script: " + type);
}

}  // namespace
}  // namespace tenon::conformance
