#pragma once

// Decides what satisfies every import of a workload, before anything starts: from types and from
// what the deployer said, nothing else. Pure; no engine, no files.
//
// Each import is satisfied by exactly one thing: the component that its link names; else the host,
// where it provides the interface; else the one other component that exports it.

#include "component/binary/definitions.h"
#include "component/flatten/flatten.h"

#include <tenon/result.h>

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::link {

// One component of a workload, as deployed. The definitions are valid.
struct Part {
  std::string name;
  const component::Component* definitions = nullptr;
  std::map<std::string, std::string> links;  // import -> name of the component that satisfies it
};

// Whether the host provides this interface, or this function at the root of a world.
using HostProvides = std::function<bool(std::string_view import)>;

enum class Cost : uint8_t {
  FUSED,  // another component, by a generated adapter
  HOST,   // a host function
  NONE,   // types only: nothing is called
};
const char* toString(Cost cost);

struct PlannedImport {
  std::string name;
  std::string kind;  // "instance", "func", ...
  Cost cost = Cost::HOST;
  std::string component;  // FUSED: who satisfies it
  std::string item;       // FUSED: that component's export
};

struct PlannedPart {
  std::string name;
  std::vector<PlannedImport> imports;  // in the component's order
  bool program = false;                // exports wasi:cli/run
};

struct Plan {
  std::vector<PlannedPart> parts;  // in the order of instantiation: providers first
  // All that is wrong, at once: MISSING_IMPORT, AMBIGUOUS, TYPE_MISMATCH (with the first
  // difference, by path), NOT_FOUND (a link that leads nowhere), INVALID (a cycle, spelled out; an
  // import of oneself).
  std::vector<Error> problems;
  // Parts that are no program and that nothing is linked to.
  std::vector<std::string> unreached;

  bool ok() const { return problems.empty(); }
  // The wires of part `index`, for `flattenWorkload`. Only when `ok()`.
  std::vector<component::WorkloadPart::Wire> wires(size_t index) const;
};

// Names of `parts` are unique. Errors: INVALID when a component is not valid, with its name.
Result<Plan> plan(const std::vector<Part>& parts, const HostProvides& hostProvides);

}  // namespace tenon::link
