#pragma once

// What passes that change programs share.

#include "component/program/program.h"

#include <variant>
#include <vector>

namespace tenon::component {

// Calls `visit(LiftedFunction&)` for every function among the exports, nested ones included. How
// deep they nest is capped where they are made. `Exports`: ProgramExports, const or not.
template <typename Exports, typename Visit>
void forEachLifted(Exports& exports, const Visit& visit) {
  for (auto& entry : exports) {
    if (auto* lifted = std::get_if<LiftedFunction>(&entry.item)) visit(*lifted);
    if (auto* instance = std::get_if<ExportedInstance>(&entry.item)) {
      forEachLifted(instance->exports, visit);
    }
  }
}

// Drops modules that no step has and renumbers the rest.
void dropIdleModules(Program& program);

}  // namespace tenon::component
