#pragma once

// Reads the primitive encodings of WebAssembly's binary format out of borrowed bytes. Every read is
// checked against the end, and every error carries the offset, counted from the start of the
// outermost input.
// Source: WebAssembly Core Specification, "Binary Format", "Values".

#include <tenon/result.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace tenon {

// A position in borrowed bytes, which must outlive it and everything that it returns. A plain
// value: a copy reads on its own. After an error the position is somewhere in the refused item.
class ByteReader {
 public:
  // `baseOffset` is the offset of the first byte of `bytes` in the outermost input.
  explicit ByteReader(std::span<const std::byte> bytes, uint64_t baseOffset = 0)
      : bytes_(bytes), base_(baseOffset) {}

  // Offset of the next byte, from the start of the outermost input.
  uint64_t offset() const { return base_ + position_; }
  // Bytes that are left.
  size_t remaining() const { return bytes_.size() - position_; }
  bool atEnd() const { return position_ == bytes_.size(); }
  std::optional<uint8_t> peek() const {
    if (atEnd()) return std::nullopt;
    return static_cast<uint8_t>(bytes_[position_]);
  }

  Result<uint8_t> u8() {
    if (atEnd()) return truncated("input");
    return static_cast<uint8_t>(bytes_[position_++]);
  }

  // LEB128. At most ceil(bits / 7) bytes, of which the unused bits are zero (unsigned) or copies of
  // the sign (signed); padding within that is accepted, as the specification has it.
  // Errors: MALFORMED for a cut, too long or too large encoding.
  Result<uint32_t> u32() {
    if (!atEnd() && static_cast<uint8_t>(bytes_[position_]) < 0x80) {
      return static_cast<uint32_t>(bytes_[position_++]);
    }
    return u32Slow();
  }
  Result<uint64_t> u64();
  Result<int32_t> s32();
  Result<int64_t> s33();
  Result<int64_t> s64();

  // A `vec`'s length. Errors: as u32; MALFORMED when even at `minimumSize` bytes each (1 or more)
  // the items cannot fit into what is left; LIMIT_EXCEEDED above `limit`. So a count that comes
  // back may be used to reserve memory. `what` names the items in errors, in the plural.
  Result<uint32_t> count(std::string_view what, uint32_t limit, size_t minimumSize = 1);

  // The next `size` bytes, borrowed. `what` names them in the error.
  Result<std::span<const std::byte>> take(uint64_t size, std::string_view what);
  // A reader of only the next `size` bytes, with offsets that go on counting.
  Result<ByteReader> sub(uint64_t size, std::string_view what);
  // Everything that is left.
  std::span<const std::byte> rest();

  // A length in bytes and as much UTF-8. Borrowed. Errors: MALFORMED if cut or not UTF-8.
  Result<std::string_view> name();

 private:
  Error truncated(std::string_view what) const;
  Result<uint32_t> u32Slow();
  Result<uint64_t> unsignedLeb(unsigned bits);
  Result<int64_t> signedLeb(unsigned bits);

  std::span<const std::byte> bytes_;
  uint64_t base_ = 0;
  size_t position_ = 0;
};

// Well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
bool isUtf8(std::string_view text);

// The bytes as text, without a check.
inline std::string_view asText(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace tenon
