#pragma once

// How one call of an export hands its values over, whoever makes it: a typed call, a dynamic one, a
// server, a transport.

#include <tenon/abi/context.h>

namespace tenon::abi {

// Both functions run with the guest stopped, at most once, and `lift` only after `lower`. `self`
// lives until the call has ended.
struct CallCodec {
  void* self = nullptr;
  // Fills `values` with the flat parameters.
  void (*lower)(void* self, Context& context, RawValue* values) = nullptr;
  // Reads the flat result from there.
  void (*lift)(void* self, Context& context, const RawValue* values) = nullptr;
};

}  // namespace tenon::abi
