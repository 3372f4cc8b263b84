#include "link/plan.h"

#include "base/keyed_hash.h"
#include "base/suggest.h"
#include "call/wasi03.h"
#include "component/validate/interface.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

namespace tenon::link {
namespace {

using component::ComponentInterface;
namespace typed = component::typed;

constexpr size_t NOBODY = ~size_t{0};

const typed::Item* findExport(const ComponentInterface& component, std::string_view import) {
  if (const typed::Item* exact = component.exports().find(import)) return exact;
  std::string canonical = component::canonicalName(import);
  for (const typed::Item& item : component.exports()) {
    if (component::canonicalName(item.name.name) == canonical) return &item;
  }
  return nullptr;
}

// Whether an import has nothing that somebody would have to provide: a type, or an instance of
// types. A resource that the import introduces needs somebody who defines it.
bool onlyTypes(const typed::Entity& entity) {
  if (auto* type = std::get_if<typed::TypeBinding>(&entity)) {
    return !std::holds_alternative<typed::ResourceRef>(type->created) ||
           type->created != type->referenced;
  }
  auto* instance = std::get_if<const typed::InstanceNode*>(&entity);
  return instance && std::ranges::all_of((*instance)->exports, [](const typed::Item& item) {
           return std::holds_alternative<typed::TypeBinding>(item.entity) && onlyTypes(item.entity);
         });
}

// The interfaces that somebody outside of the workload calls: who exports one is reached.
constexpr std::string_view HANDLER = "wasi:http/incoming-handler@0.2.0";
constexpr std::string_view PROGRAM = "wasi:cli/run@0.2.0";
constexpr std::string_view ENTRIES[] = {PROGRAM, HANDLER};

std::string withoutVersion(std::string_view name) {
  return std::string(name.substr(0, name.find('@')));
}

class Planner {
 public:
  Planner(const std::vector<Part>& parts, std::span<const ComponentInterface> described,
          const component::Interfaces& interfaces, const HostProvides& hostProvides,
          std::span<const Route> routes)
      : parts_(parts),
        described_(described),
        interfaces_(interfaces),
        hostProvides_(hostProvides),
        routes_(routes) {}

  Plan run() {
    for (size_t part = 0; part < parts_.size(); ++part) {
      partByName_.emplace(parts_[part].name, part);
      for (const typed::Item& item : described(part).exports()) {
        exporters_[component::canonicalName(item.name.name)].push_back(part);
      }
    }
    for (size_t part = 0; part < parts_.size(); ++part) {
      nodes_.push_back({parts_[part].name, part, {}});
      choose(part);
    }
    checkRoutes();
    std::vector<size_t> order = sort();
    if (plan_.ok() && expand()) order = sort();
    if (plan_.ok()) checkTypes(order);
    finish(order);
    return std::move(plan_);
  }

 private:
  struct Choice {
    Cost cost = Cost::HOST;
    size_t provider = NOBODY;  // a node
    const typed::Item* item = nullptr;
    bool own = false;
    std::string_view place = {};
  };
  // An instance to be: of one part, with a choice per import.
  struct Node {
    std::string name;
    size_t part = 0;
    std::vector<Choice> choices;
  };

  const ComponentInterface& described(const Node& node) const { return described(node.part); }
  const ComponentInterface& described(size_t part) const { return described_[part]; }

  void problem(ErrorCode code, const std::string& component, const typed::Item& import,
               std::string_view place, std::string what, std::string details = {}) {
    Error error(code, (place.empty() ? "" : std::string(place) + ": ") + "component " + component +
                          ", import " + std::string(import.name.name) + ": " + std::move(what));
    error.details = std::move(details);
    plan_.problems.push_back(std::move(error));
  }

  // Past so many problems, no more is looked for that would help with one.
  static constexpr size_t MOST_HELPED = 100;
  bool helps() const { return plan_.problems.size() < MOST_HELPED; }

