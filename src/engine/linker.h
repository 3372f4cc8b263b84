#pragma once

// From modules to instances. Two ways: `HostLinker` + `InstancePre` for a module whose imports are
// all host functions (fastest: everything is looked up and checked once, 3 us per fresh store and
// instance), and `instantiate` with one item per import, in the module's order, for everything
// else.

#include "engine/module.h"
#include "engine/store.h"

#include <tenon/abi/guest_memory.h>
#include <tenon/result.h>
#include <tenon/type.h>

#include <tenon_wasmtime.h>
#include <wasmtime.h>

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace tenon::engine {

// A host function. `environment` is what it was defined with; `Store::from(caller)` is the store.
// Reads its parameters from `values` and writes every result there before it returns null. Returns
// `store.raise(...)` or `store.rethrow()` to trap. Must not throw.
using HostCallback = wasm_trap_t* (*)(void* environment, wasmtime_caller_t* caller,
                                      wasmtime_val_raw_t* values, size_t valueCount);

// An instance that waits for a store. Immutable, shared freely between threads; copies share.
class InstancePre {
 public:
  // Makes an instance, running its start function on the native stack (an import that blocks traps
  // there). Errors: as `instantiate`.
  Result<wasmtime_instance_t> instantiate(Store& store) const;

 private:
  friend class HostLinker;
  InstancePre(Module module, wasmtime_instance_pre_t* pre);

  Module module_;
  std::shared_ptr<wasmtime_instance_pre_t> pre_;
};

// Host functions by import name, independent of stores. Built on one thread, then immutable and
// shared freely.
class HostLinker {
 public:
  explicit HostLinker(std::shared_ptr<Engine> engine);
  ~HostLinker();
  HostLinker(HostLinker&& other) noexcept;
  HostLinker& operator=(HostLinker&& other) noexcept;

  // `environment` must outlive the linker and every InstancePre and function made from it.
  // Errors: INVALID_ARGUMENT when the name is taken.
  Result<void> define(std::string_view module, std::string_view name, const CoreSignature& type,
                      HostCallback callback, void* environment);

  // Errors: MISSING_IMPORT (or TYPE_MISMATCH) naming the module's first import that is not defined
  // here.
  Result<InstancePre> prepare(const Module& module) const;

  // A function of this linker as an item of `store`, for `instantiate`. Each call adds a copy to
  // the store: once per store. nullopt: no such name.
  std::optional<wasmtime_func_t> find(Store& store, std::string_view module,
                                      std::string_view name) const;

  // All functions of a linker whose names are decimal numbers, at once and without looking each up:
  // the one named N becomes `functions[N]`. Names beyond the end are left out, as are numbers that
  // are no name here. Each call adds a copy of every function to the store: once per store.
  void findNumbered(Store& store, std::span<wasmtime_func_t> functions) const;

 private:
  std::shared_ptr<Engine> engine_;
  wasmtime_linker_t* linker_ = nullptr;
  std::map<std::pair<std::string, std::string>, CoreSignature> types_;
};

// Instantiates with `imports[i]` for the module's import i; the engine checks kinds and types. Runs
// the start function on the native stack. Not while a fiber of the store is alive. Errors:
// TYPE_MISMATCH for an import of another type or count; LIMIT_EXCEEDED for the store's limits and
// the pool's slots; TRAPPED, EXITED, DEADLINE when the start function or a segment traps (the store
// is poisoned); UNUSABLE when poisoned or occupied.
Result<wasmtime_instance_t> instantiate(Store& store, const Module& module,
                                        std::span<const wasmtime_extern_t> imports);

// -- Items of instances: looked up once, at instantiation

std::optional<wasmtime_extern_t> findExport(Store& store, const wasmtime_instance_t& instance,
                                            std::string_view name);

// A guest's memory: where it is (it never moves) and, each time it is asked, how large. Belongs to
// its store.
class Memory {
 public:
  Memory() = default;  // of no bytes
  Memory(Store& store, const wasmtime_memory_t& memory);

  // As it is now; dies when the guest next runs. About 3 ns.
  GuestMemory view() const {
    if (base_ == nullptr) return {};
    return {base_, wasmtime_memory_data_size(context_, &memory_)};
  }
  const wasmtime_memory_t& raw() const { return memory_; }
  // Gives its pages back to the system, after which it is as its module makes it. Only in a store
  // that runs nothing any more and whose memories are pooled.
  void giveBack() const;

 private:
  wasmtime_context_t* context_ = nullptr;
  wasmtime_memory_t memory_{};
  std::byte* base_ = nullptr;
};

// Errors: NOT_FOUND; TYPE_MISMATCH when it is no memory; UNSUPPORTED for a shared one.
Result<Memory> exportedMemory(Store& store, const wasmtime_instance_t& instance,
                              std::string_view name);

// -- Exports of modules: looked up once, for all instances

// An export's place in a module: finds the item of an instance without its name. Immutable, used on
// any thread; valid without the module.
class ExportKey {
 public:
  ExportKey() = default;  // of nothing: finds nothing
  ExportKey(const Module& module, std::string_view name);
  explicit operator bool() const { return key_ != nullptr; }

  // The item of `instance`; nullopt when that is an instance of another module.
  std::optional<wasmtime_extern_t> find(Store& store, const wasmtime_instance_t& instance) const;

 private:
  struct Delete {
    void operator()(tenon_wasmtime_export_t* key) const {
      tenon_wasmtime_module_export_delete(key);
    }
  };
  std::unique_ptr<tenon_wasmtime_export_t, Delete> key_;
};

// Errors: as the other `exportedMemory`.
Result<Memory> exportedMemory(Store& store, const wasmtime_instance_t& instance,
                              const ExportKey& key);

}  // namespace tenon::engine
