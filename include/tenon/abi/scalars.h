#pragma once

// Abi of bool, the integers, the floats and characters. `long long` and `long` are both s64 on
// platforms where both have 64 bits. Plain `char` and `wchar_t` stand for nothing.

#include <tenon/abi/abi_type.h>
#include <tenon/value.h>

#include <cstddef>

namespace tenon {
namespace abi::detail {

template <typename T>
concept Integer = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> &&
                  !std::same_as<T, wchar_t> && !std::same_as<T, char8_t> &&
                  !std::same_as<T, char16_t> && !std::same_as<T, char32_t> && sizeof(T) <= 8;

template <typename T>
concept Number = Integer<T> || std::same_as<T, float> || std::same_as<T, double>;

template <Number T>
constexpr TypeKind numberKind() {
  if constexpr (std::same_as<T, float>) return TypeKind::F32;
  if constexpr (std::same_as<T, double>) return TypeKind::F64;
  constexpr TypeKind SIGNED[] = {TypeKind::S8, TypeKind::S16, TypeKind::S32, TypeKind::S64};
  constexpr TypeKind UNSIGNED[] = {TypeKind::U8, TypeKind::U16, TypeKind::U32, TypeKind::U64};
  return (std::is_signed_v<T> ? SIGNED : UNSIGNED)[std::bit_width(sizeof(T)) - 1];
}

constexpr std::string_view scalarName(TypeKind kind) {
  constexpr std::string_view NAMES[] = {"bool", "s8",  "u8",  "s16", "u16", "s32",
                                        "u32",  "s64", "u64", "f32", "f64", "char"};
  return NAMES[static_cast<size_t>(kind)];
}

// What scalars have in common.
template <TypeKind KIND, uint32_t BYTES>
struct ScalarAbi {
  static constexpr uint32_t SIZE = BYTES;
  static constexpr uint32_t ALIGNMENT = BYTES;
  static constexpr uint32_t FLAT_COUNT = 1;
  static constexpr bool CAN_FAIL = false;
  static constexpr bool PLAIN = false;
  static constexpr bool HAS_RESOURCE = false;
  static constexpr bool IS_VIEW = false;

  static std::string describe() { return std::string(scalarName(KIND)); }
  static bool matches(const Type& type, TypeMatch& match) {
    return type.kind == KIND || differ(match, scalarName(KIND), &type);
  }
};

// A Unicode scalar value; 0 after a failure. Source: definitions.py `convert_i32_to_char`.
inline char32_t checkChar(Context& context, uint32_t code) {
  if (code >= 0x110000 || (code >= 0xD800 && code <= 0xDFFF)) [[unlikely]] {
    context.fail("a char is not a Unicode scalar value");
    return 0;
  }
  return code;
}

}  // namespace abi::detail

template <>
struct Abi<bool> : abi::detail::ScalarAbi<TypeKind::BOOL, 1> {
  static bool load(abi::Context& context, uint32_t pointer, const Type*) {
    return abi::detail::loadNumber<uint8_t>(context, pointer) != 0;
  }
  static void store(abi::Context& context, bool value, uint32_t pointer, const Type*) {
    abi::detail::storeNumber<uint8_t>(context, pointer, value ? 1 : 0);
  }
  static bool liftFlat(abi::Context&, const RawValue*& in, const Type*) { return in++->i32 != 0; }
  static void lowerFlat(abi::Context&, bool value, RawValue*& out, const Type*) {
    abi::detail::put(out, value ? 1 : 0);
  }
};

template <abi::detail::Integer T>
struct Abi<T> : abi::detail::ScalarAbi<abi::detail::numberKind<T>(), sizeof(T)> {
  static constexpr bool PLAIN = true;

