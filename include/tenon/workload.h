#pragma once

// Several components that are deployed as one: built and shipped apart, joined here. An import of
// one that another exports becomes a direct call (it is *fused*); the rest is the host's. What is
// linked to what is decided before anything starts:
//
//   auto shop = tenon::Workload::load(engine, "shop/tenon.toml").value();
//   tenon::Linker linker;
//   linker.wasi();
//   tenon::WorkloadPlan plan = shop.plan(linker);  // what satisfies each import, and all problems
//   auto instance = shop.instantiate(linker, loop).value();
//   auto price = instance.function<double(std::string_view)>("cart", "shop:cart/cart", "price");
//
// Each import is satisfied by exactly one thing: the component that its link names; else the host,
// where the linker provides the interface; else the one other component that exports it.
// docs/manifest.md has the manifest.

#include <tenon/component.h>
#include <tenon/engine.h>
#include <tenon/instance.h>
#include <tenon/linker.h>
#include <tenon/result.h>

#include <any>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tenon {

namespace host {
struct WorkloadState;
}  // namespace host

// Who satisfies an import, when it is not to be found out.
struct WorkloadLink {
  // SHARED: all that are linked to a component use one instance of it. OWN: the importer gets an
  // instance of its own, with the same context; several such links of one importer to one component
  // share it.
  enum class Instance : uint8_t { SHARED, OWN };
  std::string to;  // a component's name
  Instance instance = Instance::SHARED;
  std::string item = {};  // its export, where that has another name than the import
};

// Adds to what a component has what `more` grants, and its variables and configuration in place of
// those of the same names. Arguments and standard streams stay.
void grant(WasiOptions& to, const WasiOptions& more);

// What of somebody's context a component gets that works for them.
enum class Share : uint8_t {
  // Where its standard output and error go, and who is told what it asked for and was not granted.
  OUTPUT,
  // Besides: standard input, arguments after those that it has, and what `grant` adds.
  EVERYTHING,
};
// Merges the context of whoever runs a workload (a command line, the options of a server) into what
// the workload gives one of its components.
void give(WasiOptions& to, const WasiOptions& given, Share share);

// One component of a workload. Its context is its own: no other part of the workload can reach what
// `wasi` grants.
struct WorkloadComponent {
  std::string name;  // of letters, digits, '.', '_' and '-'; unique in the workload
  Component component;
  // By the import's name; its version may differ where the versions are compatible.
  std::map<std::string, WorkloadLink> links = {};
  WasiOptions wasi = {};
};

// Which component answers a request to `tenon::Server`, where several could. `match` is a path, a
// host, or both: "/api", "example.com", "*.example.com/api". The host that says most wins, then the
// longest path; docs/manifest.md has the rules.
struct HttpRoute {
  std::string match;
  std::string component;  // it exports `wasi:http/incoming-handler`
};

// What a manifest says of the workload as a whole.
struct WorkloadSettings {
  // Hold for an instance whose WorkloadOptions do not say otherwise.
  std::optional<std::chrono::nanoseconds> timeout;
  std::optional<uint64_t> maxMemory;
  // What [serve] says, for whoever makes a server of the workload: options of `tenon serve` without
  // their dashes, in the order of the manifest. Paths in them can be opened as they are.
  struct ServeOption {
    std::string name;
    std::vector<std::string> values;  // as written, at least one
    std::string place;                // "tenon.toml:7:1"
  };
  std::vector<ServeOption> serve;
  // Variables of the environment that texts of the manifest were made of, by `${NAME}`.
  std::vector<std::string> variables;
};

enum class LinkCost : uint8_t {
  FUSED,    // another component, through a generated adapter: nanoseconds
  HOST,     // a host function
  NONE,     // types only: nothing is called
  MISSING,  // nothing satisfies it, or what does is not known: one of the problems
};
// "fused", "host", "types", "missing".
const char* toString(LinkCost cost);

// One import of one component, and what satisfies it.
struct PlannedLink {
  std::string import;  // "shop:cart/cart@1.0.0"
  std::string kind;    // "instance", "func", "resource", "type"
  LinkCost cost = LinkCost::HOST;
  std::string component;  // FUSED: the PlannedComponent that satisfies it; else empty
  std::string item;       // FUSED: that component's export; its version may differ from `import`'s
};

