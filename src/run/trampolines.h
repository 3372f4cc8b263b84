#pragma once

// The host's side of every core function that a program imports from the host: lowered imports, the
// resource built-ins, and the task, context and waitable built-ins. Each callback's environment is
// a Binding.

#include "component/program/program.h"
#include "engine/linker.h"

namespace tenon::run {

// The callback for a trampoline of this kind. Never null: what Tenon does not run yet gets a
// callback that traps and names it.
engine::HostCallback callbackFor(const component::Trampoline& trampoline);

}  // namespace tenon::run
