#pragma once

namespace tenon::call {

// Names an error type for `errorOf` (call/binder.h), and brings look-ups to the namespace of
// `State`, the plugin's.
template <typename State, typename E>
struct ErrorOf {};

}  // namespace tenon::call
