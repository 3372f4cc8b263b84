#include "convert.h"
#include "sides.h"

#include <cstring>
#include <map>

namespace tenon::differential {
namespace {

// -- The side -------------------------------------------------------------------------------------

struct HostFunction {
  Script* script = nullptr;
  std::string name;
  const FuncType* type = nullptr;

  static wasmtime_error_t* invoke(void* self, wasmtime_context_t* context,
                                  const wasmtime_component_func_type_t*,
                                  wasmtime_component_val_t* arguments, size_t argumentCount,
                                  wasmtime_component_val_t* results, size_t resultCount) noexcept {
    auto& function = *static_cast<HostFunction*>(self);
    Script& script = *function.script;
    Event event{function.name, {}};
    for (size_t i = 0; i < argumentCount; ++i)
      event.values.push_back(fromWasmtime(context, arguments[i]));
    script.events.push_back(std::move(event));
    if (function.name == "mark") return nullptr;
    if (script.refuses) return wasmtime_error_new("the script refuses");
    if (resultCount) results[0] = toWasmtime(context, *script.result, function.type->result);
    return nullptr;
  }
};

wasmtime_error_t* dropped(void* self, wasmtime_context_t*, uint32_t rep) noexcept {
  static_cast<Script*>(self)->events.push_back({"drop", {Value(rep)}});
  return nullptr;
}

class WasmtimeSide final : public Side {
 public:
  WasmtimeSide(wasm_engine_t* engine, Script& script)
      : engine_(engine), script_(script), linker_(wasmtime_component_linker_new(engine)) {}
  virtual ~WasmtimeSide() {
    if (store_) wasmtime_store_delete(store_);
    wasmtime_component_linker_delete(linker_);
    if (component_) wasmtime_component_delete(component_);
  }

  Result<void> compile(std::span<const std::byte> bytes) {
    TENON_CHECK(check(wasmtime_component_new(
        engine_, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), &component_)));
    wasmtime_component_linker_instance_t* root = wasmtime_component_linker_root(linker_);
    Result<void> done = define(root);
    wasmtime_component_linker_instance_delete(root);
    return done;
  }

  Result<void> instantiate() override {
    functions_.clear();
    if (store_) wasmtime_store_delete(store_);
    store_ = wasmtime_store_new(engine_, nullptr, nullptr);
    context_ = wasmtime_store_context(store_);
    return check(wasmtime_component_linker_instantiate(linker_, context_, component_, &instance_));
  }

  Outcome call(const std::string& name, const FuncType& type,
               const std::vector<Value>& arguments) override {
    auto found = functions_.find(name);
    if (found == functions_.end()) {
      wasmtime_component_export_index_t* index = wasmtime_component_instance_get_export_index(
          &instance_, context_, nullptr, name.data(), name.size());
      wasmtime_component_func_t function;
      if (!index || !wasmtime_component_instance_get_func(&instance_, context_, index, &function)) {
        return {"no export " + name, {}};
      }
      wasmtime_component_export_index_delete(index);
      found = functions_.emplace(name, function).first;
    }
    std::vector<wasmtime_component_val_t> given;
    for (size_t i = 0; i < arguments.size(); ++i) {
      given.push_back(toWasmtime(context_, arguments[i], type.params[i].type));
    }
    std::vector<wasmtime_component_val_t> results(type.result ? 1 : 0);
    wasmtime_error_t* error = wasmtime_component_func_call(
        &found->second, context_, given.data(), given.size(), results.data(), results.size());
    for (wasmtime_component_val_t& val : given) wasmtime_component_val_delete(&val);
    if (error) return {takeMessage(error), {}};
    Outcome outcome;
    for (wasmtime_component_val_t& val : results) {
      outcome.results.push_back(fromWasmtime(context_, val));
      wasmtime_component_val_delete(&val);
    }
    return outcome;
  }

 private:
  static Result<void> check(wasmtime_error_t* error) {
    if (!error) return {};
    return Error(ErrorCode::INVALID, takeMessage(error));
  }

  Result<void> define(wasmtime_component_linker_instance_t* root) {
    wasmtime_component_linker_instance_t *host = nullptr, *log = nullptr;
    TENON_CHECK(check(wasmtime_component_linker_instance_add_instance(root, "host", 4, &host)));
    wasmtime_component_resource_type_t* type =
        wasmtime_component_resource_type_new_host(RESOURCE_TAG);
    wasmtime_error_t* error = wasmtime_component_linker_instance_add_resource(
        host, "res", 3, type, &dropped, &script_, nullptr);
    wasmtime_component_resource_type_delete(type);
    for (size_t i = 0; i < script_.functions.size() && !error; ++i) {
      std::string name = "f" + std::to_string(i);
      error = add(host, name, &script_.functions[i]);
    }
    wasmtime_component_linker_instance_delete(host);
    TENON_CHECK(check(error));
    TENON_CHECK(check(wasmtime_component_linker_instance_add_instance(root, "log", 3, &log)));
    error = add(log, "mark", nullptr);
    wasmtime_component_linker_instance_delete(log);
    return check(error);
  }

  wasmtime_error_t* add(wasmtime_component_linker_instance_t* into, const std::string& name,
                        const FuncType* type) {
    auto& function = closures_.emplace_back(std::make_unique<HostFunction>());
    *function = {&script_, name, type};
    return wasmtime_component_linker_instance_add_func(
        into, name.data(), name.size(), &HostFunction::invoke, function.get(), nullptr);
  }

  wasm_engine_t* engine_;
  Script& script_;
  std::vector<std::unique_ptr<HostFunction>> closures_;
  wasmtime_component_linker_t* linker_;
  wasmtime_component_t* component_ = nullptr;
  wasmtime_store_t* store_ = nullptr;
  wasmtime_context_t* context_ = nullptr;
  wasmtime_component_instance_t instance_{};
  std::map<std::string, wasmtime_component_func_t> functions_;
};

}  // namespace

std::string takeMessage(wasmtime_error_t* error) {
  wasm_byte_vec_t message;
  wasmtime_error_message(error, &message);
  std::string text(message.data, message.size);
  wasm_byte_vec_delete(&message);
  wasmtime_error_delete(error);
  return text;
}

wasm_engine_t* newWasmtimeEngine() {
  wasm_config_t* config = wasm_config_new();
  wasmtime_config_wasm_component_model_set(config, true);
  wasmtime_config_wasm_component_model_map_set(config, true);
  wasmtime_config_parallel_compilation_set(config, false);
  wasmtime_config_cranelift_opt_level_set(config, WASMTIME_OPT_LEVEL_NONE);
  return wasm_engine_new_with_config(config);
}

Result<std::vector<std::byte>> parseText(const std::string& text) {
  wasm_byte_vec_t bytes;
  if (wasmtime_error_t* error = wasmtime_wat2wasm(text.data(), text.size(), &bytes)) {
    return Error(ErrorCode::MALFORMED, takeMessage(error));
  }
  std::vector<std::byte> out(bytes.size);
  std::memcpy(out.data(), bytes.data, bytes.size);
  wasm_byte_vec_delete(&bytes);
  return out;
}

Result<std::unique_ptr<Side>> newWasmtimeSide(wasm_engine_t* engine,
                                              std::span<const std::byte> component,
                                              Script& script) {
  auto side = std::make_unique<WasmtimeSide>(engine, script);
  TENON_CHECK(side->compile(component));
  return std::unique_ptr<Side>(std::move(side));
}

}  // namespace tenon::differential
