#pragma once

// Which component of a workload a trap of the engine happened in, where in its module, and which
// host function.

#include "component/program/program.h"
#include "component/relink/start_function.h"
#include "engine/trap.h"

#include <optional>
#include <span>
#include <string>

namespace tenon::run {

// "demo:host/api.log", or just the name at the root of the world.
std::string pathOf(const component::ImportedFunction& import);

// Adds " (component store)" to the message of a trap that guest code ran into by itself, where the
// name of the innermost frame's module tells the component: frames have no more than that. Nothing
// where several components have a module of that name, where there is only one component, and for
// traps of the host, which say it themselves.
void nameComponent(const component::Program& program, engine::Trap& trap);

// Makes the frames' module offsets those of the guest's file: modules with a start function
// (`starts`, as Program::modules) were compiled from bytes that are shifted a little. Where several
// modules have a frame's module name and differ in this, the offset becomes unknown.
void placeFrames(const component::Program& program,
                 std::span<const std::optional<component::StartFunction>> starts,
                 engine::Trap& trap);

}  // namespace tenon::run
