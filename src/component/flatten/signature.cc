#include "component/flatten/signature.h"

#include "component/types/type_table.h"

#include <string>
#include <vector>

namespace tenon::component {
namespace {

CoreSignature words(size_t params, size_t results) {
  return {std::vector<CoreType>(params, CoreType::I32),
          std::vector<CoreType>(results, CoreType::I32)};
}

Result<CoreSignature> contextSignature(const Canon& canon) {
  CoreType type = CoreType::I32;
  if (canon.contextType.code == 0x7e) {
    type = CoreType::I64;
  } else if (canon.contextType.code != 0x7f) {
    return Error{ErrorCode::INVALID, "context storage holds i32 or i64 only"};
  }
  if (canon.kind == CanonKind::CONTEXT_GET) return CoreSignature{{}, {type}};
  return CoreSignature{{type}, {}};
}

}  // namespace

Result<CoreSignature> builtinSignature(const Canon& canon, const Type* result) {
  switch (canon.kind) {
    case CanonKind::RESOURCE_NEW:
    case CanonKind::RESOURCE_REP:
    case CanonKind::SUBTASK_CANCEL:
    case CanonKind::STREAM_CANCEL_READ:
    case CanonKind::STREAM_CANCEL_WRITE:
    case CanonKind::FUTURE_CANCEL_READ:
    case CanonKind::FUTURE_CANCEL_WRITE:
    case CanonKind::THREAD_SUSPEND_THEN_RESUME:
    case CanonKind::THREAD_YIELD_THEN_RESUME:
    case CanonKind::THREAD_SUSPEND_THEN_PROMOTE:
    case CanonKind::THREAD_YIELD_THEN_PROMOTE:
      return words(1, 1);
    case CanonKind::RESOURCE_DROP:
    case CanonKind::SUBTASK_DROP:
    case CanonKind::STREAM_DROP_READABLE:
    case CanonKind::STREAM_DROP_WRITABLE:
    case CanonKind::FUTURE_DROP_READABLE:
    case CanonKind::FUTURE_DROP_WRITABLE:
    case CanonKind::ERROR_CONTEXT_DROP:
    case CanonKind::WAITABLE_SET_DROP:
    case CanonKind::THREAD_RESUME_LATER:
      return words(1, 0);
    case CanonKind::TASK_CANCEL:
    case CanonKind::BACKPRESSURE_INC:
    case CanonKind::BACKPRESSURE_DEC:
      return words(0, 0);
    case CanonKind::THREAD_YIELD:
    case CanonKind::THREAD_SUSPEND:
    case CanonKind::THREAD_INDEX:
    case CanonKind::WAITABLE_SET_NEW:
      return words(0, 1);
    case CanonKind::STREAM_READ:
    case CanonKind::STREAM_WRITE:
      return words(3, 1);
    case CanonKind::FUTURE_READ:
    case CanonKind::FUTURE_WRITE:
    case CanonKind::ERROR_CONTEXT_NEW:
    case CanonKind::WAITABLE_SET_WAIT:
    case CanonKind::WAITABLE_SET_POLL:
    case CanonKind::THREAD_NEW_INDIRECT:
      return words(2, 1);
    case CanonKind::ERROR_CONTEXT_DEBUG_MESSAGE:
    case CanonKind::WAITABLE_JOIN:
    case CanonKind::STREAM_FORWARD:
    case CanonKind::FUTURE_FORWARD:
      return words(2, 0);
    case CanonKind::STREAM_NEW:
    case CanonKind::FUTURE_NEW:
      return CoreSignature{{}, {CoreType::I64}};
    case CanonKind::CONTEXT_GET:
    case CanonKind::CONTEXT_SET:
      return contextSignature(canon);
    case CanonKind::TASK_RETURN: {
      FuncType type;
      if (result) type.params.push_back({"result", result});
      return CoreSignature{flattenLift(type).params, {}};
    }
    case CanonKind::LIFT:
    case CanonKind::LOWER:
    case CanonKind::THREAD_SPAWN_REF:
    case CanonKind::THREAD_SPAWN_INDIRECT:
    case CanonKind::THREAD_AVAILABLE_PARALLELISM:
      break;
  }
  return Error{ErrorCode::UNSUPPORTED,
               std::string("the built-in ") + toString(canon.kind) + " is not supported"};
}

}  // namespace tenon::component
