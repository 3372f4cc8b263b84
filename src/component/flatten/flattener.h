#pragma once

// The symbolic instantiation itself, private to this part. Made for one `flatten`.

#include "component/binary/core_module.h"
#include "component/flatten/environment.h"
#include "component/flatten/flatten.h"

#include <tenon/result.h>

#include <deque>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace tenon::component {

class Flattener {
 public:
  // MISSING: modules that the world imports are given by nobody, and what is made of them only
  // stands for it.
  enum class Modules : uint8_t { GIVEN, MISSING };
  Flattener(const std::string& name, const FlattenLimits& limits, Modules modules = Modules::GIVEN);
  Result<Program> run(std::span<const WorkloadPart> parts);

 private:
  // flattener.cc: definitions
  Result<void> define(Scope& scope, const Definition& definition);
  Result<void> defineImport(Scope& scope, const Import& import, uint64_t offset);
  Result<void> defineExport(Scope& scope, const Export& definition, InstanceItem& exports,
                            uint64_t offset);
  Result<void> defineAlias(Scope& scope, const Alias& alias, uint64_t offset);
  Result<void> defineInstance(Scope& scope, const Instance& instance, uint64_t offset);
  Result<const InstanceItem*> evaluate(const ClosureItem& closure, Scope& scope);
  Result<const InstanceItem*> instantiate(const ClosureItem& closure, const InstanceItem& arguments,
                                          const Scope& instantiator, uint64_t offset);
  Result<Item> lookUp(const Scope& scope, SortIndex what, uint64_t offset);
  Result<void> bind(Scope& scope, Sort sort, const Item& item, uint64_t offset);

  // core_instances.cc
  Result<void> defineCoreInstance(Scope& scope, const CoreInstance& instance, uint64_t offset);
  Result<const CoreInstanceItem*> instantiateCore(Scope& scope, const CoreInstance& instance,
                                                  uint64_t offset);
  Result<const CoreModuleInterface*> interfaceOf(const ModuleItem& module);
  Result<CoreItem> coreExport(const CoreInstanceItem& instance, std::string_view name,
                              uint64_t offset);
  uint32_t moduleIndex(const ModuleItem& module);

  // types.cc
  Result<void> defineType(Scope& scope, const TypeDef& definition);
  Result<const Type*> valueType(const Scope& scope, const ValTypeRef& ref, uint64_t offset);
  Result<const Type*> definedType(const Scope& scope, const DefValType& type, uint64_t offset);
  Result<const FuncType*> functionType(const Scope& scope, uint32_t index, uint64_t offset);
  Result<uint32_t> resourceAt(const Scope& scope, uint32_t index, uint64_t offset);
  Result<Item> importItem(Scope& scope, std::string_view name, const ExternTypeRef& type,
                          uint64_t offset);
  Result<const InstanceItem*> importInstance(const TypeItem& type, std::string interface,
                                             uint32_t depth, uint64_t offset);

  // canon.cc
  Result<void> defineCanon(Scope& scope, const Canon& canon, uint64_t offset);
  Result<void> defineLift(Scope& scope, const Canon& canon, uint64_t offset);
  Result<void> defineLower(Scope& scope, const Canon& canon, uint64_t offset);
  Result<void> defineBuiltin(Scope& scope, const Canon& canon, uint64_t offset);
  Result<Options> options(Scope& scope, const CanonOpts& opts, uint64_t offset);
  CoreItem addTrampoline(Trampoline trampoline);
  uint32_t functionSlot(const CoreItem& item);
  Result<uint32_t> memorySlot(const CoreItem& item, uint64_t offset);

  // exports.cc
  // COMPONENT: `exports` are a component's; WORKLOAD: each is a part, an instance.
  enum class Outermost : uint8_t { COMPONENT, WORKLOAD };
  Result<void> finish(const InstanceItem& exports, Outermost outermost);
  // `name`: of the part, for messages.
  Result<void> reexport(std::vector<ProgramExport>& exports, uint32_t part, std::string name);
  Result<ProgramExport> programExport(const InstanceItem::Entry& entry, uint32_t depth);

  Result<void> charge(uint64_t items);
  void nameResource(uint32_t resource, std::string_view name);
  void nameHandles();  // once all resources have their names
  Scope& newScope(Scope* parent);

  FlattenLimits limits_;
  const Modules modules_;
  Program program_;
  uint64_t items_ = 0;

  std::deque<Scope> scopes_;
  std::deque<InstanceItem> instances_;
  std::deque<CoreInstanceItem> coreInstances_;
  std::deque<FuncType> funcTypes_;
  std::deque<LiftedFunction> lifted_;
  std::deque<std::string> strings_;  // names that views refer to

  using CoreItemKey = std::tuple<CoreItem::Kind, uint32_t, std::string>;
  std::map<CoreItemKey, uint32_t> functionSlots_, memorySlots_;
  std::map<const std::byte*, uint32_t> moduleIndices_;
  std::map<const std::byte*, CoreModuleInterface> interfaces_;
  // Of those that memories were looked for in.
  std::map<const std::byte*, ExportTypes> exportsByName_;
};

// Something that validation should have refused.
inline Error invalidDefinition(std::string what, uint64_t offset) {
  return Error{ErrorCode::INTERNAL, "validation let this through: " + std::move(what), offset};
}

}  // namespace tenon::component
