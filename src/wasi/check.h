#pragma once

// Options of a component, looked at before anything runs.

#include <tenon/instance.h>
#include <tenon/result.h>

namespace tenon::wasi {

// Whether a context can be made of these options, without keeping anything open. Errors: as
// newContext.
Result<void> check(const WasiOptions& options);

}  // namespace tenon::wasi
