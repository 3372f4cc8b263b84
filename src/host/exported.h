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
                                      const CallOptions& options) override {
    if (!runsNow()) return std::nullopt;
    return runNow(codec, options);
  }
  kj::Promise<Result<void>> call(const abi::CallCodec& codec, const CallOptions& options) override;

  // `callNow` in its two halves, for a typed call, which costs tens of nanoseconds.
  bool runsNow() const { return !function.mayBlock && instance.loop.scheduler.isFree(); }
  Result<void> runNow(const abi::CallCodec& codec, const CallOptions& options);

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
inline Result<void> ExportedFunction::runNow(const abi::CallCodec& codec,
                                             const CallOptions& options) {
  run::Instance& target = *instance.instance;
  if (target.inCall()) {
    return Error(ErrorCode::UNUSABLE, "another call of this instance is not done yet");
  }
  TENON_CHECK(beginCall(target, options));
  bool ok = target.execute(function, codec);
  if (options.canceller) target.endCall();
  if (ok) return {};
  return takeTrap(instance);
}

}  // namespace tenon::host
