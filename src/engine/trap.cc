#include "engine/trap.h"

#include "base/demangle.h"

#include <tenon/text.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <utility>

namespace tenon::engine {
namespace {

// What precedes the reasons below the engine's message.
constexpr std::string_view CAUSES_TITLE = "Caused by:";

std::string_view view(const wasm_byte_vec_t& bytes) {
  std::string_view text(bytes.data, bytes.size);
  while (!text.empty() && text.back() == '\0') text.remove_suffix(1);
  return text;
}

std::string takeText(wasm_byte_vec_t& bytes) {
  std::string text(view(bytes));
  wasm_byte_vec_delete(&bytes);
  return text;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '.')) text.remove_suffix(1);
  return text;
}

// Calls `use` with each line of `text`.
template <typename Use>
void forEachLine(std::string_view text, Use&& use) {
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    use(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

// "0: reason" or "reason" -> "reason".
std::string_view withoutNumber(std::string_view line) {
  line = trim(line);
  size_t digits = line.find_first_not_of("0123456789");
  if (digits != 0 && digits != std::string_view::npos && line.substr(digits).starts_with(": ")) {
    line.remove_prefix(digits + 2);
  }
  return line;
}

// The engine prints a chain of reasons: the outermost, then a list under "Caused by:". Joined to
// one line.
std::string oneLine(std::string_view message) {
  std::string result;
  auto append = [&](std::string_view part) {
    part = withoutNumber(part);
    if (part.starts_with("wasm trap: ")) part.remove_prefix(11);
    if (part.empty()) return;
    if (!result.empty()) result += ": ";
    result += part;
  };
  size_t causes = message.find(CAUSES_TITLE);
  std::string_view head = message.substr(0, causes);
  append(head.substr(0, head.find('\n')));
  if (causes != std::string_view::npos) {
    forEachLine(message.substr(causes + CAUSES_TITLE.size()), append);
  }
  if (result.empty()) result = "unknown failure of the engine";
  return result;
}

uint64_t offsetOf(size_t offset) {
  return offset == SIZE_MAX ? Frame::NO_OFFSET : static_cast<uint64_t>(offset);
}

// Consumes `frames`. Only those that a trap keeps are looked at.
void takeFrames(wasm_frame_vec_t& frames, Trap& trap) {
  std::vector<Frame> result;
  const size_t kept = std::min(frames.size, Trap::MAX_FRAMES);
  for (size_t i = 0; i < kept; ++i) {
    const wasm_frame_t* from = frames.data[i];
    Frame frame;
    if (const wasm_name_t* module = wasmtime_frame_module_name(from)) frame.module = view(*module);
    if (const wasm_name_t* name = wasmtime_frame_func_name(from)) {
      std::string_view given = view(*name);
      auto readable = demangle(given);
      frame.function = readable ? *std::move(readable) : std::string(given);
    }
    frame.functionIndex = wasm_frame_func_index(from);
    frame.functionOffset = offsetOf(wasm_frame_func_offset(from));
    frame.moduleOffset = offsetOf(wasm_frame_module_offset(from));
    result.push_back(std::move(frame));
  }
  trap.append(std::move(result));
  trap.framesLeftOut += frames.size - kept;
  wasm_frame_vec_delete(&frames);
}

}  // namespace

const char* toString(TrapKind kind) {
  switch (kind) {
    case TrapKind::UNREACHABLE:
      return "unreachable";
    case TrapKind::OUT_OF_BOUNDS:
      return "out of bounds";
    case TrapKind::BAD_CALL:
      return "bad call";
    case TrapKind::ARITHMETIC:
      return "arithmetic";
    case TrapKind::STACK_OVERFLOW:
      return "stack overflow";
    case TrapKind::DEADLINE:
      return "deadline";
    case TrapKind::LIMIT:
      return "limit";
    case TrapKind::EXCEPTION:
      return "exception";
    case TrapKind::HOST:
      return "host";
    case TrapKind::EXIT:
      return "exit";
    case TrapKind::CANCELLED:
      return "cancelled";
    case TrapKind::UNUSABLE:
      return "unusable";
    case TrapKind::OTHER:
      return "other";
  }
  return "other";
}

TrapKind kindOfCode(wasmtime_trap_code_t code) {
  switch (code) {
    case WASMTIME_TRAP_CODE_STACK_OVERFLOW:
      return TrapKind::STACK_OVERFLOW;
    case WASMTIME_TRAP_CODE_MEMORY_OUT_OF_BOUNDS:
    case WASMTIME_TRAP_CODE_TABLE_OUT_OF_BOUNDS:
    case WASMTIME_TRAP_CODE_HEAP_MISALIGNED:
    case WASMTIME_TRAP_CODE_ARRAY_OUT_OF_BOUNDS:
      return TrapKind::OUT_OF_BOUNDS;
    case WASMTIME_TRAP_CODE_INDIRECT_CALL_TO_NULL:
    case WASMTIME_TRAP_CODE_BAD_SIGNATURE:
    case WASMTIME_TRAP_CODE_NULL_REFERENCE:
    case WASMTIME_TRAP_CODE_CAST_FAILURE:
      return TrapKind::BAD_CALL;
    case WASMTIME_TRAP_CODE_INTEGER_OVERFLOW:
    case WASMTIME_TRAP_CODE_INTEGER_DIVISION_BY_ZERO:
    case WASMTIME_TRAP_CODE_BAD_CONVERSION_TO_INTEGER:
      return TrapKind::ARITHMETIC;
    case WASMTIME_TRAP_CODE_UNREACHABLE_CODE_REACHED:
      return TrapKind::UNREACHABLE;
    case WASMTIME_TRAP_CODE_INTERRUPT:
    case WASMTIME_TRAP_CODE_OUT_OF_FUEL:
      return TrapKind::DEADLINE;
    case WASMTIME_TRAP_CODE_ALLOCATION_TOO_LARGE:
      return TrapKind::LIMIT;
    case WASMTIME_TRAP_CODE_UNCAUGHT_EXCEPTION:
      return TrapKind::EXCEPTION;
    default:
      return TrapKind::OTHER;
  }
}

const char* messageOfCode(wasmtime_trap_code_t code) {
  switch (code) {
    case WASMTIME_TRAP_CODE_STACK_OVERFLOW:
      return "call stack exhausted";
    case WASMTIME_TRAP_CODE_MEMORY_OUT_OF_BOUNDS:
      return "out of bounds memory access";
    case WASMTIME_TRAP_CODE_HEAP_MISALIGNED:
      return "misaligned memory access";
    case WASMTIME_TRAP_CODE_TABLE_OUT_OF_BOUNDS:
      return "undefined element: out of bounds table access";
    case WASMTIME_TRAP_CODE_INDIRECT_CALL_TO_NULL:
      return "uninitialized element: call through a null table entry";
    case WASMTIME_TRAP_CODE_BAD_SIGNATURE:
      return "indirect call type mismatch";
    case WASMTIME_TRAP_CODE_INTEGER_OVERFLOW:
      return "integer overflow";
    case WASMTIME_TRAP_CODE_INTEGER_DIVISION_BY_ZERO:
      return "integer divide by zero";
    case WASMTIME_TRAP_CODE_BAD_CONVERSION_TO_INTEGER:
      return "invalid conversion to integer";
    case WASMTIME_TRAP_CODE_UNREACHABLE_CODE_REACHED:
      return "unreachable instruction executed";
    case WASMTIME_TRAP_CODE_INTERRUPT:
      return "interrupted";
    case WASMTIME_TRAP_CODE_OUT_OF_FUEL:
      return "all fuel consumed";
    case WASMTIME_TRAP_CODE_ATOMIC_WAIT_NON_SHARED_MEMORY:
      return "atomic wait on non-shared memory";
    case WASMTIME_TRAP_CODE_NULL_REFERENCE:
      return "null reference";
    case WASMTIME_TRAP_CODE_ARRAY_OUT_OF_BOUNDS:
      return "out of bounds array access";
    case WASMTIME_TRAP_CODE_ALLOCATION_TOO_LARGE:
      return "allocation size too large";
    case WASMTIME_TRAP_CODE_CAST_FAILURE:
      return "cast failure";
    case WASMTIME_TRAP_CODE_UNCAUGHT_EXCEPTION:
      return "uncaught exception";
    default:
      return "trap of the engine";
  }
}

Trap Trap::exit(int code) {
  Trap trap;
  trap.kind = TrapKind::EXIT;
  trap.message = "the guest exited with code " + std::to_string(code);
  trap.exitCode = code;
  return trap;
}

void Trap::append(std::vector<Frame> frames) {
  for (Frame& frame : frames) {
    if (backtrace.size() < MAX_FRAMES) {
      backtrace.push_back(std::move(frame));
    } else {
      ++framesLeftOut;
    }
  }
}

Error Trap::toError() const {
  ErrorCode code = ErrorCode::TRAPPED;
  switch (kind) {
    case TrapKind::DEADLINE:
      code = ErrorCode::DEADLINE;
      break;
    case TrapKind::LIMIT:
      code = ErrorCode::LIMIT_EXCEEDED;
      break;
    case TrapKind::EXIT:
      code = ErrorCode::EXITED;
      break;
    case TrapKind::CANCELLED:
      code = ErrorCode::CANCELLED;
      break;
    case TrapKind::UNUSABLE:
      code = ErrorCode::UNUSABLE;
      break;
    default:
      break;
  }
  Error error(code, message);
  if (kind == TrapKind::EXIT) error.exitCode = exitCode;
  error.details = backtraceText();
  return error;
}

std::string Trap::backtraceText() const {
  std::string text;
  char number[32];
  for (const Frame& frame : backtrace) {
    text += "  at ";
    auto name = [](const std::string& given) {
      return printable(given, Lines::ONE, MOST_OF_A_NAME);
    };
    if (!frame.module.empty()) text += name(frame.module) + "!";
    if (!frame.function.empty()) {
      text += name(frame.function);
    } else {
      text += "function " + std::to_string(frame.functionIndex);
    }
    if (frame.functionOffset != Frame::NO_OFFSET) {
      std::snprintf(number, sizeof number, "+0x%llx", (unsigned long long)frame.functionOffset);
      text += number;
    }
    if (frame.moduleOffset != Frame::NO_OFFSET) {
      std::snprintf(number, sizeof number, "0x%llx", (unsigned long long)frame.moduleOffset);
      text += std::string(" (module offset ") + number + ")";
    }
    text += "\n";
  }
  if (framesLeftOut != 0) text += "  and " + std::to_string(framesLeftOut) + " more\n";
  return text;
}

// The engine's text for a failure with a backtrace is never asked for: it has the names of all
// frames, demangled without bounds, so that a name of 500 bytes would take gigabytes and minutes.

Trap takeTrap(wasm_trap_t* raw) {
  Trap trap;
  wasmtime_trap_code_t code = 0;
  if (wasmtime_trap_code(raw, &code)) {
    trap.kind = kindOfCode(code);
    trap.message = messageOfCode(code);
  } else {
    // Nothing but an exception that nobody caught comes as a trap without a code.
    trap.kind = TrapKind::EXCEPTION;
    trap.message = "uncaught exception";
  }
  wasm_frame_vec_t frames;
  wasm_trap_trace(raw, &frames);
  takeFrames(frames, trap);
  wasm_trap_delete(raw);
  return trap;
}

Trap takeTrap(wasmtime_error_t* error) {
  Trap trap;
  wasm_frame_vec_t frames;
  wasmtime_error_wasm_trace(error, &frames);
  if (frames.size == 0) {
    wasm_byte_vec_t bytes;
    wasmtime_error_message(error, &bytes);
    trap.message = oneLine(takeText(bytes));
  } else {
    // What is no trap but stops a guest that runs is the engine's own: its heap for the guest's
    // objects cannot grow, or the system gives no memory.
    trap.message = "the engine could not go on: its memory for the guest cannot grow";
  }
  takeFrames(frames, trap);
  wasmtime_error_delete(error);
  return trap;
}

std::string takeMessage(wasmtime_error_t* error) {
  wasm_byte_vec_t bytes;
  wasmtime_error_message(error, &bytes);
  wasmtime_error_delete(error);
  return oneLine(takeText(bytes));
}

}  // namespace tenon::engine
