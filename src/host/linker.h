#pragma once

// What stands behind tenon::Linker.

#include "call/registry.h"
#include "run/executable.h"
#include "run/linked.h"

#include <tenon/engine.h>
#include <tenon/linker.h>
#include <tenon/result.h>

#include <map>
#include <memory>
#include <string>
#include <utility>

namespace tenon::host {

struct LinkerState {
  static LinkerState& of(Linker& linker) { return *linker.state_; }
  static const LinkerState& of(const Linker& linker) { return *linker.state_; }

  // Binds the imports of a compiled executable, unless that was the last one that was bound.
  // Errors: MISSING_IMPORT, TYPE_MISMATCH.
  Result<void> link(const Engine& engine, std::shared_ptr<const run::Executable> executable);

  call::Registry registry;
  // The typed functions by interface (canonical) and name.
  std::map<std::pair<std::string, std::string>, bool (*)(const FuncType&, TypeMatch&)> typed;

  // The last component that was linked, so that instantiating again costs no look-ups. Dropped when
  // the registry changes.
  std::shared_ptr<const run::Executable> linkedExecutable;
  std::shared_ptr<const run::Linked> linked;
};

}  // namespace tenon::host
