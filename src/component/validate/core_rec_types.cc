#include "component/validate/core_rec_types.h"

#include "base/byte_reader.h"
#include "component/validate/core_types.h"
#include "component/validate/say.h"
#include "component/validate/scope.h"

#include <algorithm>
#include <utility>

namespace tenon::component::typed {
namespace {

constexpr uint32_t MAX_SUBTYPING_DEPTH = 63;
constexpr size_t MAX_COPIED_TYPES = 4'000'000;
constexpr uint8_t TYPE_SECTION = 1;
constexpr size_t PREAMBLE_SIZE = 8;

bool isConcrete(const CoreValType& type) {
  return (type.code == REF || type.code == REF_NULL) && type.heapType >= 0;
}

Error outOfBounds(uint64_t index, uint64_t offset) {
  return invalid(offset, say("unknown type ", index, ": type index out of bounds"));
}

Result<void> refuseContinuations(const CoreValType& type, uint64_t offset) {
  auto reference = asReference(type);
  if (!reference || reference->type ||
      (reference->heap != HeapKind::CONT && reference->heap != HeapKind::NOCONT)) {
    return {};
  }
  return Error{ErrorCode::UNSUPPORTED, "continuation references are not supported", offset};
}

// Calls `visit` for every value type in the type; stops at the first error.
template <typename Composite, typename Visit>
Result<void> forValTypes(Composite& type, Visit visit) {
  for (auto* list : {&type.func.params, &type.func.results}) {
    for (auto& value : *list) TENON_CHECK(visit(value));
  }
  for (auto& field : type.fields) TENON_CHECK(visit(field.type));
  return {};
}

Result<CoreValType> readValType(ByteReader& in) {
  CoreValType type;
  TENON_TRY(type.code, in.u8());
  if (type.code == REF || type.code == REF_NULL) {
    TENON_TRY(type.heapType, in.s33());
    // `(ref null func)` is the long form of `funcref`.
    if (type.code == REF_NULL && type.heapType < 0) {
      return CoreValType{static_cast<uint8_t>(type.heapType & 0x7f), 0};
    }
  }
  return type;
}

Result<void> readValTypes(ByteReader& in, std::vector<CoreValType>& list) {
  TENON_TRY(uint32_t count, in.u32());
  for (uint32_t i = 0; i < count; ++i) {
    TENON_TRY(CoreValType type, readValType(in));
    list.push_back(type);
  }
  return {};
}

// core:subtype. Its supertype, if any, is an index still.
Result<CoreComposite> readComposite(ByteReader& in, uint64_t offset) {
  CoreComposite type;
  TENON_TRY(uint8_t opcode, in.u8());
  if (opcode == 0x50 || opcode == 0x4f) {
    type.isFinal = opcode == 0x4f;
    TENON_TRY(uint32_t count, in.u32());
    if (count > 1) return invalid(offset, "a core type has at most one supertype");
    if (count == 1) {
      TENON_TRY(type.super, in.u32());
    }
    TENON_TRY(opcode, in.u8());
  }
  if (opcode == 0x60) {
    TENON_CHECK(readValTypes(in, type.func.params));
    TENON_CHECK(readValTypes(in, type.func.results));
    return type;
  }
  type.kind = opcode == 0x5f ? CoreComposite::Kind::STRUCT : CoreComposite::Kind::ARRAY;
  uint32_t count = 1;
  if (type.kind == CoreComposite::Kind::STRUCT) {
    TENON_TRY(count, in.u32());
  }
  for (uint32_t i = 0; i < count; ++i) {
    CoreField& field = type.fields.emplace_back();
    TENON_TRY(field.type, readValType(in));
    TENON_TRY(uint8_t isMutable, in.u8());
    field.isMutable = isMutable != 0;
  }
  return type;
}

void append(std::string& key, uint64_t number) {
  key.append(reinterpret_cast<const char*>(&number), sizeof number);
}

}  // namespace

// The types of a recursive group. While it is made, the references in it are: an older type's
// number times two, or the position in the group times two plus one.
struct CoreTypeTable::Group {
  std::vector<CoreComposite> types;

  static bool isOwn(uint64_t reference) { return (reference & 1) != 0; }
  static uint64_t older(CoreTypeId id) { return uint64_t{id} << 1; }
  static uint64_t own(uint64_t position) { return position << 1 | 1; }
  static CoreTypeId resolve(uint64_t reference, CoreTypeId first) {
    auto number = static_cast<CoreTypeId>(reference >> 1);
    return isOwn(reference) ? first + number : number;
  }

