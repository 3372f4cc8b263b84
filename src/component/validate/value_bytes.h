#pragma once

// The bytes of a value definition. Source: Binary.md "Value Definitions".

#include <tenon/result.h>
#include <tenon/type.h>

#include <cstddef>
#include <span>

namespace tenon::component {

// `bytes` are exactly one value of `type`. Errors: MALFORMED with an offset; `offset` is that of
// the first byte. INVALID for a type that has no constants (handles, streams, futures, error
// contexts).
Result<void> checkValueBytes(const Type& type, std::span<const std::byte> bytes, uint64_t offset);

}  // namespace tenon::component
