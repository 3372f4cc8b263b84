#pragma once

// How far two names are apart, for "did you mean": insertions, deletions and replacements of one
// byte.

#include <cstddef>
#include <string_view>

namespace tenon::base {

// Names longer than 256 bytes count as entirely different.
size_t editDistance(std::string_view a, std::string_view b);

}  // namespace tenon::base
