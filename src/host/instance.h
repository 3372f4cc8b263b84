#pragma once

// What stands behind an instance and its functions, and calling those.

#include "call/host_call.h"
#include "component/program/program.h"
#include "host/loop.h"
#include "run/instance.h"
#include "wasi/wasi.h"

#include <tenon/instance.h>
#include <tenon/result.h>
#include <tenon/workload.h>

#include <any>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::host {

class RunningCall;

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

struct FunctionState;  // one resolved export: exported.h

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

}  // namespace tenon::host
