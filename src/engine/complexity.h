#pragma once

// Which functions are not compiled. What the compiler takes grows faster than a function does: it
// keeps a value for each local in each loop, so with loops times locals and with how deep loops are
// nested, and less so with other branches times locals. The bounds are twenty times and more what
// compilers make, see docs/SECURITY-DESIGN.md; what is below them and takes long all the same is
// stopped by CompileLimits. Pure.

#include <tenon/result.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace tenon::engine {

// The shape of one function, or the largest of each in a module.
struct Complexity {
  uint64_t locals = 0;         // declared ones
  uint64_t branches = 0;       // blocks, loops, ifs, branches, labels of tables of branches
  uint64_t loopDepth = 0;      // loops inside loops
  uint64_t loopProduct = 0;    // locals * loops, of one function
  uint64_t branchProduct = 0;  // locals * branches, of one function
};
inline constexpr uint64_t MAX_LOOP_DEPTH = 100;
inline constexpr uint64_t MAX_LOOP_PRODUCT = 1'000'000;
inline constexpr uint64_t MAX_BRANCH_PRODUCT = 20'000'000;

// Of `module`'s functions, as far as they are followed: not code with instructions of the GC
// proposal and typed references.
Complexity complexityOf(std::span<const std::byte> module);

// Errors: LIMIT_EXCEEDED with the function's number and offset in `module`.
Result<void> checkComplexity(std::span<const std::byte> module);

}  // namespace tenon::engine
