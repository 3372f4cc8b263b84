// Lowers bytes along the type, in the order of lowering: memory from `realloc`, then what goes
// there. The bytes were scanned, so that what is wrong here is a bug or another guest's bytes; it
// fails the Context all the same.

#include "component/types/type_table.h"
#include "component/wire/cases.h"
#include "component/wire/primitives.h"
#include "component/wire/wire.h"

#include <tenon/abi/abi_type.h>
#include <tenon/abi/labels.h>
#include <tenon/abi/lists.h>
#include <tenon/abi/strings.h>

#include <limits>

// guest-ok(pointer): all of what is at `pointer` lies inside the memory, which the callers have
// checked; so no address in it takes more than 32 bits.

namespace tenon::abi {
namespace {

using detail::storeNumber;

constexpr const char* NOT_SCANNED = "the bytes of a value are not of its type";

struct InMemory {
  uint32_t pointer = 0;
};
struct InSlots {
  RawValue* slots = nullptr;
};

class Decoder {
 public:
  Decoder(Context& to, std::span<const std::byte> bytes, WireHandles* handles)
      : to_(to), bytes_(bytes), handles_(handles) {}

  template <typename Place>
  void value(const Type& type, Place place) {
    switch (type.kind) {
      case TypeKind::BOOL:
        return put(place, fixed(1) != 0 ? 1 : 0, 1);
      case TypeKind::S8:
        // Small integers are extended to 32 bits where they are flat.
        return put(place, static_cast<uint32_t>(static_cast<int8_t>(fixed(1))), 1);
      case TypeKind::U8:
        return put(place, fixed(1), 1);
      case TypeKind::S16:
        return put(place, static_cast<uint32_t>(signedNumber(16)), 2);
      case TypeKind::U16:
        return put(place, unsignedNumber(16), 2);
      case TypeKind::S32:
        return put(place, static_cast<uint32_t>(signedNumber(32)), 4);
      case TypeKind::U32:
        return put(place, unsignedNumber(32), 4);
      case TypeKind::S64:
        return put(place, static_cast<uint64_t>(signedNumber(64)), 8);
      case TypeKind::U64:
        return put(place, unsignedNumber(64), 8);
      case TypeKind::F32:
        return put(place, fixed(4), 4);
      case TypeKind::F64:
        return put(place, fixed(8), 8);
      case TypeKind::CHAR:
        return put(place, character(), 4);
      case TypeKind::STRING:
        return putPair(place, storeString(to_, text()));
      case TypeKind::LIST:
        return putPair(place, list(type));
      case TypeKind::RECORD:
      case TypeKind::TUPLE:
        return members(type, place);
      case TypeKind::ENUM:
      case TypeKind::VARIANT:
      case TypeKind::OPTION:
      case TypeKind::RESULT:
        return cases(type, place);
      case TypeKind::FLAGS: {
        size_t count = type.members.size();
        uint64_t bits = fixed(wire::flagBytes(count)) & ((uint64_t{1} << count) - 1);
        return put(place, bits, static_cast<uint8_t>(type.size));
      }
      case TypeKind::OWN:
      case TypeKind::BORROW:
        return put(place, handle(type), 4);
      case TypeKind::ERROR_CONTEXT:
      case TypeKind::STREAM:
      case TypeKind::FUTURE:
        return bad();
    }
  }

 private:
  void bad() { to_.fail(NOT_SCANNED); }

  // Zero after a failure.
  std::span<const std::byte> take(uint64_t size) {
    if (to_.failed()) return {};
    if (size > bytes_.size() - at_) {
      bad();
      return {};
    }
    auto taken = bytes_.subspan(at_, size);
    at_ += size;
    return taken;
  }
  uint64_t fixed(uint32_t size) {
    uint64_t bits = 0;
    uint32_t shift = 0;
    for (std::byte byte : take(size)) {
      bits |= std::to_integer<uint64_t>(byte) << shift;
      shift += 8;
    }
    return bits;
  }
  uint64_t unsignedNumber(unsigned bits) {
    uint64_t number = 0;
    if (wire::readUnsigned(bytes_, at_, bits, number) != wire::Read::OK) bad();
    return number;
  }
  int64_t signedNumber(unsigned bits) {
    int64_t number = 0;
    if (wire::readSigned(bytes_, at_, bits, number) != wire::Read::OK) bad();
    return number;
  }
  uint32_t character() {
    uint32_t code = 0;
    if (wire::readChar(bytes_, at_, code) != wire::Read::OK) bad();
    return code;
  }
  std::string_view text() {
    auto characters = take(unsignedNumber(32));
    return {reinterpret_cast<const char*>(characters.data()), characters.size()};
  }

