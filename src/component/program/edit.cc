#include "component/program/edit.h"

#include <cstdint>
#include <utility>
#include <vector>

namespace tenon::component {

void dropIdleModules(Program& program) {
  std::vector<uint32_t> moved(program.modules.size(), NONE);
  std::vector<ModuleBytes> modules;
  for (InstantiateStep& step : program.steps) {
    uint32_t& index = moved[step.module];
    if (index == NONE) {
      index = static_cast<uint32_t>(modules.size());
      modules.push_back(std::move(program.modules[step.module]));
    }
    step.module = index;
  }
  program.modules = std::move(modules);
}

}  // namespace tenon::component
