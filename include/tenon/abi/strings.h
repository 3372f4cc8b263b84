#pragma once

// Strings across the canonical ABI: guest memory in one of the three encodings on one side, UTF-8
// on the host's. Failures are the Context's (sticky). Nothing is read outside the guest's memory,
// and nothing is written before the whole source is known to be valid. Source: CanonicalABI.md
// "Loading", "Storing"; definitions.py `load_string_from_range`, `store_string_into_range`, with a
// host string as source of encoding utf8.

#include <tenon/abi/context.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace tenon::abi {

// Where a string or list lies in guest memory. For a list `codeUnits` is the number of elements;
// for a string it is the ABI's tagged length: bytes for utf8, 16-bit units for utf16; for
// latin1+utf16, bytes of latin1, or 16-bit units with the highest bit set.
struct StringRange {
  uint32_t pointer = 0;
  uint32_t codeUnits = 0;
};

// Borrows a string as valid UTF-8. With encoding utf8 the view is of guest memory and dies when the
// guest next runs; otherwise it is of a scratch string of `context`. Charged in both cases: for the
// bytes that are looked at. Empty after a failure: too long, misaligned, out of bounds, not valid
// in its encoding, or more than the budget.
std::string_view viewString(Context& context, StringRange range);

// The same as a string of its own. Charged.
std::string loadString(Context& context, StringRange range);

// Writes `utf8` into memory from the guest's `realloc`, called in the order and with the sizes that
// definitions.py has. Fails when it is not valid UTF-8 or longer than MAX_BYTE_LENGTH. `utf8` may
// lie in the same guest's memory: it is copied first.
StringRange storeString(Context& context, std::string_view utf8);

// Writes the `bytes` bytes of a list of `length` plain elements in the same way. `data` may be null
// when there are none.
StringRange storePlainList(Context& context, const void* data, uint32_t length, uint32_t bytes,
                           uint32_t alignment);

// Whether `text` is valid UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
bool isValidUtf8(std::string_view text);

}  // namespace tenon::abi
