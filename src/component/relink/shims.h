#pragma once

// The helper modules of `wit-component` that stay, because what they call is made after the caller
// (see elide.h): every call from such a caller goes through one. They are written anew, so
// that they leave with a tail call, without a frame of their own. Pure.

#include "component/program/program.h"

namespace tenon::component {

// Replaces the modules of the program that are shims, last of all: what reads code does not know
// them any more. Same exports, same table, same traps.
void tightenShims(Program& program);

}  // namespace tenon::component
