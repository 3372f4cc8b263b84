#pragma once

// Handles as values. `Own<T>` and `Borrow<T>` are for resources that the host implements: they
// carry the representation, a number, and whoever linked the host function knows the object behind
// it. `GuestResource` is a handle to a resource of a guest, opaque.

#include <tenon/value.h>

#include <cstdint>

namespace tenon {

// Ownership of a resource whose objects are `T`s moves with it: what a host function received it
// must drop or pass on. A plain number otherwise.
template <typename T>
struct Own {
  uint32_t rep = 0;
  bool operator==(const Own&) const = default;
};

// The same resource lent for the length of the call.
template <typename T>
struct Borrow {
  uint32_t rep = 0;
  bool operator==(const Borrow&) const = default;
};

// `own` or `borrow`, as the component's type has it; shared, see ResourceHandle.
using GuestResource = Resource;

}  // namespace tenon
