// Lifts along the type and writes bytes: one pass over flat values and memory. What is lifted is
// checked as lifting does it; nothing that the guest says makes the host take more than `limit`.

#include "component/types/type_table.h"
#include "component/wire/cases.h"
#include "component/wire/primitives.h"
#include "component/wire/wire.h"

#include <tenon/abi/abi_type.h>
#include <tenon/abi/labels.h>
#include <tenon/abi/lists.h>
#include <tenon/abi/scalars.h>
#include <tenon/abi/strings.h>

#include <bit>

// guest-ok(pointer): all of what is at `pointer` lies inside the memory, which the callers have
// checked; so no address in it takes more than 32 bits.

namespace tenon::abi {
namespace {

using detail::loadNumber;

constexpr const char* UNSUPPORTED = "a value of this type has no encoding on the wire";

struct InMemory {
  uint32_t pointer = 0;
};
struct InSlots {
  const RawValue* slots = nullptr;
};

class Encoder {
 public:
  Encoder(Context& from, std::vector<std::byte>& out, uint64_t limit, WireHandles* handles)
      : from_(from), out_(out), end_(out.size() + limit), handles_(handles) {}

  template <typename Place>
  void value(const Type& type, Place place) {
    switch (type.kind) {
      case TypeKind::BOOL:
        return byte(number(type, place) != 0 ? 1 : 0);
      case TypeKind::S8:
      case TypeKind::U8:
        return byte(number(type, place) & 0xff);
      case TypeKind::U16:
        return wire::writeUnsigned(room(), number(type, place) & 0xffff);
      case TypeKind::U32:
        return wire::writeUnsigned(room(), number(type, place));
      case TypeKind::S16:
        return wire::writeSigned(room(), static_cast<int16_t>(number(type, place)));
      case TypeKind::S32:
        return wire::writeSigned(room(), static_cast<int32_t>(number(type, place)));
      case TypeKind::U64:
        return wire::writeUnsigned(room(), wide(place));
      case TypeKind::S64:
        return wire::writeSigned(room(), static_cast<int64_t>(wide(place)));
      case TypeKind::F32:
        return wire::writeFixed(room(), canonical32(number(type, place)), 4);
      case TypeKind::F64:
        return wire::writeFixed(room(), canonical64(wide(place)), 8);
      case TypeKind::CHAR: {
        uint32_t code = detail::checkChar(from_, number(type, place));
        if (!from_.failed()) wire::writeChar(room(), code);
        return;
      }
      case TypeKind::STRING:
        return string(pair(place));
      case TypeKind::LIST:
        if (type.isMap || type.fixedLength != 0) return from_.fail(UNSUPPORTED);
        return list(type, pair(place));
      case TypeKind::RECORD:
      case TypeKind::TUPLE:
        return members(type, place);
      case TypeKind::ENUM:
      case TypeKind::VARIANT:
      case TypeKind::OPTION:
      case TypeKind::RESULT:
        return cases(type, place);
      case TypeKind::FLAGS:
        return flags(type, number(type, place));
      case TypeKind::OWN:
      case TypeKind::BORROW:
        return handle(type, number(type, place));
      case TypeKind::ERROR_CONTEXT:
      case TypeKind::STREAM:
      case TypeKind::FUTURE:
        return from_.fail(UNSUPPORTED);
    }
  }

  // After the last value: what was written since the last look has to fit too.
  void finish() { (void)room(); }

 private:
  // A scalar of up to 32 bits, a discriminant.
  uint32_t number(const Type& type, InMemory place) {
    return number(place, type.discriminantSize != 0 ? type.discriminantSize : type.size);
  }
  uint32_t number(InMemory place, uint32_t bytes) {
    if (bytes == 1) return loadNumber<uint8_t>(from_, place.pointer);
    if (bytes == 2) return loadNumber<uint16_t>(from_, place.pointer);
    return loadNumber<uint32_t>(from_, place.pointer);
  }
  static uint32_t number(const Type&, InSlots place) { return place.slots->i32; }
  uint64_t wide(InMemory place) { return loadNumber<uint64_t>(from_, place.pointer); }
  static uint64_t wide(InSlots place) { return place.slots->i64; }
  StringRange pair(InMemory place) { return detail::loadPair(from_, place.pointer); }
  static StringRange pair(InSlots place) { return {place.slots[0].i32, place.slots[1].i32}; }

  static uint32_t canonical32(uint32_t bits) {
    auto number = std::bit_cast<float>(bits);
    return number == number ? bits : 0x7fc00000;
  }
  static uint64_t canonical64(uint64_t bits) {
    auto number = std::bit_cast<double>(bits);
    return number == number ? bits : 0x7ff8000000000000;
  }

