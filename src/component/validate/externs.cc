// Imports and exports of components, component types and instance types.

#include "component/validate/say.h"
#include "component/validate/substitution.h"
#include "component/validate/validation.h"

namespace tenon::component::typed {

Result<Entity> Validation::externType(const ExternTypeRef& type, uint64_t offset) {
  using Kind = ExternTypeRef::Kind;
  switch (type.kind) {
    case Kind::CORE_MODULE: {
      TENON_TRY(CoreTypeEntry entry, scope().coreType(type.index, offset));
      if (entry.module != nullptr) return Entity(entry.module);
      return invalid(offset, say("core type index ", type.index, " is not a module type"));
    }
    case Kind::FUNC: {
      TENON_TRY(const FuncNode* func, scope().funcType(type.index, offset));
      return Entity(func);
    }
    case Kind::VALUE_EQ: {
      TENON_CHECK(requireValues(offset));
      if (type.index >= scope().values.size()) {
        return invalid(offset, say("unknown value ", type.index, ": value index out of bounds"));
      }
      return Entity(scope().values[type.index].type);
    }
    case Kind::VALUE_TYPE: {
      TENON_CHECK(requireValues(offset));
      TENON_TRY(ValRef value, valType(type.value, offset));
      return Entity(value);
    }
    case Kind::TYPE_EQ: {
      TENON_TRY(AnyType referenced, scope().type(type.index, offset));
      return Entity(TypeBinding{referenced, arena_.renamed(referenced)});
    }
    case Kind::TYPE_SUB: {
      AnyType resource = ResourceRef{arena_.newResource(), 0};
      return Entity(TypeBinding{resource, resource});
    }
    case Kind::COMPONENT: {
      TENON_TRY(const ComponentNode* component, scope().componentType(type.index, offset));
      return Entity(component);
    }
    case Kind::INSTANCE: {
      TENON_TRY(const InstanceNode* instance, scope().instanceType(type.index, offset));
      return Entity(instance);
    }
  }
  return invalid(offset, "unknown kind of import or export");
}

Result<void> Validation::import(const Import& import, uint64_t offset) {
  TENON_CHECK(checkCount(scope().imports.items.size(), 1, MAX_IMPORTS, "imports", offset));
  TENON_TRY(Entity entity, externType(import.type, offset));
  adopt(entity, Direction::IMPORT);
  TENON_CHECK(push(entity, false, offset));
  if (!scope().makeVisible(Direction::IMPORT, import.name.name, entity)) {
    return invalid(offset,
                   say(describe(entity), " not valid to be used as import: `", import.name.name,
                       "` uses a type that is not imported before it under a name"));
  }
  Boundary& side = scope().imports;
  return addItem({import.name, entity, Direction::IMPORT}, side.resources, nameRules(), side.names,
                 side.items, scope().extent);
}

Result<void> Validation::exportDecl(const ExportDecl& decl, uint64_t offset) {
  TENON_TRY(Entity entity, externType(decl.type, offset));
  return addExport(decl.name, std::move(entity), offset);
}

Result<void> Validation::exportItem(const Export& item, uint64_t offset) {
  TENON_TRY(Entity entity, entityAt(item.item, Naming::FRESH, offset));
  if (item.type) {
    TENON_TRY(entity, ascribe(entity, *item.type, offset));
  }
  return addExport(item.name, std::move(entity), offset);
}

// The declared type of an export takes the place of the one that it has. Resources that the
// declared type introduces are matched with those of the item.
Result<Entity> Validation::ascribe(const Entity& actual, const ExternTypeRef& type,
                                   uint64_t offset) {
  TENON_TRY(Entity ascribed, externType(type, offset));
  Matcher matcher(arena_.coreTypes());
  const auto* wantedType = std::get_if<TypeBinding>(&ascribed);
  const auto* givenType = std::get_if<TypeBinding>(&actual);
  const auto* wantedInstance = std::get_if<const InstanceNode*>(&ascribed);
  const auto* givenInstance = std::get_if<const InstanceNode*>(&actual);
  if (wantedType != nullptr && givenType != nullptr &&
      wantedType->referenced == wantedType->created) {
    matcher.supply(*wantedType, *givenType);
  } else if (wantedInstance != nullptr && givenInstance != nullptr) {
    matcher.supply(**wantedInstance, **givenInstance);
  }
  if (auto mismatch = matcher.entity(actual, ascribed)) {
    return invalid(offset, say("ascribed type of export is not compatible with item's type: ",
                               mismatch->text()));
  }
  return ascribed;
}

Result<void> Validation::addExport(const ExternName& name, Entity entity, uint64_t offset) {
  TENON_CHECK(checkCount(scope().exports.items.size(), 1, MAX_EXPORTS, "exports", offset));
  adopt(entity, Direction::EXPORT);
  TENON_CHECK(push(entity, true, offset));
  if (!scope().makeVisible(Direction::EXPORT, name.name, entity)) {
    return invalid(offset, say(describe(entity), " not valid to be used as export: `", name.name,
                               "` uses a type that is not imported or exported before it under a "
                               "name"));
  }
  Boundary& side = scope().exports;
  return addItem({name, entity, Direction::EXPORT}, side.resources, nameRules(), side.names,
                 side.items, scope().extent);
}

Result<void> Validation::push(const Entity& entity, bool valueUsed, uint64_t offset) {
  Scope& to = scope();
  if (const auto* module = std::get_if<const ModuleNode*>(&entity)) {
    to.coreModules.push_back(*module);
    return checkCount(to.coreModules.size(), 0, MAX_MODULES, "modules", offset);
  }
  if (const auto* func = std::get_if<const FuncNode*>(&entity)) {
    to.funcs.push_back(*func);
    return checkCount(to.functionCount(), 0, MAX_FUNCTIONS, "functions", offset);
  }
  if (const auto* value = std::get_if<ValRef>(&entity)) {
    TENON_CHECK(requireValues(offset));
    if (valueUsed && value->node->type->hasBorrow) {
      return invalid(offset, "exported value type cannot contain a `borrow` type");
    }
    to.values.push_back({*value, valueUsed});
    return checkCount(to.values.size(), 0, MAX_VALUES, "values", offset);
  }
  if (const auto* type = std::get_if<TypeBinding>(&entity)) {
    to.types.push_back(type->created);
    return checkCount(to.types.size(), 0, MAX_TYPES, "types", offset);
  }
  if (const auto* instance = std::get_if<const InstanceNode*>(&entity)) {
    to.instances.push_back(*instance);
    return checkCount(to.instanceCount(), 0, MAX_INSTANCES, "instances", offset);
  }
  to.components.push_back(std::get<const ComponentNode*>(entity));
  return checkCount(to.components.size(), 0, MAX_COMPONENTS, "components", offset);
}

// -- Resources ------------------------------------------------------------------------------------

void Validation::adopt(Entity& entity, Direction direction) {
  if (auto* binding = std::get_if<TypeBinding>(&entity)) {
    const auto* resource = std::get_if<ResourceRef>(&binding->created);
    if (resource == nullptr || binding->referenced != binding->created) return;
    if (direction == Direction::IMPORT) {
      auto place = static_cast<uint32_t>(scope().imports.items.size());
      scope().importedResources.push_back({resource->id, {place}});
    } else {
      scope().definedResources.push_back(resource->id);
    }
  } else if (auto* instance = std::get_if<const InstanceNode*>(&entity)) {
    if (!(*instance)->defined.empty()) *instance = freshen(*instance, direction);
  }
}

// An instance type that is imported or exported stands for one instance: what the type binds
// becomes resources of the scope, new ones each time that the type is used.
const InstanceNode* Validation::freshen(const InstanceNode* instance, Direction direction) {
  std::unordered_map<ResourceId, std::vector<uint32_t>> paths;
  if (direction == Direction::IMPORT) paths = explicitPaths(instance->exports, instance->defined);
  auto place = static_cast<uint32_t>(scope().imports.items.size());
  Substitution substitution(arena_);
  for (ResourceId old : instance->defined) {
    ResourceId id = arena_.newResource();
    substitution.replace(old, id);
    if (direction == Direction::EXPORT) {
      scope().definedResources.push_back(id);
      continue;
    }
    Bound bound{id, {place}};
    const auto& path = paths[old];
    bound.path.insert(bound.path.end(), path.begin(), path.end());
    scope().importedResources.push_back(std::move(bound));
  }
  InstanceNode fresh;
  arena_.countCopies(instance->exports.size());
  fresh.exports =
      instance->exports.mapped([&](const Entity& entity) { return substitution.apply(entity); });
  fresh.extent = instance->extent;
  return arena_.own(std::move(fresh));
}

Result<Entity> Validation::entityAt(const SortIndex& item, Naming naming, uint64_t offset) {
  switch (item.sort) {
    case Sort::CORE_MODULE: {
      TENON_TRY(const ModuleNode* module, scope().coreModule(item.index, offset));
      return Entity(module);
    }
    case Sort::FUNC: {
      TENON_TRY(const FuncNode* func, scope().func(item.index, offset));
      return Entity(func);
    }
    case Sort::VALUE: {
      TENON_CHECK(requireValues(offset));
      TENON_TRY(ValRef value, scope().takeValue(item.index, offset));
      return Entity(value);
    }
    case Sort::TYPE: {
      TENON_TRY(AnyType type, scope().type(item.index, offset));
      return Entity(TypeBinding{type, naming == Naming::FRESH ? arena_.renamed(type) : type});
    }
    case Sort::COMPONENT: {
      TENON_TRY(const ComponentNode* component, scope().component(item.index, offset));
      return Entity(component);
    }
    case Sort::INSTANCE: {
      TENON_TRY(const InstanceNode* instance, scope().instance(item.index, offset));
      return Entity(instance);
    }
    default:
      return invalid(offset, say("a ", tenon::component::toString(item.sort),
                                 " cannot be imported or exported by a component"));
  }
}

}  // namespace tenon::component::typed
