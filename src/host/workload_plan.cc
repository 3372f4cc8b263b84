// What a workload becomes: link/plan's answer, checked against the host's types, as embedders see
// it.

#include "host/component.h"
#include "host/workload.h"
#include "link/plan.h"
#include "run/source.h"

#include <tenon/workload.h>

#include <algorithm>
#include <map>
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

const run::Source& sourceOf(const WorkloadComponent& component) {
  return *host::ComponentState::of(component.component).executable->source();
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
    if (auto handler = findHttpHandler(result)) result.routes.push_back({"/", *handler});
  }
  return result;
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

Error noComponent(const WorkloadPlan& plan, std::string_view name) {
  Error error(ErrorCode::NOT_FOUND, "there is no component '" + std::string(name) + "'");
  for (const PlannedComponent& planned : plan.components) {
    error.details += (error.details.empty() ? "  " : "\n  ") + planned.name;
  }
  return error;
}

}  // namespace host

}  // namespace tenon
