#include "host/cache_guard.h"
#include "host/running_call.h"
#include "host/state.h"
#include "link/plan.h"
#include "run/source.h"
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

LinkCost costOf(link::Cost cost) {
  switch (cost) {
    case link::Cost::FUSED:
      return LinkCost::FUSED;
    case link::Cost::HOST:
      return LinkCost::HOST;
    case link::Cost::NONE:
      return LinkCost::NONE;
    case link::Cost::MISSING:
      return LinkCost::MISSING;
  }
  return LinkCost::MISSING;
}

// What the host lacks of one import, or has of another type, as problems of the plan.
class HostCheck {
 public:
  HostCheck(const call::Registry& registry, std::vector<Error>& problems)
      : registry_(registry), problems_(problems) {}

  void check(const WorkloadComponent& component, const PlannedLink& link) {
    const component::Program& program =
        host::ComponentState::of(component.component).executable->program();
    auto isOf = [&](const std::string& interface, const std::string& name) {
      return interface.empty() ? name == link.import : interface == link.import;
    };
    std::vector<std::string> missing;
    std::string where = "component " + component.name + ", import " + link.import;
    for (const component::ImportedFunction& import : program.imports) {
      if (!isOf(import.interface, import.name)) continue;
      const call::HostFunction* function = registry_.find(import.interface, import.name);
      if (!function) {
        missing.push_back(import.name + ": " + toString(import.type));
      } else if (function->mismatch) {
        std::string difference = function->mismatch(import.type);
        if (difference.empty()) continue;
        problems_.push_back(Error(
            ErrorCode::TYPE_MISMATCH,
            where + ", function " + import.name + ": the host has another type: " + difference));
      }
    }
    for (const component::ResourceInfo& resource : program.resources) {
      if (!resource.imported || !isOf(resource.interface, resource.name)) continue;
      if (!registry_.findResource(resource.interface, resource.name)) {
        missing.push_back(resource.name + ": resource");
      }
    }
    if (missing.empty()) return;
    Error error(ErrorCode::MISSING_IMPORT, where + ": the host does not have ");
    if (missing.size() == 1) {
      error.message += "its " + missing.front();
    } else {
      error.message += std::to_string(missing.size()) + " things in it";
      for (const std::string& line : missing) {
        error.details += (error.details.empty() ? "  " : "\n  ") + line;
      }
    }
    problems_.push_back(std::move(error));
  }

 private:
  const call::Registry& registry_;
  std::vector<Error>& problems_;
};

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

