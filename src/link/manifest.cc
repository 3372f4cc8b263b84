#include "link/manifest.h"

#include "base/edit_distance.h"
#include "base/suggest.h"
#include "link/plan.h"
#include "link/toml.h"

#include <algorithm>
#include <cstddef>
#include <span>

namespace tenon::link {
namespace {

// Problems beyond these are only counted.
constexpr size_t MAX_PROBLEMS = 50;

class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path) {}

  Manifest read(const toml::Table& root) {
    Manifest manifest;
    checkKeys(root, {"name", "components", "http"});
    manifest.name = text(root, "name");
    const toml::Entry* entry = root.find("components");
    const toml::Table* components = entry ? entry->value.asTable() : nullptr;
    if (!components || components->empty()) {
      complain(entry ? entry->value.place : toml::Place(),
               "a manifest needs at least one [components.NAME]");
      return manifest;
    }
    if (components->entries().size() > MAX_PLANNED_PARTS) {
      complain(entry->place, "a workload has at most " + std::to_string(MAX_PLANNED_PARTS) +
                                 " components, not " +
                                 std::to_string(components->entries().size()));
      return manifest;
    }
    for (const toml::Entry& each : components->entries()) {
      if (!isComponentName(each.key)) {
        complain(each.place, "'" + base::shown(each.key) +
                                 "' is no component's name: write letters, digits, '.', '_' "
                                 "and '-'");
      } else if (const toml::Table* table = tableAt(each.value, "a component")) {
        manifest.components.push_back(component(each, *table));
      }
    }
    if (const toml::Entry* http = root.find("http")) this->http(http->value, *components, manifest);
    return manifest;
  }

  void complain(toml::Place where, const std::string& what, ErrorCode code = ErrorCode::INVALID) {
    if (full()) {
      ++uncounted_;
    } else {
      problems_.push_back(Error(code, placeOf(where) + ": " + what));
    }
  }

  // The problems as one: the first, and the others in its details. Only when there are any.
  Error error() {
    Error first = std::move(problems_.front());
    for (const Error& problem : std::span(problems_).subspan(1)) {
      first.details += (first.details.empty() ? "  " : "\n  ") + problem.message;
    }
    if (uncounted_ > 0) first.details += "\n  and " + std::to_string(uncounted_) + " more";
    return first;
  }
  bool anyProblems() const { return !problems_.empty(); }

 private:
  bool full() const { return problems_.size() >= MAX_PROBLEMS; }

  Place placeOf(toml::Place where) const {
    return path_ + ":" + std::to_string(where.line) + ":" + std::to_string(where.column);
  }

  void checkKeys(const toml::Table& table, const std::vector<std::string_view>& known) {
    for (const toml::Entry& entry : table.entries()) {
      if (std::ranges::find(known, entry.key) != known.end()) continue;
      std::string_view nearest = *std::ranges::min_element(
          known, {}, [&](std::string_view name) { return base::editDistance(name, entry.key); });
      std::string list;
      for (std::string_view name : known) list += (list.empty() ? "" : ", ") + std::string(name);
      bool close = base::editDistance(nearest, entry.key) <= nearest.size() / 2;
      complain(entry.place, "unknown key '" + base::shown(entry.key) + "'; " +
                                (close ? "did you mean '" + std::string(nearest) + "'?"
                                       : "there are: " + list));
      if (full()) return;
    }
  }

  const toml::Table* tableAt(const toml::Value& value, const std::string& what) {
    if (const toml::Table* table = value.asTable()) return table;
    complain(value.place, what + " is a table, not " + describe(value.kind));
    return nullptr;
  }

  // Empty, with a complaint, when it is no string.
  std::string string(const toml::Value& value, std::string_view what) {
    if (value.kind == toml::Kind::STRING) return value.text;
    complain(value.place, std::string(what) + " is a string, not " + describe(value.kind));
    return {};
  }
  std::string text(const toml::Table& table, std::string_view key) {
    const toml::Entry* entry = table.find(key);
    return entry ? string(entry->value, key) : std::string();
  }

  ManifestComponent component(const toml::Entry& entry, const toml::Table& table) {
    ManifestComponent component;
    component.name = entry.key;
    checkKeys(table, {"source", "args", "env", "config", "dirs", "allow-net", "allow-listen",
                      "allow-http", "links"});
    component.source = text(table, "source");
    if (const toml::Entry* source = table.find("source")) {
      component.sourcePlace = placeOf(source->value.place);
      if (component.source.empty() && source->value.kind == toml::Kind::STRING) {
        complain(source->value.place, "source is empty");
      }
    } else {
      complain(entry.value.place, "component '" + component.name + "' has no source");
    }
    component.arguments = strings(table, "args");
    component.connect = strings(table, "allow-net");
    component.listen = strings(table, "allow-listen");
    component.httpServers = strings(table, "allow-http");
    component.environment = texts(table, "env");
    component.configuration = texts(table, "config");
    if (const toml::Entry* dirs = table.find("dirs")) directories(dirs->value, component);
    if (const toml::Entry* links = table.find("links")) this->links(links->value, component);
    return component;
  }

  std::vector<std::string> strings(const toml::Table& table, const std::string& key) {
    std::vector<std::string> result;
    const toml::Entry* entry = table.find(key);
    if (!entry) return result;
    if (entry->value.kind != toml::Kind::ARRAY) {
      complain(entry->value.place,
               key + " is an array of strings, not " + describe(entry->value.kind));
      return result;
    }
    for (const toml::Value& item : entry->value.items) {
      result.push_back(string(item, "an entry of " + key));
    }
    return result;
  }

