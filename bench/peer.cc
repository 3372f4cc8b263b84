#include "peer.h"

#include "bench.h"

#include <cstring>

namespace tenon::bench {
namespace {

void check(wasmtime_error_t* error, const char* what) {
  if (!error) return;
  wasm_byte_vec_t message;
  wasmtime_error_message(error, &message);
  fail(std::string("Wasmtime, ") + what + ": " + std::string(message.data, message.size));
}

}  // namespace

Peer::Peer(std::span<const std::byte> component, Concurrency concurrency,
           Interruption interruption) {
  wasm_config_t* config = wasm_config_new();
  wasmtime_config_wasm_component_model_set(config, true);
  wasmtime_config_memory_may_move_set(config, false);
  wasmtime_config_epoch_interruption_set(config, interruption == Interruption::ON);
  if (concurrency == Concurrency::OFF) {
    wasmtime_config_concurrency_support_set(config, false);
    wasmtime_config_wasm_component_model_async_set(config, false);
  }
  // The same allocator as Tenon's side has.
  wasmtime_pooling_allocation_config_t* pool = wasmtime_pooling_allocation_config_new();
  wasmtime_pooling_allocation_strategy_set(config, pool);
  wasmtime_pooling_allocation_config_delete(pool);
  engine_ = wasm_engine_new_with_config(config);
  check(wasmtime_component_new(engine_, reinterpret_cast<const uint8_t*>(component.data()),
                               component.size(), &component_),
        "compiling");
  linker_ = wasmtime_component_linker_new(engine_);
}

Peer::~Peer() {
  wasmtime_component_linker_delete(linker_);
  wasmtime_component_delete(component_);
  wasm_engine_delete(engine_);
}

void Peer::define(std::string_view instance, std::string_view name,
                  wasmtime_component_func_callback_t callback) {
  wasmtime_component_linker_allow_shadowing(linker_, true);
  wasmtime_component_linker_instance_t* root = wasmtime_component_linker_root(linker_);
  wasmtime_component_linker_instance_t* inner = nullptr;
  check(wasmtime_component_linker_instance_add_instance(root, instance.data(), instance.size(),
                                                        &inner),
        "adding an instance");
  check(wasmtime_component_linker_instance_add_func(inner, name.data(), name.size(), callback,
                                                    nullptr, nullptr),
        "adding a function");
  wasmtime_component_linker_instance_delete(inner);
  wasmtime_component_linker_instance_delete(root);
}

void Peer::trapOtherImports() {
  wasmtime_component_linker_allow_shadowing(linker_, true);
  check(wasmtime_component_linker_define_unknown_imports_as_traps(linker_, component_),
        "trapping imports");
}

Peer::Instance::Instance(const Peer& peer)
    : store_(wasmtime_store_new(peer.engine_, nullptr, nullptr)),
      context_(wasmtime_store_context(store_)) {
  wasmtime_context_set_epoch_deadline(context_, uint64_t{1} << 62);  // never
  check(wasmtime_component_linker_instantiate(peer.linker_, context_, peer.component_, &instance_),
        "instantiating");
}

Peer::Instance::~Instance() { wasmtime_store_delete(store_); }

wasmtime_component_func_t Peer::Instance::function(std::string_view interface,
                                                   std::string_view name) {
  wasmtime_component_export_index_t* outer = nullptr;
  if (!interface.empty()) {
    outer = wasmtime_component_instance_get_export_index(&instance_, context_, nullptr,
                                                         interface.data(), interface.size());
    if (!outer) fail("Wasmtime finds no " + std::string(interface));
  }
  wasmtime_component_export_index_t* index = wasmtime_component_instance_get_export_index(
      &instance_, context_, outer, name.data(), name.size());
  wasmtime_component_func_t function;
  if (!index || !wasmtime_component_instance_get_func(&instance_, context_, index, &function)) {
    fail("Wasmtime finds no function " + std::string(name));
  }
  wasmtime_component_export_index_delete(index);
  if (outer) wasmtime_component_export_index_delete(outer);
  return function;
}

void Peer::Instance::call(const wasmtime_component_func_t& function,
                          std::span<const wasmtime_component_val_t> arguments,
                          std::span<wasmtime_component_val_t> results) {
  check(wasmtime_component_func_call(&function, context_, arguments.data(), arguments.size(),
                                     results.data(), results.size()),
        "calling");
}

wasmtime_component_val_t u32Value(uint32_t value) {
  wasmtime_component_val_t result{};
  result.kind = WASMTIME_COMPONENT_U32;
  result.of.u32 = value;
  return result;
}

wasmtime_component_val_t stringValue(std::string_view text) {
  wasmtime_component_val_t result{};
  result.kind = WASMTIME_COMPONENT_STRING;
  wasm_name_new(&result.of.string, text.size(), text.data());
  return result;
}

wasmtime_component_val_t bytesValue(std::span<const uint8_t> bytes) {
  wasmtime_component_val_t result{};
  result.kind = WASMTIME_COMPONENT_LIST;
  wasmtime_component_vallist_new_uninit(&result.of.list, bytes.size());
  for (size_t i = 0; i < bytes.size(); ++i) {
    result.of.list.data[i] = {};
    result.of.list.data[i].kind = WASMTIME_COMPONENT_U8;
    result.of.list.data[i].of.u8 = bytes[i];
  }
  return result;
}

}  // namespace tenon::bench
