#pragma once

// An export of an instance, as what can be called. Here, and nowhere else, it is decided whether a
// call runs at once or on a fiber.

#include "call/callee.h"
#include "host/instance.h"
#include "host/running_call.h"
#include "run/instance.h"

#include <tenon/component.h>
#include <tenon/instance.h>

#include <optional>

namespace tenon::host {

// Bound to the instance's thread; must not outlive it.
class ExportedFunction final : public call::Callee {
 public:
  // `function` may be found later, when the instance is complete: only then it can be called, but
  // for a RunningCall that completes the instance first.
  explicit ExportedFunction(InstanceState& instance, const run::Instance::Export& function = {})
      : instance(instance), function(function) {}

  const FuncType& type() const override { return function.lifted->type; }
  std::optional<Result<void>> callNow(const abi::CallCodec& codec,
                                      const CallOptions& options) override;
  kj::Promise<Result<void>> call(const abi::CallCodec& codec, const CallOptions& options) override;

  InstanceState& instance;
  run::Instance::Export function;
};

// What stands behind Function and DynamicFunction.
struct FunctionState {
  static FunctionState& of(const DynamicFunction& function) { return *function.state_; }

  ExportedFunction exported;
  FunctionInfo info;
};

// In the header, so that a typed call is one call.
inline std::optional<Result<void>> ExportedFunction::callNow(const abi::CallCodec& codec,
                                                             const CallOptions& options) {
  run::Instance& target = *instance.instance;
  if (function.mayBlock || !instance.loop.scheduler.isFree()) return std::nullopt;
  if (target.inCall()) {
    return Error(ErrorCode::UNUSABLE, "another call of this instance is not done yet");
  }
  if (auto begun = beginCall(target, options); !begun) return begun;
  bool ok = target.execute(function, codec);
  if (options.canceller) target.endCall();
  if (ok) return Result<void>();
  return takeTrap(instance);
}

}  // namespace tenon::host
