#pragma once

// The one switch for what this folder does.

#include <cstdint>

namespace tenon::component {

// Whether guests' core code is read, and written anew where that makes linked components faster and
// changes nothing that anybody can see. OFF: every core module is instantiated as it was shipped,
// in the order in which its component says so, and every call between components goes through an
// adapter. Only start functions are run by Tenon either way, see start_function.h.
enum class Rewriting : uint8_t { ON, OFF };

}  // namespace tenon::component