  // A text that is the same for the same structure.
  std::string key() const {
    std::string text;
    auto value = [&](const CoreValType& type) {
      append(text, type.code);
      append(text, static_cast<uint64_t>(type.heapType));
    };
    append(text, types.size());
    for (const CoreComposite& type : types) {
      append(text, static_cast<uint64_t>(type.kind) << 1 | (type.isFinal ? 1 : 0));
      append(text, type.super ? uint64_t{*type.super} : UINT64_MAX);
      append(text, type.func.params.size());
      for (const CoreValType& param : type.func.params) value(param);
      append(text, type.func.results.size());
      for (const CoreValType& result : type.func.results) value(result);
      append(text, type.fields.size());
      for (const CoreField& field : type.fields) {
        value(field.type);
        append(text, field.isMutable ? 1 : 0);
      }
    }
    return text;
  }
};

CoreTypeId CoreTypeTable::intern(const Group& group) {
  auto first = static_cast<CoreTypeId>(composites_.size());
  auto [it, added] = groups_.emplace(group.key(), first);
  if (!added) return it->second;
  for (const CoreComposite& made : group.types) {
    CoreComposite& type = composites_.emplace_back(made);
    if (type.super) type.super = Group::resolve(*type.super, first);
    auto number = [&](CoreValType& value) -> Result<void> {
      if (isConcrete(value)) {
        value.heapType = Group::resolve(static_cast<uint64_t>(value.heapType), first);
      }
      return {};
    };
    static_cast<void>(forValTypes(type, number));
  }
  return first;
}

CoreTypeId CoreTypeTable::func(const CoreFuncType& type) {
  Group group;
  group.types.emplace_back().func = type;
  return intern(group);
}

Result<void> CoreTypeTable::add(const CoreFuncType& func, CoreTypeSpace& space, uint64_t offset) {
  Group group;
  group.types.emplace_back().func = func;
  return add(std::move(group), space, offset);
}

Result<void> CoreTypeTable::add(const CoreOtherType& other, CoreTypeSpace& space, uint64_t offset) {
  Group group;
  ByteReader in(other.bytes, offset);
  uint32_t count = 1;
  if (in.peek() == 0x4e) {
    TENON_TRY([[maybe_unused]] uint8_t opcode, in.u8());
    TENON_TRY(count, in.u32());
  }
  for (uint32_t i = 0; i < count; ++i) {
    TENON_TRY(CoreComposite type, readComposite(in, offset));
    group.types.push_back(std::move(type));
  }
  return add(std::move(group), space, offset);
}

Result<void> CoreTypeTable::add(Group group, CoreTypeSpace& space, uint64_t offset) {
  size_t base = space.size();
  size_t count = group.types.size();
  // `limit`: how many of the group may be referred to.
  auto reference = [&](uint64_t index, size_t limit) -> Result<uint64_t> {
    if (index >= base + limit) return outOfBounds(index, offset);
    if (index >= base) return Group::own(index - base);
    if (space[index].module == nullptr) return Group::older(space[index].id);
    return invalid(offset, say("type index ", index, " is a module type, not a sub type"));
  };
  for (size_t i = 0; i < count; ++i) {
    CoreComposite& type = group.types[i];
    if (type.super) {
      TENON_TRY(uint64_t super, reference(*type.super, i));
      type.super = static_cast<CoreTypeId>(super);
    }
    auto value = [&](CoreValType& each) -> Result<void> {
      TENON_CHECK(refuseContinuations(each, offset));
      if (!isConcrete(each)) return {};
      TENON_TRY(uint64_t to, reference(static_cast<uint64_t>(each.heapType), count));
      each.heapType = static_cast<int64_t>(to);
      return {};
    };
    TENON_CHECK(forValTypes(type, value));
  }
  size_t known = composites_.size();
  CoreTypeId first = intern(group);
  for (size_t i = 0; i < count; ++i) {
    auto id = static_cast<CoreTypeId>(first + i);
    // Those that are not new were checked before.
    if (id >= known) TENON_CHECK(checkSuper(id, offset));
    space.push_back({id, nullptr});
  }
  return {};
}

Result<void> CoreTypeTable::checkSuper(CoreTypeId id, uint64_t offset) {
  CoreComposite& type = composites_[id];
  if (!type.super) return {};
  const CoreComposite& super = composites_[*type.super];
  if (super.isFinal) return invalid(offset, "sub type cannot have a final super type");
  type.depth = super.depth + 1;
  if (type.depth > MAX_SUBTYPING_DEPTH) {
    return Error{ErrorCode::LIMIT_EXCEEDED, "subtyping is nested too deep", offset};
  }
  if (structureMatches(type, super)) return {};
  return invalid(offset, "sub type must match super type");
}

bool CoreTypeTable::structureMatches(const CoreComposite& type, const CoreComposite& super) const {
  auto match = [this](const CoreValType& actual, const CoreValType& expected) {
    return matches(actual, expected);
  };
  if (type.kind != super.kind) return false;
  if (type.kind == CoreComposite::Kind::FUNC) {
    return std::equal(super.func.params.begin(), super.func.params.end(), type.func.params.begin(),
                      type.func.params.end(), match) &&
           std::equal(type.func.results.begin(), type.func.results.end(),
                      super.func.results.begin(), super.func.results.end(), match);
  }
  if (type.fields.size() < super.fields.size()) return false;
  return std::equal(super.fields.begin(), super.fields.end(), type.fields.begin(),
                    [&](const CoreField& wanted, const CoreField& given) {
                      return wanted.isMutable == given.isMutable &&
                             match(given.type, wanted.type) &&
                             (!wanted.isMutable || match(wanted.type, given.type));
                    });
}

bool CoreTypeTable::isSubtype(CoreTypeId type, CoreTypeId super) const {
  while (type != super) {
    if (!composites_[type].super) return false;
    type = *composites_[type].super;
  }
  return true;
}

bool CoreTypeTable::matches(const CoreValType& actual, const CoreValType& expected) const {
  auto from = asReference(actual);
  auto to = asReference(expected);
  if (!from || !to) return actual == expected;
  if (from->nullable && !to->nullable) return false;
  if (from->type && to->type) return isSubtype(*from->type, *to->type);
  if (from->type) {
    static constexpr HeapKind ABOVE[] = {HeapKind::FUNC, HeapKind::STRUCT, HeapKind::ARRAY};
    return heapMatches(ABOVE[static_cast<size_t>(composites_[*from->type].kind)], to->heap);
  }
  if (to->type) {
    bool isFunc = composites_[*to->type].kind == CoreComposite::Kind::FUNC;
    return from->heap == (isFunc ? HeapKind::NOFUNC : HeapKind::NONE);
  }
  return heapMatches(from->heap, to->heap);
}

Result<CoreTypeSpace> CoreTypeTable::typesOfModule(std::span<const std::byte> module,
                                                   uint64_t offset) {
  CoreTypeSpace space;
  ByteReader in(module, offset);
  TENON_TRY([[maybe_unused]] auto preamble, in.take(PREAMBLE_SIZE, "preamble"));
  while (!in.atEnd()) {
    TENON_TRY(uint8_t id, in.u8());
    TENON_TRY(uint32_t size, in.u32());
    TENON_TRY(ByteReader section, in.sub(size, "section"));
    // Custom sections may stand before it, nothing else.
    if (id != 0 && id != TYPE_SECTION) break;
    if (id == 0) continue;
    TENON_TRY(uint32_t count, section.u32());
    for (uint32_t i = 0; i < count; ++i) {
      uint64_t start = section.offset();
      Group group;
      uint32_t types = 1;
      if (section.peek() == 0x4e) {
        TENON_TRY([[maybe_unused]] uint8_t opcode, section.u8());
        TENON_TRY(types, section.u32());
      }
      for (uint32_t j = 0; j < types; ++j) {
        TENON_TRY(CoreComposite type, readComposite(section, start));
        group.types.push_back(std::move(type));
      }
      TENON_CHECK(add(std::move(group), space, start));
      TENON_CHECK(checkCount(space.size(), 0, MAX_TYPES, "types", start));
    }
    break;
  }
  return space;
}

Result<void> CoreTypeTable::resolve(CoreExternType& type, const CoreTypeSpace& space,
                                    uint64_t offset) {
  auto find = [&](uint64_t index) -> Result<CoreTypeId> {
    if (index >= space.size()) return outOfBounds(index, offset);
    if (space[index].module == nullptr) return space[index].id;
    return invalid(offset, say("type index ", index, " is a module type, not a sub type"));
  };
  if (type.kind != CoreExternKind::FUNC && type.kind != CoreExternKind::TAG) {
    TENON_CHECK(refuseContinuations(type.valType, offset));
    if (!isConcrete(type.valType)) return {};
    TENON_TRY(type.valType.heapType, find(static_cast<uint64_t>(type.valType.heapType)));
    return {};
  }
  uint32_t index = type.typeIndex;
  TENON_TRY(type.typeIndex, find(index));
  const CoreComposite& composite = composites_[type.typeIndex];
  if (composite.kind != CoreComposite::Kind::FUNC) {
    return invalid(offset, say("type index ", index, " is not a function type"));
  }
  // Mostly it is there already: only concrete heap types make a difference.
  if (type.func == composite.func) return {};
  type.func = composite.func;
  copied_ += type.func.params.size() + type.func.results.size();
  return checkCount(copied_, 0, MAX_COPIED_TYPES, "parameters of core functions", offset);
}

}  // namespace tenon::component::typed
