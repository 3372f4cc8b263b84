#pragma once

// What a host gives to components: WASI, and functions of the embedder's own.

#include <tenon/caller.h>
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

// Fill it, then instantiate with it as often as wanted. Bound to one thread at a time: each thread
// that instantiates has its own.
class Linker {
 public:
  Linker();
  Linker(Linker&&) noexcept;
  Linker& operator=(Linker&&) noexcept;
  ~Linker();

  // Provides WASI 0.2; what a component may do with it is up to InstanceOptions::wasi.
  void wasi();

  // Provides one function. `callable` takes and returns the C++ forms of the component's types
  // (<tenon/typed.h>), behind a `const Caller&` if it wants to know who calls; views among its
  // parameters point into the guest's memory and live during the call. It is called on the
  // instance's thread, must not throw, and must not call into the same instance. Its time counts
  // against the call's. The types are checked when a component is instantiated that imports it.
  template <typename Callable>
  void function(std::string_view interface, std::string_view name, Callable callable);

  // The same with values whose types are known at run time only; serves any type. `callable`
  // returns none or one result; an Error becomes the guest's trap.
  using DynamicCallable = std::function<Result<std::vector<Value>>(const FunctionInfo& function,
                                                                   std::vector<Value> arguments)>;
  void dynamicFunction(std::string_view interface, std::string_view name, DynamicCallable callable);
  using DynamicCallableOfCaller = std::function<Result<std::vector<Value>>(
      const Caller& caller, const FunctionInfo& function, std::vector<Value> arguments)>;
  void dynamicFunction(std::string_view interface, std::string_view name,
                       DynamicCallableOfCaller callable);

  // Provides a resource type. Its handles carry a number (`rep`) that the embedder's functions give
  // out as Own<T> and get back as Own<T> or Borrow<T>; `drop` is called when the guest drops the
  // owning handle, or when its instance goes while it has it. One T stands for one resource type: a
  // component in whose imports it would stand for another is refused, so a number comes back to
  // functions of its own resource only.
  void resource(std::string_view interface, std::string_view name,
                std::function<void(uint32_t rep)> drop = {});
  void resource(std::string_view interface, std::string_view name,
                std::function<void(const Caller& owner, uint32_t rep)> drop);

  // Errors: MISSING_IMPORT (all of them at once, each with its type and what is provided under a
  // similar name), TYPE_MISMATCH when all are there but some are of another type; as
  // Component::compile; NOT_FOUND, PERMISSION or IO for a directory that cannot be granted;
  // TRAPPED, DEADLINE or EXITED when a start function does that; LIMIT_EXCEEDED.
  Result<Instance> instantiate(const Component& component, Loop& loop,
                               const InstanceOptions& options = {});

 private:
  friend struct host::LinkerState;
  using Invoke = void (*)(void* callable, const Caller& caller, abi::Context& context,
                          const FuncType& type, RawValue* values);
  using Matches = bool (*)(const FuncType& type, TypeMatch& match);
  // `matches` null: takes any type.
  void add(std::string_view interface, std::string_view name, Invoke invoke,
           std::shared_ptr<void> callable, Matches matches);
  std::unique_ptr<host::LinkerState> state_;
};

template <typename Callable>
void Linker::function(std::string_view interface, std::string_view name, Callable callable) {
  using Thunk = HostThunk<Callable>;
  add(interface, name, &Thunk::invoke, std::make_shared<Callable>(std::move(callable)),
      &Thunk::matches);
}

}  // namespace tenon
