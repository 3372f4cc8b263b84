#pragma once

// The error that stands for an exception of a library, of a type that results carry: a type that
// has one has, where it is declared or bound,
//   E errorOf(call::HostCall& call, std::string text, ErrorOf<E>);
// in this namespace or its own. The binder finds it by argument-dependent look-up.

namespace tenon::wasi {

// Names the type, and brings look-ups here.
template <typename E>
struct ErrorOf {};

}  // namespace tenon::wasi