struct PlannedComponent {
  std::string name;                // for an OWN instance: "<importer>/<component>"
  std::string component;           // whose code and context it has: WorkloadComponent::name
  std::string source;              // where that was loaded from; for messages
  bool program = false;            // exports wasi:cli/run
  bool answers = false;            // exports wasi:http/incoming-handler: answers HTTP requests
  std::vector<PlannedLink> links;  // in the order of its imports
};

// What a workload becomes. Plain data.
struct WorkloadPlan {
  std::vector<PlannedComponent> components;  // in the order of instantiation: providers first
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

  bool ok() const { return problems.empty(); }
  // All problems as one: the first's code, a message that says how many there are, and the others
  // in the details. Only when there are any.
  Error error() const;
};

// Of an instance of a workload, or of whatever else was prepared.
struct WorkloadOptions {
  // As InstanceOptions: the memory is that of all components together; a call's time is that of all
  // components it goes through. Absent: what the manifest says, else no limit of time and 4 GiB.
  std::optional<std::chrono::nanoseconds> timeout;
  std::optional<uint64_t> maxMemory;
  // Whether each line that a component writes to an inherited standard output or error begins with
  // "<component> | ", and has what could steer a terminal escaped. AUTO: where that leads to a
  // terminal, and more than one component of the workload can write.
  enum class Prefix : uint8_t { AUTO, ALWAYS, NEVER };
  Prefix prefix = Prefix::AUTO;
  // Called once for each planned component before it is made, to change its context.
  std::function<void(const PlannedComponent& component, WasiOptions& wasi)> adjust;
  // For host functions that ask who calls: see Caller. One for all components.
  std::any userData;
};

// A workload, running, is an Instance with several components.
using WorkloadInstance = Instance;

// A handle that is cheap to copy; immutable, shared freely between threads.
class Workload {
 public:
  // Says what is wrong with settings that are no business of the library, the values of [serve] for
  // one; each problem with its place.
  using CheckSettings = std::function<std::vector<Error>(const WorkloadSettings& settings)>;

  // Reads `tenon.toml`, or another manifest, or the `tenon.toml` of a folder, and the components
  // that it names. Errors: as Component::load for the manifest's file; MALFORMED, INVALID or
  // UNSUPPORTED for its text, with line and column, and the nearest known key of one that is
  // unknown; INVALID for a component's file or a directory that cannot be used, with the place that
  // names it. All problems at once: `details` has those after the first, a line each. What `check`
  // says is told with them; a workload that has no others is loaded, and its settings can be read.
  static Result<Workload> load(const Engine& engine, const std::string& path,
                               const CheckSettings& check = nullptr);

  // The same from memory; `engine` is that of the components. Errors: INVALID_ARGUMENT for names
  // that are not unique or cannot be, for a workload without components, and for routes that cannot
  // be, are there twice or lead to no component.
  static Result<Workload> fromComponents(const Engine& engine, std::string name,
                                         std::vector<WorkloadComponent> components,
                                         std::vector<HttpRoute> routes = {});

  // Whether `path` is what `load` reads, rather than a component: a folder, or a file that ends in
  // ".toml".
  static bool isManifest(const std::string& path);

  const std::string& name() const;
  // In the order of the manifest.
  const std::vector<WorkloadComponent>& components() const;
  const std::vector<HttpRoute>& routes() const;
  // The manifest's; empty without one.
  const WorkloadSettings& settings() const;

  // What `linker` makes of it. Compiles nothing.
  WorkloadPlan plan(const Linker& linker) const;

  // Plans, joins and compiles, unless that has happened with a linker that provides the same, or
  // the cache has it. Errors: WorkloadPlan::error(); as Component::compile.
  Result<void> compile(const Linker& linker) const;
  // Why compiling could not use the cache although it should have; empty when all is well.
  std::string warning() const;

  // Linker::prepare and Prepared::instantiate in one. Errors: as these.
  Result<Instance> instantiate(Linker& linker, Loop& loop,
                               const WorkloadOptions& options = {}) const;

 private:
  friend struct host::WorkloadState;
  explicit Workload(std::shared_ptr<host::WorkloadState> state) : state_(std::move(state)) {}
  std::shared_ptr<host::WorkloadState> state_;
};

}  // namespace tenon
