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

using detail::loadNumber;

uint32_t loadUnsigned(Context& context, uint32_t pointer, uint32_t bytes) {
  if (bytes == 1) return loadNumber<uint8_t>(context, pointer);
  if (bytes == 2) return loadNumber<uint16_t>(context, pointer);
  return loadNumber<uint32_t>(context, pointer);
}

Value makeFlags(Context& context, const Type& type, uint32_t bits) {
  Flags flags;
  for (size_t i = 0; i < type.members.size() && i < 32; i++) {
    if ((bits >> i & 1) == 0) continue;
    if (!context.charge(sizeof(std::string) + type.members[i].label.size())) break;
    flags.labels.push_back(type.members[i].label);
  }
  return flags;
}

Value makeEnum(Context& context, const Type& type, uint32_t index) {
  index = detail::checkDiscriminant(context, index, type.members.size());
  if (context.failed() || !context.charge(type.members[index].label.size())) return {};
  return Enum{type.members[index].label};
}

// A case with its payload, which `lift` reads. The discriminant is checked here.
template <typename Lift>
Value makeCase(Context& context, const Type& type, uint32_t index, Lift&& lift) {
  index = detail::checkDiscriminant(context, index, caseCount(type));
  if (context.failed()) return {};
  const Type* payload = casePayload(type, index);
  Box box;
  if (payload) {
    if (!context.charge(sizeof(Value))) return {};
    box = Box(lift(*payload));
  }
  if (type.kind == TypeKind::OPTION) return Option{std::move(box)};
  if (type.kind == TypeKind::RESULT) return ResultValue{index == 1, std::move(box)};
  if (!context.charge(type.members[index].label.size())) return {};
  return Variant{type.members[index].label, std::move(box)};
}

// Fields or elements, each read by `lift(member)`.
template <typename Lift>
Value makeRecord(Context& context, const Type& type, Lift&& lift) {
  Record record;
  if (!context.charge(type.members.size() * sizeof(Field))) return {};
  record.fields.reserve(type.members.size());
  for (const Labelled& member : type.members) {
    if (context.failed() || !context.charge(member.label.size())) return {};
    record.fields.push_back(Field{member.label, lift(member)});
  }
  return record;
}

template <typename Lift>
Value makeTuple(Context& context, const Type& type, Lift&& lift) {
  Tuple tuple;
  if (!context.charge(type.members.size() * sizeof(Value))) return {};
  tuple.items.reserve(type.members.size());
  for (const Labelled& member : type.members) {
    if (context.failed()) return {};
    tuple.items.push_back(lift(member));
  }
  return tuple;
}

// The elements of a list<T, N>, each read by `lift(offset)`.
template <typename Lift>
Value makeFixedList(Context& context, const Type& type, Lift&& lift) {
  List list;
  if (!context.charge(uint64_t{type.fixedLength} * sizeof(Value))) return {};
  list.items.reserve(type.fixedLength);
  for (uint32_t i = 0; i < type.fixedLength && !context.failed(); i++) {
    list.items.push_back(lift(i * type.element->size));
  }
  return list;
}

template <typename T>
void loadNumbers(Context& context, StringRange range, std::vector<Value>& items) {
  for (T number : detail::viewPlain<T>(context, range)) items.emplace_back(number);
}

Value loadList(Context& context, const Type& type, StringRange range) {
  const Type& element = *type.element;
  List list;
  if (!detail::checkList(context, range, element.size, element.alignment)) return {};
  if (!context.charge(uint64_t{range.codeUnits} * sizeof(Value))) return {};
  list.items.reserve(range.codeUnits);
  switch (element.kind) {
    case TypeKind::U8:
      loadNumbers<uint8_t>(context, range, list.items);
      break;
    case TypeKind::U32:
      loadNumbers<uint32_t>(context, range, list.items);
      break;
    default:
      for (uint32_t i = 0; i < range.codeUnits && !context.failed(); i++) {
        list.items.push_back(load(context, element, range.pointer + i * element.size));
      }
  }
  return list;
}

}  // namespace

