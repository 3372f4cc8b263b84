#pragma once

// Leaves out the indirection that `wit-component` adds. A toolchain's main module imports functions
// whose lowering needs main's own memory, which exists only later. So a "shim" module offers
// stand-ins that call through a table, and a "fixup" module, instantiated last, fills the table. A
// Program resolves memories when they exist, so that main can be given the real functions at once.
// wasmtime.md section 4.3.
//
// Replaced is a use of a stand-in whose table slot is certain: the shim's table goes to exactly one
// fixup, which fits, and the slot gets a host function, one of an earlier core instance, or an
// adapter, of the very same signature. An adapter is made after the module that imports it, so that
// this needs a module that can be written anew (late_imports.h), and no start function on the way.
// Everything else stays as it is. What a guest can see is the same, including traps of calls that
// come too early: see Trampoline::lateBound.

#include "component/program/program.h"

namespace tenon::component {

// Before `fuse`. Core instances that nothing refers to any more are dropped and the rest
// renumbered.
void elideShims(Program& program);

}  // namespace tenon::component
