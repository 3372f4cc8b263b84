#pragma once

// The seam's other direction: what the host calls. A server, a transport, a plugin and an embedder
// know no more of a guest than this; an instance's export (host/exported.h), whichever instance a
// pool has free, and a peer behind a transport are all of this one shape.
//
//     guest ── HostFunction ──► host        host_call.h
//     host ───── Callee ──────► guest       here

#include <tenon/abi/call_codec.h>
#include <tenon/call_options.h>
#include <tenon/result.h>
#include <tenon/type.h>

#include <kj/async.h>

#include <optional>

namespace tenon::call {

// Bound to its loop's thread. What fails a call is its Result, as DynamicFunction::call lists it;
// a promise here is rejected by faults of the host only.
class Callee {
 public:
  virtual ~Callee() = default;

  // As its component declares it.
  virtual const FuncType& type() const = 0;

  // Runs a call to its end before this returns. Nothing, and nothing has run: the call may have to
  // wait, or others on the loop want their turns; then `call` it.
  virtual std::optional<Result<void>> callNow(const abi::CallCodec& codec,
                                              const CallOptions& options) = 0;

  // Starts a call, which has its turns with others of the loop. What the codec points to outlives
  // the promise; to drop it cancels the call. The Callee outlives it too.
  virtual kj::Promise<Result<void>> call(const abi::CallCodec& codec,
                                         const CallOptions& options) = 0;
};

}  // namespace tenon::call
