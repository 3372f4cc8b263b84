#pragma once

// One Unicode scalar value at a time, from and to UTF-8. For texts that people write or read;
// guests' strings are checked elsewhere.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tenon {

struct Scalar {
  char32_t code = 0;
  size_t length = 0;  // bytes
};

// The scalar value that `text` begins with; nothing for an empty text or one that does not begin
// with well-formed UTF-8 (overlong, a surrogate, above U+10FFFF, cut).
std::optional<Scalar> decodeScalar(std::string_view text);

// Not a surrogate and at most U+10FFFF.
constexpr bool isScalar(uint32_t code) {
  return code < 0xd800 || (code >= 0xe000 && code <= 0x10ffff);
}

void appendScalar(std::string& out, char32_t code);

// A character that does not show, or that changes how the text around it shows: controls, invisible
// and direction marks, line separators, private use, non-characters.
bool isHidden(char32_t code);

// Appends "\u{1b}".
void appendEscape(std::string& out, char32_t code);

}  // namespace tenon
