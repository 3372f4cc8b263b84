#include "cli/commands.h"
#include "cli/guest.h"
#include "cli/parse.h"
#include "cli/report.h"

#include <tenon/component.h>
#include <tenon/linker.h>
#include <tenon/workload.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <utility>

namespace tenon::cli {
namespace {

// What the host must provide to a workload: the import, and the components that want it.
using HostImports = std::map<std::string, Words>;

HostImports hostImportsOf(const WorkloadPlan& plan) {
  HostImports imports;
  auto add = [&](const std::vector<PlannedComponent>& components) {
    for (const PlannedComponent& component : components) {
      for (const PlannedLink& link : component.links) {
        if (link.cost != LinkCost::HOST && link.cost != LinkCost::MISSING) continue;
        Words& users = imports[link.import];
        if (std::ranges::find(users, component.component) == users.end()) {
          users.push_back(component.component);
        }
      }
    }
  };
  add(plan.components);
  for (const PlannedStore& store : plan.isolated) add(store.components);
  return imports;
}

Result<std::string> asText(const Workload& workload, const HostImports& imports) {
  std::string text;
  for (const WorkloadComponent& component : workload.components()) {
    TENON_TRY(std::string wit, component.component.wit());
    text +=
        "// component " + component.name + ": " + component.component.name() + "\n" + wit + "\n";
  }
  text += "// " +
          std::string(imports.empty() ? "the workload imports nothing" : "the workload imports") +
          "\n";
  for (const auto& [import, users] : imports) {
    text += "//   " + import + " (";
    for (const std::string& user : users) text += (&user == &users.front() ? "" : ", ") + user;
    text += ")\n";
  }
  return text;
}

Result<std::string> asJson(const Workload& workload, const HostImports& imports) {
  nlohmann::ordered_json root;
  root["name"] = workload.name();
  root["components"] = nlohmann::ordered_json::array();
  for (const WorkloadComponent& component : workload.components()) {
    TENON_TRY(std::string wit, component.component.witJson());
    root["components"].push_back({{"name", component.name},
                                  {"source", component.component.name()},
                                  {"wit", nlohmann::ordered_json::parse(wit)}});
  }
  root["imports"] = nlohmann::ordered_json::array();
  for (const auto& [import, users] : imports) {
    root["imports"].push_back({{"name", import}, {"components", users}});
  }
  return root.dump(2) + "\n";
}

Result<std::string> inspectWorkload(const std::string& path, InspectFormat format) {
  GuestOptions guest;
  guest.noCache = true;  // compiles nothing
  TENON_TRY(Workload workload, loadWorkload(path, guest));
  Linker linker;
  linker.wasi();
  HostImports imports = hostImportsOf(workload.plan(linker));
  return format == InspectFormat::JSON ? asJson(workload, imports) : asText(workload, imports);
}

}  // namespace

int inspectCommand(const Words& words) {
  CLI::App command("Prints what a component imports and exports, as WIT.", "tenon inspect");
  std::string file;
  bool json = false;
  command.add_option("FILE", file, "The component, a workload's folder or its tenon.toml")
      ->required();
  command.add_flag("--json", json, "Print JSON");
  command.footer(
      "Of a workload: the world of each component, and what the workload as a whole imports.\n"
      "Example: tenon inspect hello.wasm");
  if (auto exit = parse(command, words)) return *exit;
  // A component is read, and no more: also one that Tenon cannot link is shown, asynchronous
  // functions and all. What a workload imports is known when its components are linked.
  bool workload = Workload::isManifest(file);
  InspectFormat format = json ? InspectFormat::JSON : InspectFormat::WIT;
  auto text = workload ? inspectWorkload(file, format) : Component::inspect(file, format);
  if (!text) {
    printError(text.error());
    return exitCodeOf(text.error(), file);
  }
  return showForeign(*text, json ? Foreign::JSON : Foreign::TEXT);
}

}  // namespace tenon::cli
