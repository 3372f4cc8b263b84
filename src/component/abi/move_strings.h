#pragma once

// Strings from one guest's memory into another's, without a host string in between: what
// `storeString(to, loadString(from, range))` does, in its two halves. Both encodings may be any.

#include <tenon/abi/strings.h>

namespace tenon::abi {

// The first half without its result: whether the string can be lifted. Charges what `loadString`
// charges. False, and `from` failed, when it cannot.
[[nodiscard]] bool checkString(Context& from, StringRange range);

// The second half: into memory of `to`, from its `realloc`, which is called as `storeString` does
// it for the same text. Only for a range that `checkString` accepted, while nothing changed in the
// memory of `from`, which is another one than that of `to`.
StringRange moveString(const Context& from, StringRange range, Context& to);

}  // namespace tenon::abi
