#pragma once

// What stands behind an instance and its functions, and calling those.

#include "call/host_call.h"
#include "host/loop.h"
#include "run/instance.h"

#include <tenon/instance.h>
#include <tenon/result.h>

#include <any>
#include <memory>
#include <utility>
#include <vector>

namespace tenon::host {

class IsolatedStores;
class RunningCall;
struct PreparedState;

struct InstanceState {
  InstanceState(LoopState& loop, std::shared_ptr<const PreparedState> prepared);
  // Ends the call that goes on, if there is one.
  ~InstanceState();
  static Instance wrap(std::unique_ptr<InstanceState> state) { return Instance(std::move(state)); }

  // The contexts, as run::InstanceOptions takes them.
  std::vector<call::PartContext*> parts() const {
    std::vector<call::PartContext*> all;
    all.reserve(contexts.size());
    for (const auto& context : contexts) all.push_back(context.get());
    return all;
  }

  LoopState& loop;
  const std::shared_ptr<const PreparedState> prepared;
  std::any userData;
  call::PartContext whole{"", &userData};
  std::unique_ptr<IsolatedStores> isolated;  // what the links of its parts lead to; may be null
  std::vector<std::unique_ptr<call::PartContext>> contexts;  // by part
  std::unique_ptr<run::Instance> instance;                   // uses all of the above
  RunningCall* running = nullptr;                            // the call on a fiber that is not done
};

struct FunctionState;  // one resolved export: exported.h

// A call with values. Errors: as DynamicFunction::start.
Result<PendingCall> start(const std::shared_ptr<FunctionState>& function,
                          std::vector<Value> arguments, Turns turns, const CallOptions& options);
// Why the last call failed, taken out of the store. It says which component, in a workload.
Error takeTrap(InstanceState& instance);

}  // namespace tenon::host
