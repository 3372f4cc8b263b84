#pragma once

// Abi of std::array for lists of a fixed length, `list<T, N>`, whose elements lie one after another
// without a pointer.

#include <tenon/abi/abi_type.h>

#include <array>
#include <cstddef>

namespace tenon {

// Arrays are lifted onto the stack, so longer ones stand for nothing.
inline constexpr size_t MAX_ARRAY_LENGTH = 1 << 12;

// Lifting needs a default constructor of `T`.
template <AbiType T, size_t N>
  requires(N > 0 && N <= MAX_ARRAY_LENGTH)
struct Abi<std::array<T, N>> {
  using Array = std::array<T, N>;
  static constexpr uint32_t SIZE = N * Abi<T>::SIZE;
  static constexpr uint32_t ALIGNMENT = Abi<T>::ALIGNMENT;
  static constexpr uint32_t FLAT_COUNT = N * Abi<T>::FLAT_COUNT;
  static constexpr bool CAN_FAIL = Abi<T>::CAN_FAIL;
  static constexpr bool PLAIN = Abi<T>::PLAIN;
  static constexpr bool HAS_RESOURCE = Abi<T>::HAS_RESOURCE;
  static constexpr bool IS_VIEW = Abi<T>::IS_VIEW;

  static std::string describe() {
    return "list<" + Abi<T>::describe() + ", " + std::to_string(N) + ">";
  }
  static bool matches(const Type& type, TypeMatch& match) {
    if (type.kind != TypeKind::LIST || type.fixedLength != N) {
      return abi::detail::differ(match, describe(), &type);
    }
    return abi::detail::within(match, "element", Abi<T>::matches(*type.element, match));
  }
  static Array load(abi::Context& context, uint32_t pointer, const Type* type) {
    Array values{};
    for (size_t i = 0; i < N; i++) {
      values[i] = Abi<T>::load(context, pointer + offset(i), elementOf(type));
    }
    return values;
  }
  static void store(abi::Context& context, const Array& values, uint32_t pointer,
                    const Type* type) {
    for (size_t i = 0; i < N && !context.failed(); i++) {
      Abi<T>::store(context, values[i], pointer + offset(i), elementOf(type));
    }
  }
  static Array liftFlat(abi::Context& context, const RawValue*& in, const Type* type) {
    Array values{};
    for (T& value : values) value = Abi<T>::liftFlat(context, in, elementOf(type));
    return values;
  }
  static void lowerFlat(abi::Context& context, const Array& values, RawValue*& out,
                        const Type* type) {
    for (const T& value : values) Abi<T>::lowerFlat(context, value, out, elementOf(type));
  }

 private:
  static constexpr uint32_t offset(size_t index) {
    return static_cast<uint32_t>(index) * Abi<T>::SIZE;
  }
  static const Type* elementOf(const Type* type) { return HAS_RESOURCE ? type->element : nullptr; }
};

}  // namespace tenon
