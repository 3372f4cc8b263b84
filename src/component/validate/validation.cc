#include "component/validate/validation.h"

#include "component/validate/core_types.h"
#include "component/validate/say.h"
#include "component/validate/value_bytes.h"

namespace tenon::component::typed {

namespace {

bool sortMatches(Sort sort, const Entity& entity) {
  switch (sort) {
    case Sort::CORE_MODULE:
      return std::holds_alternative<const ModuleNode*>(entity);
    case Sort::FUNC:
      return std::holds_alternative<const FuncNode*>(entity);
    case Sort::VALUE:
      return std::holds_alternative<ValRef>(entity);
    case Sort::TYPE:
      return std::holds_alternative<TypeBinding>(entity);
    case Sort::COMPONENT:
      return std::holds_alternative<const ComponentNode*>(entity);
    case Sort::INSTANCE:
      return std::holds_alternative<const InstanceNode*>(entity);
    default:
      return false;
  }
}

const char* sortName(Sort sort) {
  return sort == Sort::CORE_MODULE ? "module" : tenon::component::toString(sort);
}

bool isCoreItem(Sort sort) { return sort <= Sort::CORE_TAG; }

}  // namespace

Result<void> Validation::gate(bool enabled, const char* what, uint64_t offset) const {
  if (enabled) return {};
  return Error{ErrorCode::UNSUPPORTED,
               say(what, " are a gated feature of the Component Model that is not supported"),
               offset};
}

// -- Components -----------------------------------------------------------------------------------

Result<const ComponentNode*> Validation::component(const Component& component) {
  if (++modulesAndComponents_ > MAX_MODULES_AND_COMPONENTS) {
    return Error{
        ErrorCode::LIMIT_EXCEEDED,
        say("modules and components count exceeds the limit of ", MAX_MODULES_AND_COMPONENTS),
        component.offset};
  }
  ScopeGuard guard(scopes_, ScopeKind::COMPONENT);
  for (const Definition& each : component.definitions) {
    TENON_CHECK(definition(each));
    TENON_CHECK(checkCopies(each.offset));
  }
  uint64_t end = component.offset + component.size;
  for (size_t i = 0; i < scope().values.size(); ++i) {
    if (!scope().values[i].used) {
      return invalid(end, say("value index ", i,
                              " was not used as part of an instantiation, start function, or "
                              "export"));
    }
  }
  TENON_TRY(ComponentNode node, finish(scope(), end));
  return arena_.own(std::move(node));
}

Result<void> Validation::checkCopies(uint64_t offset) const {
  return checkCount(arena_.copiedItems() - copiedBefore_, 0, MAX_COPIED_ITEMS,
                    "imports and exports of instances", offset);
}

Result<void> Validation::definition(const Definition& definition) {
  uint64_t offset = definition.offset;
  return std::visit(
      [&](const auto& def) -> Result<void> {
        using Def = std::decay_t<decltype(def)>;
        if constexpr (std::is_same_v<Def, CustomSection>) {
          return {};
        } else if constexpr (std::is_same_v<Def, CoreModule>) {
          return coreModule(def, offset);
        } else if constexpr (std::is_same_v<Def, CoreInstance>) {
          return coreInstance(def, offset);
        } else if constexpr (std::is_same_v<Def, CoreTypeDef>) {
          return coreType(def, offset);
        } else if constexpr (std::is_same_v<Def, std::unique_ptr<Component>>) {
          TENON_CHECK(
              checkCount(scope().components.size(), 1, MAX_COMPONENTS, "components", offset));
          TENON_TRY(const ComponentNode* node, component(*def));
          scope().components.push_back(node);
          return {};
        } else if constexpr (std::is_same_v<Def, Instance>) {
          return instance(def, offset);
        } else if constexpr (std::is_same_v<Def, Alias>) {
          return alias(def, offset);
        } else if constexpr (std::is_same_v<Def, TypeDef>) {
          return type(def, offset);
        } else if constexpr (std::is_same_v<Def, Canon>) {
          TENON_CHECK(checkCount(scope().functionCount(), 1, MAX_FUNCTIONS, "functions", offset));
          return canon(def, offset);
        } else if constexpr (std::is_same_v<Def, Start>) {
          return start(def, offset);
        } else if constexpr (std::is_same_v<Def, Import>) {
          return import(def, offset);
        } else if constexpr (std::is_same_v<Def, Export>) {
          return exportItem(def, offset);
        } else {
          TENON_CHECK(requireValues(offset));
          TENON_CHECK(checkCount(scope().values.size(), 1, MAX_VALUES, "values", offset));
          TENON_TRY(ValRef value, valType(def.type, offset));
          TENON_CHECK(checkValueBytes(*value.node->type, def.bytes, offset));
          scope().values.push_back({value, false});
          return {};
        }
      },
      definition.def);
}

Result<ComponentNode> Validation::finish(Scope& scope, uint64_t offset) {
  // Nothing that is imported may be made of what is defined here.
  std::unordered_set<ResourceId> free;
  collectFree(scope.imports.items, free);
  for (ResourceId id : scope.definedResources) {
    if (free.contains(id)) return invalid(offset, "local resource type found in imports");
  }
  // Of the resources defined here, those that the exports use are part of the type. Each must be
  // exported itself.
  free.clear();
  collectFree(scope.exports.items, free);
  std::vector<ResourceId> defined;
  for (ResourceId id : scope.definedResources) {
    if (free.contains(id)) defined.push_back(id);
  }
  ComponentNode node;
  auto paths = explicitPaths(scope.exports.items, defined);
  for (ResourceId id : defined) {
    auto it = paths.find(id);
    if (it == paths.end()) {
      return invalid(offset, "local resource type found in export but not exported itself");
    }
    node.defined.push_back({id, std::move(it->second)});
  }
  node.imports = std::move(scope.imports.items);
  node.exports = std::move(scope.exports.items);
  node.imported = std::move(scope.importedResources);
  node.extent = scope.extent;
  return node;
}

// -- Aliases --------------------------------------------------------------------------------------

Result<Scope*> Validation::outer(uint32_t count, uint64_t offset) {
  if (count < scopes_.size()) return scopes_[scopes_.size() - 1 - count].get();
  return invalid(offset, say("invalid outer alias count of ", count));
}

Result<void> Validation::alias(const Alias& alias, uint64_t offset) {
  const auto* fromInstance = std::get_if<ExportAlias>(&alias.target);
  const auto* fromCore = std::get_if<CoreExportAlias>(&alias.target);
  if (scope().kind != ScopeKind::COMPONENT) {
    bool allowed =
        alias.sort == Sort::TYPE ||
        (fromInstance != nullptr ? alias.sort == Sort::INSTANCE : alias.sort == Sort::CORE_TYPE);
    if (!allowed || fromCore != nullptr) {
      return invalid(
          offset, "aliases in a component or instance type may only refer to types or instances");
    }
  }
  if (fromInstance != nullptr) return aliasExport(alias.sort, *fromInstance, offset);
  if (fromCore != nullptr) return aliasCoreExport(alias.sort, *fromCore, offset);
  return aliasOuter(alias.sort, std::get<OuterAlias>(alias.target), offset);
}

Result<void> Validation::aliasExport(Sort sort, const ExportAlias& target, uint64_t offset) {
  if (sort == Sort::VALUE) TENON_CHECK(requireValues(offset));
  TENON_TRY(const InstanceNode* instance, scope().instance(target.instance, offset));
  const Item* item = instance->exports.find(target.name);
  if (item == nullptr) {
    return invalid(offset,
                   say("instance ", target.instance, " has no export named `", target.name, "`"));
  }
  if (!sortMatches(sort, item->entity)) {
    return invalid(offset, say("export `", target.name, "` for instance ", target.instance,
                               " is not a ", sortName(sort)));
  }
  return push(item->entity, false, offset);
}

Result<void> Validation::aliasCoreExport(Sort sort, const CoreExportAlias& target,
                                         uint64_t offset) {
  if (!isCoreItem(sort)) {
    return invalid(offset, say("a core instance exports no ", sortName(sort)));
  }
  TENON_TRY(const CoreInstanceNode* instance, scope().coreInstance(target.instance, offset));
  const CoreExternType* item = instance->findExport(target.name);
  if (item == nullptr) {
    return invalid(
        offset, say("core instance ", target.instance, " has no export named `", target.name, "`"));
  }
  auto kind = static_cast<CoreExternKind>(sort);
  if (item->kind != kind) {
    return invalid(offset, say("export `", target.name, "` for core instance ", target.instance,
                               " is not a ", tenon::component::toString(kind)));
  }
  auto& items = scope().coreItems(kind);
  bool isFunc = kind == CoreExternKind::FUNC;
  TENON_CHECK(checkCount(isFunc ? scope().functionCount() : items.size(), 1,
                         isFunc ? MAX_FUNCTIONS : MAX_CORE_ITEMS, tenon::component::toString(kind),
                         offset));
  items.push_back(item);
  return {};
}

Result<void> Validation::aliasOuter(Sort sort, const OuterAlias& target, uint64_t offset) {
  TENON_TRY(Scope * from, outer(target.count, offset));
  switch (sort) {
    case Sort::CORE_MODULE: {
      TENON_TRY(const ModuleNode* module, from->coreModule(target.index, offset));
      TENON_CHECK(checkCount(scope().coreModules.size(), 1, MAX_MODULES, "modules", offset));
      scope().coreModules.push_back(module);
      return {};
    }
    case Sort::CORE_TYPE: {
      TENON_TRY(CoreTypeEntry entry, from->coreType(target.index, offset));
      TENON_CHECK(checkCount(scope().typeCount(), 1, MAX_TYPES, "types", offset));
      scope().coreTypes.push_back(entry);
      return {};
    }
    case Sort::COMPONENT: {
      TENON_TRY(const ComponentNode* node, from->component(target.index, offset));
      TENON_CHECK(checkCount(scope().components.size(), 1, MAX_COMPONENTS, "components", offset));
      scope().components.push_back(node);
      return {};
    }
    case Sort::TYPE:
      return aliasOuterType(*from, target, offset);
    default:
      return invalid(offset, say("an outer alias cannot refer to a ", sortName(sort)));
  }
}

Result<void> Validation::aliasOuterType(Scope& from, const OuterAlias& target, uint64_t offset) {
  TENON_TRY(AnyType type, from.type(target.index, offset));
  // Component types and instance types are innermost. So the alias leaves a component exactly if
  // the scope after the one that it refers to is a component.
  Scope* crossed = target.count == 0 ? nullptr : scopes_[scopes_.size() - target.count].get();
  if (crossed != nullptr && crossed->kind == ScopeKind::COMPONENT) {
    crossed->outerAliasSize += extentOf(type).size;
    if (crossed->outerAliasSize >= MAX_TYPE_EXTENT) {
      return Error{ErrorCode::LIMIT_EXCEEDED,
                   say("effective size of outer aliases exceeds the limit of ", MAX_TYPE_EXTENT),
                   offset};
    }
    std::unordered_set<ResourceId> free;
    collectFree(type, free);
    if (!free.empty()) {
      return invalid(offset,
                     "cannot alias outer type which transitively refers to resources not defined "
                     "in the current component");
    }
  }
  TENON_CHECK(checkCount(scope().typeCount(), 1, MAX_TYPES, "types", offset));
  scope().types.push_back(type);
  return {};
}

// -- Start ----------------------------------------------------------------------------------------

Result<void> Validation::start(const Start& start, uint64_t offset) {
  TENON_CHECK(requireValues(offset));
  TENON_TRY(const FuncNode* func, scope().func(start.func, offset));
  if (func->params.size() != start.args.size()) {
    return invalid(offset, say("component start function requires ", func->params.size(),
                               " arguments but was given ", start.args.size()));
  }
  uint32_t results = func->result ? 1 : 0;
  if (results != start.results) {
    return invalid(offset, say("component start function has a result count of ", start.results,
                               " but the function type has a result count of ", results));
  }
  for (size_t i = 0; i < start.args.size(); ++i) {
    TENON_TRY(ValRef argument, scope().takeValue(start.args[i], offset));
    auto mismatch =
        Matcher(arena_.coreTypes()).value(argument.node->type, func->params[i].type.node->type);
    if (mismatch) {
      return invalid(offset, say("value type mismatch for component start function argument ", i,
                                 ": ", mismatch->text()));
    }
  }
  if (func->result) {
    TENON_CHECK(checkCount(scope().values.size(), 1, MAX_VALUES, "values", offset));
    scope().values.push_back({func->result, false});
  }
  return {};
}

}  // namespace tenon::component::typed
