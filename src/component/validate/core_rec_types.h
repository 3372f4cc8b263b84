#pragma once

// Core types by their structure: functions, and WebAssembly 3.0's structs, arrays, subtypes and
// recursive groups. Groups of the same structure get the same numbers wherever they are defined, so
// that two core types are equal exactly when their numbers are. In everything that comes out of
// here a concrete heap type (`CoreValType::heapType`, not negative) is such a number, no longer an
// index. Source: WebAssembly Core Specification 3.0, "Types", "Rolling and Unrolling", "Matching".

#include "base/keyed_hash.h"
#include "component/binary/definitions.h"

#include <tenon/result.h>

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tenon::component::typed {

struct ModuleNode;

using CoreTypeId = uint32_t;

// A field or element; packed ones have the codes 0x78 (i8) and 0x77 (i16).
struct CoreField {
  CoreValType type;
  bool isMutable = false;
};

struct CoreComposite {
  enum class Kind : uint8_t { FUNC, STRUCT, ARRAY };
  Kind kind = Kind::FUNC;
  bool isFinal = true;
  std::optional<CoreTypeId> super;
  uint32_t depth = 0;  // supertypes above it
  CoreFuncType func;
  std::vector<CoreField> fields;  // one for an ARRAY
};

// An index of a core type index space: a composite type, or the type of a core module.
struct CoreTypeEntry {
  CoreTypeId id = 0;
  const ModuleNode* module = nullptr;  // not null: a module type, and no `id`
};
using CoreTypeSpace = std::vector<CoreTypeEntry>;

// Owns the composite types of one validation.
class CoreTypeTable {
 public:
  CoreTypeTable() = default;
  CoreTypeTable(const CoreTypeTable&) = delete;
  CoreTypeTable& operator=(const CoreTypeTable&) = delete;

  // A valid function type of numbers alone.
  CoreTypeId func(const CoreFuncType& type);

  // Adds what one definition defines to `space`. Errors: INVALID or LIMIT_EXCEEDED at `offset`: an
  // index out of bounds or of a module type, a supertype that does not fit.
  Result<void> add(const CoreFuncType& func, CoreTypeSpace& space, uint64_t offset);
  Result<void> add(const CoreOtherType& group, CoreTypeSpace& space, uint64_t offset);

  // The types of a core module, from its type section. `offset` is that of the module.
  Result<CoreTypeSpace> typesOfModule(std::span<const std::byte> module, uint64_t offset);

  // Replaces the indices in an import's or export's type, which count in `space`, by numbers, and
  // fills in `func` and `typeIndex` with the number of the function's type. Errors: INVALID;
  // LIMIT_EXCEEDED when a file asks for too many copies of long function types.
  Result<void> resolve(CoreExternType& type, const CoreTypeSpace& space, uint64_t offset);

  const CoreComposite& operator[](CoreTypeId id) const { return composites_[id]; }

  bool isSubtype(CoreTypeId type, CoreTypeId super) const;
  // Value types with numbers. Packed types match themselves.
  bool matches(const CoreValType& actual, const CoreValType& expected) const;

 private:
  struct Group;
  Result<void> add(Group group, CoreTypeSpace& space, uint64_t offset);
  CoreTypeId intern(const Group& group);
  Result<void> checkSuper(CoreTypeId id, uint64_t offset);
  bool structureMatches(const CoreComposite& type, const CoreComposite& super) const;

  std::deque<CoreComposite> composites_;
  OwnedTextMap<CoreTypeId> groups_;  // first number, by structure
  size_t copied_ = 0;                // parameters and results, by `resolve`
};

}  // namespace tenon::component::typed
