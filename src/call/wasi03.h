#pragma once

// The next WASI, which is not supported: messages say so by its name.

#include <string_view>

namespace tenon::call {

// Whether an interface is of WASI 0.3, whose functions are asynchronous: nothing here provides it.
// Also of its release candidates.
inline bool isWasi03(std::string_view interface) {
  return interface.starts_with("wasi:") && interface.find("@0.3.") != std::string_view::npos;
}

// Why, and what there is.
inline constexpr std::string_view NO_WASI_03 =
    "WASI 0.3 and its asynchronous functions are not supported, Tenon provides WASI 0.2";

}  // namespace tenon::call
