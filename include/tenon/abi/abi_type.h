#pragma once

// How a C++ type crosses the canonical ABI: `Abi<T>`, one specialisation per C++ type that stands
// for a component type. Everything is resolved at compile time; which component type a function
// really has is compared once, when it is looked up or linked (`matches`), and never per call.
//
// Every specialisation has
//   SIZE, ALIGNMENT    of one element in memory, in bytes
//   FLAT_COUNT         core values when passed flat
//   CAN_FAIL           lifting can fail: not every pattern of bits is a value, or memory is read
//   PLAIN              C++ and the ABI lay it out alike and every pattern of bits is a value:
//                      lists move by memcpy
//   HAS_RESOURCE       it contains a handle, so the walks need the component's type
//   IS_VIEW            a lifted value refers to guest memory or to the Context: for host functions'
//                      parameters only
//   describe()         the component type in WIT words, for messages
//   matches(type, m)   whether it stands for `type`; if not, `m.difference` says where it differs
//                      first
//   load, store, liftFlat, lowerFlat   the walks of definitions.py with these names
// `type` of a walk is the component type if HAS_RESOURCE, else it may be null and is not looked at.
// `load` and `store` expect an aligned pointer, with SIZE bytes inside the memory checked by the
// caller; memory accesses are bounds-checked all the same.

#include <tenon/abi/context.h>

#include <array>
#include <bit>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace tenon {

// Not defined: the type does not stand for any component type. Records and enums are described by
// TENON_RECORD, TENON_ENUM and TENON_FLAGS or by specialising `Describe`
// (<tenon/describe.h>).
template <typename T>
struct Abi;

// A C++ class `tag` (an address, see Own<T>) that was found where the component has `resource`.
struct ResourceUse {
  const void* tag = nullptr;
  uint32_t resource = 0;
};

// What comparing a C++ signature with a component's type found.
struct TypeMatch {
  // Empty, or where the two first differ: "parameter 'item', field 'price': expected u64, found
  // f64".
  std::string difference;
  bool hasPath = false;  // `difference` begins with a path
  // Every Own<T> and Borrow<T>, for whoever knows which C++ class implements which resource.
  std::vector<ResourceUse> resources;
};

template <typename T>
concept AbiType = requires(const Type& type, TypeMatch& match) {
  { Abi<T>::matches(type, match) } -> std::same_as<bool>;
};

namespace abi::detail {

constexpr uint32_t alignTo(uint32_t offset, uint32_t alignment) {
  return (offset + alignment - 1) / alignment * alignment;
}

// Says that the component has `found` where C++ has `expected`. Always false.
bool differ(TypeMatch& match, std::string_view expected, const Type* found);
// Puts a step of the path before the difference that an inner `matches` reported. Passes `ok` on.
bool within(TypeMatch& match, std::string_view step, bool ok);
// C++ names and labels agree when they are equal without "-", "_" and case.
bool sameLabel(std::string_view cppName, std::string_view label);

// A flat value always fills 64 bits, zero-extended, so that no join of a variant's cases needs a
// conversion: i32 and f32 are the low half of i64. Source: definitions.py `lower_flat_variant`.
inline void put(RawValue*& out, uint64_t bits) { (out++)->i64 = bits; }

// Whether `size` bytes, a multiple of `alignment` away from 0, are inside the memory; fails if not.
inline bool checkRange(Context& context, uint32_t pointer, uint64_t size, uint32_t alignment) {
  if ((pointer & (alignment - 1)) != 0) [[unlikely]] {
    context.fail("a pointer is not aligned for its type");
    return false;
  }
  if (!context.memory.contains(pointer, size)) [[unlikely]] {
    context.fail("a pointer is out of bounds of the memory");
    return false;
  }
  return true;
}

template <typename T>
T loadNumber(Context& context, uint32_t pointer) {
  T value{};
  if (!context.memory.load(pointer, value)) [[unlikely]] {
    context.fail("a pointer is out of bounds of the memory");
  }
  return value;
}

template <typename T>
void storeNumber(Context& context, uint32_t pointer, T value) {
  if (!context.memory.store(pointer, value)) [[unlikely]] {
    context.fail("a pointer is out of bounds of the memory");
  }
}

}  // namespace abi::detail
}  // namespace tenon