  static T load(abi::Context& context, uint32_t pointer, const Type*) {
    return abi::detail::loadNumber<T>(context, pointer);
  }
  static void store(abi::Context& context, T value, uint32_t pointer, const Type*) {
    abi::detail::storeNumber(context, pointer, value);
  }
  // Higher bits of a small integer are ignored.
  static T liftFlat(abi::Context&, const RawValue*& in, const Type*) {
    if constexpr (sizeof(T) == 8) return static_cast<T>(in++->i64);
    return static_cast<T>(in++->i32);
  }
  static void lowerFlat(abi::Context&, T value, RawValue*& out, const Type*) {
    if constexpr (sizeof(T) == 8) return abi::detail::put(out, static_cast<uint64_t>(value));
    abi::detail::put(out, static_cast<uint32_t>(value));  // signed ones: extended to 32 bits
  }
};

// A raw byte: u8.
template <>
struct Abi<std::byte> : abi::detail::ScalarAbi<TypeKind::U8, 1> {
  static constexpr bool PLAIN = true;

  static std::byte load(abi::Context& context, uint32_t pointer, const Type*) {
    return std::byte{abi::detail::loadNumber<uint8_t>(context, pointer)};
  }
  static void store(abi::Context& context, std::byte value, uint32_t pointer, const Type*) {
    abi::detail::storeNumber(context, pointer, std::to_integer<uint8_t>(value));
  }
  static std::byte liftFlat(abi::Context&, const RawValue*& in, const Type*) {
    return static_cast<std::byte>(in++->i32);
  }
  static void lowerFlat(abi::Context&, std::byte value, RawValue*& out, const Type*) {
    abi::detail::put(out, std::to_integer<uint32_t>(value));
  }
};

// The bits of a NaN pass through, as the specification allows and Wasmtime does.
template <std::floating_point T>
  requires abi::detail::Number<T>
struct Abi<T> : abi::detail::ScalarAbi<abi::detail::numberKind<T>(), sizeof(T)> {
  static constexpr bool PLAIN = true;
  using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;

  static T load(abi::Context& context, uint32_t pointer, const Type*) {
    return abi::detail::loadNumber<T>(context, pointer);
  }
  static void store(abi::Context& context, T value, uint32_t pointer, const Type*) {
    abi::detail::storeNumber(context, pointer, value);
  }
  static T liftFlat(abi::Context&, const RawValue*& in, const Type*) {
    return std::bit_cast<T>(static_cast<Bits>(in++->i64));
  }
  static void lowerFlat(abi::Context&, T value, RawValue*& out, const Type*) {
    abi::detail::put(out, std::bit_cast<Bits>(value));
  }
};

template <>
struct Abi<char32_t> : abi::detail::ScalarAbi<TypeKind::CHAR, 4> {
  static constexpr bool CAN_FAIL = true;

  static char32_t load(abi::Context& context, uint32_t pointer, const Type*) {
    return abi::detail::checkChar(context, abi::detail::loadNumber<uint32_t>(context, pointer));
  }
  // What is no scalar value on the host's side fails too: the guest must not see it.
  static void store(abi::Context& context, char32_t value, uint32_t pointer, const Type*) {
    abi::detail::storeNumber<uint32_t>(context, pointer, abi::detail::checkChar(context, value));
  }
  static char32_t liftFlat(abi::Context& context, const RawValue*& in, const Type*) {
    return abi::detail::checkChar(context, in++->i32);
  }
  static void lowerFlat(abi::Context& context, char32_t value, RawValue*& out, const Type*) {
    abi::detail::put(out, abi::detail::checkChar(context, value));
  }
};

template <>
struct Abi<Char> : abi::detail::ScalarAbi<TypeKind::CHAR, 4> {
  static constexpr bool CAN_FAIL = true;

  static Char load(abi::Context& context, uint32_t pointer, const Type* type) {
    return Char{Abi<char32_t>::load(context, pointer, type)};
  }
  static void store(abi::Context& context, Char value, uint32_t pointer, const Type* type) {
    Abi<char32_t>::store(context, value.code, pointer, type);
  }
  static Char liftFlat(abi::Context& context, const RawValue*& in, const Type* type) {
    return Char{Abi<char32_t>::liftFlat(context, in, type)};
  }
  static void lowerFlat(abi::Context& context, Char value, RawValue*& out, const Type* type) {
    Abi<char32_t>::lowerFlat(context, value.code, out, type);
  }
};

}  // namespace tenon
