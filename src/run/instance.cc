#include "run/instance.h"

#include "call/guarded.h"
#include "component/fuse/control.h"
#include "component/types/type_table.h"
#include "run/blame.h"
#include "run/crossing.h"
#include "run/handles.h"

#include <algorithm>
#include <exception>
#include <new>
#include <string>
#include <utility>

namespace tenon::run {

using component::CoreItem;
using component::NONE;

Result<std::unique_ptr<Instance>> Instance::make(std::shared_ptr<const Linked> linked,
                                                 InstanceOptions options) {
  if (options.timeout && !linked->engine()->options().interruptible) {
    return Error(ErrorCode::INVALID_ARGUMENT,
                 "a timeout needs an engine whose guests can be interrupted");
  }
  return std::unique_ptr<Instance>(new Instance(std::move(linked), std::move(options)));
}

Result<std::unique_ptr<Instance>> Instance::create(std::shared_ptr<const Linked> linked,
                                                   InstanceOptions options) {
  TENON_TRY(auto instance, make(std::move(linked), std::move(options)));
  while (true) {
    TENON_TRY(bool starts, instance->advance());
    if (!starts) return instance;
    if (!instance->runStart()) return instance->takeTrap().toError();
  }
}

namespace {

// An empty memory, too, takes 4 GiB of addresses, of which a process has 128 TiB. So a component
// gets more than any that a toolchain makes, and a workload as many as its parts need.
engine::StoreLimits limitsOf(const component::Program& program, engine::StoreLimits limits) {
  constexpr uint32_t LEAST = 100, EACH = 10;
  uint32_t parts = 0;
  for (const component::InstanceInfo& info : program.instances) {
    parts = std::max(parts, info.part + 1);
  }
  uint32_t most = std::max(LEAST, EACH * parts);
  limits.memories = std::min(limits.memories, most);
  limits.tables = std::min(limits.tables, most);
  return limits;
}

// Turns a failed walk into the store's trap, unless a guest trapped inside of it.
bool fail(engine::Store& store, std::string_view why) {
  if (!store.hasTrap()) wasm_trap_delete(store.raise(engine::TrapKind::HOST, why));
  store.poison();
  return false;
}

// Who may use little memory makes the host keep little: a quarter more.
uint64_t hostMemory(const engine::StoreLimits& limits) {
  constexpr uint64_t LEAST = 16 * 1024 * 1024;
  return std::clamp(limits.memoryBytes / 4, LEAST, call::HostObjects::DEFAULT_MEMORY);
}

}  // namespace

Instance::Instance(std::shared_ptr<const Linked> linked, InstanceOptions options)
    : linked_(std::move(linked)),
      options_(std::move(options)),
      objects_(options_.maxHandles, hostMemory(options_.limits)),
      store_(linked_->engine(), this, limitsOf(linked_->program(), options_.limits)),
      usesContext_(linked_->usesContext()) {
  const component::Program& program = this->program();
  components_.reserve(program.instances.size());
  for (size_t i = 0; i < program.instances.size(); ++i) {
    components_.push_back({.handles = call::HandleTable(options_.maxHandles, objects_.budget())});
  }
  instances_.reserve(program.steps.size());
  memories_.resize(program.memories.size());
  functions_.resize(program.functions.size());
  uint32_t count = static_cast<uint32_t>(program.instances.size());
  hostControl_.resize(component::control::usedBytes(count));
  // guest-ok: the host's own memory, until the program has one of its own
  control_ = GuestMemory(hostControl_.data(), hostControl_.size());
  handles_ = std::make_unique<Handles>(*this);
}

Instance::~Instance() {
  // What unwinds uses the instance.
  if (engine::Fiber* fiber = store_.fiber()) fiber->cancel();
  // What the guest still owns of the embedder's resources. No guest code runs any more.
  auto drop = [&](uint32_t resource, uint32_t rep, call::PartContext* owner) {
    const call::HostResource* host = linked_->hostResource(resource);
    if (!host || !host->drop) return;
    try {
      host->drop(owner, rep);
    } catch (...) {
      // Nobody is left to be told.
    }
  };
  for (uint32_t index = 0; index < components_.size(); ++index) {
    components_[index].handles.forEach([&](const call::Handle& handle) {
      if (handle.kind == call::HandleKind::OWN) drop(handle.resource, handle.rep, partOf(index));
    });
  }
  for (auto [resource, rep] : task_.givenUp) drop(resource, rep, options_.whole);
  // A slot of the pool keeps the pages that any guest in it ever wrote, and the engine sets all of
  // them back each time, whoever wrote them. So now and then it starts anew.
  if (store_.engine()->keepsMemory() && linked_->isTurnToGiveBack()) {
    for (const engine::Memory& memory : memories_) memory.giveBack();
  }
}

abi::HandleFactory& Instance::handles() { return *handles_; }

uint64_t Instance::memorySize() const {
  uint64_t bytes = 0;
  for (const engine::Memory& memory : memories_) bytes += memory.view().size();
  return bytes;
}

void Instance::beginCall(const CallLimits& limits) {
  auto timeout = limits.timeout ? limits.timeout : options_.timeout;
  std::optional<engine::Store::Clock::time_point> deadline;
  if (timeout) {
    auto now = engine::Store::Clock::now();
    if (*timeout < engine::Store::Clock::time_point::max() - now) deadline = now + *timeout;
  }
  if (deadline || store_.deadline()) store_.setDeadline(deadline);
  if (limits.stopFlag) store_.setStopFlag(limits.stopFlag);
}

Result<bool> Instance::advance() {
  if (!begun_) {
    begun_ = true;
    task_.begin();
    beginCall();
  }
  const auto& steps = linked_->steps();
  while (stepsDone_ < steps.size()) {
    if (next_) {
      // Its start function has run.
      TENON_CHECK(finishStep());
      continue;
    }
    TENON_TRY(next_, instantiate(stepsDone_));
    if (steps[stepsDone_].start) return true;
    TENON_CHECK(finishStep());
  }
  task_.end();
  return false;
}

engine::Trap Instance::takeTrap() {
  engine::Trap trap = store_.takeTrap();
  nameComponent(program(), trap);
  placeFrames(program(), linked_->executable().starts(), trap);
  return trap;
}

bool Instance::runStart() {
  auto start = linked_->steps()[stepsDone_].start.find(store_, *next_);
  // Its type was checked when the module was compiled.
  if (!start || start->kind != WASMTIME_EXTERN_FUNC) {
    return fail(store_, "the start function is gone");
  }
  RawValue none{};
  return engine::callCore(store_, start->of.func, {&none, 1});
}

Result<wasmtime_instance_t> Instance::instantiate(uint32_t index) {
  const Linked::Step& prepared = linked_->steps()[index];
  if (prepared.pre) return prepared.pre->instantiate(store_);
  imports_.clear();
  imports_.reserve(prepared.imports.size());
  for (const Linked::Import& import : prepared.imports) {
    if (!import.key) {
      imports_.push_back(
          {.kind = WASMTIME_EXTERN_FUNC, .of = {.func = hostFunction(import.index)}});
      continue;
    }
    std::optional<wasmtime_extern_t> item;
    if (import.index < instances_.size()) item = import.key.find(store_, instances_[import.index]);
    if (!item) return Error(ErrorCode::INTERNAL, "a core instance is used before it is made");
    imports_.push_back(*item);
  }
  const engine::Module& module = linked_->executable().modules()[program().steps[index].module];
  return engine::instantiate(store_, module, imports_);
}

// Lets the program see the instance of the step that is due.
Result<void> Instance::finishStep() {
  const Linked::Step& prepared = linked_->steps()[stepsDone_];
  wasmtime_instance_t instance = *std::exchange(next_, std::nullopt);
  instances_.push_back(instance);
  for (uint32_t slot : prepared.memories) {
    TENON_TRY(memories_[slot], engine::exportedMemory(store_, instance, linked_->memoryKey(slot)));
  }
  if (program().control && program().control->index == stepsDone_) {
    TENON_TRY(engine::Memory control,
              engine::exportedMemory(store_, instance, linked_->controlKey()));
    // It neither moves nor grows. Carry over what earlier start functions left.
    GuestMemory before = std::exchange(control_, control.view());
    uint64_t used = component::control::usedBytes(components_.size());
    std::span<std::byte> target = control_.mutableBytes(0, used);
    if (target.size() != used) {
      return Error(ErrorCode::INTERNAL, "the control memory is too small");
    }
    // guest-ok: `target` has `used` bytes
    std::ranges::copy(before.bytes(0, used), target.begin());
  }
  ++stepsDone_;
  return {};
}

// The control memory has a record for every component instance, so these accesses are inside.

bool Instance::mayLeave(uint32_t index) const {
  uint32_t barred = 1;
  return control_.load(component::control::barredOffset(index), barred) && barred == 0;
}

void Instance::setMayLeave(uint32_t index, bool value) {
  (void)control_.store(component::control::barredOffset(index), uint32_t{!value});
}

uint64_t Instance::context(uint32_t component, uint32_t slot) const {
  uint64_t value = 0;
  (void)control_.load(component::control::contextOffset(component, slot), value);
  return value;
}

void Instance::setContext(uint32_t component, uint32_t slot, uint64_t value) {
  (void)control_.store(component::control::contextOffset(component, slot), value);
}

Instance::TaskScope::TaskScope(Instance& instance, uint32_t component)
    : instance_(instance), component_(component) {
  if (!instance_.usesContext_) return;
  for (uint32_t slot = 0; slot < 2; ++slot) {
    before_[slot] = instance_.context(component_, slot);
    instance_.setContext(component_, slot, 0);
  }
}

Instance::TaskScope::~TaskScope() {
  if (!instance_.usesContext_) return;
  for (uint32_t slot = 0; slot < 2; ++slot) instance_.setContext(component_, slot, before_[slot]);
}

const wasmtime_func_t& Instance::hostFunction(uint32_t trampoline) {
  if (hostFunctions_.empty()) {
    hostFunctions_.resize(program().trampolines.size());
    linked_->hostFunctions(store_, hostFunctions_);
  }
  return hostFunctions_[trampoline];
}

const wasmtime_func_t* Instance::function(uint32_t slot) {
  LazyFunction& lazy = functions_[slot];
  if (lazy.known) return &lazy.function;
  const CoreItem& item = program().functions[slot];
  if (item.kind == CoreItem::Kind::TRAMPOLINE) {
    lazy.function = hostFunction(item.index);
  } else {
    if (item.index >= instances_.size()) return nullptr;
    auto found = linked_->functionKey(slot).find(store_, instances_[item.index]);
    // Kind and signature were checked when the executable was compiled.
    if (!found || found->kind != WASMTIME_EXTERN_FUNC) return nullptr;
    lazy.function = found->of.func;
  }
  lazy.known = true;
  return &lazy.function;
}

bool Instance::callCoreAsTask(uint32_t component, const wasmtime_func_t& function,
                              std::span<RawValue> values) {
  TaskScope scope(*this, component);
  return engine::callCore(store_, function, values);
}

Result<Instance::ExportShape> Instance::shapeOf(const component::LiftedFunction& lifted) {
  if (lifted.options.async || lifted.type.async) {
    return Error(ErrorCode::UNSUPPORTED, "asynchronous functions cannot be called yet");
  }
  CoreSignature signature = component::flattenLift(lifted.type);
  size_t slots = std::max<size_t>({signature.params.size(), signature.results.size(), 1});
  return ExportShape{.lifted = &lifted,
                     .valueSlots = static_cast<uint32_t>(slots),
                     .resultCount = static_cast<uint32_t>(signature.results.size())};
}

Result<Instance::Export> Instance::resolve(const component::LiftedFunction& lifted) {
  TENON_TRY(ExportShape shape, shapeOf(lifted));
  return resolve(shape);
}

Result<Instance::Export> Instance::resolve(const ExportShape& shape) {
  const component::LiftedFunction& lifted = *shape.lifted;
  const wasmtime_func_t* callee = function(lifted.calleeSlot);
  if (!callee) return Error(ErrorCode::INTERNAL, "the function's core instance does not exist");
  Export found{.instance = this,
               .lifted = &lifted,
               .callee = *callee,
               .valueSlots = shape.valueSlots,
               .resultCount = shape.resultCount,
               .mayBlock = linked_->mayBlock(lifted)};
  if (lifted.options.postReturn != NONE) {
    const wasmtime_func_t* postReturn = function(lifted.options.postReturn);
    if (!postReturn)
      return Error(ErrorCode::INTERNAL, "post-return's core instance does not exist");
    found.postReturn = *postReturn;
  }
  return found;
}

namespace {

// The Context of a call from the host into an export.
class ExportCrossing final : public Crossing<abi::Context> {
 public:
  ExportCrossing(CrossingState& state)
      : Crossing(state, state.instance.memory(state.options.memory), state.options.encoding) {
    handles = &state.instance.handles();
  }
};

constexpr const char* VALUES_THREW = "moving the values threw";

}  // namespace

std::string Instance::blame(std::string_view why, uint32_t component) const {
  std::string text(why);
  const auto& instances = program().instances;
  if (instances.size() > 1 && component < instances.size()) {
    text += " (component " + instances[component].name + ")";
  }
  return text;
}

bool Instance::execute(const Export& function, const abi::CallCodec& codec) {
  Task::Scope call(task_);
  return run(function, codec) && dropGivenUp();
}

bool Instance::run(const Export& function, const abi::CallCodec& codec) {
  const component::Options& options = function.lifted->options;
  TaskScope scope(*this, options.instance);
  call::BorrowScope borrows;
  CrossingState state(*this, options, &borrows);
  ExportCrossing crossing(state);
  RawValue values[MAX_FLAT_PARAMS + 1];
  call::guarded(crossing, [&] { codec.lower(codec.self, crossing, values); }, VALUES_THREW);
  if (crossing.failed()) return fail(store_, blame(crossing.failure(), options.instance));
  if (!engine::callCore(store_, function.callee, {values, function.valueSlots})) return false;
  RawValue result = values[0];
  crossing.memory = memory(options.memory);
  call::guarded(crossing, [&] { codec.lift(codec.self, crossing, values); }, VALUES_THREW);
  if (crossing.failed()) return fail(store_, blame(crossing.failure(), options.instance));
  if (borrows.borrows != 0) {
    return fail(store_,
                blame("borrow handles still remain at the end of the call", options.instance));
  }
  if (function.postReturn) {
    setMayLeave(options.instance, false);
    if (!engine::callCore(store_, *function.postReturn, {&result, 1})) return false;
    setMayLeave(options.instance, true);
  }
  return true;
}

// False: a destructor trapped, one of a handle that was dropped while values moved included.
bool Instance::dropGivenUp() {
  while (!task_.givenUp.empty() && !store_.poisoned()) {
    auto [resource, rep] = task_.givenUp.back();
    task_.givenUp.pop_back();
    if (!dropResource(resource, rep, options_.whole)) return false;
  }
  return !store_.poisoned();
}

void Instance::giveUp(uint32_t resource, uint32_t rep) {
  if (store_.busy()) {
    try {
      task_.givenUp.emplace_back(resource, rep);
    } catch (const std::bad_alloc&) {
      // In a destructor, so nobody can be told: it is never dropped.
    }
    return;
  }
  if (store_.poisoned() && !program().resources[resource].imported) return;
  bool isPartOfCall = inCall();
  if (!isPartOfCall) beginCall();
  Task::Scope call(task_);
  dropResource(resource, rep, options_.whole);
  // In a call a trap stays: the host function that dropped the handle fails with it.
  if (!isPartOfCall && store_.hasTrap()) store_.takeTrap();
}

bool Instance::dropResource(uint32_t resource, uint32_t rep, call::PartContext* owner) {
  const component::ResourceInfo& info = program().resources[resource];
  if (info.imported) {
    const call::HostResource* host = linked_->hostResource(resource);
    try {
      if (host && host->drop) {
        host->drop(owner, rep);
      } else if (objects_.hasChildren(rep)) {
        return fail(store_, "the resource '" + info.name + "' was dropped before its children");
      } else {
        objects_.drop(rep);
      }
    } catch (const std::exception& exception) {
      return fail(store_, "the destructor of " + info.name + " threw: " + exception.what());
    } catch (...) {
      return fail(store_, "the destructor of " + info.name + " threw");
    }
    return true;
  }
  if (info.dtor == NONE) return true;
  const wasmtime_func_t* destructor = function(info.dtor);
  if (!destructor) return true;
  RawValue value;
  value.i32 = rep;
  return callCoreAsTask(info.instance, *destructor, {&value, 1});
}

}  // namespace tenon::run
