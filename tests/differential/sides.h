#pragma once

// The two sides of a comparison: the same component under Tenon and under Wasmtime's component API,
// with the same host functions behind both. Bound to one thread.

#include "component/relink/rewriting.h"
#include "engine/engine.h"

#include <tenon/result.h>
#include <tenon/type.h>
#include <tenon/value.h>

#include <wasmtime.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tenon::differential {

// Something that the host saw, in order.
struct Event {
  std::string what;  // "f3", "mark", "drop"
  std::vector<Value> values;
};

// What the host functions do during one call, and what they saw. `functions` are those of the
// import "host", by number; its resource type is "res", and "log" has `mark`.
struct Script {
  std::vector<FuncType> functions;
  std::optional<Value> result;  // what the host function called next returns
  bool refuses = false;         // it fails instead
  std::vector<Event> events;
};

struct Outcome {
  std::optional<std::string> trap;  // the engine's words
  std::vector<Value> results;
};

class Side {
 public:
  virtual ~Side() = default;
  Side() = default;
  Side(const Side&) = delete;
  Side& operator=(const Side&) = delete;

  // Makes a fresh instance; the one before is gone.
  virtual Result<void> instantiate() = 0;
  // Calls an export at the root. `type` is its type, in any table. After a trap the instance is
  // good for nothing.
  virtual Outcome call(const std::string& name, const FuncType& type,
                       const std::vector<Value>& arguments) = 0;
};

// Both compile; errors are those of compiling and linking. `script` outlives the side.
Result<std::unique_ptr<Side>> newTenonSide(const std::shared_ptr<engine::Engine>& engine,
                                           std::span<const std::byte> component, Script& script,
                                           component::Rewriting rewriting);
Result<std::unique_ptr<Side>> newWasmtimeSide(wasm_engine_t* engine,
                                              std::span<const std::byte> component, Script& script);

// Engines that compile fast and keep no pool.
std::shared_ptr<engine::Engine> newTenonEngine();
wasm_engine_t* newWasmtimeEngine();

// The text format to bytes, by Wasmtime.
Result<std::vector<std::byte>> parseText(const std::string& text);

// Consumes the error.
std::string takeMessage(wasmtime_error_t* error);

// The reason of a trap, the same for both engines: "unreachable", "misaligned", "bounds", ...; the
// text itself when it is none that is known.
std::string trapClass(const std::string& message);

// Whether two traps are the same, or differ in a way that is known (see there).
bool sameTrap(const std::string& tenon, const std::string& wasmtime);

}  // namespace tenon::differential
