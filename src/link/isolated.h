#pragma once

// What can be said of a link that leaves the importer's store, and what can cross it. Pure.

#include "component/validate/entity_type.h"
#include "component/validate/interface.h"

#include <tenon/result.h>
#include <tenon/workload_plan.h>

#include <string>
#include <vector>

namespace tenon::link {

// What does not go together in what is said of a link, fused ones included: sentences without a
// place. Empty: nothing is wrong.
std::vector<Error> policyProblems(const WorkloadLink& said);

// What of an import of a component cannot be called in another store, each by name. UNSUPPORTED.
std::vector<Error> crossingProblems(const component::ComponentInterface& importer,
                                    const component::typed::Item& import);

}  // namespace tenon::link
