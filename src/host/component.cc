#include "host/component.h"

#include "base/edit_distance.h"
#include "component/binary/decoder.h"
#include "component/wit/wit.h"
#include "host/engine.h"
#include "host/linker.h"
#include "host/prepared.h"
#include "host/workload.h"

#include <tenon/component.h>

#include <algorithm>
#include <utility>

namespace tenon {
namespace {

// Collects the functions of an export list, interfaces first to last.
void collect(const std::vector<component::ProgramExport>& exports, const std::string& interface,
             std::vector<FunctionInfo>& out) {
  for (const component::ProgramExport& item : exports) {
    if (auto* lifted = std::get_if<component::LiftedFunction>(&item.item)) {
      out.push_back({interface, item.name, lifted->type});
    } else if (auto* instance = std::get_if<component::ExportedInstance>(&item.item)) {
      // Only the outermost level has interfaces; deeper ones cannot be named by a world.
      if (interface.empty()) collect(instance->exports, item.name, out);
    }
  }
}

// "[method]counter.increment" -> "counter.increment": as people write it.
std::string plainName(const std::string& name) {
  return name.starts_with('[') ? name.substr(name.find(']') + 1) : name;
}

// Exports that an error lists, the nearest first.
constexpr size_t MAX_LISTED = 12;

// The function on one line of a list.
std::string listLine(const FunctionInfo& function) {
  constexpr size_t MAX_TYPE = 160;
  std::string type = toString(function.type);
  if (type.size() > MAX_TYPE) type = type.substr(0, MAX_TYPE - 3) + "...";
  return "  " + function.path() + ": " + type;
}

std::string withoutVersion(const std::string& interface) {
  return interface.substr(0, interface.find('@'));
}

// "demo:shop/cart@1.0.0" -> "cart": the interface's own name is enough too.
std::string briefName(const std::string& interface) {
  std::string unversioned = withoutVersion(interface);
  return unversioned.substr(unversioned.rfind('/') + 1);
}

// Whether a function goes by a name that is not its full path.
bool isCalled(const FunctionInfo& function, const std::string& name) {
  std::string unversioned = withoutVersion(function.interface);
  std::string brief = briefName(function.interface);
  for (const std::string& given : {function.name, plainName(function.name)}) {
    if (name == given || name == function.interface + "." + given ||
        name == unversioned + "." + given || name == brief + "." + given) {
      return true;
    }
  }
  return false;
}

// How far a word is from the nearest of a function's names: its own, also without its resource
// ("increment"), behind its interface's, or the whole path. `close`: what is not nearer is all the
// same.
size_t distanceTo(const FunctionInfo& function, const std::string& word, size_t close) {
  const std::string plain = plainName(function.name);
  const std::string brief = briefName(function.interface);
  size_t nearest = SIZE_MAX;
  for (const std::string& name : {plain, plain.substr(plain.find('.') + 1), function.name,
                                  brief + "." + plain, function.path()}) {
    size_t apart = std::max(name.size(), word.size()) - std::min(name.size(), word.size());
    if (apart >= std::min(nearest, close)) continue;
    nearest = std::min(nearest, base::editDistance(word, name));
  }
  return nearest;
}

// The shortest name that leads to a function and to no other.
std::string shortestPath(const std::vector<FunctionInfo>& all, const FunctionInfo& function) {
  const std::string plain = plainName(function.name);
  for (const std::string& name : {plain, briefName(function.interface) + "." + plain,
                                  withoutVersion(function.interface) + "." + plain}) {
    auto called = [&](const FunctionInfo& other) { return isCalled(other, name); };
    if (std::ranges::count_if(all, called) == 1) return name;
  }
  return function.path();
}

Result<std::shared_ptr<host::ComponentState>> linkComponent(const Engine& engine,
                                                            std::vector<std::byte> bytes,
                                                            std::string name) {
  bool rewriting = host::EngineState::of(engine).options.rewriting;
  auto state = std::make_shared<host::ComponentState>(engine);
  TENON_TRY(state->executable, run::Executable::link(std::move(bytes), std::move(name),
                                                     rewriting ? component::Rewriting::ON
                                                               : component::Rewriting::OFF));
  return state;
}

}  // namespace

namespace host {

std::vector<FunctionInfo> functionsOf(const std::vector<component::ProgramExport>& exports) {
  std::vector<FunctionInfo> functions;
  collect(exports, "", functions);
  return functions;
}

const component::LiftedFunction* findLifted(const std::vector<component::ProgramExport>& exports,
                                            std::string_view interface, std::string_view name) {
  for (const component::ProgramExport& item : exports) {
    if (interface.empty()) {
      auto* lifted = std::get_if<component::LiftedFunction>(&item.item);
      if (lifted && item.name == name) return lifted;
      continue;
    }
    auto* instance = std::get_if<component::ExportedInstance>(&item.item);
    if (!instance) continue;
    bool sameTrack = call::canonicalInterface(item.name) == call::canonicalInterface(interface);
    bool unversioned = std::string_view(item.name).substr(0, item.name.find('@')) == interface;
    if (!sameTrack && !unversioned) continue;
    if (auto* lifted = findLifted(instance->exports, "", name)) return lifted;
  }
  return nullptr;
}

Result<FunctionInfo> findFunction(const std::vector<FunctionInfo>& all, const std::string& name) {
  std::vector<const FunctionInfo*> found;
  for (const FunctionInfo& function : all) {
    if (function.path() == name) return function;
    if (isCalled(function, name)) found.push_back(&function);
  }
  if (found.size() == 1) return *found[0];
  if (!found.empty()) {
    Error error(ErrorCode::AMBIGUOUS, "'" + name + "' is exported " + std::to_string(found.size()) +
                                          " times: say which, with the full path");
    for (const FunctionInfo* function : found) error.details += listLine(*function) + "\n";
    return error;
  }
  Error error(ErrorCode::MISSING_EXPORT,
              all.empty() ? "there is no export '" + name + "': the component exports no function"
                          : "there is no export '" + name + "'");
  std::vector<std::pair<size_t, size_t>> nearest;  // distance and index
  const size_t close = name.size() / 2 + 1;
  for (size_t i = 0; i < all.size(); ++i) nearest.emplace_back(distanceTo(all[i], name, close), i);
  if (!nearest.empty() && std::ranges::min(nearest).first < close) {
    std::ranges::sort(nearest);
    error.message += "; did you mean '" + shortestPath(all, all[nearest[0].second]) + "'?";
  }
  size_t listed = std::min(nearest.size(), MAX_LISTED);
  for (size_t i = 0; i < listed; ++i) error.details += listLine(all[nearest[i].second]) + "\n";
  if (listed < nearest.size()) {
    error.details += "  and " + std::to_string(nearest.size() - listed) + " more\n";
  }
  return error;
}

}  // namespace host

// What compiled code must not be called.
constexpr std::string_view COMPONENT_SUFFIX = ".wasm";

std::string FunctionInfo::path() const { return interface.empty() ? name : interface + "." + name; }

Result<Component> Component::load(const Engine& engine, const std::string& path) {
  return host::loadComponent(engine, path, host::Pipes::BY_DESCRIPTOR);
}

Result<Component> host::loadComponent(const Engine& engine, const std::string& path, Pipes pipes) {
  TENON_TRY(std::vector<std::byte> bytes, readFile(path, pipes));
  if (!engine::looksLikeArtifact(bytes)) {
    auto component = linkComponent(engine, std::move(bytes), path);
    if (!component) {
      Error error = std::move(component).error();
      error.message = path + ": " + error.message;
      return error;
    }
    return host::ComponentState::wrap(*std::move(component));
  }
  // It runs as it is, with all that the user may do: not where a component is expected, which may
  // come from anywhere.
  if (path.ends_with(COMPONENT_SUFFIX)) {
    return Error(ErrorCode::PERMISSION,
                 path + ": this is compiled code under the name of a component, and is not run");
  }
  host::EngineState& engineState = host::EngineState::of(engine);
  TENON_TRY(engine::Artifact artifact, engine::readArtifact(engineState.engine, path, nullptr));
  TENON_TRY(auto state, linkComponent(engine, std::move(artifact.extra), path));
  artifact.extra.clear();
  auto info = engine::artifactInfoOf(path);
  if (!info || info->key != state->executable->key(*engineState.engine)) {
    return Error(ErrorCode::UNSUPPORTED, path +
                                             ": compiled by another version of Tenon or with "
                                             "other settings; compile it again");
  }
  TENON_CHECK(state->executable->adopt(std::move(artifact)));
  state->compiled = true;
  return host::ComponentState::wrap(std::move(state));
}

Result<Component> Component::fromBytes(const Engine& engine, std::span<const std::byte> bytes,
                                       std::string name) {
  TENON_TRY(auto state, linkComponent(engine, {bytes.begin(), bytes.end()}, std::move(name)));
  return host::ComponentState::wrap(std::move(state));
}

Result<std::string> Component::inspect(const std::string& path, InspectFormat format) {
  TENON_TRY(std::vector<std::byte> bytes, host::readFile(path, host::Pipes::BY_DESCRIPTOR));
  if (engine::looksLikeArtifact(bytes)) {
    return Error(ErrorCode::UNSUPPORTED,
                 path + ": this is compiled code, inspect the component that it was made from");
  }
  auto print = [&]() -> Result<std::string> {
    TENON_TRY(auto definitions, component::decode(bytes));
    return format == InspectFormat::JSON ? component::printWitJson(*definitions)
                                         : component::printWit(*definitions);
  };
  auto text = print();
  if (text) return text;
  Error error = std::move(text).error();
  error.message = path + ": " + error.message;
  return error;
}

Result<void> host::ComponentState::compile() {
  std::lock_guard lock(compiling);
  if (compiled) return {};
  EngineState& engineState = EngineState::of(engine);
  const engine::ArtifactCache* cache = engineState.cache ? &*engineState.cache : nullptr;
  TENON_CHECK(
      executable->compile(engineState.engine, cache, &cacheWarning, engineState.compileLimits()));
  compiled = true;
  return {};
}

Result<std::shared_ptr<const host::PreparedState>> host::ComponentState::prepare(
    const LinkerState& linker) {
  TENON_CHECK(compile());
  TENON_TRY(auto linked, linker.bind(engine, executable));
  auto plan = std::make_shared<const WorkloadPlan>(planAlone(*executable, linker.registry));
  return std::make_shared<const PreparedState>(PreparedState{
      .engine = engine, .linked = std::move(linked), .plan = std::move(plan), .granted = {{}}});
}

Result<void> Component::compile() const { return state_->compile(); }

Result<void> Component::save(const std::string& path) const {
  if (path.ends_with(COMPONENT_SUFFIX)) {
    return Error(ErrorCode::INVALID_ARGUMENT,
                 path + ": compiled code must have another name than components have");
  }
  TENON_CHECK(state_->compile());
  host::EngineState& engineState = host::EngineState::of(state_->engine);
  std::span<const std::byte> bytes = state_->executable->bytes();
  return engine::writeArtifact(path, state_->executable->key(*engineState.engine),
                               {.modules = state_->executable->modules(),
                                .extra = {bytes.begin(), bytes.end()},
                                .name = state_->executable->name()},
                               *engineState.engine, engine::Placement::USER);
}

Result<std::string> Component::wit() const {
  return component::printWit(state_->executable->source()->definitions());
}

Result<std::string> Component::witJson() const {
  return component::printWitJson(state_->executable->source()->definitions());
}

std::string Component::warning() const {
  std::lock_guard lock(state_->compiling);
  return state_->cacheWarning;
}

const std::string& Component::name() const { return state_->executable->name(); }

std::vector<FunctionInfo> Component::exports() const {
  return host::functionsOf(state_->executable->program().exports);
}

std::vector<FunctionInfo> Component::imports() const {
  std::vector<FunctionInfo> functions;
  for (const component::ImportedFunction& import : state_->executable->program().imports) {
    functions.push_back({import.interface, import.name, import.type});
  }
  return functions;
}

Result<FunctionInfo> Component::findExport(const std::string& name) const {
  return host::findFunction(exports(), name);
}

}  // namespace tenon
