#pragma once

// The control memory: a linear memory that only generated modules and the host can touch (guests
// cannot import it). It holds what both need at every crossing. It is defined by the first module
// that `fuse` generates, see Program::control, and starts as zeros. All offsets are in bytes.
//
// A program without adapters has none; the host then keeps the same things elsewhere.

#include <cstdint>

namespace tenon::component::control {

// Scratch space of generated code: meaningless between calls.
inline constexpr uint32_t SCRATCH_BYTES = 64;

// One record for each component instance, in order, after the scratch space.
inline constexpr uint32_t RECORD_BYTES = 32;
constexpr uint32_t recordOffset(uint32_t instance) {
  return SCRATCH_BYTES + instance * RECORD_BYTES;
}

// u32: nonzero while the instance may not leave (`may_leave` is false). Every function that a guest
// can call and that is a canonical definition traps then, except resource.rep and context.get and
// set. Generated code sets and clears it around `realloc` and post-return; so must the host.
constexpr uint32_t barredOffset(uint32_t instance) { return recordOffset(instance); }

// u64 each: the current task's `context` storage, slots 0 and 1, as it is for code of this
// instance. Whoever calls into an instance that has context.get or context.set saves them, sets
// them to zero, and puts them back after post-return. Source: CanonicalABI.md `Thread.storage`.
constexpr uint32_t contextOffset(uint32_t instance, uint32_t slot) {
  return recordOffset(instance) + 8 + 8 * slot;
}

// Bytes of the whole memory that are used; the size of the memory is this, in pages, rounded up.
constexpr uint64_t usedBytes(uint64_t instances) {
  return SCRATCH_BYTES + instances * RECORD_BYTES;
}

// Why generated code stops the guest: the first argument of the trampoline TRAP.
enum class TrapCode : uint32_t {
  CANNOT_LEAVE = 1,
  POINTER_MISALIGNED = 2,
  POINTER_OUT_OF_BOUNDS = 3,
  LIST_TOO_LONG = 4,
  STRING_TOO_LONG = 5,
  INVALID_UTF8 = 6,
  INVALID_UTF16 = 7,
  INVALID_CHAR = 8,
  INVALID_DISCRIMINANT = 9,
  REALLOC_MISALIGNED = 10,
  REALLOC_OUT_OF_BOUNDS = 11,
  UNCAUGHT_EXCEPTION = 12,
};

// A sentence about the guest, without full stop: "cannot leave component instance".
const char* toString(TrapCode code);

}  // namespace tenon::component::control
