#pragma once

// Imports that a component exports again, as functions that can be called. A host function needs a
// guest: memory for strings and lists, a handle table. So one core module is made for each part
// that exports such imports: each function of it passes on to the import that is lowered for it,
// and is lifted again.

#include "component/program/program.h"

#include <tenon/type.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tenon::component {

// Whether an import of this type can be passed on: not an asynchronous one, nor one that is lent
// handles inside of other values, which nobody would give back.
bool canReexport(const FuncType& type);

// One import that is passed on.
struct Reexport {
  const FuncType* type = nullptr;
  std::vector<uint32_t> borrows;  // parameters that are borrowed handles
};

// A core module that, for each index i and b: imports "import" "i", lowered, and "drop" "i:b",
// which gives a borrowed handle back; and exports "i", to be lifted. It also exports "memory",
// "realloc", and "done:i", i's post-return.
std::vector<std::byte> writeReexports(const std::vector<Reexport>& functions);

}  // namespace tenon::component
