#pragma once

// What stands behind tenon::Workload.

#include "component/validate/interface.h"
#include "host/linker.h"
#include "link/plan.h"
#include "run/executable.h"

#include <tenon/engine.h>
#include <tenon/result.h>
#include <tenon/workload.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tenon::host {

// What a workload becomes. The stores borrow from the workload.
struct Planned {
  std::vector<link::Store> stores;  // what runs
  WorkloadPlan shown;               // the same as embedders see it, and all problems
};

// A workload as deployed. Shared freely; what is joined and compiled is kept, under the lock.
struct WorkloadState : std::enable_shared_from_this<WorkloadState> {
  Engine engine;
  std::string name;
  std::vector<WorkloadComponent> components;
  WorkloadSettings settings;
  std::vector<HttpRoute> routes;  // to components that are there; no pattern twice

  mutable std::mutex joining;
  // By component, once needed: what they import and export. Those of one source share it.
  component::Interfaces interfaces;
  std::vector<component::ComponentInterface> described;
  // Compiled, by what each is made of: what a linker provides decides which links are fused.
  std::map<std::string, std::shared_ptr<const run::Executable>> executables;
  std::string cacheWarning;

  explicit WorkloadState(Engine engine) : engine(std::move(engine)) {}
  static WorkloadState& of(const Workload& workload) { return *workload.state_; }
  static const std::shared_ptr<WorkloadState>& shared(const Workload& workload) {
    return workload.state_;
  }
  static Workload wrap(std::shared_ptr<WorkloadState> state) { return Workload(std::move(state)); }

  // For LinkerState::plan, which keeps it.
  Planned plan(const call::Registry& registry);
  // What is wrong with links whatever a host provides: with those to other components.
  std::vector<Error> linkProblems();
  // After `describe`, under the lock.
  link::Plan linkPlan(const link::HostProvides& hostProvides) const;
  WorkloadPlan view(const link::Plan& plan) const;
  // Fills `described`. Under the lock. Errors: none for components that were loaded.
  Result<void> describe();
  // The compiled executables of a plan without problems, by store. Errors: as Workload::compile.
  Result<std::vector<std::shared_ptr<const run::Executable>>> join(const Planned& plan);
  // The same of one store. Under the lock.
  Result<std::shared_ptr<const run::Executable>> joinStore(const link::Store& store);
  // Errors: as Linker::prepare.
  Result<std::shared_ptr<const PreparedState>> prepare(LinkerState& linker);
};

// The plan of a component by itself that can be bound to what `registry` provides: it has no name,
// and its links are read off its program, which is much faster than describing its types.
WorkloadPlan planAlone(const run::Executable& executable, const call::Registry& registry);

// The only component of a workload that can be meant to answer HTTP requests. Errors:
// MISSING_EXPORT, AMBIGUOUS.
Result<std::string> findHttpHandler(const WorkloadPlan& plan);
// `who`, with its verb, is no HTTP handler.
Error noHandler(std::string_view who);

}  // namespace tenon::host