  // "  cart exports shop:cart/cart", a line each.
  std::string exportsOf(size_t part) const {
    std::string lines;
    if (!helps()) return lines;
    for (const typed::Item& item : described(part).exports()) {
      lines += (lines.empty() ? "  " : "\n  ") + parts_[part].name + " exports " +
               std::string(item.name.name);
    }
    return lines;
  }

  // The part of this name, or NOBODY.
  size_t findPart(std::string_view name) const {
    auto found = partByName_.find(name);
    return found == partByName_.end() ? NOBODY : found->second;
  }

  std::string didYouMeanPart(std::string_view wanted) const {
    base::Nearest nearest(wanted);
    if (!helps()) return {};
    for (const Part& part : parts_) nearest.offer(part.name);
    return nearest.question();
  }

  // The link of one part that names an import: exactly, by a compatible version, or, when it says
  // none, as the only version that is imported.
  const std::pair<const std::string, Link>* findLink(size_t part, std::string_view import) const {
    const auto& links = parts_[part].links;
    auto exact = links.find(std::string(import));
    if (exact != links.end()) return &*exact;
    std::string canonical = component::canonicalName(import);
    for (const auto& link : links) {
      if (component::canonicalName(link.first) == canonical) return &link;
    }
    auto unversioned = links.find(withoutVersion(import));
    if (unversioned == links.end()) return nullptr;
    size_t versions = 0;
    for (const typed::Item& item : described(part).imports()) {
      if (withoutVersion(item.name.name) == unversioned->first) ++versions;
    }
    return versions == 1 ? &*unversioned : nullptr;
  }

  void choose(size_t part) {
    std::set<std::string> used;
    std::vector<Choice>& choices = nodes_[part].choices;
    for (const typed::Item& import : described(part).imports()) {
      if (const auto* link = findLink(part, import.name.name)) {
        used.insert(link->first);
        choices.push_back(chooseLinked(part, import, link->second));
      } else {
        choices.push_back(chooseFree(part, import));
      }
    }
    for (const auto& [import, link] : parts_[part].links) {
      if (used.contains(import)) continue;
      base::Nearest nearest(import);
      if (helps()) {
        for (const typed::Item& item : described(part).imports()) nearest.offer(item.name.name);
      }
      plan_.problems.push_back(
          Error(ErrorCode::NOT_FOUND, (link.place.empty() ? "" : link.place + ": ") + "component " +
                                          parts_[part].name + " is linked at '" + import +
                                          "', but does not import it" + nearest.question()));
    }
  }

  Choice chooseLinked(size_t part, const typed::Item& import, const Link& link) {
    const std::string& name = parts_[part].name;
    size_t provider = findPart(link.to);
    if (provider == NOBODY) {
      problem(ErrorCode::NOT_FOUND, name, import, link.place,
              "there is no component '" + link.to + "'" + didYouMeanPart(link.to));
      return {.cost = Cost::MISSING};
    }
    if (provider == part) {
      problem(ErrorCode::INVALID, name, import, link.place, "it is linked to itself");
      return {.cost = Cost::MISSING};
    }
    const std::string_view wanted = link.item.empty() ? import.name.name : link.item;
    const typed::Item* item = findExport(described(provider), wanted);
    if (!item && !link.item.empty()) {
      base::Nearest nearest(wanted);
      for (const typed::Item& each : described(provider).exports()) nearest.offer(each.name.name);
      problem(
          ErrorCode::NOT_FOUND, name, import, link.place,
          "component '" + link.to + "' does not export '" + link.item + "'" + nearest.question(),
          exportsOf(provider));
      return {.cost = Cost::MISSING};
    }
    if (!item) {
      problem(ErrorCode::NOT_FOUND, name, import, link.place,
              "component '" + link.to +
                  "' does not export it; an export of another name is linked by item = \"NAME\"",
              exportsOf(provider));
      return {.cost = Cost::MISSING};
    }
    return {Cost::FUSED, provider, item, link.own, link.place};
  }

