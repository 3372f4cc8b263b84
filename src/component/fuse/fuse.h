#pragma once

// Adapters: for every lower of a lift in a program, a core function that moves the values, as
// generated core modules that become steps of the program. Bytes move inside the sandbox. Pure.

#include "component/flatten/program.h"

#include <tenon/result.h>

namespace tenon::component {

// Replaces every ADAPTER item by an export of a generated module. Errors: UNSUPPORTED for pairs it
// cannot join (asynchronous ones), by name; LIMIT_EXCEEDED for types whose adapters would be too
// large.
Result<void> fuse(Program& program);

}  // namespace tenon::component