  // The output, which may be over its end by one scalar before this is seen.
  std::vector<std::byte>& room() {
    if (out_.size() > end_) from_.fail(TOO_MUCH);
    return out_;
  }
  void byte(uint32_t value) { wire::writeByte(room(), value); }
  void bytes(std::span<const std::byte> data) {
    if (out_.size() > end_ || data.size() > end_ - out_.size()) return from_.fail(TOO_MUCH);
    out_.insert(out_.end(), data.begin(), data.end());
  }

  void string(StringRange range) {
    std::string_view text = viewString(from_, range);
    if (from_.failed()) return;
    wire::writeUnsigned(room(), text.size());
    bytes(std::as_bytes(std::span(text)));
  }

  void list(const Type& type, StringRange range) {
    const Type& element = *type.element;
    if (!detail::checkList(from_, range, element.size, element.alignment)) return;
    uint64_t size = uint64_t{range.codeUnits} * element.size;
    if (!from_.charge(size)) return;
    wire::writeUnsigned(room(), range.codeUnits);
    if (element.kind == TypeKind::U8 || element.kind == TypeKind::S8) {
      return bytes(from_.memory.bytes(range.pointer, size));
    }
    uint32_t pointer = range.pointer;
    for (uint32_t i = 0; i < range.codeUnits; ++i) {
      value(element, InMemory{pointer});
      if (from_.failed()) return;
      pointer += element.size;
    }
  }

  void members(const Type& type, InMemory place) {
    for (const Labelled& member : type.members) {
      value(*member.type, InMemory{place.pointer + member.offset});
      if (from_.failed()) return;
    }
  }
  void members(const Type& type, InSlots place) {
    for (const Labelled& member : type.members) {
      value(*member.type, place);
      if (from_.failed()) return;
      place.slots += member.type->flatCount;
    }
  }

  template <typename Place>
  void cases(const Type& type, Place place) {
    uint32_t index = detail::checkDiscriminant(from_, number(type, place), wire::caseCount(type));
    if (from_.failed()) return;
    wire::writeUnsigned(room(), index);
    const Type* payload = wire::payloadOf(type, index);
    if (payload != nullptr) value(*payload, payloadOf(type, place));
  }
  static InMemory payloadOf(const Type& type, InMemory place) {
    return {place.pointer + type.payloadOffset};
  }
  static InSlots payloadOf(const Type&, InSlots place) { return {place.slots + 1}; }

  void flags(const Type& type, uint32_t bits) {
    size_t count = type.members.size();
    if (count < 32) bits &= (uint32_t{1} << count) - 1;
    wire::writeFixed(room(), bits, wire::flagBytes(count));
  }

  void handle(const Type& type, uint32_t index) {
    if (handles_ == nullptr) return from_.fail("resource handles cannot be passed here");
    std::vector<std::byte> token;
    handles_->encode(from_, type, index, token);
    if (from_.failed()) return;
    wire::writeUnsigned(room(), token.size());
    bytes(token);
  }

  static constexpr const char* TOO_MUCH = "the values of one call take more bytes than allowed";

  Context& from_;
  std::vector<std::byte>& out_;
  const uint64_t end_;
  WireHandles* handles_;
};

}  // namespace

bool encodeParameters(Context& from, const FuncType& type, const RawValue* flat,
                      std::vector<std::byte>& out, uint64_t limit, WireHandles* handles) {
  if (from.failed()) return false;
  Encoder encoder(from, out, limit, handles);
  if (!component::paramsSpill(type)) {
    InSlots place{flat};
    for (const Parameter& parameter : type.params) {
      encoder.value(*parameter.type, place);
      if (from.failed()) return false;
      place.slots += parameter.type->flatCount;
    }
  } else {
    auto layout = component::paramsLayout(type);
    uint32_t pointer = flat->i32;
    if (!detail::checkRange(from, pointer, layout.size, layout.alignment)) return false;
    for (size_t i = 0; i < type.params.size(); ++i) {
      encoder.value(*type.params[i].type, InMemory{pointer + layout.offsets[i]});
      if (from.failed()) return false;
    }
  }
  encoder.finish();
  return !from.failed();
}

bool encodeResult(Context& from, const FuncType& type, const RawValue* flat,
                  std::vector<std::byte>& out, uint64_t limit, WireHandles* handles) {
  if (from.failed()) return false;
  if (type.result == nullptr) return true;
  Encoder encoder(from, out, limit, handles);
  if (!component::resultSpills(type)) {
    encoder.value(*type.result, InSlots{flat});
  } else {
    uint32_t pointer = flat->i32;
    if (!detail::checkRange(from, pointer, type.result->size, type.result->alignment)) return false;
    encoder.value(*type.result, InMemory{pointer});
  }
  encoder.finish();
  return !from.failed();
}

}  // namespace tenon::abi
