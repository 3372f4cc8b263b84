#include "base/utf8.h"

#include <tenon/text.h>

#include <algorithm>
#include <cstdio>
#include <optional>

namespace tenon {
namespace {

// Bytes at the begin of `text` that are plain ASCII: most of what passes here is nothing else.
size_t plainRun(std::string_view text) {
  auto end = std::find_if(text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; });
  return static_cast<size_t>(end - text.begin());
}

void appendHidden(std::string& out, char32_t code, Lines lines) {
  switch (code) {
    case U'\n':
      out += lines == Lines::ONE ? "\\n" : "\n";
      return;
    case U'\t':
      out += lines == Lines::ONE ? "\\t" : "\t";
      return;
    case U'\r':
      out += "\\r";
      return;
    default:
      appendEscape(out, code);
  }
}

void appendByte(std::string& out, char byte) {
  char code[8];
  std::snprintf(code, sizeof(code), "\\x%02x", static_cast<unsigned char>(byte));
  out += code;
}

std::string mark(size_t left) { return "... (" + std::to_string(left) + " bytes more)"; }

void appendUtf16(std::string& out, uint32_t unit) {
  char code[8];
  std::snprintf(code, sizeof(code), "\\u%04x", static_cast<unsigned>(unit & 0xffff));
  out += code;
}

}  // namespace

std::string printable(std::string_view text, Lines lines, size_t most) {
  std::string out;
  std::string_view rest = text;
  while (!rest.empty()) {
    const size_t before = out.size();
    size_t taken = std::min(plainRun(rest), most - before);
    out += rest.substr(0, taken);
    if (taken == 0) {
      const std::optional<Scalar> scalar = decodeScalar(rest);
      taken = scalar ? scalar->length : 1;
      if (!scalar) {
        appendByte(out, rest[0]);
      } else if (isHidden(scalar->code)) {
        appendHidden(out, scalar->code, lines);
      } else {
        out += rest.substr(0, taken);
      }
      if (out.size() > most) {
        out.resize(before);
        return out + mark(rest.size());
      }
    }
    rest.remove_prefix(taken);
  }
  return out;
}

std::string shortened(std::string_view text, size_t most) {
  if (text.size() <= most) return std::string(text);
  size_t end = most;
  while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xc0) == 0x80) --end;
  // What is no character is cut anywhere.
  if (most - end > 3) end = most;
  return std::string(text.substr(0, end)) + mark(text.size() - end);
}

std::string printableJson(std::string_view json) {
  std::string out;
  while (!json.empty()) {
    size_t taken = plainRun(json);
    out += json.substr(0, taken);
    if (taken == 0) {
      // What is not UTF-8 is no JSON.
      const Scalar scalar = decodeScalar(json).value_or(Scalar{0xfffd, 1});
      taken = scalar.length;
      if (scalar.code == U'\n' || scalar.code == U'\t' || !isHidden(scalar.code)) {
        appendScalar(out, scalar.code);
      } else if (scalar.code >= 0x10000) {
        appendUtf16(out, 0xd800 + ((scalar.code - 0x10000) >> 10));
        appendUtf16(out, 0xdc00 + ((scalar.code - 0x10000) & 0x3ff));
      } else {
        appendUtf16(out, scalar.code);
      }
    }
    json.remove_prefix(taken);
  }
  return out;
}

}  // namespace tenon
