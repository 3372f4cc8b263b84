#pragma once

// Follows a component's definitions and gives every import and export its type, with identities as
// `type_graph.h` has them: aliases resolved, nested components instantiated, resources made anew
// where the specification makes new ones. What the engine runs (core modules and instances,
// canonical functions but `lift`) is passed over, so the size of the code does not matter.
//
// It checks only what it needs to stay inside its own bounds; whether the component is valid is the
// validator's business.
// Source: Explainer.md "Type Definitions", "Instance Definitions".

#include "component/binary/definitions.h"
#include "component/wit/type_graph.h"

#include <tenon/result.h>

#include <string_view>
#include <vector>

namespace tenon::component::wit {

// An import or export of the outermost component, in the order of the binary.
struct Extern {
  std::string_view name;
  Item item;
  bool isExport = false;
};

struct Elaborated {
  TypeGraph graph;
  std::vector<Extern> externs;
};

// Errors: INVALID for an index out of range or of another kind, or a name used twice; UNSUPPORTED
// for values; LIMIT_EXCEEDED; always with an offset.
Result<Elaborated> elaborate(const Component& component);

}  // namespace tenon::component::wit
