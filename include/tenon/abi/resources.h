#pragma once

// Abi of handles (<tenon/resource.h>): made by lifting, passed back by lowering. Source:
// CanonicalABI.md `lift_own`, `lift_borrow`, `lower_own`, `lower_borrow`.

#include <tenon/abi/abi_type.h>
#include <tenon/resource.h>
#include <tenon/value.h>

namespace tenon {

// Its address names the C++ class `T` in ResourceUse.
template <typename T>
inline constexpr char RESOURCE_TAG = 0;

namespace abi::detail {

enum class HandleMode : uint8_t { OWN, BORROW };

struct HandleAbi {
  static constexpr uint32_t SIZE = 4;
  static constexpr uint32_t ALIGNMENT = 4;
  static constexpr uint32_t FLAT_COUNT = 1;
  static constexpr bool CAN_FAIL = true;
  static constexpr bool PLAIN = false;
  static constexpr bool HAS_RESOURCE = true;
  static constexpr bool IS_VIEW = false;
};

template <typename Handle, typename T, HandleMode MODE>
struct HostHandleAbi : HandleAbi {
  static std::string describe() { return MODE == HandleMode::OWN ? "own" : "borrow"; }
  static bool matches(const Type& type, TypeMatch& match) {
    if (type.kind != (MODE == HandleMode::OWN ? TypeKind::OWN : TypeKind::BORROW)) {
      return differ(match, describe(), &type);
    }
    match.resources.push_back({&RESOURCE_TAG<T>, type.resource});
    return true;
  }
  static Handle load(Context& context, uint32_t pointer, const Type* type) {
    return {lift(context, loadNumber<uint32_t>(context, pointer), *type)};
  }
  static void store(Context& context, Handle value, uint32_t pointer, const Type* type) {
    storeNumber(context, pointer, lower(context, value.rep, *type));
  }
  static Handle liftFlat(Context& context, const RawValue*& in, const Type* type) {
    return {lift(context, in++->i32, *type)};
  }
  static void lowerFlat(Context& context, Handle value, RawValue*& out, const Type* type) {
    put(out, lower(context, value.rep, *type));
  }

 private:
  static uint32_t lift(Context& context, uint32_t index, const Type& type) {
    if (context.failed()) return 0;
    if constexpr (MODE == HandleMode::OWN)
      return context.liftOwn(type.resource, index);
    else
      return context.liftBorrow(type.resource, index);
  }
  static uint32_t lower(Context& context, uint32_t rep, const Type& type) {
    if (context.failed()) return 0;
    if constexpr (MODE == HandleMode::OWN)
      return context.lowerOwn(type.resource, rep);
    else
      return context.lowerBorrow(type.resource, rep);
  }
};

// An OWN or BORROW as handle, by way of `context.handles`. Shared with dynamic values. After a
// failure an empty handle, or 0.
Resource liftHandle(Context& context, uint32_t index, const Type& type);
uint32_t lowerHandle(Context& context, const Resource& resource, const Type& type);

}  // namespace abi::detail

template <typename T>
struct Abi<Own<T>> : abi::detail::HostHandleAbi<Own<T>, T, abi::detail::HandleMode::OWN> {};
template <typename T>
struct Abi<Borrow<T>> : abi::detail::HostHandleAbi<Borrow<T>, T, abi::detail::HandleMode::BORROW> {
};

template <>
struct Abi<GuestResource> : abi::detail::HandleAbi {
  static std::string describe() { return "own or borrow"; }
  static bool matches(const Type& type, TypeMatch& match) {
    return type.kind == TypeKind::OWN || type.kind == TypeKind::BORROW ||
           abi::detail::differ(match, describe(), &type);
  }
  static GuestResource load(abi::Context& context, uint32_t pointer, const Type* type) {
    return abi::detail::liftHandle(context, abi::detail::loadNumber<uint32_t>(context, pointer),
                                   *type);
  }
  static void store(abi::Context& context, const GuestResource& value, uint32_t pointer,
                    const Type* type) {
    abi::detail::storeNumber(context, pointer, abi::detail::lowerHandle(context, value, *type));
  }
  static GuestResource liftFlat(abi::Context& context, const RawValue*& in, const Type* type) {
    return abi::detail::liftHandle(context, in++->i32, *type);
  }
  static void lowerFlat(abi::Context& context, const GuestResource& value, RawValue*& out,
                        const Type* type) {
    abi::detail::put(out, abi::detail::lowerHandle(context, value, *type));
  }
};

}  // namespace tenon