  Choice chooseFree(size_t part, const typed::Item& import) {
    if (onlyTypes(import.entity)) return {Cost::NONE, NOBODY, nullptr};
    if (hostProvides_(import.name.name)) return {};
    std::vector<Choice> candidates;
    auto exporters = exporters_.find(component::canonicalName(import.name.name));
    if (exporters != exporters_.end()) {
      for (size_t other : exporters->second) {
        if (other == part) continue;
        if (!candidates.empty() && candidates.back().provider == other) continue;
        candidates.push_back({Cost::FUSED, other, findExport(described(other), import.name.name)});
      }
    }
    if (candidates.size() == 1) return candidates[0];
    if (candidates.empty()) {
      bool itself = findExport(described(part), import.name.name) != nullptr;
      problem(ErrorCode::MISSING_IMPORT, parts_[part].name, import, {},
              std::string("nothing provides this ") + typed::describe(import.entity) +
                  (call::isWasi03(import.name.name) ? ": " + std::string(call::NO_WASI_03)
                   : itself                         ? ": only the component itself exports it"
                                                    : didYouMeanExport(import.name.name, part)));
      return {.cost = Cost::MISSING};
    }
    std::string details;
    for (const Choice& candidate : candidates) {
      details +=
          (details.empty() ? "  " : "\n  ") + parts_[candidate.provider].name + " exports it";
    }
    problem(ErrorCode::AMBIGUOUS, parts_[part].name, import, {},
            std::to_string(candidates.size()) + " components export it: link it to one of them",
            std::move(details));
    return {.cost = Cost::MISSING};
  }

  // The nearest export of any other part.
  std::string didYouMeanExport(std::string_view wanted, size_t part) const {
    base::Nearest nearest(wanted);
    for (size_t other = 0; helps() && other < parts_.size() && !nearest.enough(); ++other) {
      if (other == part) continue;
      for (const typed::Item& item : described(other).exports()) nearest.offer(item.name.name);
    }
    return nearest.question();
  }

  void checkRoutes() {
    std::map<size_t, bool> answers;  // by part
    for (const Route& route : routes_) {
      size_t part = findPart(route.to);
      if (part == NOBODY) continue;
      auto [known, fresh] = answers.try_emplace(part);
      if (fresh) known->second = findExport(described(part), HANDLER) != nullptr;
      if (known->second) continue;
      Error error(ErrorCode::INVALID, (route.place.empty() ? "" : route.place + ": ") + "route '" +
                                          route.text + "': component '" + route.to +
                                          "' answers no requests: it does not export "
                                          "wasi:http/incoming-handler");
      error.details = exportsOf(part);
      plan_.problems.push_back(std::move(error));
    }
  }

  // The nodes, providers first. A cycle is a problem, spelled out.
  std::vector<size_t> sort() {
    enum class Mark : uint8_t { NEW, OPEN, DONE };
    std::vector<Mark> marks(nodes_.size(), Mark::NEW);
    std::vector<size_t> order;
    std::vector<std::pair<size_t, size_t>> path;  // node, next import to look at
    for (size_t root = 0; root < nodes_.size(); ++root) {
      if (marks[root] != Mark::NEW) continue;
      path.push_back({root, 0});
      marks[root] = Mark::OPEN;
      while (!path.empty()) {
        auto& [node, next] = path.back();
        if (next == nodes_[node].choices.size()) {
          marks[node] = Mark::DONE;
          order.push_back(node);
          path.pop_back();
          continue;
        }
        size_t provider = nodes_[node].choices[next++].provider;
        if (provider == NOBODY || marks[provider] == Mark::DONE) continue;
        if (marks[provider] == Mark::NEW) {
          marks[provider] = Mark::OPEN;
          path.push_back({provider, 0});
          continue;
        }
        std::string cycle;
        bool inside = false;
        for (const auto& [step, unused] : path) {
          inside = inside || step == provider;
          if (inside) cycle += nodes_[step].name + " -> ";
        }
        plan_.problems.push_back(
            Error(ErrorCode::INVALID, "the links form a cycle: " + cycle + nodes_[provider].name));
      }
    }
    return order;
  }

