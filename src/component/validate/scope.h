#pragma once

// What is defined so far in one component, component type or instance type: its index spaces, its
// imports and exports, which names are visible from outside, and which resources it has introduced.

#include "base/keyed_hash.h"
#include "component/validate/core_rec_types.h"
#include "component/validate/entity_type.h"
#include "component/validate/names.h"

#include <tenon/result.h>

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace tenon::component::typed {

// Limits of one component, the same as other validators have.
inline constexpr size_t MAX_TYPES = 1'000'000;
inline constexpr size_t MAX_FUNCTIONS = 1'000'000;
inline constexpr size_t MAX_EXPORTS = 1'000'000;
inline constexpr size_t MAX_IMPORTS = 1'000'000;
inline constexpr size_t MAX_MODULES = 1'000;
inline constexpr size_t MAX_COMPONENTS = 1'000;
inline constexpr size_t MAX_INSTANCES = 4'096;  // core and component instances together
inline constexpr size_t MAX_VALUES = 1'000;
inline constexpr size_t MAX_CORE_ITEMS = 1'000'000;  // tables, memories, globals, tags: each
// Of a whole file.
inline constexpr size_t MAX_MODULES_AND_COMPONENTS = 1'000;
inline constexpr size_t MAX_COPIED_ITEMS = 2'000'000;  // some 400 MB

enum class ScopeKind : uint8_t { COMPONENT, COMPONENT_TYPE, INSTANCE_TYPE };
enum class Direction : uint8_t { IMPORT, EXPORT };

inline const char* toString(Direction direction) {
  return direction == Direction::IMPORT ? "import" : "export";
}

struct ValueEntry {
  ValRef type;
  bool used = false;
};

// Resources that are imported, or exported, directly by the scope, by their names: what annotated
// names refer to.
struct ResourceNames {
  std::unordered_map<uint64_t, std::string_view> byResource;  // see `keyOf`
  TextSet all;

  static uint64_t keyOf(ResourceRef ref) { return uint64_t{ref.id} << 32 | ref.alias; }
  void add(std::string_view name, ResourceRef ref) {
    byResource.emplace(keyOf(ref), name);
    all.insert(name);
  }
};

// Everything on one side of a scope: its imports or its exports.
struct Boundary {
  Items items;
  OwnedTextMap<std::string_view> names;  // strongly unique keys
  ResourceNames resources;
  // Types with a name that is visible from outside.
  std::unordered_set<AnyType, AnyTypeHash> visible;
};

struct Scope {
  explicit Scope(ScopeKind kind) : kind(kind) {}

  ScopeKind kind;

  CoreTypeSpace coreTypes;
  std::vector<const ModuleNode*> coreModules;
  std::vector<const CoreInstanceNode*> coreInstances;
  std::vector<const CoreExternType*> coreFuncs, coreTables, coreMemories, coreGlobals, coreTags;

  std::vector<AnyType> types;
  std::vector<const FuncNode*> funcs;
  std::vector<ValueEntry> values;
  std::vector<const InstanceNode*> instances;
  std::vector<const ComponentNode*> components;

  Boundary imports, exports;

  // Resources that exist because of imports, and where they are imported.
  std::vector<Bound> importedResources;
  // Resources that this component, or something instantiated in it, defines.
  std::vector<ResourceId> definedResources;
  // The representation of those that this component itself defines.
  std::unordered_map<ResourceId, CoreValType> representations;

  std::optional<CoreValType> contextType;  // of context.get and context.set
  Extent extent;                           // of the imports and exports
  uint32_t outerAliasSize = 0;             // summed, as checking an outer alias walks the type
  bool hasStart = false;

  Boundary& boundary(Direction direction) {
    return direction == Direction::IMPORT ? imports : exports;
  }

  size_t typeCount() const { return types.size() + coreTypes.size(); }
  size_t functionCount() const { return funcs.size() + coreFuncs.size(); }
  size_t instanceCount() const { return instances.size() + coreInstances.size(); }
  std::vector<const CoreExternType*>& coreItems(CoreExternKind kind);

  // Look-ups by index. Errors: INVALID at `offset`.
  Result<AnyType> type(uint32_t index, uint64_t offset) const;
  Result<ValRef> valueType(uint32_t index, uint64_t offset) const;
  Result<ResourceRef> resource(uint32_t index, uint64_t offset) const;
  Result<const FuncNode*> funcType(uint32_t index, uint64_t offset) const;
  Result<const InstanceNode*> instanceType(uint32_t index, uint64_t offset) const;
  Result<const ComponentNode*> componentType(uint32_t index, uint64_t offset) const;
  Result<const FuncNode*> func(uint32_t index, uint64_t offset) const;
  Result<const InstanceNode*> instance(uint32_t index, uint64_t offset) const;
  Result<const ComponentNode*> component(uint32_t index, uint64_t offset) const;
  Result<CoreTypeEntry> coreType(uint32_t index, uint64_t offset) const;
  Result<const ModuleNode*> coreModule(uint32_t index, uint64_t offset) const;
  Result<const CoreInstanceNode*> coreInstance(uint32_t index, uint64_t offset) const;
  Result<const CoreExternType*> coreItem(CoreExternKind kind, uint32_t index,
                                         uint64_t offset) const;
  // Uses up the value.
  Result<ValRef> takeValue(uint32_t index, uint64_t offset);

  // Every type that `entity` uses has a visible name on the side; its own names become visible.
  // False: it may not be imported or exported. `name` is empty for what is inside an instance.
  bool makeVisible(Direction direction, std::string_view name, const Entity& entity);
};

// Checks that a name's attributes and annotations fit its type, and adds it to the boundary.
// Annotations are resolved among `known`. Errors: INVALID at `name.offset`.
struct NewItem {
  const ExternName& name;
  const Entity& entity;
  Direction direction;
};
Result<void> addItem(const NewItem& item, const ResourceNames& known, NameRules rules,
                     OwnedTextMap<std::string_view>& names, Items& items, Extent& extent);

// INVALID at `offset`.
Error invalid(uint64_t offset, std::string message);
// Errors: LIMIT_EXCEEDED when `count` plus `more` is above `limit`.
Result<void> checkCount(size_t count, size_t more, size_t limit, const char* what, uint64_t offset);

}  // namespace tenon::component::typed
