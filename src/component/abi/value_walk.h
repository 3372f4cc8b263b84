#pragma once

// What lifting and lowering of dynamic values share.

#include <tenon/abi/context.h>
#include <tenon/type.h>
#include <tenon/value.h>

#include <cstdint>
#include <string_view>

namespace tenon::abi {

inline constexpr const char* WRONG_KIND = "a value is not of the type that the function has";
inline constexpr const char* UNSUPPORTED_TYPE =
    "streams, futures and error contexts are not supported yet";
inline constexpr uint32_t NOT_FOUND = ~uint32_t{0};

// The payload's type of the `index`-th case of a VARIANT, OPTION or RESULT; null: it carries
// nothing.
inline const Type* casePayload(const Type& type, uint32_t index) {
  switch (type.kind) {
    case TypeKind::OPTION:
      return index == 0 ? nullptr : type.element;
    case TypeKind::RESULT:
      return index == 0 ? type.ok : type.error;
    default:
      return type.members[index].type;
  }
}

inline uint32_t caseCount(const Type& type) {
  bool two = type.kind == TypeKind::OPTION || type.kind == TypeKind::RESULT;
  return two ? 2 : static_cast<uint32_t>(type.members.size());
}

// The index of the member with this label, or NOT_FOUND.
inline uint32_t findLabel(const Type& type, std::string_view label) {
  for (uint32_t i = 0; i < type.members.size(); i++) {
    if (type.members[i].label == label) return i;
  }
  return NOT_FOUND;
}

// A VARIANT, OPTION or RESULT taken apart: the case (NOT_FOUND when the value is no such thing) and
// the payload (null when there is none).
struct CaseOf {
  uint32_t index = NOT_FOUND;
  const Value* payload = nullptr;
};
CaseOf findCase(const Type& type, const Value& value);

}  // namespace tenon::abi
