#pragma once

// Abi of strings and lists. As a host function's parameter, std::string_view and std::span are
// views: of guest memory where the layouts agree, so nothing is copied, and valid until the guest
// next runs (the end of the call at the latest). As arguments of an export, and as results of a
// host function, they are read only, and may point anywhere. Lists of PLAIN elements move by one
// memcpy.

#include <tenon/abi/abi_type.h>
#include <tenon/abi/strings.h>

#include <cstring>
#include <memory>
#include <span>

namespace tenon {
namespace abi::detail {  // guest-ok(pointer): all of a value lies inside

// What strings and lists have in common: a pointer and a length.
struct PointerPairAbi {
  static constexpr uint32_t SIZE = 8;
  static constexpr uint32_t ALIGNMENT = 4;
  static constexpr uint32_t FLAT_COUNT = 2;
  static constexpr bool CAN_FAIL = true;
  static constexpr bool PLAIN = false;
};

inline StringRange loadPair(Context& context, uint32_t pointer) {
  return {loadNumber<uint32_t>(context, pointer), loadNumber<uint32_t>(context, pointer + 4)};
}
inline StringRange liftPair(const RawValue*& in) {
  StringRange pair{in[0].i32, in[1].i32};
  in += 2;
  return pair;
}
inline void storePair(Context& context, StringRange pair, uint32_t pointer) {
  storeNumber(context, pointer, pair.pointer);
  storeNumber(context, pointer + 4, pair.codeUnits);
}
inline void lowerPair(StringRange pair, RawValue*& out) {
  put(out, pair.pointer);
  put(out, pair.codeUnits);
}

// Whether `length` elements at `pointer` are a list: not too long, aligned, inside the memory.
// Source: definitions.py `load_list_from_range`.
inline bool checkList(Context& context, StringRange list, uint32_t size, uint32_t alignment) {
  uint64_t bytes = uint64_t{list.codeUnits} * size;
  if (bytes > MAX_BYTE_LENGTH) [[unlikely]] {
    context.fail("a list is longer than 2^28 - 1 bytes");
    return false;
  }
  return checkRange(context, list.pointer, bytes, alignment) && !context.failed();
}

// The elements in place. Only after `checkList`, for PLAIN elements.
template <typename T>
std::span<const T> viewPlain(Context& context, StringRange list) {
  auto bytes = context.memory.bytes(list.pointer, uint64_t{list.codeUnits} * sizeof(T));
  return {reinterpret_cast<const T*>(bytes.data()), list.codeUnits};  // guest-ok: still a span
}

template <typename T>
std::vector<T> loadList(Context& context, StringRange list, const Type* element) {
  using Element = Abi<T>;
  std::vector<T> values;
  if (!checkList(context, list, Element::SIZE, Element::ALIGNMENT)) return values;
  if (!context.charge(uint64_t{list.codeUnits} * sizeof(T))) return values;
  if constexpr (Element::PLAIN) {
    auto elements = viewPlain<T>(context, list);
    values.assign(elements.begin(), elements.end());
  } else {
    values.reserve(list.codeUnits);
    for (uint32_t i = 0; i < list.codeUnits && !context.failed(); i++) {
      values.push_back(Element::load(context, list.pointer + i * Element::SIZE, element));
    }
  }
  return values;
}

// `Range`: something with size(), and data() for PLAIN elements. Source: `store_list_into_range`.
template <typename T, typename Range>
StringRange storeList(Context& context, const Range& values, const Type* element) {
  using Element = Abi<T>;
  if (context.failed()) return {};
  if (values.size() > MAX_BYTE_LENGTH / Element::SIZE) {
    context.fail("a list is longer than 2^28 - 1 bytes");
    return {};
  }
  auto length = static_cast<uint32_t>(values.size());
  uint32_t bytes = length * Element::SIZE;
  if constexpr (Element::PLAIN) {
    return storePlainList(context, values.data(), length, bytes, Element::ALIGNMENT);
  } else {
    uint32_t begin = context.allocate(bytes, Element::ALIGNMENT);
    if (context.failed() || !checkRange(context, begin, bytes, Element::ALIGNMENT)) return {};
    uint32_t pointer = begin;
    for (const auto& value : values) {
      Element::store(context, value, pointer, element);
      if (context.failed()) return {};
      pointer += Element::SIZE;
    }
    return {begin, length};
  }
}

template <typename T>
bool matchesList(const Type& type, TypeMatch& match, const std::string& name) {
  if (type.kind != TypeKind::LIST || type.fixedLength != 0) return differ(match, name, &type);
  return within(match, "element", Abi<T>::matches(*type.element, match));
}

}  // namespace abi::detail

template <>
struct Abi<std::string> : abi::detail::PointerPairAbi {
  static constexpr bool HAS_RESOURCE = false;
  static constexpr bool IS_VIEW = false;

