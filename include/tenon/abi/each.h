#pragma once

// What the macros of <tenon/describe.h> are made of.

#include <cstddef>

namespace tenon::abi::detail {

template <typename Enum, size_t N>
constexpr bool countsUp(const Enum (&values)[N]) {
  for (size_t i = 0; i < N; i++) {
    if (static_cast<size_t>(values[i]) != i) return false;
  }
  return true;
}
template <typename Enum, size_t N>
constexpr bool countsBits(const Enum (&values)[N]) {
  for (size_t i = 0; i < N; i++) {
    if (static_cast<size_t>(values[i]) != size_t{1} << i) return false;
  }
  return true;
}

}  // namespace tenon::abi::detail

// TENON_EACH(m, t, a, b, c): m(t, a), m(t, b), m(t, c); at most 256 items.
#define TENON_PARENS ()
#define TENON_EXPAND(...) TENON_EXPAND3(TENON_EXPAND3(TENON_EXPAND3(TENON_EXPAND3(__VA_ARGS__))))
#define TENON_EXPAND3(...) TENON_EXPAND2(TENON_EXPAND2(TENON_EXPAND2(TENON_EXPAND2(__VA_ARGS__))))
#define TENON_EXPAND2(...) TENON_EXPAND1(TENON_EXPAND1(TENON_EXPAND1(TENON_EXPAND1(__VA_ARGS__))))
#define TENON_EXPAND1(...) __VA_ARGS__
#define TENON_EACH(macro, type, ...) \
  __VA_OPT__(TENON_EXPAND(TENON_EACH_STEP(macro, type, __VA_ARGS__)))
#define TENON_EACH_STEP(macro, type, item, ...) \
  macro(type, item) __VA_OPT__(, TENON_EACH_AGAIN TENON_PARENS(macro, type, __VA_ARGS__))
#define TENON_EACH_AGAIN() TENON_EACH_STEP

#define TENON_FIELD(type, item) ::tenon::field(#item, &type::item)
#define TENON_LABEL(type, item) ::std::string_view(#item)
#define TENON_ENUMERATOR(type, item) type::item
