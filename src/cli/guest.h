#pragma once

// What run and call share: getting a component to run, and saying why it did not.

#include "cli/options.h"

#include <tenon/component.h>
#include <tenon/instance.h>
#include <tenon/linker.h>
#include <tenon/result.h>
#include <tenon/workload.h>

#include <string>
#include <string_view>
#include <vector>

namespace tenon::cli {

// Loads the file, and warns when compiled code will not be cached.
Result<Component> load(const std::string& file, const GuestOptions& guest);

// Compile, or take it from the cache; what takes longer than a second is told on a terminal.
Result<void> compile(const Component& component);
Result<void> compile(const Workload& workload, const Linker& linker);

// Compiles, links with WASI and instantiates. Warns when the cache could not be used.
Result<Instance> instantiate(const Component& component, Loop& loop,
                             const InstanceOptions& options);

// The same for a folder or a manifest. Errors: as Workload::load; only NOT_FOUND, PERMISSION and IO
// are about the manifest's own file, everything else means exit code 125.
Result<Workload> loadWorkload(const std::string& path, const GuestOptions& guest,
                              const Workload::CheckSettings& check = nullptr);

// Plans, compiles, links with WASI and instantiates. Each component has the context of the manifest
// and this command's standard output and error; the components `chosen` (planned names) also have
// its standard input and what the command line grants, and `arguments` after those of the manifest.
Result<WorkloadInstance> instantiate(const Workload& workload, Linker& linker, Loop& loop,
                                     const GuestOptions& guest,
                                     const std::vector<std::string>& chosen,
                                     const std::vector<std::string>& arguments);

// What to do with a component that is no program, for the end of a message. `file`: what the
// command line called it, or the workload that it is of.
std::string otherUse(const Component& component, std::string_view file);

// The planned component that a command line names. Errors: NOT_FOUND with the nearest name, and
// what there is.
Result<const PlannedComponent*> findComponent(const WorkloadPlan& plan, const std::string& name);
// Its code. `planned` is of this workload.
const Component& componentOf(const Workload& workload, const PlannedComponent& planned);

// An error of a workload as a person wants to read it, with a code that leads to the right exit
// code. `instance`: null if there is none.
Error explainWorkload(Error error, std::string_view path, const GuestOptions& guest,
                      const WorkloadInstance* instance);

// The error of a loaded component as a person wants to read it: which file, and which option would
// help. `instance`: null if there is none.
Error explain(Error error, std::string_view file, const GuestOptions& guest,
              const Instance* instance);

}  // namespace tenon::cli
