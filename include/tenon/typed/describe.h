#pragma once

// How an embedder's own types become records, enums and flags. At namespace scope, after the type:
//
//   struct Point { int32_t x; int32_t y; };
//   TENON_RECORD(Point, x, y)                   // fields in the component's order
//   enum class Color { RED, GREEN };            // values 0, 1, 2 ... in the component's order
//   TENON_ENUM(Color, RED, GREEN)
//   enum class Access : uint32_t { READ = 1, WRITE = 2 };   // 1, 2, 4 ...
//   TENON_FLAGS(Access, READ, WRITE)
//
// The macros are for the global namespace and take the type's full name. Names are compared with
// the component's labels when a function is looked up: "-", "_" and case do not count, so that
// `userId`, `user_id` and `USER_ID` are all `user-id`. Without macros, or to leave names unchecked,
// specialise `Describe`:
//
//   template <> struct tenon::Describe<Point> {
//     static constexpr auto fields = std::tuple(&Point::x, &Point::y);
//   };

#include <array>
#include <cstddef>
#include <string_view>
#include <tuple>

namespace tenon {

// A described record has `fields`, a tuple of member pointers or NamedFields; an enum has `labels`,
// an array of std::string_view; flags have `flags`, the same. Default: not described.
template <typename T>
struct Describe {};

template <typename Member>
struct NamedField {
  std::string_view name;
  Member member;
};
template <typename Member>
constexpr NamedField<Member> field(std::string_view name, Member member) {
  return {name, member};
}

template <typename T>
concept DescribedRecord = requires { Describe<T>::fields; };
template <typename T>
concept DescribedEnum = requires { Describe<T>::labels; };
template <typename T>
concept DescribedFlags = requires { Describe<T>::flags; };

namespace abi::detail {
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
}  // namespace abi::detail
}  // namespace tenon

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

#define TENON_RECORD(type, ...)                                                              \
  template <>                                                                                \
  struct tenon::Describe<type> {                                                             \
    static constexpr auto fields = ::std::tuple(TENON_EACH(TENON_FIELD, type, __VA_ARGS__)); \
  };

#define TENON_ENUM(type, ...)                                                               \
  template <>                                                                               \
  struct tenon::Describe<type> {                                                            \
    static constexpr ::std::array labels = {TENON_EACH(TENON_LABEL, type, __VA_ARGS__)};    \
    static constexpr type values[] = {TENON_EACH(TENON_ENUMERATOR, type, __VA_ARGS__)};     \
    static_assert(::tenon::abi::detail::countsUp(values), #type " must count 0, 1, 2 ..."); \
  };

#define TENON_FLAGS(type, ...)                                                                \
  template <>                                                                                 \
  struct tenon::Describe<type> {                                                              \
    static constexpr ::std::array flags = {TENON_EACH(TENON_LABEL, type, __VA_ARGS__)};       \
    static constexpr type values[] = {TENON_EACH(TENON_ENUMERATOR, type, __VA_ARGS__)};       \
    static_assert(::tenon::abi::detail::countsBits(values), #type " must count 1, 2, 4 ..."); \
  };
