#include "rig.h"

#include "component/fuse/fuse.h"

#include <cstdio>
#include <cstdlib>

namespace tenon::component::testing {
namespace {

// Guests keep what tests look at in the first page: below 1024 counters, then parameters, answers,
// the reallocs. What they allocate starts at the second page.
constexpr uint32_t CALLS = 0, POST_RETURNS = 4, REALLOCS = 8, FORCED = 12, IS_FORCED = 16;
constexpr uint32_t PARAMS = 1024, ANSWER = 1536, LOG = 2048, LOG_ENTRIES = 1000;

const char* nameOf(CoreType type) {
  constexpr const char* NAMES[] = {"i32", "i64", "f32", "f64"};
  return NAMES[static_cast<size_t>(type)];
}

std::string number(uint64_t value) { return std::to_string(value); }

std::string guestText(const CoreSignature& signature) {
  std::string text = R"((module (memory (export "memory") 64)
    (data (i32.const 20) "\00\00\01\00")
    (func (export "realloc") (param $old i32) (param $oldSize i32) (param $align i32) (param $size i32)
        (result i32) (local $at i32) (local $entry i32)
      (local.set $entry (i32.load (i32.const 8)))
      (i32.store (i32.const 8) (i32.add (local.get $entry) (i32.const 1)))
      (if (i32.lt_u (local.get $entry) (i32.const 1000)) (then
        (local.set $entry (i32.add (i32.const 2048) (i32.mul (local.get $entry) (i32.const 16))))
        (i32.store offset=0 (local.get $entry) (local.get $old))
        (i32.store offset=4 (local.get $entry) (local.get $oldSize))
        (i32.store offset=8 (local.get $entry) (local.get $align))
        (i32.store offset=12 (local.get $entry) (local.get $size))))
      (if (i32.load (i32.const 16)) (then (return (i32.load (i32.const 12)))))
      (local.set $at (i32.load (i32.const 20)))
      (local.set $at (i32.and (i32.add (local.get $at) (i32.sub (local.get $align) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get $align))))
      (i32.store (i32.const 20) (i32.add (local.get $at) (local.get $size)))
      (block $enough (loop $more
        (br_if $enough (i32.le_u (i32.add (local.get $at) (local.get $size))
          (i32.mul (memory.size) (i32.const 65536))))
        (if (i32.lt_s (memory.grow (i32.const 64)) (i32.const 0)) (then unreachable))
        (br $more)))
      (memory.copy (local.get $at) (local.get $old)
        (select (local.get $size) (local.get $oldSize) (i32.lt_u (local.get $size) (local.get $oldSize))))
      (local.get $at))
    (func (export "f"))";
  for (CoreType param : signature.params) text += std::string(" (param ") + nameOf(param) + ")";
  for (CoreType result : signature.results) text += std::string(" (result ") + nameOf(result) + ")";
  text += "\n (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))";
  for (size_t i = 0; i < signature.params.size(); ++i) {
    text += std::string("\n (") + nameOf(signature.params[i]) + ".store (i32.const " +
            number(PARAMS + 8 * i) + ") (local.get " + number(i) + "))";
  }
  for (CoreType result : signature.results) {
    text += std::string("\n (") + nameOf(result) + ".load (i32.const " + number(ANSWER) + "))";
  }
  text += ")\n (func (export \"post\")";
  for (CoreType result : signature.results) text += std::string(" (param ") + nameOf(result) + ")";
  text += "\n (i32.store (i32.const 4) (i32.add (i32.load (i32.const 4)) (i32.const 1)))))";
  return text;
}

// Lowers and lifts on one guest's side.
class GuestContext final : public abi::Context {
 public:
  GuestContext(TestRuntime& runtime, CoreItem memoryItem, CoreItem realloc, StringEncoding encoding)
      : Context(runtime.memory(memoryItem), encoding),
        runtime_(runtime),
        memoryItem_(std::move(memoryItem)),
        realloc_(std::move(realloc)) {}

  uint32_t allocate(uint32_t size, uint32_t alignment) override {
    return reallocate(0, 0, alignment, size);
  }
  uint32_t reallocate(uint32_t pointer, uint32_t oldSize, uint32_t alignment,
                      uint32_t newSize) override {
    if (failed()) return 0;
    Outcome outcome = runtime_.callItem(
        realloc_, {rawI32(pointer), rawI32(oldSize), rawI32(alignment), rawI32(newSize)}, 1);
    memory = runtime_.memory(memoryItem_);
    if (outcome.trapped) {
      fail("realloc trapped");
      return 0;
    }
    return outcome.i32();
  }
  uint32_t liftOwn(uint32_t, uint32_t) override { return 0; }
  uint32_t liftBorrow(uint32_t, uint32_t) override { return 0; }
  uint32_t lowerOwn(uint32_t, uint32_t) override { return 0; }
  uint32_t lowerBorrow(uint32_t, uint32_t) override { return 0; }

