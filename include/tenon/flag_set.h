#pragma once

#include <cstddef>
#include <cstdint>

namespace tenon {

// Flags without names: bit i is the i-th label. Bits from N on are ignored when they come from a
// guest, as the specification has it, and not sent.
template <size_t N>
  requires(N >= 1 && N <= 32)
struct FlagSet {
  uint32_t bits = 0;

  static constexpr uint32_t MASK = N == 32 ? ~uint32_t{0} : (uint32_t{1} << (N % 32)) - 1;
  constexpr bool test(size_t index) const { return index < N && (bits >> index & 1) != 0; }
  constexpr FlagSet& set(size_t index) {
    if (index < N) bits |= uint32_t{1} << index;
    return *this;
  }
  bool operator==(const FlagSet&) const = default;
};

}  // namespace tenon
