#pragma once

// A core module without its start function: the function is exported instead, so that whoever
// instantiates the module can run it as a call, with turns and on whatever stack, where the engine
// would run it to its end on the native one. Pure.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tenon::component {

struct StartFunction {
  // The export. No other export has this name, and nobody but Tenon imports it.
  std::string name;
  // Places in the module as it was: the start section with its head, and what `exports` takes the
  // place of (empty and before the start section when there is no export section).
  size_t startBegin = 0, startEnd = 0;
  size_t exportsBegin = 0, exportsEnd = 0;
  std::vector<std::byte> exports;  // the new export section with its head

  // By how much what follows, the code, is further back than it was.
  int64_t shift() const {
    return static_cast<int64_t>(exports.size()) -
           static_cast<int64_t>((exportsEnd - exportsBegin) + (startEnd - startBegin));
  }
};

// nullopt: the module has none, or is not valid, which whoever compiles it finds out. Looks at the
// heads of the sections only when there is none.
std::optional<StartFunction> findStart(std::span<const std::byte> module);

// The module without start function. What is made of an invalid module may be valid, so the
// original has to be validated too.
std::vector<std::byte> exportStart(std::span<const std::byte> module, const StartFunction& start);

}  // namespace tenon::component
