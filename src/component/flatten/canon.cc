// The part of the Flattener for canonical definitions: lifts, lowers and built-ins.

#include "component/flatten/flattener.h"
#include "component/flatten/signature.h"

#include <string>
#include <utility>
#include <variant>

namespace tenon::component {

uint32_t Flattener::functionSlot(const CoreItem& item) {
  auto next = static_cast<uint32_t>(program_.functions.size());
  auto [found, added] = functionSlots_.emplace(CoreItemKey{item.kind, item.index, item.name}, next);
  if (added) program_.functions.push_back(item);
  return found->second;
}

Result<uint32_t> Flattener::memorySlot(const CoreItem& item, uint64_t offset) {
  auto next = static_cast<uint32_t>(program_.memories.size());
  auto [found, added] = memorySlots_.emplace(CoreItemKey{item.kind, item.index, item.name}, next);
  if (!added) return found->second;
  program_.memories.push_back(item);
  if (item.kind != CoreItem::Kind::INSTANCE_EXPORT || item.index >= program_.steps.size()) {
    return invalidDefinition("a memory that no core instance exports", offset);
  }
  const uint32_t index = program_.steps[item.index].module;
  if (index == NONE) return next;  // of a module that is given by nobody
  const ModuleBytes& module = program_.modules[index];
  auto interface = interfaces_.find(module.bytes.data());
  if (interface == interfaces_.end()) return invalidDefinition("an unread core module", offset);
  auto [exports, isNew] = exportsByName_.try_emplace(module.bytes.data());
  if (isNew) exports->second = exportTypes(interface->second);
  auto entry = exports->second.find(item.name);
  if (entry == exports->second.end()) {
    return invalidDefinition("a memory that its module does not export", offset);
  }
  const CoreLimits& memory = entry->second->limits;
  const char* what = memory.is64                              ? "64-bit memories"
                     : memory.shared                          ? "shared memories"
                     : memory.pageSizeLog2.value_or(16) != 16 ? "memories with small pages"
                                                              : nullptr;
  if (!what) return next;
  return Error{ErrorCode::UNSUPPORTED,
               std::string(what) + " are not supported as a canonical function's memory", offset};
}

Result<Options> Flattener::options(Scope& scope, const CanonOpts& opts, uint64_t offset) {
  Options options;
  options.instance = scope.instance;
  options.encoding = opts.encoding.value_or(StringEncoding::UTF8);
  options.async = opts.async;
  if (opts.memory) {
    if (*opts.memory >= scope.coreMemories.size()) {
      return invalidDefinition("memory out of range", offset);
    }
    TENON_TRY(options.memory, memorySlot(scope.coreMemories[*opts.memory], offset));
  }
  auto function = [&](const std::optional<uint32_t>& index, uint32_t& slot) {
    if (!index) return true;
    if (*index >= scope.coreFuncs.size()) return false;
    slot = functionSlot(scope.coreFuncs[*index]);
    return true;
  };
  if (!function(opts.realloc, options.realloc) || !function(opts.postReturn, options.postReturn) ||
      !function(opts.callback, options.callback)) {
    return invalidDefinition("core func out of range", offset);
  }
  return options;
}

CoreItem Flattener::addTrampoline(Trampoline trampoline) {
  auto index = static_cast<uint32_t>(program_.trampolines.size());
  program_.trampolines.push_back(std::move(trampoline));
  return {CoreItem::Kind::TRAMPOLINE, index, {}};
}

Result<void> Flattener::defineCanon(Scope& scope, const Canon& canon, uint64_t offset) {
  TENON_CHECK(charge(1));
  switch (canon.kind) {
    case CanonKind::LIFT:
      return defineLift(scope, canon, offset);
    case CanonKind::LOWER:
      return defineLower(scope, canon, offset);
    default:
      return defineBuiltin(scope, canon, offset);
  }
}

Result<void> Flattener::defineLift(Scope& scope, const Canon& canon, uint64_t offset) {
  if (canon.func >= scope.coreFuncs.size()) {
    return invalidDefinition("core func out of range", offset);
  }
  LiftedFunction lifted;
  lifted.callee = scope.coreFuncs[canon.func];
  lifted.calleeSlot = functionSlot(lifted.callee);
  TENON_TRY(const FuncType* type, functionType(scope, canon.type, offset));
  lifted.type = *type;
  TENON_TRY(lifted.options, options(scope, canon.opts, offset));
  scope.funcs.push_back({FuncItem::Kind::LIFTED, static_cast<uint32_t>(lifted_.size())});
  lifted_.push_back(std::move(lifted));
  return {};
}

Result<void> Flattener::defineLower(Scope& scope, const Canon& canon, uint64_t offset) {
  if (canon.func >= scope.funcs.size()) return invalidDefinition("func out of range", offset);
  const FuncItem func = scope.funcs[canon.func];
  TENON_TRY(Options caller, options(scope, canon.opts, offset));
  bool isLifted = func.kind == FuncItem::Kind::LIFTED;
  const FuncType& type = isLifted ? lifted_[func.index].type : program_.imports[func.index].type;
  // A function that is asynchronous by type alone is subject to backpressure and to the callee's
  // other tasks, which nothing here looks at.
  bool async = caller.async || (isLifted && (type.async || lifted_[func.index].options.async));
  if (isLifted && !async) {
    auto index = static_cast<uint32_t>(program_.adapters.size());
    program_.adapters.push_back({lifted_[func.index], caller, type, flattenLower(type)});
    scope.coreFuncs.push_back({CoreItem::Kind::ADAPTER, index, {}});
    return {};
  }
  Trampoline trampoline;
  // What needs asynchrony can be named and given to modules; calling it traps.
  trampoline.kind = async ? Trampoline::Kind::BUILTIN : Trampoline::Kind::LOWER_IMPORT;
  trampoline.canon = CanonKind::LOWER;
  trampoline.instance = scope.instance;
  trampoline.signature = caller.async ? flattenAsyncLower(type) : flattenLower(type);
  trampoline.import = isLifted ? NONE : func.index;
  trampoline.type = type;
  trampoline.options = caller;
  scope.coreFuncs.push_back(addTrampoline(std::move(trampoline)));
  return {};
}

Result<void> Flattener::defineBuiltin(Scope& scope, const Canon& canon, uint64_t offset) {
  Trampoline trampoline;
  trampoline.kind = Trampoline::Kind::BUILTIN;
  trampoline.canon = canon.kind;
  trampoline.instance = scope.instance;
  TENON_TRY(trampoline.options, options(scope, canon.opts, offset));
  trampoline.options.async |= canon.async;
  switch (canon.kind) {
    case CanonKind::RESOURCE_NEW:
    case CanonKind::RESOURCE_DROP:
    case CanonKind::RESOURCE_REP: {
      trampoline.kind = canon.kind == CanonKind::RESOURCE_NEW    ? Trampoline::Kind::RESOURCE_NEW
                        : canon.kind == CanonKind::RESOURCE_DROP ? Trampoline::Kind::RESOURCE_DROP
                                                                 : Trampoline::Kind::RESOURCE_REP;
      TENON_TRY(trampoline.resource, resourceAt(scope, canon.type, offset));
      break;
    }
    case CanonKind::CONTEXT_GET:
    case CanonKind::CONTEXT_SET:
      trampoline.contextSlot = canon.contextSlot;
      trampoline.contextType = canon.contextType.code == 0x7e ? CoreType::I64 : CoreType::I32;
      break;
    case CanonKind::TASK_RETURN:
      if (canon.result) {
        TENON_TRY(trampoline.type.result, valueType(scope, *canon.result, offset));
      }
      break;
    case CanonKind::WAITABLE_SET_WAIT:
    case CanonKind::WAITABLE_SET_POLL: {
      if (canon.memory >= scope.coreMemories.size()) {
        return invalidDefinition("memory out of range", offset);
      }
      TENON_TRY(trampoline.options.memory, memorySlot(scope.coreMemories[canon.memory], offset));
      break;
    }
    default:
      break;
  }
  auto signature = builtinSignature(canon, trampoline.type.result);
  if (!signature) {
    signature.error().offset = offset;
    return std::move(signature).error();
  }
  trampoline.signature = *std::move(signature);
  scope.coreFuncs.push_back(addTrampoline(std::move(trampoline)));
  return {};
}

}  // namespace tenon::component
