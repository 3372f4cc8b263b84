#pragma once

// Abi of variants: std::variant by position (std::monostate: a case without payload; labels are not
// compared), std::optional, and Expected for `result`.

#include <tenon/abi/abi_type.h>
#include <tenon/abi/union.h>
#include <tenon/expected.h>

#include <optional>
#include <utility>
#include <variant>

namespace tenon {
namespace abi::detail {

template <typename... Ts>
struct VariantCases {
  using T = std::variant<Ts...>;
  static size_t index(const T& value) { return value.index(); }
  template <size_t I>
  static const auto& get(const T& value) {
    return *std::get_if<I>(&value);
  }
  template <size_t I, typename Payload>
  static T make(Payload&& payload) {
    return T(std::in_place_index<I>, std::forward<Payload>(payload));
  }
  static const Type* payloadType(const Type& type, size_t index) {
    return type.members[index].type;
  }
};

template <typename P>
struct OptionCases {
  using T = std::optional<P>;
  static size_t index(const T& value) { return value ? 1 : 0; }
  template <size_t I>
  static decltype(auto) get(const T& value) {
    if constexpr (I == 0)
      return std::monostate{};
    else
      return (*value);
  }
  template <size_t I, typename Payload>
  static T make(Payload&& payload) {
    if constexpr (I == 0)
      return T{};
    else
      return T(std::in_place, std::forward<Payload>(payload));
  }
  static const Type* payloadType(const Type& type, size_t index) {
    return index == 0 ? nullptr : type.element;
  }
};

template <typename Ok, typename Err>
struct ResultCases {
  using T = Expected<Ok, Err>;
  static size_t index(const T& value) { return value.hasValue() ? 0 : 1; }
  template <size_t I>
  static const auto& get(const T& value) {
    if constexpr (I == 0)
      return value.value();
    else
      return value.error();
  }
  template <size_t I, typename Payload>
  static T make(Payload&& payload) {
    if constexpr (I == 0)
      return T(std::forward<Payload>(payload));
    else if constexpr (std::is_void_v<Err>)
      return T(Unexpected<void>{});
    else
      return T(Unexpected<typename T::Err>{std::forward<Payload>(payload)});
  }
  static const Type* payloadType(const Type& type, size_t index) {
    return index == 0 ? type.ok : type.error;
  }
};

bool differCount(TypeMatch& match, std::string_view what, size_t expected, size_t found);
std::string caseStep(std::string_view label);

}  // namespace abi::detail

template <typename... Ts>
  requires(sizeof...(Ts) > 0)
struct Abi<std::variant<Ts...>>
    : abi::detail::UnionAbi<std::variant<Ts...>, abi::detail::VariantCases<Ts...>, Ts...> {
  static std::string describe() {
    std::string text = "variant { ";
    ((text += abi::detail::PayloadAbi<Ts>::describe() + ", "), ...);
    text.resize(text.size() - 2);
    return text + " }";
  }
  static bool matches(const Type& type, TypeMatch& match) {
    if (type.kind != TypeKind::VARIANT) return abi::detail::differ(match, describe(), &type);
    if (type.members.size() != sizeof...(Ts)) {
      return abi::detail::differCount(match, "cases", sizeof...(Ts), type.members.size());
    }
    size_t i = 0;
    auto next = [&]<typename P>(std::type_identity<P>) {
      const Labelled& member = type.members[i++];
      return abi::detail::matchesPayload<P>(member.type, match,
                                            abi::detail::caseStep(member.label));
    };
    return (... && next(std::type_identity<Ts>()));
  }
};

template <AbiType T>
struct Abi<std::optional<T>>
    : abi::detail::UnionAbi<std::optional<T>, abi::detail::OptionCases<T>, std::monostate, T> {
  static std::string describe() { return "option<" + Abi<T>::describe() + ">"; }
  static bool matches(const Type& type, TypeMatch& match) {
    if (type.kind != TypeKind::OPTION) return abi::detail::differ(match, describe(), &type);
    return abi::detail::within(match, "content", Abi<T>::matches(*type.element, match));
  }
};

template <typename Ok, typename Err>
struct Abi<Expected<Ok, Err>>
    : abi::detail::UnionAbi<Expected<Ok, Err>, abi::detail::ResultCases<Ok, Err>,
                            typename Expected<Ok, Err>::Ok, typename Expected<Ok, Err>::Err> {
  using T = Expected<Ok, Err>;
  static std::string describe() {
    return "result<" + abi::detail::PayloadAbi<typename T::Ok>::describe() + ", " +
           abi::detail::PayloadAbi<typename T::Err>::describe() + ">";
  }
  static bool matches(const Type& type, TypeMatch& match) {
    if (type.kind != TypeKind::RESULT) return abi::detail::differ(match, describe(), &type);
    return abi::detail::matchesPayload<typename T::Ok>(type.ok, match, "ok") &&
           abi::detail::matchesPayload<typename T::Err>(type.error, match, "error");
  }
};

}  // namespace tenon
