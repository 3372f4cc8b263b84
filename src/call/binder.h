#pragma once

// Makes host functions of plain C++ functions, for a plugin: the parameters and the result are
// WIT's types as <tenon/typed.h> maps them, checked against the guest's import once, when it is
// linked. Two more rules hold here. The first parameter is the HostCall. A parameter `T&` with T a
// HostObject is a `borrow<T>`: the object that the guest's handle stands for, and the call traps if
// it is another kind of object.
//
//   class Context : public PluginState { ... };  // what the plugin keeps for a part
//   Expected<void, StreamError> write(HostCall& call, OutputStream& self,
//                                     std::span<const std::byte> bytes);
//   Binder<Context>(registry, "wasi:io/streams@0.2.12")
//       .function<write>("[method]output-stream.write");
//
// A bound function runs only for parts that have the plugin's state; for others the call traps. It
// must be able to return a default value after it failed: `call.fail(why); return {};`.
//
// Two rules hold for all of them, so that no function has to see to them. What a guest passes by
// value takes at most MAX_LIFTED bytes of the host, texts that are only looked at included: beyond
// that the call traps before the function runs. What the host keeps is charged to the budget of the
// instance, and a call that leaves it overdrawn traps. And an exception of a library (KJ) is the
// error that the function's result can tell, by `errorOf`; it traps only where the result tells
// none. An error type that has one has, in the namespace of the plugin's state or in its own, where
// argument-dependent look-up finds it,
//   E errorOf(HostCall& call, std::string text, ErrorOf<Context, E>);

#include "call/error_of.h"
#include "call/guarded.h"
#include "call/host_call.h"
#include "call/part_context.h"
#include "call/registry.h"

#include <tenon/typed.h>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace tenon::call {

// Bytes of all strings, and of all lists that are no views, in the arguments of one call. More than
// any function has a use for: 64 datagrams, the fields of a message, the pollables of a list.
inline constexpr uint64_t MAX_LIFTED = 8 * 1024 * 1024;

// Whether the result carries an error that has an `errorOf`; others trap.
template <typename State, typename R>
concept TellsFailures = requires(HostCall& call, std::string text) {
  typename R::Err;
  R(Unexpected{errorOf(call, std::move(text), ErrorOf<State, typename R::Err>())});
};

namespace detail {

// How a declared parameter arrives: `Wire` is what crosses the ABI.
template <typename P>
struct Passed {
  using Wire = P;
  static bool exists(HostCall&, const std::remove_reference_t<P>&) { return true; }
  static P&& unwrap(HostCall&, std::remove_reference_t<P>& wire) { return static_cast<P&&>(wire); }
};
template <typename T>
  requires std::derived_from<T, HostObject>
struct Passed<T&> {
  using Wire = Borrow<T>;
  static bool exists(HostCall& call, Wire wire) {
    return call.objects.find<T>(wire.rep) != nullptr;
  }
  static T& unwrap(HostCall& call, Wire wire) { return *call.objects.find<T>(wire.rep); }
};

// What an exception says, for a trap.
std::string describe(const std::exception_ptr& exception);
// Whether it is a failure of a library, and not the end of the call.
bool isFailure(const std::exception_ptr& exception);

// FUNCTION with what crosses the ABI as parameters.
template <typename State, auto FUNCTION, typename Signature>
struct Adapter;
template <typename State, auto FUNCTION, typename R, typename... As>
struct Adapter<State, FUNCTION, abi::detail::Signature<R, HostCall&, As...>> {
  static R run(HostCall& call, typename Passed<As>::Wire... wires) {
    if (!call.part || !call.part->find<State>()) {
      call.fail("the part that calls was given nothing of what provides the function");
      return R();
    }
    if (!(true && ... && Passed<As>::exists(call, wires))) {
      call.fail("a handle does not stand for the resource that the function takes");
      return R();
    }
    if constexpr (TellsFailures<State, R>) {
      std::exception_ptr failure;
      try {
        return FUNCTION(call, Passed<As>::unwrap(call, wires)...);
      } catch (...) {
        failure = std::current_exception();
      }
      if (!isFailure(failure)) std::rethrow_exception(failure);
      return R(Unexpected{errorOf(call, describe(failure), ErrorOf<State, typename R::Err>())});
    } else {
      return FUNCTION(call, Passed<As>::unwrap(call, wires)...);
    }
  }
};

template <typename State, auto FUNCTION>
struct Bound {
  using Signature = typename abi::detail::SignatureOf<decltype(FUNCTION)>::type;
  using Thunk = HostThunk<decltype(&Adapter<State, FUNCTION, Signature>::run)>;

  static void run(void*, HostCall& call, RawValue* values) noexcept {
    std::exception_ptr failure;
    call.budget = std::min(call.budget, MAX_LIFTED);
    try {
      auto* function = &Adapter<State, FUNCTION, Signature>::run;
      Thunk::run(function, call, call.type, values);
    } catch (...) {
      failure = std::current_exception();
    }
    if (failure) guarded(call, [&] { call.trap(describe(failure)); });
    // Some of it came from outside, or is only known afterwards: what one call adds is bounded.
    if (call.objects.overdrawn()) {
      call.fail("what the host keeps for the instance takes more memory than it may use");
    }
  }
  static std::string mismatch(const FuncType& type) {
    TypeMatch match;
    return Thunk::matches(type, match) ? std::string() : std::move(match.difference);
  }
};

}  // namespace detail

// Adds the functions of one interface to a registry. `State`: what the plugin keeps for a part.
// Must not outlive its arguments.
template <std::derived_from<PluginState> State>
class Binder {
 public:
  Binder(Registry& registry, std::string_view interface)
      : registry_(registry), interface_(interface) {}

  // A resource type whose objects are HostObjects.
  Binder& resource(std::string_view name) {
    registry_.addResource(interface_, {.name = std::string(name), .drop = nullptr});
    return *this;
  }
  // A function that never waits.
  template <auto FUNCTION>
  Binder& function(std::string_view name) {
    return add<FUNCTION>(name, Blocking::NEVER);
  }
  // A function that may wait.
  template <auto FUNCTION>
  Binder& blocking(std::string_view name) {
    return add<FUNCTION>(name, Blocking::MAY_BLOCK);
  }

 private:
  template <auto FUNCTION>
  Binder& add(std::string_view name, Blocking blocking) {
    using Bound = detail::Bound<State, FUNCTION>;
    registry_.add(interface_, name,
                  {.function = Bound::run,
                   .closure = nullptr,
                   .blocking = blocking,
                   .mismatch = Bound::mismatch});
    return *this;
  }

  Registry& registry_;
  std::string_view interface_;
};

// Gives the guest an object. `T` is the class that functions look it up by. Fails the call when the
// store holds too many.
template <typename T>
Own<T> give(HostCall& call, std::unique_ptr<T> object) {
  uint32_t rep = call.objects.add<T>(std::move(object));
  if (rep == 0) call.fail("the instance holds too many host resources");
  return {rep};
}

}  // namespace tenon::call
