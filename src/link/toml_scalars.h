#pragma once

// The values of TOML that are one word: numbers, booleans, dates; and characters.

#include "link/toml.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace tenon::link::toml {

// A character that stands neither in a string nor in a comment; tabs and newlines are others.
inline bool isControl(char c) { return (c >= 0 && c < ' ' && c != '\t') || c == 0x7f; }

inline bool isDigit(char c) { return c >= '0' && c <= '9'; }

// What a key without quotes is made of.
inline bool isBareKey(char c) {
  return isDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
}

// The word that `text` begins with; a date and a time with a blank between them are one. May be
// empty.
std::string_view scalarAt(std::string_view text);

// Sets `value` to what the word means. Returns what is wrong with it, or nothing.
std::string readScalar(std::string_view word, Value& value);

// Appends the character that `digits` hexadecimal digits stand for. False: there are fewer, or it
// is none.
bool appendCharacter(std::string_view hex, size_t digits, std::string& to);

}  // namespace tenon::link::toml
