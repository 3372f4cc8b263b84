#pragma once

// Core types as components and module types define them: functions, and WebAssembly 3.0's structs,
// arrays, subtypes and recursive groups, which refer to one another by index.
// Source: WebAssembly Core Specification 3.0, "Types" (validation and matching).
//
// Two types that are defined apart count as the same when they have the same address, or when either
// refers to the other's like: the structure of recursive groups is not compared. The engine compares
// it when it links modules.

#include "component/binary/definitions.h"

#include <tenon/result.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace tenon::component::typed {

struct ModuleNode;

// A field, element, or packed one (code 0x78 i8, 0x77 i16).
struct CoreField {
  CoreValType type;
  bool isMutable = false;
};

struct CoreComposite {
  enum class Kind : uint8_t { FUNC, STRUCT, ARRAY };
  Kind kind = Kind::FUNC;
  bool isFinal = true;
  uint32_t depth = 0;  // supertypes above it
  CoreFuncType func;
  std::vector<CoreField> fields;  // one for an ARRAY
};

// An index of a core type index space: a composite type, or the type of a core module.
struct CoreTypeEntry {
  const CoreExternType* func = nullptr;  // of a composite that is a function
  const CoreComposite* composite = nullptr;
  const ModuleNode* module = nullptr;
};

// Reads the composite types of one definition, a single function type or the bytes of a recursive
// group, as they follow `space`. Checks indices and supertypes. Errors: INVALID at `offset`;
// MALFORMED.
Result<std::vector<CoreComposite>> readComposites(const CoreFuncType& func,
                                                  const std::vector<CoreTypeEntry>& space,
                                                  uint64_t offset);
Result<std::vector<CoreComposite>> readComposites(const CoreOtherType& group,
                                                  const std::vector<CoreTypeEntry>& space,
                                                  uint64_t offset);

// Every index in the type is one of `space`, and no module type. Errors: INVALID at `offset`.
Result<void> checkHeapType(const CoreValType& type, const std::vector<CoreTypeEntry>& space,
                           uint64_t offset);

}  // namespace tenon::component::typed
