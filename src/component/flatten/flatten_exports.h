#pragma once

// What a component exports that cannot run by itself.

#include "component/flatten/flatten.h"

namespace tenon::component {

// Only what the component exports, as `Program::exports` of a program that cannot run: for a
// component that imports core modules, which nothing but a workload can give it. A step stands for
// each module that nobody gives, and for what is made of it: its `module` is NONE. Errors: as
// `flatten`, but for imported modules.
Result<Program> flattenExports(const Component& component, const std::string& name,
                               const FlattenLimits& limits = {});

}  // namespace tenon::component
