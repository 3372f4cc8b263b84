#pragma once

// Types as validation sees them. A node is one definition; two definitions of the same structure
// are two nodes, because a record (variant, enum, flags, resource) must be known under a name of
// its own before an import or export may use it. Whether values are compatible is decided by
// structure alone: every value node carries its structural `Type`.
//
// A reference is a node and an alias: importing or exporting a type gives a new alias of the same
// node, which is a new name. Resources are identified by numbers; an alias of one likewise.
// Source: Explainer.md "Type Checking", "External Visibility of Types".

#include "base/array_pool.h"
#include "base/keyed_hash.h"
#include "component/binary/definitions.h"
#include "component/types/type_table.h"
#include "component/validate/core_rec_types.h"

#include <tenon/result.h>
#include <tenon/type.h>

#include <deque>
#include <span>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

namespace tenon::component::typed {

// Never 0; unique in one Arena.
using ResourceId = uint32_t;

struct ResourceRef {
  ResourceId id = 0;
  uint32_t alias = 0;
  bool operator==(const ResourceRef&) const = default;
};

// Size and depth of a type written out as a tree, to bound the work of walking it.
struct Extent {
  uint32_t size = 1;
  uint32_t depth = 1;

  // Makes `part` a part of this. Errors: LIMIT_EXCEEDED at `offset`.
  Result<void> add(Extent part, uint64_t offset);
};
inline constexpr uint32_t MAX_TYPE_EXTENT = 1'000'000;

struct ValNode;
struct ValRef {
  const ValNode* node = nullptr;  // null: none
  uint32_t alias = 0;
  explicit operator bool() const { return node != nullptr; }
  bool operator==(const ValRef&) const = default;
};

struct ValNode {
  const Type* type = nullptr;  // never null
  // The direct parts, as `type` has them: one per member; the element; key
  // and value of a map; ok and error. Absent payloads
  // are none. Empty for primitives, enums, flags and handles.
  std::span<const ValRef> parts;
  ResourceRef resource;  // OWN, BORROW
  Extent extent;
};

struct FuncNode {
  struct Param {
    std::string_view name;
    ValRef type;
  };
  std::span<const Param> params;
  ValRef result;  // none: no result
  bool async = false;
  Extent extent;

  // The same as a plain type.
  FuncType signature() const;
};

struct InstanceNode;
struct ComponentNode;
struct ModuleNode;

// What an index of the type index space can be.
using AnyType =
    std::variant<ResourceRef, ValRef, const FuncNode*, const InstanceNode*, const ComponentNode*>;

struct AnyTypeHash {
  size_t operator()(const AnyType& type) const;
};

// "resource", "func", ...
const char* describe(const AnyType& type);

// An imported or exported type: what it was made from, and the new name of it. Equal for a resource
// that is introduced here.
struct TypeBinding {
  AnyType referenced;
  AnyType created;
  bool operator==(const TypeBinding&) const = default;
};

// The type of an import, an export or an argument.
using Entity = std::variant<const ModuleNode*, const FuncNode*, ValRef, TypeBinding,
                            const InstanceNode*, const ComponentNode*>;

// "module", "func", "value", "type", "instance", "component".
const char* describe(const Entity& entity);
Extent extentOf(const Entity& entity);
Extent extentOf(const AnyType& type);

struct Item {
  ExternName name;
  Entity entity;
};

// Named items in order. Names are unique.
class Items {
 public:
  // False if the name is taken.
  bool add(const ExternName& name, const Entity& entity);
  const Item* find(std::string_view name) const;
  size_t size() const { return items_.size(); }
  const Item& operator[](size_t i) const { return items_[i]; }
  auto begin() const { return items_.begin(); }
  auto end() const { return items_.end(); }

  // The same names with `map(entity)`.
  template <typename Map>
  Items mapped(Map map) const {
    Items result(*this);
    for (Item& item : result.items_) item.entity = map(item.entity);
    return result;
  }

 private:
  std::vector<Item> items_;
  TextMap<uint32_t> byName_;
};

struct InstanceNode {
  Items exports;
  // Resources bound by this type, fresh whenever it is used. Empty for the type of an instance that
  // exists: its resources belong to the component around it.
  std::vector<ResourceId> defined;
  Extent extent;
};

// A bound resource and where it is: an index into the imports or exports, then into the exports of
// the instance found there, and so on. Never empty.
struct Bound {
  ResourceId id = 0;
  std::vector<uint32_t> path;
};

struct ComponentNode {
  Items imports;
  Items exports;
  std::vector<Bound> imported;  // replaced by what is given for the imports
  std::vector<Bound> defined;   // fresh with every instance
  Extent extent;
};

// Core functions, tables, memories, globals and tags are all CoreExternTypes, with numbers of the
// arena's CoreTypeTable where the binary has type indices.
struct ModuleNode {
  std::vector<CoreImportDecl> imports;
  std::vector<CoreExportDecl> exports;
  TextMap<uint32_t> exportsByName;
  Extent extent;

  const CoreExternType* findExport(std::string_view name) const;
};

struct CoreInstanceNode {
  const ModuleNode* module = nullptr;  // its exports; null: `exports`
  TextMap<const CoreExternType*> exports;

  const CoreExternType* findExport(std::string_view name) const;
};

// Owns every node, and hands out numbers. Bound to one thread while it grows; immutable after.
class Arena {
 public:
  Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  TypeTable& table() { return table_; }
  CoreTypeTable& coreTypes() { return coreTypes_; }
  const CoreTypeTable& coreTypes() const { return coreTypes_; }
  ResourceId newResource() { return nextResource_++; }
  uint32_t newAlias() { return nextAlias_++; }

  ValRef primitive(TypeKind kind) const { return {primitives_[static_cast<size_t>(kind)], 0}; }

  template <typename Node>
  const Node* own(Node node);
  // What the spans of nodes refer to.
  template <typename Items>
  auto keep(const Items& items) {
    return parts_.keep(items);
  }

  // A core function type with one address per signature.
  const CoreExternType* coreFunc(CoreFuncType type);

  // Items in copies of instance and component types: small inputs can ask for many.
  void countCopies(size_t items) { copiedItems_ += items; }
  size_t copiedItems() const { return copiedItems_; }

  // The type under a new name. Functions, instances and components have no names of their own.
  AnyType renamed(AnyType type);

 private:
  TypeTable table_;
  ArrayPool parts_;
  std::deque<ValNode> values_;
  std::deque<FuncNode> funcs_;
  std::deque<InstanceNode> instances_;
  std::deque<ComponentNode> components_;
  std::deque<ModuleNode> modules_;
  std::deque<CoreInstanceNode> coreInstances_;
  CoreTypeTable coreTypes_;
  std::deque<CoreExternType> coreFuncs_;
  std::unordered_multimap<size_t, const CoreExternType*> coreFuncsByHash_;
  const ValNode* primitives_[14] = {};
  ResourceId nextResource_ = 1;
  uint32_t nextAlias_ = 1;
  size_t copiedItems_ = 0;
};

}  // namespace tenon::component::typed
