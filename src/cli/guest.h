#pragma once

// What run and call share: getting a component to run, and saying why it did not.

#include "cli/options.h"

#include <tenon/component.h>
#include <tenon/instance.h>
#include <tenon/result.h>

#include <string>
#include <string_view>

namespace tenon::cli {

// Loads the file, and warns when compiled code will not be cached.
Result<Component> load(const std::string& file, const GuestOptions& guest);

// Compiles, links with WASI and instantiates. Warns when the cache could not be used.
Result<Instance> instantiate(const Component& component, Loop& loop,
                             const InstanceOptions& options);

// The error of a loaded component as a person wants to read it: which file, and which option would
// help. `instance`: null if there is none.
Error explain(Error error, std::string_view file, const GuestOptions& guest,
              const Instance* instance);

}  // namespace tenon::cli
