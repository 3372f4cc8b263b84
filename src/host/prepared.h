#pragma once

// What stands behind tenon::Prepared.
//
//     Component ─┐            ┌─ Instance on this loop
//     Workload ──┼─ Prepared ─┼─ Instance on that loop
//     Linker ────┘            └─ HttpHandler of a server: instances on its loops
//
// A component by itself is a part without a name, and its exports are the program's. In a workload
// each part has one, under which the program exports it.

#include "component/program/program.h"
#include "host/instance.h"
#include "host/isolated.h"
#include "host/loop.h"
#include "run/linked.h"
#include "wasi/wasi.h"

#include <tenon/engine.h>
#include <tenon/prepared.h>
#include <tenon/result.h>
#include <tenon/workload.h>

#include <any>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace tenon::host {

// Immutable, shared freely.
struct PreparedState {
  Engine engine;
  std::shared_ptr<const run::Linked> linked;
  // Without problems; its components are the program's parts. Never null.
  std::shared_ptr<const WorkloadPlan> plan;
  std::vector<WasiOptions> granted;  // by part: what the workload gives it
  // What the workload says of all its instances.
  std::optional<std::chrono::nanoseconds> timeout;
  std::optional<uint64_t> maxMemory;
  std::vector<IsolatedStore> isolated;  // as WorkloadPlan::isolated; what is here is the rest

  static const PreparedState& of(const Prepared& prepared) { return *prepared.state_; }
  static const std::shared_ptr<const PreparedState>& shared(const Prepared& prepared) {
    return prepared.state_;
  }
  static Prepared wrap(std::shared_ptr<const PreparedState> state) {
    return Prepared(std::move(state));
  }

  const component::Program& program() const { return linked->program(); }
  bool isAlone() const { return plan->components.front().name.empty(); }

  // A part and what it exports.
  struct Exporter {
    std::string_view name;
    const std::vector<component::ProgramExport>* exports = nullptr;
  };
  // Errors: as WorkloadPlan::find.
  Result<Exporter> findExporter(std::string_view name) const;

  // A context for an instance's part, on the loop. Errors: as Prepared::instantiate.
  Result<std::unique_ptr<call::PartContext>> newContext(LoopState& loop, size_t part,
                                                        const WasiOptions& options) const;
};

// An instance that is being made: gets a context for each part, in their order, and is then
// completed. Bound to the loop's thread.
class InstanceMaker {
 public:
  InstanceMaker(const std::shared_ptr<const PreparedState>& prepared, Loop& loop,
                const std::any& userData);

  // Before the contexts: the stores that isolated links lead to. Errors: as IsolatedStores::create.
  Result<void> addStores(const IsolatedStores::Adjust& adjust, uint64_t maxMemory);
  // Errors: as PreparedState::newContext.
  Result<void> add(const WasiOptions& context);
  // Once. Errors: as `instantiate` in running_call.h.
  Result<Instance> complete(std::optional<std::chrono::nanoseconds> timeout, uint64_t maxMemory);

 private:
  std::unique_ptr<InstanceState> state_;
};

}  // namespace tenon::host
