#pragma once

// Abi of enums and flags: enum classes described by TENON_ENUM and TENON_FLAGS, and FlagSet<N>.

#include <tenon/abi/abi_type.h>
#include <tenon/describe.h>
#include <tenon/flag_set.h>

#include <span>

namespace tenon {

namespace abi::detail {

// Kind, number and names of an enum's or flags' labels. `names` empty: only their number is
// compared.
bool matchesLabels(const Type& type, TypeMatch& match, TypeKind kind, size_t count,
                   std::span<const std::string_view> names);
std::string describeLabels(TypeKind kind, size_t count, std::span<const std::string_view> names);

// Bytes of a discriminant or of flags. Source: definitions.py `discriminant_type`,
// `elem_size_flags`.
constexpr uint32_t discriminantSize(size_t cases) {
  return cases <= 0x100 ? 1 : cases <= 0x10000 ? 2 : 4;
}
constexpr uint32_t flagsSize(size_t labels) { return labels <= 8 ? 1 : labels <= 16 ? 2 : 4; }

template <uint32_t BYTES>
uint32_t loadUnsigned(Context& context, uint32_t pointer) {
  if constexpr (BYTES == 1) return loadNumber<uint8_t>(context, pointer);
  if constexpr (BYTES == 2) return loadNumber<uint16_t>(context, pointer);
  return loadNumber<uint32_t>(context, pointer);
}
template <uint32_t BYTES>
void storeUnsigned(Context& context, uint32_t pointer, uint32_t value) {
  if constexpr (BYTES == 1) return storeNumber(context, pointer, static_cast<uint8_t>(value));
  if constexpr (BYTES == 2) return storeNumber(context, pointer, static_cast<uint16_t>(value));
  storeNumber(context, pointer, value);
}

// 0 after a failure.
inline uint32_t checkDiscriminant(Context& context, uint32_t value, size_t cases) {
  if (value >= cases) [[unlikely]] {
    context.fail("a discriminant names no case of its type");
    return 0;
  }
  return value;
}

template <uint32_t BYTES>
struct SmallIntegerAbi {
  static constexpr uint32_t SIZE = BYTES;
  static constexpr uint32_t ALIGNMENT = BYTES;
  static constexpr uint32_t FLAT_COUNT = 1;
  static constexpr bool PLAIN = false;
  static constexpr bool HAS_RESOURCE = false;
  static constexpr bool IS_VIEW = false;
};

// Flags as a `T` that `MASK`ed bits convert to and from.
template <typename T, size_t N>
struct FlagsAbi : SmallIntegerAbi<flagsSize(N)> {
  static constexpr bool CAN_FAIL = false;
  static constexpr uint32_t MASK = FlagSet<N>::MASK;

  static T load(Context& context, uint32_t pointer, const Type*) {
    return fromBits(loadUnsigned<flagsSize(N)>(context, pointer));
  }
  static void store(Context& context, T value, uint32_t pointer, const Type*) {
    storeUnsigned<flagsSize(N)>(context, pointer, toBits(value));
  }
  static T liftFlat(Context&, const RawValue*& in, const Type*) { return fromBits(in++->i32); }
  static void lowerFlat(Context&, T value, RawValue*& out, const Type*) { put(out, toBits(value)); }

 private:
  static T fromBits(uint32_t bits) {
    if constexpr (std::is_enum_v<T>)
      return static_cast<T>(bits & MASK);
    else
      return T{bits & MASK};
  }
  static uint32_t toBits(T value) {
    if constexpr (std::is_enum_v<T>)
      return static_cast<uint32_t>(value) & MASK;
    else
      return value.bits & MASK;
  }
};

}  // namespace abi::detail

template <size_t N>
struct Abi<FlagSet<N>> : abi::detail::FlagsAbi<FlagSet<N>, N> {
  static std::string describe() { return abi::detail::describeLabels(TypeKind::FLAGS, N, {}); }
  static bool matches(const Type& type, TypeMatch& match) {
    return abi::detail::matchesLabels(type, match, TypeKind::FLAGS, N, {});
  }
};

template <DescribedFlags T>
struct Abi<T> : abi::detail::FlagsAbi<T, Describe<T>::flags.size()> {
  static std::string describe() {
    return abi::detail::describeLabels(TypeKind::FLAGS, NAMES.size(), NAMES);
  }
  static bool matches(const Type& type, TypeMatch& match) {
    return abi::detail::matchesLabels(type, match, TypeKind::FLAGS, NAMES.size(), NAMES);
  }

 private:
  static constexpr const auto& NAMES = Describe<T>::flags;
};

template <DescribedEnum T>
struct Abi<T>
    : abi::detail::SmallIntegerAbi<abi::detail::discriminantSize(Describe<T>::labels.size())> {
  static constexpr bool CAN_FAIL = true;

  static std::string describe() {
    return abi::detail::describeLabels(TypeKind::ENUM, NAMES.size(), NAMES);
  }
  static bool matches(const Type& type, TypeMatch& match) {
    return abi::detail::matchesLabels(type, match, TypeKind::ENUM, NAMES.size(), NAMES);
  }
  static T load(abi::Context& context, uint32_t pointer, const Type*) {
    return check(context, abi::detail::loadUnsigned<BYTES>(context, pointer));
  }
  // A value that is no enumerator fails: the guest must not see it.
  static void store(abi::Context& context, T value, uint32_t pointer, const Type*) {
    abi::detail::storeUnsigned<BYTES>(context, pointer, index(context, value));
  }
  static T liftFlat(abi::Context& context, const RawValue*& in, const Type*) {
    return check(context, in++->i32);
  }
  static void lowerFlat(abi::Context& context, T value, RawValue*& out, const Type*) {
    abi::detail::put(out, index(context, value));
  }

 private:
  static constexpr const auto& NAMES = Describe<T>::labels;
  static constexpr uint32_t BYTES = abi::detail::discriminantSize(Describe<T>::labels.size());

  static T check(abi::Context& context, uint32_t value) {
    return static_cast<T>(abi::detail::checkDiscriminant(context, value, NAMES.size()));
  }
  static uint32_t index(abi::Context& context, T value) {
    return abi::detail::checkDiscriminant(context, static_cast<uint32_t>(value), NAMES.size());
  }
};

}  // namespace tenon
