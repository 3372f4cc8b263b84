#include "call/registry.h"

#include "base/edit_distance.h"

#include <algorithm>

namespace tenon::call {

std::string canonicalInterface(std::string_view interface) {
  size_t at = interface.rfind('@');
  if (at == std::string_view::npos) return std::string(interface);
  std::string_view version = interface.substr(at + 1);
  // A pre-release or build marks one exact version.
  if (version.find_first_of("-+") != std::string_view::npos) return std::string(interface);
  size_t begin = 0;
  while (begin < version.size()) {
    size_t end = std::min(version.find('.', begin), version.size());
    if (version.substr(begin, end - begin) != "0") {
      return std::string(interface.substr(0, at + 1 + end));
    }
    begin = end + 1;
  }
  return std::string(interface);
}

Registry::Interface& Registry::interfaceFor(std::string_view interface) {
  Interface& entry = interfaces_[canonicalInterface(interface)];
  if (entry.name.empty()) entry.name = interface;
  return entry;
}

const Registry::Interface* Registry::findInterface(std::string_view interface) const {
  auto found = interfaces_.find(canonicalInterface(interface));
  return found == interfaces_.end() ? nullptr : &found->second;
}

void Registry::add(std::string_view interface, std::string_view name, HostFunction function) {
  interfaceFor(interface).functions.insert_or_assign(std::string(name), std::move(function));
}

void Registry::addResource(std::string_view interface, HostResource resource) {
  std::string name = resource.name;
  interfaceFor(interface).resources.insert_or_assign(std::move(name), std::move(resource));
}

const HostFunction* Registry::find(std::string_view interface, std::string_view name) const {
  const Interface* entry = findInterface(interface);
  if (!entry) return nullptr;
  auto found = entry->functions.find(name);
  return found == entry->functions.end() ? nullptr : &found->second;
}

const HostResource* Registry::findResource(std::string_view interface,
                                           std::string_view name) const {
  const Interface* entry = findInterface(interface);
  if (!entry) return nullptr;
  auto found = entry->resources.find(name);
  return found == entry->resources.end() ? nullptr : &found->second;
}

const std::string* Registry::findPlugin(std::string_view interface) const {
  const Interface* entry = findInterface(interface);
  return entry ? &entry->plugin : nullptr;
}

std::vector<std::string> Registry::similar(std::string_view interface,
                                           std::string_view name) const {
  std::vector<std::pair<size_t, std::string>> scored;
  if (const Interface* entry = findInterface(interface)) {
    for (const auto& [candidate, function] : entry->functions) {
      scored.emplace_back(base::editDistance(name, candidate), entry->name + "." + candidate);
    }
  } else {
    for (const auto& [canonical, candidate] : interfaces_) {
      scored.emplace_back(base::editDistance(interface, candidate.name), candidate.name);
    }
  }
  std::sort(scored.begin(), scored.end());
  std::vector<std::string> names;
  size_t asked = findInterface(interface) ? name.size() : interface.size();
  for (const auto& [distance, candidate] : scored) {
    if (names.size() == 3 || distance * 2 > asked) break;
    names.push_back(candidate);
  }
  return names;
}

void Registry::merge(const Registry& other, std::string_view plugin) {
  for (const auto& [canonical, entry] : other.interfaces_) {
    bool fresh = findInterface(entry.name) == nullptr;
    Interface& mine = interfaceFor(entry.name);
    if (fresh) mine.plugin = plugin;
    for (const auto& item : entry.functions) mine.functions.insert(item);
    for (const auto& item : entry.resources) mine.resources.insert(item);
  }
}

}  // namespace tenon::call