  std::vector<std::pair<std::string, std::string>> texts(const toml::Table& table,
                                                         const std::string& key) {
    std::vector<std::pair<std::string, std::string>> result;
    const toml::Entry* entry = table.find(key);
    const toml::Table* entries = entry ? tableAt(entry->value, key) : nullptr;
    if (!entries) return result;
    for (const toml::Entry& each : entries->entries()) {
      result.emplace_back(each.key, string(each.value, base::shown(each.key)));
    }
    return result;
  }

  void directories(const toml::Value& value, ManifestComponent& component) {
    if (value.kind != toml::Kind::ARRAY) {
      complain(value.place,
               std::string("dirs is an array of { host, guest, access }, not ") +
                   describe(value.kind));
      return;
    }
    for (const toml::Value& item : value.items) {
      const toml::Table* table = tableAt(item, "an entry of dirs");
      if (!table) continue;
      checkKeys(*table, {"host", "guest", "access"});
      ManifestDirectory directory{text(*table, "host"), text(*table, "guest"), false, {}};
      if (directory.host.empty() || directory.guest.empty()) {
        complain(item.place, "an entry of dirs needs host and guest");
      } else {
        directory.place = placeOf(table->find("host")->value.place);
      }
      if (const toml::Entry* access = table->find("access")) {
        std::string written = string(access->value, "access");
        directory.readOnly = written == "read";
        if (written != "read" && written != "write") {
          complain(access->value.place, "access is \"read\" or \"write\"");
        }
      }
      component.directories.push_back(std::move(directory));
    }
  }

  void links(const toml::Value& value, ManifestComponent& component) {
    const toml::Table* entries = tableAt(value, "links");
    if (!entries) return;
    for (const toml::Entry& entry : entries->entries()) {
      ManifestLink& link = component.links[entry.key];
      link.place = placeOf(entry.value.place);
      if (const toml::Table* table = entry.value.asTable()) {
        linkTable(entry.value.place, *table, link);
      } else {
        link.to = string(entry.value, base::shown(entry.key));
      }
    }
  }

  void linkTable(toml::Place place, const toml::Table& table, ManifestLink& link) {
    checkKeys(table, {"to", "item", "instance", "via", "prefix"});
    for (std::string_view later : {"via", "prefix"}) {
      if (const toml::Entry* found = table.find(later)) {
        complain(found->value.place,
                 "links by '" + std::string(later) + "' are not supported yet",
                 ErrorCode::UNSUPPORTED);
      }
    }
    link.to = text(table, "to");
    if (!table.find("to") && !table.find("via")) {
      complain(place, "a link needs to = \"COMPONENT\"");
    }
    link.item = text(table, "item");
    if (const toml::Entry* entry = table.find("instance")) {
      std::string instance = string(entry->value, "instance");
      link.own = instance == "own";
      if (entry->value.kind == toml::Kind::STRING && instance != "own" && instance != "shared") {
        complain(entry->value.place, "instance is \"shared\" or \"own\"");
      }
    }
  }

  void http(const toml::Value& value, const toml::Table& components, Manifest& manifest) {
    const toml::Table* table = tableAt(value, "http");
    if (!table) return;
    checkKeys(*table, {"routes"});
    const toml::Entry* routes = table->find("routes");
    const toml::Table* entries = routes ? tableAt(routes->value, "routes") : nullptr;
    if (!entries) return;
    RouteIndex index;
    for (const toml::Entry& entry : entries->entries()) {
      const toml::Value& to = entry.value;
      Route route{.text = entry.key, .place = placeOf(to.place)};
      const std::string name = "route '" + base::shown(entry.key) + "'";
      if (to.asTable()) {
        complain(to.place, "a route is \"HOST/PATH\" = \"COMPONENT\", in quotes");
        continue;
      }
      route.to = string(to, name);
      if (to.kind == toml::Kind::STRING && !components.find(route.to)) {
        complain(to.place, name + ": there is no component '" + base::shown(route.to) + "'" +
                               (full() ? "" : didYouMean(route.to, components)));
      }
      auto pattern = parseRoute(entry.key);
      if (!pattern) {
        complain(to.place, pattern.error().message);
        continue;
      }
      route.pattern = *std::move(pattern);
      if (auto other = index.add(route.pattern, manifest.routes.size())) {
        complain(to.place, name + " is there already, as '" +
                               base::shown(manifest.routes[*other].text) + "'");
        continue;
      }
      manifest.routes.push_back(std::move(route));
    }
  }

  static std::string didYouMean(std::string_view wanted, const toml::Table& table) {
    base::Nearest nearest(wanted);
    for (const toml::Entry& entry : table.entries()) nearest.offer(entry.key);
    return nearest.question();
  }

  const std::string& path_;
  std::vector<Error> problems_;
  size_t uncounted_ = 0;
};

}  // namespace

bool isComponentName(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

Result<Manifest> parseManifest(std::string_view text, const std::string& path) {
  toml::Document document = toml::parse(text);
  Reader reader(path);
  // What could not be read may be what seems to be missing, so that comes first.
  for (const toml::Problem& problem : document.problems) {
    reader.complain(problem.place, problem.what, ErrorCode::MALFORMED);
  }
  if (reader.anyProblems()) return reader.error();
  Manifest manifest = reader.read(document.root);
  if (reader.anyProblems()) return reader.error();
  return manifest;
}

}  // namespace tenon::link