const run::Source& sourceOf(const WorkloadComponent& component) {
  return *host::ComponentState::of(component.component).executable->source();
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

const char* toString(LinkCost cost) {
  switch (cost) {
    case LinkCost::FUSED:
      return "fused";
    case LinkCost::HOST:
      return "host";
    case LinkCost::NONE:
      return "types";
    case LinkCost::MISSING:
      return "missing";
  }
  return "";
}

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

Error WorkloadPlan::error() const {
  if (problems.size() == 1) return problems.front();
  Error error(problems.front().code, std::to_string(problems.size()) + " problems");
  for (const Error& problem : problems) {
    if (!error.details.empty()) error.details += "\n";
    error.details += "  " + problem.message;
    if (!problem.details.empty()) error.details += "\n  ";
    for (char c : problem.details) {
      error.details += c;
      if (c == '\n') error.details += "  ";
    }
  }
  return error;
}

namespace host {

Result<void> WorkloadState::describe() {
  std::map<const run::Source*, component::ComponentInterface> known;
  for (size_t i = described.size(); i < components.size(); ++i) {
    const run::Source& source = sourceOf(components[i]);
    auto found = known.find(&source);
    if (found == known.end()) {
      TENON_TRY(auto interface, interfaces.describe(source.definitions()));
      found = known.emplace(&source, interface).first;
    }
    described.push_back(found->second);
  }
  return {};
}

link::Plan WorkloadState::linkPlan(
    const std::function<bool(std::string_view)>& hostProvides) const {
  std::vector<link::Part> parts;
  for (size_t i = 0; i < components.size(); ++i) {
    link::Part& part = parts.emplace_back();
    part.name = components[i].name;
    part.definitions = &sourceOf(components[i]).definitions();
    for (const auto& [import, link] : components[i].links) {
      auto place = places.find({components[i].name, import});
      part.links[import] = {.to = link.to,
                            .own = link.instance == WorkloadLink::Instance::OWN,
                            .item = link.item,
                            .place = place == places.end() ? "" : place->second};
    }
  }
  std::vector<link::Route> planRoutes;
  for (size_t i = 0; i < routes.size(); ++i) {
    planRoutes.push_back({.text = routes[i].match,
                          .to = routes[i].component,
                          .place = i < routePlaces.size() ? routePlaces[i] : ""});
  }
  return link::plan(parts, described, interfaces, hostProvides, planRoutes);
}

std::vector<Error> WorkloadState::linkProblems() {
  std::lock_guard lock(joining);
  if (auto known = describe(); !known) return {std::move(known).error()};
  return linkPlan([](std::string_view) { return true; }).problems;
}

WorkloadPlan WorkloadState::plan(const LinkerState& linker) {
  WorkloadPlan result;
  std::lock_guard lock(joining);
  if (auto known = describe(); !known) {
    result.problems.push_back(std::move(known).error());
    return result;
  }
  link::Plan planned = linkPlan([&](std::string_view import) {
    return linker.registry.hasInterface(import) || linker.registry.find("", import) ||
           linker.registry.findResource("", import);
  });
  result.problems = std::move(planned.problems);
  result.unreached = std::move(planned.unreached);
  HostCheck hostCheck(linker.registry, result.problems);
  std::set<size_t> checked;
  for (link::PlannedPart& part : planned.parts) {
    const WorkloadComponent& component = components[part.part];
    PlannedComponent& made = result.components.emplace_back();
    made.name = std::move(part.name);
    made.component = component.name;
    made.source = component.component.name();
    made.program = part.program;
    made.answers = part.answers;
    bool first = checked.insert(part.part).second;
    for (link::PlannedImport& import : part.imports) {
      made.links.push_back({std::move(import.name), std::move(import.kind), costOf(import.cost),
                            std::move(import.component), std::move(import.item)});
      if (first && import.cost == link::Cost::HOST) hostCheck.check(component, made.links.back());
    }
  }
  result.routes = routes;
  if (result.routes.empty()) {
    if (auto front = findFront(result)) result.routes.push_back({"/", *front});
  }
  return result;
}

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

Error host::noHandler(std::string_view who) {
  return Error(ErrorCode::MISSING_EXPORT,
               std::string(who) + " wasi:http/incoming-handler: it answers no requests");
}

Result<std::string> host::findFront(const WorkloadPlan& plan) {
  std::set<std::string_view> linkedTo;
  for (const PlannedComponent& planned : plan.components) {
    for (const PlannedLink& link : planned.links) linkedTo.insert(link.component);
  }
  std::vector<std::string> all, outer;
  for (const PlannedComponent& planned : plan.components) {
    if (!planned.answers) continue;
    all.push_back(planned.name);
    if (!linkedTo.contains(planned.name)) outer.push_back(planned.name);
  }
  if (all.empty()) return noHandler("no component of the workload exports");
  if (all.size() == 1) return all.front();
  if (outer.size() == 1) return outer.front();
  Error error(ErrorCode::AMBIGUOUS, std::to_string(all.size()) +
                                        " components of the workload answer HTTP requests: say "
                                        "which");
  for (const std::string& name : all) {
    error.details += (error.details.empty() ? "  " : "\n  ") + name;
  }
  return error;
}

Error host::noComponent(const WorkloadPlan& plan, std::string_view name) {
  Error error(ErrorCode::NOT_FOUND, "there is no component '" + std::string(name) + "'");
  for (const PlannedComponent& planned : plan.components) {
    error.details += (error.details.empty() ? "  " : "\n  ") + planned.name;
  }
  return error;
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