  void put(InMemory place, uint64_t bits, uint8_t bytes) {
    if (to_.failed()) return;
    if (bytes == 1) return storeNumber(to_, place.pointer, static_cast<uint8_t>(bits));
    if (bytes == 2) return storeNumber(to_, place.pointer, static_cast<uint16_t>(bits));
    if (bytes == 4) return storeNumber(to_, place.pointer, static_cast<uint32_t>(bits));
    storeNumber(to_, place.pointer, bits);
  }
  static void put(InSlots place, uint64_t bits, uint8_t) { place.slots->i64 = bits; }
  void putPair(InMemory place, StringRange pair) {
    if (!to_.failed()) detail::storePair(to_, pair, place.pointer);
  }
  static void putPair(InSlots place, StringRange pair) {
    place.slots[0].i64 = pair.pointer;
    place.slots[1].i64 = pair.codeUnits;
  }

  StringRange list(const Type& type) {
    const Type& element = *type.element;
    uint64_t count = unsignedNumber(32);
    if (to_.failed()) return {};
    // Each element takes a byte at least.
    uint64_t size = count * element.size;
    if (size > MAX_BYTE_LENGTH || count > bytes_.size() - at_) {
      bad();
      return {};
    }
    auto length = static_cast<uint32_t>(count);
    auto bytes = static_cast<uint32_t>(size);
    if (element.kind == TypeKind::U8 || element.kind == TypeKind::S8) {
      auto items = take(bytes);
      return storePlainList(to_, items.data(), length, bytes, 1);
    }
    uint32_t begin = to_.allocate(bytes, element.alignment);
    if (to_.failed() || !detail::checkRange(to_, begin, bytes, element.alignment)) return {};
    InMemory place{begin};
    for (uint32_t i = 0; i < length; ++i) {
      value(element, place);
      if (to_.failed()) return {};
      place.pointer += element.size;
    }
    return {begin, length};
  }

  void members(const Type& type, InMemory place) {
    for (const Labelled& member : type.members) {
      value(*member.type, InMemory{place.pointer + member.offset});
      if (to_.failed()) return;
    }
  }
  void members(const Type& type, InSlots place) {
    for (const Labelled& member : type.members) {
      value(*member.type, place);
      if (to_.failed()) return;
      place.slots += member.type->flatCount;
    }
  }

  template <typename Place>
  void cases(const Type& type, Place place) {
    uint64_t index = wire::hasTwoCases(type) ? fixed(1) : unsignedNumber(32);
    if (to_.failed()) return;
    if (index >= wire::caseCount(type)) return bad();
    const Type* payload = wire::payloadOf(type, index);
    put(place, index, type.discriminantSize);
    Place inner = payloadOf(type, place);
    if (payload != nullptr) value(*payload, inner);
  }
  static InMemory payloadOf(const Type& type, InMemory place) {
    return {place.pointer + type.payloadOffset};
  }
  // What a case does not use is zero.
  static InSlots payloadOf(const Type& type, InSlots place) {
    for (uint32_t i = 1; i < type.flatCount; ++i) place.slots[i].i64 = 0;
    return {place.slots + 1};
  }

  uint32_t handle(const Type& type) {
    auto token = take(unsignedNumber(32));
    if (to_.failed()) return 0;
    if (handles_ == nullptr) {
      to_.fail("resource handles cannot be passed here");
      return 0;
    }
    return handles_->decode(to_, type, token);
  }

  Context& to_;
  std::span<const std::byte> bytes_;
  uint64_t at_ = 0;
  WireHandles* handles_;
};

}  // namespace

bool decodeParameters(Context& to, const FuncType& type, std::span<const std::byte> bytes,
                      RawValue* flat, WireHandles* handles) {
  if (to.failed()) return false;
  Decoder decoder(to, bytes, handles);
  if (!component::paramsSpill(type)) {
    InSlots place{flat};
    for (const Parameter& parameter : type.params) {
      decoder.value(*parameter.type, place);
      if (to.failed()) return false;
      place.slots += parameter.type->flatCount;
    }
    return true;
  }
  auto layout = component::paramsLayout(type);
  if (layout.size > std::numeric_limits<uint32_t>::max()) {
    to.fail("the parameters take more than 2^32 - 1 bytes");
    return false;
  }
  uint32_t pointer = to.allocate(static_cast<uint32_t>(layout.size), layout.alignment);
  if (to.failed() || !detail::checkRange(to, pointer, layout.size, layout.alignment)) return false;
  for (size_t i = 0; i < type.params.size(); ++i) {
    decoder.value(*type.params[i].type, InMemory{pointer + layout.offsets[i]});
    if (to.failed()) return false;
  }
  flat->i64 = pointer;
  return true;
}

bool decodeResult(Context& to, const FuncType& type, std::span<const std::byte> bytes,
                  RawValue* flat, WireHandles* handles) {
  if (to.failed()) return false;
  if (type.result == nullptr) return true;
  Decoder decoder(to, bytes, handles);
  if (!component::resultSpills(type)) {
    decoder.value(*type.result, InSlots{flat});
    return !to.failed();
  }
  size_t slot = 1;
  if (!component::paramsSpill(type)) {
    slot = 0;
    for (const Parameter& parameter : type.params) slot += parameter.type->flatCount;
  }
  uint32_t pointer = flat[slot].i32;
  if (!detail::checkRange(to, pointer, type.result->size, type.result->alignment)) return false;
  decoder.value(*type.result, InMemory{pointer});
  return !to.failed();
}

}  // namespace tenon::abi
