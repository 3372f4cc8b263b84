#pragma once

#include "component/validate/entity_type.h"

#include <unordered_map>

namespace tenon::component::typed {

// Replaces resources and named types in types. Remembers what it has replaced, so that shared parts
// stay shared and equal names stay equal. What contains nothing to replace stays the same node.
class Substitution {
 public:
  explicit Substitution(Arena& arena) : arena_(arena) {}

  void replace(ResourceId from, ResourceId to) { resources_[from] = to; }
  void replace(const AnyType& from, const AnyType& to) {
    types_.insert_or_assign(from, to);
    hasNames_ = true;
  }

  Entity apply(const Entity& entity);
  AnyType apply(const AnyType& type);

 private:
  ValRef apply(ValRef type);
  ResourceRef apply(ResourceRef type);
  const FuncNode* apply(const FuncNode* func);
  const InstanceNode* apply(const InstanceNode* instance);
  const ComponentNode* apply(const ComponentNode* component);
  Items apply(const Items& items, bool& changed);
  const Type* rebuild(const ValNode& node, const std::vector<ValRef>& parts, ResourceId resource);

  Arena& arena_;
  std::unordered_map<ResourceId, ResourceId> resources_;
  std::unordered_map<AnyType, AnyType, AnyTypeHash> types_;
  bool hasNames_ = false;  // `types_` has more than what was done already
};

}  // namespace tenon::component::typed