 private:
  TestRuntime& runtime_;
  CoreItem memoryItem_, realloc_;
};

CoreItem exportOf(uint32_t step, const char* name) {
  return {CoreItem::Kind::INSTANCE_EXPORT, step, name};
}

uint32_t load32(GuestMemory memory, uint32_t at) {
  uint32_t value = 0;
  if (!memory.load(at, value)) std::abort();
  return value;
}

}  // namespace

Rig::Rig(std::shared_ptr<TypeTable> types, FuncType type, RigOptions options)
    : type_(std::move(type)), options_(options) {
  Program program;
  program.types = std::move(types);
  CoreSignature lifted = flattenLift(type_);
  for (uint32_t side : {0u, 1u}) {
    auto bytes = std::make_unique<std::vector<std::byte>>(
        assemble(guestText(side == 0 ? CoreSignature{} : lifted)));
    ModuleBytes module;
    module.bytes = *bytes;
    module.name = side == 0 ? "caller" : "callee";
    program.storage.push_back(std::move(bytes));
    program.modules.push_back(std::move(module));
    program.steps.push_back({side, {}, side + 1});
    program.memories.push_back(exportOf(side, "memory"));
    program.functions.push_back(exportOf(side, "realloc"));
  }
  program.instances = {{"root", NONE, 0}, {"caller", 0, 0}, {"callee", 0, 0}};
  memories_ = program.memories;
  reallocs_ = program.functions;
  program.functions.push_back(exportOf(1, "f"));
  program.functions.push_back(exportOf(1, "post"));
  Adapter adapter;
  adapter.type = adapter.callee.type = type_;
  adapter.signature = flattenLower(type_);
  adapter.caller = {1, options.caller, 0, 0};
  adapter.callee.options = {2, options.callee, 1, 1};
  if (options.postReturn) adapter.callee.options.postReturn = 3;
  adapter.callee.callee = exportOf(1, "f");
  adapter.callee.calleeSlot = 2;
  program.adapters.push_back(std::move(adapter));
  Result<void> fused = fuse(program, Rewriting::OFF);
  if (!fused) {
    std::fprintf(stderr, "%s\n", fused.error().text().c_str());
    std::abort();
  }
  runtime_ = std::make_unique<TestRuntime>(std::move(program));
  if (runtime_->instantiation().trapped) {
    std::fprintf(stderr, "%s: %s\n", toString(type_).c_str(),
                 runtime_->instantiation().message.c_str());
    std::abort();
  }
}

Outcome Rig::call(std::vector<RawValue> flat) {
  return runtime_->callItem(exportOf(2, "adapter 0"), std::move(flat),
                            flattenLower(type_).results.size());
}

std::vector<RawValue> Rig::received() {
  std::vector<RawValue> values;
  for (size_t i = 0; i < flattenLift(type_).params.size(); ++i) {
    RawValue raw{};
    if (!calleeMemory().load(PARAMS + 8 * i, raw.i64)) std::abort();
    values.push_back(raw);
  }
  return values;
}

void Rig::answer(RawValue value) {
  if (!calleeMemory().store(ANSWER, value.i64)) std::abort();
}

uint32_t Rig::calls() { return load32(calleeMemory(), CALLS); }
uint32_t Rig::postReturns() { return load32(calleeMemory(), POST_RETURNS); }

std::vector<Rig::Realloc> Rig::reallocs(bool callee) {
  GuestMemory memory = callee ? calleeMemory() : callerMemory();
  std::vector<Realloc> entries;
  uint32_t count = std::min(load32(memory, REALLOCS), LOG_ENTRIES);
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t at = LOG + 16 * i;
    entries.push_back({load32(memory, at), load32(memory, at + 4), load32(memory, at + 8),
                       load32(memory, at + 12)});
  }
  return entries;
}

void Rig::forceRealloc(bool callee, uint32_t pointer) {
  GuestMemory memory = callee ? calleeMemory() : callerMemory();
  if (!memory.store(FORCED, pointer) || !memory.store(IS_FORCED, uint32_t{1})) std::abort();
}

Rig::RoundTrip Rig::roundTrip(const std::vector<Value>& arguments, const Value* result) {
  RoundTrip trip;
  std::vector<RawValue> flat(abi::slotCount(type_) + 1);
  GuestContext caller(*runtime_, memories_[0], reallocs_[0], options_.caller);
  abi::lowerParams(caller, type_, arguments, flat.data());
  size_t params = flattenLift(type_).params.size();
  flat.resize(params);
  uint32_t target = 0;
  if (type_.result && resultSpills(type_)) {
    target = caller.allocate(type_.result->size, type_.result->alignment);
    flat.push_back(rawI32(target));
  }
  if (result) {
    GuestContext callee(*runtime_, memories_[1], reallocs_[1], options_.callee);
    RawValue lowered[2] = {};
    if (resultSpills(type_)) {
      lowered[0].i32 = callee.allocate(type_.result->size, type_.result->alignment);
      abi::store(callee, *type_.result, *result, lowered[0].i32);
    } else {
      RawValue* out = lowered;
      abi::lowerFlat(callee, *type_.result, *result, out);
    }
    if (callee.failed()) std::fprintf(stderr, "callee: %s\n", callee.failure());
    answer(lowered[0]);
  }
  if (caller.failed()) std::fprintf(stderr, "caller: %s\n", caller.failure());
  trip.outcome = call(flat);
  if (trip.outcome.trapped) return trip;

  std::vector<RawValue> seen = received();
  seen.resize(std::max<size_t>(seen.size(), abi::slotCount(type_)));
  GuestContext lifting(*runtime_, memories_[1], reallocs_[1], options_.callee);
  trip.arguments = abi::liftParams(lifting, type_, seen.data());
  if (lifting.failed()) trip.outcome.message = std::string("callee: ") + lifting.failure();
  if (type_.result) {
    GuestContext back(*runtime_, memories_[0], reallocs_[0], options_.caller);
    if (resultSpills(type_)) {
      trip.result = abi::load(back, *type_.result, target);
    } else {
      const RawValue* in = trip.outcome.values.data();
      trip.result = abi::liftFlat(back, *type_.result, in);
    }
    if (back.failed()) trip.outcome.message = std::string("caller: ") + back.failure();
  }
  return trip;
}

}  // namespace tenon::component::testing
