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

#include <tenon/abi/each.h>

#include <array>
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

}  // namespace tenon

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
