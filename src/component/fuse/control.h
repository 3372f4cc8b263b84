#pragma once

// The control memory: what adapters and the host share about component instances. When a program has
// adapters, the first generated module defines and exports it, and no guest can reach it; otherwise the
// host keeps the same bytes by itself.
//
//     offset 4 * i   u32   may-leave flag of component instance i: 1 it may call out, 0 it must not
//
// Source: CanonicalABI.md `ComponentInstance.may_leave`.

#include <cstdint>

namespace tenon::component {

// The name under which the generated module exports it.
inline constexpr const char* CONTROL_EXPORT = "control";

// Bytes from the start of the control memory.
constexpr uint64_t mayLeaveOffset(uint32_t instance) { return uint64_t{4} * instance; }
constexpr uint64_t controlSize(uint32_t instanceCount) { return uint64_t{4} * instanceCount; }

}  // namespace tenon::component
