#include "host/linker.h"

#include "call/guarded.h"
#include "call/registry.h"
#include "component/abi/dynamic.h"
#include "host/component.h"
#include "host/engine.h"
#include "host/pending.h"
#include "host/prepared.h"
#include "host/workload.h"
#include "transport/errors.h"
#include "wasi/wasi.h"

#include <tenon/linker.h>

#include <functional>
#include <map>
#include <type_traits>
#include <utility>

namespace tenon {
namespace {

// An embedder's callable, with what calls it. Its `invoke` may throw although it must not: that is
// caught, because no exception may pass WebAssembly frames.
struct Closure {
  void (*invoke)(void* callable, const Caller& caller, abi::Context& context, const FuncType& type,
                 RawValue* values);
  std::shared_ptr<void> callable;

  static constexpr call::Blocking BLOCKING = call::Blocking::NEVER;
  static void run(void* closure, call::HostCall& call, RawValue* values) noexcept {
    auto& self = *static_cast<Closure*>(closure);
    call::guarded(call, [&] {
      self.invoke(self.callable.get(), Caller(call.part), call, call.type, values);
    });
  }
};

// The same for a callable that may make the guest wait.
struct WaitingClosure {
  void (*invoke)(void* callable, const Caller& caller, abi::Waiter& waiter, abi::Context& context,
                 const FuncType& type, RawValue* values);
  std::shared_ptr<void> callable;

  static constexpr call::Blocking BLOCKING = call::Blocking::MAY_BLOCK;
  static void run(void* closure, call::HostCall& call, RawValue* values) noexcept {
    auto& self = *static_cast<WaitingClosure*>(closure);
    call::guarded(call, [&] {
      host::HostWaiter waiter(call);
      self.invoke(self.callable.get(), Caller(call.part), waiter, call, call.type, values);
    });
  }
};

template <typename Closure>
call::HostFunction hostFunction(Closure closure) {
  return {.function = &Closure::run,
          .closure = std::make_shared<Closure>(std::move(closure)),
          .blocking = Closure::BLOCKING,
          .mismatch = {}};
}

// A callable with dynamic values: one of Linker's four.
template <typename Callable>
struct DynamicClosure {
  FunctionInfo info;
  Callable callable;

  static void invoke(void* self, const Caller& caller, abi::Context& context, const FuncType& type,
                     RawValue* values) {
    run(self, caller, context, type, values,
        [](Result<std::vector<Value>> results) { return results; });
  }
  static void invokeWaiting(void* self, const Caller& caller, abi::Waiter& waiter,
                            abi::Context& context, const FuncType& type, RawValue* values) {
    run(self, caller, context, type, values,
        [&](Pending<std::vector<Value>> pending) { return waiter.wait(std::move(pending)); });
  }

