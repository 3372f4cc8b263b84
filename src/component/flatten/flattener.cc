#include "component/flatten/flattener.h"

#include "component/flatten/flatten_exports.h"

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace tenon::component {
namespace {

// Instantiations inside one another. Every level is a few frames of the host's stack.
constexpr uint32_t MAX_DEPTH = 500;

}  // namespace

Result<Program> flatten(std::span<const WorkloadPart> parts, const std::string& name,
                        const FlattenLimits& limits) {
  return Flattener(name, limits).run(parts);
}

Result<Program> flatten(const Component& component, const std::string& name,
                        const FlattenLimits& limits) {
  WorkloadPart alone{.name = {}, .component = &component, .wires = {}};
  return flatten({&alone, 1}, name, limits);
}

Result<Program> flattenExports(const Component& component, const std::string& name,
                               const FlattenLimits& limits) {
  WorkloadPart alone{.name = {}, .component = &component, .wires = {}};
  return Flattener(name, limits, Flattener::Modules::MISSING).run({&alone, 1});
}

Flattener::Flattener(const std::string& name, const FlattenLimits& limits, Modules modules)
    : limits_(limits), modules_(modules) {
  program_.types = std::make_shared<TypeTable>();
  program_.instances.push_back({name, NONE, 0});
}

Result<Program> Flattener::run(std::span<const WorkloadPart> parts) {
  // By itself a component is the program: its exports, and its instance, are the outermost.
  const bool alone = parts.size() == 1 && parts[0].name.empty();
  InstanceItem& exports = instances_.emplace_back();
  std::vector<const InstanceItem*> made;
  for (uint32_t index = 0; index < parts.size(); ++index) {
    const WorkloadPart& part = parts[index];
    InstanceItem& arguments = instances_.emplace_back();
    for (const WorkloadPart::Wire& wire : part.wires) {
      TENON_CHECK(charge(1));
      if (wire.part >= made.size()) return invalidDefinition("a wire to a later part", 0);
      auto found = made[wire.part]->byName.find(wire.item);
      if (found == made[wire.part]->byName.end()) {
        return invalidDefinition("part " + parts[wire.part].name + " has no export " + wire.item,
                                 0);
      }
      const InstanceItem::Entry& entry = made[wire.part]->exports[found->second];
      arguments.add(wire.import, entry.sort, entry.item);
    }
    Scope& scope = newScope(nullptr);
    scope.arguments = &arguments;
    scope.importsFromHost = true;
    if (!alone) {
      scope.depth = 1;
      scope.instance = static_cast<uint32_t>(program_.instances.size());
      program_.instances.push_back({part.name, 0, index});
    }
    auto instance = evaluate({part.component, nullptr}, scope);
    if (!instance) {
      Error error = std::move(instance).error();
      if (!alone) error.message = part.name + ": " + error.message;
      return error;
    }
    made.push_back(*instance);
    exports.add(part.name, Sort::INSTANCE, Item(*instance));
  }
  TENON_CHECK(alone ? finish(*made[0], Outermost::COMPONENT)
                    : finish(exports, Outermost::WORKLOAD));
  nameHandles();
  return std::move(program_);
}

void Flattener::nameHandles() {
  program_.types->nameResources(
      [this](uint32_t resource) { return program_.resources[resource].name; });
}

Result<void> Flattener::charge(uint64_t items) {
  items_ += items;
  if (items_ <= limits_.maxItems) return {};
  return Error{ErrorCode::LIMIT_EXCEEDED,
               "the component defines more than " + std::to_string(limits_.maxItems) + " items"};
}

Scope& Flattener::newScope(Scope* parent) {
  Scope& scope = scopes_.emplace_back();
  scope.parent = parent;
  return scope;
}

void Flattener::nameResource(uint32_t resource, std::string_view name) {
  if (resource == NONE) return;
  std::string& known = program_.resources[resource].name;
  if (known.empty()) known = name;
}

Result<const InstanceItem*> Flattener::instantiate(const ClosureItem& closure,
                                                   const InstanceItem& arguments,
                                                   const Scope& instantiator, uint64_t offset) {
  if (program_.instances.size() >= limits_.maxInstances) {
    return Error{ErrorCode::LIMIT_EXCEEDED,
                 "more than " + std::to_string(limits_.maxInstances) + " component instances",
                 offset};
  }
  if (instantiator.depth >= MAX_DEPTH) {
    return Error{ErrorCode::LIMIT_EXCEEDED,
                 "components instantiate one another more than " + std::to_string(MAX_DEPTH) +
                     " levels deep",
                 offset};
  }
  Scope& scope = newScope(closure.scope);
  scope.arguments = &arguments;
  scope.depth = instantiator.depth + 1;
  scope.instance = static_cast<uint32_t>(program_.instances.size());
  const InstanceInfo& parent = program_.instances[instantiator.instance];
  std::string name = parent.name + "/" + std::to_string(scope.instance);
  uint32_t part = parent.part;
  program_.instances.push_back({std::move(name), instantiator.instance, part});
  return evaluate(closure, scope);
}

Result<const InstanceItem*> Flattener::evaluate(const ClosureItem& closure, Scope& scope) {
  InstanceItem& exports = instances_.emplace_back();
  for (const Definition& definition : closure.component->definitions) {
    if (const auto* item = std::get_if<Export>(&definition.def)) {
      TENON_CHECK(defineExport(scope, *item, exports, definition.offset));
    } else {
      TENON_CHECK(define(scope, definition));
    }
  }
  return &exports;
}

Result<void> Flattener::define(Scope& scope, const Definition& definition) {
  TENON_CHECK(charge(1));
  uint64_t offset = definition.offset;
  return std::visit(
      [&](const auto& def) -> Result<void> {
        using T = std::decay_t<decltype(def)>;
        if constexpr (std::is_same_v<T, CoreModule>) {
          scope.coreModules.push_back({&def, offset});
        } else if constexpr (std::is_same_v<T, CoreInstance>) {
          return defineCoreInstance(scope, def, offset);
        } else if constexpr (std::is_same_v<T, CoreTypeDef>) {
          const auto* other = std::get_if<CoreOtherType>(&def.def);
          scope.coreTypes += other ? other->count : 1;
        } else if constexpr (std::is_same_v<T, std::unique_ptr<Component>>) {
          scope.components.push_back({def.get(), &scope});
        } else if constexpr (std::is_same_v<T, Instance>) {
          return defineInstance(scope, def, offset);
        } else if constexpr (std::is_same_v<T, Alias>) {
          return defineAlias(scope, def, offset);
        } else if constexpr (std::is_same_v<T, TypeDef>) {
          return defineType(scope, def);
        } else if constexpr (std::is_same_v<T, Canon>) {
          return defineCanon(scope, def, offset);
        } else if constexpr (std::is_same_v<T, Import>) {
          return defineImport(scope, def, offset);
        } else if constexpr (std::is_same_v<T, Start>) {
          return Error{ErrorCode::UNSUPPORTED, "component start functions are not supported",
                       offset};
        } else if constexpr (std::is_same_v<T, ValueDef>) {
          return Error{ErrorCode::UNSUPPORTED, "component values are not supported", offset};
        }
        return {};
      },
      definition.def);
}

Result<void> Flattener::bind(Scope& scope, Sort sort, const Item& item, uint64_t offset) {
  TENON_CHECK(charge(1));
  bool bound = false;
  switch (sort) {
    case Sort::FUNC:
      if (const auto* func = std::get_if<FuncItem>(&item)) {
        scope.funcs.push_back(*func);
        bound = true;
      }
      break;
    case Sort::TYPE:
      if (const auto* type = std::get_if<TypeItem>(&item)) {
        scope.types.push_back(*type);
        bound = true;
      }
      break;
    case Sort::COMPONENT:
      if (const auto* closure = std::get_if<ClosureItem>(&item)) {
        scope.components.push_back(*closure);
        bound = true;
      }
      break;
    case Sort::INSTANCE:
      if (const auto* instance = std::get_if<const InstanceItem*>(&item)) {
        scope.instances.push_back(*instance);
        bound = true;
      }
      break;
    case Sort::CORE_MODULE:
      if (const auto* module = std::get_if<ModuleItem>(&item)) {
        scope.coreModules.push_back(*module);
        bound = true;
      }
      break;
    case Sort::VALUE:
      return Error{ErrorCode::UNSUPPORTED, "component values are not supported", offset};
    default:
      break;
  }
  if (bound) return {};
  return invalidDefinition(std::string("an item that is no ") + toString(sort), offset);
}

Result<Item> Flattener::lookUp(const Scope& scope, SortIndex what, uint64_t offset) {
  auto at = [&](const auto& space) -> Result<Item> {
    if (what.index < space.size()) return Item(space[what.index]);
    return invalidDefinition(
        std::string(toString(what.sort)) + " " + std::to_string(what.index) + " is out of range",
        offset);
  };
  switch (what.sort) {
    case Sort::FUNC:
      return at(scope.funcs);
    case Sort::TYPE:
      return at(scope.types);
    case Sort::COMPONENT:
      return at(scope.components);
    case Sort::INSTANCE:
      return at(scope.instances);
    case Sort::CORE_MODULE:
      return at(scope.coreModules);
    case Sort::VALUE:
      return Error{ErrorCode::UNSUPPORTED, "component values are not supported", offset};
    default:
      return invalidDefinition(std::string(toString(what.sort)) + " where it cannot stand", offset);
  }
}

namespace {

Sort sortOf(ExternTypeRef::Kind kind) {
  switch (kind) {
    case ExternTypeRef::Kind::CORE_MODULE:
      return Sort::CORE_MODULE;
    case ExternTypeRef::Kind::FUNC:
      return Sort::FUNC;
    case ExternTypeRef::Kind::VALUE_EQ:
    case ExternTypeRef::Kind::VALUE_TYPE:
      return Sort::VALUE;
    case ExternTypeRef::Kind::TYPE_EQ:
    case ExternTypeRef::Kind::TYPE_SUB:
      return Sort::TYPE;
    case ExternTypeRef::Kind::COMPONENT:
      return Sort::COMPONENT;
    case ExternTypeRef::Kind::INSTANCE:
      return Sort::INSTANCE;
  }
  return Sort::VALUE;
}

}  // namespace

Result<void> Flattener::defineImport(Scope& scope, const Import& import, uint64_t offset) {
  Sort sort = sortOf(import.type.kind);
  if (scope.arguments) {
    auto found = scope.arguments->byName.find(import.name.name);
    if (found != scope.arguments->byName.end()) {
      return bind(scope, sort, scope.arguments->exports[found->second].item, offset);
    }
  }
  if (!scope.importsFromHost) {
    return invalidDefinition("nothing is given for import " + std::string(import.name.name),
                             offset);
  }
  TENON_TRY(Item item, importItem(scope, import.name.name, import.type, offset));
  return bind(scope, sort, item, offset);
}

Result<void> Flattener::defineExport(Scope& scope, const Export& definition, InstanceItem& exports,
                                     uint64_t offset) {
  TENON_TRY(Item item, lookUp(scope, definition.item, offset));
  if (const auto* type = std::get_if<TypeItem>(&item)) {
    nameResource(type->resource, definition.name.name);
  }
  exports.add(definition.name.name, definition.item.sort, item);
  return bind(scope, definition.item.sort, item, offset);
}

Result<void> Flattener::defineInstance(Scope& scope, const Instance& instance, uint64_t offset) {
  if (!instance.instantiate) {
    InstanceItem& bag = instances_.emplace_back();
    for (const InlineExport& entry : instance.exports) {
      TENON_CHECK(charge(1));
      TENON_TRY(Item item, lookUp(scope, entry.item, offset));
      bag.add(entry.name.name, entry.item.sort, item);
    }
    scope.instances.push_back(&bag);
    return {};
  }
  InstanceItem& arguments = instances_.emplace_back();
  for (const InstantiateArg& argument : instance.args) {
    TENON_CHECK(charge(1));
    TENON_TRY(Item item, lookUp(scope, argument.item, offset));
    arguments.add(argument.name, argument.item.sort, item);
  }
  TENON_TRY(Item closure, lookUp(scope, {Sort::COMPONENT, instance.component}, offset));
  TENON_TRY(const InstanceItem* made,
            instantiate(std::get<ClosureItem>(closure), arguments, scope, offset));
  scope.instances.push_back(made);
  return {};
}

Result<void> Flattener::defineAlias(Scope& scope, const Alias& alias, uint64_t offset) {
  if (const auto* target = std::get_if<ExportAlias>(&alias.target)) {
    TENON_TRY(Item item, lookUp(scope, {Sort::INSTANCE, target->instance}, offset));
    const InstanceItem& instance = *std::get<const InstanceItem*>(item);
    auto found = instance.byName.find(target->name);
    if (found == instance.byName.end()) {
      return invalidDefinition("the instance has no export " + std::string(target->name), offset);
    }
    return bind(scope, alias.sort, instance.exports[found->second].item, offset);
  }
  if (const auto* target = std::get_if<CoreExportAlias>(&alias.target)) {
    if (target->instance >= scope.coreInstances.size()) {
      return invalidDefinition("core instance out of range", offset);
    }
    std::vector<CoreItem>* space = scope.coreSpace(alias.sort);
    if (!space) return invalidDefinition("an alias of this sort", offset);
    TENON_TRY(CoreItem item,
              coreExport(*scope.coreInstances[target->instance], target->name, offset));
    space->push_back(std::move(item));
    return {};
  }
  const auto& target = std::get<OuterAlias>(alias.target);
  const Scope* outer = &scope;
  for (uint32_t i = 0; i < target.count && outer; ++i) outer = outer->parent;
  if (!outer) return invalidDefinition("an outer alias beyond the outermost component", offset);
  if (alias.sort == Sort::CORE_TYPE) {
    ++scope.coreTypes;
    return {};
  }
  TENON_TRY(Item item, lookUp(*outer, {alias.sort, target.index}, offset));
  return bind(scope, alias.sort, item, offset);
}

}  // namespace tenon::component
