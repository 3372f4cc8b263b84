#pragma once

// One call through a generated guest under both engines, and what differs.

#include "guest.h"
#include "random_values.h"
#include "sides.h"

#include <tenon/value.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tenon::differential {

// Both engines. Bound to one thread; outlives what uses it.
class Engines {
 public:
  Engines() : tenon(newTenonEngine()), wasmtime(newWasmtimeEngine()) {}
  ~Engines() { wasm_engine_delete(wasmtime); }
  Engines(const Engines&) = delete;
  Engines& operator=(const Engines&) = delete;

  const std::shared_ptr<engine::Engine> tenon;
  wasm_engine_t* const wasmtime;
  component::Rewriting rewriting = component::Rewriting::ON;  // of Tenon's side
};

// What one call is made of, besides the guest.
struct Case {
  std::vector<Value> arguments;
  std::optional<Value> result;            // what the host returns at the end of the chain
  std::vector<Disturbance> disturbances;  // one for each component; may be empty
  bool hostRefuses = false;
};

// A guest, compiled and instantiated on both sides.
class Pair {
 public:
  // Errors: one of the engines refuses the component, or the text does not parse: a bug of the
  // generator, or a difference.
  static Result<std::unique_ptr<Pair>> create(const Engines& engines, const Guest& guest);

  // What one side showed of a call.
  struct Observed {
    Outcome outcome;
    std::vector<Event> events;
    std::vector<std::vector<uint64_t>> memories;  // of each component, from LOG_ADDRESS; none after
                                                  // a trap
  };
  // Runs one case on both sides. After a trap, the instances are fresh.
  struct Both {
    Observed tenon, wasmtime;
  };
  Both run(size_t function, const Case& input);

 private:
  Pair() = default;
  Observed run(Side& side, size_t function, const Case& input);

  Guest guest_;
  Script script_;
  std::unique_ptr<Side> tenon_, wasmtime_;
  FuncType poke_, peek_;
  component::TypeTable types_;
};

// How the two differ: a sentence; empty when they agree.
std::string difference(const Pair::Both& both);

// The same function and case as a component of its own, made as small as it can be while the two
// still differ; as text for people, the last difference included.
std::string minimalCase(const Engines& engines, component::TypeTable& types, const Guest& guest,
                        size_t function, const Case& input);

}  // namespace tenon::differential
