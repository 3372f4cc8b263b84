#include "host/prepared.h"

#include "host/cache_guard.h"
#include "host/engine.h"
#include "host/running_call.h"

#include <tenon/prepared.h>

#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>

namespace tenon {
namespace {

constexpr uint64_t DEFAULT_MEMORY = uint64_t{4} << 30;

// Whether a component can write to its standard output or error.
bool canWrite(const PlannedComponent& component) {
  return std::ranges::any_of(component.links, [](const PlannedLink& link) {
    return link.cost == LinkCost::HOST && (link.import.starts_with("wasi:cli/stdout@") ||
                                           link.import.starts_with("wasi:cli/stderr@"));
  });
}

// Whether some lines may have their component's name in front.
bool hasPrefixes(const WorkloadPlan& plan, WorkloadOptions::Prefix when) {
  using Prefix = WorkloadOptions::Prefix;
  if (when != Prefix::AUTO) return when == Prefix::ALWAYS;
  auto count = std::ranges::count_if(plan.components, canWrite);
  for (const PlannedStore& store : plan.isolated) {
    count += std::ranges::count_if(store.components, canWrite);
  }
  return count > 1;
}

// `descriptor`: where the stream leads.
void setPrefix(OutputStream& stream, int descriptor, WorkloadOptions::Prefix when,
               const std::string& component) {
  if (stream.kind != OutputStream::Kind::INHERIT || !stream.linePrefix.empty()) return;
  if (when == WorkloadOptions::Prefix::AUTO && ::isatty(descriptor) != 1) return;
  stream.linePrefix = component + " | ";
}

}  // namespace

namespace host {

Result<PreparedState::Exporter> PreparedState::findExporter(std::string_view name) const {
  TENON_TRY(const PlannedComponent* planned, plan->find(name));
  if (isAlone()) return Exporter{"", &program().exports};
  for (const component::ProgramExport& part : program().exports) {
    auto* exports = std::get_if<component::ExportedInstance>(&part.item);
    if (exports && part.name == planned->name) return Exporter{part.name, &exports->exports};
  }
  return Error(ErrorCode::INTERNAL, "component " + planned->name + " exports nothing");
}

Result<std::unique_ptr<call::PartContext>> PreparedState::newContext(
    LoopState& loop, size_t part, const WasiOptions& options) const {
  auto kept = keepFromCache(EngineState::of(engine), options.directories);
  auto state = kept ? wasi::newContext(loop.io, options) : std::move(kept).error();
  if (state) {
    auto context = std::make_unique<call::PartContext>(plan->components[part].name);
    context->put<wasi::Context>(*std::move(state));
    return context;
  }
  Error error = std::move(state).error();
  if (!isAlone()) {
    error.message = "component " + plan->components[part].name + ": " + error.message;
  }
  return error;
}

InstanceMaker::InstanceMaker(const std::shared_ptr<const PreparedState>& prepared, Loop& loop,
                             const std::any& userData)
    : state_(std::make_unique<InstanceState>(LoopState::of(loop), prepared)) {
  state_->userData = userData;
}

Result<void> InstanceMaker::addStores(const IsolatedStores::Adjust& adjust, uint64_t maxMemory) {
  TENON_TRY(state_->isolated, IsolatedStores::create(state_->prepared, state_->loop, adjust,
                                                     &state_->userData, maxMemory));
  return {};
}

Result<void> InstanceMaker::add(const WasiOptions& context) {
  size_t part = state_->contexts.size();
  TENON_TRY(auto made, state_->prepared->newContext(state_->loop, part, context));
  made->userData = &state_->userData;
  if (state_->isolated) state_->isolated->giveTo(*made);
  state_->contexts.push_back(std::move(made));
  return {};
}

Result<Instance> InstanceMaker::complete(std::optional<std::chrono::nanoseconds> timeout,
                                         uint64_t maxMemory) {
  run::InstanceOptions settings;
  settings.limits.memoryBytes = maxMemory;
  settings.timeout = timeout;
  settings.whole = &state_->whole;
  settings.parts = state_->parts();
  TENON_CHECK(instantiate(*state_, state_->prepared->linked, std::move(settings)));
  return InstanceState::wrap(std::move(state_));
}

}  // namespace host

Result<Instance> Prepared::instantiate(Loop& loop, const WorkloadOptions& options) const {
  const std::vector<PlannedComponent>& components = state_->plan->components;
  host::InstanceMaker maker(state_, loop, options.userData);
  bool prefixes = hasPrefixes(*state_->plan, options.prefix) && !state_->isAlone();
  auto adjust = [&](const PlannedComponent& component, WasiOptions& wasi) {
    if (options.adjust) options.adjust(component, wasi);
    if (prefixes) {
      setPrefix(wasi.output, STDOUT_FILENO, options.prefix, component.name);
      setPrefix(wasi.error, STDERR_FILENO, options.prefix, component.name);
    }
  };
  uint64_t maxMemory = options.maxMemory.value_or(state_->maxMemory.value_or(DEFAULT_MEMORY));
  TENON_CHECK(maker.addStores(adjust, maxMemory));
  for (size_t part = 0; part < components.size(); ++part) {
    if (!options.adjust && !prefixes) {
      TENON_CHECK(maker.add(state_->granted[part]));
      continue;
    }
    WasiOptions wasi = state_->granted[part];
    adjust(components[part], wasi);
    TENON_CHECK(maker.add(wasi));
  }
  return maker.complete(options.timeout ? options.timeout : state_->timeout, maxMemory);
}

Result<Instance> Prepared::instantiate(Loop& loop, const InstanceOptions& options) const {
  if (!state_->isAlone()) {
    return Error(ErrorCode::INVALID_ARGUMENT,
                 "each component of a workload has a context of its own: give WorkloadOptions");
  }
  host::InstanceMaker maker(state_, loop, options.userData);
  TENON_CHECK(maker.add(options.wasi));
  return maker.complete(options.timeout, options.maxMemory);
}

const WorkloadPlan& Prepared::plan() const { return *state_->plan; }

}  // namespace tenon
