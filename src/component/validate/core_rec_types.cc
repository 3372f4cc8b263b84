#include "component/validate/core_rec_types.h"

#include "base/byte_reader.h"
#include "component/validate/core_types.h"
#include "component/validate/say.h"
#include "component/validate/scope.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace tenon::component::typed {
namespace {

constexpr uint32_t MAX_SUBTYPING_DEPTH = 63;
constexpr uint8_t REF = 0x64, REF_NULL = 0x63;

// A group while it is read: indices below `space.size()` are older types, the rest the group's own.
class GroupReader {
 public:
  GroupReader(const std::vector<CoreTypeEntry>& space, uint64_t offset)
      : space_(space), offset_(offset) {}

  Result<void> read(const CoreOtherType& group) {
    ByteReader in(group.bytes, offset_);
    if (in.peek() != 0x4e) return readOne(in);
    TENON_TRY([[maybe_unused]] uint8_t opcode, in.u8());
    TENON_TRY(uint32_t count, in.u32());
    for (uint32_t i = 0; i < count; ++i) TENON_CHECK(readOne(in));
    return {};
  }

  void add(const CoreFuncType& func) {
    own_.emplace_back().func = func;
    supers_.emplace_back();
  }

  Result<std::vector<CoreComposite>> check() && {
    for (const CoreComposite& type : own_) {
      for (const auto* list : {&type.func.params, &type.func.results}) {
        for (const CoreValType& value : *list) TENON_CHECK(checkIndex(value));
      }
      for (const CoreField& field : type.fields) TENON_CHECK(checkIndex(field.type));
    }
    for (size_t i = 0; i < own_.size(); ++i) {
      if (supers_[i]) TENON_CHECK(checkSuper(i, *supers_[i]));
    }
    return std::move(own_);
  }

 private:
  Result<void> readOne(ByteReader& in) {
    CoreComposite& type = own_.emplace_back();
    supers_.emplace_back();
    TENON_TRY(uint8_t opcode, in.u8());
    if (opcode == 0x50 || opcode == 0x4f) {
      type.isFinal = opcode == 0x4f;
      TENON_TRY(uint32_t count, in.u32());
      if (count > 1) return invalid(offset_, "a core type has at most one supertype");
      if (count == 1) {
        TENON_TRY(supers_.back(), in.u32());
      }
      TENON_TRY(opcode, in.u8());
    }
    if (opcode == 0x60) {
      TENON_CHECK(readValTypes(in, type.func.params));
      return readValTypes(in, type.func.results);
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
    return {};
  }

  Result<CoreValType> readValType(ByteReader& in) {
    CoreValType type;
    TENON_TRY(type.code, in.u8());
    if (type.code == REF || type.code == REF_NULL) {
      TENON_TRY(type.heapType, in.s33());
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

  Result<void> checkIndex(const CoreValType& type) {
    bool own = type.heapType >= static_cast<int64_t>(space_.size()) &&
               type.heapType < static_cast<int64_t>(space_.size() + own_.size());
    if (own) return {};
    return checkHeapType(type, space_, offset_);
  }

  Result<void> checkSuper(size_t i, uint32_t index) {
    const CoreComposite* super = nullptr;
    if (index < space_.size()) {
      super = space_[index].composite;
      if (super == nullptr) {
        return invalid(offset_, say("type index ", index, " is a module type, not a sub type"));
      }
    } else if (index - space_.size() < i) {
      super = &own_[index - space_.size()];
    } else {
      return invalid(offset_, say("unknown type ", index, ": type index out of bounds"));
    }
    CoreComposite& type = own_[i];
    if (super->isFinal) return invalid(offset_, "sub type cannot have a final super type");
    type.depth = super->depth + 1;
    if (type.depth > MAX_SUBTYPING_DEPTH) {
      return Error{ErrorCode::LIMIT_EXCEEDED, "subtyping is nested too deep", offset_};
    }
    if (matches(type, *super)) return {};
    return invalid(offset_, "sub type must match super type");
  }

  static bool matches(const CoreComposite& type, const CoreComposite& super) {
    if (type.kind != super.kind) return false;
    if (type.kind == CoreComposite::Kind::FUNC) {
      return matchAll(super.func.params, type.func.params) &&
             matchAll(type.func.results, super.func.results);
    }
    if (type.fields.size() < super.fields.size()) return false;
    return std::equal(super.fields.begin(), super.fields.end(), type.fields.begin(),
                      [](const CoreField& wanted, const CoreField& given) {
                        if (wanted.isMutable != given.isMutable) return false;
                        if (!valTypeMatches(given.type, wanted.type)) return false;
                        return !wanted.isMutable || valTypeMatches(wanted.type, given.type);
                      });
  }

  static bool matchAll(const std::vector<CoreValType>& given,
                       const std::vector<CoreValType>& wanted) {
    return std::equal(given.begin(), given.end(), wanted.begin(), wanted.end(), valTypeMatches);
  }

  const std::vector<CoreTypeEntry>& space_;
  uint64_t offset_;
  std::vector<CoreComposite> own_;
  std::vector<std::optional<uint32_t>> supers_;
};

}  // namespace

Result<void> checkHeapType(const CoreValType& type, const std::vector<CoreTypeEntry>& space,
                           uint64_t offset) {
  if ((type.code != REF && type.code != REF_NULL) || type.heapType < 0) return {};
  auto index = static_cast<uint64_t>(type.heapType);
  if (index >= space.size()) {
    return invalid(offset, say("unknown type ", index, ": type index out of bounds"));
  }
  if (space[index].module == nullptr) return {};
  return invalid(offset, say("type index ", index, " is a module type, not a sub type"));
}

Result<std::vector<CoreComposite>> readComposites(const CoreFuncType& func,
                                                  const std::vector<CoreTypeEntry>& space,
                                                  uint64_t offset) {
  GroupReader reader(space, offset);
  reader.add(func);
  return std::move(reader).check();
}

Result<std::vector<CoreComposite>> readComposites(const CoreOtherType& group,
                                                  const std::vector<CoreTypeEntry>& space,
                                                  uint64_t offset) {
  GroupReader reader(space, offset);
  TENON_CHECK(reader.read(group));
  return std::move(reader).check();
}

}  // namespace tenon::component::typed
