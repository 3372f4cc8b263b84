#pragma once

// A guest's core module, written anew so that it can be instantiated before some of the functions
// that it imports exist. Each call of such an import becomes a call through a table that the module
// gets for this and exports; whoever makes the functions fills it. Nothing else of the module
// changes: no index, no export, no behaviour but that a call before the table is filled traps, as
// it would in the shim of `wit-component`, which this replaces. Pure.

#include <tenon/result.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
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

// Whether modules can be bound late, for one program: one component can have very many steps, and
// a module of its own for each of them would be too much.
class LateBudget {
 public:
  // `module` is a number for `bytes`, which are read once for each different list of positions.
  bool allows(uint32_t module, std::span<const std::byte> bytes,
              const std::vector<uint32_t>& positions);

 private:
  size_t bytes_ = 0;  // looked at so far
  std::map<std::pair<uint32_t, std::vector<uint32_t>>, bool> known_;
};

// Whether code runs while the module is instantiated: it has a start function. What cannot be read
// is taken to.
bool runsCode(std::span<const std::byte> module);

}  // namespace tenon::component
