#pragma once

// A guest's core module, written anew so that it can be instantiated before some of the functions
// that it imports exist. Each call of such an import becomes a call through a table that the module
// gets for this and exports; whoever makes the functions fills it. Nothing else of the module
// changes: no index, no export, no behaviour but that a call before the table is filled traps, as
// it would in the shim of `wit-component`, which this replaces. Pure.

#include <tenon/result.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tenon::component {

struct LateModule {
  std::vector<std::byte> bytes;
  // The export that is the table: of function references, one for each of `positions` in its order,
  // null at first. No other export has this name, and nobody but Tenon imports it.
  std::string table;
};

// `positions`: which imports, in ascending order. They stay in the module's list of imports, but
// are never called. nullopt: has a start function, or uses one of them in another way than by
// calls, or anything else that is not followed. `module` need not be valid; what is made of an
// invalid module may be valid, so that whoever runs it has the original validated too.
std::optional<LateModule> bindLate(std::span<const std::byte> module,
                                   std::span<const uint32_t> positions);

}  // namespace tenon::component