  static std::string describe() { return "string"; }
  static bool matches(const Type& type, TypeMatch& match) {
    return type.kind == TypeKind::STRING || abi::detail::differ(match, "string", &type);
  }
  static std::string load(abi::Context& context, uint32_t pointer, const Type*) {
    return abi::loadString(context, abi::detail::loadPair(context, pointer));
  }
  static void store(abi::Context& context, std::string_view value, uint32_t pointer, const Type*) {
    abi::detail::storePair(context, abi::storeString(context, value), pointer);
  }
  static std::string liftFlat(abi::Context& context, const RawValue*& in, const Type*) {
    return abi::loadString(context, abi::detail::liftPair(in));
  }
  static void lowerFlat(abi::Context& context, std::string_view value, RawValue*& out,
                        const Type*) {
    abi::detail::lowerPair(abi::storeString(context, value), out);
  }
};

template <>
struct Abi<std::string_view> : Abi<std::string> {
  static constexpr bool IS_VIEW = true;

  static std::string_view load(abi::Context& context, uint32_t pointer, const Type*) {
    return abi::viewString(context, abi::detail::loadPair(context, pointer));
  }
  static std::string_view liftFlat(abi::Context& context, const RawValue*& in, const Type*) {
    return abi::viewString(context, abi::detail::liftPair(in));
  }
};

template <AbiType T>
struct Abi<std::vector<T>> : abi::detail::PointerPairAbi {
  static constexpr bool HAS_RESOURCE = Abi<T>::HAS_RESOURCE;
  static constexpr bool IS_VIEW = Abi<T>::IS_VIEW;

  static std::string describe() { return "list<" + Abi<T>::describe() + ">"; }
  static bool matches(const Type& type, TypeMatch& match) {
    return abi::detail::matchesList<T>(type, match, describe());
  }
  static std::vector<T> load(abi::Context& context, uint32_t pointer, const Type* type) {
    return abi::detail::loadList<T>(context, abi::detail::loadPair(context, pointer),
                                    elementOf(type));
  }
  static void store(abi::Context& context, const std::vector<T>& value, uint32_t pointer,
                    const Type* type) {
    abi::detail::storePair(context, abi::detail::storeList<T>(context, value, elementOf(type)),
                           pointer);
  }
  static std::vector<T> liftFlat(abi::Context& context, const RawValue*& in, const Type* type) {
    return abi::detail::loadList<T>(context, abi::detail::liftPair(in), elementOf(type));
  }
  static void lowerFlat(abi::Context& context, const std::vector<T>& value, RawValue*& out,
                        const Type* type) {
    abi::detail::lowerPair(abi::detail::storeList<T>(context, value, elementOf(type)), out);
  }

 private:
  static const Type* elementOf(const Type* type) { return HAS_RESOURCE ? type->element : nullptr; }
};

// Lifting needs PLAIN elements: numbers, std::byte, and records of them without padding.
template <AbiType T>
struct Abi<std::span<const T>> : abi::detail::PointerPairAbi {
  static constexpr bool HAS_RESOURCE = Abi<T>::HAS_RESOURCE;
  static constexpr bool IS_VIEW = true;

  static std::string describe() { return Abi<std::vector<T>>::describe(); }
  static bool matches(const Type& type, TypeMatch& match) {
    return abi::detail::matchesList<T>(type, match, describe());
  }
  static std::span<const T> load(abi::Context& context, uint32_t pointer, const Type*) {
    return view(context, abi::detail::loadPair(context, pointer));
  }
  static void store(abi::Context& context, std::span<const T> value, uint32_t pointer,
                    const Type* type) {
    const Type* element = HAS_RESOURCE ? type->element : nullptr;
    abi::detail::storePair(context, abi::detail::storeList<T>(context, value, element), pointer);
  }
  static std::span<const T> liftFlat(abi::Context& context, const RawValue*& in, const Type*) {
    return view(context, abi::detail::liftPair(in));
  }
  static void lowerFlat(abi::Context& context, std::span<const T> value, RawValue*& out,
                        const Type* type) {
    const Type* element = HAS_RESOURCE ? type->element : nullptr;
    abi::detail::lowerPair(abi::detail::storeList<T>(context, value, element), out);
  }

 private:
  static std::span<const T> view(abi::Context& context, abi::StringRange list) {
    static_assert(Abi<T>::PLAIN,
                  "a std::span parameter needs elements that C++ and the canonical "
                  "ABI lay out alike: take a std::vector");
    if (!abi::detail::checkList(context, list, Abi<T>::SIZE, Abi<T>::ALIGNMENT)) return {};
    return abi::detail::viewPlain<T>(context, list);
  }
};

}  // namespace tenon
