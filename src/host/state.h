#pragma once

// What stands behind the handles of include/tenon: one struct per public class.

#include "call/registry.h"
#include "component/validate/interface.h"
#include "engine/cache.h"
#include "engine/engine.h"
#include "engine/fiber.h"
#include "host/files.h"
#include "link/plan.h"
#include "run/executable.h"
#include "run/instance.h"
#include "run/linked.h"
#include "wasi/wasi.h"

#include <tenon/component.h>
#include <tenon/engine.h>
#include <tenon/instance.h>
#include <tenon/linker.h>
#include <tenon/workload.h>

#include <kj/async-io.h>

#include <any>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tenon::host {

// Immutable, shared freely.
struct EngineState {
  EngineOptions options;
  std::shared_ptr<engine::Engine> engine;
  std::optional<engine::ArtifactCache> cache;
  std::string cacheWarning;  // why there is no cache although one was wanted

  engine::CompileLimits compileLimits() const {
    return {.program = options.compiler,
            .timeout = options.compileTimeout,
            .memory = options.compileMemory};
  }

  static EngineState& of(const Engine& engine) { return *engine.state_; }
  static Engine wrap(std::shared_ptr<EngineState> state) { return Engine(std::move(state)); }
};

// Shared freely; `compile` happens once, under the lock.
struct ComponentState {
  Engine engine;
  std::shared_ptr<run::Executable> executable;
  mutable std::mutex compiling;
  bool compiled = false;     // guarded by `compiling`
  std::string cacheWarning;  // guarded by `compiling`

  explicit ComponentState(Engine engine) : engine(std::move(engine)) {}
  static ComponentState& of(const Component& component) { return *component.state_; }
  static Component wrap(std::shared_ptr<ComponentState> state) {
    return Component(std::move(state));
  }
  Result<void> compile();
};

struct LoopState {
  // Events between two looks at I/O and timers while there is always another event: a peer that
  // never stops sending must not keep others waiting.
  static constexpr kj::uint MOST_EVENTS = 100;

  LoopState() { io.waitScope.setBusyPollInterval(MOST_EVENTS); }

  kj::AsyncIoContext io = kj::setupAsyncIo();
  uint32_t calls = 0;   // on fibers, started and not done
  uint32_t inside = 0;  // fibers that run right now, each inside a host function of the one before

  static LoopState& of(Loop& loop) { return *loop.state_; }
};

// Whether a call that somebody waits for takes turns with others: with those that go on, but not
// inside a host function, which has the loop to itself.
inline bool takesTurnsNow(const LoopState& loop) { return loop.calls > 0 && loop.inside == 0; }

struct LinkerState {
  static LinkerState& of(Linker& linker) { return *linker.state_; }
  static const LinkerState& of(const Linker& linker) { return *linker.state_; }

  // Binds the imports of a compiled executable, unless that was the last one that was bound.
  // Errors: MISSING_IMPORT, TYPE_MISMATCH.
  Result<void> link(const Engine& engine, std::shared_ptr<const run::Executable> executable);

  call::Registry registry;
  // The typed functions by interface (canonical) and name.
  std::map<std::pair<std::string, std::string>, bool (*)(const FuncType&, TypeMatch&)> typed;

  // The last component that was linked, so that instantiating again costs no look-ups. Dropped when
  // the registry changes.
  std::shared_ptr<const run::Executable> linkedExecutable;
  std::shared_ptr<const run::Linked> linked;
};

class RunningCall;

// As Component::load.
Result<Component> loadComponent(const Engine& engine, const std::string& path, Pipes pipes);

// The functions of an export list, interfaces first to last.
std::vector<FunctionInfo> functionsOf(const std::vector<component::ProgramExport>& exports);
// As Component::findExport, among `all`.
Result<FunctionInfo> findFunction(const std::vector<FunctionInfo>& all, const std::string& name);

// When a call gives the loop to others although it does not wait.
enum class Turns : uint8_t {
  SHARED,  // while other calls go on: nobody else can want the loop
  ALWAYS,  // also alone: whoever started it does more than wait for it
};

struct InstanceState {
  explicit InstanceState(LoopState& loop) : loop(loop) {}
  // Ends the call that goes on, if there is one.
  ~InstanceState();

  const std::vector<component::ProgramExport>& exports() const {
    return instance->program().exports;
  }

  LoopState& loop;
  std::any userData;
  call::PartContext whole{.component = {}, .userData = &userData};
  std::shared_ptr<const WorkloadPlan> plan;              // of a workload; else null
  std::vector<std::unique_ptr<wasi::Context>> contexts;  // by part
  std::unique_ptr<run::Instance> instance;               // uses all of the above
  RunningCall* running = nullptr;                        // the call on a fiber that is not done
};

// One resolved export.
struct FunctionState {
  InstanceState* instance = nullptr;
  FunctionInfo info;
  run::Instance::Export function;
};

// What Instance and WorkloadInstance share: a component's exports, called. `component`: its name in
// a workload, else empty. Errors: as Instance::function, Instance::startRun.
Result<std::shared_ptr<FunctionState>> findExported(
    InstanceState& instance, const std::vector<component::ProgramExport>& exports,
    std::string_view component, std::string_view interface, std::string_view name);
Result<std::shared_ptr<FunctionState>> findByPath(
    InstanceState& instance, const std::vector<component::ProgramExport>& exports,
    std::string_view component, const std::string& path);
Result<PendingCall> startRun(InstanceState& instance,
                             const std::vector<component::ProgramExport>& exports,
                             std::string_view component, Turns turns, const CallOptions& options);
// A call with values. Errors: as DynamicFunction::start.
Result<PendingCall> start(const std::shared_ptr<FunctionState>& function,
                          std::vector<Value> arguments, Turns turns, const CallOptions& options);
// Why the last call failed, taken out of the store. It says which component, in a workload.
Error takeTrap(InstanceState& instance);
// Waits for a call that `startRun` started and for what the program wrote.
Result<int> finishRun(InstanceState& instance, PendingCall pending, const CallOptions& options);

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
