#include "host/workload.h"

#include "host/component.h"
#include "host/engine.h"
#include "host/isolated.h"
#include "host/prepared.h"

#include <tenon/prepared.h>
#include <tenon/workload.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace tenon {
namespace {

// What the executable of a store is made of, as a key.
std::string keyOf(const link::Store& store) {
  std::string key;
  for (const link::PlannedPart& part : store.parts) {
    key += part.name + "=" + std::to_string(part.component) + "\n";
    for (const auto& wire : link::wiresOf(part)) {
      key += "  " + wire.import + "=" + std::to_string(wire.part) + ":" + wire.item + "\n";
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

void give(WasiOptions& to, const WasiOptions& given, Share share) {
  to.output = given.output;
  to.error = given.error;
  to.onRefusal = given.onRefusal;
  if (share == Share::OUTPUT) return;
  to.input = given.input;
  to.arguments.insert(to.arguments.end(), given.arguments.begin(), given.arguments.end());
  grant(to, given);
}

namespace host {

Result<std::vector<std::shared_ptr<const run::Executable>>> WorkloadState::join(
    const Planned& plan) {
  std::lock_guard lock(joining);
  std::vector<std::shared_ptr<const run::Executable>> joined;
  for (const link::Store& store : plan.stores) {
    TENON_TRY(auto executable, joinStore(store));
    joined.push_back(std::move(executable));
  }
  return joined;
}

Result<std::shared_ptr<const run::Executable>> WorkloadState::joinStore(const link::Store& store) {
  std::string key = keyOf(store);
  if (auto known = executables.find(key); known != executables.end()) return known->second;
  std::vector<run::Executable::Part> parts;
  for (const link::PlannedPart& planned : store.parts) {
    const Component& component = components[planned.component].component;
    parts.push_back({.name = planned.name,
                     .bytes = {},
                     .wires = link::wiresOf(planned),
                     .source = ComponentState::of(component).executable->source()});
  }
  EngineState& engineState = EngineState::of(engine);
  auto rewriting =
      engineState.options.rewriting ? component::Rewriting::ON : component::Rewriting::OFF;
  const engine::ArtifactCache* cache = engineState.cache ? &*engineState.cache : nullptr;
  std::optional<run::Executable::Programs> programs;
  if (cache) programs.emplace(*engineState.engine, *cache);
  TENON_TRY(auto joined,
            run::Executable::link(std::move(parts), name, rewriting, programs, &cacheWarning));
  TENON_CHECK(
      joined->compile(engineState.engine, cache, &cacheWarning, engineState.compileLimits()));
  return executables.emplace(std::move(key), std::move(joined)).first->second;
}

Result<std::shared_ptr<const PreparedState>> WorkloadState::prepare(LinkerState& linker) {
  auto planned = linker.plan(shared_from_this());
  if (!planned->shown.ok()) return planned->shown.error();
  TENON_TRY(auto executables, join(*planned));
  StoreLinker storeLinker(engine, linker, planned->stores, std::move(executables));
  TENON_TRY(auto linked, storeLinker.link());
  std::vector<transport::Target> targets = storeLinker.takeTargets();
  auto prepareStore = [&](size_t number) {
    PreparedState prepared{.engine = engine, .linked = std::move(linked[number])};
    for (const link::PlannedPart& part : planned->stores[number].parts) {
      prepared.granted.push_back(components[part.component].wasi);
    }
    return prepared;
  };
  PreparedState prepared = prepareStore(0);
  prepared.plan = {planned, &planned->shown};
  prepared.timeout = settings.timeout;
  prepared.maxMemory = settings.maxMemory;
  for (size_t i = 1; i < planned->stores.size(); ++i) {
    const PlannedStore& shown = planned->shown.isolated[i - 1];
    PreparedState store = prepareStore(i);
    store.plan = std::make_shared<const WorkloadPlan>(WorkloadPlan{.components = shown.components});
    store.timeout = shown.timeout;
    store.maxMemory = shown.maxMemory;
    prepared.isolated.push_back({std::make_shared<const PreparedState>(std::move(store)),
                                 std::make_shared<const transport::Target>(std::move(targets[i]))});
  }
  return std::make_shared<const PreparedState>(std::move(prepared));
}

}  // namespace host

// -- Workload -------------------------------------------------------------------------------------

const std::string& Workload::name() const { return state_->name; }

const std::vector<WorkloadComponent>& Workload::components() const { return state_->components; }

const std::vector<HttpRoute>& Workload::routes() const { return state_->routes; }

const WorkloadSettings& Workload::settings() const { return state_->settings; }

WorkloadPlan Workload::plan(const Linker& linker) const {
  return host::LinkerState::of(linker).plan(state_)->shown;
}

Result<void> Workload::compile(const Linker& linker) const {
  auto plan = host::LinkerState::of(linker).plan(state_);
  if (!plan->shown.ok()) return plan->shown.error();
  TENON_TRY([[maybe_unused]] auto executables, state_->join(*plan));
  return {};
}

std::string Workload::warning() const {
  std::lock_guard lock(state_->joining);
  return state_->cacheWarning;
}

Result<Instance> Workload::instantiate(Linker& linker, Loop& loop,
                                       const WorkloadOptions& options) const {
  TENON_TRY(Prepared prepared, linker.prepare(*this));
  return prepared.instantiate(loop, options);
}

}  // namespace tenon
