#include "engine/module.h"

#include "engine/trap.h"

#include <cstdlib>
#include <utility>

namespace tenon::engine {
namespace {

std::string toText(const wasm_name_t* name) { return {name->data, name->size}; }

std::optional<std::vector<CoreType>> typesOf(const wasm_valtype_vec_t* types) {
  std::vector<CoreType> result;
  result.reserve(types->size);
  for (size_t i = 0; i < types->size; ++i) {
    switch (wasm_valtype_kind(types->data[i])) {
      case WASM_I32:
        result.push_back(CoreType::I32);
        break;
      case WASM_I64:
        result.push_back(CoreType::I64);
        break;
      case WASM_F32:
        result.push_back(CoreType::F32);
        break;
      case WASM_F64:
        result.push_back(CoreType::F64);
        break;
      default:
        return std::nullopt;
    }
  }
  return result;
}

ExternKind kindOf(const wasm_externtype_t* type) {
  switch (wasm_externtype_kind(type)) {
    case WASM_EXTERN_FUNC:
      return ExternKind::FUNC;
    case WASM_EXTERN_TABLE:
      return ExternKind::TABLE;
    case WASM_EXTERN_MEMORY:
      return ExternKind::MEMORY;
    case WASM_EXTERN_GLOBAL:
      return ExternKind::GLOBAL;
    default:
      return ExternKind::TAG;
  }
}

std::optional<CoreSignature> signatureOfExtern(const wasm_externtype_t* type) {
  const wasm_functype_t* function = wasm_externtype_as_functype_const(type);
  return function == nullptr ? std::nullopt : signatureOf(function);
}

void fill(wasm_valtype_vec_t& out, const std::vector<CoreType>& types) {
  wasm_valtype_vec_new_uninitialized(&out, types.size());
  for (size_t i = 0; i < types.size(); ++i) {
    wasm_valkind_t kind = WASM_I32;
    switch (types[i]) {
      case CoreType::I32:
        kind = WASM_I32;
        break;
      case CoreType::I64:
        kind = WASM_I64;
        break;
      case CoreType::F32:
        kind = WASM_F32;
        break;
      case CoreType::F64:
        kind = WASM_F64;
        break;
    }
    out.data[i] = wasm_valtype_new(kind);
  }
}

// The engine writes offsets into its sentences only: "... (at offset 0x1f)".
Error invalidError(std::string message) {
  Error error(ErrorCode::INVALID, std::move(message));
  constexpr std::string_view MARK = " (at offset 0x";
  size_t mark = error.message.rfind(MARK);
  if (mark != std::string::npos) {
    error.offset = std::strtoull(error.message.c_str() + mark + MARK.size(), nullptr, 16);
    error.message.erase(mark);
  }
  return error;
}

const uint8_t* code(std::span<const std::byte> bytes) {
  return reinterpret_cast<const uint8_t*>(bytes.data());
}

}  // namespace

const char* toString(ExternKind kind) {
  switch (kind) {
    case ExternKind::FUNC:
      return "function";
    case ExternKind::TABLE:
      return "table";
    case ExternKind::MEMORY:
      return "memory";
    case ExternKind::GLOBAL:
      return "global";
    case ExternKind::TAG:
      return "tag";
  }
  return "tag";
}

Module::Module(std::shared_ptr<Engine> engine, wasmtime_module_t* module)
    : engine_(std::move(engine)), module_(module, wasmtime_module_delete) {}

Result<Module> Module::compile(const std::shared_ptr<Engine>& engine,
                               std::span<const std::byte> bytes) {
  wasmtime_module_t* module = nullptr;
  if (auto* error = wasmtime_module_new(engine->raw(), code(bytes), bytes.size(), &module)) {
    std::string message = takeMessage(error);
    auto* invalid = wasmtime_module_validate(engine->raw(), code(bytes), bytes.size());
    // Valid all the same: it does not fit the pool, or a limit of the compiler.
    if (invalid == nullptr) return Error(ErrorCode::LIMIT_EXCEEDED, std::move(message));
    return invalidError(takeMessage(invalid));
  }
  return Module(engine, module);
}

Result<void> Module::validate(const std::shared_ptr<Engine>& engine,
                              std::span<const std::byte> bytes) {
  auto* error = wasmtime_module_validate(engine->raw(), code(bytes), bytes.size());
  if (error == nullptr) return {};
  return invalidError(takeMessage(error));
}

Result<std::vector<std::byte>> Module::serialize() const {
  wasm_byte_vec_t bytes;
  if (auto* error = wasmtime_module_serialize(module_.get(), &bytes)) {
    return Error(ErrorCode::INTERNAL, takeMessage(error));
  }
  const auto* begin = reinterpret_cast<const std::byte*>(bytes.data);
  std::vector<std::byte> result(begin, begin + bytes.size);
  wasm_byte_vec_delete(&bytes);
  return result;
}

Result<Module> Module::deserialize(const std::shared_ptr<Engine>& engine,
                                   std::span<const std::byte> bytes) {
  wasmtime_module_t* module = nullptr;
  if (auto* error =
          wasmtime_module_deserialize(engine->raw(), code(bytes), bytes.size(), &module)) {
    return Error(ErrorCode::UNSUPPORTED, takeMessage(error));
  }
  return Module(engine, module);
}

Result<Module> Module::deserializeFile(const std::shared_ptr<Engine>& engine, const char* path) {
  wasmtime_module_t* module = nullptr;
  if (auto* error = wasmtime_module_deserialize_file(engine->raw(), path, &module)) {
    return Error(ErrorCode::UNSUPPORTED, takeMessage(error));
  }
  return Module(engine, module);
}

std::vector<ModuleImport> Module::imports() const {
  wasm_importtype_vec_t types;
  wasmtime_module_imports(module_.get(), &types);
  std::vector<ModuleImport> result;
  result.reserve(types.size);
  for (size_t i = 0; i < types.size; ++i) {
    const wasm_externtype_t* type = wasm_importtype_type(types.data[i]);
    result.push_back({toText(wasm_importtype_module(types.data[i])),
                      toText(wasm_importtype_name(types.data[i])), kindOf(type),
                      signatureOfExtern(type)});
  }
  wasm_importtype_vec_delete(&types);
  return result;
}

std::vector<ModuleExport> Module::exports() const {
  wasm_exporttype_vec_t types;
  wasmtime_module_exports(module_.get(), &types);
  std::vector<ModuleExport> result;
  result.reserve(types.size);
  for (size_t i = 0; i < types.size; ++i) {
    const wasm_externtype_t* type = wasm_exporttype_type(types.data[i]);
    result.push_back(
        {toText(wasm_exporttype_name(types.data[i])), kindOf(type), signatureOfExtern(type)});
  }
  wasm_exporttype_vec_delete(&types);
  return result;
}

FuncType::FuncType(const CoreSignature& signature) {
  wasm_valtype_vec_t params, results;
  fill(params, signature.params);
  fill(results, signature.results);
  type_.reset(wasm_functype_new(&params, &results));
}

std::optional<CoreSignature> signatureOf(const wasm_functype_t* type) {
  auto params = typesOf(wasm_functype_params(type));
  auto results = typesOf(wasm_functype_results(type));
  if (!params || !results) return std::nullopt;
  return CoreSignature{*std::move(params), *std::move(results)};
}

}  // namespace tenon::engine
