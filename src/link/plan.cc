#include "link/plan.h"

#include "base/edit_distance.h"
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

// The name among `names` that is closest to `wanted`, or empty when none is close.
std::string closest(std::string_view wanted, const std::vector<std::string>& names) {
  size_t best = wanted.size() / 3 + 1;
  std::string found;
  for (const std::string& name : names) {
    size_t distance = base::editDistance(wanted, name);
    if (distance < best) best = distance, found = name;
  }
  return found;
}

std::string didYouMean(std::string_view wanted, const std::vector<std::string>& names) {
  std::string found = closest(wanted, names);
  return found.empty() ? std::string() : "; did you mean '" + found + "'?";
}

const typed::Item* findExport(const ComponentInterface& component, std::string_view import) {
  if (const typed::Item* exact = component.exports().find(import)) return exact;
  std::string canonical = component::canonicalName(import);
  for (const typed::Item& item : component.exports()) {
    if (component::canonicalName(item.name.name) == canonical) return &item;
  }
  return nullptr;
}

// Whether an import has nothing that could be called: a type, or an instance of types.
bool onlyTypes(const typed::Entity& entity) {
  if (std::holds_alternative<typed::TypeBinding>(entity)) return true;
  auto* instance = std::get_if<const typed::InstanceNode*>(&entity);
  if (!instance) return false;
  return std::ranges::all_of((*instance)->exports, [](const typed::Item& item) {
    auto* type = std::get_if<typed::TypeBinding>(&item.entity);
    // A resource that the import introduces needs somebody who defines it.
    return type && !(std::holds_alternative<typed::ResourceRef>(type->created) &&
                     type->created == type->referenced);
  });
}

class Planner {
 public:
  Planner(const std::vector<Part>& parts, const HostProvides& hostProvides)
      : parts_(parts), hostProvides_(hostProvides) {}

  Result<Plan> run() {
    for (const Part& part : parts_) {
      auto interface = interfaces_.describe(*part.definitions);
      if (!interface) {
        Error error = std::move(interface).error();
        error.message = part.name + ": " + error.message;
        return error;
      }
      described_.push_back(*interface);
    }
    for (size_t part = 0; part < parts_.size(); ++part) choose(part);
    std::vector<size_t> order = sort();
    if (plan_.ok()) checkTypes(order);
    finish(order);
    return std::move(plan_);
  }

 private:
  struct Choice {
    Cost cost = Cost::HOST;
    size_t provider = NOBODY;
    const typed::Item* item = nullptr;
  };

  void problem(ErrorCode code, size_t part, const typed::Item& import, std::string what,
               std::string details = {}) {
    Error error(code, "component " + parts_[part].name + ", import " +
                          std::string(import.name.name) + ": " + std::move(what));
    error.details = std::move(details);
    plan_.problems.push_back(std::move(error));
  }

  std::vector<std::string> componentNames() const {
    std::vector<std::string> names;
    for (const Part& part : parts_) names.push_back(part.name);
    return names;
  }

  static std::vector<std::string> exportNames(const ComponentInterface& component) {
    std::vector<std::string> names;
    for (const typed::Item& item : component.exports()) names.emplace_back(item.name.name);
    return names;
  }

  void choose(size_t part) {
    std::set<std::string> used;
    std::vector<Choice>& choices = choices_.emplace_back();
    for (const typed::Item& import : described_[part].imports()) {
      auto link = std::ranges::find_if(parts_[part].links, [&](const auto& entry) {
        return entry.first == import.name.name ||
               component::canonicalName(entry.first) == component::canonicalName(import.name.name);
      });
      if (link != parts_[part].links.end()) {
        used.insert(link->first);
        choices.push_back(chooseLinked(part, import, link->second));
      } else {
        choices.push_back(chooseFree(part, import));
      }
    }
    std::vector<std::string> imports;
    for (const typed::Item& import : described_[part].imports())
      imports.emplace_back(import.name.name);
    for (const auto& [import, target] : parts_[part].links) {
      if (used.contains(import)) continue;
      plan_.problems.push_back(Error(
          ErrorCode::NOT_FOUND, "component " + parts_[part].name + " is linked at '" + import +
                                    "', but does not import it" + didYouMean(import, imports)));
    }
  }

  Choice chooseLinked(size_t part, const typed::Item& import, const std::string& target) {
    auto found = std::ranges::find(parts_, target, &Part::name);
    if (found == parts_.end()) {
      problem(ErrorCode::NOT_FOUND, part, import,
              "there is no component '" + target + "'" + didYouMean(target, componentNames()));
      return {};
    }
    auto provider = static_cast<size_t>(found - parts_.begin());
    if (provider == part) {
      problem(ErrorCode::INVALID, part, import, "it is linked to itself");
      return {};
    }
    const typed::Item* item = findExport(described_[provider], import.name.name);
    if (!item) {
      std::string details;
      for (const std::string& name : exportNames(described_[provider])) {
        details += (details.empty() ? "  " : "\n  ") + target + " exports " + name;
      }
      problem(ErrorCode::NOT_FOUND, part, import, "component '" + target + "' does not export it",
              std::move(details));
      return {};
    }
    return {Cost::FUSED, provider, item};
  }

