#pragma once

// The types of a component as its definitions introduce them, each with an identity of its own. To
// print WIT, structure is not enough: `(export "b" (type (eq $a)))` makes a name of its own for a
// type that is known already, and what WIT calls `use` is found by following such names back. So an
// identity is a node and a name of it; `peel` goes from a name to the one that it was made from.
//
// Names of items are borrowed from the component's bytes.

#include "component/wit/ordered_map.h"

#include <tenon/result.h>
#include <tenon/type.h>

#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace tenon::component::wit {

// What one component may cost, in nodes and items visited; far above what real ones need.
inline constexpr uint64_t MAX_STEPS = 2'000'000;

inline constexpr uint32_t NO_ALIAS = UINT32_MAX;

enum class NodeKind : uint8_t { DEFINED, FUNC, INSTANCE, COMPONENT, RESOURCE };

struct TypeId {
  NodeKind kind = NodeKind::DEFINED;
  uint32_t index = 0;         // of the node, or the resource's number
  uint32_t alias = NO_ALIAS;  // which name of it; NO_ALIAS: where it was defined

  bool operator==(const TypeId&) const = default;
};

struct TypeIdHash {
  size_t operator()(const TypeId& id) const {
    const uint64_t low = (uint64_t{id.index} << 32) | id.alias;
    return (low ^ static_cast<uint64_t>(id.kind) << 61) * 0x9e3779b97f4a7c15U;
  }
};

// A value type where it is used: a primitive, or a DEFINED node.
struct ValueUse {
  bool isPrimitive = true;
  TypeKind primitive = TypeKind::BOOL;
  TypeId type;
};

struct Part {
  std::string_view label;        // empty where the kind has none
  std::optional<ValueUse> type;  // absent: nothing is carried
};

struct DefinedNode {
  TypeKind kind = TypeKind::BOOL;
  // RECORD, VARIANT, ENUM, FLAGS, TUPLE: their members. LIST, OPTION, STREAM, FUTURE: one, but a
  // map two, key and value. RESULT: two, ok and error.
  std::vector<Part> parts;
  bool isMap = false;              // LIST
  std::optional<uint32_t> length;  // LIST, of exactly so many
  TypeId resource;                 // OWN, BORROW
  uint32_t depth = 1;
};

struct FuncNode {
  bool async = false;
  std::vector<Part> params;
  std::optional<ValueUse> result;
  uint32_t depth = 1;
};

enum class EntityKind : uint8_t { MODULE, FUNC, TYPE, INSTANCE, COMPONENT };

// What an import, export or argument is.
struct Entity {
  EntityKind kind = EntityKind::MODULE;
  TypeId type;     // FUNC, INSTANCE, COMPONENT; TYPE: the type that the new name is for
  TypeId created;  // TYPE: the new name. Equal to `type` where a resource is introduced
};

struct Item {
  Entity entity;
  std::optional<std::string_view> implements, versionSuffix, externalId;
};

using Items = OrderedMap<Item>;

struct InstanceNode {
  Items exports;
  // Resources that each use of this type introduces afresh; none for the type of an actual
  // instance.
  std::vector<uint32_t> fresh;
  uint32_t depth = 1;
};

// Where a resource is found: a position among imports or exports, then positions in instances.
using ResourcePath = std::vector<uint32_t>;

struct ComponentNode {
  Items imports, exports;
  std::vector<std::pair<uint32_t, ResourcePath>> imported;
  std::vector<uint32_t> fresh;
  uint32_t depth = 1;
};

// A substitution: of resources everywhere, and of whole types that are known to be others.
struct Substitution {
  std::unordered_map<uint32_t, uint32_t> resources;
  std::unordered_map<TypeId, TypeId, TypeIdHash> types;  // grows while it is applied
};

// Owns the nodes. Not thread-safe. References to nodes stay valid while it grows.
class TypeGraph {
 public:
  // Errors: LIMIT_EXCEEDED when nested deeper than MAX_TYPE_DEPTH.
  Result<TypeId> add(DefinedNode node);
  Result<TypeId> add(FuncNode node);
  Result<TypeId> add(InstanceNode node);
  Result<TypeId> add(ComponentNode node);
  uint32_t newResource() { return nextResource_++; }

  // A new name for `id`.
  TypeId rename(TypeId id);
  // What `id` was made from by `rename`; nothing where it was defined.
  std::optional<TypeId> peel(TypeId id) const;

  // The id's kind must be the function's.
  const DefinedNode& defined(TypeId id) const { return defined_[id.index]; }
  const FuncNode& func(TypeId id) const { return funcs_[id.index]; }
  const InstanceNode& instance(TypeId id) const { return instances_[id.index]; }
  const ComponentNode& component(TypeId id) const { return components_[id.index]; }

  // Replaces what `substitution` says, everywhere below `entity`; nodes that change are made anew.
  void substitute(Entity& entity, Substitution& substitution);

  // The path to every resource of `resources` that `exports` exports, also inside of instances.
  std::vector<std::pair<uint32_t, ResourcePath>> findResources(
      const Items& exports, const std::vector<uint32_t>& resources);

  // Counts `steps`. False when MAX_STEPS are used up; results are incomplete from then on.
  bool spend(uint64_t steps);
  // Errors: LIMIT_EXCEEDED when MAX_STEPS are used up, or a substitution made a type too deep.
  Result<> check() const;

 private:
  bool substituteId(TypeId& id, Substitution& substitution);
  bool substituteEntity(Entity& entity, Substitution& substitution);
  bool substituteItems(Items& items, Substitution& substitution);
  bool substituteParts(std::vector<Part>& parts, Substitution& substitution);
  bool substituteUse(ValueUse& use, Substitution& substitution);
  bool substituteResource(TypeId& id, const Substitution& substitution);
  template <typename Node>
  bool keep(TypeId& id, std::deque<Node>& nodes, Node node, bool changed,
            Substitution& substitution);
  uint32_t depth(const TypeId& id) const;
  uint32_t depth(const std::vector<Part>& parts) const;
  uint32_t depth(const Items& items) const;
  uint32_t measure(const DefinedNode& node) const;
  uint32_t measure(const FuncNode& node) const;
  uint32_t measure(const InstanceNode& node) const;
  uint32_t measure(const ComponentNode& node) const;
  template <typename Node>
  Result<TypeId> place(NodeKind kind, std::deque<Node>& nodes, Node node);
  struct Search;
  void search(const Items& exports, Search& state);

  std::deque<DefinedNode> defined_;
  std::deque<FuncNode> funcs_;
  std::deque<InstanceNode> instances_;
  std::deque<ComponentNode> components_;
  std::vector<uint32_t> aliases_;  // per alias: the alias that it was made from
  uint32_t nextResource_ = 0;
  uint64_t steps_ = 0;
  bool tooDeep_ = false;
};

}  // namespace tenon::component::wit
