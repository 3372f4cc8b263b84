#pragma once

// Random numbers that are the same on every machine: SplitMix64. A plain value.

#include <cstddef>
#include <cstdint>

namespace tenon::mutants {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    uint64_t mixed = state_ += 0x9e3779b97f4a7c15;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
  }
  // From 0 to `bound` - 1; 0 when `bound` is 0.
  size_t below(size_t bound) { return bound == 0 ? 0 : next() % bound; }
  bool oneIn(size_t n) { return below(n) == 0; }

 private:
  uint64_t state_;
};

// One seed out of two numbers.
inline uint64_t mixSeeds(uint64_t left, uint64_t right) {
  return Random(left ^ (right + 1) * 0xff51afd7ed558ccd).next();
}

}  // namespace tenon::mutants
