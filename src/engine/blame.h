#pragma once

// Which component of a workload a trap of the engine happened in.

#include "component/flatten/program.h"
#include "engine/trap.h"

namespace tenon::engine {

// Adds " (component store)" to the message of a trap that guest code ran into by itself, where the
// name of the innermost frame's module tells the component: frames have no more than that. Nothing
// where several components have a module of that name, where there is only one component, and for
// traps of the host, which say it themselves.
void nameComponent(const component::Program& program, Trap& trap);

}  // namespace tenon::engine
