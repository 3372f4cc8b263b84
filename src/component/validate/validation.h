#pragma once

// The walk over a component's definitions. One Validation checks one file, nested components
// included; its scopes are a stack, innermost last. The methods are spread over the part's sources
// by what they check.

#include "component/binary/decoder.h"
#include "component/validate/scope.h"
#include "component/validate/subtyping.h"

#include <memory>

namespace tenon::component::typed {

// Canonical options after their own rules were checked.
struct CheckedOptions {
  bool hasMemory = false;
  bool memory64 = false;
  bool hasRealloc = false;
  bool async = false;
  std::optional<uint32_t> postReturn, callback;

  CoreType pointer() const { return memory64 ? CoreType::I64 : CoreType::I32; }
};

enum class Lifting : uint8_t { LIFT, LOWER };

class Validation {
 public:
  // All are borrowed.
  Validation(Arena& arena, const Features& features)
      : arena_(arena), features_(features), copiedBefore_(arena.copiedItems()) {}

  // The type of a valid component. Errors: INVALID, UNSUPPORTED, LIMIT_EXCEEDED with an offset.
  Result<const ComponentNode*> component(const Component& component);

 private:
  Scope& scope() { return *scopes_.back(); }
  NameRules nameRules() const { return {features_.getters, features_.canonicalNames}; }
  Result<void> requireValues(uint64_t offset) const {
    return gate(features_.values, "values", offset);
  }

  // validation.cc: definitions and scopes.
  Result<void> definition(const Definition& definition);
  Result<void> checkCopies(uint64_t offset) const;
  Result<ComponentNode> finish(Scope& scope, uint64_t offset);
  Result<Scope*> outer(uint32_t count, uint64_t offset);
  Result<void> alias(const Alias& alias, uint64_t offset);
  Result<void> aliasExport(Sort sort, const ExportAlias& target, uint64_t offset);
  Result<void> aliasCoreExport(Sort sort, const CoreExportAlias& target, uint64_t offset);
  Result<void> aliasOuter(Sort sort, const OuterAlias& target, uint64_t offset);
  Result<void> aliasOuterType(Scope& from, const OuterAlias& target, uint64_t offset);
  Result<void> start(const Start& start, uint64_t offset);

  // externs.cc: imports, exports, and the types they are declared with.
  Result<Entity> externType(const ExternTypeRef& type, uint64_t offset);
  Result<void> import(const Import& import, uint64_t offset);
  Result<void> exportItem(const Export& item, uint64_t offset);
  Result<void> exportDecl(const ExportDecl& decl, uint64_t offset);
  Result<void> addExport(const ExternName& name, Entity entity, uint64_t offset);
  // Refuses a gated feature that is not let through.
  Result<void> gate(bool enabled, const char* what, uint64_t offset) const;
  // Appends to the index space of its sort.
  Result<void> push(const Entity& entity, bool valueUsed, uint64_t offset);
  // Gives resources that the entity's type binds to the scope. May change the entity to a fresh
  // one.
  void adopt(Entity& entity, Direction direction);
  const InstanceNode* freshen(const InstanceNode* instance, Direction direction);
  Result<Entity> ascribe(const Entity& actual, const ExternTypeRef& type, uint64_t offset);
  // What an index names. A type is renamed if `fresh`. Uses up values.
  enum class Naming : uint8_t { SAME, FRESH };
  Result<Entity> entityAt(const SortIndex& item, Naming naming, uint64_t offset);

  // types.cc
  Result<void> type(const TypeDef& def, uint64_t offset);
  Result<AnyType> makeType(const TypeDef& def, uint64_t offset);
  Result<ValRef> valType(const ValTypeRef& ref, uint64_t offset);
  Result<ValRef> optionalValType(const std::optional<ValTypeRef>& ref, uint64_t offset);
  Result<ValRef> defined(const DefValType& def, uint64_t offset);
  Result<void> addPart(ValNode& node, ValRef part, uint64_t offset);
  Result<void> definedMembers(const DefValType& def, ValNode& node, uint64_t offset);
  Result<void> definedContainer(const DefValType& def, ValNode& node, uint64_t offset);
  Result<void> definedMap(const DefValType& def, ValNode& node, uint64_t offset);
  Result<void> definedAsync(const DefValType& def, ValNode& node, uint64_t offset);
  Result<const FuncNode*> funcType(const FuncTypeDef& def, uint64_t offset);
  Result<ResourceRef> resourceType(const ResourceTypeDef& def, uint64_t offset);
  Result<const ComponentNode*> componentType(const ComponentTypeDef& def, uint64_t offset);
  Result<const InstanceNode*> instanceType(const InstanceTypeDef& def, uint64_t offset);
  Result<void> decl(const Decl& decl);

