#pragma once

// Matching and printing of core types: what a core instance exports against what a core module
// imports. Concrete heap types are numbers of a CoreTypeTable here.
// Source: WebAssembly Core Specification, "Matching".

#include "component/validate/core_rec_types.h"

#include <optional>
#include <string>
#include <vector>

namespace tenon::component {

// Codes of reference types with a heap type behind them.
inline constexpr uint8_t REF_NULL = 0x63;
inline constexpr uint8_t REF = 0x64;

// Abstract heap types, by their one-byte codes.
enum class HeapKind : uint8_t {
  CONT = 0x68,
  EXN = 0x69,
  ARRAY = 0x6a,
  STRUCT = 0x6b,
  I31 = 0x6c,
  EQ = 0x6d,
  ANY = 0x6e,
  EXTERN = 0x6f,
  FUNC = 0x70,
  NONE = 0x71,
  NOEXTERN = 0x72,
  NOFUNC = 0x73,
  NOEXN = 0x74,
  NOCONT = 0x75,
};

// A reference type taken apart.
struct CoreReference {
  bool nullable = true;
  std::optional<typed::CoreTypeId> type;  // a concrete heap type
  HeapKind heap = HeapKind::FUNC;         // otherwise
};
// Empty for a type that is no reference.
std::optional<CoreReference> asReference(const CoreValType& type);
bool heapMatches(HeapKind actual, HeapKind expected);

std::string toString(const CoreValType& type);
std::string toString(const CoreFuncType& type);  // "(func (param i32) (result i64))"

// "func", "table", "memory", "global", "tag".
const char* toString(CoreExternKind kind);

// Why `actual` cannot be used where `expected` is asked for; empty if it can.
std::optional<std::string> coreMismatch(const CoreExternType& actual,
                                        const CoreExternType& expected,
                                        const typed::CoreTypeTable& types);

// The core type of a flat value.
CoreValType coreValType(CoreType type);

// `type` names these and nothing else.
bool isSignature(const CoreFuncType& type, const std::vector<CoreType>& params,
                 const std::vector<CoreType>& results);

}  // namespace tenon::component
