#include "base/utf8.h"

#include <array>
#include <charconv>
#include <utility>

namespace tenon {

std::optional<Scalar> decodeScalar(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const auto first = static_cast<uint8_t>(text[0]);
  if (first < 0x80) return Scalar{first, 1};
  size_t length = 0;
  uint32_t code = 0;
  uint32_t least = 0;  // anything below is overlong
  if ((first & 0xe0) == 0xc0) {
    length = 2;
    code = first & 0x1fU;
    least = 0x80;
  } else if ((first & 0xf0) == 0xe0) {
    length = 3;
    code = first & 0x0fU;
    least = 0x800;
  } else if ((first & 0xf8) == 0xf0) {
    length = 4;
    code = first & 0x07U;
    least = 0x10000;
  } else {
    return std::nullopt;
  }
  if (text.size() < length) return std::nullopt;
  for (size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    if ((byte & 0xc0) != 0x80) return std::nullopt;
    code = (code << 6) | (byte & 0x3fU);
  }
  if (code < least || !isScalar(code)) return std::nullopt;
  return Scalar{code, length};
}

void appendScalar(std::string& out, char32_t code) {
  const auto byte = [&out](uint32_t bits) { out.push_back(static_cast<char>(bits)); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xc0 | (code >> 6));
    byte(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    byte(0xe0 | (code >> 12));
    byte(0x80 | ((code >> 6) & 0x3f));
    byte(0x80 | (code & 0x3f));
  } else {
    byte(0xf0 | (code >> 18));
    byte(0x80 | ((code >> 12) & 0x3f));
    byte(0x80 | ((code >> 6) & 0x3f));
    byte(0x80 | (code & 0x3f));
  }
}

bool isHidden(char32_t code) {
  static constexpr std::array<std::pair<char32_t, char32_t>, 13> HIDDEN = {{
      {0x00, 0x1f},
      {0x7f, 0x9f},
      {0xad, 0xad},
      {0x61c, 0x61c},
      {0x200b, 0x200f},
      {0x2028, 0x202e},
      {0x2060, 0x206f},
      {0xe000, 0xf8ff},
      {0xfdd0, 0xfdef},
      {0xfeff, 0xfeff},
      {0xfff0, 0xfffb},
      {0xe0000, 0xe007f},
      {0xf0000, 0x10ffff},
  }};
  for (const auto& [from, to] : HIDDEN) {
    if (code >= from && code <= to) return true;
  }
  return (code & 0xfffe) == 0xfffe;
}

void appendEscape(std::string& out, char32_t code) {
  std::array<char, 8> buffer;
  const auto [end, error] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), static_cast<uint32_t>(code), 16);
  static_cast<void>(error);  // eight digits are enough for every number
  out += "\\u{";
  out.append(buffer.data(), end);
  out += '}';
}

}  // namespace tenon
