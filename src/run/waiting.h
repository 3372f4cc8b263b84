#pragma once

// Which functions of a program can come to a host function that may wait: a call of such a one
// needs a fiber, any other runs at once on the caller's stack.
//
// Read off the wiring, code is not looked at. A core instance can call what it imports, and what it
// shares a table or anything else with that can hold functions. Core instances of two components
// meet in adapters only, which stand together in generated modules; there Program::calls says who
// calls whom, and a component that has adapters counts as one thing.
//
//   core instance ──► what it imports        adapters ──► all of a component that they call
//        └──► the adapters of its component ───┘

#include "component/program/program.h"
#include "engine/module.h"

#include <span>
#include <vector>

namespace tenon::run {

// By function slot of the program. `waits`: by trampoline, whether it calls a host function that
// may wait. `modules`: as Program::modules.
std::vector<bool> findWaiting(const component::Program& program,
                              std::span<const engine::Module> modules,
                              const std::vector<bool>& waits);

}  // namespace tenon::run
