#pragma once

// For tests and benchmarks: plans components of which only the definitions are there.

#include "component/binary/definitions.h"
#include "component/validate/interface.h"
#include "link/plan.h"

#include <tenon/result.h>
#include <tenon/workload_plan.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace tenon::link {

// `definitions` are valid, and borrowed.
struct Given {
  std::string name;
  const component::Component* definitions = nullptr;
  std::map<std::string, WorkloadLink> links = {};
};

// Describes and plans. The plan borrows from `components`. Errors: INVALID when a component is not
// valid, with its name.
inline Result<Plan> planGiven(const std::vector<Given>& components,
                              const HostProvides& hostProvides) {
  component::Interfaces interfaces;
  std::vector<Deployed> deployed;
  for (const Given& given : components) {
    auto interface = interfaces.describe(*given.definitions);
    if (!interface) {
      Error error = std::move(interface).error();
      error.message = given.name + ": " + error.message;
      return error;
    }
    deployed.push_back({given.name, *interface, given.links});
  }
  return plan(deployed, interfaces, hostProvides);
}

// A host that has WASI, by the beginning of its names, and nothing else.
inline HostProvides wasiIs(std::string prefix) {
  return [prefix = std::move(prefix)](std::string_view import) {
    return import.starts_with(prefix) ? Provider(Wasi{}) : Provider(Missing{});
  };
}
inline Provider nothingIs(std::string_view) { return Missing{}; }

}  // namespace tenon::link
