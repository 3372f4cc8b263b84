#pragma once

// Core signatures of the canonical built-ins; those of lifts and lowers are in
// `types/type_table.h`. Pure. Source: Explainer.md "Canonical Built-ins".

#include "component/binary/definitions.h"

#include <tenon/result.h>
#include <tenon/type.h>

namespace tenon::component {

// The signature of a built-in of 32-bit memories. `result` is task.return's (null: none);
// `contextType` that of context.get and context.set. Errors: UNSUPPORTED for built-ins of
// shared-everything threads.
Result<CoreSignature> builtinSignature(const Canon& canon, const Type* result);

}  // namespace tenon::component
