#include "base/byte_writer.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tenon {

void ByteWriter::u64(uint64_t value) {
  while (value >= 0x80) {
    u8(static_cast<uint8_t>(value | 0x80));
    value >>= 7;
  }
  u8(static_cast<uint8_t>(value));
}

void ByteWriter::s64(int64_t value) {
  for (;;) {
    auto low = static_cast<uint8_t>(value & 0x7f);
    value >>= 7;
    bool done = (value == 0 && (low & 0x40) == 0) || (value == -1 && (low & 0x40) != 0);
    if (done) return u8(low);
    u8(low | 0x80);
  }
}

void ByteWriter::fixed32(uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) u8(static_cast<uint8_t>(value >> shift));
}

void ByteWriter::fixed64(uint64_t value) {
  for (int shift = 0; shift < 64; shift += 8) u8(static_cast<uint8_t>(value >> shift));
}

void ByteWriter::text(std::string_view data) {
  bytes(std::as_bytes(std::span<const char>(data.data(), data.size())));
}

void ByteWriter::name(std::string_view data) {
  u64(data.size());
  text(data);
}

void ByteWriter::insertSize(size_t start) {
  ByteWriter size;
  size.u64(bytes_.size() - start);
  auto at = bytes_.begin() + static_cast<std::ptrdiff_t>(start);
  bytes_.insert(at, size.bytes_.begin(), size.bytes_.end());
}

}  // namespace tenon
