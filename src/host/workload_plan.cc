// What a workload becomes: link/plan's answer, checked against the host's types, as embedders see
// it.

#include "base/suggest.h"
#include "host/component.h"
#include "host/workload.h"
#include "link/plan.h"
#include "run/source.h"
#include "wasi/wasi.h"

#include <tenon/workload.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <variant>

namespace tenon {
namespace {

// What the host lacks of one import, or has of another type, as problems of the plan.
class HostCheck {
 public:
  HostCheck(const call::Registry& registry, std::vector<Error>& problems)
      : registry_(registry), problems_(problems) {}

  // `wanted`: an import that the host is to satisfy.
  void check(const WorkloadComponent& component, const std::string& wanted) {
    const component::Program& program =
        host::ComponentState::of(component.component).executable->program();
    auto isOf = [&](const std::string& interface, const std::string& name) {
      return interface.empty() ? name == wanted : interface == wanted;
    };
    std::vector<std::string> missing;
    std::string where = "component " + component.name + ", import " + wanted;
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

const run::Source& sourceOf(const WorkloadComponent& component) {
  return *host::ComponentState::of(component.component).executable->source();
}

link::Provider providerOf(const call::Registry& registry, std::string_view import) {
  if (const std::string* plugin = registry.findPlugin(import)) {
    if (*plugin == wasi::PLUGIN) return link::Wasi{};
    return link::Plugin{*plugin};
  }
  // At the root of a world.
  if (registry.find("", import) || registry.findResource("", import)) return link::Plugin{};
  return link::Missing{};
}

// Of a component that runs: nothing else can be imported. As component::typed::describe.
const char* kindOf(const component::ExternTypeRef& type) {
  using Kind = component::ExternTypeRef::Kind;
  return type.kind == Kind::FUNC ? "func" : type.kind == Kind::INSTANCE ? "instance" : "type";
}

// The names of those that are `wanted`, a line each.
template <typename Wanted>
std::string namesOf(const std::vector<PlannedComponent>& components, const Wanted& wanted) {
  std::string lines;
  for (const PlannedComponent& planned : components) {
    if (std::invoke(wanted, planned)) lines += (lines.empty() ? "  " : "\n  ") + planned.name;
  }
  return lines;
}

PlannedLink viewOf(const link::Link& link, const link::Store& store,
                   const std::vector<link::Store>& stores) {
  PlannedLink shown{.import = link.import,
                    .kind = std::string(link.kind),
                    .cost = link::costOf(link.provider),
                    .component = {},
                    .item = {},
                    .plugin = {}};
  if (auto* part = std::get_if<link::Part>(&link.provider)) {
    shown.component = store.parts[part->index].name;
    shown.item = part->item;
  } else if (auto* isolated = std::get_if<link::IsolatedPart>(&link.provider)) {
    const link::Store& other = stores[isolated->store];
    // A plan with problems may have looked at no more than its name.
    shown.component = other.parts.empty() ? link.said->to : other.parts[other.called].name;
    shown.item = isolated->item;
    shown.isolated = isolated->store - 1;
  } else if (auto* plugin = std::get_if<link::Plugin>(&link.provider)) {
    shown.plugin = plugin->name;
  } else if (std::holds_alternative<link::Wasi>(link.provider)) {
    shown.plugin = wasi::PLUGIN;
  }
  return shown;
}

}  // namespace

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

Result<const PlannedComponent*> WorkloadPlan::find(std::string_view name) const {
  base::Nearest nearest(name);
  for (const PlannedComponent& planned : components) {
    if (planned.name == name || (name.empty() && components.size() == 1)) return &planned;
    nearest.offer(planned.name);
  }
  Error error(ErrorCode::NOT_FOUND,
              "there is no component '" + std::string(name) + "'" + nearest.question());
  auto isIt = [&](const PlannedStore& store) { return store.name == name; };
  if (std::ranges::any_of(isolated, isIt)) {
    error.message = "component '" + std::string(name) + "' stands behind isolated links only";
  }
  if (name.empty()) {
    error = Error(ErrorCode::AMBIGUOUS, "the workload has " + std::to_string(components.size()) +
                                            " components: say which");
  }
  error.details = namesOf(components, [](const PlannedComponent& each) {
    return !each.name.empty();  // a component by itself
  });
  return error;
}

Result<const PlannedComponent*> WorkloadPlan::findProgram(std::string_view name) const {
  constexpr auto PROGRAM = &PlannedComponent::program;
  if (!name.empty()) {
    TENON_TRY(const PlannedComponent* named, find(name));
    if (named->program) return named;
    return Error(ErrorCode::MISSING_EXPORT, "component '" + std::string(name) +
                                                "' does not export wasi:cli/run: it is no program");
  }
  auto count = std::ranges::count_if(components, PROGRAM);
  if (count == 1) return &*std::ranges::find_if(components, PROGRAM);
  if (count == 0) {
    return Error(ErrorCode::MISSING_EXPORT,
                 "no component exports wasi:cli/run: there is no program");
  }
  Error error(ErrorCode::AMBIGUOUS, std::to_string(count) + " components are programs");
  error.details = namesOf(components, PROGRAM);
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

link::Plan WorkloadState::linkPlan(const link::HostProvides& hostProvides) const {
  std::vector<link::Deployed> deployed;
  for (size_t i = 0; i < components.size(); ++i) {
    deployed.push_back({components[i].name, described[i], components[i].links});
  }
  return link::plan(deployed, interfaces, hostProvides, routes);
}

std::vector<Error> WorkloadState::linkProblems() {
  std::lock_guard lock(joining);
  if (auto known = describe(); !known) return {std::move(known).error()};
  return linkPlan([](std::string_view) { return link::Plugin{}; }).problems;
}

Planned WorkloadState::plan(const call::Registry& registry) {
  Planned result;
  std::lock_guard lock(joining);
  if (auto known = describe(); !known) {
    result.shown.problems.push_back(std::move(known).error());
    return result;
  }
  link::Plan plan = linkPlan([&](std::string_view import) { return providerOf(registry, import); });
  result.shown = view(plan);
  HostCheck hostCheck(registry, result.shown.problems);
  std::set<size_t> checked;
  for (const link::Store& store : plan.stores) {
    for (const link::PlannedPart& part : store.parts) {
      if (!checked.insert(part.component).second) continue;
      for (const link::Link& link : part.links) {
        if (link::costOf(link.provider) != LinkCost::HOST) continue;
        hostCheck.check(components[part.component], link.import);
      }
    }
  }
  result.stores = std::move(plan.stores);
  return result;
}

WorkloadPlan WorkloadState::view(const link::Plan& plan) const {
  WorkloadPlan shown;
  shown.problems = plan.problems;
  shown.unreached = plan.unreached;
  auto show = [&](const link::Store& store) {
    std::vector<PlannedComponent> all;
    for (const link::PlannedPart& part : store.parts) {
      const WorkloadComponent& component = components[part.component];
      PlannedComponent& made = all.emplace_back();
      made.name = part.name;
      made.component = component.name;
      made.source = component.component.name();
      made.program = part.program;
      made.answers = part.answers;
      for (const link::Link& link : part.links) {
        made.links.push_back(viewOf(link, store, plan.stores));
      }
    }
    return all;
  };
  shown.components = show(plan.stores.front());
  for (size_t i = 1; i < plan.stores.size(); ++i) {
    const link::Store& store = plan.stores[i];
    PlannedStore& made = shown.isolated.emplace_back();
    made.name = store.name;
    made.components = show(store);
    if (!store.parts.empty()) made.called = store.parts[store.called].name;
    made.timeout = store.timeout;
    made.maxMemory = store.maxMemory;
    made.instances = store.instances;
  }
  shown.routes = routes;
  if (shown.routes.empty()) {
    if (auto handler = findHttpHandler(shown)) shown.routes.push_back({"/", *handler});
  }
  return shown;
}

WorkloadPlan planAlone(const run::Executable& executable, const call::Registry& registry) {
  const component::Program& program = executable.program();
  PlannedComponent itself{
      .source = executable.name(),
      .program = findLifted(program.exports, RUN, "run") != nullptr,
      .answers = findLifted(program.exports, HTTP_HANDLER, "handle") != nullptr};
  // The imports that have something to call, or to drop.
  std::set<std::string_view> used;
  for (const auto& import : program.imports) {
    used.insert(import.interface.empty() ? import.name : import.interface);
  }
  for (const auto& resource : program.resources) {
    if (resource.imported) {
      used.insert(resource.interface.empty() ? resource.name : resource.interface);
    }
  }
  for (const component::Definition& definition : executable.source()->definitions().definitions) {
    auto* import = std::get_if<component::Import>(&definition.def);
    if (!import) continue;
    link::Link link{.import = std::string(import->name.name), .kind = kindOf(import->type)};
    link.provider = link::OnlyTypes{};
    if (used.contains(link.import)) link.provider = providerOf(registry, link.import);
    itself.links.push_back(viewOf(link, {}, {}));
  }
  WorkloadPlan plan;
  if (itself.answers) plan.routes.push_back({"/", itself.name});
  plan.components.push_back(std::move(itself));
  return plan;
}

Error noHandler(std::string_view who) {
  return Error(ErrorCode::MISSING_EXPORT,
               std::string(who) + " wasi:http/incoming-handler: it answers no requests");
}

Result<std::string> findHttpHandler(const WorkloadPlan& plan) {
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

}  // namespace host

}  // namespace tenon
