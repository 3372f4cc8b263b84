#pragma once

// A small executor of programs, for tests of flattening and fusing alone: straight on Wasmtime's
// core C API, with resource tables as simple as can be. Not the product's runtime, and slower.

#include "component/fuse/control.h"
#include "component/program/program.h"

#include <tenon/abi/context.h>
#include <tenon/result.h>

#include <wasmtime.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tenon::component::testing {

// How a call, or the instantiation, ended.
struct Outcome {
  bool trapped = false;
  std::optional<control::TrapCode> code;  // of a generated trap
  uint32_t guilty = NONE;                 // component instance, of a generated trap
  std::string message;                    // of any trap
  std::vector<RawValue> values;

  uint32_t i32() const { return values.at(0).i32; }
  uint64_t i64() const { return values.at(0).i64; }
};

class TestRuntime {
 public:
  // A host function works on the raw parameters and writes its results over them. False: trap.
  using HostFunction = std::function<bool(TestRuntime&, RawValue*)>;

  explicit TestRuntime(Program program, std::map<std::string, HostFunction> imports = {});
  ~TestRuntime();
  TestRuntime(const TestRuntime&) = delete;
  TestRuntime& operator=(const TestRuntime&) = delete;

  const Program& program() const { return program_; }
  const Outcome& instantiation() const { return instantiation_; }

  Outcome callItem(const CoreItem& item, std::vector<RawValue> arguments, size_t results);
  // A lifted export by "function" or "instance#function", with raw values, post-return included.
  Outcome call(const std::string& name, std::vector<RawValue> arguments = {});
  GuestMemory memory(const CoreItem& item);
  wasmtime_context_t* context() const { return context_; }
  wasmtime_extern_t resolve(const CoreItem& item);

  struct Handle {
    uint32_t resource = 0, rep = 0, lends = 0;
    bool own = true;
    uint32_t scope = 0;
  };
  // By component instance; index 0 stays empty.
  std::vector<std::vector<std::optional<Handle>>> tables;
  // Representations of resources without destructor that were dropped; and calls in order.
  std::vector<std::string> log;

 private:
  struct TrampolineState;
  struct CallScope {
    std::vector<std::pair<uint32_t, uint32_t>> lenders;  // instance, handle
    uint32_t borrows = 0;
  };
  static wasm_trap_t* onTrampoline(void* env, wasmtime_caller_t*, wasmtime_val_raw_t*, size_t);
  bool run(const Trampoline& trampoline, RawValue* values);
  bool fail(std::string message);
  Handle* find(uint32_t instance, uint32_t resource, uint32_t index);
  uint32_t add(uint32_t instance, Handle handle);
  bool isDefinedBy(uint32_t resource, uint32_t instance) const;
  void instantiate();

  Program program_;
  std::map<std::string, HostFunction> imports_;
  wasm_engine_t* engine_ = nullptr;
  wasmtime_store_t* store_ = nullptr;
  wasmtime_context_t* context_ = nullptr;
  std::vector<std::unique_ptr<TrampolineState>> states_;
  std::vector<wasmtime_func_t> trampolines_;
  std::vector<wasmtime_instance_t> instances_;
  std::vector<CallScope> scopes_;
  Outcome instantiation_;
  Outcome pending_;
};

// WebAssembly text, of a module or component, to bytes. Fails the process on a mistake.
std::vector<std::byte> assemble(const std::string& text);

// Empty if the bytes are valid, else the validator's message.
std::string validateBytes(std::span<const std::byte> bytes);

inline RawValue rawI32(uint32_t value) {
  RawValue raw{};
  raw.i32 = value;
  return raw;
}
inline RawValue rawI64(uint64_t value) {
  RawValue raw{};
  raw.i64 = value;
  return raw;
}

}  // namespace tenon::component::testing
