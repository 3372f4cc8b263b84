#include "host/workload.h"

#include "host/cache_guard.h"
#include "host/component.h"
#include "host/engine.h"
#include "host/instance.h"
#include "host/running_call.h"
#include "wasi/wasi.h"

#include <tenon/workload.h>

#include <unistd.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace tenon {
namespace {

// Whether a component can write to its standard output or error.
bool canWrite(const PlannedComponent& component) {
  return std::ranges::any_of(component.links, [](const PlannedLink& link) {
    return link.cost == LinkCost::HOST && (link.import.starts_with("wasi:cli/stdout@") ||
                                           link.import.starts_with("wasi:cli/stderr@"));
  });
}

// `descriptor`: where the stream leads.
void setPrefix(OutputStream& stream, int descriptor, WorkloadOptions::Prefix when,
               const std::string& component) {
  if (stream.kind != OutputStream::Kind::INHERIT || !stream.linePrefix.empty()) return;
  if (when == WorkloadOptions::Prefix::AUTO && ::isatty(descriptor) != 1) return;
  stream.linePrefix = component + " | ";
}

// What a plan's executable is made of, as a key.
std::string keyOf(const WorkloadPlan& plan) {
  std::string key;
  for (const PlannedComponent& component : plan.components) {
    key += component.name + "=" + component.component + "\n";
    for (const PlannedLink& link : component.links) {
      if (link.cost != LinkCost::FUSED) continue;
      key += "  " + link.import + "=" + link.component + ":" + link.item + "\n";
    }
  }
  return key;
}

}  // namespace

void grant(WasiOptions& to, const WasiOptions& more) {
  auto append = [](auto& all, const auto& added) {
    all.insert(all.end(), added.begin(), added.end());
  };
  auto replace = [&](auto& all, const auto& added) {
    std::set<std::string_view> names;
    for (const auto& [name, value] : added) names.insert(name);
    std::erase_if(all, [&](const auto& entry) { return names.contains(entry.first); });
    append(all, added);
  };
  replace(to.environment, more.environment);
  replace(to.configuration, more.configuration);
  append(to.directories, more.directories);
  append(to.network.connect, more.network.connect);
  append(to.network.listen, more.network.listen);
  append(to.http.allow, more.http.allow);
  to.http.allowPrivate = to.http.allowPrivate || more.http.allowPrivate;
  to.http.roots += more.http.roots;
}

namespace host {

Result<std::shared_ptr<run::Executable>> WorkloadState::join(const WorkloadPlan& plan) {
  std::string key = keyOf(plan);
  std::lock_guard lock(joining);
  if (executable && joinedAs == key) return executable;
  std::map<std::string, uint32_t> indices;
  std::vector<run::Executable::Part> parts;
  for (const PlannedComponent& planned : plan.components) {
    auto component = std::ranges::find(components, planned.component, &WorkloadComponent::name);
    run::Executable::Part& part = parts.emplace_back();
    part.name = planned.name;
    part.source = ComponentState::of(component->component).executable->source();
    for (const PlannedLink& link : planned.links) {
      if (link.cost == LinkCost::FUSED) {
        part.wires.push_back({link.import, indices.at(link.component), link.item});
      }
    }
    indices[planned.name] = static_cast<uint32_t>(parts.size() - 1);
  }
  EngineState& engineState = EngineState::of(engine);
  auto elision =
      engineState.options.shimElision ? component::ShimElision::ON : component::ShimElision::OFF;
  const engine::ArtifactCache* cache = engineState.cache ? &*engineState.cache : nullptr;
  std::optional<run::Executable::Programs> programs;
  if (cache) programs.emplace(*engineState.engine, *cache);
  TENON_TRY(auto joined, run::Executable::linkWorkload(std::move(parts), name, elision, programs,
                                                       &cacheWarning));
  TENON_CHECK(
      joined->compile(engineState.engine, cache, &cacheWarning, engineState.compileLimits()));
  executable = std::move(joined);
  joinedPlan = std::make_shared<const WorkloadPlan>(plan);
  joinedAs = std::move(key);
  return executable;
}

std::shared_ptr<const WorkloadPlan> WorkloadState::planOf(const LinkerState& linker) const {
  std::lock_guard lock(joining);
  return linker.linked && linker.linkedExecutable == executable ? joinedPlan : nullptr;
}

}  // namespace host

// -- Workload -------------------------------------------------------------------------------------

const std::string& Workload::name() const { return state_->name; }

const std::vector<WorkloadComponent>& Workload::components() const { return state_->components; }

const std::vector<HttpRoute>& Workload::routes() const { return state_->routes; }

const WorkloadSettings& Workload::settings() const { return state_->settings; }

WorkloadPlan Workload::plan(const Linker& linker) const {
  return state_->plan(host::LinkerState::of(linker));
}

Result<void> Workload::compile(const Linker& linker) const {
  WorkloadPlan plan = this->plan(linker);
  if (!plan.ok()) return plan.error();
  TENON_TRY([[maybe_unused]] auto executable, state_->join(plan));
  return {};
}

std::string Workload::warning() const {
  std::lock_guard lock(state_->joining);
  return state_->cacheWarning;
}

