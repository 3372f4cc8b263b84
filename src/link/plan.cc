#include "link/plan.h"

#include "base/keyed_hash.h"
#include "base/suggest.h"
#include "call/wasi03.h"
#include "component/validate/interface.h"
#include "link/isolated.h"

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
  Planner(std::span<const Deployed> components, const component::Interfaces& interfaces,
          const HostProvides& hostProvides, std::span<const HttpRoute> routes)
      : components_(components),
        interfaces_(interfaces),
        hostProvides_(hostProvides),
        routes_(routes) {}

  Plan run() {
    for (size_t i = 0; i < components_.size(); ++i) {
      byName_.emplace(components_[i].name, i);
      for (const typed::Item& item : described(i).exports()) {
        exporters_[component::canonicalName(item.name.name)].push_back(i);
      }
    }
    for (size_t i = 0; i < components_.size(); ++i) {
      nodes_.push_back({.name = nameOf(i), .component = i, .links = {}});
      choose(i);
    }
    checkRoutes();
    std::vector<size_t> order = sort();
    templates_ = nodes_;
    plan_.stores.emplace_back();
    wanted_.emplace_back();
    if (plan_.ok()) {
      placeStores();
    } else {
      finishStore(0, order);
    }
    return std::move(plan_);
  }

 private:
  // While planning, a Part's index is one of `nodes_`. The first of them are the components, in
  // their order.
  using Node = PlannedPart;

  const ComponentInterface& described(const Node& node) const { return described(node.component); }
  const ComponentInterface& described(size_t component) const {
    return components_[component].interface;
  }
  std::string nameOf(size_t component) const { return std::string(components_[component].name); }

  // What satisfies an import: a node of the same store or, of an isolated link, a component. NOBODY
  // when neither does.
  static size_t targetOf(const Link& link) {
    auto* part = std::get_if<Part>(&link.provider);
    return part ? part->index : NOBODY;
  }
  // The node of the same store.
  static size_t providerOf(const Link& link) { return isIsolated(link) ? NOBODY : targetOf(link); }
  static bool wantsOwn(const Link& link) {
    return link.said && link.said->instance == WorkloadLink::Instance::OWN;
  }
  static bool isIsolated(const Link& link) {
    return link.said && link.said->via == WorkloadLink::Via::ISOLATED;
  }
  // "tenon.toml:7:1: ", or nothing.
  static std::string before(const std::string& place) { return place.empty() ? "" : place + ": "; }

  // Of an import of `component`, of which the deployer said `said`, or nothing.
  void problem(ErrorCode code, const std::string& component, const typed::Item& import,
               const WorkloadLink* said, std::string what, std::string details = {}) {
    Error error(code, before(said ? said->place : "") + "component " + component + ", import " +
                          std::string(import.name.name) + ": " + std::move(what));
    error.details = std::move(details);
    plan_.problems.push_back(std::move(error));
  }

  // Past so many problems, no more is looked for that would help with one.
  static constexpr size_t MOST_HELPED = 100;
  bool helps() const { return plan_.problems.size() < MOST_HELPED; }

  // "  cart exports shop:cart/cart", a line each.
  std::string exportsOf(size_t component) const {
    std::string lines;
    if (!helps()) return lines;
    for (const typed::Item& item : described(component).exports()) {
      lines += (lines.empty() ? "  " : "\n  ") + nameOf(component) + " exports " +
               std::string(item.name.name);
    }
    return lines;
  }

  // The component of this name, or NOBODY.
  size_t findComponent(std::string_view name) const {
    auto found = byName_.find(name);
    return found == byName_.end() ? NOBODY : found->second;
  }

  std::string didYouMeanComponent(std::string_view wanted) const {
    base::Nearest nearest(wanted);
    if (!helps()) return {};
    for (const Deployed& component : components_) nearest.offer(component.name);
    return nearest.question();
  }

  // The link of one component that names an import: exactly, by a compatible version, or, when it
  // says none, as the only version that is imported.
  const std::pair<const std::string, WorkloadLink>* findLink(size_t number,
                                                             std::string_view import) const {
    const auto& links = components_[number].links;
    auto exact = links.find(std::string(import));
    if (exact != links.end()) return &*exact;
    std::string canonical = component::canonicalName(import);
    for (const auto& link : links) {
      if (component::canonicalName(link.first) == canonical) return &link;
    }
    auto unversioned = links.find(withoutVersion(import));
    if (unversioned == links.end()) return nullptr;
    size_t versions = 0;
    for (const typed::Item& item : described(number).imports()) {
      if (withoutVersion(item.name.name) == unversioned->first) ++versions;
    }
    return versions == 1 ? &*unversioned : nullptr;
  }

  void choose(size_t number) {
    std::set<std::string> used;
    std::vector<Link>& links = nodes_[number].links;
    for (const typed::Item& import : described(number).imports()) {
      Link& link = links.emplace_back();
      link.import = import.name.name;
      link.kind = typed::describe(import.entity);
      if (const auto* found = findLink(number, import.name.name)) {
        used.insert(found->first);
        link.said = &found->second;
        link.provider = chooseLinked(number, import, found->second);
      } else {
        link.provider = chooseFree(number, import);
      }
    }
    for (const auto& [import, said] : components_[number].links) {
      if (used.contains(import)) continue;
      base::Nearest nearest(import);
      if (helps()) {
        for (const typed::Item& item : described(number).imports()) nearest.offer(item.name.name);
      }
      plan_.problems.push_back(
          Error(ErrorCode::NOT_FOUND, before(said.place) + "component " + nameOf(number) +
                                          " is linked at '" + import + "', but does not import it" +
                                          nearest.question()));
    }
  }

  Provider chooseLinked(size_t importer, const typed::Item& import, const WorkloadLink& said) {
    const std::string name = nameOf(importer);
    size_t provider = findComponent(said.to);
    if (provider == NOBODY) {
      problem(ErrorCode::NOT_FOUND, name, import, &said,
              "there is no component '" + said.to + "'" + didYouMeanComponent(said.to));
      return Missing{};
    }
    if (provider == importer) {
      problem(ErrorCode::INVALID, name, import, &said, "it is linked to itself");
      return Missing{};
    }
    const std::string_view wanted = said.item.empty() ? import.name.name : said.item;
    const typed::Item* item = findExport(described(provider), wanted);
    if (!item && !said.item.empty()) {
      base::Nearest nearest(wanted);
      for (const typed::Item& each : described(provider).exports()) nearest.offer(each.name.name);
      problem(
          ErrorCode::NOT_FOUND, name, import, &said,
          "component '" + said.to + "' does not export '" + said.item + "'" + nearest.question(),
          exportsOf(provider));
      return Missing{};
    }
    if (!item) {
      problem(ErrorCode::NOT_FOUND, name, import, &said,
              "component '" + said.to +
                  "' does not export it; an export of another name is linked by item = \"NAME\"",
              exportsOf(provider));
      return Missing{};
    }
    for (Error& why : policyProblems(said)) problem(why.code, name, import, &said, why.message);
    if (said.via == WorkloadLink::Via::ISOLATED) {
      for (Error& why : crossingProblems(described(importer), import)) {
        problem(why.code, name, import, &said, why.message);
      }
    }
    return Part{provider, std::string(item->name.name)};
  }

  Provider chooseFree(size_t importer, const typed::Item& import) {
    if (onlyTypes(import.entity)) return OnlyTypes{};
    Provider host = hostProvides_(import.name.name);
    if (!std::holds_alternative<Missing>(host)) return host;
    std::vector<size_t> candidates;
    auto exporters = exporters_.find(component::canonicalName(import.name.name));
    if (exporters != exporters_.end()) {
      for (size_t other : exporters->second) {
        if (other == importer || (!candidates.empty() && candidates.back() == other)) continue;
        candidates.push_back(other);
      }
    }
    if (candidates.size() == 1) {
      const typed::Item* item = findExport(described(candidates[0]), import.name.name);
      return Part{candidates[0], std::string(item->name.name)};
    }
    if (candidates.empty()) {
      bool itself = findExport(described(importer), import.name.name) != nullptr;
      problem(ErrorCode::MISSING_IMPORT, nameOf(importer), import, nullptr,
              std::string("nothing provides this ") + typed::describe(import.entity) +
                  (call::isWasi03(import.name.name) ? ": " + std::string(call::NO_WASI_03)
                   : itself                         ? ": only the component itself exports it"
                            : didYouMeanExport(import.name.name, importer)));
      return Missing{};
    }
    std::string details;
    for (size_t candidate : candidates) {
      details += (details.empty() ? "  " : "\n  ") + nameOf(candidate) + " exports it";
    }
    problem(ErrorCode::AMBIGUOUS, nameOf(importer), import, nullptr,
            std::to_string(candidates.size()) + " components export it: link it to one of them",
            std::move(details));
    return Missing{};
  }

  // The nearest export of any other component.
  std::string didYouMeanExport(std::string_view wanted, size_t importer) const {
    base::Nearest nearest(wanted);
    for (size_t other = 0; helps() && other < components_.size() && !nearest.enough(); ++other) {
      if (other == importer) continue;
      for (const typed::Item& item : described(other).exports()) nearest.offer(item.name.name);
    }
    return nearest.question();
  }

  void checkRoutes() {
    std::map<size_t, bool> answers;  // by component
    for (const HttpRoute& route : routes_) {
      size_t to = findComponent(route.component);
      if (to == NOBODY) continue;
      auto [known, fresh] = answers.try_emplace(to);
      if (fresh) known->second = findExport(described(to), HANDLER) != nullptr;
      if (known->second) continue;
      Error error(ErrorCode::INVALID,
                  before(route.place) + "route '" + route.match + "': component '" +
                      route.component +
                      "' answers no requests: it does not export wasi:http/incoming-handler");
      error.details = exportsOf(to);
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
        if (next == nodes_[node].links.size()) {
          marks[node] = Mark::DONE;
          order.push_back(node);
          path.pop_back();
          continue;
        }
        size_t provider = providerOf(nodes_[node].links[next++]);
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

  // -- Stores. Until here `nodes_` were the components; from here on they are the parts of one
  // store after the other, made of `templates_`, which have the components' numbers. There are no
  // cycles.

  // The stores that isolated links lead to, found as they are needed, and what runs.
  void placeStores() {
    for (size_t store = 0; store < plan_.stores.size(); ++store) {
      bool fits = store == 0 ? place(mainRoots()) : place({wanted_[store].component});
      std::vector<size_t> order = sort();
      if (fits) checkTypes(order);
      finishStore(store, order);
      if (!fits) return;
    }
  }

  // The components that run whoever calls them: entries, those that nobody is linked to, and of
  // circles that nothing else leads to the first.
  std::vector<size_t> mainRoots() const {
    std::vector<bool> used(templates_.size()), seen(templates_.size());
    for (const Node& node : templates_) {
      for (const Link& link : node.links) {
        if (size_t provider = targetOf(link); provider != NOBODY) used[provider] = true;
      }
    }
    std::vector<size_t> roots;
    auto addRoot = [&](size_t root) {
      roots.push_back(root);
      std::vector<size_t> pending{root};
      while (!pending.empty()) {
        size_t node = pending.back();
        pending.pop_back();
        if (seen[node]) continue;
        seen[node] = true;
        for (const Link& link : templates_[node].links) {
          if (size_t provider = targetOf(link); provider != NOBODY) pending.push_back(provider);
        }
      }
    };
    for (size_t i = 0; i < templates_.size(); ++i) {
      if (!used[i] || isEntry(templates_[i])) addRoot(i);
    }
    for (size_t i = 0; i < templates_.size(); ++i) {
      if (!seen[i]) addRoot(i);
    }
    return roots;
  }

  // Makes the nodes of one store: `roots`, what is fused to them, and importers' own instances of
  // that. False: there are too many.
  bool place(const std::vector<size_t>& roots) {
    enum class Use : uint8_t { NONE, OWN_ONLY, SHARED };
    std::vector<Use> uses(templates_.size(), Use::NONE);
    std::vector<size_t> pending = roots;
    for (size_t root : roots) uses[root] = Use::SHARED;
    while (!pending.empty()) {
      size_t node = pending.back();
      pending.pop_back();
      for (const Link& link : templates_[node].links) {
        size_t provider = providerOf(link);
        if (provider == NOBODY) continue;
        if (uses[provider] == Use::NONE) pending.push_back(provider);
        uses[provider] = std::max(uses[provider], wantsOwn(link) ? Use::OWN_ONLY : Use::SHARED);
      }
    }
    nodes_ = templates_;
    std::vector<bool> dropped(templates_.size());
    for (size_t i = 0; i < templates_.size(); ++i) dropped[i] = uses[i] != Use::SHARED;
    for (size_t i = 0; i < nodes_.size(); ++i) {
      if (i < templates_.size() && dropped[i]) continue;
      std::map<size_t, size_t> own;  // shared node -> its copy for node i
      for (size_t l = 0; l < nodes_[i].links.size(); ++l) {
        const Link& link = nodes_[i].links[l];
        auto* part = std::get_if<Part>(&link.provider);
        if (!part || !wantsOwn(link) || isIsolated(link)) continue;
        size_t shared = part->index;
        auto [copy, fresh] = own.try_emplace(shared, nodes_.size());
        std::get<Part>(nodes_[i].links[l].provider).index = copy->second;
        if (!fresh) continue;
        if (placed_ + nodes_.size() >= MAX_PLANNED_PARTS) return tooMany();
        Node made = templates_[shared];
        made.name = nodes_[i].name + "/" + templates_[shared].name;
        nodes_.push_back(std::move(made));
      }
    }
    // Leaves out what is elsewhere, or only here as copies.
    std::vector<size_t> renumbered(nodes_.size(), NOBODY);
    std::vector<Node> kept;
    for (size_t i = 0; i < nodes_.size(); ++i) {
      if (i < templates_.size() && dropped[i]) continue;
      renumbered[i] = kept.size();
      kept.push_back(std::move(nodes_[i]));
    }
    for (Node& node : kept) renumber(node, renumbered);
    nodes_ = std::move(kept);
    placed_ += nodes_.size();
    return placed_ <= MAX_PLANNED_PARTS || tooMany();
  }

  bool tooMany() {
    plan_.problems.push_back(
        Error(ErrorCode::LIMIT_EXCEEDED, "links to instances of their own multiply to more than " +
                                             std::to_string(MAX_PLANNED_PARTS) + " instances"));
    nodes_ = templates_;
    return false;
  }

  static void renumber(Node& node, const std::vector<size_t>& numbers) {
    for (Link& link : node.links) {
      auto* part = std::get_if<Part>(&link.provider);
      if (part && !isIsolated(link)) part->index = numbers[part->index];
    }
  }

  // The store that an isolated link of `importer` leads to: made when there is none like it.
  size_t storeFor(const Node& importer, const Link& link, size_t component) {
    const WorkloadLink& said = *link.said;
    Wanted wanted{component, wantsOwn(link) ? importer.name : "", said.timeout, said.maxMemory,
                  said.instances.value_or(InstancePolicy())};
    auto same = std::ranges::find(wanted_.begin() + 1, wanted_.end(), wanted);
    size_t number = static_cast<size_t>(same - wanted_.begin());
    if (same != wanted_.end()) return number;
    Store& store = plan_.stores.emplace_back();
    std::string name = (wanted.owner.empty() ? "" : wanted.owner + "/") + nameOf(component);
    store.name = name;
    for (size_t next = 2; !storeNames_.insert(store.name).second; ++next) {
      store.name = name + "#" + std::to_string(next);
    }
    store.timeout = wanted.timeout;
    store.maxMemory = wanted.maxMemory;
    store.instances = wanted.instances;
    wanted_.push_back(std::move(wanted));
    return number;
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
      for (size_t i = 0; i < node.links.size(); ++i) {
        const Link& link = node.links[i];
        auto* part = std::get_if<Part>(&link.provider);
        if (!part) {
          linkage.linkToHost(instance, i);
          continue;
        }
        // Of an instance in another store only what it exports matters.
        std::optional<component::LinkedInstance> elsewhere;
        if (isIsolated(link)) elsewhere = standIn(linkage, part->index);
        size_t provider = elsewhere ? part->index : nodes_[part->index].component;
        const typed::Item& item = *described(provider).exports().find(part->item);
        auto mismatch =
            linkage.link(instance, i, elsewhere ? *elsewhere : *instances[part->index], item);
        if (mismatch && mistyped_.emplace(node.component, i).second) {
          problem(ErrorCode::TYPE_MISMATCH, node.name, described(node).imports()[i], link.said,
                  "component '" + (elsewhere ? nameOf(provider) : nodes_[part->index].name) +
                      "' exports another type: " + mismatch->text());
        }
      }
      instances[index] = std::move(instance);
    }
  }

  component::LinkedInstance standIn(component::Linkage& linkage, size_t component) const {
    component::LinkedInstance instance = linkage.instance(described(component));
    for (size_t i = 0; i < described(component).imports().size(); ++i) {
      linkage.linkToHost(instance, i);
    }
    return instance;
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
        for (const Link& link : node.links) {
          if (size_t provider = providerOf(link); provider != NOBODY) reached[provider] = true;
        }
      }
    }
    while (!pending.empty()) {
      size_t node = pending.back();
      pending.pop_back();
      for (const Link& link : nodes_[node].links) {
        size_t provider = providerOf(link);
        if (provider == NOBODY || reached[provider]) continue;
        reached[provider] = true;
        pending.push_back(provider);
      }
    }
    return reached;
  }

  void finishStore(size_t number, const std::vector<size_t>& order) {
    std::vector<bool> reached = findReached();
    std::vector<size_t> places(nodes_.size(), NOBODY);  // in the order
    for (size_t i = 0; i < order.size(); ++i) places[order[i]] = i;
    for (size_t index : order) {
      Node& node = nodes_[index];
      if (number == 0 && !reached[index]) plan_.unreached.push_back(node.name);
      node.program = findExport(described(node), PROGRAM) != nullptr;
      node.answers = findExport(described(node), HANDLER) != nullptr;
      renumber(node, places);
      for (Link& link : node.links) leadOut(node, link);
      std::vector<PlannedPart>& parts = plan_.stores[number].parts;
      // Copies are called otherwise.
      if (number != 0 && node.name == nameOf(wanted_[number].component)) {
        plan_.stores[number].called = parts.size();
      }
      parts.push_back(std::move(node));
    }
  }

  // An isolated link's provider is a part of another store.
  void leadOut(const Node& node, Link& link) {
    auto* part = std::get_if<Part>(&link.provider);
    if (!part || !isIsolated(link)) return;
    std::string item = std::move(part->item);
    link.provider = IsolatedPart{storeFor(node, link, part->index), std::move(item)};
  }

  // What a store besides the first is for: those of links that say the same are one.
  struct Wanted {
    size_t component = NOBODY;
    std::string owner = {};  // the importer that wants instances of its own; empty: anybody
    std::optional<std::chrono::nanoseconds> timeout = {};
    std::optional<uint64_t> maxMemory = {};
    InstancePolicy instances = {};
    bool operator==(const Wanted&) const = default;
  };

  const std::span<const Deployed> components_;
  const component::Interfaces& interfaces_;
  const HostProvides& hostProvides_;
  const std::span<const HttpRoute> routes_;
  TextMap<size_t> byName_;
  OwnedTextMap<std::vector<size_t>> exporters_;  // by canonical name; one may be there twice
  std::vector<Node> nodes_;
  std::vector<Node> templates_;
  std::vector<Wanted> wanted_;  // as Plan::stores
  std::set<std::string> storeNames_;
  std::set<std::pair<size_t, size_t>> mistyped_;  // component and import: told already
  size_t placed_ = 0;                             // parts of all stores
  Plan plan_;
};

}  // namespace

Plan plan(std::span<const Deployed> components, const component::Interfaces& interfaces,
          const HostProvides& hostProvides, std::span<const HttpRoute> routes) {
  return Planner(components, interfaces, hostProvides, routes).run();
}

}  // namespace tenon::link
