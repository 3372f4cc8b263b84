#pragma once

// Why a guest stopped. Everything that ends a guest's run early becomes one Trap: an engine trap, a
// host function that refused, a deadline, an exit. Plain data, owned by whoever holds it.

#include <tenon/result.h>

#include <wasm.h>
#include <wasmtime.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::engine {

enum class TrapKind : uint8_t {
  UNREACHABLE,    // the `unreachable` instruction: an abort, a panic, a failed assertion
  OUT_OF_BOUNDS,  // memory or table access, also of bulk instructions; indirect call beyond the
                  // table
  BAD_CALL,       // indirect call of null or of another signature; null reference; failed cast
  ARITHMETIC,     // division by zero, overflow, float to integer
  STACK_OVERFLOW,
  DEADLINE,   // the store's deadline passed
  LIMIT,      // a limit of the store or the engine's pool: memories, instances, stacks
  EXCEPTION,  // a WebAssembly exception that nobody caught
  HOST,       // a host function or the canonical ABI refused; `message` says what
  EXIT,       // the guest asked to exit; not a failure when `exitCode` is 0
  CANCELLED,  // the call was dropped
  UNUSABLE,   // nothing ran: the store is poisoned, or occupied by a suspended call
  OTHER,      // an engine trap without a kind of its own
};

// "unreachable", "out of bounds", "stack overflow", ...
const char* toString(TrapKind kind);

// One WebAssembly function on the stack.
struct Frame {
  std::string module;    // the module's own name, raw; may be empty
  std::string function;  // from the name section, demangled if it was mangled; raw; may be empty
  uint32_t functionIndex = 0;   // in the module's function index space
  uint64_t functionOffset = 0;  // bytes from the start of the function's code; NO_OFFSET: unknown
  uint64_t moduleOffset = 0;    // bytes from the start of the module; NO_OFFSET: unknown

  static constexpr uint64_t NO_OFFSET = ~uint64_t{0};
};

struct Trap {
  TrapKind kind = TrapKind::OTHER;
  std::string message;           // one line, no trailing full stop
  int exitCode = 0;              // EXIT only
  std::vector<Frame> backtrace;  // innermost first. At most MAX_FRAMES; see `framesLeftOut`
  uint64_t framesLeftOut = 0;    // callers that were not kept

  static constexpr size_t MAX_FRAMES = 64;

  static Trap exit(int code);

  // Adds frames of callers, as far as MAX_FRAMES allows.
  void append(std::vector<Frame> frames);

  // As the library's error: DEADLINE, LIMIT_EXCEEDED, EXITED, CANCELLED, UNUSABLE, else TRAPPED.
  // `details` holds the backtrace as text.
  Error toError() const;
  // One line per frame, innermost first: "  at <module>!<function>+0x1f (module offset 0x2a3)".
  // Empty without frames. Names are printable and cut.
  std::string backtraceText() const;
};

// What `wasmtime_trap_code` gives, as kind and sentence.
TrapKind kindOfCode(wasmtime_trap_code_t code);
const char* messageOfCode(wasmtime_trap_code_t code);

// Takes an engine's trap apart. Consumes the argument.
Trap takeTrap(wasm_trap_t* trap);
// The same for an engine's error. The message is the engine's if no guest was running.
Trap takeTrap(wasmtime_error_t* error);
// The text of an engine's error without frames of guests, for errors outside of calls. Consumes the
// argument.
std::string takeMessage(wasmtime_error_t* error);

}  // namespace tenon::engine
