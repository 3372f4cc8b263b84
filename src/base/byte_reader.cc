#include "base/byte_reader.h"

#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tenon {
namespace {

Error lebTooLong(unsigned bits, uint64_t start) {
  return {ErrorCode::MALFORMED,
          "LEB128 of " + std::to_string(bits) + " bits is longer than " +
              std::to_string((bits + 6) / 7) + " bytes at byte " + std::to_string(start),
          start};
}

Error lebDoesNotFit(const std::string& what, unsigned bits, uint64_t start) {
  return {
      ErrorCode::MALFORMED,
      what + " does not fit in " + std::to_string(bits) + " bits at byte " + std::to_string(start),
      start};
}

}  // namespace

Error ByteReader::truncated(std::string_view what) const {
  uint64_t end = base_ + bytes_.size();
  return {ErrorCode::MALFORMED,
          "truncated " + std::string(what) + " at byte " + std::to_string(end), end};
}

Result<uint64_t> ByteReader::unsignedLeb(unsigned bits) {
  uint64_t start = offset();
  uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    if (atEnd()) return truncated("LEB128");
    auto byte = static_cast<uint8_t>(bytes_[position_++]);
    unsigned left = bits - shift;
    if (left <= 7) {
      if ((byte & 0x80) != 0) return lebTooLong(bits, start);
      if ((byte >> left) != 0) return lebDoesNotFit("LEB128", bits, start);
    }
    value |= uint64_t{byte & 0x7fu} << shift;
    if ((byte & 0x80) == 0) return value;
  }
}

Result<int64_t> ByteReader::signedLeb(unsigned bits) {
  uint64_t start = offset();
  uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    if (atEnd()) return truncated("LEB128");
    auto byte = static_cast<uint8_t>(bytes_[position_++]);
    unsigned left = bits - shift;
    if (left <= 7) {
      if ((byte & 0x80) != 0) return lebTooLong(bits, start);
      // The sign bit and the unused bits above it must all be alike.
      unsigned mask = (0x7fu << (left - 1)) & 0x7fu;
      unsigned top = byte & mask;
      if (top != 0 && top != mask) {
        return lebDoesNotFit("signed LEB128", bits, start);
      }
    }
    value |= uint64_t{byte & 0x7fu} << shift;
    if ((byte & 0x80) != 0) continue;
    if ((byte & 0x40) != 0 && shift + 7 < 64) value |= ~uint64_t{0} << (shift + 7);
    return static_cast<int64_t>(value);
  }
}

Result<uint32_t> ByteReader::u32Slow() {
  TENON_TRY(uint64_t value, unsignedLeb(32));
  return static_cast<uint32_t>(value);
}

Result<uint64_t> ByteReader::u64() { return unsignedLeb(64); }

Result<int32_t> ByteReader::s32() {
  TENON_TRY(int64_t value, signedLeb(32));
  return static_cast<int32_t>(value);
}

Result<int64_t> ByteReader::s33() { return signedLeb(33); }

Result<int64_t> ByteReader::s64() { return signedLeb(64); }

Result<uint32_t> ByteReader::count(std::string_view what, uint32_t limit, size_t minimumSize) {
  uint64_t start = offset();
  TENON_TRY(uint32_t value, u32());
  if (value > remaining() / minimumSize) {
    return Error{ErrorCode::MALFORMED,
                 std::to_string(value) + " " + std::string(what) + " cannot be in the remaining " +
                     std::to_string(remaining()) + " bytes",
                 start};
  }
  if (value > limit) {
    return Error{
        ErrorCode::LIMIT_EXCEEDED,
        std::to_string(value) + " " + std::string(what) + ", the limit is " + std::to_string(limit),
        start};
  }
  return value;
}

Result<std::span<const std::byte>> ByteReader::take(uint64_t size, std::string_view what) {
  if (size > remaining()) {
    return Error{ErrorCode::MALFORMED,
                 std::string(what) + " of " + std::to_string(size) + " bytes is truncated, " +
                     std::to_string(remaining()) + " bytes are left",
                 offset()};
  }
  auto taken = bytes_.subspan(position_, static_cast<size_t>(size));
  position_ += static_cast<size_t>(size);
  return taken;
}

Result<ByteReader> ByteReader::sub(uint64_t size, std::string_view what) {
  uint64_t start = offset();
  TENON_TRY(auto taken, take(size, what));
  return ByteReader(taken, start);
}

std::span<const std::byte> ByteReader::rest() {
  auto left = bytes_.subspan(position_);
  position_ = bytes_.size();
  return left;
}

Result<std::string_view> ByteReader::name() {
  TENON_TRY(uint32_t size, u32());
  uint64_t start = offset();
  TENON_TRY(auto taken, take(size, "name"));
  std::string_view text = asText(taken);
  if (!isUtf8(text)) return Error{ErrorCode::MALFORMED, "name is not UTF-8", start};
  return text;
}

bool isUtf8(std::string_view text) {
  // Most names are short and ASCII: not worth the call.
  if (text.size() <= 64) {
    unsigned char bits = 0;
    for (char c : text) bits |= static_cast<unsigned char>(c);
    if (bits < 0x80) return true;
  }
  return simdjson::validate_utf8(text.data(), text.size());
}

}  // namespace tenon
