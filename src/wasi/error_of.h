#pragma once

// The error of WASI's functions that stands for an exception of a library: see call/binder.h.

#include "call/error_of.h"

namespace tenon::wasi {

class Context;
template <typename E>
using ErrorOf = call::ErrorOf<Context, E>;

}  // namespace tenon::wasi
