#pragma once

// The binder of WASI's functions: they run for parts that have WASI's context.

#include "call/binder.h"
#include "wasi/error_of.h"
#include "wasi/wasi.h"

namespace tenon::wasi {

using Binder = call::Binder<Context>;
using call::give;

}  // namespace tenon::wasi
