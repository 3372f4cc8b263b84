#pragma once

// What a host gives to components: WASI, and functions of the embedder's own.

#include <tenon/caller.h>
#include <tenon/component.h>
#include <tenon/engine.h>
#include <tenon/instance.h>
#include <tenon/pending.h>
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

class Prepared;
class Workload;

// Fill it, then prepare or instantiate with it as often as wanted. Bound to one thread at a time;
// what it prepares is for any.
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
  // instance's thread, so on several at once where there are instances on several threads. It must
  // not throw, and must not call into the same instance. Its time counts against the call's. The
  // types are checked when a component is instantiated that imports it. One that returns a Pending
  // (<tenon/pending.h>) makes the guest wait, which a start function and a destructor that the host
  // runs cannot: there it traps, unless the value is there already.
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
  // Those that make the guest wait. `caller` and `function` die when the callable returns.
  using PendingCallable = std::function<Pending<std::vector<Value>>(const FunctionInfo& function,
                                                                    std::vector<Value> arguments)>;
  void dynamicFunction(std::string_view interface, std::string_view name, PendingCallable callable);
  using PendingCallableOfCaller = std::function<Pending<std::vector<Value>>(
      const Caller& caller, const FunctionInfo& function, std::vector<Value> arguments)>;
  void dynamicFunction(std::string_view interface, std::string_view name,
                       PendingCallableOfCaller callable);

  // Provides a resource type. Its handles carry a number (`rep`) that the embedder's functions give
  // out as Own<T> and get back as Own<T> or Borrow<T>; `drop` is called when the guest drops the
  // owning handle, or when its instance goes while it has it. One T stands for one resource type: a
  // component in whose imports it would stand for another is refused, so a number comes back to
  // functions of its own resource only.
  void resource(std::string_view interface, std::string_view name,
                std::function<void(uint32_t rep)> drop = {});
  void resource(std::string_view interface, std::string_view name,
                std::function<void(const Caller& owner, uint32_t rep)> drop);

  // Compiles, unless that has happened or the cache has it, and binds to what this provides now;
  // include <tenon/prepared.h>. The same again while nothing was added costs a look-up. Errors:
  // MISSING_IMPORT (all of them at once, each with its type and what is provided under a similar
  // name), TYPE_MISMATCH when all are there but some are of another type; as Component::compile; of
  // a workload as Workload::compile.
  Result<Prepared> prepare(const Component& component);
  Result<Prepared> prepare(const Workload& workload);

  // `prepare` and Prepared::instantiate in one. Errors: as these.
  Result<Instance> instantiate(const Component& component, Loop& loop,
                               const InstanceOptions& options = {});

 private:
  friend struct host::LinkerState;
  using Invoke = void (*)(void* callable, const Caller& caller, abi::Context& context,
                          const FuncType& type, RawValue* values);
  using InvokeWaiting = void (*)(void* callable, const Caller& caller, abi::Waiter& waiter,
                                 abi::Context& context, const FuncType& type, RawValue* values);
  using Matches = bool (*)(const FuncType& type, TypeMatch& match);
  // `matches` null: takes any type.
  void add(std::string_view interface, std::string_view name, Invoke invoke,
           std::shared_ptr<void> callable, Matches matches);
  void add(std::string_view interface, std::string_view name, InvokeWaiting invoke,
           std::shared_ptr<void> callable, Matches matches);
  std::unique_ptr<host::LinkerState> state_;
};

template <typename Callable>
void Linker::function(std::string_view interface, std::string_view name, Callable callable) {
  using Thunk = HostThunk<Callable>;
  auto shared = std::make_shared<Callable>(std::move(callable));
  if constexpr (Thunk::WAITS) {
    add(interface, name, &Thunk::invokeWaiting, std::move(shared), &Thunk::matches);
  } else {
    add(interface, name, &Thunk::invoke, std::move(shared), &Thunk::matches);
  }
}

}  // namespace tenon