  // Makes the nodes of importers' own instances. There are no cycles. False: there are none.
  bool expand() {
    enum class Use : uint8_t { NONE, OWN_ONLY, SHARED };
    std::vector<Use> uses(nodes_.size(), Use::NONE);
    bool any = false;
    for (const Node& node : nodes_) {
      for (const Choice& choice : node.choices) {
        if (choice.provider == NOBODY) continue;
        Use& use = uses[choice.provider];
        if (!choice.own) use = Use::SHARED;
        if (choice.own && use == Use::NONE) use = Use::OWN_ONLY;
        any = any || choice.own;
      }
    }
    if (!any) return false;
    const std::vector<Node> originals = nodes_;
    std::vector<bool> dropped(originals.size());
    for (size_t i = 0; i < originals.size(); ++i) {
      dropped[i] = uses[i] == Use::OWN_ONLY && !isEntry(originals[i]);
    }
    for (size_t i = 0; i < nodes_.size(); ++i) {
      if (i < originals.size() && dropped[i]) continue;
      std::map<size_t, size_t> own;  // shared node -> its copy for node i
      for (size_t c = 0; c < nodes_[i].choices.size(); ++c) {
        if (!nodes_[i].choices[c].own) continue;
        size_t shared = nodes_[i].choices[c].provider;
        auto [copy, fresh] = own.try_emplace(shared, nodes_.size());
        nodes_[i].choices[c].provider = copy->second;
        if (!fresh) continue;
        if (nodes_.size() >= MAX_PLANNED_PARTS) {
          plan_.problems.push_back(Error(ErrorCode::LIMIT_EXCEEDED,
                                         "links to instances of their own multiply to more than " +
                                             std::to_string(MAX_PLANNED_PARTS) + " instances"));
          nodes_ = originals;
          return false;
        }
        nodes_.push_back({nodes_[i].name + "/" + originals[shared].name, originals[shared].part,
                          originals[shared].choices});
      }
    }
    // Leaves out what is only there as copies.
    std::vector<size_t> renumbered(nodes_.size(), NOBODY);
    std::vector<Node> kept;
    for (size_t i = 0; i < nodes_.size(); ++i) {
      if (i < originals.size() && dropped[i]) continue;
      renumbered[i] = kept.size();
      kept.push_back(std::move(nodes_[i]));
    }
    for (Node& node : kept) {
      for (Choice& choice : node.choices) {
        if (choice.provider != NOBODY) choice.provider = renumbered[choice.provider];
      }
    }
    nodes_ = std::move(kept);
    return true;
  }

  bool isEntry(const Node& node) const {
    return std::ranges::any_of(ENTRIES, [&](std::string_view entry) {
      return findExport(described(node), entry) != nullptr;
    });
  }

  void checkTypes(const std::vector<size_t>& order) {
    component::Linkage linkage(interfaces_);
    std::vector<std::optional<component::LinkedInstance>> instances(nodes_.size());
    for (size_t index : order) {
      const Node& node = nodes_[index];
      component::LinkedInstance instance = linkage.instance(described(node));
      for (size_t i = 0; i < node.choices.size(); ++i) {
        const Choice& choice = node.choices[i];
        if (choice.cost != Cost::FUSED) {
          linkage.linkToHost(instance, i);
          continue;
        }
        auto mismatch = linkage.link(instance, i, *instances[choice.provider], *choice.item);
        if (mismatch) {
          problem(ErrorCode::TYPE_MISMATCH, node.name, described(node).imports()[i], choice.place,
                  "component '" + nodes_[choice.provider].name +
                      "' exports another type: " + mismatch->text());
        }
      }
      instances[index] = std::move(instance);
    }
  }

