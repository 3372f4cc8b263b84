#pragma once

// Decides what satisfies every import of a workload, before anything starts: from types and from
// what the deployer said, nothing else. Pure; no engine, no files.
//
//   deployed components        plan
//   web   --said: to cart-->   store 0:  [cart] <--Part-- [web] --Wasi--> the host
//   cart
//
//                              |
//   pricing  --isolated-->     +--IsolatedPart--> store 1:  [rates] <--Part-- [pricing]
//   rates
//
// Each import is satisfied by exactly one thing, its Provider: the component that its link names;
// else the host, where it provides the interface; else the one other component that exports it.
// Parts of one store call each other directly. A link with Via::ISOLATED leads to another store,
// of which there are as many instances at run time as its policy says; what is fused to the part
// that is called is there too. Links to one component that say the same lead to the same store, so
// isolated links may go round in a circle. A peer will be a further alternative of Provider:
// `costOf` and `wiresOf` are where to begin.

#include "component/flatten/flatten.h"
#include "component/validate/interface.h"

#include <tenon/result.h>
#include <tenon/workload_plan.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tenon::link {

// One component of a workload, as deployed. Its links by the import's name; both are borrowed.
struct Deployed {
  std::string_view name;
  component::ComponentInterface interface;
  const std::map<std::string, WorkloadLink>& links;
};

// -- What satisfies an import
// An export of another part of the same store, by a generated adapter.
struct Part {
  size_t index = 0;
  std::string item;
};
// An export of the part that another store is for: the call leaves the store.
struct IsolatedPart {
  size_t store = 0;  // index into Plan::stores, not 0
  std::string item;
};
// The host's WASI.
struct Wasi {};
// What else a host registered.
struct Plugin {
  std::string name;  // empty: the embedder's own functions
};
// Nothing has to: there is nothing to call.
struct OnlyTypes {};
// Nothing does, or what does is not known: one of the problems.
struct Missing {};
using Provider = std::variant<Part, IsolatedPart, Wasi, Plugin, OnlyTypes, Missing>;

LinkCost costOf(const Provider& provider);

// Who of the host provides this interface, or this function or type at the root of a world: Wasi, a
// Plugin, or Missing.
using HostProvides = std::function<Provider(std::string_view import)>;

// An import of a part, and what satisfies it.
struct Link {
  std::string import;
  std::string_view kind;  // "instance", "func", ...
  Provider provider = Missing{};
  const WorkloadLink* said = nullptr;  // what the deployer said of it, borrowed; null: nothing
};

// One instance of a component.
struct PlannedPart {
  std::string name;         // the component's; "<importer>/<component>" for an instance of its own
  size_t component = 0;     // index into the components that were planned
  std::vector<Link> links;  // in the order of the component's imports
  bool program = false;     // exports wasi:cli/run
  bool answers = false;     // exports wasi:http/incoming-handler
};

// What flattening joins the part to others with.
std::vector<component::WorkloadPart::Wire> wiresOf(const PlannedPart& part);

// What runs as one: its parts share a store, and a trap ends them all.
struct Store {
  std::vector<PlannedPart> parts;  // in the order of instantiation: providers first
  // -- Of the stores that isolated links lead to; the first has none of it.
  std::string name = {};
  size_t called = 0;  // the part that these links lead to
  std::optional<std::chrono::nanoseconds> timeout = {};
  std::optional<uint64_t> maxMemory = {};
  InstancePolicy instances = {};
};

struct Plan {
  // The first is what runs; the others are what its isolated links lead to, and theirs. A component
  // that is linked to only by isolated links, and by links that want an instance of their own, has
  // no instance besides those.
  std::vector<Store> stores;
  // All that is wrong, at once: MISSING_IMPORT, AMBIGUOUS, TYPE_MISMATCH (with the first
  // difference, by path), NOT_FOUND (a link that leads nowhere), INVALID (a cycle, spelled out; an
  // import of oneself; a policy that cannot be; a route to a component that answers no requests),
  // UNSUPPORTED (what cannot cross an isolated link), LIMIT_EXCEEDED (more than MAX_PLANNED_PARTS
  // in all stores).
  std::vector<Error> problems;
  // Parts that no program reaches; without any program, those that nothing is linked to.
  std::vector<std::string> unreached;

  bool ok() const { return problems.empty(); }
};

inline constexpr size_t MAX_PLANNED_PARTS = 2000;

// Names of `components` are unique, and have no '/'; `interfaces` described them. `routes` lead to
// components that are there; their patterns are not looked at.
Plan plan(std::span<const Deployed> components, const component::Interfaces& interfaces,
          const HostProvides& hostProvides, std::span<const HttpRoute> routes = {});

}  // namespace tenon::link
