#pragma once

// One call into a guest of another store, while the guest that makes it stands in its host call.
// Lives on the stack of that call. Bound to the loop's thread.
//
// The callee runs right here where the caller is on the thread's own stack, there is room on it,
// and the callee cannot wait. Everywhere else it has a fiber, so that a chain of calls does not
// pile up on one stack:
//
//     caller's fiber ── host call ── NestedCall ── callee's fiber: done, waits, or its turn is over
//                                        └─ then the caller's fiber waits, and the loop goes on
//
// The callee's results are moved on the caller's stack, since that runs the caller's realloc: the
// callee's fiber stops before its post-return, and goes on after it.

#include "component/transfer/transfer.h"
#include "engine/fiber.h"
#include "transport/errors.h"
#include "transport/guest.h"
#include "transport/links.h"

#include <tenon/abi/call_codec.h>
#include <tenon/result.h>

#include <kj/async.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace tenon::transport {

// Moves errors from the callee to its caller: they are the host's own.
class ErrorMover final : public abi::HandleMover {
 public:
  ErrorMover(call::HostObjects& from, call::HostObjects& to) : from_(from), to_(to) {}

  uint64_t lift(abi::Context& from, const abi::MovedHandle& type, uint32_t index) override;
  uint32_t lower(abi::Context& to, const abi::MovedHandle& type, uint64_t lifted) override;

 private:
  call::HostObjects& from_;
  call::HostObjects& to_;
  std::vector<std::unique_ptr<RpcError>> lifted_;
};

class NestedCall {
 public:
  // `values` are those of the caller's host function; the results land there.
  NestedCall(call::HostCall& caller, RawValue* values, const abi::Transfer& transfer, Guest& guest,
             size_t number, const Target& target, Turns& turns);
  ~NestedCall();
  NestedCall(const NestedCall&) = delete;
  NestedCall& operator=(const NestedCall&) = delete;

  // Once. What failed the callee, or the caller: then the call `failed()`. Errors: TRAPPED, EXITED,
  // DEADLINE, CANCELLED, LIMIT_EXCEEDED; as Instance::advance.
  Result<void> run();

 private:
  static void lower(void* self, abi::Context& context, RawValue* values);
  static void lift(void* self, abi::Context& context, const RawValue* values);
  static void onReady(void* self, engine::Fiber& fiber);
  static bool start(void* self, engine::Store& store);
  static bool call(void* self, engine::Store& store);

  void begin();
  Result<void> find();
  bool runsHere() const;
  Result<void> runHere();
  Result<void> runOnFiber();
  Result<void> drive(engine::Fiber::Body body, engine::Fiber::Waits waits);
  bool waitForCallee();
  void moveResults();
  Error takeTrap() { return callee_.takeTrap().toError(); }
  abi::CallCodec codec() { return {.self = this, .lower = lower, .lift = lift}; }
  run::Instance::Export& function() { return *guest_.functions[number_]; }

  call::HostCall& caller_;
  RawValue* const values_;
  const abi::Transfer& transfer_;
  Guest& guest_;
  const size_t number_;  // of the function, in `target_`
  const Target& target_;
  Turns& turns_;
  run::Instance& calling_;
  run::Instance& callee_;
  const bool canWait_;  // the caller's guest
  // Set by `lift` on the callee's fiber, until the caller has moved them.
  abi::Context* resultsFrom_ = nullptr;
  const RawValue* resultValues_ = nullptr;
  bool woken_ = false;
  std::optional<ErrorMover> handles_;   // when there are any
  std::optional<engine::Fiber> fiber_;  // last: uses everything above
};

}  // namespace tenon::transport