  // instances.cc
  Result<void> instance(const Instance& instance, uint64_t offset);
  Result<const InstanceNode*> instantiate(const Instance& instance, uint64_t offset);
  Result<const InstanceNode*> bag(const Instance& instance, uint64_t offset);

  // core.cc
  Result<void> coreModule(const CoreModule& module, uint64_t offset);
  Result<void> coreInstance(const CoreInstance& instance, uint64_t offset);
  Result<void> coreInstantiate(const CoreInstance& instance, CoreInstanceNode& node,
                               uint64_t offset);
  Result<void> coreBag(const CoreInstance& instance, CoreInstanceNode& node, uint64_t offset);
  Result<void> coreType(const CoreTypeDef& def, uint64_t offset);
  // Appends the types of one definition that is no module type.
  Result<void> coreComposites(const CoreTypeDef& def, CoreTypeSpace& types, uint64_t offset);
  Result<const ModuleNode*> moduleType(const CoreModuleTypeDef& def, uint64_t offset);
  Result<CoreTypeEntry> moduleTypeAlias(const CoreOuterTypeAlias& alias, const CoreTypeSpace& types,
                                        uint64_t offset);
  Result<const ModuleNode*> ownModule(std::vector<CoreImportDecl> imports,
                                      std::vector<CoreExportDecl> exports, uint64_t offset);

  // canon.cc
  Result<void> canon(const Canon& canon, uint64_t offset);
  Result<CheckedOptions> options(const CanonOpts& opts, uint64_t offset);
  Result<void> memoryOption(uint32_t index, CheckedOptions& checked, uint64_t offset);
  Result<void> reallocOption(uint32_t index, const CheckedOptions& checked, uint64_t offset);
  // The core signature, after checking that the options suffice.
  Result<CoreSignature> lowered(const FuncNode& func, const CheckedOptions& options,
                                Lifting lifting, uint64_t offset);
  Result<void> lift(const Canon& canon, uint64_t offset);
  Result<void> checkLiftOptions(const CheckedOptions& options, const CoreFuncType& callee,
                                uint64_t offset);
  Result<void> lower(const Canon& canon, uint64_t offset);
  Result<void> taskReturn(const Canon& canon, uint64_t offset);
  void pushCoreFunc(const std::vector<CoreType>& params, const std::vector<CoreType>& results);

  // builtins.cc: the rest. They give one core function each.
  Result<void> builtin(const Canon& canon, uint64_t offset);
  Result<void> gateCancel(const Canon& canon, uint64_t offset) const;
  Result<void> resourceBuiltin(const Canon& canon, uint64_t offset);
  Result<void> contextBuiltin(const Canon& canon, uint64_t offset);
  Result<void> streamBuiltin(const Canon& canon, TypeKind kind, uint64_t offset);
  Result<void> copyBuiltin(const Canon& canon, const Type& type, uint64_t offset);
  Result<void> errorContextBuiltin(const Canon& canon, uint64_t offset);
  Result<void> waitableSetBuiltin(const Canon& canon, uint64_t offset);
  Result<void> threadBuiltin(const Canon& canon, uint64_t offset);

  Arena& arena_;
  const Features& features_;
  std::vector<std::unique_ptr<Scope>> scopes_;
  size_t modulesAndComponents_ = 0;
  size_t copiedBefore_;  // by others that use the arena
  // Of the definition that is being checked, until it is known to be good.
  std::vector<ValRef> parts_;
  std::vector<FuncNode::Param> params_;
};

// The scope of a component or a type while it is being checked.
class ScopeGuard {
 public:
  ScopeGuard(std::vector<std::unique_ptr<Scope>>& scopes, ScopeKind kind) : scopes_(scopes) {
    scopes_.push_back(std::make_unique<Scope>(kind));
  }
  ~ScopeGuard() { scopes_.pop_back(); }
  ScopeGuard(const ScopeGuard&) = delete;
  ScopeGuard& operator=(const ScopeGuard&) = delete;

 private:
  std::vector<std::unique_ptr<Scope>>& scopes_;
};

}  // namespace tenon::component::typed