  Choice chooseFree(size_t part, const typed::Item& import) {
    if (hostProvides_(import.name.name)) return {};
    std::vector<Choice> candidates;
    std::vector<std::string> others;
    for (size_t other = 0; other < parts_.size(); ++other) {
      if (other == part) continue;
      const typed::Item* item = findExport(described_[other], import.name.name);
      if (item) candidates.push_back({Cost::FUSED, other, item});
      for (std::string& name : exportNames(described_[other])) others.push_back(std::move(name));
    }
    if (candidates.size() == 1) return candidates[0];
    if (candidates.empty() && onlyTypes(import.entity)) return {Cost::NONE, NOBODY, nullptr};
    if (candidates.empty()) {
      bool itself = findExport(described_[part], import.name.name) != nullptr;
      problem(ErrorCode::MISSING_IMPORT, part, import,
              std::string("nothing provides this ") + typed::describe(import.entity) +
                  (itself ? ": only the component itself exports it"
                          : didYouMean(import.name.name, others)));
      return {};
    }
    std::string details;
    for (const Choice& candidate : candidates) {
      details +=
          (details.empty() ? "  " : "\n  ") + parts_[candidate.provider].name + " exports it";
    }
    problem(ErrorCode::AMBIGUOUS, part, import,
            std::to_string(candidates.size()) + " components export it: link it to one of them",
            std::move(details));
    return {};
  }

  // Providers first. A cycle is a problem, spelled out.
  std::vector<size_t> sort() {
    enum class Mark : uint8_t { NEW, OPEN, DONE };
    std::vector<Mark> marks(parts_.size(), Mark::NEW);
    std::vector<size_t> order;
    std::vector<std::pair<size_t, size_t>> path;  // part, next import to look at
    for (size_t root = 0; root < parts_.size(); ++root) {
      if (marks[root] != Mark::NEW) continue;
      path.push_back({root, 0});
      marks[root] = Mark::OPEN;
      while (!path.empty()) {
        auto& [part, next] = path.back();
        if (next == choices_[part].size()) {
          marks[part] = Mark::DONE;
          order.push_back(part);
          path.pop_back();
          continue;
        }
        size_t provider = choices_[part][next++].provider;
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
          if (inside) cycle += parts_[step].name + " -> ";
        }
        plan_.problems.push_back(
            Error(ErrorCode::INVALID, "the links form a cycle: " + cycle + parts_[provider].name));
      }
    }
    return order;
  }

  void checkTypes(const std::vector<size_t>& order) {
    component::Linkage linkage(interfaces_);
    std::vector<std::optional<component::LinkedInstance>> instances(parts_.size());
    for (size_t part : order) {
      component::LinkedInstance instance = linkage.instance(described_[part]);
      for (size_t i = 0; i < choices_[part].size(); ++i) {
        const Choice& choice = choices_[part][i];
        if (choice.cost != Cost::FUSED) {
          linkage.linkToHost(instance, i);
          continue;
        }
        auto mismatch = linkage.link(instance, i, *instances[choice.provider], *choice.item);
        if (mismatch) {
          problem(ErrorCode::TYPE_MISMATCH, part, described_[part].imports()[i],
                  "component '" + parts_[choice.provider].name +
                      "' exports another type: " + mismatch->text());
        }
      }
      instances[part] = std::move(instance);
    }
  }

  void finish(const std::vector<size_t>& order) {
    std::set<size_t> reached;
    for (size_t part : order) {
      PlannedPart planned{.name = parts_[part].name, .imports = {}};
      planned.program = findExport(described_[part], "wasi:cli/run@0.2.0") != nullptr;
      for (size_t i = 0; i < choices_[part].size(); ++i) {
        const Choice& choice = choices_[part][i];
        const typed::Item& import = described_[part].imports()[i];
        PlannedImport row{.name = std::string(import.name.name),
                          .kind = typed::describe(import.entity),
                          .cost = choice.cost};
        if (choice.provider != NOBODY) {
          reached.insert(choice.provider);
          row.component = parts_[choice.provider].name;
          row.item = choice.item->name.name;
        }
        planned.imports.push_back(std::move(row));
      }
      plan_.parts.push_back(std::move(planned));
    }
    for (size_t part : order) {
      bool program = findExport(described_[part], "wasi:cli/run@0.2.0") != nullptr;
      if (!program && !reached.contains(part)) plan_.unreached.push_back(parts_[part].name);
    }
  }

  const std::vector<Part>& parts_;
  const HostProvides& hostProvides_;
  component::Interfaces interfaces_;
  std::vector<ComponentInterface> described_;
  std::vector<std::vector<Choice>> choices_;
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
  }
  return "";
}

std::vector<component::WorkloadPart::Wire> Plan::wires(size_t index) const {
  std::vector<component::WorkloadPart::Wire> wires;
  for (const PlannedImport& import : parts[index].imports) {
    if (import.cost != Cost::FUSED) continue;
    auto provider = std::ranges::find(parts, import.component, &PlannedPart::name);
    wires.push_back({import.name, static_cast<uint32_t>(provider - parts.begin()), import.item});
  }
  return wires;
}

Result<Plan> plan(const std::vector<Part>& parts, const HostProvides& hostProvides) {
  return Planner(parts, hostProvides).run();
}

}  // namespace tenon::link
