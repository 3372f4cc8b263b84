#pragma once

// A call, and what comes before one: how guests run on the loop of their thread. Bound to that
// thread.

#include "engine/fiber.h"
#include "host/cancel.h"
#include "host/instance.h"
#include "host/loop.h"
#include "host/scheduler.h"
#include "run/instance.h"
#include "run/linked.h"

#include <tenon/instance.h>

#include <kj/async.h>

#include <functional>
#include <memory>

namespace tenon::host {

class ExportedFunction;

// Runs one call to its end: at once when its Callee can, else on a fiber, driven by the instance's
// loop. What is missing of the instance is instantiated first, on a fiber too. Lives at one address
// until it is done. The instance may go first, which ends the call.
class RunningCall {
 public:
  // `function` and what `codec` points to outlive this. `function` may be filled by
  // `whenInstantiated`.
  RunningCall(ExportedFunction& function, const abi::CallCodec& codec);
  // Instantiates only.
  explicit RunningCall(InstanceState& instance);
  // Cancels when the call is not done.
  ~RunningCall();
  RunningCall(const RunningCall&) = delete;
  RunningCall& operator=(const RunningCall&) = delete;

  // Called between instantiation and call, if the instance was not complete when this started.
  std::function<Result<void>()> whenInstantiated;

  // Runs until the call is done, waits, or has had its turn. Errors: UNUSABLE; of the options
  // INVALID_ARGUMENT and CANCELLED.
  Result<void> start(Turns turns, const CallOptions& options = {});
  bool done() const { return done_; }
  // Runs the loop until the call is done. Inside a host function, which has the loop to itself, a
  // call that waits is ended instead.
  void wait();
  // Resolves when it is done. Not after this is gone.
  kj::Promise<void> whenDone() { return done_ ? kj::READY_NOW : driving_.addBranch(); }
  // After it is done, once. Errors: as DynamicFunction::call.
  Result<void> takeOutcome() { return std::move(outcome_); }
  // Ends the call.
  void cancel(Error why);

 private:
  Result<engine::Fiber::State> proceed();
  kj::Promise<void> drive();
  void finish(Result<void> outcome);
  static bool body(void* context, engine::Store& store);
  static void onReady(void* context, engine::Fiber& fiber);

  InstanceState& instance_;  // not after it is done
  LoopState& loop_;
  Scheduler& scheduler_;
  ExportedFunction* const function_;  // null: there is no call
  const abi::CallCodec codec_;
  engine::Fiber fiber_;
  bool takesTurns_ = false;
  bool begun_ = false;   // counted by the scheduler
  bool called_ = false;  // nothing is left to begin
  bool done_ = false;
  Result<void> outcome_;
  std::shared_ptr<CancelState> cancel_;  // null: nobody can cancel the call
  kj::Maybe<kj::Own<kj::PromiseFulfiller<void>>> ready_;
  kj::ForkedPromise<void> driving_ = nullptr;  // last: uses everything above
};

// Makes `instance.instance`. Start functions take turns with the calls that go on, and nothing but
// them runs when there are none. Errors: as run::Instance::create.
Result<void> instantiate(InstanceState& instance, std::shared_ptr<const run::Linked> linked,
                         run::InstanceOptions options);
// Begins a call: its time and its canceller. Errors: INVALID_ARGUMENT when the engine cannot
// interrupt guests; CANCELLED.
Result<void> beginCall(run::Instance& instance, const CallOptions& options);

// Runs the loop until what the instance wrote to its standard streams is where it goes, or until
// the deadline of its last call, or until that is cancelled.
void drain(InstanceState& instance, const CallOptions& options);

}  // namespace tenon::host
