// Core modules, their types and their instances.

#include "component/binary/core_module.h"
#include "component/validate/core_types.h"
#include "component/validate/say.h"
#include "component/validate/validation.h"

#include <set>

namespace tenon::component::typed {
namespace {

constexpr uint64_t DEFAULT_PAGE_SIZE_LOG2 = 16;

Result<void> checkMemory(const CoreLimits& limits, uint64_t offset) {
  uint64_t log2 = limits.pageSizeLog2.value_or(DEFAULT_PAGE_SIZE_LOG2);
  if (log2 != 0 && log2 != DEFAULT_PAGE_SIZE_LOG2) {
    return invalid(offset, "a memory's page size must be 1 or 65536 bytes");
  }
  uint64_t addressBits = limits.is64 ? 64 : 32;
  uint64_t most =
      log2 == 0 ? (limits.is64 ? UINT64_MAX : UINT32_MAX) : uint64_t{1} << (addressBits - log2);
  if (limits.min > most || limits.max.value_or(0) > most) {
    return invalid(offset, say("memory size must be at most ", most, " pages"));
  }
  if (limits.shared && !limits.max) return invalid(offset, "shared memory must have maximum size");
  return {};
}

// What a module's own validation checks of imports and exports, for a module type.
Result<void> checkExtern(const CoreExternType& type, uint64_t offset) {
  if (type.limits.max && *type.limits.max < type.limits.min) {
    return invalid(offset, "size minimum must not be greater than maximum");
  }
  if (type.kind == CoreExternKind::MEMORY) return checkMemory(type.limits, offset);
  if (type.kind == CoreExternKind::TABLE && type.limits.shared) {
    return Error{ErrorCode::UNSUPPORTED, "shared tables are not supported", offset};
  }
  if (type.kind == CoreExternKind::TAG && !type.func.results.empty()) {
    return invalid(offset, "invalid exception type: non-empty tag result type");
  }
  return {};
}

Extent extentOfCore(const CoreExternType& type) {
  if (type.kind != CoreExternKind::FUNC && type.kind != CoreExternKind::TAG) return {};
  return {static_cast<uint32_t>(2 + type.func.params.size() + type.func.results.size()), 1};
}

// Sizes add up; core types do not nest.
Result<void> addSize(Extent& extent, const CoreExternType& type, uint64_t offset) {
  TENON_CHECK(extent.add(extentOfCore(type), offset));
  extent.depth = 1;
  return {};
}

}  // namespace

Result<const ModuleNode*> Validation::ownModule(std::vector<CoreImportDecl> imports,
                                                std::vector<CoreExportDecl> exports,
                                                uint64_t offset) {
  ModuleNode node;
  node.imports = std::move(imports);
  node.exports = std::move(exports);
  // Two-level names become one-level names where a module is used as a component.
  std::set<std::pair<std::string_view, std::string_view>> names;
  for (const CoreImportDecl& import : node.imports) {
    if (!names.emplace(import.module, import.name).second) {
      return invalid(import.offset, say("duplicate import name `", import.module, ":", import.name,
                                        "` already defined"));
    }
    TENON_CHECK(addSize(node.extent, import.type, offset));
  }
  for (uint32_t i = 0; i < node.exports.size(); ++i) {
    const CoreExportDecl& item = node.exports[i];
    if (!node.exportsByName.emplace(item.name, i).second) {
      return invalid(item.offset, say("duplicate export name `", item.name, "` already defined"));
    }
    TENON_CHECK(addSize(node.extent, item.type, offset));
  }
  return arena_.own(std::move(node));
}

Result<void> Validation::coreModule(const CoreModule& module, uint64_t offset) {
  TENON_CHECK(checkCount(scope().coreModules.size(), 1, MAX_MODULES, "modules", offset));
  if (++modulesAndComponents_ > MAX_MODULES_AND_COMPONENTS) {
    return Error{
        ErrorCode::LIMIT_EXCEEDED,
        say("modules and components count exceeds the limit of ", MAX_MODULES_AND_COMPONENTS),
        offset};
  }
  TENON_TRY(CoreModuleInterface interface, readCoreModule(module.bytes, offset));
  CoreTypeTable& table = arena_.coreTypes();
  TENON_TRY(CoreTypeSpace types, table.typesOfModule(module.bytes, offset));
  for (CoreImportDecl& import : interface.imports) {
    TENON_CHECK(table.resolve(import.type, types, import.offset));
  }
  for (CoreExportDecl& item : interface.exports) {
    TENON_CHECK(table.resolve(item.type, types, item.offset));
  }
  TENON_TRY(const ModuleNode* node,
            ownModule(std::move(interface.imports), std::move(interface.exports), offset));
  scope().coreModules.push_back(node);
  return {};
}

// -- Core types -----------------------------------------------------------------------------------

Result<void> Validation::coreType(const CoreTypeDef& def, uint64_t offset) {
  CoreTypeSpace& types = scope().coreTypes;
  if (const auto* module = std::get_if<CoreModuleTypeDef>(&def.def)) {
    TENON_CHECK(checkCount(scope().typeCount(), 1, MAX_TYPES, "types", offset));
    TENON_TRY(const ModuleNode* node, moduleType(*module, offset));
    types.push_back({0, node});
    return {};
  }
  const auto* other = std::get_if<CoreOtherType>(&def.def);
  size_t count = other == nullptr ? 1 : other->count;
  TENON_CHECK(checkCount(scope().typeCount(), count, MAX_TYPES, "types", offset));
  return coreComposites(def, types, offset);
}

Result<void> Validation::coreComposites(const CoreTypeDef& def, CoreTypeSpace& types,
                                        uint64_t offset) {
  if (const auto* func = std::get_if<CoreFuncType>(&def.def)) {
    return arena_.coreTypes().add(*func, types, offset);
  }
  return arena_.coreTypes().add(std::get<CoreOtherType>(def.def), types, offset);
}

Result<const ModuleNode*> Validation::moduleType(const CoreModuleTypeDef& def, uint64_t offset) {
  CoreTypeSpace types;
  CoreTypeTable& table = arena_.coreTypes();
  std::vector<CoreImportDecl> imports;
  std::vector<CoreExportDecl> exports;
  for (const CoreModuleDecl& decl : def.decls) {
    if (const auto* import = std::get_if<CoreImportDecl>(&decl)) {
      imports.push_back(*import);
      TENON_CHECK(table.resolve(imports.back().type, types, import->offset));
      TENON_CHECK(checkExtern(imports.back().type, import->offset));
    } else if (const auto* item = std::get_if<CoreExportDecl>(&decl)) {
      exports.push_back(*item);
      TENON_CHECK(table.resolve(exports.back().type, types, item->offset));
      TENON_CHECK(checkExtern(exports.back().type, item->offset));
    } else if (const auto* alias = std::get_if<CoreOuterTypeAlias>(&decl)) {
      TENON_TRY(CoreTypeEntry entry, moduleTypeAlias(*alias, types, offset));
      types.push_back(entry);
    } else {
      const CoreTypeDef& nested = *std::get<std::unique_ptr<CoreTypeDef>>(decl);
      if (std::holds_alternative<CoreModuleTypeDef>(nested.def)) {
        return invalid(nested.offset, "a core module type cannot define a core module type");
      }
      TENON_CHECK(coreComposites(nested, types, nested.offset));
    }
    TENON_CHECK(checkCount(types.size(), 0, MAX_TYPES, "types", offset));
  }
  return ownModule(std::move(imports), std::move(exports), offset);
}

Result<CoreTypeEntry> Validation::moduleTypeAlias(const CoreOuterTypeAlias& alias,
                                                  const CoreTypeSpace& types, uint64_t offset) {
  if (alias.count == 0) {
    if (alias.index < types.size()) return types[alias.index];
    return invalid(offset, say("unknown type ", alias.index, ": type index out of bounds"));
  }
  TENON_TRY(Scope * from, outer(alias.count - 1, offset));
  TENON_TRY(CoreTypeEntry entry, from->coreType(alias.index, offset));
  if (entry.module == nullptr) return entry;
  return invalid(offset, "a core module type cannot be aliased into a core module type");
}

// -- Core instances -------------------------------------------------------------------------------

Result<void> Validation::coreInstance(const CoreInstance& instance, uint64_t offset) {
  TENON_CHECK(checkCount(scope().instanceCount(), 1, MAX_INSTANCES, "instances", offset));
  CoreInstanceNode node;
  TENON_CHECK(instance.instantiate ? coreInstantiate(instance, node, offset)
                                   : coreBag(instance, node, offset));
  scope().coreInstances.push_back(arena_.own(std::move(node)));
  return {};
}

Result<void> Validation::coreInstantiate(const CoreInstance& instance, CoreInstanceNode& node,
                                         uint64_t offset) {
  TENON_TRY(node.module, scope().coreModule(instance.module, offset));
  TextMap<const CoreInstanceNode*> arguments;
  for (const CoreInstantiateArg& arg : instance.args) {
    TENON_TRY(const CoreInstanceNode* given, scope().coreInstance(arg.instance, offset));
    if (!arguments.emplace(arg.name, given).second) {
      return invalid(offset, say("duplicate module instantiation argument named `", arg.name, "`"));
    }
  }
  for (const CoreImportDecl& import : node.module->imports) {
    auto it = arguments.find(import.module);
    if (it == arguments.end()) {
      return invalid(offset,
                     say("missing module instantiation argument named `", import.module, "`"));
    }
    const CoreExternType* given = it->second->findExport(import.name);
    if (given == nullptr) {
      return invalid(offset, say("module instantiation argument `", import.module,
                                 "` does not export an item named `", import.name, "`"));
    }
    if (auto why = coreMismatch(*given, import.type, arena_.coreTypes())) {
      return invalid(offset,
                     say("type mismatch for export `", import.name,
                         "` of module instantiation argument `", import.module, "`: ", *why));
    }
  }
  return {};
}

Result<void> Validation::coreBag(const CoreInstance& instance, CoreInstanceNode& node,
                                 uint64_t offset) {
  Extent extent;
  for (const CoreInlineExport& item : instance.exports) {
    if (item.item.sort > Sort::CORE_TAG) {
      return invalid(offset, say("a core instance cannot export a ",
                                 tenon::component::toString(item.item.sort)));
    }
    auto kind = static_cast<CoreExternKind>(item.item.sort);
    TENON_TRY(const CoreExternType* type, scope().coreItem(kind, item.item.index, offset));
    if (!node.exports.emplace(item.name, type).second) {
      return invalid(offset,
                     say("duplicate instantiation export name `", item.name, "` already defined"));
    }
    TENON_CHECK(addSize(extent, *type, offset));
  }
  return {};
}

}  // namespace tenon::component::typed
