#pragma once

// Definitions to a program: runs every instantiation of components symbolically. Of core modules
// only imports and exports are read. Pure.

#include "component/binary/definitions.h"
#include "component/program/program.h"

#include <tenon/result.h>

#include <span>
#include <string>
#include <vector>

namespace tenon::component {

struct FlattenLimits {
  uint32_t maxInstances = 10'000;      // component instances
  uint32_t maxCoreInstances = 10'000;  // steps
  uint32_t maxItems = 1'000'000;       // entries in all index spaces together
};

// A component, and what other parts of its workload satisfy of its imports.
struct WorkloadPart {
  // Import `import` is export `item` of part `part`.
  struct Wire {
    std::string import;
    uint32_t part = 0;
    std::string item;
  };
  std::string name;  // empty: the only part, a component by itself
  const Component* component = nullptr;
  std::vector<Wire> wires;  // imports that are not here are imports of the program
};

// The program of components that are joined: what an outer component would be that instantiates
// each part, in this order, gives it its wires, and exports it under its name (an ExportedInstance
// each). A component by itself is such a program's only part; there is nothing around it, and its
// exports are the program's.
//
// Components must have passed `validate`, and `link/plan` has compared the types of wires, which
// lead to earlier parts only; what that guarantees is still looked up with bounds, and a violation
// is an INTERNAL error rather than undefined behaviour. The program borrows the components' bytes.
// Errors: UNSUPPORTED for what Tenon does not run yet, by name (asynchronous functions, imported
// components or modules, memory64 options); LIMIT_EXCEEDED. With the part's name in front.
Result<Program> flatten(std::span<const WorkloadPart> parts, const std::string& name,
                        const FlattenLimits& limits = {});
// A component by itself.
Result<Program> flatten(const Component& component, const std::string& name,
                        const FlattenLimits& limits = {});

}  // namespace tenon::component
