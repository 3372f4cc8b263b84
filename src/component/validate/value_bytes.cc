#include "component/validate/value_bytes.h"

#include "base/byte_reader.h"
#include "component/validate/say.h"
#include "component/validate/subtyping.h"

#include <cmath>
#include <cstring>

namespace tenon::component {
namespace {

Error malformed(uint64_t offset, std::string message) {
  return {ErrorCode::MALFORMED, std::move(message), offset};
}

// A float in little-endian bytes; of the NaNs only the canonical one.
template <typename Float, typename Bits>
Result<void> checkFloat(ByteReader& in, Bits canonicalNan) {
  uint64_t offset = in.offset();
  TENON_TRY(auto raw, in.take(sizeof(Bits), "a float"));
  Bits bits = 0;
  for (size_t i = 0; i < sizeof(Bits); ++i) {
    bits |= static_cast<Bits>(static_cast<uint8_t>(raw[i])) << (8 * i);
  }
  Float value;
  std::memcpy(&value, &bits, sizeof value);
  if (std::isnan(value) && bits != canonicalNan) {
    return malformed(offset, "a NaN that is not canonical");
  }
  return {};
}

Result<void> checkRange(Result<int64_t> value, int64_t least, int64_t most, uint64_t offset) {
  if (!value) return std::move(value).error();
  if (*value >= least && *value <= most) return {};
  return malformed(offset, say("integer ", *value, " is out of range"));
}

Result<int64_t> widen(Result<uint32_t> value) {
  if (!value) return std::move(value).error();
  return static_cast<int64_t>(*value);
}

Result<int64_t> widen(Result<int32_t> value) {
  if (!value) return std::move(value).error();
  return static_cast<int64_t>(*value);
}

size_t utf8Length(uint8_t first) {
  return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

Result<void> checkChar(ByteReader& in) {
  uint64_t offset = in.offset();
  size_t length = utf8Length(in.peek().value_or(0));
  TENON_TRY(auto bytes, in.take(length, "a character"));
  if (!isUtf8(asText(bytes))) return malformed(offset, "malformed UTF-8");
  return {};
}

Result<void> check(const Type& type, ByteReader& in);

// One of the payloads, chosen by an index; null: none.
Result<void> checkPayload(const Type* payload, ByteReader& in) {
  return payload == nullptr ? Result<void>() : check(*payload, in);
}

Result<uint32_t> readCase(ByteReader& in, size_t count) {
  uint64_t offset = in.offset();
  TENON_TRY(uint32_t index, in.u32());
  if (index >= count) return malformed(offset, say("there is no case ", index));
  return index;
}

Result<bool> readBit(ByteReader& in) {
  uint64_t offset = in.offset();
  TENON_TRY(uint8_t byte, in.u8());
  if (byte > 1) return malformed(offset, say("expected 0 or 1, found ", byte));
  return byte == 1;
}

Result<void> checkScalar(const Type& type, ByteReader& in) {
  uint64_t offset = in.offset();
  switch (type.kind) {
    case TypeKind::BOOL: {
      auto bit = readBit(in);
      if (!bit) return std::move(bit).error();
      return {};
    }
    case TypeKind::S8:
    case TypeKind::U8: {
      auto byte = in.u8();
      if (!byte) return std::move(byte).error();
      return {};
    }
    case TypeKind::S16:
      return checkRange(widen(in.s32()), INT16_MIN, INT16_MAX, offset);
    case TypeKind::U16:
      return checkRange(widen(in.u32()), 0, UINT16_MAX, offset);
    case TypeKind::S32:
      return checkRange(widen(in.s32()), INT32_MIN, INT32_MAX, offset);
    case TypeKind::U32:
      return checkRange(widen(in.u32()), 0, UINT32_MAX, offset);
    case TypeKind::S64: {
      auto value = in.s64();
      if (!value) return std::move(value).error();
      return {};
    }
    case TypeKind::U64: {
      auto value = in.u64();
      if (!value) return std::move(value).error();
      return {};
    }
    case TypeKind::F32:
      return checkFloat<float, uint32_t>(in, 0x7fc00000);
    case TypeKind::F64:
      return checkFloat<double, uint64_t>(in, 0x7ff8000000000000);
    case TypeKind::CHAR:
      return checkChar(in);
    default: {
      auto text = in.name();
      if (!text) return std::move(text).error();
      return {};
    }
  }
}

Result<void> check(const Type& type, ByteReader& in) {
  if (type.kind <= TypeKind::STRING) return checkScalar(type, in);
  switch (type.kind) {
    case TypeKind::LIST: {
      uint32_t count = type.fixedLength;
      if (count == 0) {
        TENON_TRY(count, in.u32());
      }
      for (uint32_t i = 0; i < count; ++i) TENON_CHECK(check(*type.element, in));
      return {};
    }
    case TypeKind::RECORD:
    case TypeKind::TUPLE:
      for (const Labelled& member : type.members) TENON_CHECK(check(*member.type, in));
      return {};
    case TypeKind::VARIANT:
    case TypeKind::ENUM: {
      TENON_TRY(uint32_t index, readCase(in, type.members.size()));
      return checkPayload(type.members[index].type, in);
    }
    case TypeKind::FLAGS: {
      auto bits = in.take((type.members.size() + 7) / 8, "flags");
      if (!bits) return std::move(bits).error();
      return {};
    }
    case TypeKind::OPTION: {
      TENON_TRY(bool some, readBit(in));
      return checkPayload(some ? type.element : nullptr, in);
    }
    case TypeKind::RESULT: {
      TENON_TRY(bool isError, readBit(in));
      return checkPayload(isError ? type.error : type.ok, in);
    }
    default:
      return Error{ErrorCode::INVALID, say("there are no constants of type ", toString(type)),
                   in.offset()};
  }
}

}  // namespace

Result<void> checkValueBytes(const Type& type, std::span<const std::byte> bytes, uint64_t offset) {
  ByteReader in(bytes, offset);
  TENON_CHECK(check(type, in));
  if (in.atEnd()) return {};
  return malformed(in.offset(), "bytes after the value");
}

}  // namespace tenon::component
