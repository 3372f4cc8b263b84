#pragma once

// Core signatures of the functions that canonical definitions make, for those that `types/type_table.h`
// does not cover: built-ins and asynchronous lowers. Pure.
// Source: Explainer.md "Canonical Built-ins"; CanonicalABI.md `flatten_functype`.

#include <tenon/result.h>
#include <tenon/type.h>

#include "component/binary/definitions.h"

namespace tenon::component {

// The signature of a built-in of 32-bit memories. `result` is task.return's (null: none); `contextType`
// that of context.get and context.set. Errors: UNSUPPORTED for built-ins of shared-everything threads.
Result<CoreSignature> builtinSignature(const Canon& canon, const Type* result);

// A lower with the option `async`.
CoreSignature flattenAsyncLower(const FuncType& type);

}  // namespace tenon::component
