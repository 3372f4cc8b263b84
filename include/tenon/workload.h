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
#include <tenon/workload_plan.h>

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
