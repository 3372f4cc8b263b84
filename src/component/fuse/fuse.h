#pragma once

// Adapters: for every lower of a lift in a program, a core function that moves the values, as
// generated core modules that become steps of the program. Bytes move inside the sandbox. Pure.

#include "component/program/program.h"
#include "component/relink/rewriting.h"

#include <tenon/result.h>

namespace tenon::component {

// Replaces every ADAPTER item by an export of a generated module. With Rewriting::ON, around that,
// everything that component/relink does; then some items become the callee's own function. After
// this the program is what the engine runs. Errors: UNSUPPORTED for pairs it cannot join
// (asynchronous ones), by name; LIMIT_EXCEEDED for types whose adapters would be too large.
Result<void> fuse(Program& program, Rewriting rewriting);

}  // namespace tenon::component