Value load(Context& context, const Type& type, uint32_t pointer) {
  switch (type.kind) {
    case TypeKind::BOOL:
      return loadNumber<uint8_t>(context, pointer) != 0;
    case TypeKind::S8:
      return loadNumber<int8_t>(context, pointer);
    case TypeKind::U8:
      return loadNumber<uint8_t>(context, pointer);
    case TypeKind::S16:
      return loadNumber<int16_t>(context, pointer);
    case TypeKind::U16:
      return loadNumber<uint16_t>(context, pointer);
    case TypeKind::S32:
      return loadNumber<int32_t>(context, pointer);
    case TypeKind::U32:
      return loadNumber<uint32_t>(context, pointer);
    case TypeKind::S64:
      return loadNumber<int64_t>(context, pointer);
    case TypeKind::U64:
      return loadNumber<uint64_t>(context, pointer);
    case TypeKind::F32:
      return loadNumber<float>(context, pointer);
    case TypeKind::F64:
      return loadNumber<double>(context, pointer);
    case TypeKind::CHAR:
      return Char{detail::checkChar(context, loadNumber<uint32_t>(context, pointer))};
    case TypeKind::STRING:
      return loadString(context, detail::loadPair(context, pointer));
    case TypeKind::LIST:
      if (type.fixedLength == 0) {
        return loadList(context, type, detail::loadPair(context, pointer));
      }
      return makeFixedList(context, type, [&](uint32_t offset) {
        return load(context, *type.element, pointer + offset);
      });
    case TypeKind::RECORD:
      return makeRecord(context, type, [&](const Labelled& member) {
        return load(context, *member.type, pointer + member.offset);
      });
    case TypeKind::TUPLE:
      return makeTuple(context, type, [&](const Labelled& member) {
        return load(context, *member.type, pointer + member.offset);
      });
    case TypeKind::VARIANT:
    case TypeKind::OPTION:
    case TypeKind::RESULT:
      return makeCase(context, type, loadUnsigned(context, pointer, type.discriminantSize),
                      [&](const Type& payload) {
                        return load(context, payload, pointer + type.payloadOffset);
                      });
    case TypeKind::ENUM:
      return makeEnum(context, type, loadUnsigned(context, pointer, type.discriminantSize));
    case TypeKind::FLAGS:
      return makeFlags(context, type, loadUnsigned(context, pointer, type.size));
    case TypeKind::OWN:
    case TypeKind::BORROW:
      return detail::liftHandle(context, loadNumber<uint32_t>(context, pointer), type);
    case TypeKind::ERROR_CONTEXT:
    case TypeKind::STREAM:
    case TypeKind::FUTURE:
      break;
  }
  context.fail(UNSUPPORTED_TYPE);
  return {};
}

Value liftFlat(Context& context, const Type& type, const RawValue*& in) {
  switch (type.kind) {
    case TypeKind::BOOL:
      return Abi<bool>::liftFlat(context, in, nullptr);
    case TypeKind::S8:
      return Abi<int8_t>::liftFlat(context, in, nullptr);
    case TypeKind::U8:
      return Abi<uint8_t>::liftFlat(context, in, nullptr);
    case TypeKind::S16:
      return Abi<int16_t>::liftFlat(context, in, nullptr);
    case TypeKind::U16:
      return Abi<uint16_t>::liftFlat(context, in, nullptr);
    case TypeKind::S32:
      return Abi<int32_t>::liftFlat(context, in, nullptr);
    case TypeKind::U32:
      return Abi<uint32_t>::liftFlat(context, in, nullptr);
    case TypeKind::S64:
      return Abi<int64_t>::liftFlat(context, in, nullptr);
    case TypeKind::U64:
      return Abi<uint64_t>::liftFlat(context, in, nullptr);
    case TypeKind::F32:
      return Abi<float>::liftFlat(context, in, nullptr);
    case TypeKind::F64:
      return Abi<double>::liftFlat(context, in, nullptr);
    case TypeKind::CHAR:
      return Abi<Char>::liftFlat(context, in, nullptr);
    case TypeKind::STRING:
      return loadString(context, detail::liftPair(in));
    case TypeKind::LIST:
      if (type.fixedLength == 0) return loadList(context, type, detail::liftPair(in));
      return makeFixedList(context, type,
                           [&](uint32_t) { return liftFlat(context, *type.element, in); });
    case TypeKind::RECORD:
      return makeRecord(context, type, [&](const Labelled& member) {
        return liftFlat(context, *member.type, in);
      });
    case TypeKind::TUPLE:
      return makeTuple(context, type,
                       [&](const Labelled& member) { return liftFlat(context, *member.type, in); });
    case TypeKind::VARIANT:
    case TypeKind::OPTION:
    case TypeKind::RESULT: {
      const RawValue* slots = in;
      in += type.flatCount;
      uint32_t index = slots++->i32;
      return makeCase(context, type, index,
                      [&](const Type& payload) { return liftFlat(context, payload, slots); });
    }
    case TypeKind::ENUM:
      return makeEnum(context, type, in++->i32);
    case TypeKind::FLAGS:
      return makeFlags(context, type, in++->i32);
    case TypeKind::OWN:
    case TypeKind::BORROW:
      return detail::liftHandle(context, in++->i32, type);
    case TypeKind::ERROR_CONTEXT:
    case TypeKind::STREAM:
    case TypeKind::FUTURE:
      break;
  }
  context.fail(UNSUPPORTED_TYPE);
  return {};
}

}  // namespace tenon::abi
