#pragma once

// What stands behind tenon::Component.

#include "component/program/program.h"
#include "host/files.h"
#include "run/executable.h"

#include <tenon/component.h>
#include <tenon/engine.h>
#include <tenon/result.h>

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tenon::host {

struct LinkerState;
struct PreparedState;

// Shared freely; `compile` happens once, under the lock.
struct ComponentState {
  Engine engine;
  std::shared_ptr<run::Executable> executable;
  mutable std::mutex compiling;
  bool compiled = false;     // guarded by `compiling`
  std::string cacheWarning;  // guarded by `compiling`

  explicit ComponentState(Engine engine) : engine(std::move(engine)) {}
  static ComponentState& of(const Component& component) { return *component.state_; }
  static const std::shared_ptr<ComponentState>& shared(const Component& component) {
    return component.state_;
  }
  static Component wrap(std::shared_ptr<ComponentState> state) {
    return Component(std::move(state));
  }
  Result<void> compile();
  // Errors: as Linker::prepare.
  Result<std::shared_ptr<const PreparedState>> prepare(const LinkerState& linker);
};

// As Component::load.
Result<Component> loadComponent(const Engine& engine, const std::string& path, Pipes pipes);

// The functions of an export list, interfaces first to last.
std::vector<FunctionInfo> functionsOf(const std::vector<component::ProgramExport>& exports);
// A lifted function; `interface` may lack its version. Null when there is none.
const component::LiftedFunction* findLifted(const std::vector<component::ProgramExport>& exports,
                                            std::string_view interface, std::string_view name);
// As Component::findExport, among `all`.
Result<FunctionInfo> findFunction(const std::vector<FunctionInfo>& all, const std::string& name);

// What a program and an HTTP handler export.
inline constexpr std::string_view RUN = "wasi:cli/run@0.2.0";
inline constexpr std::string_view HTTP_HANDLER = "wasi:http/incoming-handler@0.2.0";

}  // namespace tenon::host
