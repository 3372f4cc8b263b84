#pragma once

// C++ callables that guests import: `HostThunk<F>`. Compared with the import's type once
// (`matches`), which is trusted from then on. Nothing is allocated besides what the values
// themselves need. Source: as <tenon/abi/call.h>.

#include <tenon/abi/abi_type.h>
#include <tenon/abi/records.h>
#include <tenon/abi/signature.h>
#include <tenon/caller.h>
#include <tenon/pending.h>

#include <concepts>
#include <tuple>
#include <type_traits>
#include <utility>

namespace tenon {
namespace abi::detail {  // guest-ok(pointer): all of a value lies inside

template <typename Signature>
struct ThunkFor;

template <typename R, typename... As>
struct ThunkFor<Signature<R, As...>> {
  using Value = typename Returned<std::remove_cv_t<R>>::Value;
  using Params = SequenceAbi<std::remove_cvref_t<As>...>;
  using Lifted = std::tuple<std::remove_cvref_t<As>...>;
  static constexpr bool SPILLED_PARAMS = Params::FLAT_COUNT > MAX_FLAT_PARAMS;
  static constexpr uint32_t PARAM_SLOTS = SPILLED_PARAMS ? 1 : Params::FLAT_COUNT;
  static constexpr bool CAN_FAIL = SPILLED_PARAMS || Params::CAN_FAIL;
  static_assert((true && ... && Passable<As>), "guests cannot pass a mutable reference");

  static bool matches(const FuncType& type, TypeMatch& match) {
    return matchesSignature<Value, std::remove_cvref_t<As>...>(type, match);
  }

  // `call(arguments...)` runs the callable.
  template <typename Call>
  static void run(Call&& call, Context& context, const FuncType& type, RawValue* values) {
    [&]<size_t... I>(std::index_sequence<I...>) {
      Lifted arguments = lift(context, type, values, std::index_sequence<I...>());
      if constexpr (CAN_FAIL) {
        if (context.failed()) [[unlikely]]
          return;
      }
      if constexpr (Returned<std::remove_cv_t<R>>::FALLIBLE) {
        auto result = call(static_cast<As&&>(std::get<I>(arguments))...);
        if (!result.ok()) return context.failWith(std::move(result).error());
        if constexpr (!std::is_void_v<Value>) lower(context, type, values, *result);
      } else if constexpr (std::is_void_v<Value>) {
        call(static_cast<As&&>(std::get<I>(arguments))...);
      } else {
        lower(context, type, values, call(static_cast<As&&>(std::get<I>(arguments))...));
      }
    }(std::index_sequence_for<As...>());
  }

