// The part of the Flattener that makes core instances: program steps, or bags of items.

#include "component/flatten/flattener.h"

#include <string>
#include <utility>

namespace tenon::component {

Result<void> Flattener::defineCoreInstance(Scope& scope, const CoreInstance& instance,
                                           uint64_t offset) {
  if (instance.instantiate) {
    TENON_TRY(const CoreInstanceItem* made, instantiateCore(scope, instance, offset));
    scope.coreInstances.push_back(made);
    return {};
  }
  CoreInstanceItem& bag = coreInstances_.emplace_back();
  for (const CoreInlineExport& entry : instance.exports) {
    TENON_CHECK(charge(1));
    const std::vector<CoreItem>* space = scope.coreSpace(entry.item.sort);
    if (!space || entry.item.index >= space->size()) {
      return invalidDefinition("core export " + std::string(entry.name) + " of nothing", offset);
    }
    bag.exports.emplace(entry.name, (*space)[entry.item.index]);
  }
  scope.coreInstances.push_back(&bag);
  return {};
}

Result<const CoreModuleInterface*> Flattener::interfaceOf(const ModuleItem& module) {
  const std::byte* key = module.module->bytes.data();
  auto found = interfaces_.find(key);
  if (found == interfaces_.end()) {
    TENON_TRY(CoreModuleInterface interface, readCoreModule(module.module->bytes, module.offset));
    found = interfaces_.emplace(key, std::move(interface)).first;
  }
  return &found->second;
}

uint32_t Flattener::moduleIndex(const ModuleItem& module) {
  auto next = static_cast<uint32_t>(program_.modules.size());
  auto [found, added] = moduleIndices_.emplace(module.module->bytes.data(), next);
  if (added) {
    ModuleBytes bytes;
    bytes.bytes = module.module->bytes;
    bytes.offset = module.offset;
    bytes.name = "core module " + std::to_string(next);
    program_.modules.push_back(std::move(bytes));
  }
  return found->second;
}

Result<CoreItem> Flattener::coreExport(const CoreInstanceItem& instance, std::string_view name,
                                       uint64_t offset) {
  if (instance.step != NONE) {
    return CoreItem{CoreItem::Kind::INSTANCE_EXPORT, instance.step, std::string(name)};
  }
  auto found = instance.exports.find(name);
  if (found != instance.exports.end()) return found->second;
  return invalidDefinition("the core instance has no export " + std::string(name), offset);
}

Result<const CoreInstanceItem*> Flattener::instantiateCore(Scope& scope,
                                                           const CoreInstance& instance,
                                                           uint64_t offset) {
  if (instance.module >= scope.coreModules.size()) {
    return invalidDefinition("core module out of range", offset);
  }
  if (program_.steps.size() >= limits_.maxCoreInstances) {
    return Error{ErrorCode::LIMIT_EXCEEDED,
                 "more than " + std::to_string(limits_.maxCoreInstances) + " core instances",
                 offset};
  }
  std::map<std::string_view, const CoreInstanceItem*> arguments;
  for (const CoreInstantiateArg& argument : instance.args) {
    if (argument.instance >= scope.coreInstances.size()) {
      return invalidDefinition("core instance out of range", offset);
    }
    arguments.emplace(argument.name, scope.coreInstances[argument.instance]);
  }
  const ModuleItem module = scope.coreModules[instance.module];
  if (!module.module) {
    CoreInstanceItem& made = coreInstances_.emplace_back();
    made.step = static_cast<uint32_t>(program_.steps.size());
    program_.steps.push_back({NONE, {}, scope.instance});
    return &made;
  }
  TENON_TRY(const CoreModuleInterface* interface, interfaceOf(module));
  InstantiateStep step;
  step.module = moduleIndex(module);
  step.instance = scope.instance;
  step.args.reserve(interface->imports.size());
  TENON_CHECK(charge(interface->imports.size()));
  for (const CoreImportDecl& import : interface->imports) {
    auto found = arguments.find(import.module);
    if (found == arguments.end()) {
      return invalidDefinition("no argument " + std::string(import.module) + " for a core module",
                               offset);
    }
    TENON_TRY(CoreItem item, coreExport(*found->second, import.name, offset));
    step.args.push_back({std::string(import.module), std::string(import.name), std::move(item)});
  }
  CoreInstanceItem& made = coreInstances_.emplace_back();
  made.step = static_cast<uint32_t>(program_.steps.size());
  program_.steps.push_back(std::move(step));
  return &made;
}

}  // namespace tenon::component
