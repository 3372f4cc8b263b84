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
#include <utility>
#include <vector>

namespace tenon::host {

// Shared freely; `compile` happens once, under the lock.
struct ComponentState {
  Engine engine;
  std::shared_ptr<run::Executable> executable;
  mutable std::mutex compiling;
  bool compiled = false;     // guarded by `compiling`
  std::string cacheWarning;  // guarded by `compiling`

  explicit ComponentState(Engine engine) : engine(std::move(engine)) {}
  static ComponentState& of(const Component& component) { return *component.state_; }
  static Component wrap(std::shared_ptr<ComponentState> state) {
    return Component(std::move(state));
  }
  Result<void> compile();
};

// As Component::load.
Result<Component> loadComponent(const Engine& engine, const std::string& path, Pipes pipes);

// The functions of an export list, interfaces first to last.
std::vector<FunctionInfo> functionsOf(const std::vector<component::ProgramExport>& exports);
// As Component::findExport, among `all`.
Result<FunctionInfo> findFunction(const std::vector<FunctionInfo>& all, const std::string& name);

}  // namespace tenon::host