  // The nodes that an entry leads to, or, where there is no entry, that a link leads to.
  std::vector<bool> findReached() const {
    std::vector<bool> reached(nodes_.size());
    std::vector<size_t> pending;
    for (size_t i = 0; i < nodes_.size(); ++i) {
      if (!isEntry(nodes_[i])) continue;
      reached[i] = true;
      pending.push_back(i);
    }
    if (pending.empty()) {
      for (const Node& node : nodes_) {
        for (const Choice& choice : node.choices) {
          if (choice.provider != NOBODY) reached[choice.provider] = true;
        }
      }
    }
    while (!pending.empty()) {
      size_t node = pending.back();
      pending.pop_back();
      for (const Choice& choice : nodes_[node].choices) {
        if (choice.provider == NOBODY || reached[choice.provider]) continue;
        reached[choice.provider] = true;
        pending.push_back(choice.provider);
      }
    }
    return reached;
  }

  void finish(const std::vector<size_t>& order) {
    std::vector<bool> reached = findReached();
    std::vector<size_t> places(nodes_.size(), NOBODY);  // in the order
    for (size_t i = 0; i < order.size(); ++i) places[order[i]] = i;
    for (size_t index : order) {
      const Node& node = nodes_[index];
      PlannedPart planned{.name = node.name, .part = node.part, .imports = {}};
      planned.program = findExport(described(node), PROGRAM) != nullptr;
      planned.answers = findExport(described(node), HANDLER) != nullptr;
      for (size_t i = 0; i < node.choices.size(); ++i) {
        const Choice& choice = node.choices[i];
        const typed::Item& import = described(node).imports()[i];
        PlannedImport row{.name = std::string(import.name.name),
                          .kind = typed::describe(import.entity),
                          .cost = choice.cost,
                          .component = {},
                          .item = {}};
        if (choice.provider != NOBODY) {
          row.component = nodes_[choice.provider].name;
          row.provider = places[choice.provider];
          row.item = choice.item->name.name;
        }
        planned.imports.push_back(std::move(row));
      }
      plan_.parts.push_back(std::move(planned));
    }
    for (size_t index : order) {
      if (!reached[index]) plan_.unreached.push_back(nodes_[index].name);
    }
  }

  const std::vector<Part>& parts_;
  const std::span<const ComponentInterface> described_;
  const component::Interfaces& interfaces_;
  const HostProvides& hostProvides_;
  const std::span<const Route> routes_;
  TextMap<size_t> partByName_;
  OwnedTextMap<std::vector<size_t>> exporters_;  // by canonical name; a part may be there twice
  std::vector<Node> nodes_;
  Plan plan_;
};

}  // namespace

const char* toString(Cost cost) {
  switch (cost) {
    case Cost::FUSED:
      return "fused";
    case Cost::HOST:
      return "host";
    case Cost::NONE:
      return "types";
    case Cost::MISSING:
      return "missing";
  }
  return "";
}

std::vector<component::WorkloadPart::Wire> Plan::wires(size_t index) const {
  std::vector<component::WorkloadPart::Wire> wires;
  for (const PlannedImport& import : parts[index].imports) {
    if (import.cost != Cost::FUSED) continue;
    wires.push_back({import.name, static_cast<uint32_t>(import.provider), import.item});
  }
  return wires;
}

Result<Plan> plan(const std::vector<Part>& parts, const HostProvides& hostProvides) {
  component::Interfaces interfaces;
  std::vector<ComponentInterface> described;
  for (const Part& part : parts) {
    auto interface = interfaces.describe(*part.definitions);
    if (!interface) {
      Error error = std::move(interface).error();
      error.message = part.name + ": " + error.message;
      return error;
    }
    described.push_back(*interface);
  }
  return plan(parts, described, interfaces, hostProvides);
}

Plan plan(const std::vector<Part>& parts, std::span<const component::ComponentInterface> described,
          const component::Interfaces& interfaces, const HostProvides& hostProvides,
          std::span<const Route> routes) {
  return Planner(parts, described, interfaces, hostProvides, routes).run();
}

}  // namespace tenon::link
