#pragma once

// Compares C++ signatures with function types, and takes callables apart. Used by
// <tenon/abi/call.h> and <tenon/abi/host_thunk.h>.

#include <tenon/abi/abi_type.h>
#include <tenon/pending.h>
#include <tenon/result.h>

#include <string>
#include <type_traits>

namespace tenon::abi::detail {

template <typename R>
struct ResultAbi {
  static constexpr uint32_t FLAT_COUNT = Abi<R>::FLAT_COUNT;
  static constexpr bool SPILLED = FLAT_COUNT > MAX_FLAT_RESULTS;
  static const Type* typeOf(const FuncType& type) {
    return Abi<R>::HAS_RESOURCE ? type.result : nullptr;
  }
};
template <>
struct ResultAbi<void> {
  static constexpr uint32_t FLAT_COUNT = 0;
  static constexpr bool SPILLED = false;
};

// Whether numbers of parameters and the presence of a result agree, and the function is
// synchronous.
bool matchesShape(const FuncType& type, TypeMatch& match, size_t params, bool hasResult);
std::string parameterStep(const Parameter& parameter, size_t index);

template <typename R, typename... Ts>
bool matchesSignature(const FuncType& type, TypeMatch& match) {
  if (!matchesShape(type, match, sizeof...(Ts), !std::is_void_v<R>)) return false;
  size_t i = 0;
  auto next = [&]<typename T>(std::type_identity<T>) {
    const Parameter& parameter = type.params[i++];
    return within(match, parameterStep(parameter, i - 1), Abi<T>::matches(*parameter.type, match));
  };
  if (!(... && next(std::type_identity<Ts>()))) return false;
  if constexpr (!std::is_void_v<R>) {
    return within(match, "result", Abi<R>::matches(*type.result, match));
  }
  return true;
}

// The signature of a callable: its parameters as declared, and whether the first is a Context.
template <typename R, typename... As>
struct Signature {};
template <typename F>
struct SignatureOf : SignatureOf<decltype(&F::operator())> {};
template <typename R, typename... As>
struct SignatureOf<R(As...)> : std::type_identity<Signature<R, As...>> {};
template <typename R, typename... As>
struct SignatureOf<R (*)(As...)> : SignatureOf<R(As...)> {};
template <typename R, typename... As>
struct SignatureOf<R (*)(As...) noexcept> : SignatureOf<R(As...)> {};
template <typename C, typename R, typename... As>
struct SignatureOf<R (C::*)(As...)> : SignatureOf<R(As...)> {};
template <typename C, typename R, typename... As>
struct SignatureOf<R (C::*)(As...) const> : SignatureOf<R(As...)> {};
template <typename C, typename R, typename... As>
struct SignatureOf<R (C::*)(As...) noexcept> : SignatureOf<R(As...)> {};
template <typename C, typename R, typename... As>
struct SignatureOf<R (C::*)(As...) const noexcept> : SignatureOf<R(As...)> {};

// A host function's result: `Result<T>` lets it fail with an Error, which ends the guest's call.
template <typename R>
struct Returned {
  using Value = R;
  static constexpr bool FALLIBLE = false;
};
template <typename R>
struct Returned<Result<R>> {
  using Value = R;
  static constexpr bool FALLIBLE = true;
};

template <typename Signature>
inline constexpr bool RETURNS_PENDING = false;
template <typename T, typename... As>
inline constexpr bool RETURNS_PENDING<Signature<Pending<T>, As...>> = true;

template <typename Declared>
concept Passable =
    !std::is_lvalue_reference_v<Declared> || std::is_const_v<std::remove_reference_t<Declared>>;

}  // namespace tenon::abi::detail
