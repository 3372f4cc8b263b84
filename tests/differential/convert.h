#pragma once

// Values of Tenon as values of Wasmtime's component API and back.

#include <tenon/type.h>
#include <tenon/value.h>

#include <wasmtime.h>

#include <cstdint>

namespace tenon::differential {

// The host's resource type, as Wasmtime knows it.
inline constexpr uint32_t RESOURCE_TAG = 1;

// The result is the caller's to delete. `type` tells maps from lists; null: there are none.
wasmtime_component_val_t toWasmtime(wasmtime_context_t* context, const Value& value,
                                    const Type* type);

// Handles become TestHandles, and must be of the host's resource.
Value fromWasmtime(wasmtime_context_t* context, const wasmtime_component_val_t& val);

}  // namespace tenon::differential
