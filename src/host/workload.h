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

// A workload as deployed. Shared freely; what is joined and compiled last is kept, under the lock.
struct WorkloadState {
  Engine engine;
  std::string name;
  std::vector<WorkloadComponent> components;
  WorkloadSettings settings;
  std::vector<HttpRoute> routes;         // to components that are there; no pattern twice
  std::vector<std::string> routePlaces;  // where they are written; empty without a manifest
  // Where links and directories are written, for messages: by component, and import or guest path.
  std::map<std::pair<std::string, std::string>, std::string> places;

  mutable std::mutex joining;
  // By component, once needed: what they import and export. Those of one source share it.
  component::Interfaces interfaces;
  std::vector<component::ComponentInterface> described;
  std::string joinedAs;                            // what `executable` was made for
  std::shared_ptr<run::Executable> executable;     // compiled
  std::shared_ptr<const WorkloadPlan> joinedPlan;  // what `executable` was made from
  std::string cacheWarning;

  explicit WorkloadState(Engine engine) : engine(std::move(engine)) {}
  static WorkloadState& of(const Workload& workload) { return *workload.state_; }
  static Workload wrap(std::shared_ptr<WorkloadState> state) { return Workload(std::move(state)); }

  WorkloadPlan plan(const LinkerState& linker);
  // What is wrong with links whatever a host provides: with those to other components.
  std::vector<Error> linkProblems();
  // After `describe`, under the lock.
  link::Plan linkPlan(const std::function<bool(std::string_view import)>& hostProvides) const;
  // Fills `described`. Under the lock. Errors: none for components that were loaded.
  Result<void> describe();
  // The compiled executable of a plan without problems. Errors: as Workload::compile.
  Result<std::shared_ptr<run::Executable>> join(const WorkloadPlan& plan);
  // The plan if `linker` was linked for it last and has not changed since; else null.
  std::shared_ptr<const WorkloadPlan> planOf(const LinkerState& linker) const;
};

// The only component of a workload that can be meant to answer HTTP requests. Errors:
// MISSING_EXPORT, AMBIGUOUS.
Result<std::string> findFront(const WorkloadPlan& plan);
// `who`, with its verb, is no HTTP handler.
Error noHandler(std::string_view who);

// NOT_FOUND, with what there is.
Error noComponent(const WorkloadPlan& plan, std::string_view name);

}  // namespace tenon::host
