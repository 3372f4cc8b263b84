#pragma once

// A linked component, running: a store with the program's core instances in it, and for each
// component instance its handles and flags. Bound to the thread that made it.
//
// Calls come in through `Instance::call`; guests call out through the trampolines. Both move values
// with a Crossing (crossing.h), on behalf of one component instance.

#include "call/handle_table.h"
#include "call/host_objects.h"
#include "component/program/program.h"
#include "engine/fiber.h"
#include "engine/linker.h"
#include "engine/store.h"
#include "run/linked.h"
#include "run/task.h"

#include <tenon/abi/call_codec.h>
#include <tenon/abi/context.h>
#include <tenon/result.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <vector>

namespace tenon::run {

class Handles;

// A component instance's state. Its may-leave flag and its context storage are in the control
// memory, where adapters see them.
struct ComponentInstance {
  call::HandleTable handles;
  uint32_t backpressure = 0;
};

struct InstanceOptions {
  // Memories, and tables, are besides at most 100, or 10 for each part when that is more.
  engine::StoreLimits limits;
  // Per part: what its host functions get as HostCall::part. May be shorter than the parts there
  // are.
  std::vector<call::PartContext*> parts;
  // The same for what no part does: the host drops a handle that it held. May be null.
  call::PartContext* whole = nullptr;
  // Wall-clock time for instantiation, and for each call.
  std::optional<std::chrono::nanoseconds> timeout;
  uint32_t maxHandles = 1'000'000;  // per component instance
  // Bytes of host memory that lifting the arguments of one host function of an embedder may take;
  // for those of plugins the binder has less (call::MAX_LIFTED).
  uint64_t liftBudget = uint64_t{1} << 30;
};

// What one call may take.
struct CallLimits {
  // In place of InstanceOptions::timeout; nanoseconds::max(): none.
  std::optional<std::chrono::nanoseconds> timeout = {};
  const std::atomic<bool>* stopFlag = nullptr;  // see Store::setStopFlag
};

class Instance {
 public:
  // Runs the program: instantiates every core module, start functions included, on the native
  // stack. Errors: INVALID_ARGUMENT; as `advance`; of a start function TRAPPED, DEADLINE, EXITED.
  static Result<std::unique_ptr<Instance>> create(std::shared_ptr<const Linked> linked,
                                                  InstanceOptions options = {});
  // Runs nothing yet: until `complete`, it can only be instantiated. Errors: INVALID_ARGUMENT.
  static Result<std::unique_ptr<Instance>> make(std::shared_ptr<const Linked> linked,
                                                InstanceOptions options = {});
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  // Instantiates up to the next start function, which must be run then (true), or to the end
  // (false), on the native stack. The first time sets the deadline of it all. Errors, after which
  // the instance is of no use: LIMIT_EXCEEDED; TRAPPED for a segment that does not fit.
  Result<bool> advance();
  // Runs the start function that is next, on whatever stack this is; it may not wait. False: the
  // store has the Trap.
  bool runStart();
  bool complete() const { return stepsDone_ == program().steps.size(); }

  // An exported function, ready to be called. Valid as long as the instance.
  struct Export {
    Instance* instance = nullptr;
    const component::LiftedFunction* lifted = nullptr;
    wasmtime_func_t callee{};
    std::optional<wasmtime_func_t> postReturn;
    uint32_t valueSlots = 1;  // of the flat call: the larger of parameters and results
    uint32_t resultCount = 0;
    bool mayBlock = true;  // a call of it may wait (see Linked), or it is not known yet
  };
  // Errors: UNSUPPORTED for asynchronous functions.
  Result<Export> resolve(const component::LiftedFunction& lifted);

  // What is the same for an export in every instance of the program.
  struct ExportShape {
    const component::LiftedFunction* lifted = nullptr;
    uint32_t valueSlots = 1;
    uint32_t resultCount = 0;
  };
  // Errors: as `resolve`.
  static Result<ExportShape> shapeOf(const component::LiftedFunction& lifted);
  Result<Export> resolve(const ExportShape& shape);

  // Runs one call on whatever stack this is: lower, call, lift, post-return. False: it failed, and
  // the store has the Trap. Calls that may wait (`Export::mayBlock`) need a fiber, or
  // their waits trap.
  bool execute(const Export& function, const abi::CallCodec& codec);

  // Why the last call failed, taken out of the store. It says which component, in a workload.
  engine::Trap takeTrap();

