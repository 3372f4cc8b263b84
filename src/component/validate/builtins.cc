// Canonical built-ins other than task.return. Source: CanonicalABI.md "Canonical Definitions".

#include "component/validate/core_types.h"
#include "component/validate/say.h"
#include "component/validate/validation.h"

namespace tenon::component::typed {
namespace {

constexpr CoreType I32 = CoreType::I32;
constexpr CoreType I64 = CoreType::I64;
constexpr uint32_t CONTEXT_SLOTS = 2;
constexpr CoreValType FUNCREF{0x70, 0};

Result<void> forbidOptions(const CheckedOptions& options, const char* where, uint64_t offset) {
  const char* refused = options.postReturn ? "post-return"
                        : options.callback ? "callback"
                                           : nullptr;
  if (refused == nullptr) return {};
  return invalid(offset,
                 say("canonical option `", refused, "` cannot be specified on `", where, "`"));
}

}  // namespace

Result<void> Validation::builtin(const Canon& canon, uint64_t offset) {
  switch (canon.kind) {
    case CanonKind::RESOURCE_NEW:
    case CanonKind::RESOURCE_DROP:
    case CanonKind::RESOURCE_REP:
      return resourceBuiltin(canon, offset);
    case CanonKind::CONTEXT_GET:
    case CanonKind::CONTEXT_SET:
      return contextBuiltin(canon, offset);
    case CanonKind::TASK_CANCEL:
    case CanonKind::BACKPRESSURE_INC:
    case CanonKind::BACKPRESSURE_DEC:
      pushCoreFunc({}, {});
      return {};
    case CanonKind::SUBTASK_CANCEL:
      TENON_CHECK(gateCancel(canon, offset));
      pushCoreFunc({I32}, {I32});
      return {};
    case CanonKind::SUBTASK_DROP:
    case CanonKind::WAITABLE_SET_DROP:
      pushCoreFunc({I32}, {});
      return {};
    case CanonKind::WAITABLE_SET_NEW:
    case CanonKind::THREAD_YIELD:
      pushCoreFunc({}, {I32});
      return {};
    case CanonKind::WAITABLE_JOIN:
      pushCoreFunc({I32, I32}, {});
      return {};
    case CanonKind::WAITABLE_SET_WAIT:
    case CanonKind::WAITABLE_SET_POLL:
      return waitableSetBuiltin(canon, offset);
    case CanonKind::STREAM_NEW:
    case CanonKind::STREAM_READ:
    case CanonKind::STREAM_WRITE:
    case CanonKind::STREAM_CANCEL_READ:
    case CanonKind::STREAM_CANCEL_WRITE:
    case CanonKind::STREAM_DROP_READABLE:
    case CanonKind::STREAM_DROP_WRITABLE:
    case CanonKind::STREAM_FORWARD:
      return streamBuiltin(canon, TypeKind::STREAM, offset);
    case CanonKind::FUTURE_NEW:
    case CanonKind::FUTURE_READ:
    case CanonKind::FUTURE_WRITE:
    case CanonKind::FUTURE_CANCEL_READ:
    case CanonKind::FUTURE_CANCEL_WRITE:
    case CanonKind::FUTURE_DROP_READABLE:
    case CanonKind::FUTURE_DROP_WRITABLE:
    case CanonKind::FUTURE_FORWARD:
      return streamBuiltin(canon, TypeKind::FUTURE, offset);
    case CanonKind::ERROR_CONTEXT_NEW:
    case CanonKind::ERROR_CONTEXT_DEBUG_MESSAGE:
    case CanonKind::ERROR_CONTEXT_DROP:
      return errorContextBuiltin(canon, offset);
    default:
      return threadBuiltin(canon, offset);
  }
}

Result<void> Validation::gateCancel(const Canon& canon, uint64_t offset) const {
  if (!canon.async) return {};
  return gate(features_.moreAsync, "asynchronous cancellations", offset);
}

Result<void> Validation::resourceBuiltin(const Canon& canon, uint64_t offset) {
  TENON_TRY(ResourceRef resource, scope().resource(canon.type, offset));
  if (canon.kind == CanonKind::RESOURCE_DROP) {
    pushCoreFunc({I32}, {});
    return {};
  }
  auto it = scope().representations.find(resource.id);
  if (it == scope().representations.end()) {
    return invalid(offset, say("type ", canon.type, " is not a local resource"));
  }
  CoreType rep = it->second == coreValType(I64) ? I64 : I32;
  if (canon.kind == CanonKind::RESOURCE_NEW) {
    pushCoreFunc({rep}, {I32});
  } else {
    pushCoreFunc({I32}, {rep});
  }
  return {};
}

Result<void> Validation::contextBuiltin(const Canon& canon, uint64_t offset) {
  const char* name = tenon::component::toString(canon.kind);
  bool is64 = canon.contextType == coreValType(I64);
  if (!is64 && canon.contextType != coreValType(I32)) {
    return invalid(offset, say("`", name, "` only supports `i32` or `i64`"));
  }
  if (is64) TENON_CHECK(gate(features_.memory64, "64-bit contexts", offset));
  std::optional<CoreValType>& used = scope().contextType;
  if (used && *used != canon.contextType) {
    return invalid(offset, say("`", name, "` type must match previous context type"));
  }
  used = canon.contextType;
  if (canon.contextSlot >= CONTEXT_SLOTS) {
    return invalid(offset, say("`", name, "` immediate must be zero or one: ", canon.contextSlot));
  }
  if (canon.contextSlot > 0) {
    TENON_CHECK(gate(features_.threads, "context slots other than 0", offset));
  }
  CoreType type = is64 ? I64 : I32;
  if (canon.kind == CanonKind::CONTEXT_GET) {
    pushCoreFunc({}, {type});
  } else {
    pushCoreFunc({type}, {});
  }
  return {};
}

Result<void> Validation::waitableSetBuiltin(const Canon& canon, uint64_t offset) {
  CheckedOptions checked;
  TENON_CHECK(memoryOption(canon.memory, checked, offset));
  pushCoreFunc({I32, checked.pointer()}, {I32});
  return {};
}

Result<void> Validation::streamBuiltin(const Canon& canon, TypeKind kind, uint64_t offset) {
  TENON_TRY(ValRef value, scope().valueType(canon.type, offset));
  const Type& type = *value.node->type;
  if (type.kind != kind) {
    return invalid(offset, say("`", tenon::component::toString(canon.kind), "` requires a ",
                               kind == TypeKind::STREAM ? "stream" : "future", " type"));
  }
  switch (canon.kind) {
    case CanonKind::STREAM_NEW:
    case CanonKind::FUTURE_NEW:
      pushCoreFunc({}, {I64});
      return {};
    case CanonKind::STREAM_FORWARD:
    case CanonKind::FUTURE_FORWARD:
      TENON_CHECK(gate(features_.forward, "`stream.forward` and `future.forward`", offset));
      pushCoreFunc({I32, I32}, {});
      return {};
    case CanonKind::STREAM_CANCEL_READ:
    case CanonKind::STREAM_CANCEL_WRITE:
    case CanonKind::FUTURE_CANCEL_READ:
    case CanonKind::FUTURE_CANCEL_WRITE:
      TENON_CHECK(gateCancel(canon, offset));
      pushCoreFunc({I32}, {I32});
      return {};
    case CanonKind::STREAM_READ:
    case CanonKind::STREAM_WRITE:
    case CanonKind::FUTURE_READ:
    case CanonKind::FUTURE_WRITE:
      return copyBuiltin(canon, type, offset);
    default:
      pushCoreFunc({I32}, {});
      return {};
  }
}

// read and write. What is read is put into the memory, which may need realloc.
Result<void> Validation::copyBuiltin(const Canon& canon, const Type& type, uint64_t offset) {
  TENON_TRY(CheckedOptions checked, options(canon.opts, offset));
  if (!checked.async) {
    TENON_CHECK(gate(features_.moreAsync, "synchronous reads and writes of streams", offset));
  }
  bool reads = canon.kind == CanonKind::STREAM_READ || canon.kind == CanonKind::FUTURE_READ;
  if (type.element != nullptr && !checked.hasMemory) {
    return invalid(offset, "canonical option `memory` is required");
  }
  if (reads && type.element != nullptr && type.element->hasPointer && !checked.hasRealloc) {
    return invalid(offset, "canonical option `realloc` is required");
  }
  TENON_CHECK(forbidOptions(checked, tenon::component::toString(canon.kind), offset));
  CoreType pointer = checked.pointer();
  if (type.kind == TypeKind::STREAM) {
    pushCoreFunc({I32, pointer, pointer}, {pointer});
  } else {
    pushCoreFunc({I32, pointer}, {I32});
  }
  return {};
}

Result<void> Validation::errorContextBuiltin(const Canon& canon, uint64_t offset) {
  const char* name = tenon::component::toString(canon.kind);
  if (canon.kind == CanonKind::ERROR_CONTEXT_DROP) {
    pushCoreFunc({I32}, {});
    return {};
  }
  TENON_TRY(CheckedOptions checked, options(canon.opts, offset));
  if (!checked.hasMemory) return invalid(offset, "canonical option `memory` is required");
  bool message = canon.kind == CanonKind::ERROR_CONTEXT_DEBUG_MESSAGE;
  if (message && !checked.hasRealloc) {
    return invalid(offset, "canonical option `realloc` is required");
  }
  if (checked.async) {
    return invalid(offset, say("cannot specify `async` option on `", name, "`"));
  }
  TENON_CHECK(forbidOptions(checked, name, offset));
  CoreType pointer = checked.pointer();
  if (message) {
    pushCoreFunc({I32, pointer}, {});
  } else {
    pushCoreFunc({pointer, pointer}, {I32});
  }
  return {};
}

Result<void> Validation::threadBuiltin(const Canon& canon, uint64_t offset) {
  switch (canon.kind) {
    case CanonKind::THREAD_INDEX:
    case CanonKind::THREAD_SUSPEND:
      pushCoreFunc({}, {I32});
      return {};
    case CanonKind::THREAD_RESUME_LATER:
      pushCoreFunc({I32}, {});
      return {};
    case CanonKind::THREAD_SUSPEND_THEN_RESUME:
    case CanonKind::THREAD_YIELD_THEN_RESUME:
    case CanonKind::THREAD_SUSPEND_THEN_PROMOTE:
    case CanonKind::THREAD_YIELD_THEN_PROMOTE:
      pushCoreFunc({I32}, {I32});
      return {};
    case CanonKind::THREAD_NEW_INDIRECT:
      break;
    default:
      return Error{ErrorCode::UNSUPPORTED,
                   say("`", tenon::component::toString(canon.kind),
                       "` belongs to shared-everything-threads, which is a gated feature"),
                   offset};
  }
  TENON_TRY(CoreTypeEntry start, scope().coreType(canon.type, offset));
  if (start.module != nullptr) return invalid(offset, "expected a core function type");
  const CoreComposite& type = arena_.coreTypes()[start.id];
  if (type.kind != CoreComposite::Kind::FUNC) {
    return invalid(offset, "start type must be a function");
  }
  bool closure64 = isSignature(type.func, {I64}, {});
  if (closure64) TENON_CHECK(gate(features_.memory64, "64-bit thread arguments", offset));
  if (!closure64 && !isSignature(type.func, {I32}, {})) {
    return invalid(offset,
                   "start function must take a single `i32` or `i64` argument and return nothing");
  }
  TENON_TRY(const CoreExternType* table,
            scope().coreItem(CoreExternKind::TABLE, canon.table, offset));
  if (table->limits.is64) TENON_CHECK(gate(features_.memory64, "64-bit tables", offset));
  CoreExternType expected = *table;
  expected.valType = FUNCREF;
  expected.limits = {};
  expected.limits.is64 = table->limits.is64;
  if (auto why = coreMismatch(*table, expected, arena_.coreTypes())) {
    return invalid(offset, say("table is not a table of (ref null (func)): ", *why));
  }
  pushCoreFunc({table->limits.is64 ? I64 : I32, closure64 ? I64 : I32}, {I32});
  return {};
}

}  // namespace tenon::component::typed
