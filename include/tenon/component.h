#pragma once

// A component, loaded: decoded, validated and linked within itself. Compiling happens when it is
// first needed, and comes from the cache where it can.

#include <tenon/engine.h>
#include <tenon/result.h>
#include <tenon/type.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace tenon {

namespace host {
struct ComponentState;
}  // namespace host

// A function that a component exports or imports.
struct FunctionInfo {
  std::string interface;  // "demo:greet/greet@1.0.0"; empty: at the root of the world
  std::string name;       // "greet", "[method]counter.increment"
  FuncType type;          // its types live as long as the component
  // In a workload: the component that exports it; of a host function, the component that calls it.
  std::string component = {};

  // "demo:greet/greet@1.0.0.greet", or just the name at the root.
  std::string path() const;
};

enum class InspectFormat : uint8_t { WIT, JSON };

// A handle that is cheap to copy; immutable, shared freely between threads.
class Component {
 public:
  // Reads a component, or an artifact that `save` wrote. Errors: NOT_FOUND, PERMISSION or IO with
  // the path; MALFORMED and INVALID with an offset; UNSUPPORTED with the feature's name.
  static Result<Component> load(const Engine& engine, const std::string& path);
  // The same from memory. `bytes` is copied; `name` is for messages.
  static Result<Component> fromBytes(const Engine& engine, std::span<const std::byte> bytes,
                                     std::string name = "component");

  // The world of a file as text, without an engine. Errors: as `load`.
  static Result<std::string> inspect(const std::string& path, InspectFormat format);

  // The world as WIT text, as `wasm-tools component wit` prints it.
  Result<std::string> wit() const;
  // The same as JSON.
  Result<std::string> witJson() const;

  // In the order of the binary.
  std::vector<FunctionInfo> exports() const;
  std::vector<FunctionInfo> imports() const;

  // Finds an export by its full path, by "interface.function" without the version or without the
  // package too, or by the function's name alone where that is unique; "counter.increment" serves
  // for "[method]counter.increment". Errors: MISSING_EXPORT (details: what there is), AMBIGUOUS
  // (details: which).
  Result<FunctionInfo> findExport(const std::string& name) const;

  // Compiles, unless that has happened or the cache has it. Errors: INVALID for core code that does
  // not validate.
  Result<void> compile() const;
  // Why compiling could not use the cache although it should have; empty when all is well.
  std::string warning() const;

  // Writes the component and its machine code to one file, which `load` takes in place of the
  // component. The file is only good for this version of Tenon on this kind of machine, and as
  // trusted as a shared library: `load` refuses it when others may write to it, and under a name
  // that ends in ".wasm", as does this. A link is followed, a FIFO or a device is written to; a
  // regular file is replaced at once where that can be. Errors: IO, INVALID_ARGUMENT.
  Result<void> save(const std::string& path) const;

  const std::string& name() const;

 private:
  friend struct host::ComponentState;
  explicit Component(std::shared_ptr<host::ComponentState> state) : state_(std::move(state)) {}
  std::shared_ptr<host::ComponentState> state_;
};

}  // namespace tenon
