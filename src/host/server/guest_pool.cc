#include "host/server/guest_pool.h"

#include "call/registry.h"
#include "host/cache_guard.h"
#include "host/component.h"
#include "host/engine.h"
#include "host/linker.h"
#include "host/workload.h"
#include "wasi/http/resources.h"
#include "wasi/output.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace tenon::host {
namespace {

using wasi::http::IncomingRequest;
using wasi::http::ResponseOutparam;
using Handle = TypedCall<void(Own<IncomingRequest>, Own<ResponseOutparam>)>;

constexpr std::string_view HANDLER = "wasi:http/incoming-handler@0.2.0";

// Contexts that are kept for the next instances; more were in use at the same time once.
constexpr size_t MOST_SPARE = 64;

// Of one instance, which answers one request.
constexpr uint32_t MOST_HANDLES = 100'000;

// Bytes that the arguments of one host function may take: lifting them holds the other requests of
// the thread, some milliseconds for so many. Streams take far less at a time.
constexpr uint64_t MOST_LIFTED = 64 * 1024 * 1024;

// The handler among the exports of a component; null without.
const component::LiftedFunction* findHandler(const std::vector<component::ProgramExport>& exports) {
  for (const component::ProgramExport& item : exports) {
    auto* instance = std::get_if<component::ExportedInstance>(&item.item);
    if (!instance) continue;
    if (call::canonicalInterface(item.name) != call::canonicalInterface(HANDLER)) continue;
    for (const component::ProgramExport& inner : instance->exports) {
      auto* lifted = std::get_if<component::LiftedFunction>(&inner.item);
      if (lifted && inner.name == "handle") return lifted;
    }
  }
  return nullptr;
}

run::InstanceOptions settingsOf(const ServerOptions& options) {
  run::InstanceOptions settings;
  settings.limits.memoryBytes = options.maxMemory;
  settings.maxHandles = MOST_HANDLES;
  settings.liftBudget = MOST_LIFTED;
  settings.timeout = options.timeout;
  return settings;
}

Result<void> checkType(const Blueprint& blueprint) {
  TypeMatch match;
  if (!Handle::matches(blueprint.handle->type, match)) {
    return Error(ErrorCode::TYPE_MISMATCH,
                 std::string(HANDLER) + ".handle has another type: " + match.difference);
  }
  for (const ResourceUse& use : match.resources) {
    if (!blueprint.linked->hostResource(use.resource)) {
      return Error(ErrorCode::TYPE_MISMATCH,
                   std::string(HANDLER) + ".handle takes resources that are not the host's");
    }
  }
  return {};
}

// The handler of a component of the workload; null without.
const component::LiftedFunction* handlerOf(const component::Program& program,
                                           const std::string& name) {
  for (const component::ProgramExport& part : program.exports) {
    auto* instance = std::get_if<component::ExportedInstance>(&part.item);
    if (instance && part.name == name) return findHandler(instance->exports);
  }
  return nullptr;
}

// What a component of the workload may use while `front` answers: what the workload grants it, and
// if it is the front, what the server's options grant.
WasiOptions contextFor(const PlannedComponent& planned, const WasiOptions& granted,
                       const std::string& front, const ServerOptions& options) {
  WasiOptions wasi = granted;
  wasi.output = options.wasi.output;
  wasi.error = options.wasi.error;
  wasi.onRefusal = options.wasi.onRefusal;
  if (planned.name != front) return wasi;
  grant(wasi, options.wasi);
  return wasi;
}

// Sets what follows from the handler.
Result<std::shared_ptr<const Blueprint>> finished(std::shared_ptr<Blueprint> blueprint,
                                                  const ServerOptions& options,
                                                  const EngineState& engine) {
  for (const WasiOptions& wasi : blueprint->contexts) {
    TENON_CHECK(keepFromCache(engine, wasi.directories));
  }
  blueprint->settings = settingsOf(options);
  TENON_CHECK(checkType(*blueprint));
  TENON_TRY(blueprint->shape, run::Instance::shapeOf(*blueprint->handle));
  return std::shared_ptr<const Blueprint>(std::move(blueprint));
}

}  // namespace

