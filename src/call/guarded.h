#pragma once

// No exception may pass WebAssembly frames. What a host function does, and what moves its values,
// goes through here: whatever it throws fails the call instead.

#include <tenon/abi/context.h>

#include <exception>
#include <new>
#include <string>

namespace tenon::call {

inline constexpr const char* NO_MEMORY = "the host has no memory for it";

// Runs `body`. `what` has static storage. Needs no memory to say that there is none.
template <typename Body>
void guarded(abi::Context& context, const Body& body,
             const char* what = "the host function threw") noexcept {
  try {
    try {
      body();
    } catch (const std::bad_alloc&) {
      context.fail(NO_MEMORY);
    } catch (const std::exception& exception) {
      context.failWith(Error(ErrorCode::TRAPPED, std::string(what) + ": " + exception.what()));
    } catch (...) {
      context.fail(what);
    }
  } catch (...) {
    context.fail(NO_MEMORY);
  }
}

}  // namespace tenon::call
