#pragma once

// What a host gives to components: WASI, and functions of the embedder's own.

#include <tenon/component.h>
#include <tenon/engine.h>
#include <tenon/instance.h>
#include <tenon/result.h>
#include <tenon/typed.h>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tenon {

namespace host {
struct LinkerState;
}  // namespace host

// Fill it, then instantiate with it as often as wanted. Not thread-safe while it is filled; each thread that
// instantiates wants a copy or its own.
class Linker {
 public:
  Linker();
  Linker(Linker&&) noexcept;
  Linker& operator=(Linker&&) noexcept;
  ~Linker();

  // Provides WASI 0.2; what a component may do with it is up to InstanceOptions::wasi.
  void wasi();

  // Provides one function. `callable` takes and returns the C++ forms of the component's types
  // (<tenon/typed.h>); views among its parameters point into the guest's memory and live during the call. It
  // is called on the instance's thread, must not throw, and must not call into the same instance. The types
  // are checked when a component is instantiated that imports it.
  template <typename Callable>
  void function(std::string_view interface, std::string_view name, Callable callable);

  // The same with values whose types are known at run time only; serves any type. `callable` returns none or
  // one result; an Error becomes the guest's trap.
  using DynamicCallable = std::function<Result<std::vector<Value>>(const FunctionInfo& function,
                                                                   std::vector<Value> arguments)>;
  void dynamicFunction(std::string_view interface, std::string_view name, DynamicCallable callable);

  // Provides a resource type. Its handles carry a number (`rep`) that the embedder's functions give out as
  // Own<...> and get back as Own or Borrow; `drop` is called when the guest drops the last owning handle.
  void resource(std::string_view interface, std::string_view name,
                std::function<void(uint32_t rep)> drop);

  // Errors: MISSING_IMPORT (all of them at once, each with its type and what is provided under a similar
  // name), TYPE_MISMATCH; as Component::compile; TRAPPED when a start function traps; LIMIT_EXCEEDED.
  Result<Instance> instantiate(const Component& component, Loop& loop,
                               const InstanceOptions& options = {});

 private:
  using Invoke = void (*)(void* callable, abi::Context& context, const FuncType& type,
                          RawValue* values);
  void add(std::string_view interface, std::string_view name, Invoke invoke,
           std::shared_ptr<void> callable, std::function<std::string(const FuncType&)> mismatch);
  std::unique_ptr<host::LinkerState> state_;
};

template <typename Callable>
void Linker::function(std::string_view interface, std::string_view name, Callable callable) {
  using Thunk = HostThunk<Callable>;
  add(interface, name, &Thunk::invoke, std::make_shared<Callable>(std::move(callable)),
      [](const FuncType& type) {
        TypeMatch match;
        return Thunk::matches(type, match) ? std::string() : match.difference;
      });
}

}  // namespace tenon