Result<std::shared_ptr<const Blueprint>> Blueprint::of(const Component& component,
                                                       const ServerOptions& options) {
  ComponentState& state = ComponentState::of(component);
  if (!findHandler(state.executable->program().exports)) {
    Error error = noHandler("the component does not export");
    auto listed = component.findExport(std::string(HANDLER) + ".handle");
    if (!listed) error.details = listed.error().details;
    return error;
  }
  TENON_CHECK(state.compile());
  Linker linker;
  linker.wasi();
  LinkerState& linkerState = LinkerState::of(linker);
  TENON_CHECK(linkerState.link(state.engine, state.executable));
  auto blueprint = std::make_shared<Blueprint>();
  blueprint->linked = linkerState.linked;
  blueprint->handle = findHandler(blueprint->linked->program().exports);
  blueprint->contexts = {options.wasi};
  blueprint->components = {""};
  return finished(std::move(blueprint), options, EngineState::of(state.engine));
}

Result<std::vector<std::shared_ptr<const Blueprint>>> Blueprint::of(
    const Workload& workload, const ServerOptions& options, std::vector<std::string> fronts) {
  WorkloadState& state = WorkloadState::of(workload);
  Linker linker;
  linker.wasi();
  LinkerState& linkerState = LinkerState::of(linker);
  WorkloadPlan plan = state.plan(linkerState);
  if (!plan.ok()) return plan.error();
  for (const std::string& front : fronts) {
    if (std::ranges::count(plan.components, front, &PlannedComponent::name) == 0) {
      return noComponent(plan, front);
    }
  }
  TENON_TRY(auto executable, state.join(plan));
  if (fronts.empty()) {
    TENON_TRY(std::string front, findFront(plan));
    fronts.push_back(std::move(front));
  }
  TENON_CHECK(linkerState.link(state.engine, executable));
  std::vector<std::shared_ptr<const Blueprint>> blueprints;
  for (const std::string& front : fronts) {
    auto blueprint = std::make_shared<Blueprint>();
    blueprint->linked = linkerState.linked;
    blueprint->handle = handlerOf(blueprint->linked->program(), front);
    if (!blueprint->handle) return noHandler("component '" + front + "' does not export");
    for (const PlannedComponent& planned : plan.components) {
      auto component =
          std::ranges::find(state.components, planned.component, &WorkloadComponent::name);
      WasiOptions wasi = contextFor(planned, component->wasi, front, options);
      if (plan.components.size() > 1 && !options.onLine) {
        wasi.output.linePrefix = wasi.error.linePrefix = planned.name + " | ";
      }
      blueprint->contexts.push_back(std::move(wasi));
      blueprint->components.push_back(planned.name);
    }
    TENON_TRY(auto done, finished(std::move(blueprint), options, EngineState::of(state.engine)));
    blueprints.push_back(std::move(done));
  }
  return blueprints;
}

// -- GuestPool ------------------------------------------------------------------------------------

Result<std::unique_ptr<GuestPool>> GuestPool::create(std::shared_ptr<const Blueprint> blueprint,
                                                     LoopState& loop, uint32_t reuse,
                                                     LineTaker* taker) {
  auto pool = std::unique_ptr<GuestPool>(new GuestPool(std::move(blueprint), loop, reuse, taker));
  const Blueprint& plan = *pool->blueprint_;
  for (size_t i = 0; i < plan.contexts.size(); ++i) {
    TENON_TRY(auto context, wasi::newContext(loop.io, plan.contexts[i]));
    context->component = plan.components[i];
    pool->contexts_.push_back(std::move(context));
  }
  return pool;
}

