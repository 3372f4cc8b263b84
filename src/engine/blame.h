#pragma once

// Which component of a workload a trap of the engine happened in, and which host function.

#include "component/flatten/program.h"
#include "engine/trap.h"

#include <string>

namespace tenon::engine {

// "demo:host/api.log", or just the name at the root of the world.
std::string pathOf(const component::ImportedFunction& import);

// Adds " (component store)" to the message of a trap that guest code ran into by itself, where the
// name of the innermost frame's module tells the component: frames have no more than that. Nothing
// where several components have a module of that name, where there is only one component, and for
// traps of the host, which say it themselves.
void nameComponent(const component::Program& program, Trap& trap);

}  // namespace tenon::engine