 private:
  // `resultsOf` makes results of what the callable returns.
  template <typename ResultsOf>
  static void run(void* self, const Caller& caller, abi::Context& context, const FuncType& type,
                  RawValue* values, const ResultsOf& resultsOf) {
    auto& closure = *static_cast<DynamicClosure*>(self);
    std::vector<Value> arguments = abi::liftParams(context, type, values);
    if (context.failed()) return;
    FunctionInfo info = closure.info;
    info.type = type;
    info.component = caller.component();
    auto results = [&] {
      if constexpr (std::is_invocable_v<Callable&, const Caller&, FunctionInfo&,
                                        std::vector<Value>>) {
        return resultsOf(closure.callable(caller, info, std::move(arguments)));
      } else {
        return resultsOf(closure.callable(info, std::move(arguments)));
      }
    }();
    if (!results) return context.failWith(std::move(results).error());
    if (results->size() != (type.result ? 1 : 0)) {
      return context.fail("the host function returned another number of results than it has");
    }
    if (type.result) {
      auto fits = abi::checkValue(*type.result, (*results)[0], "result", context.handles);
      if (!fits) return context.failWith(std::move(fits).error());
    }
    abi::lowerResult(context, type, type.result ? &(*results)[0] : nullptr, values);
  }
};

// A handle's number means something to the functions of its own resource only. So each C++ class of
// the typed functions must stand for one resource in all of a component's imports, and for one that
// the host provides.
Result<void> checkResources(const run::Linked& linked, const host::LinkerState& state) {
  const component::Program& program = linked.program();
  std::map<const void*, uint32_t> resourceOf;
  std::map<uint32_t, const void*> tagOf;
  for (const component::ImportedFunction& import : program.imports) {
    auto typed = state.typed.find({call::canonicalInterface(import.interface), import.name});
    if (typed == state.typed.end()) continue;
    TypeMatch match;
    typed->second(import.type, match);
    for (const ResourceUse& use : match.resources) {
      uint32_t resource = linked.canonicalResource(use.resource);
      bool fits = program.resources[resource].imported &&
                  resourceOf.try_emplace(use.tag, resource).first->second == resource &&
                  tagOf.try_emplace(resource, use.tag).first->second == use.tag;
      if (fits) continue;
      return Error(ErrorCode::TYPE_MISMATCH,
                   FunctionInfo{import.interface, import.name, {}}.path() + ": the resource '" +
                       program.resources[resource].name +
                       "' is not the one that the C++ class of its handles stands for");
    }
  }
  return {};
}

}  // namespace

Linker::Linker() : state_(std::make_unique<host::LinkerState>()) {
  transport::provideErrors(state_->registry);
}
Linker::Linker(Linker&&) noexcept = default;
Linker& Linker::operator=(Linker&&) noexcept = default;
Linker::~Linker() = default;

void Linker::wasi() {
  state_->change();
  call::Registry registry;
  wasi::provide(registry);
  state_->registry.merge(registry, wasi::PLUGIN);
}

void host::LinkerState::add(std::string_view interface, std::string_view name,
                            call::HostFunction function,
                            bool (*matches)(const FuncType&, TypeMatch&)) {
  change();
  std::pair key(call::canonicalInterface(interface), std::string(name));
  if (matches) {
    typed[key] = matches;
    function.mismatch = [matches](const FuncType& type) {
      TypeMatch match;
      return matches(type, match) ? std::string() : match.difference;
    };
  } else {
    typed.erase(key);
  }
  registry.add(interface, name, std::move(function));
}

void Linker::add(std::string_view interface, std::string_view name, Invoke invoke,
                 std::shared_ptr<void> callable, Matches matches) {
  state_->add(interface, name, hostFunction(Closure{invoke, std::move(callable)}), matches);
}

void Linker::add(std::string_view interface, std::string_view name, InvokeWaiting invoke,
                 std::shared_ptr<void> callable, Matches matches) {
  state_->add(interface, name, hostFunction(WaitingClosure{invoke, std::move(callable)}), matches);
}

namespace {

template <typename Callable>
std::shared_ptr<DynamicClosure<Callable>> newDynamic(std::string_view interface,
                                                     std::string_view name, Callable callable) {
  return std::make_shared<DynamicClosure<Callable>>(
      FunctionInfo{std::string(interface), std::string(name), {}}, std::move(callable));
}

}  // namespace

void Linker::dynamicFunction(std::string_view interface, std::string_view name,
                             DynamicCallable callable) {
  add(interface, name, &DynamicClosure<DynamicCallable>::invoke,
      newDynamic(interface, name, std::move(callable)), nullptr);
}

void Linker::dynamicFunction(std::string_view interface, std::string_view name,
                             DynamicCallableOfCaller callable) {
  add(interface, name, &DynamicClosure<DynamicCallableOfCaller>::invoke,
      newDynamic(interface, name, std::move(callable)), nullptr);
}

void Linker::dynamicFunction(std::string_view interface, std::string_view name,
                             PendingCallable callable) {
  add(interface, name, &DynamicClosure<PendingCallable>::invokeWaiting,
      newDynamic(interface, name, std::move(callable)), nullptr);
}

void Linker::dynamicFunction(std::string_view interface, std::string_view name,
                             PendingCallableOfCaller callable) {
  add(interface, name, &DynamicClosure<PendingCallableOfCaller>::invokeWaiting,
      newDynamic(interface, name, std::move(callable)), nullptr);
}

void Linker::resource(std::string_view interface, std::string_view name,
                      std::function<void(uint32_t rep)> drop) {
  if (!drop) drop = [](uint32_t) {};
  resource(interface, name, [drop = std::move(drop)](const Caller&, uint32_t rep) { drop(rep); });
}

void Linker::resource(std::string_view interface, std::string_view name,
                      std::function<void(const Caller& owner, uint32_t rep)> drop) {
  state_->change();
  auto dropOf = [drop = std::move(drop)](call::PartContext* owner, uint32_t rep) {
    drop(Caller(owner), rep);
  };
  state_->registry.addResource(interface, {.name = std::string(name), .drop = std::move(dropOf)});
}

Result<std::shared_ptr<const run::Linked>> host::LinkerState::bind(
    const Engine& engine, std::shared_ptr<const run::Executable> executable,
    const run::Linked::FindFunction& others) const {
  TENON_TRY(auto linked, run::Linked::link(EngineState::of(engine).engine, std::move(executable),
                                           registry, others));
  TENON_CHECK(checkResources(*linked, *this));
  return linked;
}

host::LinkerState::Kept& host::LinkerState::keep(const std::shared_ptr<const void>& source) {
  auto known = kept.find(source);
  if (known != kept.end()) return known->second;
  std::erase_if(kept, [](const auto& entry) { return entry.first.expired(); });
  return kept.emplace(source, Kept()).first->second;
}

std::shared_ptr<const host::Planned> host::LinkerState::plan(
    const std::shared_ptr<WorkloadState>& workload) {
  Kept& known = keep(workload);
  if (!known.plan) known.plan = std::make_shared<const Planned>(workload->plan(registry));
  return known.plan;
}

Result<Prepared> Linker::prepare(const Component& component) {
  TENON_TRY(auto prepared, state_->prepare(host::ComponentState::shared(component)));
  return host::PreparedState::wrap(std::move(prepared));
}

Result<Prepared> Linker::prepare(const Workload& workload) {
  TENON_TRY(auto prepared, state_->prepare(host::WorkloadState::shared(workload)));
  return host::PreparedState::wrap(std::move(prepared));
}

Result<Instance> Linker::instantiate(const Component& component, Loop& loop,
                                     const InstanceOptions& options) {
  TENON_TRY(Prepared prepared, prepare(component));
  return prepared.instantiate(loop, options);
}

}  // namespace tenon