Result<WorkloadInstance> Workload::instantiate(Linker& linker, Loop& loop,
                                               const WorkloadOptions& options) const {
  host::LinkerState& linkerState = host::LinkerState::of(linker);
  auto state = std::make_unique<host::InstanceState>(host::LoopState::of(loop));
  state->plan = state_->planOf(linkerState);
  if (!state->plan) {
    state->plan = std::make_shared<const WorkloadPlan>(state_->plan(linkerState));
    if (!state->plan->ok()) return state->plan->error();
    TENON_TRY(auto executable, state_->join(*state->plan));
    TENON_CHECK(linkerState.link(state_->engine, executable));
  }
  state->userData = options.userData;
  run::InstanceOptions settings;
  const WorkloadSettings& manifest = state_->settings;
  constexpr uint64_t DEFAULT_MEMORY = uint64_t{4} << 30;
  settings.limits.memoryBytes =
      options.maxMemory.value_or(manifest.maxMemory.value_or(DEFAULT_MEMORY));
  settings.timeout = options.timeout ? options.timeout : manifest.timeout;
  settings.whole = &state->whole;
  using Prefix = WorkloadOptions::Prefix;
  bool prefix = options.prefix == Prefix::ALWAYS ||
                (options.prefix == Prefix::AUTO &&
                 std::ranges::count_if(state->plan->components, canWrite) > 1);
  for (const PlannedComponent& planned : state->plan->components) {
    auto component =
        std::ranges::find(state_->components, planned.component, &WorkloadComponent::name);
    WasiOptions wasi = component->wasi;
    if (options.adjust) options.adjust(planned, wasi);
    if (prefix) {
      setPrefix(wasi.output, STDOUT_FILENO, options.prefix, planned.name);
      setPrefix(wasi.error, STDERR_FILENO, options.prefix, planned.name);
    }
    const auto& engine = host::EngineState::of(state_->engine);
    auto kept = host::keepFromCache(engine, wasi.directories);
    auto context = kept ? wasi::newContext(state->loop.io, wasi) : std::move(kept).error();
    if (!context) {
      Error error = std::move(context).error();
      error.message = "component " + planned.name + ": " + error.message;
      return error;
    }
    (*context)->component = planned.name;
    (*context)->userData = &state->userData;
    settings.parts.push_back(context->get());
    state->contexts.push_back(*std::move(context));
  }
  TENON_CHECK(host::instantiate(*state, linkerState.linked, std::move(settings)));
  return WorkloadInstance(std::move(state));
}

// -- WorkloadInstance -----------------------------------------------------------------------------

namespace {

Result<const std::vector<component::ProgramExport>*> exportsOf(const host::InstanceState& instance,
                                                               std::string_view component) {
  for (const component::ProgramExport& part : instance.exports()) {
    auto* exports = std::get_if<component::ExportedInstance>(&part.item);
    if (exports && part.name == component) return &exports->exports;
  }
  return host::noComponent(*instance.plan, component);
}

// The component to run when none is named.
Result<std::string> onlyProgram(const WorkloadPlan& plan) {
  std::vector<const PlannedComponent*> programs;
  for (const PlannedComponent& planned : plan.components) {
    if (planned.program) programs.push_back(&planned);
  }
  if (programs.size() == 1) return programs.front()->name;
  if (programs.empty()) {
    return Error(ErrorCode::MISSING_EXPORT,
                 "no component of the workload exports wasi:cli/run: there is no program");
  }
  Error error(ErrorCode::AMBIGUOUS,
              std::to_string(programs.size()) + " components of the workload are programs");
  for (const PlannedComponent* program : programs) {
    error.details += (error.details.empty() ? "  " : "\n  ") + program->name;
  }
  return error;
}

}  // namespace

WorkloadInstance::WorkloadInstance(std::unique_ptr<host::InstanceState> state)
    : state_(std::move(state)) {}
WorkloadInstance::WorkloadInstance(WorkloadInstance&&) noexcept = default;
WorkloadInstance& WorkloadInstance::operator=(WorkloadInstance&&) noexcept = default;
WorkloadInstance::~WorkloadInstance() = default;

Result<std::shared_ptr<host::FunctionState>> WorkloadInstance::find(std::string_view component,
                                                                    std::string_view interface,
                                                                    std::string_view name) {
  TENON_TRY(const auto* exports, exportsOf(*state_, component));
  return host::findExported(*state_, *exports, component, interface, name);
}

Result<DynamicFunction> WorkloadInstance::function(std::string_view component,
                                                   const std::string& path) {
  TENON_TRY(const auto* exports, exportsOf(*state_, component));
  TENON_TRY(auto function, host::findByPath(*state_, *exports, component, path));
  return DynamicFunction(std::move(function));
}

namespace {

// `component` empty: the only program.
Result<PendingCall> startProgram(host::InstanceState& instance, std::string_view component,
                                 host::Turns turns, const CallOptions& options) {
  std::string name(component);
  if (name.empty()) {
    TENON_TRY(name, onlyProgram(*instance.plan));
  }
  TENON_TRY(const auto* exports, exportsOf(instance, name));
  return host::startRun(instance, *exports, name, turns, options);
}

}  // namespace

Result<PendingCall> WorkloadInstance::startRun(std::string_view component,
                                               const CallOptions& options) {
  return startProgram(*state_, component, host::Turns::ALWAYS, options);
}

Result<int> WorkloadInstance::run(std::string_view component, const CallOptions& options) {
  TENON_TRY(PendingCall pending, startProgram(*state_, component, host::Turns::SHARED, options));
  return host::finishRun(*state_, std::move(pending), options);
}

uint64_t WorkloadInstance::memorySize() const { return state_->instance->memorySize(); }

const WorkloadPlan& WorkloadInstance::plan() const { return *state_->plan; }

}  // namespace tenon
