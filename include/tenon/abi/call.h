#pragma once

// Whole calls of exports with C++ signatures: `TypedCall<R(A...)>`. Compared with the function's
// type once (`matches`), which is trusted from then on. Nothing is allocated besides what the
// values themselves need. Source: CanonicalABI.md "Lifting and Lowering Values"; definitions.py
// `lift_flat_values`, `lower_flat_values`.

#include <tenon/abi/abi_type.h>
#include <tenon/abi/records.h>
#include <tenon/abi/signature.h>

#include <algorithm>
#include <type_traits>

namespace tenon {

// Calls an export with this C++ signature. Only static functions: the caller owns the Context and
// the values, and runs the guest between `lower` and `lift`.
template <typename CppSignature>
class TypedCall;

template <typename R, typename... As>
class TypedCall<R(As...)> {  // guest-ok(pointer): all of a value lies inside
  using Params = abi::detail::SequenceAbi<std::remove_cvref_t<As>...>;
  using Result = abi::detail::ResultAbi<R>;
  static constexpr bool SPILLED_PARAMS = Params::FLAT_COUNT > MAX_FLAT_PARAMS;

 public:
  // Raw values to provide: enough for the parameters and for the result.
  static constexpr size_t SLOTS = std::max<size_t>(SPILLED_PARAMS ? 1 : Params::FLAT_COUNT, 1);

  // Compares with the function's type. False: `match.difference` says why.
  static bool matches(const FuncType& type, TypeMatch& match) {
    return abi::detail::matchesSignature<R, std::remove_cvref_t<As>...>(type, match);
  }

  // Fills the core parameters. Calls the guest's `realloc`, so do nothing else with its memory
  // meanwhile. Check `context.failed()` after.
  static void lower(abi::Context& context, const FuncType& type, RawValue* values,
                    const std::remove_cvref_t<As>&... arguments) {
    if constexpr (SPILLED_PARAMS) {
      uint32_t pointer = context.allocate(Params::SIZE, Params::ALIGNMENT);
      if (context.failed() ||
          !abi::detail::checkRange(context, pointer, Params::SIZE, Params::ALIGNMENT)) {
        return;
      }
      size_t i = 0;
      ((Abi<std::remove_cvref_t<As>>::store(context, arguments, pointer + Params::OFFSETS[i],
                                            typeOf(type, i)),
        i++),
       ...);
      abi::detail::put(values, pointer);
    } else {
      [[maybe_unused]] size_t i = 0;
      ((Abi<std::remove_cvref_t<As>>::lowerFlat(context, arguments, values, typeOf(type, i)), i++),
       ...);
    }
  }

  // The result out of the core results: after the call, before post-return. Meaningless, but safe,
  // when `context.failed()` after.
  static R lift(abi::Context& context, [[maybe_unused]] const FuncType& type,
                [[maybe_unused]] const RawValue* values) {
    if constexpr (!std::is_void_v<R>) {
      static_assert(!Abi<R>::IS_VIEW,
                    "an export's result must own its content: the guest frees "
                    "its memory when the call returns");
      if constexpr (Result::SPILLED) {
        uint32_t pointer = values[0].i32;
        if (context.failed() ||
            !abi::detail::checkRange(context, pointer, Abi<R>::SIZE, Abi<R>::ALIGNMENT)) {
          return R{};
        }
        return Abi<R>::load(context, pointer, Result::typeOf(type));
      } else {
        return Abi<R>::liftFlat(context, values, Result::typeOf(type));
      }
    }
  }

 private:
  static const Type* typeOf(const FuncType& type, size_t index) {
    return Params::HAS_RESOURCE ? type.params[index].type : nullptr;
  }
};

}  // namespace tenon
