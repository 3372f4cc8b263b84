#pragma once

// Components whose core modules are joined as `wit-component` does it, by a shim and a fixup, and
// whose main module uses what it imports in every way there is: called, through tables with initial
// values, with active, passive and declared segments, imported and exported ones, through globals,
// exported again. Tenon leaves out the shim and rewrites such modules, so each runs under Wasmtime,
// under Tenon, and under Tenon with everything as it stands.

#include "calls.h"

#include <cstdint>

namespace tenon::differential {

// Cases first to first + count - 1 of `seed`: components, each with several calls. Prints
// differences with the component's text. Returns their number; `calls` and `trapped` are counted
// up, and `rewritten`, the components that Tenon runs with fewer core instances than they have.
int runShapes(const Engines& engines, uint64_t seed, uint64_t first, uint64_t count,
              uint64_t& calls, uint64_t& trapped, uint64_t& rewritten);

}  // namespace tenon::differential
