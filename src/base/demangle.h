#pragma once

// Names of functions as their authors wrote them. What is demangled comes from strangers: a name of
// 500 bytes can stand for gigabytes, as each reference in it may repeat what was there before. So
// there are bounds on a name, on the work for it and on what becomes of it; what exceeds them, and
// what is not known here (C++ expressions in types, mostly), stays as it is.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tenon {

// What a mangled name stands for: of C++ ("_Z...", Itanium C++ ABI) or of Rust, legacy
// ("_ZN...17h0123456789abcdefE") or v0 ("_R..."), without the hashes that tell builds of a crate
// apart. Nothing for any other name, and beyond the bounds.
std::optional<std::string> demangle(std::string_view name);

namespace detail {

std::optional<std::string> demangleCpp(std::string_view name);
std::optional<std::string> demangleRustLegacy(std::string_view name);
std::optional<std::string> demangleRustV0(std::string_view name);

// What the work for one name may take, and what it may become.
inline constexpr size_t MOST_MANGLED = 4096;
inline constexpr size_t MOST_DEMANGLED = 4096;
inline constexpr uint64_t MOST_WORK = 64 * 1024;  // bytes moved, and productions
inline constexpr uint32_t MOST_DEPTH = 128;

// Counts work and depth. `failed` is for good, and every rule looks at it.
struct Effort {
  uint64_t spent = 0;
  uint32_t depth = 0;
  bool failed = false;

  void charge(uint64_t amount) {
    spent += amount;
    if (spent > MOST_WORK) failed = true;
  }
};

// One level of recursion.
class Level {
 public:
  explicit Level(Effort& effort) : effort_(effort) {
    effort_.charge(1);
    if (++effort_.depth > MOST_DEPTH) effort_.failed = true;
  }
  ~Level() { --effort_.depth; }
  Level(const Level&) = delete;
  Level& operator=(const Level&) = delete;

 private:
  Effort& effort_;
};

}  // namespace detail
}  // namespace tenon
