#include "host/server/guest_pool.h"

#include "call/registry.h"
#include "host/component.h"
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

// Contexts that are kept for the next instances; more were in use at the same time once.
constexpr size_t MOST_SPARE = 64;

// Of one instance, which answers one request.
constexpr uint32_t MOST_HANDLES = 100'000;

// Bytes that the arguments of one host function may take: lifting them holds the other requests of
// the thread, some milliseconds for so many. Streams take far less at a time.
constexpr uint64_t MOST_LIFTED = 64 * 1024 * 1024;

run::InstanceOptions settingsOf(const ServerOptions& options) {
  run::InstanceOptions settings;
  settings.limits.memoryBytes = options.maxMemory;
  settings.maxHandles = MOST_HANDLES;
  settings.liftBudget = MOST_LIFTED;
  settings.timeout = options.timeout;
  return settings;
}

// The handler's function. Errors: MISSING_EXPORT.
Result<const component::LiftedFunction*> findHandle(
    const std::vector<component::ProgramExport>& exports) {
  if (auto* handle = findLifted(exports, HTTP_HANDLER, "handle")) return handle;
  Error error = noHandler("the component does not export");
  auto listed = findFunction(functionsOf(exports), std::string(HTTP_HANDLER) + ".handle");
  if (!listed) error.details = listed.error().details;
  return error;
}

Result<void> checkType(const run::Linked& linked, const FuncType& type) {
  TypeMatch match;
  if (!Handle::matches(type, match)) {
    return Error(ErrorCode::TYPE_MISMATCH,
                 std::string(HTTP_HANDLER) + ".handle has another type: " + match.difference);
  }
  for (const ResourceUse& use : match.resources) {
    if (!linked.hostResource(use.resource)) {
      return Error(ErrorCode::TYPE_MISMATCH,
                   std::string(HTTP_HANDLER) + ".handle takes resources that are not the host's");
    }
  }
  return {};
}

}  // namespace

Result<void> checkHandles(const Component& component) {
  const auto& exports = ComponentState::of(component).executable->program().exports;
  TENON_TRY([[maybe_unused]] auto* handle, findHandle(exports));
  return {};
}

Result<std::shared_ptr<const HttpHandler>> HttpHandler::of(
    std::shared_ptr<const PreparedState> prepared, const std::string& component,
    const ServerOptions& options) {
  TENON_TRY(auto exporter, prepared->findExporter(component));
  TENON_TRY(auto* handle, findHandle(*exporter.exports));
  TENON_CHECK(checkType(*prepared->linked, handle->type));
  auto handler = std::make_shared<HttpHandler>();
  handler->settings = settingsOf(options);
  handler->userData = options.userData;
  TENON_TRY(handler->shape, run::Instance::shapeOf(*handle));
  const std::vector<PlannedComponent>& components = prepared->plan->components;
  for (size_t part = 0; part < components.size(); ++part) {
    WasiOptions& wasi = handler->contexts.emplace_back(prepared->granted[part]);
    const std::string& name = components[part].name;
    give(wasi, options.wasi, name == exporter.name ? Share::EVERYTHING : Share::OUTPUT);
    if (components.size() > 1 && !options.onLine) {
      wasi.output.linePrefix = wasi.error.linePrefix = name + " | ";
    }
  }
  handler->isolated = [given = options.wasi](const PlannedComponent& component, WasiOptions& wasi) {
    give(wasi, given, Share::OUTPUT);
    wasi.output.linePrefix = wasi.error.linePrefix = component.name + " | ";
  };
  handler->prepared = std::move(prepared);
  return std::shared_ptr<const HttpHandler>(std::move(handler));
}

// -- GuestPool ------------------------------------------------------------------------------------

Result<std::unique_ptr<GuestPool>> GuestPool::create(std::shared_ptr<const HttpHandler> handler,
                                                     LoopState& loop, uint32_t reuse,
                                                     LineTaker& taker) {
  auto pool = std::unique_ptr<GuestPool>(new GuestPool(std::move(handler), loop, reuse, taker));
  const HttpHandler& made = *pool->handler_;
  // Which request a line is of is not known: several may have had the instance.
  auto takeLines = [&pool = *pool](call::PartContext& context) {
    const WasiOptions& wasi = pool.handler_->contexts.front();  // streams are the same for all
    wasi::setOutput(*context.find<wasi::Context>(),
                    pool.newSink(GuestLine::Stream::OUTPUT, wasi.output, context.component),
                    pool.newSink(GuestLine::Stream::ERROR, wasi.error, context.component));
  };
  TENON_TRY(pool->isolated_, IsolatedStores::create(made.prepared, loop, made.isolated, nullptr,
                                                    made.settings.limits.memoryBytes, takeLines));
  for (size_t part = 0; part < made.contexts.size(); ++part) {
    TENON_TRY(auto context, made.prepared->newContext(loop, part, made.contexts[part]));
    if (pool->isolated_) pool->isolated_->giveTo(*context);
    pool->contexts_.push_back(std::move(context));
  }
  return pool;
}

std::shared_ptr<GuestLineSink> GuestPool::newSink(GuestLine::Stream stream, const OutputStream& own,
                                                  std::string component) {
  bool isTaken =
      taker_.streams == LineTaker::Streams::ALL || own.kind == OutputStream::Kind::INHERIT;
  if (!isTaken) return nullptr;
  return std::make_shared<GuestLineSink>(taker_, stream, std::move(component));
}

void GuestPool::takeLines(Guest& guest) {
  for (size_t part = 0; part < contexts_.size(); ++part) {
    const WasiOptions& wasi = handler_->contexts[part];
    std::string component = contexts_.size() > 1 || isolated_ ? contexts_[part]->component : "";
    auto output = newSink(GuestLine::Stream::OUTPUT, wasi.output, component);
    auto error = newSink(GuestLine::Stream::ERROR, wasi.error, component);
    if (output) guest.lines.push_back(output);
    if (error) guest.lines.push_back(error);
    wasi::setOutput(*guest.state->contexts[part]->find<wasi::Context>(), std::move(output),
                    std::move(error));
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
  guest->state = std::make_unique<InstanceState>(loop_, handler_->prepared);
  guest->handle.emplace(*guest->state);
  if (spare_.empty()) {
    guest->state->contexts.reserve(contexts_.size());
    for (const auto& context : contexts_) guest->state->contexts.push_back(context->copy());
  } else {
    guest->state->contexts = std::move(spare_.back());
    spare_.pop_back();
  }
  guest->state->userData = handler_->userData;
  for (const auto& context : guest->state->contexts) context->userData = &guest->state->userData;
  takeLines(*guest);
  for (auto& sink : guest->lines) sink->begin(id);
  run::InstanceOptions settings = handler_->settings;
  settings.parts = guest->state->parts();
  settings.whole = &guest->state->whole;
  const auto& linked = handler_->prepared->linked;
  guest->shape = &handler_->shape;
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
