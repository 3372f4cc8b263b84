#pragma once

// LEB128 and UTF-8 as they stand in values: reading that tells a cut number from a bad one.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tenon::abi::wire {

enum class Read : uint8_t { OK, MORE, BAD };

// An unsigned or signed number of so many bits: at most ceil(bits / 7) bytes, of which the unused
// bits are zero or copies of the sign; longer forms within that are accepted. `at` moves past it.
inline Read readUnsigned(std::span<const std::byte> bytes, uint64_t& at, unsigned bits,
                         uint64_t& out) {
  uint64_t value = 0;
  uint64_t position = at;
  for (unsigned shift = 0; shift < bits; shift += 7) {
    if (position == bytes.size()) return Read::MORE;
    auto byte = std::to_integer<uint64_t>(bytes[position++]);
    uint64_t payload = byte & 0x7f;
    if (bits - shift < 7 && (payload >> (bits - shift)) != 0) return Read::BAD;
    value |= payload << shift;
    if (byte < 0x80) {
      at = position;
      out = value;
      return Read::OK;
    }
  }
  return Read::BAD;
}

inline Read readSigned(std::span<const std::byte> bytes, uint64_t& at, unsigned bits,
                       int64_t& out) {
  uint64_t value = 0;
  uint64_t position = at;
  for (unsigned shift = 0; shift < bits; shift += 7) {
    if (position == bytes.size()) return Read::MORE;
    auto byte = std::to_integer<uint64_t>(bytes[position++]);
    uint64_t payload = byte & 0x7f;
    if (bits - shift < 7) {
      // What is beyond the number, its sign included, is all zeros or all ones.
      uint64_t beyond = payload >> (bits - shift - 1);
      uint64_t ones = (uint64_t{1} << (7 - (bits - shift - 1))) - 1;
      if (beyond != 0 && beyond != ones) return Read::BAD;
    }
    value |= payload << shift;
    if (byte < 0x80) {
      unsigned used = shift + 7;
      if ((payload & 0x40) != 0 && used < 64) value |= ~uint64_t{0} << used;
      at = position;
      out = static_cast<int64_t>(value);
      return Read::OK;
    }
  }
  return Read::BAD;
}

// A character as its UTF-8 bytes.
inline Read readChar(std::span<const std::byte> bytes, uint64_t& at, uint32_t& out) {
  if (at == bytes.size()) return Read::MORE;
  auto lead = std::to_integer<uint32_t>(bytes[at]);
  if (lead < 0x80) {
    out = lead;
    at++;
    return Read::OK;
  }
  uint32_t count = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4) return Read::BAD;
  uint32_t code = lead & (0xffu >> (count + 1));
  for (uint32_t i = 1; i < count; i++) {
    if (at + i >= bytes.size()) return Read::MORE;
    auto byte = std::to_integer<uint32_t>(bytes[at + i]);
    if ((byte & 0xc0) != 0x80) return Read::BAD;
    code = code << 6 | (byte & 0x3f);
  }
  constexpr uint32_t LEAST[] = {0, 0, 0x80, 0x800, 0x10000};
  if (code < LEAST[count] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
    return Read::BAD;
  }
  out = code;
  at += count;
  return Read::OK;
}

inline void writeByte(std::vector<std::byte>& out, uint64_t byte) {
  out.push_back(static_cast<std::byte>(byte));
}

inline void writeUnsigned(std::vector<std::byte>& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) writeByte(out, (value & 0x7f) | 0x80);
  writeByte(out, value);
}

inline void writeSigned(std::vector<std::byte>& out, int64_t value) {
  while (value < -64 || value > 63) {
    writeByte(out, (static_cast<uint64_t>(value) & 0x7f) | 0x80);
    value >>= 7;
  }
  writeByte(out, static_cast<uint64_t>(value) & 0x7f);
}

inline void writeFixed(std::vector<std::byte>& out, uint64_t bits, unsigned bytes) {
  for (unsigned i = 0; i < bytes; i++) writeByte(out, bits >> (8 * i) & 0xff);
}

// A Unicode scalar value.
inline void writeChar(std::vector<std::byte>& out, uint32_t code) {
  if (code < 0x80) return writeByte(out, code);
  if (code < 0x800) {
    writeByte(out, 0xc0 | code >> 6);
  } else {
    if (code < 0x10000) {
      writeByte(out, 0xe0 | code >> 12);
    } else {
      writeByte(out, 0xf0 | code >> 18);
      writeByte(out, 0x80 | (code >> 12 & 0x3f));
    }
    writeByte(out, 0x80 | (code >> 6 & 0x3f));
  }
  writeByte(out, 0x80 | (code & 0x3f));
}

// Bytes that flags take.
inline uint32_t flagBytes(size_t count) { return static_cast<uint32_t>((count + 7) / 8); }

}  // namespace tenon::abi::wire
