#include "component/abi/dynamic.h"
#include "component/abi/value_walk.h"

#include <tenon/abi/labels.h>
#include <tenon/abi/lists.h>
#include <tenon/abi/resources.h>
#include <tenon/abi/scalars.h>
#include <tenon/abi/strings.h>

// guest-ok(pointer): all of what is at `pointer` lies inside the memory, which the callers have
// checked; so no address in it takes more than 32 bits.

namespace tenon::abi {
namespace {

using detail::storeNumber;

void storeUnsigned(Context& context, uint32_t pointer, uint32_t value, uint32_t bytes) {
  if (bytes == 1) return storeNumber(context, pointer, static_cast<uint8_t>(value));
  if (bytes == 2) return storeNumber(context, pointer, static_cast<uint16_t>(value));
  storeNumber(context, pointer, value);
}

// The value as `T`, or a zero and a failure.
template <typename T>
T get(Context& context, const Value& value) {
  if (const T* found = value.find<T>()) return *found;
  context.fail(WRONG_KIND);
  return T{};
}

std::string_view textOf(Context& context, const Value& value) {
  if (const auto* text = value.find<std::string>()) return *text;
  context.fail(WRONG_KIND);
  return {};
}

uint32_t bitsOf(Context& context, const Type& type, const Value& value) {
  uint32_t bits = 0;
  const auto* flags = value.find<Flags>();
  if (!flags) context.fail(WRONG_KIND);
  if (flags) {
    for (const std::string& label : flags->labels) {
      uint32_t index = findLabel(type, label);
      if (index < 32) {
        bits |= uint32_t{1} << index;
      } else {
        context.fail(WRONG_KIND);
      }
    }
  }
  return bits;
}

uint32_t enumIndex(Context& context, const Type& type, const Value& value) {
  const auto* label = value.find<Enum>();
  uint32_t index = label ? findLabel(type, label->label) : NOT_FOUND;
  if (index != NOT_FOUND) return index;
  context.fail(WRONG_KIND);
  return 0;
}

// Calls `lower(member, value)` for each field or element; fails when the value has not the same
// ones.
template <typename Lower>
void eachMember(Context& context, const Type& type, const Value& value, Lower&& lower) {
  const auto* record = value.find<Record>();
  const auto* tuple = value.find<Tuple>();
  bool fits = type.kind == TypeKind::RECORD ? record && record->fields.size() == type.members.size()
                                            : tuple && tuple->items.size() == type.members.size();
  if (!fits) return context.fail(WRONG_KIND);
  for (size_t i = 0; i < type.members.size() && !context.failed(); i++) {
    lower(type.members[i], record ? record->fields[i].value : tuple->items[i]);
  }
}

// Calls `lower(item, offset)` for each element of a list<T, N>.
template <typename Lower>
void eachItem(Context& context, const Type& type, const Value& value, Lower&& lower) {
  const auto* list = value.find<List>();
  if (!list || list->items.size() != type.fixedLength) return context.fail(WRONG_KIND);
  for (uint32_t i = 0; i < type.fixedLength && !context.failed(); i++) {
    lower(list->items[i], i * type.element->size);
  }
}

// The case of a VARIANT, OPTION or RESULT value, with a payload if and only if the type has one.
// The index is NOT_FOUND after a failure.
CaseOf caseOf(Context& context, const Type& type, const Value& value) {
  CaseOf found = findCase(type, value);
  if (found.index == NOT_FOUND ||
      (casePayload(type, found.index) != nullptr) != (found.payload != nullptr)) {
    context.fail(WRONG_KIND);
    return {};
  }
  return found;
}

StringRange storeList(Context& context, const Type& type, const Value& value) {
  const Type& element = *type.element;
  const auto* list = value.find<List>();
  if (context.failed()) return {};
  if (!list) {
    context.fail(WRONG_KIND);
    return {};
  }
  if (list->items.size() > MAX_BYTE_LENGTH / element.size) {
    context.fail("a list is longer than 2^28 - 1 bytes");
    return {};
  }
  auto length = static_cast<uint32_t>(list->items.size());
  uint32_t bytes = length * element.size;
  uint32_t begin = context.allocate(bytes, element.alignment);
  if (context.failed() || !detail::checkRange(context, begin, bytes, element.alignment)) return {};
  uint32_t pointer = begin;
  for (const Value& item : list->items) {
    store(context, element, item, pointer);
    if (context.failed()) return {};
    pointer += element.size;
  }
  return {begin, length};
}

}  // namespace

CaseOf findCase(const Type& type, const Value& value) {
  auto payload = [](const Box& box) { return box ? &*box : nullptr; };
  if (type.kind == TypeKind::OPTION) {
    if (const auto* option = value.find<Option>()) {
      return {option->value ? 1u : 0u, payload(option->value)};
    }
  } else if (type.kind == TypeKind::RESULT) {
    if (const auto* result = value.find<ResultValue>()) {
      return {result->isError ? 1u : 0u, payload(result->payload)};
    }
  } else if (const auto* variant = value.find<Variant>()) {
    return {findLabel(type, variant->label), payload(variant->payload)};
  }
  return {};
}

void store(Context& context, const Type& type, const Value& value, uint32_t pointer) {
  switch (type.kind) {
    case TypeKind::BOOL:
      return storeNumber<uint8_t>(context, pointer, get<bool>(context, value) ? 1 : 0);
    case TypeKind::S8:
      return storeNumber(context, pointer, get<int8_t>(context, value));
    case TypeKind::U8:
      return storeNumber(context, pointer, get<uint8_t>(context, value));
    case TypeKind::S16:
      return storeNumber(context, pointer, get<int16_t>(context, value));
    case TypeKind::U16:
      return storeNumber(context, pointer, get<uint16_t>(context, value));
    case TypeKind::S32:
      return storeNumber(context, pointer, get<int32_t>(context, value));
    case TypeKind::U32:
      return storeNumber(context, pointer, get<uint32_t>(context, value));
    case TypeKind::S64:
      return storeNumber(context, pointer, get<int64_t>(context, value));
    case TypeKind::U64:
      return storeNumber(context, pointer, get<uint64_t>(context, value));
    case TypeKind::F32:
      return storeNumber(context, pointer, get<float>(context, value));
    case TypeKind::F64:
      return storeNumber(context, pointer, get<double>(context, value));
    case TypeKind::CHAR:
      return Abi<Char>::store(context, get<Char>(context, value), pointer, nullptr);
    case TypeKind::STRING:
      return detail::storePair(context, storeString(context, textOf(context, value)), pointer);
    case TypeKind::LIST:
      if (type.fixedLength != 0) {
        return eachItem(context, type, value, [&](const Value& item, uint32_t offset) {
          store(context, *type.element, item, pointer + offset);
        });
      }
      return detail::storePair(context, storeList(context, type, value), pointer);
    case TypeKind::RECORD:
    case TypeKind::TUPLE:
      return eachMember(context, type, value, [&](const Labelled& member, const Value& item) {
        store(context, *member.type, item, pointer + member.offset);
      });
    case TypeKind::VARIANT:
    case TypeKind::OPTION:
    case TypeKind::RESULT: {
      CaseOf found = caseOf(context, type, value);
      if (context.failed()) return;
      storeUnsigned(context, pointer, found.index, type.discriminantSize);
      if (found.payload) {
        store(context, *casePayload(type, found.index), *found.payload,
              pointer + type.payloadOffset);
      }
      return;
    }
    case TypeKind::ENUM:
      return storeUnsigned(context, pointer, enumIndex(context, type, value),
                           type.discriminantSize);
    case TypeKind::FLAGS:
      return storeUnsigned(context, pointer, bitsOf(context, type, value), type.size);
    case TypeKind::OWN:
    case TypeKind::BORROW:
      return storeNumber(context, pointer,
                         detail::lowerHandle(context, get<Resource>(context, value), type));
    case TypeKind::ERROR_CONTEXT:
    case TypeKind::STREAM:
    case TypeKind::FUTURE:
      break;
  }
  context.fail(UNSUPPORTED_TYPE);
}

void lowerFlat(Context& context, const Type& type, const Value& value, RawValue*& out) {
  switch (type.kind) {
    case TypeKind::BOOL:
      return Abi<bool>::lowerFlat(context, get<bool>(context, value), out, nullptr);
    case TypeKind::S8:
      return Abi<int8_t>::lowerFlat(context, get<int8_t>(context, value), out, nullptr);
    case TypeKind::U8:
      return Abi<uint8_t>::lowerFlat(context, get<uint8_t>(context, value), out, nullptr);
    case TypeKind::S16:
      return Abi<int16_t>::lowerFlat(context, get<int16_t>(context, value), out, nullptr);
    case TypeKind::U16:
      return Abi<uint16_t>::lowerFlat(context, get<uint16_t>(context, value), out, nullptr);
    case TypeKind::S32:
      return Abi<int32_t>::lowerFlat(context, get<int32_t>(context, value), out, nullptr);
    case TypeKind::U32:
      return Abi<uint32_t>::lowerFlat(context, get<uint32_t>(context, value), out, nullptr);
    case TypeKind::S64:
      return Abi<int64_t>::lowerFlat(context, get<int64_t>(context, value), out, nullptr);
    case TypeKind::U64:
      return Abi<uint64_t>::lowerFlat(context, get<uint64_t>(context, value), out, nullptr);
    case TypeKind::F32:
      return Abi<float>::lowerFlat(context, get<float>(context, value), out, nullptr);
    case TypeKind::F64:
      return Abi<double>::lowerFlat(context, get<double>(context, value), out, nullptr);
    case TypeKind::CHAR:
      return Abi<Char>::lowerFlat(context, get<Char>(context, value), out, nullptr);
    case TypeKind::STRING:
      return detail::lowerPair(storeString(context, textOf(context, value)), out);
    case TypeKind::LIST:
      if (type.fixedLength != 0) {
        return eachItem(context, type, value, [&](const Value& item, uint32_t) {
          lowerFlat(context, *type.element, item, out);
        });
      }
      return detail::lowerPair(storeList(context, type, value), out);
    case TypeKind::RECORD:
    case TypeKind::TUPLE:
      return eachMember(context, type, value, [&](const Labelled& member, const Value& item) {
        lowerFlat(context, *member.type, item, out);
      });
    case TypeKind::VARIANT:
    case TypeKind::OPTION:
    case TypeKind::RESULT: {
      CaseOf found = caseOf(context, type, value);
      if (context.failed()) return;
      RawValue* end = out + type.flatCount;
      detail::put(out, found.index);
      if (found.payload) {
        lowerFlat(context, *casePayload(type, found.index), *found.payload, out);
      }
      if (context.failed()) return;  // `out` may have stopped anywhere before the end
      while (out != end) detail::put(out, 0);
      return;
    }
    case TypeKind::ENUM:
      return detail::put(out, enumIndex(context, type, value));
    case TypeKind::FLAGS:
      return detail::put(out, bitsOf(context, type, value));
    case TypeKind::OWN:
    case TypeKind::BORROW:
      return detail::put(out, detail::lowerHandle(context, get<Resource>(context, value), type));
    case TypeKind::ERROR_CONTEXT:
    case TypeKind::STREAM:
    case TypeKind::FUTURE:
      break;
  }
  context.fail(UNSUPPORTED_TYPE);
}

}  // namespace tenon::abi
