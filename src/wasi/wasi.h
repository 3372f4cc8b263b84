#pragma once

// WASI 0.2 for guests: host functions for a registry, and the context of one component that they
// work on.

#include "call/host_call.h"
#include "call/registry.h"

#include <tenon/instance.h>
#include <tenon/result.h>

#include <kj/async-io.h>

#include <memory>
#include <string_view>

namespace tenon::wasi {

// What a registry knows it by, among plugins.
inline constexpr std::string_view PLUGIN = "wasi";

// What one component may do, and what it has open. Its address is HostCall::part of the component's
// calls. Bound to the loop of `io`; outlives the instance.
class Context : public call::PartContext {
 public:
  virtual ~Context() noexcept(false) = default;

  // Resolves when all that the component wrote is where it goes: its standard streams, files, and
  // for at most 10 s what slow peers of its sockets did not take yet. For the end of a program:
  // nearly always at once, because programs flush. The promise must not outlive
  // the context.
  virtual kj::Promise<void> drained() = 0;

  // The program ended with a failure: people are told what it may have lacked, where asking for it
  // alone does not mean that it was wanted.
  virtual void failed() = 0;

  // The same again, for another instance on the same loop: standard streams and open directories
  // are shared. Cheap: nothing is opened or checked again.
  virtual std::unique_ptr<Context> copy() const = 0;
};

// Errors: INVALID_ARGUMENT for text that is not UTF-8 and for a network grant that is none;
// NOT_FOUND, INVALID_ARGUMENT, PERMISSION or IO for a directory that cannot be granted.
Result<std::unique_ptr<Context>> newContext(kj::AsyncIoContext& io, const WasiOptions& options);

// Adds every interface of WASI 0.2 that Tenon has.
void provide(call::Registry& registry);

}  // namespace tenon::wasi
