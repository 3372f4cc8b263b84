#pragma once

// How much is left of the stack that the thread itself has.

#include <cstddef>

namespace tenon::engine {

// Bytes; 0 on a fiber, and where it is not known. The first call of a thread asks the system.
size_t nativeStackLeft();

}  // namespace tenon::engine
