#pragma once

// The functions of package wasi:io: error, poll, streams.

#include "call/registry.h"
#include "wasi/error_of.h"
#include "wasi/io/handles.h"

#include <tenon/typed.h>

#include <string>
#include <variant>

namespace tenon::wasi {

// WIT's `stream-error`.
using StreamError = std::variant<Own<net::IoError>, std::monostate>;

// Hands a fault to the guest.
StreamError toStreamError(call::HostCall& call, net::StreamFault fault);

// The error that a stream's function tells when a library threw in it.
StreamError errorOf(call::HostCall& call, std::string text, ErrorOf<StreamError>);

// A pollable for a guest, kept alive by the pollable itself.
Own<Pollable> givePollable(call::HostCall& call, std::shared_ptr<call::Waitable> source);

void provideIo(call::Registry& registry);

}  // namespace tenon::wasi
