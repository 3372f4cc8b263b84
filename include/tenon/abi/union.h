#pragma once

// The layout and the walks that variants, options and results share. Used by
// <tenon/abi/variants.h>.
// Source: CanonicalABI.md "Alignment", "Flattening"; definitions.py `load_variant`,
// `lift_flat_variant` and their opposites.

#include <tenon/abi/abi_type.h>
#include <tenon/abi/labels.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

namespace tenon::abi::detail {  // guest-ok(pointer): all of a value lies inside

// Abi of a payload that may be missing. The walks of `std::monostate` do nothing.
struct NoPayloadAbi {
  static constexpr uint32_t SIZE = 0;
  static constexpr uint32_t ALIGNMENT = 1;
  static constexpr uint32_t FLAT_COUNT = 0;
  static constexpr bool CAN_FAIL = false;
  static constexpr bool HAS_RESOURCE = false;
  static constexpr bool IS_VIEW = false;
  static std::string describe() { return "_"; }
  static std::monostate load(Context&, uint32_t, const Type*) { return {}; }
  static void store(Context&, std::monostate, uint32_t, const Type*) {}
  static std::monostate liftFlat(Context&, const RawValue*&, const Type*) { return {}; }
  static void lowerFlat(Context&, std::monostate, RawValue*&, const Type*) {}
};

template <typename T>
using PayloadAbi =
    std::conditional_t<std::is_same_v<T, std::monostate>, std::type_identity<NoPayloadAbi>,
                       std::type_identity<Abi<T>>>::type;

// Whether a case's payload fits; `type` is null when the component's case carries nothing.
template <typename T>
bool matchesPayload(const Type* type, TypeMatch& match, std::string_view step) {
  if constexpr (std::is_same_v<T, std::monostate>) {
    return !type || within(match, step, differ(match, "no payload", type));
  } else {
    if (!type) return within(match, step, differ(match, Abi<T>::describe(), nullptr));
    return within(match, step, Abi<T>::matches(*type, match));
  }
}

// The layout and the walks of a discriminated union of Ts. `Cases` says how to look into and make
// the C++ type:
//   index(value), get<I>(value), make<I>(payload), payloadType(type, I)
// A std::variant that an exception left without value fails.
template <typename T, typename Cases, typename... Ts>
struct UnionAbi {
  static constexpr size_t COUNT = sizeof...(Ts);
  static constexpr uint32_t DISCRIMINANT = discriminantSize(COUNT);
  static constexpr uint32_t PAYLOAD_ALIGNMENT = [] {
    uint32_t alignment = 1;
    ((alignment = std::max(alignment, PayloadAbi<Ts>::ALIGNMENT)), ...);
    return alignment;
  }();
  static constexpr uint32_t ALIGNMENT = std::max(DISCRIMINANT, PAYLOAD_ALIGNMENT);
  static constexpr uint32_t PAYLOAD_OFFSET = alignTo(DISCRIMINANT, PAYLOAD_ALIGNMENT);
  static constexpr uint32_t SIZE = [] {
    uint32_t size = 0;
    ((size = std::max(size, PayloadAbi<Ts>::SIZE)), ...);
    return alignTo(PAYLOAD_OFFSET + size, ALIGNMENT);
  }();
  static constexpr uint32_t FLAT_COUNT = [] {
    uint32_t count = 0;
    ((count = std::max(count, PayloadAbi<Ts>::FLAT_COUNT)), ...);
    return 1 + count;
  }();
  static constexpr bool CAN_FAIL = true;
  static constexpr bool PLAIN = false;
  static constexpr bool HAS_RESOURCE = (false || ... || PayloadAbi<Ts>::HAS_RESOURCE);
  static constexpr bool IS_VIEW = (false || ... || PayloadAbi<Ts>::IS_VIEW);

  static T load(Context& context, uint32_t pointer, const Type* type) {
    uint32_t index =
        checkDiscriminant(context, loadUnsigned<DISCRIMINANT>(context, pointer), COUNT);
    if (context.failed()) [[unlikely]]
      return T{};
    std::optional<T> value;
    select(index, [&]<size_t I, typename Payload>() {
      value.emplace(Cases::template make<I>(
          PayloadAbi<Payload>::load(context, pointer + PAYLOAD_OFFSET, payload<I>(type))));
    });
    return *std::move(value);
  }
  static void store(Context& context, const T& value, uint32_t pointer, const Type* type) {
    uint32_t index = checkDiscriminant(context, static_cast<uint32_t>(Cases::index(value)), COUNT);
    if (context.failed()) [[unlikely]]
      return;
    storeUnsigned<DISCRIMINANT>(context, pointer, index);
    select(index, [&]<size_t I, typename Payload>() {
      PayloadAbi<Payload>::store(context, Cases::template get<I>(value), pointer + PAYLOAD_OFFSET,
                                 payload<I>(type));
    });
  }
  static T liftFlat(Context& context, const RawValue*& in, const Type* type) {
    const RawValue* slots = in;
    in += FLAT_COUNT;
    uint32_t index = checkDiscriminant(context, slots++->i32, COUNT);
    if (context.failed()) [[unlikely]]
      return T{};
    std::optional<T> value;
    select(index, [&]<size_t I, typename Payload>() {
      value.emplace(
          Cases::template make<I>(PayloadAbi<Payload>::liftFlat(context, slots, payload<I>(type))));
    });
    return *std::move(value);
  }
  static void lowerFlat(Context& context, const T& value, RawValue*& out, const Type* type) {
    RawValue* end = out + FLAT_COUNT;
    uint32_t index = checkDiscriminant(context, static_cast<uint32_t>(Cases::index(value)), COUNT);
    put(out, index);
    if (!context.failed())
      select(index, [&]<size_t I, typename Payload>() {
        PayloadAbi<Payload>::lowerFlat(context, Cases::template get<I>(value), out,
                                       payload<I>(type));
      });
    while (out != end) put(out, 0);
  }

 private:
  template <size_t I>
  static const Type* payload(const Type* type) {
    return HAS_RESOURCE ? Cases::payloadType(*type, I) : nullptr;
  }
  // Calls `visit.operator()<I, Payload>()` for I == index; for nothing when there is none such.
  template <typename Visit>
  static void select(uint32_t index, Visit&& visit) {
    [&]<size_t... I>(std::index_sequence<I...>) {
      (void)((index == I && (visit.template operator()<I, Ts>(), true)) || ...);
    }(std::index_sequence_for<Ts...>());
  }
};

}  // namespace tenon::abi::detail
