#include "engine/linker.h"

#include "engine/fiber.h"

#include <sys/mman.h>

#include <array>
#include <string>
#include <utility>

namespace tenon::engine {
namespace {

std::string quoted(std::string_view module, std::string_view name) {
  return "\"" + std::string(module) + "\" \"" + std::string(name) + "\"";
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// Why the engine refused to make an instance, for errors that are no traps. It says so in words
// only; a test pins each of these sentences.
Error refusalToError(std::string message) {
  if (contains(message, "incompatible import type") || contains(message, " imports, found ")) {
    return Error(ErrorCode::TYPE_MISMATCH, std::move(message));
  }
  if (contains(message, "shared memory support is disabled")) {
    return Error(ErrorCode::UNSUPPORTED, "memories that threads share are not supported");
  }
  if (contains(message, "resource limit exceeded") || contains(message, "exceeds") ||
      contains(message, "concurrent limit") || contains(message, "mmap") ||
      contains(message, "insufficient resources")) {
    return Error(ErrorCode::LIMIT_EXCEEDED, std::move(message));
  }
  return Error(ErrorCode::INTERNAL, std::move(message));
}

}  // namespace

// -- Instantiation -------------------------------------------------------------------------------

std::optional<Error> EngineAccess::beforeInstantiate(Store& store) {
  if (auto refused = store.refusal()) return refused->toError();
  if (store.fiber_ != nullptr) {
    return Error(ErrorCode::UNUSABLE, "a call runs in this store: nothing can be instantiated");
  }
  return std::nullopt;
}

Error EngineAccess::instantiateFailed(Store& store, wasmtime_error_t* error, wasm_trap_t* trap) {
  if (error != nullptr && !store.trap_) {
    wasm_frame_vec_t frames;
    wasmtime_error_wasm_trace(error, &frames);
    bool ran = frames.size != 0;
    wasm_frame_vec_delete(&frames);
    if (!ran) return refusalToError(takeMessage(error));
  }
  callFailed(store, error, trap);
  return store.takeTrap().toError();
}

template <typename Make>
Result<wasmtime_instance_t> EngineAccess::instantiate(Store& store, Make&& make) {
  if (auto error = beforeInstantiate(store)) return *std::move(error);
  Store::Ticking ticking(store);
  wasmtime_instance_t instance;
  wasm_trap_t* trap = nullptr;
  ++store.depth_;
  wasmtime_error_t* error = make(&instance, &trap);
  --store.depth_;
  if (error != nullptr || trap != nullptr) return instantiateFailed(store, error, trap);
  return instance;
}

Result<wasmtime_instance_t> instantiate(Store& store, const Module& module,
                                        std::span<const wasmtime_extern_t> imports) {
  return EngineAccess::instantiate(store, [&](wasmtime_instance_t* instance, wasm_trap_t** trap) {
    return wasmtime_instance_new(store.context(), module.raw(), imports.data(), imports.size(),
                                 instance, trap);
  });
}

InstancePre::InstancePre(Module module, wasmtime_instance_pre_t* pre)
    : module_(std::move(module)), pre_(pre, wasmtime_instance_pre_delete) {}

Result<wasmtime_instance_t> InstancePre::instantiate(Store& store) const {
  return EngineAccess::instantiate(store, [&](wasmtime_instance_t* instance, wasm_trap_t** trap) {
    return wasmtime_instance_pre_instantiate(pre_.get(), store.context(), instance, trap);
  });
}

// -- Host functions ------------------------------------------------------------------------------

HostLinker::HostLinker(std::shared_ptr<Engine> engine)
    : engine_(std::move(engine)), linker_(wasmtime_linker_new(engine_->raw())) {}

HostLinker::~HostLinker() {
  if (linker_ != nullptr) wasmtime_linker_delete(linker_);
}

HostLinker::HostLinker(HostLinker&& other) noexcept
    : engine_(std::move(other.engine_)),
      linker_(std::exchange(other.linker_, nullptr)),
      types_(std::move(other.types_)) {}

HostLinker& HostLinker::operator=(HostLinker&& other) noexcept {
  std::swap(engine_, other.engine_);
  std::swap(linker_, other.linker_);
  std::swap(types_, other.types_);
  return *this;
}

Result<void> HostLinker::define(std::string_view module, std::string_view name,
                                const CoreSignature& type, HostCallback callback,
                                void* environment) {
  auto [at, isNew] = types_.try_emplace({std::string(module), std::string(name)}, type);
  if (!isNew) {
    return Error(ErrorCode::INVALID_ARGUMENT, quoted(module, name) + " is defined already");
  }
  FuncType engineType(type);
  if (auto* error = wasmtime_linker_define_func_unchecked(
          linker_, module.data(), module.size(), name.data(), name.size(), engineType.raw(),
          callback, environment, nullptr)) {
    types_.erase(at);
    return Error(ErrorCode::INVALID_ARGUMENT, takeMessage(error));
  }
  return {};
}

Result<InstancePre> HostLinker::prepare(const Module& module) const {
  for (const ModuleImport& import : module.imports()) {
    auto at = types_.find({import.module, import.name});
    if (at == types_.end() || import.kind != ExternKind::FUNC) {
      return Error(ErrorCode::MISSING_IMPORT, "nothing provides the core import " +
                                                  quoted(import.module, import.name) + ", a " +
                                                  toString(import.kind));
    }
    if (import.signature != at->second) {
      return Error(ErrorCode::TYPE_MISMATCH,
                   "the core import " + quoted(import.module, import.name) + " is " +
                       (import.signature ? toString(*import.signature) : "of a reference type") +
                       ", provided is " + toString(at->second));
    }
  }
  wasmtime_instance_pre_t* pre = nullptr;
  if (auto* error = wasmtime_linker_instantiate_pre(linker_, module.raw(), &pre)) {
    return Error(ErrorCode::TYPE_MISMATCH, takeMessage(error));
  }
  return InstancePre(module, pre);
}

std::optional<wasmtime_func_t> HostLinker::find(Store& store, std::string_view module,
                                                std::string_view name) const {
  wasmtime_extern_t item;
  if (!wasmtime_linker_get(linker_, store.context(), module.data(), module.size(), name.data(),
                           name.size(), &item)) {
    return std::nullopt;
  }
  return item.of.func;
}

void HostLinker::findNumbered(Store& store, std::span<wasmtime_func_t> functions) const {
  tenon_wasmtime_linker_functions(linker_, store.context(), functions.data(), functions.size());
}

// -- Items of instances --------------------------------------------------------------------------

std::optional<wasmtime_extern_t> findExport(Store& store, const wasmtime_instance_t& instance,
                                            std::string_view name) {
  wasmtime_extern_t item;
  if (!wasmtime_instance_export_get(store.context(), &instance, name.data(), name.size(), &item)) {
    return std::nullopt;
  }
  return item;
}

Memory::Memory(Store& store, const wasmtime_memory_t& memory)
    : context_(store.context()),
      memory_(memory),
      // guest-ok: here every GuestMemory begins; `view` adds the size of the moment
      base_(reinterpret_cast<std::byte*>(wasmtime_memory_data(store.context(), &memory))) {}

void Memory::giveBack() const {
  // guest-ok: whole pages, which the pool has mapped; nothing is read
  if (base_ != nullptr)
    ::madvise(base_, wasmtime_memory_data_size(context_, &memory_), MADV_DONTNEED);
}

namespace {

Result<Memory> memoryOf(Store& store, std::optional<wasmtime_extern_t> item,
                        std::string_view name) {
  if (!item) {
    return Error(ErrorCode::NOT_FOUND, "there is no core export \"" + std::string(name) + "\"");
  }
  if (item->kind == WASMTIME_EXTERN_SHAREDMEMORY) {
    wasmtime_sharedmemory_delete(item->of.sharedmemory);
    return Error(ErrorCode::UNSUPPORTED,
                 "the memory \"" + std::string(name) + "\" is shared between threads");
  }
  if (item->kind != WASMTIME_EXTERN_MEMORY) {
    return Error(ErrorCode::TYPE_MISMATCH,
                 "the core export \"" + std::string(name) + "\" is no memory");
  }
  return Memory(store, item->of.memory);
}

}  // namespace

Result<Memory> exportedMemory(Store& store, const wasmtime_instance_t& instance,
                              std::string_view name) {
  return memoryOf(store, findExport(store, instance, name), name);
}

Result<Memory> exportedMemory(Store& store, const wasmtime_instance_t& instance,
                              const ExportKey& key) {
  return memoryOf(store, key.find(store, instance), "(by key)");
}

ExportKey::ExportKey(const Module& module, std::string_view name)
    : key_(tenon_wasmtime_module_export(module.raw(), name.data(), name.size())) {}

std::optional<wasmtime_extern_t> ExportKey::find(Store& store,
                                                 const wasmtime_instance_t& instance) const {
  wasmtime_extern_t item;
  if (!key_ || !tenon_wasmtime_instance_item(store.context(), &instance, key_.get(), &item)) {
    return std::nullopt;
  }
  return item;
}

}  // namespace tenon::engine