 private:
  static const Type* typeOf(const FuncType& type, size_t index) {
    return Params::HAS_RESOURCE ? type.params[index].type : nullptr;
  }
  template <size_t... I>
  static Lifted lift(Context& context, const FuncType& type, const RawValue* values,
                     std::index_sequence<I...>) {
    if constexpr (SPILLED_PARAMS) {
      uint32_t pointer = values[0].i32;
      if (!checkRange(context, pointer, Params::SIZE, Params::ALIGNMENT)) return {};
      return Lifted{Abi<std::remove_cvref_t<As>>::load(context, pointer + Params::OFFSETS[I],
                                                       typeOf(type, I))...};
    } else {
      [[maybe_unused]] const RawValue* in = values;
      return Lifted{Abi<std::remove_cvref_t<As>>::liftFlat(context, in, typeOf(type, I))...};
    }
  }
  template <typename V>
  static void lower(Context& context, const FuncType& type, RawValue* values, const V& result) {
    using Result = ResultAbi<Value>;
    if constexpr (Result::SPILLED) {
      uint32_t pointer = values[PARAM_SLOTS].i32;
      if (context.failed() ||
          !checkRange(context, pointer, Abi<Value>::SIZE, Abi<Value>::ALIGNMENT)) {
        return;
      }
      Abi<Value>::store(context, result, pointer, Result::typeOf(type));
    } else {
      RawValue* out = values;
      Abi<Value>::lowerFlat(context, result, out, Result::typeOf(type));
    }
  }
};

// Runs `F`, whose first parameter may be the Caller, or a Context (or what `Cx` derives from it).
template <typename F, typename Signature>
struct HostThunkFor : ThunkFor<Signature> {
  static constexpr bool TAKES_CALLER = false;
  template <typename Cx>
  static void run(F& callable, Cx& context, const FuncType& type, RawValue* values) {
    ThunkFor<Signature>::run(
        [&](auto&&... arguments) -> decltype(auto) {
          return callable(static_cast<decltype(arguments)&&>(arguments)...);
        },
        context, type, values);
  }
};
template <typename F, typename R, typename... As>
struct HostThunkFor<F, Signature<R, const Caller&, As...>> : ThunkFor<Signature<R, As...>> {
  static constexpr bool TAKES_CALLER = true;
  template <typename Cx>
  static void run(F& callable, const Caller& caller, Cx& context, const FuncType& type,
                  RawValue* values) {
    ThunkFor<Signature<R, As...>>::run(
        [&](auto&&... arguments) -> decltype(auto) {
          return callable(caller, static_cast<decltype(arguments)&&>(arguments)...);
        },
        context, type, values);
  }
};
template <typename F, typename R, typename First, typename... As>
  requires std::derived_from<First, Context>
struct HostThunkFor<F, Signature<R, First&, As...>> : ThunkFor<Signature<R, As...>> {
  static constexpr bool TAKES_CALLER = false;
  template <typename Cx>
  static void run(F& callable, Cx& context, const FuncType& type, RawValue* values) {
    static_assert(std::derived_from<Cx, First>, "the caller has no such Context");
    ThunkFor<Signature<R, As...>>::run(
        [&](auto&&... arguments) -> decltype(auto) {
          return callable(static_cast<First&>(context),
                          static_cast<decltype(arguments)&&>(arguments)...);
        },
        context, type, values);
  }
};

template <typename T>
Result<T> await(Waiter& waiter, Pending<T> pending) {
  if constexpr (!std::is_void_v<T>) {
    static_assert(!Abi<T>::IS_VIEW, "what comes later must own its content");
  }
  return waiter.wait(std::move(pending));
}

// A callable that returns a Pending: for the guest it is one that returns the Result.
template <typename F, typename T, typename... As>
struct HostThunkFor<F, Signature<Pending<T>, As...>> : ThunkFor<Signature<Result<T>, As...>> {
  static void run(F& callable, const Caller&, Waiter& waiter, Context& context,
                  const FuncType& type, RawValue* values) {
    ThunkFor<Signature<Result<T>, As...>>::run(
        [&](auto&&... arguments) {
          return await(waiter, callable(static_cast<decltype(arguments)&&>(arguments)...));
        },
        context, type, values);
  }
};
template <typename F, typename T, typename... As>
struct HostThunkFor<F, Signature<Pending<T>, const Caller&, As...>>
    : ThunkFor<Signature<Result<T>, As...>> {
  static void run(F& callable, const Caller& caller, Waiter& waiter, Context& context,
                  const FuncType& type, RawValue* values) {
    ThunkFor<Signature<Result<T>, As...>>::run(
        [&](auto&&... arguments) {
          return await(waiter, callable(caller, static_cast<decltype(arguments)&&>(arguments)...));
        },
        context, type, values);
  }
};

}  // namespace abi::detail

// A C++ callable as host function. `F` is a function pointer or a class with one `operator()`. It
// takes values, const references or views (<tenon/abi/lists.h>), may take a `const Caller&` or a
// Context as first parameter, and returns a value, nothing, or a `Result` of these, whose Error
// fails the guest's call. A returned view may point into what was passed: it is copied before the
// guest runs. Or it returns a Pending, and the guest waits.
template <typename F>
class HostThunk {
  using Signature = typename abi::detail::SignatureOf<std::remove_cvref_t<F>>::type;
  using Impl = abi::detail::HostThunkFor<F, Signature>;

 public:
  // Whether it returns a Pending: then `invokeWaiting` is the only way to call it.
  static constexpr bool WAITS = abi::detail::RETURNS_PENDING<Signature>;

  // Compares with the type that the guest imports. False: `match.difference` says why.
  static bool matches(const FuncType& type, TypeMatch& match) { return Impl::matches(type, match); }

  // Lifts the parameters, runs the callable, lowers the result. `values` are the core function's:
  // in, the flat parameters; out, the flat results. `type` must have matched. `Cx` is abi::Context
  // or derived from it. The callable must not throw, unless the caller catches. Not for callables
  // that take the Caller.
  template <typename Cx>
  static void run(F& callable, Cx& context, const FuncType& type, RawValue* values) {
    Impl::run(callable, context, type, values);
  }

  // The same with everything erased; for every callable.
  static void invoke(void* callable, const Caller& caller, abi::Context& context,
                     const FuncType& type, RawValue* values) {
    if constexpr (Impl::TAKES_CALLER) {
      Impl::run(*static_cast<F*>(callable), caller, context, type, values);
    } else {
      Impl::run(*static_cast<F*>(callable), context, type, values);
    }
  }
  // On a fiber, where the waiter suspends the guest if it must.
  static void invokeWaiting(void* callable, const Caller& caller, abi::Waiter& waiter,
                            abi::Context& context, const FuncType& type, RawValue* values) {
    Impl::run(*static_cast<F*>(callable), caller, waiter, context, type, values);
  }
};

}  // namespace tenon
