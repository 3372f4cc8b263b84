#pragma once

// Decides what satisfies every import of a workload, before anything starts: from types and from
// what the deployer said, nothing else. Pure; no engine, no files.
//
// Each import is satisfied by exactly one thing: the component that its link names; else the host,
// where it provides the interface; else the one other component that exports it.

#include "component/flatten/flatten.h"
#include "component/validate/interface.h"
#include "link/route.h"

#include <tenon/result.h>

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::link {

// What the deployer says about one import.
struct Link {
  std::string to;     // the name of the component that satisfies it
  bool own = false;   // by an instance of its own, which only this importer uses
  std::string item;   // that component's export; empty: the one of the import's name
  std::string place;  // where it is said, for messages: "tenon.toml:7:1"; may be empty
};

// One component of a workload, as deployed. The definitions are valid.
struct Part {
  std::string name;
  const component::Component* definitions = nullptr;
  std::map<std::string, Link> links;  // by the import's name
};

// Whether the host provides this interface, or this function at the root of a world.
using HostProvides = std::function<bool(std::string_view import)>;

enum class Cost : uint8_t {
  FUSED,    // another component, by a generated adapter
  HOST,     // a host function
  NONE,     // types only: nothing is called
  MISSING,  // nothing satisfies it, or what does is not known: one of the problems
};
const char* toString(Cost cost);

struct PlannedImport {
  std::string name;
  std::string kind;  // "instance", "func", ...
  Cost cost = Cost::HOST;
  std::string component;  // FUSED: the planned part that satisfies it
  std::string item;       // FUSED: that component's export
  size_t provider = 0;    // FUSED: its index
};

// One instance of a part.
struct PlannedPart {
  std::string name;  // the part's; "<importer>/<part>" for an instance that is an importer's own
  size_t part = 0;   // index into the parts that were planned
  std::vector<PlannedImport> imports;  // in the component's order
  bool program = false;                // exports wasi:cli/run
  bool answers = false;                // exports wasi:http/incoming-handler
};

struct Plan {
  // In the order of instantiation: providers first. A part that is linked to only by links that
  // want an instance of their own has none besides those.
  std::vector<PlannedPart> parts;
  // All that is wrong, at once: MISSING_IMPORT, AMBIGUOUS, TYPE_MISMATCH (with the first
  // difference, by path), NOT_FOUND (a link that leads nowhere), INVALID (a cycle, spelled out; an
  // import of oneself; a route to a component that answers no requests), LIMIT_EXCEEDED (more than
  // MAX_PLANNED_PARTS).
  std::vector<Error> problems;
  // Parts that no program reaches; without any program, those that nothing is linked to.
  std::vector<std::string> unreached;

  bool ok() const { return problems.empty(); }
  // The wires of part `index`, for `flattenWorkload`. Only when `ok()`.
  std::vector<component::WorkloadPart::Wire> wires(size_t index) const;
};

inline constexpr size_t MAX_PLANNED_PARTS = 2000;

// Names of `parts` are unique, and have no '/'. Errors: INVALID when a component is not valid, with
// its name.
Result<Plan> plan(const std::vector<Part>& parts, const HostProvides& hostProvides);
// The same for components that were described before: parts[i] by described[i] in `interfaces`.
// `routes` lead to components that are there; their patterns are not looked at.
Plan plan(const std::vector<Part>& parts, std::span<const component::ComponentInterface> described,
          const component::Interfaces& interfaces, const HostProvides& hostProvides,
          std::span<const Route> routes = {});

}  // namespace tenon::link
