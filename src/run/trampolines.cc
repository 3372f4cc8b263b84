#include "run/trampolines.h"

#include "call/host_call.h"
#include "component/fuse/control.h"
#include "engine/fiber.h"
#include "run/blame.h"
#include "run/caller.h"
#include "run/crossing.h"
#include "run/instance.h"
#include "run/linked.h"

#include <string>
#include <utility>

namespace tenon::run {
namespace {

using component::CanonKind;
using component::Trampoline;

// What every callback starts from.
struct Arrival {
  const Binding& binding;
  const Trampoline& trampoline;
  engine::Store& store;
  Instance& instance;

  Arrival(void* environment, wasmtime_caller_t* caller)
      : binding(*static_cast<const Binding*>(environment)),
        trampoline(*binding.trampoline),
        store(engine::Store::from(caller)),
        instance(*static_cast<Instance*>(store.owner)) {}

  // `culprit`: the component instance that broke a rule; without one it is who called.
  wasm_trap_t* trap(std::string_view why) const { return trap(why, trampoline.instance); }
  wasm_trap_t* trap(std::string_view why, uint32_t culprit) const {
    return store.raise(engine::TrapKind::HOST, named(instance.blame(why, culprit)));
  }
  // With the host function's name in front, where one is called.
  std::string named(std::string why) const {
    if (trampoline.kind != Trampoline::Kind::LOWER_IMPORT) return why;
    return pathOf(instance.program().imports[trampoline.import]) + ": " + why;
  }

  // Null if the call may go on. Source: definitions.py, `trap_if(not inst.may_leave)`.
  wasm_trap_t* refuse() const {
    if (trampoline.lateBound && instance.stepsDone() < trampoline.boundAfter) {
      return store.raise(engine::TrapKind::BAD_CALL,
                         "uninitialized element: the import is not bound yet");
    }
    if (!instance.mayLeave(trampoline.instance)) {
      return trap("cannot leave component instance");
    }
    return nullptr;
  }

  ComponentInstance& component() const { return instance.component(trampoline.instance); }
};

RawValue* rawValues(wasmtime_val_raw_t* values) { return reinterpret_cast<RawValue*>(values); }

// -- Lowered imports ------------------------------------------------------------------------------

// A host function's call, as the guest made it.
class ImportCall final : public Crossing<call::HostCall> {
 public:
  ImportCall(CrossingState& state, const Arrival& arrival)
      : Crossing(state,
                 arrival.binding.usesMemory ? state.instance.memory(state.options.memory)
                                            : GuestMemory(),
                 state.options.encoding, state.instance.part(arrival.binding.part),
                 state.instance.objects(), arrival.trampoline.type),
        arrival_(arrival) {
    handles = &state.instance.handles();
    budget = state.instance.options().liftBudget;
  }

  bool suspend() override {
    if (failed()) return false;
    engine::Store& store = arrival_.store;
    if (!engine::block(store)) {
      if (store.hasTrap()) {
        engine::Trap why = store.takeTrap();
        // Where nothing can wait, it says who wanted to.
        if (why.kind == engine::TrapKind::HOST) why.message = arrival_.named(why.message);
        raise(std::move(why));
      }
      fail("the call was cancelled or cannot wait here");
      return false;
    }
    memory = state_.instance.memory(state_.options.memory);
    return true;
  }

  void wake() override {
    if (engine::Fiber* fiber = arrival_.store.fiber()) fiber->wake();
  }

  void exit(int code) override {
    raise(engine::Trap::exit(code));
    fail("the guest exited");
  }

  void trap(std::string message) override {
    engine::Trap trap;
    trap.kind = engine::TrapKind::HOST;
    trap.message = arrival_.named(std::move(message));
    raise(std::move(trap));
    fail("the host refused");
  }

  Instance& caller() const { return arrival_.instance; }
  void end(engine::Trap trap) {
    raise(std::move(trap));
    fail("the call ends");
  }

  // Null, or what the callback must return.
  wasm_trap_t* finish() {
    // What the host did may have run the guest: a handle that it dropped, a nested call. And it may
    // have taken long.
    engine::Store& store = arrival_.store;
    if (!failed()) return store.settled([&] { return arrival_.named(""); });
    if (store.hasTrap()) return store.rethrow();
    // The host function's own words, or a rule that the guest broke.
    if (error()) return store.raise(engine::TrapKind::HOST, arrival_.named(failure()));
    return arrival_.trap(failure());
  }

