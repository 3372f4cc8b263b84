#pragma once

// Wasmtime's own components through its C API: the peer of every figure. Errors end the program.
// Bound to one thread.

#include <wasmtime.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::bench {

enum class Concurrency : uint8_t { ON, OFF };  // ON is how Wasmtime comes
// Whether a guest can be stopped while it runs, by a check at every function and every turn of a
// loop. Tenon's guests can; OFF is how Wasmtime comes.
enum class Interruption : uint8_t { OFF, ON };

// One engine with one component, linked; fresh stores and instances of it.
class Peer {
 public:
  Peer(std::span<const std::byte> component, Concurrency concurrency,
       Interruption interruption = Interruption::OFF);
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // Defines one host function before the first instance.
  void define(std::string_view instance, std::string_view name,
              wasmtime_component_func_callback_t callback);
  // Every other import traps when it is called.
  void trapOtherImports();

  // A store with an instance in it.
  class Instance {
   public:
    explicit Instance(const Peer& peer);
    ~Instance();
    Instance(const Instance&) = delete;
    Instance& operator=(const Instance&) = delete;

    // An exported function; `interface` empty: at the root.
    wasmtime_component_func_t function(std::string_view interface, std::string_view name);
    // Calls it; `results` are the caller's to delete.
    void call(const wasmtime_component_func_t& function,
              std::span<const wasmtime_component_val_t> arguments,
              std::span<wasmtime_component_val_t> results);

   private:
    wasmtime_store_t* store_;
    wasmtime_context_t* context_;
    wasmtime_component_instance_t instance_;
  };

 private:
  wasm_engine_t* engine_;
  wasmtime_component_t* component_ = nullptr;
  wasmtime_component_linker_t* linker_;
};

wasmtime_component_val_t u32Value(uint32_t value);
wasmtime_component_val_t stringValue(std::string_view text);
wasmtime_component_val_t bytesValue(std::span<const uint8_t> bytes);

}  // namespace tenon::bench