void GuestPool::takeLines(Guest& guest) {
  auto newSink = [&](GuestLine::Stream stream, size_t part) {
    std::string component = contexts_.size() > 1 ? blueprint_->components[part] : "";
    guest.lines.push_back(std::make_shared<GuestLineSink>(*taker_, stream, std::move(component)));
    return guest.lines.back();
  };
  for (size_t part = 0; part < contexts_.size(); ++part) {
    auto output = newSink(GuestLine::Stream::OUTPUT, part);
    wasi::setOutput(*guest.state->contexts[part], std::move(output),
                    newSink(GuestLine::Stream::ERROR, part));
  }
}

Result<std::unique_ptr<Guest>> GuestPool::take(const std::string& id) {
  if (!idle_.empty()) {
    auto guest = std::move(idle_.back());
    idle_.pop_back();
    for (auto& sink : guest->lines) sink->begin(id);
    return guest;
  }
  auto guest = std::make_unique<Guest>();
  guest->state = std::make_unique<InstanceState>(loop_);
  guest->handle.emplace(*guest->state);
  if (spare_.empty()) {
    guest->state->contexts.reserve(contexts_.size());
    for (const auto& context : contexts_) guest->state->contexts.push_back(context->copy());
  } else {
    guest->state->contexts = std::move(spare_.back());
    spare_.pop_back();
  }
  if (taker_) takeLines(*guest);
  for (auto& sink : guest->lines) sink->begin(id);
  run::InstanceOptions settings = blueprint_->settings;
  settings.parts.reserve(contexts_.size());
  for (const auto& context : guest->state->contexts) settings.parts.push_back(context.get());
  const auto& linked = blueprint_->linked;
  guest->shape = &blueprint_->shape;
  if (linked->hasStarts()) {
    // Guest code: part of the call, which takes turns with others.
    TENON_TRY(guest->state->instance, run::Instance::make(linked, std::move(settings)));
    return guest;
  }
  TENON_TRY(guest->state->instance, run::Instance::create(linked, std::move(settings)));
  TENON_CHECK(guest->resolve());
  return guest;
}

Result<void> Guest::resolve() {
  TENON_TRY(handle->function, state->instance->resolve(*shape));
  return {};
}

void GuestPool::giveBack(std::unique_ptr<Guest> guest) {
  if (++guest->served < reuse_) return idle_.push_back(std::move(guest));
  guest->state->instance = nullptr;
  if (spare_.size() < MOST_SPARE) spare_.push_back(std::move(guest->state->contexts));
}

// -- HandlerCall ----------------------------------------------------------------------------------

HandlerCall::HandlerCall(std::unique_ptr<Guest> guest, http::IncomingMessage message,
                         std::shared_ptr<http::Exchange> exchange, InFlight inFlight)
    : inFlight_(std::move(inFlight)),
      guest_(std::move(guest)),
      message_(std::move(message)),
      exchange_(std::move(exchange)),
      call_(*guest_->handle,
            {.self = this, .lower = lower, .lift = [](void*, abi::Context&, const RawValue*) {}}) {
  call_.whenInstantiated = [this]() { return guest_->resolve(); };
}

void HandlerCall::lower(void* self, abi::Context& context, RawValue* values) {
  auto& call = *static_cast<HandlerCall*>(self);
  call::HostObjects& objects = call.guest_->state->instance->objects();
  Own<IncomingRequest> request{
      objects.add(std::make_unique<IncomingRequest>(std::move(call.message_), objects.budget()))};
  Own<ResponseOutparam> outparam{
      objects.add(std::make_unique<ResponseOutparam>(std::move(call.exchange_)))};
  if (request.rep == 0 || outparam.rep == 0) {
    return context.fail("the instance holds too many host resources");
  }
  Handle::lower(context, call.guest_->handle->type(), values, request, outparam);
}

Result<void> HandlerCall::finish(GuestPool& pool) {
  auto outcome = call_.takeOutcome();
  for (auto& sink : guest_->lines) sink->end();
  if (outcome) {
    pool.giveBack(std::move(guest_));
  } else {
    for (const auto& context : guest_->state->contexts) context->failed();
    guest_ = nullptr;
  }
  return outcome;
}

}  // namespace tenon::host