 private:
  void raise(engine::Trap trap) {
    engine::Store& store = arrival_.store;
    if (!store.hasTrap()) wasm_trap_delete(store.raise(std::move(trap)));
  }

  const Arrival& arrival_;
};

wasm_trap_t* onImport(void* environment, wasmtime_caller_t* caller, wasmtime_val_raw_t* values,
                      size_t) {
  Arrival arrival(environment, caller);
  if (wasm_trap_t* refused = arrival.refuse()) return refused;
  CrossingState state(arrival.instance, arrival.trampoline.options, nullptr);
  ImportCall call(state, arrival);
  arrival.binding.function(arrival.binding.closure, call, rawValues(values));
  return call.finish();
}

}  // namespace

Instance& callerOf(call::HostCall& call) { return static_cast<ImportCall&>(call).caller(); }

void endCall(call::HostCall& call, engine::TrapKind due) {
  engine::Trap trap;
  trap.kind = due;
  trap.message = engine::Store::messageOf(due);
  static_cast<ImportCall&>(call).end(std::move(trap));
}

namespace {

// -- Resources ------------------------------------------------------------------------------------
// Source: CanonicalABI.md `canon resource.new`, `resource.rep`, `resource.drop`.

uint32_t canonical(const Arrival& arrival) {
  return arrival.binding.linked->canonicalResource(arrival.trampoline.resource);
}

wasm_trap_t* onResourceNew(void* environment, wasmtime_caller_t* caller, wasmtime_val_raw_t* values,
                           size_t) {
  Arrival arrival(environment, caller);
  if (wasm_trap_t* refused = arrival.refuse()) return refused;
  uint32_t index = arrival.component().handles.add({.kind = call::HandleKind::OWN,
                                                    .resource = canonical(arrival),
                                                    .rep = rawValues(values)[0].i32});
  if (index == 0) return arrival.trap("the instance has too many handles");
  rawValues(values)[0].i32 = index;
  return nullptr;
}

wasm_trap_t* onResourceRep(void* environment, wasmtime_caller_t* caller, wasmtime_val_raw_t* values,
                           size_t) {
  Arrival arrival(environment, caller);
  call::Handle* handle = nullptr;
  if (const char* failure = checkHandle(arrival.component().handles, canonical(arrival),
                                        rawValues(values)[0].i32, handle)) {
    return arrival.trap(failure);
  }
  rawValues(values)[0].i32 = handle->rep;
  return nullptr;
}

wasm_trap_t* onResourceDrop(void* environment, wasmtime_caller_t* caller,
                            wasmtime_val_raw_t* values, size_t) {
  Arrival arrival(environment, caller);
  if (wasm_trap_t* refused = arrival.refuse()) return refused;
  uint32_t index = rawValues(values)[0].i32;
  call::HandleTable& handles = arrival.component().handles;
  call::Handle* handle = nullptr;
  if (const char* failure = checkHandle(handles, canonical(arrival), index, handle)) {
    return arrival.trap(failure);
  }
  if (handle->lends != 0) return arrival.trap("cannot remove owned resource while borrowed");
  call::Handle dropped = *handle;
  handles.remove(index);
  if (dropped.kind == call::HandleKind::BORROW) {
    --dropped.scope->borrows;
    return nullptr;
  }
  bool ok = arrival.instance.dropResource(arrival.trampoline.resource, dropped.rep,
                                          arrival.instance.partOf(arrival.trampoline.instance));
  return ok ? arrival.store.settled([] { return std::string(); }) : arrival.store.rethrow();
}

// -- Task, context and waitable built-ins, for the case in which nothing is asynchronous ----------

wasm_trap_t* onContextGet(void* environment, wasmtime_caller_t* caller, wasmtime_val_raw_t* values,
                          size_t) {
  Arrival arrival(environment, caller);
  rawValues(values)[0].i64 =
      arrival.instance.context(arrival.trampoline.instance, arrival.trampoline.contextSlot & 1);
  return nullptr;
}

wasm_trap_t* onContextSet(void* environment, wasmtime_caller_t* caller, wasmtime_val_raw_t* values,
                          size_t) {
  Arrival arrival(environment, caller);
  uint64_t value = arrival.trampoline.contextType == CoreType::I32
                       ? uint64_t{rawValues(values)[0].i32}
                       : rawValues(values)[0].i64;
  arrival.instance.setContext(arrival.trampoline.instance, arrival.trampoline.contextSlot & 1,
                              value);
  return nullptr;
}

wasm_trap_t* onBackpressure(void* environment, wasmtime_caller_t* caller, wasmtime_val_raw_t*,
                            size_t) {
  Arrival arrival(environment, caller);
  uint32_t& count = arrival.component().backpressure;
  if (arrival.trampoline.canon == CanonKind::BACKPRESSURE_INC) {
    if (++count == 0x10000) return arrival.trap("backpressure counter overflow");
  } else {
    if (count == 0) return arrival.trap("backpressure counter underflow");
    --count;
  }
  return nullptr;
}

// A synchronous task can neither return early nor be cancelled.
wasm_trap_t* onTaskReturn(void* environment, wasmtime_caller_t* caller, wasmtime_val_raw_t*,
                          size_t) {
  Arrival arrival(environment, caller);
  if (wasm_trap_t* refused = arrival.refuse()) return refused;
  return arrival.trap(std::string(toString(arrival.trampoline.canon)) +
                      " in a task that was not lifted asynchronously");
}

wasm_trap_t* onWaitableSetNew(void* environment, wasmtime_caller_t* caller,
                              wasmtime_val_raw_t* values, size_t) {
  Arrival arrival(environment, caller);
  if (wasm_trap_t* refused = arrival.refuse()) return refused;
  uint32_t index = arrival.component().handles.add({.kind = call::HandleKind::WAITABLE_SET});
  if (index == 0) return arrival.trap("the instance has too many handles");
  rawValues(values)[0].i32 = index;
  return nullptr;
}

bool isWaitableSet(const Arrival& arrival, uint32_t index) {
  call::Handle* handle = arrival.component().handles.find(index);
  return handle && handle->kind == call::HandleKind::WAITABLE_SET;
}

wasm_trap_t* onWaitableSetDrop(void* environment, wasmtime_caller_t* caller,
                               wasmtime_val_raw_t* values, size_t) {
  Arrival arrival(environment, caller);
  if (wasm_trap_t* refused = arrival.refuse()) return refused;
  uint32_t index = rawValues(values)[0].i32;
  if (!isWaitableSet(arrival, index)) return arrival.trap("the handle is not a waitable set");
  arrival.component().handles.remove(index);
  return nullptr;
}

// Nothing can be in a set, because nothing here makes a waitable: polling finds no event.
wasm_trap_t* onWaitableSetPoll(void* environment, wasmtime_caller_t* caller,
                               wasmtime_val_raw_t* values, size_t) {
  Arrival arrival(environment, caller);
  if (wasm_trap_t* refused = arrival.refuse()) return refused;
  if (!isWaitableSet(arrival, rawValues(values)[0].i32)) {
    return arrival.trap("the handle is not a waitable set");
  }
  if (arrival.trampoline.canon == CanonKind::WAITABLE_SET_WAIT) {
    return arrival.trap("deadlock: waiting for a set that nothing can be in");
  }
  uint32_t pointer = rawValues(values)[1].i32;
  GuestMemory memory = arrival.instance.memory(arrival.trampoline.options.memory);
  if (pointer % 4 != 0) return arrival.trap("pointer not aligned");
  if (!memory.contains(pointer, 8) || !memory.store(pointer, uint32_t{0}) ||
      !memory.store(uint64_t{pointer} + 4, uint32_t{0})) {
    return arrival.trap("pointer out of bounds of memory");
  }
  rawValues(values)[0].i32 = 0;
  return nullptr;
}

wasm_trap_t* onThreadYield(void* environment, wasmtime_caller_t* caller, wasmtime_val_raw_t* values,
                           size_t) {
  Arrival arrival(environment, caller);
  if (wasm_trap_t* refused = arrival.refuse()) return refused;
  rawValues(values)[0].i32 = 0;  // not cancelled
  return nullptr;
}

// -- For adapters ---------------------------------------------------------------------------------
// Source: CanonicalABI.md `lift_own`, `lift_borrow`, `lower_own`, `lower_borrow`; control.h. The
// tables are those of the trampoline's `instance` (from) and `target` (to).

call::HandleTable& targetHandles(const Arrival& arrival) {
  return arrival.instance.component(arrival.trampoline.target).handles;
}

// Adds a handle for the target, and puts its index into `values`.
wasm_trap_t* giveHandle(const Arrival& arrival, const call::Handle& handle, RawValue* values) {
  uint32_t index = targetHandles(arrival).add(handle);
  if (index == 0) {
    return arrival.trap("the instance has too many handles", arrival.trampoline.target);
  }
  values[0].i32 = index;
  return nullptr;
}

wasm_trap_t* onTrap(void* environment, wasmtime_caller_t* caller, wasmtime_val_raw_t* values,
                    size_t) {
  Arrival arrival(environment, caller);
  auto code = static_cast<component::control::TrapCode>(rawValues(values)[0].i32);
  return arrival.trap(toString(code), rawValues(values)[1].i32);
}

wasm_trap_t* onTransferOwn(void* environment, wasmtime_caller_t* caller, wasmtime_val_raw_t* values,
                           size_t) {
  Arrival arrival(environment, caller);
  uint32_t rep = 0;
  if (const char* failure = takeOwned(arrival.component().handles, canonical(arrival),
                                      rawValues(values)[0].i32, rep)) {
    return arrival.trap(failure);
  }
  return giveHandle(arrival,
                    {.kind = call::HandleKind::OWN, .resource = canonical(arrival), .rep = rep},
                    rawValues(values));
}

wasm_trap_t* onTransferBorrow(void* environment, wasmtime_caller_t* caller,
                              wasmtime_val_raw_t* values, size_t) {
  Arrival arrival(environment, caller);
  uint32_t index = rawValues(values)[0].i32;
  call::HandleTable& handles = arrival.component().handles;
  call::Handle* handle = nullptr;
  if (const char* failure = checkHandle(handles, canonical(arrival), index, handle)) {
    return arrival.trap(failure);
  }
  uint32_t rep = handle->rep;
  FusedCall& call = arrival.instance.task().fusedCalls().back();
  if (!call.lends.add(handles, index)) return arrival.trap("the call lends too many handles");
  const auto& resources = arrival.instance.program().resources;
  if (resources[arrival.trampoline.resource].instance == arrival.trampoline.target) {
    rawValues(values)[0].i32 = rep;
    return nullptr;
  }
  ++call.borrows.borrows;
  return giveHandle(arrival,
                    {.kind = call::HandleKind::BORROW,
                     .resource = canonical(arrival),
                     .rep = rep,
                     .scope = &call.borrows},
                    rawValues(values));
}

wasm_trap_t* onLend(void* environment, wasmtime_caller_t* caller, wasmtime_val_raw_t* values,
                    size_t) {
  Arrival arrival(environment, caller);
  call::Handle* handle = nullptr;
  if (const char* failure = checkHandle(arrival.component().handles, canonical(arrival),
                                        rawValues(values)[0].i32, handle)) {
    return arrival.trap(failure);
  }
  ++handle->lends;
  rawValues(values)[0].i32 = handle->rep;
  return nullptr;
}

wasm_trap_t* onUnlend(void* environment, wasmtime_caller_t* caller, wasmtime_val_raw_t* values,
                      size_t) {
  Arrival arrival(environment, caller);
  --arrival.component().handles.find(rawValues(values)[0].i32)->lends;
  return nullptr;
}

wasm_trap_t* onEnterCall(void* environment, wasmtime_caller_t* caller, wasmtime_val_raw_t*,
                         size_t) {
  Arrival arrival(environment, caller);
  arrival.instance.task().fusedCalls().emplace_back();
  return nullptr;
}

wasm_trap_t* onExitCall(void* environment, wasmtime_caller_t* caller, wasmtime_val_raw_t*, size_t) {
  Arrival arrival(environment, caller);
  FusedCall& call = arrival.instance.task().fusedCalls().back();
  if (call.borrows.borrows != 0) {
    return arrival.trap("borrow handles still remain at the end of the call",
                        arrival.trampoline.target);
  }
  call.lends.release(arrival.component().handles);
  arrival.instance.task().fusedCalls().pop_back();
  return nullptr;
}

// Operations on a kind of handle that cannot exist yet: there is no such handle.
wasm_trap_t* onNoSuchHandle(void* environment, wasmtime_caller_t* caller, wasmtime_val_raw_t*,
                            size_t) {
  Arrival arrival(environment, caller);
  if (wasm_trap_t* refused = arrival.refuse()) return refused;
  return arrival.trap(std::string(toString(arrival.trampoline.canon)) + ": unknown handle index");
}

wasm_trap_t* onUnsupported(void* environment, wasmtime_caller_t* caller, wasmtime_val_raw_t*,
                           size_t) {
  Arrival arrival(environment, caller);
  const Trampoline& trampoline = arrival.trampoline;
  bool isBuiltin =
      trampoline.kind == Trampoline::Kind::BUILTIN && trampoline.canon != CanonKind::LOWER;
  std::string what = isBuiltin ? toString(trampoline.canon) : "calls of asynchronous functions";
  return arrival.trap("not supported yet: " + what);
}

// The callback, whatever it throws: there is memory for little at best.
template <engine::HostCallback CALLBACK>
wasm_trap_t* guarded(void* environment, wasmtime_caller_t* caller, wasmtime_val_raw_t* values,
                     size_t count) noexcept {
  try {
    return CALLBACK(environment, caller, values, count);
  } catch (...) {
  }
  return engine::Store::from(caller).raiseNoMemory();
}

engine::HostCallback builtinCallback(CanonKind canon) {
  switch (canon) {
    case CanonKind::CONTEXT_GET:
      return guarded<onContextGet>;
    case CanonKind::CONTEXT_SET:
      return guarded<onContextSet>;
    case CanonKind::BACKPRESSURE_INC:
    case CanonKind::BACKPRESSURE_DEC:
      return guarded<onBackpressure>;
    case CanonKind::TASK_RETURN:
    case CanonKind::TASK_CANCEL:
      return guarded<onTaskReturn>;
    case CanonKind::WAITABLE_SET_NEW:
      return guarded<onWaitableSetNew>;
    case CanonKind::WAITABLE_SET_POLL:
    case CanonKind::WAITABLE_SET_WAIT:
      return guarded<onWaitableSetPoll>;
    case CanonKind::WAITABLE_SET_DROP:
      return guarded<onWaitableSetDrop>;
    case CanonKind::THREAD_YIELD:
      return guarded<onThreadYield>;
    case CanonKind::WAITABLE_JOIN:
    case CanonKind::SUBTASK_CANCEL:
    case CanonKind::SUBTASK_DROP:
      return guarded<onNoSuchHandle>;
    default:
      return guarded<onUnsupported>;
  }
}

}  // namespace

engine::HostCallback callbackFor(const Trampoline& trampoline) {
  switch (trampoline.kind) {
    case Trampoline::Kind::LOWER_IMPORT:
      return trampoline.options.async ? guarded<onUnsupported> : guarded<onImport>;
    case Trampoline::Kind::RESOURCE_NEW:
      return guarded<onResourceNew>;
    case Trampoline::Kind::RESOURCE_REP:
      return guarded<onResourceRep>;
    case Trampoline::Kind::RESOURCE_DROP:
      return guarded<onResourceDrop>;
    case Trampoline::Kind::BUILTIN:
      return builtinCallback(trampoline.canon);
    case Trampoline::Kind::TRAP:
      return guarded<onTrap>;
    case Trampoline::Kind::TRANSFER_OWN:
      return guarded<onTransferOwn>;
    case Trampoline::Kind::TRANSFER_BORROW:
      return guarded<onTransferBorrow>;
    case Trampoline::Kind::LEND:
      return guarded<onLend>;
    case Trampoline::Kind::UNLEND:
      return guarded<onUnlend>;
    case Trampoline::Kind::ENTER_CALL:
      return guarded<onEnterCall>;
    case Trampoline::Kind::EXIT_CALL:
      return guarded<onExitCall>;
    default:
      return guarded<onUnsupported>;
  }
}

}  // namespace tenon::run
