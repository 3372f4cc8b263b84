#pragma once

// Sequences of operations on handles inside guests, with any number for a handle, under both
// engines.

#include "calls.h"

#include <cstdint>

namespace tenon::differential {

// Sequences first to first + count - 1 of `seed`. Prints differences, each as the shortest sequence
// that shows it. Returns their number; `operations` and `trapped` are counted up.
int runHandles(const Engines& engines, uint64_t seed, uint64_t first, uint64_t count,
               uint64_t& operations, uint64_t& trapped);

}  // namespace tenon::differential
