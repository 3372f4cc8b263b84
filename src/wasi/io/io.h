#pragma once

// The functions of package wasi:io: error, poll, streams.

#include "call/registry.h"
#include "wasi/io/streams.h"

#include <tenon/typed.h>

#include <string>
#include <type_traits>
#include <variant>

namespace tenon::wasi {

// WIT's `stream-error`.
using StreamError = std::variant<Own<IoError>, std::monostate>;

// Hands a fault to the guest.
StreamError toStreamError(call::HostCall& call, StreamFault fault);

// The error that a stream's function tells when a library threw in it.
StreamError errorOf(call::HostCall& call, std::string text, std::type_identity<StreamError>);

// A pollable for a guest, kept alive by the pollable itself.
Own<Pollable> givePollable(call::HostCall& call, std::shared_ptr<Waitable> source);

void provideIo(call::Registry& registry);

}  // namespace tenon::wasi
