#pragma once

// Adapters: for every lower of a lift in a program, a core function that moves the values, as
// generated core modules that become steps of the program. Bytes move inside the sandbox. Pure.

#include "component/program/program.h"

#include <tenon/result.h>

#include <cstdint>

namespace tenon::component {

// Whether a caller gets the callee's own function where an adapter could do nothing but call it:
// see README.md. OFF keeps one adapter for each pair, for tests.
enum class DirectCalls : uint8_t { ON, OFF };

// Replaces every ADAPTER item by an export of a generated module, or by the callee. Errors:
// UNSUPPORTED for pairs it cannot join (asynchronous ones), by name; LIMIT_EXCEEDED for types whose
// adapters would be too large.
Result<void> fuse(Program& program, DirectCalls directCalls = DirectCalls::ON);

}  // namespace tenon::component
