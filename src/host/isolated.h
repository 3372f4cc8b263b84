#pragma once

// The stores that a workload's isolated links lead to: what is the same for all their instances,
// and, on a loop, the pools of these.
//
//     Prepared ── linkIsolated: each store linked, callees before their callers
//     Instance, or a server's pool of handlers ── IsolatedStores: the pools, until it goes

#include "call/part_context.h"
#include "host/loop.h"
#include "link/plan.h"
#include "run/executable.h"
#include "run/linked.h"
#include "transport/guest.h"
#include "transport/links.h"

#include <tenon/result.h>
#include <tenon/workload.h>

#include <kj/async.h>

#include <any>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace tenon::host {

struct LinkerState;
struct PreparedState;

// A store that isolated links lead to, ready to be instantiated. Immutable, shared freely.
struct IsolatedStore {
  std::shared_ptr<const PreparedState> prepared;
  std::shared_ptr<const transport::Target> target;
};

// Links the stores of a plan without problems, with what their isolated links lead to.
// `executables`: compiled, by store. The first store's Linked comes first, the others are in
// `isolated`, in their order. Errors: as LinkerState::bind; UNSUPPORTED for what cannot be called
// in another store, by name.
class StoreLinker {
 public:
  StoreLinker(const Engine& engine, const LinkerState& linker,
              const std::vector<link::Store>& stores,
              std::vector<std::shared_ptr<const run::Executable>> executables);

  Result<std::vector<std::shared_ptr<const run::Linked>>> link();
  // After `link`: by store, what its callers call.
  std::vector<transport::Target> takeTargets() { return std::move(targets_); }

 private:
  enum class Mark : uint8_t { NEW, OPEN, DONE };
  Result<void> linkStore(size_t number);
  Result<const call::HostFunction*> functionFor(const link::Store& store,
                                                const component::Program& program,
                                                const component::ImportedFunction& import);
  Result<size_t> numberOf(size_t store, const component::LiftedFunction& lifted);

  const Engine& engine_;
  const LinkerState& linker_;
  const std::vector<link::Store>& stores_;
  const std::vector<std::shared_ptr<const run::Executable>> executables_;
  std::vector<Mark> marks_;
  std::vector<std::shared_ptr<const run::Linked>> linked_;
  std::vector<transport::Target> targets_;
  std::vector<call::HostFunction> made_;  // of the store that is being linked
};

// The pools of one loop. What is called through them is ended before this goes.
class IsolatedStores {
 public:
  // Changes what a component has of its own before it is opened; may be empty.
  using Adjust = std::function<void(const PlannedComponent& component, WasiOptions& wasi)>;
  // Called for each part of an instance that will be made; may be empty.
  using OnPart = std::function<void(call::PartContext& context)>;

  // `maxMemory`: of an instance whose links do not say. `userData`: of what calls, may be null.
  // Opens directories and standard streams. Null when there are no such stores. Errors: as
  // PreparedState::newContext.
  static Result<std::unique_ptr<IsolatedStores>> create(
      std::shared_ptr<const PreparedState> prepared, LoopState& loop, const Adjust& adjust,
      std::any* userData, uint64_t maxMemory, const OnPart& onPart = nullptr);

  IsolatedStores(std::shared_ptr<const PreparedState> prepared, LoopState& loop);
  ~IsolatedStores() noexcept(false);
  IsolatedStores(const IsolatedStores&) = delete;
  IsolatedStores& operator=(const IsolatedStores&) = delete;

  // Lets a part's host functions find them.
  void giveTo(call::PartContext& context);
  // As PartContext::drained, of all that were called.
  kj::Promise<void> drained();

 private:
  class LoopTurns;
  class StoreGuest;
  class StoreGuestMaker;

  const std::shared_ptr<const PreparedState> prepared_;
  std::unique_ptr<LoopTurns> turns_;
  std::vector<std::vector<std::unique_ptr<call::PartContext>>> contexts_;  // to be copied
  std::unique_ptr<transport::Dispatcher> dispatcher_;                      // first to go
};

}  // namespace tenon::host
