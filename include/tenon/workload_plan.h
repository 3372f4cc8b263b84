#pragma once

// Links: who satisfies what a component of a workload imports. What a deployer says of them goes in
// (WorkloadLink), what was decided comes out (PlannedLink). Plain data.

#include <tenon/result.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tenon {

// How instances that stand in stores of their own live (Via::ISOLATED). A policy holds for each
// thread that calls: each has instances of its own. An instance that trapped, whose time was up, or
// whose call was cancelled is never used again.
struct InstancePolicy {
  enum class Life : uint8_t {
    FRESH,   // for one call
    REUSED,  // one instance, for one call after the other
    POOLED,  // up to `max` of them
  };
  static constexpr uint32_t DEFAULT_MAX = 1000;     // FRESH
  static constexpr uint32_t DEFAULT_POOL_MAX = 16;  // POOLED

  Life life = Life::FRESH;
  // Instances, and so calls, at the same time; calls beyond wait. 0: as above. Not for REUSED,
  // which has one.
  uint32_t max = 0;
  uint32_t maxCalls = 0;                         // of one instance; 0: any number. Not for FRESH
  std::optional<std::chrono::nanoseconds> idle;  // after which an instance goes. Not for FRESH

  bool operator==(const InstancePolicy&) const = default;
};
// "fresh", "reused", "pooled".
const char* toString(InstancePolicy::Life life);

// Who satisfies an import, when it is not to be found out.
struct WorkloadLink {
  // FUSED: in the importer's store; both live and die together. ISOLATED: in a store of its own, on
  // the same thread: what traps there, or takes too long, ends that call only.
  enum class Via : uint8_t { FUSED, ISOLATED };
  // SHARED: all that are linked to a component use one instance of it. OWN: the importer gets an
  // instance of its own, with the same context; several such links of one importer to one component
  // share it.
  enum class Instance : uint8_t { SHARED, OWN };
  std::string to;  // a component's name
  Instance instance = Instance::SHARED;
  std::string item = {};   // its export, where that has another name than the import
  std::string place = {};  // where it is said, for messages: "tenon.toml:7:1"; may be empty
  Via via = Via::FUSED;
  // -- ISOLATED only. Links to one component that say the same share its instances.
  std::optional<std::chrono::nanoseconds> timeout =
      {};                                        // of a call; never more than the caller has
  std::optional<uint64_t> maxMemory = {};        // bytes of one instance
  std::optional<InstancePolicy> instances = {};  // absent: FRESH
};

// Which component answers a request to `tenon::Server`, where several could. `match` is a path, a
// host, or both: "/api", "example.com", "*.example.com/api". The host that says most wins, then the
// longest path; docs/manifest.md has the rules.
struct HttpRoute {
  std::string match;
  std::string component;   // it exports `wasi:http/incoming-handler`
  std::string place = {};  // as WorkloadLink::place
};

enum class LinkCost : uint8_t {
  FUSED,     // another component, through a generated adapter: nanoseconds
  ISOLATED,  // another component in a store of its own: a microsecond and less, or an instantiation
  HOST,      // a host function
  NONE,      // types only: nothing is called
  MISSING,   // nothing satisfies it, or what does is not known: one of the problems
};
// "fused", "isolated", "host", "types", "missing".
const char* toString(LinkCost cost);

// One import of one component, and what satisfies it.
struct PlannedLink {
  std::string import;  // "shop:cart/cart@1.0.0"
  std::string kind;    // "instance", "func", "resource", "type"
  LinkCost cost = LinkCost::HOST;
  std::string component;  // FUSED, ISOLATED: the PlannedComponent that satisfies it; else empty
  std::string item;       // of that component: its export; its version may differ from `import`'s
  std::string plugin;     // HOST: "wasi", or empty for the embedder's own functions; else empty
  size_t isolated = 0;    // ISOLATED: index into WorkloadPlan::isolated
};

struct PlannedComponent {
  std::string name;                // for an OWN instance: "<importer>/<component>"
  std::string component;           // whose code and context it has: WorkloadComponent::name
  std::string source;              // where that was loaded from; for messages
  bool program = false;            // exports wasi:cli/run
  bool answers = false;            // exports wasi:http/incoming-handler: answers HTTP requests
  std::vector<PlannedLink> links;  // in the order of its imports
};

// Components that isolated links lead to: each instance is a store of its own, with the component
// that is called and those that are fused to it.
struct PlannedStore {
  std::string name;  // unique among them: the component's, or "<importer>/<component>"
  // In the order of instantiation: providers first, the one that is called among them.
  std::vector<PlannedComponent> components;
  std::string called;  // that one's PlannedComponent::name
  std::optional<std::chrono::nanoseconds> timeout;
  std::optional<uint64_t> maxMemory;
  InstancePolicy instances;
};

// What a workload becomes.
struct WorkloadPlan {
  // In one store: in the order of instantiation, providers first.
  std::vector<PlannedComponent> components;
  std::vector<PlannedStore> isolated;  // a component may be in several of them, and in `components`
  // All that is wrong, at once: MISSING_IMPORT, AMBIGUOUS (details: the candidates), TYPE_MISMATCH
  // (with the first difference, by path), NOT_FOUND (a link that leads nowhere), INVALID (a cycle,
  // spelled out; an import of oneself; a route to a component that answers no requests). Messages
  // begin with the place in the manifest, where there is one.
  std::vector<Error> problems;
  // Components that no program reaches; without any program, those that nothing is linked to.
  std::vector<std::string> unreached;
  // Who answers HTTP requests: as the workload's routes say; without any, the only component that
  // answers, or else the only one of those to which no other is linked, answers all. Empty when
  // nobody does, or nobody says which.
  std::vector<HttpRoute> routes;

  // The component of this name; without one, the only one there is. Errors: NOT_FOUND with the
  // nearest name, AMBIGUOUS when there are several (details: what there is).
  Result<const PlannedComponent*> find(std::string_view name) const;
  // The component of this name, which is a program; without one, the only program. Errors:
  // NOT_FOUND as `find`; MISSING_EXPORT; AMBIGUOUS (details: which are programs).
  Result<const PlannedComponent*> findProgram(std::string_view name) const;

  bool ok() const { return problems.empty(); }
  // All problems as one: the first's code, a message that says how many there are, and the others
  // in the details. Only when there are any.
  Error error() const;
};

}  // namespace tenon
