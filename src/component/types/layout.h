#pragma once

// How values of a type lie in memory and are passed as core values. Used by the type table, when it
// makes a node. Source: CanonicalABI.md "Alignment", "Element Size", "Flattening".

#include <tenon/type.h>

#include <cstdint>

namespace tenon::component {

// Bytes of one element in a 32-bit and in a 64-bit memory, before they are compared with a limit:
// hence wide.
struct Layout {
  uint64_t size = 0;
  uint64_t size64 = 0;
};

// Fills in the derived members of a node, whose parts have theirs. Sizes that do not fit come out
// as 2^32 - 1: the caller refuses by what is returned.
Layout deriveLayout(Type& type);

}  // namespace tenon::component
