#pragma once

// WASI 0.2 for guests: host functions for a registry, and the context of one component that they
// work on.

#include "call/part_context.h"
#include "call/registry.h"

#include <tenon/instance.h>
#include <tenon/result.h>

#include <kj/async-io.h>

#include <memory>
#include <string_view>

namespace tenon::wasi {

// What a registry knows it by, among plugins.
inline constexpr std::string_view PLUGIN = "wasi";

// What one component may do, and what it has open. Bound to the loop of `io`.
//
// It is drained when all that the component wrote is where it goes: its standard streams, files,
// and for at most 10 s what slow peers of its sockets did not take yet; nearly always at once,
// because programs flush. When the program failed, people are told what it may have lacked, where
// asking for it alone does not mean that it was wanted. Copies share standard streams and open
// directories.
class Context : public call::PluginState {};

// Errors: INVALID_ARGUMENT for text that is not UTF-8 and for a network grant that is none;
// NOT_FOUND, INVALID_ARGUMENT, PERMISSION or IO for a directory that cannot be granted.
Result<std::unique_ptr<Context>> newContext(kj::AsyncIoContext& io, const WasiOptions& options);

// Adds every interface of WASI 0.2 that Tenon has.
void provide(call::Registry& registry);

}  // namespace tenon::wasi
