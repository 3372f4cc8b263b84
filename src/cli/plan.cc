#include "cli/plan.h"

#include "cli/commands.h"
#include "cli/guest.h"
#include "cli/parse.h"
#include "cli/report.h"

#include <tenon/component.h>
#include <tenon/linker.h>
#include <tenon/text.h>
#include <tenon/workload.h>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <map>
#include <utility>
#include <vector>

namespace tenon::cli {
namespace {

constexpr std::string_view PLAIN = "\x1b[0m";
constexpr std::string_view BOLD = "\x1b[1m";

// One colour per cost, on a terminal and in a picture.
struct Look {
  std::string_view terminal;
  std::string_view picture;
};
Look lookOf(LinkCost cost) {
  switch (cost) {
    case LinkCost::FUSED:
      return {"\x1b[32m", "#1a7f37"};
    case LinkCost::ISOLATED:
      return {"\x1b[33m", "#9a6700"};
    case LinkCost::HOST:
      return {"\x1b[36m", "#57606a"};
    case LinkCost::NONE:
      return {"\x1b[2m", "#afb8c1"};
    case LinkCost::MISSING:
      return {"\x1b[1;31m", "#cf222e"};
  }
  return {};
}

std::string counted(size_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

// The components of all stores, each with its name there: "pricing (isolated)" for the one that is
// called in a store of its own, "rates (in pricing)" for what is fused to it.
struct Placed {
  const PlannedComponent* component = nullptr;
  std::string name;
};
std::vector<Placed> placed(const WorkloadPlan& plan) {
  std::vector<Placed> all;
  for (const PlannedComponent& component : plan.components) {
    all.push_back({&component, component.name});
  }
  for (const PlannedStore& store : plan.isolated) {
    for (const PlannedComponent& component : store.components) {
      bool isCalled = component.name == store.called;
      all.push_back({&component, isCalled ? store.name + " (isolated)"
                                          : component.name + " (in " + store.name + ")"});
    }
  }
  return all;
}

size_t countOf(const WorkloadPlan& plan, LinkCost cost) {
  size_t count = 0;
  for (const Placed& each : placed(plan)) {
    count +=
        static_cast<size_t>(std::ranges::count(each.component->links, cost, &PlannedLink::cost));
  }
  return count;
}

std::string seconds(std::chrono::nanoseconds time) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.6g s", std::chrono::duration<double>(time).count());
  return text;
}

std::string mebibytes(uint64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.6g MiB", static_cast<double>(bytes) / (1 << 20));
  return text;
}

// "reused, 100 calls each, gone after 30 s, 0.05 s a call, 16 MiB of memory".
std::string policyOf(const PlannedStore& store) {
  const InstancePolicy& policy = store.instances;
  std::string text = toString(policy.life);
  if (policy.max != 0) text += ", at most " + std::to_string(policy.max);
  if (policy.maxCalls != 0) text += ", " + std::to_string(policy.maxCalls) + " calls each";
  if (policy.idle) text += ", gone after " + seconds(*policy.idle);
  if (store.timeout) text += ", " + seconds(*store.timeout) + " a call";
  if (store.maxMemory) text += ", " + mebibytes(*store.maxMemory) + " of memory";
  return text;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::vector<std::string> namesOf(const Variables& variables) {
  std::vector<std::string> names;
  for (const auto& [name, value] : variables) names.push_back(name);
  return names;
}

// "2 components, 36 imports: 3 fused, 33 host".
std::string summary(const WorkloadPlan& plan) {
  size_t imports = 0;
  const std::vector<Placed> all = placed(plan);
  for (const Placed& each : all) imports += each.component->links.size();
  std::string text = counted(all.size(), "component") + ", " + counted(imports, "import");
  std::string costs;
  for (LinkCost cost :
       {LinkCost::FUSED, LinkCost::ISOLATED, LinkCost::HOST, LinkCost::NONE, LinkCost::MISSING}) {
    size_t count = countOf(plan, cost);
    if (count == 0) continue;
    costs += (costs.empty() ? ": " : ", ") + std::to_string(count) + " " + toString(cost);
  }
  return text + costs;
}

bool isWasi(const PlannedLink& link) { return link.plugin == "wasi"; }

// What is in the last column.
std::string providerOf(const PlannedLink& link, const WorkloadPlan& plan) {
  // The export has another name when its version differs.
  std::string item = link.item == link.import ? "" : ", " + link.item;
  switch (link.cost) {
    case LinkCost::FUSED:
      return link.component + item;
    case LinkCost::ISOLATED: {
      const PlannedStore& store = plan.isolated[link.isolated];
      return store.name + item + ": " + policyOf(store);
    }
    case LinkCost::HOST:
      return isWasi(link) ? "host, WASI" : "host";
    case LinkCost::NONE:
      return "only types, nothing is called";
    case LinkCost::MISSING:
      return "nothing, see below";
  }
  return "";
}

// What a manifest lets a component use, a line each. Values of the environment may be secrets.
std::vector<std::string> grantsOf(const WasiOptions& wasi) {
  std::vector<std::string> lines;
  for (const DirectoryGrant& directory : wasi.directories) {
    lines.push_back("directory " + directory.host + " as " + directory.guest +
                    (directory.readOnly ? ", read only" : ""));
  }
  auto add = [&](const std::string& what, const std::vector<std::string>& names) {
    if (!names.empty()) lines.push_back(what + joined(names));
  };
  add("connects to ", wasi.network.connect);
  add("listens at ", wasi.network.listen);
  add("HTTP to ", wasi.http.allow);
  add("environment ", namesOf(wasi.environment));
  add("configuration ", namesOf(wasi.configuration));
  return lines;
}

nlohmann::ordered_json grantsJson(const WasiOptions& wasi) {
  auto directories = nlohmann::ordered_json::array();
  for (const DirectoryGrant& directory : wasi.directories) {
    directories.push_back({{"host", directory.host},
                           {"guest", directory.guest},
                           {"access", directory.readOnly ? "read" : "write"}});
  }
  return {{"dirs", std::move(directories)},      {"allow-net", wasi.network.connect},
          {"allow-listen", wasi.network.listen}, {"allow-http", wasi.http.allow},
          {"env", namesOf(wasi.environment)},    {"config", namesOf(wasi.configuration)}};
}

// "Granted:" and a line for each grant of each component; then what the manifest took from outside.
std::string grantsText(const Workload& workload) {
  std::string text = "Granted:\n";
  size_t width = 0;
  for (const WorkloadComponent& component : workload.components()) {
    width = std::max(width, component.name.size());
  }
  for (const WorkloadComponent& component : workload.components()) {
    std::vector<std::string> lines = grantsOf(component.wasi);
    if (lines.empty()) lines.emplace_back("nothing");
    std::string name = component.name;
    for (const std::string& line : lines) {
      name.resize(width, ' ');
      text += "  " + std::exchange(name, {}) + "  " + printable(line) + "\n";
    }
  }
  const WorkloadSettings& settings = workload.settings();
  if (settings.timeout || settings.maxMemory) {
    std::vector<std::string> limits;
    if (settings.timeout) limits.push_back(seconds(*settings.timeout) + " a call");
    if (settings.maxMemory) limits.push_back(mebibytes(*settings.maxMemory) + " of memory");
    text += "Limits: " + joined(limits) + "\n";
  }
  if (!settings.variables.empty()) {
    text += "Read from the environment: " + printable(joined(settings.variables)) + "\n";
  }
  return text;
}

// Letters and combining signs that are one column each; names are ASCII, but for what a file has.
size_t widthOf(std::string_view text) {
  return static_cast<size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string dotQuoted(std::string_view text) {
  std::string result = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

// "wasi:io/streams@0.2.6" -> "wasi:io".
std::string packageOf(const std::string& import) {
  size_t end = import.find('/');
  return end == std::string::npos ? import : import.substr(0, end);
}

// The label of an edge: each line flush left.
std::string label(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) {
    std::string quoted = dotQuoted(line);
    text += quoted.substr(1, quoted.size() - 2) + "\\l";
  }
  return "\"" + text + "\"";
}

// "  from -> to [label...", to be closed.
std::string beginEdge(const std::string& from, const std::string& to, std::string_view colour,
                      const std::vector<std::string>& lines) {
  return "  " + dotQuoted(from) + " -> " + dotQuoted(to) + " [label=" + label(lines) +
         ", color=" + dotQuoted(colour) + ", fontcolor=" + dotQuoted(colour);
}

// The imports of one component that one provider satisfies.
std::string edge(const Placed& from, const std::string& to, LinkCost cost,
                 const std::vector<std::string>& lines) {
  std::string text = beginEdge("component " + from.name, to, lookOf(cost).picture, lines);
  if (cost == LinkCost::FUSED) text += ", penwidth=2";
  if (cost == LinkCost::MISSING) text += ", style=dashed";
  return text + "];\n";
}

// The workload that is planned: as its manifest has it, or one of the component in `path` alone.
Result<Workload> open(const std::string& path) {
  GuestOptions guest;
  guest.noCache = true;  // compiles nothing
  if (Workload::isManifest(path)) return loadWorkload(path, guest, checkServeSettings);
  TENON_TRY(EngineOptions options, guest.engineOptions());
  TENON_TRY(Engine engine, Engine::create(options));
  TENON_TRY(Component component, Component::load(engine, path));
  std::string name = path.substr(path.rfind('/') + 1);
  if (name.ends_with(".wasm")) name.resize(name.size() - 5);
  std::ranges::replace_if(
      name,
      [](unsigned char c) {
        return !(c < 0x80 && std::isalnum(c)) && c != '.' && c != '_' && c != '-';
      },
      '_');
  std::vector<WorkloadComponent> components;
  components.push_back({.name = name, .component = std::move(component)});
  return Workload::fromComponents(engine, name, std::move(components));
}

enum class Form : uint8_t { TABLE, JSON, DOT };

struct Shown {
  WorkloadPlan plan;
  std::string text;
};

Result<Shown> planOf(const std::string& path, Form form, Rows rows) {
  TENON_TRY(Workload workload, open(path));
  Linker linker;
  linker.wasi();
  WorkloadPlan plan = workload.plan(linker);
  for (Error& problem : checkServeSettings(workload.settings())) {
    plan.problems.push_back(std::move(problem));
  }
  switch (form) {
    case Form::TABLE: {
      Colour colour = hasColours(STDOUT_FILENO) ? Colour::YES : Colour::NO;
      std::string text = planTable(workload, plan, colour, rows);
      // A component alone was granted nothing yet.
      if (Workload::isManifest(path)) text += grantsText(workload);
      return Shown{plan, std::move(text)};
    }
    case Form::JSON:
      return Shown{plan, planJson(workload, plan)};
    case Form::DOT:
      return Shown{plan, planDot(workload, plan)};
  }
  return Error(ErrorCode::INTERNAL, "no such form");
}

}  // namespace

std::string planTable(const Workload& workload, const WorkloadPlan& plan, Colour colour,
                      Rows which) {
  auto paint = [&](std::string_view how, const std::string& text) {
    return colour == Colour::YES ? std::string(how) + text + std::string(PLAIN) : text;
  };
  constexpr size_t COLUMNS = 4;
  struct Row {
    std::array<std::string, COLUMNS> cells;
    std::string_view look;  // of the last two cells
  };
  std::vector<Row> rows;
  rows.push_back({{"COMPONENT", "IMPORT", "COST", "SATISFIED BY"}, BOLD});
  for (const Placed& each : placed(plan)) {
    const PlannedComponent& component = *each.component;
    auto folded = static_cast<size_t>(std::ranges::count_if(component.links, isWasi));
    bool folds = which == Rows::FOLDED && folded > 1;
    for (const PlannedLink& link : component.links) {
      std::string import = printable(link.import);
      if (folds && isWasi(link)) {
        if (folded == 0) continue;
        import = "wasi:* (" + std::to_string(std::exchange(folded, 0)) + ")";
      }
      rows.push_back(
          {{each.name, std::move(import), toString(link.cost), printable(providerOf(link, plan))},
           lookOf(link.cost).terminal});
    }
    if (component.links.empty()) rows.push_back({{each.name, "none", "", ""}, ""});
  }
  std::array<size_t, COLUMNS> widths = {};
  for (const Row& row : rows) {
    for (size_t i = 0; i < COLUMNS; ++i) widths[i] = std::max(widths[i], widthOf(row.cells[i]));
  }
  std::string text = paint(BOLD, printable(workload.name())) + ": " + summary(plan) + "\n\n";
  for (const Row& row : rows) {
    std::string line;
    for (size_t i = 0; i < COLUMNS; ++i) {
      bool painted = &row == &rows.front() || (i >= 2 && !row.cells[i].empty());
      line += painted ? paint(row.look, row.cells[i]) : row.cells[i];
      if (i + 1 < COLUMNS) line.append(widths[i] - widthOf(row.cells[i]) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  std::vector<std::string> programs;
  for (const PlannedComponent& component : plan.components) {
    if (component.program) programs.push_back(component.name);
  }
  text +=
      "\nProgram: " + (programs.empty() ? "none, nothing exports wasi:cli/run" : joined(programs)) +
      "\n";
  // Of a single component, that says nothing.
  if (plan.components.size() > 1 && !plan.unreached.empty()) {
    text += (programs.empty() ? "Used by no other component: " : "Reached by no program: ") +
            joined(plan.unreached) + "\n";
  }
  const std::vector<HttpRoute>& routes = plan.routes;
  if (!routes.empty()) {
    size_t width = 0;
    for (const HttpRoute& route : routes) width = std::max(width, widthOf(route.match));
    text += "HTTP requests:\n";
    for (const HttpRoute& route : routes) {
      std::string gap(width - widthOf(route.match) + 2, ' ');
      text += "  " + route.match + gap + route.component + "\n";
    }
  }
  return text;
}

std::string planJson(const Workload& workload, const WorkloadPlan& plan) {
  using Json = nlohmann::ordered_json;
  Json root = {{"name", workload.name()}, {"ok", plan.ok()}};
  auto show = [&](const std::vector<PlannedComponent>& components) {
    Json all = Json::array();
    for (const PlannedComponent& component : components) {
      Json imports = Json::array();
      for (const PlannedLink& link : component.links) {
        Json entry = {{"import", link.import}, {"kind", link.kind}, {"cost", toString(link.cost)}};
        if (link.cost == LinkCost::FUSED || link.cost == LinkCost::ISOLATED) {
          entry["component"] = link.component;
          entry["export"] = link.item;
        }
        if (link.cost == LinkCost::ISOLATED) entry["store"] = plan.isolated[link.isolated].name;
        imports.push_back(std::move(entry));
      }
      auto granted =
          std::ranges::find(workload.components(), component.component, &WorkloadComponent::name);
      all.push_back({{"name", component.name},
                     {"component", component.component},
                     {"source", component.source},
                     {"program", component.program},
                     {"grants", grantsJson(granted->wasi)},
                     {"imports", std::move(imports)}});
    }
    return all;
  };
  root["components"] = show(plan.components);
  for (const PlannedStore& store : plan.isolated) {
    const InstancePolicy& policy = store.instances;
    Json entry = {{"name", store.name}, {"called", store.called}};
    entry["instances"] = {{"policy", toString(policy.life)}};
    if (policy.max != 0) entry["instances"]["max"] = policy.max;
    if (policy.maxCalls != 0) entry["instances"]["max-calls"] = policy.maxCalls;
    if (policy.idle) {
      entry["instances"]["idle"] = std::chrono::duration<double>(*policy.idle).count();
    }
    if (store.timeout) {
      entry["timeout"] = std::chrono::duration<double>(*store.timeout).count();
    }
    if (store.maxMemory) entry["max-memory"] = *store.maxMemory;
    entry["components"] = show(store.components);
    root["isolated"].push_back(std::move(entry));
  }
  const WorkloadSettings& settings = workload.settings();
  root["limits"] = Json::object();
  if (settings.timeout) {
    root["limits"]["timeout"] = std::chrono::duration<double>(*settings.timeout).count();
  }
  if (settings.maxMemory) root["limits"]["max-memory"] = *settings.maxMemory;
  root["variables"] = settings.variables;
  root["unreached"] = plan.unreached;
  root["routes"] = Json::array();
  for (const HttpRoute& route : plan.routes) {
    root["routes"].push_back({{"match", route.match}, {"component", route.component}});
  }
  root["problems"] = Json::array();
  for (const Error& error : plan.problems) {
    root["problems"].push_back(
        {{"code", toString(error.code)}, {"message", error.text()}, {"details", error.details}});
  }
  return root.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string planDot(const Workload& workload, const WorkloadPlan& plan) {
  constexpr const char* HOST = "host";
  constexpr const char* NOTHING = "nothing";
  constexpr const char* REQUESTS = "requests";
  constexpr const char* REQUESTS_COLOUR = "#0969da";
  std::string text = "digraph " + dotQuoted(workload.name()) +
                     " {\n"
                     "  rankdir=LR; ranksep=1.2; label=" +
                     dotQuoted(workload.name() + ": " + summary(plan)) +
                     "; labelloc=t;\n"
                     "  fontname=\"Helvetica\"; node [fontname=\"Helvetica\", shape=box, "
                     "style=\"rounded,filled\", fillcolor=\"#ddf4ff\", color=\"#0969da\"];\n"
                     "  edge [fontname=\"Helvetica\", fontsize=10];\n";
  const std::vector<Placed> all = placed(plan);
  for (size_t i = 0; i < all.size(); ++i) {
    const PlannedComponent& component = *all[i].component;
    const bool isIsolated = i >= plan.components.size();
    bool unreached = !isIsolated &&
                     std::ranges::find(plan.unreached, component.name) != plan.unreached.end() &&
                     plan.components.size() > 1;
    text += "  " + dotQuoted("component " + all[i].name) + " [label=" + dotQuoted(all[i].name);
    if (component.program) text += ", penwidth=2.5, tooltip=\"program\"";
    if (isIsolated) text += ", fillcolor=\"#fff8c5\", color=\"#9a6700\"";
    if (unreached) text += ", fillcolor=\"#f6f8fa\", style=\"rounded,filled,dashed\"";
    text += "];\n";
  }
  // By name in the same store.
  std::map<std::pair<std::string_view, std::string>, std::string> nodes;
  for (size_t i = 0; i < plan.components.size(); ++i) {
    nodes[{"", all[i].component->name}] = all[i].name;
  }
  for (size_t i = plan.components.size(), s = 0; s < plan.isolated.size(); ++s) {
    for (const PlannedComponent& component : plan.isolated[s].components) {
      nodes[{plan.isolated[s].name, component.name}] = all[i++].name;
    }
  }
  bool host = false;
  bool nothing = false;
  auto showEdges = [&](const Placed& from, const std::string& store) {
    std::map<std::string, std::vector<std::string>> fused, isolated;
    std::map<std::string, size_t> packages;  // of the host: so many that names would hide the rest
    std::vector<std::string> missing;
    for (const PlannedLink& link : from.component->links) {
      if (link.cost == LinkCost::FUSED) {
        fused[nodes[{store, link.component}]].push_back(link.import);
      }
      if (link.cost == LinkCost::ISOLATED) {
        isolated[plan.isolated[link.isolated].name + " (isolated)"].push_back(link.import);
      }
      if (link.cost == LinkCost::HOST) ++packages[packageOf(link.import)];
      if (link.cost == LinkCost::MISSING) missing.push_back(link.import);
    }
    for (const auto& [provider, imports] : fused) {
      text += edge(from, "component " + provider, LinkCost::FUSED, imports);
    }
    for (const auto& [provider, imports] : isolated) {
      text += edge(from, "component " + provider, LinkCost::ISOLATED, imports);
    }
    std::vector<std::string> lines;
    for (const auto& [package, count] : packages) {
      lines.push_back(package + (count == 1 ? "" : " (" + std::to_string(count) + ")"));
    }
    if (!lines.empty()) text += edge(from, HOST, LinkCost::HOST, lines), host = true;
    if (!missing.empty()) text += edge(from, NOTHING, LinkCost::MISSING, missing), nothing = true;
  };
  size_t next = 0;
  for (; next < plan.components.size(); ++next) showEdges(all[next], "");
  for (const PlannedStore& store : plan.isolated) {
    for (size_t i = 0; i < store.components.size(); ++i) showEdges(all[next++], store.name);
  }
  std::map<std::string, std::vector<std::string>> routes;
  for (const HttpRoute& route : plan.routes) {
    routes[route.component].push_back(route.match);
  }
  for (const auto& [component, matches] : routes) {
    text += beginEdge(REQUESTS, "component " + component, REQUESTS_COLOUR, matches) + "];\n";
  }
  if (!routes.empty()) {
    text +=
        std::string("  ") + REQUESTS + " [label=\"HTTP requests\", shape=plaintext, style=\"\"];\n";
  }
  if (host) {
    text += std::string("  ") + HOST +
            " [label=\"the host\", shape=box, style=filled, fillcolor=\"#f6f8fa\", "
            "color=\"#57606a\"];\n";
  }
  if (nothing) {
    text += std::string("  ") + NOTHING +
            " [label=\"nothing\", shape=plaintext, style=\"\", fontcolor=\"#cf222e\"];\n";
  }
  return text + "}\n";
}

int planCommand(const Words& words) {
  CLI::App command(
      "Shows what satisfies each import of a workload or a component, and starts "
      "nothing.",
      "tenon plan");
  std::string file;
  bool json = false;
  bool dot = false;
  bool all = false;
  command.add_option("FILE", file, "A workload's folder or its tenon.toml, or a component")
      ->required();
  auto* jsonFlag = command.add_flag("--json", json, "Print JSON");
  command.add_flag("--dot", dot, "Print a graph for graphviz: tenon plan --dot . | dot -Tsvg")
      ->excludes(jsonFlag);
  command.add_flag("--all", all, "A row for each import, also of WASI");
  command.footer(
      "Cost: 'fused' is a direct call into another component, 'isolated' one into a component "
      "that\n"
      "has a store of its own, 'host' one into Tenon, 'types' has nothing to call, 'missing' is "
      "one\n"
      "of the problems.\n"
      "Exit code: 0 when it could run, 125 with all problems when not.\n"
      "Example: tenon plan examples/blobby");
  if (auto exit = parse(command, words)) return *exit;
  Form form = json ? Form::JSON : dot ? Form::DOT : Form::TABLE;
  auto shown = planOf(file, form, all ? Rows::ALL : Rows::FOLDED);
  if (!shown) {
    int exit = report(shown.error());
    return Workload::isManifest(file) ? exitCodeOfWorkload(shown.error()) : exit;
  }
  // The table has made printable what components had a part in.
  int exit = form == Form::TABLE
                 ? show(shown->text)
                 : showForeign(shown->text, form == Form::JSON ? Foreign::JSON : Foreign::TEXT);
  if (exit != 0) return exit;
  for (const Error& problem : shown->plan.problems) printError(problem);
  return static_cast<int>(shown->plan.ok() ? ExitCode::SUCCESS : ExitCode::REFUSED);
}

}  // namespace tenon::cli
