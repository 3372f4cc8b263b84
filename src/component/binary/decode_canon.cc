// Canonical definitions. Source: Binary.md, "Canonical Definitions".

#include "component/binary/decode_internal.h"

#include <cstdint>
#include <string>
#include <utility>

namespace tenon::component {

namespace {

// What follows the opcode of a canonical definition.
enum class Operands : uint8_t {
  UNKNOWN,
  NONE,
  LIFT,
  LOWER,
  TYPE,
  TYPE_OPTS,
  TYPE_ASYNC,
  OPTS,
  ASYNC,
  RESULT_OPTS,
  CONTEXT,
  ZERO,
  ZERO_MEMORY,
  TYPE_TABLE,
  SHARED_TYPE,
  SHARED_TYPE_TABLE,
  SHARED,
};

enum class Gate : uint8_t { NONE, THREADS, SHARED_THREADS, ERROR_CONTEXT };

struct CanonInfo {
  const char* name = "unknown";
  Operands operands = Operands::UNKNOWN;
  Gate gate = Gate::NONE;
};

CanonInfo infoOf(uint8_t opcode) {
  switch (static_cast<CanonKind>(opcode)) {
    case CanonKind::LIFT:
      return {"lift", Operands::LIFT};
    case CanonKind::LOWER:
      return {"lower", Operands::LOWER};
    case CanonKind::RESOURCE_NEW:
      return {"resource.new", Operands::TYPE};
    case CanonKind::RESOURCE_DROP:
      return {"resource.drop", Operands::TYPE};
    case CanonKind::RESOURCE_REP:
      return {"resource.rep", Operands::TYPE};
    case CanonKind::TASK_CANCEL:
      return {"task.cancel", Operands::NONE};
    case CanonKind::SUBTASK_CANCEL:
      return {"subtask.cancel", Operands::ASYNC};
    case CanonKind::TASK_RETURN:
      return {"task.return", Operands::RESULT_OPTS};
    case CanonKind::CONTEXT_GET:
      return {"context.get", Operands::CONTEXT};
    case CanonKind::CONTEXT_SET:
      return {"context.set", Operands::CONTEXT};
    case CanonKind::THREAD_YIELD:
      return {"thread.yield", Operands::ZERO};
    case CanonKind::SUBTASK_DROP:
      return {"subtask.drop", Operands::NONE};
    case CanonKind::STREAM_NEW:
      return {"stream.new", Operands::TYPE};
    case CanonKind::STREAM_READ:
      return {"stream.read", Operands::TYPE_OPTS};
    case CanonKind::STREAM_WRITE:
      return {"stream.write", Operands::TYPE_OPTS};
    case CanonKind::STREAM_CANCEL_READ:
      return {"stream.cancel-read", Operands::TYPE_ASYNC};
    case CanonKind::STREAM_CANCEL_WRITE:
      return {"stream.cancel-write", Operands::TYPE_ASYNC};
    case CanonKind::STREAM_DROP_READABLE:
      return {"stream.drop-readable", Operands::TYPE};
    case CanonKind::STREAM_DROP_WRITABLE:
      return {"stream.drop-writable", Operands::TYPE};
    case CanonKind::FUTURE_NEW:
      return {"future.new", Operands::TYPE};
    case CanonKind::FUTURE_READ:
      return {"future.read", Operands::TYPE_OPTS};
    case CanonKind::FUTURE_WRITE:
      return {"future.write", Operands::TYPE_OPTS};
    case CanonKind::FUTURE_CANCEL_READ:
      return {"future.cancel-read", Operands::TYPE_ASYNC};
    case CanonKind::FUTURE_CANCEL_WRITE:
      return {"future.cancel-write", Operands::TYPE_ASYNC};
    case CanonKind::FUTURE_DROP_READABLE:
      return {"future.drop-readable", Operands::TYPE};
    case CanonKind::FUTURE_DROP_WRITABLE:
      return {"future.drop-writable", Operands::TYPE};
    case CanonKind::ERROR_CONTEXT_NEW:
      return {"error-context.new", Operands::OPTS, Gate::ERROR_CONTEXT};
    case CanonKind::ERROR_CONTEXT_DEBUG_MESSAGE:
      return {"error-context.debug-message", Operands::OPTS, Gate::ERROR_CONTEXT};
    case CanonKind::ERROR_CONTEXT_DROP:
      return {"error-context.drop", Operands::NONE, Gate::ERROR_CONTEXT};
    case CanonKind::WAITABLE_SET_NEW:
      return {"waitable-set.new", Operands::NONE};
    case CanonKind::WAITABLE_SET_WAIT:
      return {"waitable-set.wait", Operands::ZERO_MEMORY};
    case CanonKind::WAITABLE_SET_POLL:
      return {"waitable-set.poll", Operands::ZERO_MEMORY};
    case CanonKind::WAITABLE_SET_DROP:
      return {"waitable-set.drop", Operands::NONE};
    case CanonKind::WAITABLE_JOIN:
      return {"waitable.join", Operands::NONE};
    case CanonKind::BACKPRESSURE_INC:
      return {"backpressure.inc", Operands::NONE};
    case CanonKind::BACKPRESSURE_DEC:
      return {"backpressure.dec", Operands::NONE};
    case CanonKind::THREAD_INDEX:
      return {"thread.index", Operands::NONE, Gate::THREADS};
    case CanonKind::THREAD_NEW_INDIRECT:
      return {"thread.new-indirect", Operands::TYPE_TABLE, Gate::THREADS};
    case CanonKind::THREAD_RESUME_LATER:
      return {"thread.resume-later", Operands::NONE, Gate::THREADS};
    case CanonKind::THREAD_SUSPEND:
      return {"thread.suspend", Operands::ZERO, Gate::THREADS};
    case CanonKind::THREAD_SUSPEND_THEN_RESUME:
      return {"thread.suspend-then-resume", Operands::ZERO, Gate::THREADS};
    case CanonKind::THREAD_YIELD_THEN_RESUME:
      return {"thread.yield-then-resume", Operands::ZERO, Gate::THREADS};
    case CanonKind::THREAD_SUSPEND_THEN_PROMOTE:
      return {"thread.suspend-then-promote", Operands::ZERO, Gate::THREADS};
    case CanonKind::THREAD_YIELD_THEN_PROMOTE:
      return {"thread.yield-then-promote", Operands::ZERO, Gate::THREADS};
    case CanonKind::STREAM_FORWARD:
      return {"stream.forward", Operands::TYPE};
    case CanonKind::FUTURE_FORWARD:
      return {"future.forward", Operands::TYPE};
    case CanonKind::THREAD_SPAWN_REF:
      return {"thread.spawn-ref", Operands::SHARED_TYPE, Gate::SHARED_THREADS};
    case CanonKind::THREAD_SPAWN_INDIRECT:
      return {"thread.spawn-indirect", Operands::SHARED_TYPE_TABLE, Gate::SHARED_THREADS};
    case CanonKind::THREAD_AVAILABLE_PARALLELISM:
      return {"thread.available-parallelism", Operands::SHARED, Gate::SHARED_THREADS};
  }
  return {};
}

}  // namespace

const char* toString(CanonKind kind) { return infoOf(static_cast<uint8_t>(kind)).name; }

const char* toString(Sort sort) {
  switch (sort) {
    case Sort::CORE_FUNC:
      return "core func";
    case Sort::CORE_TABLE:
      return "core table";
    case Sort::CORE_MEMORY:
      return "core memory";
    case Sort::CORE_GLOBAL:
      return "core global";
    case Sort::CORE_TAG:
      return "core tag";
    case Sort::CORE_TYPE:
      return "core type";
    case Sort::CORE_MODULE:
      return "core module";
    case Sort::CORE_INSTANCE:
      return "core instance";
    case Sort::FUNC:
      return "func";
    case Sort::VALUE:
      return "value";
    case Sort::TYPE:
      return "type";
    case Sort::COMPONENT:
      return "component";
    case Sort::INSTANCE:
      return "instance";
  }
  return "unknown sort";
}

namespace detail {
namespace {

Result<CanonOpts::Option> readOption(ByteReader& in) {
  uint64_t start = in.offset();
  CanonOpts::Option option;
  TENON_TRY(option.code, in.u8());
  switch (option.code) {
    case 0x00:
    case 0x01:
    case 0x02:
    case 0x06:
      return option;
    case 0x03:
    case 0x04:
    case 0x05:
    case 0x07: {
      TENON_TRY(option.index, in.u32());
      return option;
    }
    case 0x08:
    case 0x09:
      // Not in the specification's text yet, but toolchains can write it.
      return Error{ErrorCode::UNSUPPORTED, "canonical options core-type and gc are not supported",
                   start};
    default:
      return unexpectedByte(start, "a canonical option (0x00 to 0x07)", option.code);
  }
}

Result<CanonOpts> readOpts(ByteReader& in, DecodeContext& context) {
  CanonOpts opts;
  TENON_TRY(opts.options,
            readVector<CanonOpts::Option>(in, context, "canonical options", readOption));
  for (const CanonOpts::Option& option : opts.options) {
    switch (option.code) {
      case 0x00:
        opts.encoding = StringEncoding::UTF8;
        break;
      case 0x01:
        opts.encoding = StringEncoding::UTF16;
        break;
      case 0x02:
        opts.encoding = StringEncoding::LATIN1_UTF16;
        break;
      case 0x03:
        opts.memory = option.index;
        break;
      case 0x04:
        opts.realloc = option.index;
        break;
      case 0x05:
        opts.postReturn = option.index;
        break;
      case 0x06:
        opts.async = true;
        break;
      default:
        opts.callback = option.index;
        break;
    }
  }
  return opts;
}

Result<void> checkGate(const CanonInfo& info, uint64_t start, const Features& features) {
  switch (info.gate) {
    case Gate::NONE:
      return {};
    case Gate::THREADS:
      return requireFeature(features.threads, start, info.name, "threads");
    case Gate::SHARED_THREADS:
      return requireFeature(features.threads, start, info.name, "shared-everything threads");
    case Gate::ERROR_CONTEXT:
      return requireFeature(features.errorContext, start, info.name, "error-context");
  }
  return {};
}

Result<void> readOperands(ByteReader& in, DecodeContext& context, Operands operands, Canon& canon) {
  switch (operands) {
    case Operands::UNKNOWN:
    case Operands::NONE:
      return {};
    case Operands::LIFT: {
      TENON_CHECK(expectByte(in, 0x00, "the sort func after canon lift"));
      TENON_TRY(canon.func, in.u32());
      TENON_TRY(canon.opts, readOpts(in, context));
      TENON_TRY(canon.type, in.u32());
      return {};
    }
    case Operands::LOWER: {
      TENON_CHECK(expectByte(in, 0x00, "the sort func after canon lower"));
      TENON_TRY(canon.func, in.u32());
      TENON_TRY(canon.opts, readOpts(in, context));
      return {};
    }
    case Operands::TYPE: {
      TENON_TRY(canon.type, in.u32());
      return {};
    }
    case Operands::TYPE_OPTS: {
      TENON_TRY(canon.type, in.u32());
      TENON_TRY(canon.opts, readOpts(in, context));
      return {};
    }
    case Operands::TYPE_ASYNC: {
      TENON_TRY(canon.type, in.u32());
      TENON_TRY(canon.async, readFlag(in, "an optional async"));
      return {};
    }
    case Operands::OPTS: {
      TENON_TRY(canon.opts, readOpts(in, context));
      return {};
    }
    case Operands::ASYNC: {
      TENON_TRY(canon.async, readFlag(in, "an optional async"));
      return {};
    }
    case Operands::RESULT_OPTS: {
      TENON_TRY(canon.result, readResultList(in, context));
      TENON_TRY(canon.opts, readOpts(in, context));
      return {};
    }
    case Operands::CONTEXT: {
      TENON_TRY(canon.contextType, readCoreValType(in));
      TENON_TRY(canon.contextSlot, in.u32());
      return {};
    }
    case Operands::ZERO:
      return expectByte(in, 0x00, "a reserved byte");
    case Operands::ZERO_MEMORY: {
      TENON_CHECK(expectByte(in, 0x00, "a reserved byte"));
      TENON_TRY(canon.memory, in.u32());
      return {};
    }
    case Operands::SHARED_TYPE: {
      TENON_TRY(canon.shared, readFlag(in, "an optional shared"));
      TENON_TRY(canon.type, in.u32());
      return {};
    }
    case Operands::SHARED_TYPE_TABLE: {
      TENON_TRY(canon.shared, readFlag(in, "an optional shared"));
      TENON_TRY(canon.type, in.u32());
      TENON_TRY(canon.table, in.u32());
      return {};
    }
    case Operands::TYPE_TABLE: {
      TENON_TRY(canon.type, in.u32());
      TENON_TRY(canon.table, in.u32());
      return {};
    }
    case Operands::SHARED: {
      TENON_TRY(canon.shared, readFlag(in, "an optional shared"));
      return {};
    }
  }
  return {};
}

}  // namespace

Result<Canon> readCanon(ByteReader& in, DecodeContext& context) {
  uint64_t start = in.offset();
  TENON_TRY(uint8_t opcode, in.u8());
  CanonInfo info = infoOf(opcode);
  if (info.operands == Operands::UNKNOWN) {
    return unexpectedByte(start, "a canonical definition", opcode);
  }
  Canon canon;
  canon.kind = static_cast<CanonKind>(opcode);
  if (auto read = readOperands(in, context, info.operands, canon); !read) {
    Error error = std::move(read).error();
    error.message = std::string(info.name) + ": " + error.message;
    return error;
  }
  TENON_CHECK(checkGate(info, start, context.features));
  return canon;
}

}  // namespace detail
}  // namespace tenon::component
