#pragma once

// A compiled core module. Immutable, shared freely between threads; copies share the code.

#include "engine/engine.h"

#include <tenon/result.h>
#include <tenon/type.h>

#include <wasmtime.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::engine {

enum class ExternKind : uint8_t { FUNC, TABLE, MEMORY, GLOBAL, TAG };
const char* toString(ExternKind kind);

// One import or export of a module. `signature` is set for functions whose values are all i32, i64,
// f32 or f64; the others no component can use.
struct ModuleImport {
  std::string module;
  std::string name;
  ExternKind kind = ExternKind::FUNC;
  std::optional<CoreSignature> signature;
};
struct ModuleExport {
  std::string name;
  ExternKind kind = ExternKind::FUNC;
  std::optional<CoreSignature> signature;
};

class Module {
 public:
  // Validates and compiles. Errors: INVALID with the engine's sentence and, where it has one, the
  // offset in `bytes`; LIMIT_EXCEEDED when the module can never fit the pool.
  static Result<Module> compile(const std::shared_ptr<Engine>& engine,
                                std::span<const std::byte> bytes);

  // Validates only, for modules that are never run. Errors: INVALID as `compile`.
  static Result<void> validate(const std::shared_ptr<Engine>& engine,
                               std::span<const std::byte> bytes);

  // Compiled code as bytes, for an engine with the same `compatibility()`.
  Result<std::vector<std::byte>> serialize() const;

  // The reverse. The bytes are code and are trusted like a shared library: whoever calls this has
  // checked where they come from (cache.h does). They are copied.
  // Errors: UNSUPPORTED when another version, machine or setting made them.
  static Result<Module> deserialize(const std::shared_ptr<Engine>& engine,
                                    std::span<const std::byte> bytes);
  // The same for a file that begins with the module's bytes (further bytes are ignored): the file
  // is mapped, not copied. `path` must not change or shrink while the module lives.
  static Result<Module> deserializeFile(const std::shared_ptr<Engine>& engine, const char* path);

  const wasmtime_module_t* raw() const { return module_.get(); }
  const std::shared_ptr<Engine>& engine() const { return engine_; }

  // In the module's order. Made on each call; for link time.
  std::vector<ModuleImport> imports() const;
  std::vector<ModuleExport> exports() const;

 private:
  Module(std::shared_ptr<Engine> engine, wasmtime_module_t* module);

  std::shared_ptr<Engine> engine_;
  std::shared_ptr<wasmtime_module_t> module_;
};

// A core function type for the engine. Owned.
class FuncType {
 public:
  explicit FuncType(const CoreSignature& signature);
  const wasm_functype_t* raw() const { return type_.get(); }

 private:
  struct Delete {
    void operator()(wasm_functype_t* type) const { wasm_functype_delete(type); }
  };
  std::unique_ptr<wasm_functype_t, Delete> type_;
};

// The signature of an engine's function type; empty when it has other value types than i32, i64,
// f32, f64.
std::optional<CoreSignature> signatureOf(const wasm_functype_t* type);

}  // namespace tenon::engine
