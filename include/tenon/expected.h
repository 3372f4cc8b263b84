#pragma once

// The Component Model's `result<T, E>` as a C++ type for typed calls. It is a value that a guest
// returns on purpose; what goes wrong in Tenon or traps in a guest is a `Result`
// (<tenon/result.h>). Plain values: copied and moved as their content is.

#include <type_traits>
#include <utility>
#include <variant>

namespace tenon {

// The error side on its way into an Expected: `return tenon::Unexpected{code};`.
template <typename E>
struct Unexpected {
  E error;
};
template <typename E>
Unexpected(E) -> Unexpected<E>;
template <>
struct Unexpected<void> {};

// `T` and `E` may be void: that side carries nothing. Default: the ok side with a default value.
template <typename T, typename E = void>
class Expected {
 public:
  // What the sides hold: std::monostate for void.
  using Ok = std::conditional_t<std::is_void_v<T>, std::monostate, T>;
  using Err = std::conditional_t<std::is_void_v<E>, std::monostate, E>;

  Expected() : state_(std::in_place_index<0>) {}
  Expected(Ok value) : state_(std::in_place_index<0>, std::move(value)) {}
  template <typename U>
    requires(!std::is_void_v<E> && std::is_convertible_v<U, Err>)
  Expected(Unexpected<U> failure)
      : state_(std::in_place_index<1>, static_cast<Err>(std::move(failure.error))) {}
  Expected(Unexpected<void>)
    requires(std::is_void_v<E>)
      : state_(std::in_place_index<1>) {}

  explicit operator bool() const { return state_.index() == 0; }
  bool hasValue() const { return state_.index() == 0; }

  // Only when `hasValue()`; std::bad_variant_access is thrown otherwise.
  Ok& value() & { return std::get<0>(state_); }
  const Ok& value() const& { return std::get<0>(state_); }
  Ok&& value() && { return std::get<0>(std::move(state_)); }
  Ok& operator*() & { return std::get<0>(state_); }
  const Ok& operator*() const& { return std::get<0>(state_); }
  const Ok* operator->() const { return &std::get<0>(state_); }

  // Only when not `hasValue()`; std::bad_variant_access is thrown otherwise.
  Err& error() & { return std::get<1>(state_); }
  const Err& error() const& { return std::get<1>(state_); }
  Err&& error() && { return std::get<1>(std::move(state_)); }

  bool operator==(const Expected&) const = default;

 private:
  std::variant<Ok, Err> state_;
};

}  // namespace tenon
