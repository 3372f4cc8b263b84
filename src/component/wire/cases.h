#pragma once

// What the encoder, the scan and the decoder need to know of variants, options and results alike.

#include "component/types/type_table.h"

#include <cstddef>
#include <cstdint>

namespace tenon::abi::wire {

// Options and results, whose case is one byte; that of the others is a number of any length.
inline bool hasTwoCases(const Type& type) {
  return type.kind == TypeKind::OPTION || type.kind == TypeKind::RESULT;
}

inline size_t caseCount(const Type& type) { return hasTwoCases(type) ? 2 : type.members.size(); }

// Of the case of this number, which must be below `caseCount`; null: it has none.
inline const Type* payloadOf(const Type& type, uint64_t index) {
  if (type.kind == TypeKind::OPTION) return index == 0 ? nullptr : type.element;
  if (type.kind == TypeKind::RESULT) return index == 0 ? type.ok : type.error;
  return type.members[index].type;
}

}  // namespace tenon::abi::wire