  // Drops what an owning handle stood for: calls the destructor, or drops the host's object.
  // `owner` had the handle. False: it trapped.
  bool dropResource(uint32_t resource, uint32_t rep, call::PartContext* owner);
  // The host lets go of such a handle: drops at once, as part of the call that runs if one does;
  // while a call is suspended, when that ends. Between calls it has a call's time, and a trap only
  // poisons. Runs nothing in a store that is poisoned.
  void giveUp(uint32_t resource, uint32_t rep);

  engine::Store& store() { return store_; }
  const Linked& linked() const { return *linked_; }
  const component::Program& program() const { return linked_->program(); }
  bool mayBlock() const { return linked_->mayBlock(); }
  call::HostObjects& objects() { return objects_; }
  // Makes what the host holds of the guests' resources.
  abi::HandleFactory& handles();
  const InstanceOptions& options() const { return options_; }

  // Bytes of all linear memories that the program's functions use.
  uint64_t memorySize() const;

  // Sets the store's deadline and stop flag for a call that begins now. `endCall` takes the flag
  // out again.
  void beginCall(const CallLimits& limits = {});
  void endCall() { store_.setStopFlag(nullptr); }
  // Whether a call into the instance, or its instantiation, has not ended; suspended or not. Then
  // no other can begin.
  bool inCall() const { return task_.running(); }

  // -- For trampolines and crossings.
  ComponentInstance& component(uint32_t index) { return components_[index]; }
  bool mayLeave(uint32_t index) const;
  void setMayLeave(uint32_t index, bool value);
  // The memory of a slot, as it is now; empty for NONE, and before the slot's instance exists.
  GuestMemory memory(uint32_t slot) const {
    return slot == component::NONE ? GuestMemory() : memories_[slot].view();
  }
  // The function of a slot, looked up at first use; null when its instance does not exist yet.
  const wasmtime_func_t* function(uint32_t slot);
  uint32_t stepsDone() const { return stepsDone_; }
  // Of the call that runs.
  Task& task() { return task_; }
  uint64_t context(uint32_t component, uint32_t slot) const;
  void setContext(uint32_t component, uint32_t slot, uint64_t value);
  // `why`, with the name of the component instance that is to blame when there are several.
  std::string blame(std::string_view why, uint32_t component) const;
  call::PartContext* part(uint32_t index) const {
    return index < options_.parts.size() ? options_.parts[index] : nullptr;
  }
  // The part that component instance `index` belongs to.
  call::PartContext* partOf(uint32_t index) const { return part(program().instances[index].part); }

  // A call into component instance `component`, as the specification's task: it begins with
  // `context` storage of its own, and the caller's comes back when it ends.
  class TaskScope {
   public:
    TaskScope(Instance& instance, uint32_t component);
    ~TaskScope();
    TaskScope(const TaskScope&) = delete;
    TaskScope& operator=(const TaskScope&) = delete;

   private:
    Instance& instance_;
    const uint32_t component_;
    uint64_t before_[2] = {0, 0};
  };

  // Calls a core function as a task of its own: realloc, destructors. False: it trapped.
  bool callCoreAsTask(uint32_t component, const wasmtime_func_t& function,
                      std::span<RawValue> values);

 private:
  Instance(std::shared_ptr<const Linked> linked, InstanceOptions options);
  bool run(const Export& function, const abi::CallCodec& codec);
  bool dropGivenUp();
  Result<wasmtime_instance_t> instantiate(uint32_t step);
  Result<void> finishStep();
  const wasmtime_func_t& hostFunction(uint32_t trampoline);

  struct LazyFunction {
    bool known = false;
    wasmtime_func_t function{};
  };

  std::shared_ptr<const Linked> linked_;
  InstanceOptions options_;
  call::HostObjects objects_;
  engine::Store store_;
  const bool usesContext_;  // see Linked
  std::vector<ComponentInstance> components_;
  std::vector<wasmtime_instance_t> instances_;  // core instances, by step
  std::vector<wasmtime_extern_t> imports_;      // of one step after the other
  std::optional<wasmtime_instance_t> next_;     // of the step whose start function is due
  uint32_t stepsDone_ = 0;                      // start functions included
  bool begun_ = false;
  std::vector<engine::Memory> memories_;        // by slot
  std::vector<LazyFunction> functions_;         // by slot
  std::vector<wasmtime_func_t> hostFunctions_;  // by trampoline; empty until one is needed
  std::vector<std::byte> hostControl_;          // the control memory when the program has none
  GuestMemory control_;
  Task task_;
  std::unique_ptr<Handles> handles_;  // first to go
};

}  // namespace tenon::run
