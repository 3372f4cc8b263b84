#include "link/manifest.h"

#include "base/byte_reader.h"
#include "base/edit_distance.h"
#include "base/suggest.h"
#include "link/plan.h"
#include "link/route.h"
#include "link/toml.h"
#include "link/toml_scalars.h"

#include <tenon/units.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <span>

namespace tenon::link {
namespace {

// Problems beyond these are only counted.
constexpr size_t MAX_SHOWN = 50;
// Past these, no more is looked for that would help with one.
constexpr size_t MAX_PROBLEMS = 10'000;
// Of all texts together that have a variable in them.
constexpr size_t MAX_EXPANDED = size_t{1} << 20;
constexpr int64_t VERSION = 1;  // of the format

// Options of `tenon serve`, without their dashes, that a manifest may have. A test of the command
// looks whether it knows them.
constexpr std::string_view SERVE_OPTIONS[] = {
    "addr",           "threads",         "reuse",          "tls-cert",
    "tls-key",        "component",       "max-body",       "max-head",
    "max-headers",    "max-connections", "max-handshakes", "max-requests",
    "header-timeout", "idle-timeout",    "stall-timeout",  "shutdown-timeout"};

class Reader {
 public:
  Reader(const std::string& path, const FindVariable& findVariable)
      : path_(path), findVariable_(findVariable) {}

  Manifest read(const toml::Table& root) {
    Manifest manifest;
    if (!isKnownVersion(root)) return manifest;
    checkKeys(root, {"version", "name", "timeout", "max-memory", "components", "http", "serve"});
    manifest.name = text(root, "name");
    manifest.timeout = parsed<std::chrono::nanoseconds>(root, "timeout", parseDuration);
    manifest.maxMemory = parsed<uint64_t>(root, "max-memory", parseSize);
    if (const toml::Entry* serve = root.find("serve")) this->serve(serve->value, manifest);
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
    manifest.variables = std::move(variables_);
    return manifest;
  }

  void complain(toml::Place where, const std::string& what, ErrorCode code = ErrorCode::INVALID) {
    if (!full()) problems_.push_back(Error(code, placeOf(where) + ": " + what));
  }

  std::vector<Error> takeProblems() { return std::move(problems_); }

 private:
  bool full() const { return problems_.size() >= MAX_PROBLEMS; }
  bool helps() const { return problems_.size() < MAX_SHOWN; }

  // Of another version nothing else can be said.
  bool isKnownVersion(const toml::Table& root) {
    const toml::Entry* version = root.find("version");
    if (!version ||
        (version->value.kind == toml::Kind::INTEGER && version->value.integer == VERSION)) {
      return true;
    }
    if (version->value.kind == toml::Kind::INTEGER) {
      complain(version->value.place,
               "this manifest is of version " + std::to_string(version->value.integer) +
                   ", and this Tenon reads version " + std::to_string(VERSION));
      return false;
    }
    complain(version->value.place,
             std::string("version is a whole number, not ") + describe(version->value.kind));
    return true;
  }

  // What `parse` makes of the text of a key; a number is taken as its text.
  template <typename Value, typename Parse>
  std::optional<Value> parsed(const toml::Table& table, const std::string& key, Parse parse) {
    const toml::Entry* entry = table.find(key);
    if (!entry) return std::nullopt;
    bool isText = entry->value.kind == toml::Kind::STRING;
    std::optional<std::string> written = isText ? string(entry->value, key) : plain(entry->value);
    if (!written) {
      complain(entry->value.place, key + " is a string, not " + describe(entry->value.kind));
      return std::nullopt;
    }
    auto value = parse(*written);
    if (value) return *value;
    complain(entry->value.place, key + ": " + value.error().message);
    return std::nullopt;
  }

  // A number or a truth as it would be written on a command line.
  static std::optional<std::string> plain(const toml::Value& value) {
    if (value.kind == toml::Kind::INTEGER) return std::to_string(value.integer);
    if (value.kind == toml::Kind::FLOAT) return value.text;
    return std::nullopt;
  }

  void serve(const toml::Value& value, Manifest& manifest) {
    const toml::Table* table = tableAt(value, "serve");
    if (!table) return;
    checkKeys(*table, {std::begin(SERVE_OPTIONS), std::end(SERVE_OPTIONS)});
    for (const toml::Entry& entry : table->entries()) {
      if (std::ranges::find(SERVE_OPTIONS, entry.key) == std::end(SERVE_OPTIONS)) continue;
      ManifestServeOption option{entry.key, {}, placeOf(entry.value.place)};
      if (entry.key == "addr" && entry.value.kind == toml::Kind::ARRAY) {
        for (Written& each : strings(*table, entry.key)) {
          option.values.push_back(std::move(each.text));
        }
        if (option.values.empty()) complain(entry.value.place, "addr has no address");
      } else if (auto number = plain(entry.value)) {
        option.values.push_back(*std::move(number));
      } else {
        option.values.push_back(string(entry.value, entry.key));
      }
      manifest.serve.push_back(std::move(option));
    }
  }

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
      complain(entry.place,
               "unknown key '" + base::shown(entry.key) + "'; " +
                   (close ? "did you mean '" + std::string(nearest) + "'?" : "there are: " + list));
      if (!helps()) return;
    }
  }

  const toml::Table* tableAt(const toml::Value& value, const std::string& what) {
    if (const toml::Table* table = value.asTable()) return table;
    complain(value.place, what + " is a table, not " + describe(value.kind));
    return nullptr;
  }

  // Empty, with a complaint, when it is no string.
  std::string string(const toml::Value& value, std::string_view what) {
    if (value.kind == toml::Kind::STRING) return expanded(value);
    complain(value.place, std::string(what) + " is a string, not " + describe(value.kind));
    return {};
  }

  // The text, with the values of the environment in place of `${NAME}`. `$${` is `${`.
  std::string expanded(const toml::Value& value) {
    const std::string& text = value.text;
    size_t at = text.find("${");
    if (at == std::string::npos) return text;
    std::string result;
    size_t done = 0;
    for (; at != std::string::npos; at = text.find("${", done)) {
      if (at > done && text[at - 1] == '$') {
        result += text.substr(done, at - done) + "{";
        done = at + 2;
        continue;
      }
      size_t end = text.find('}', at);
      std::string name(text.substr(at + 2, end == std::string::npos ? 0 : end - at - 2));
      if (!isVariableName(name)) {
        complain(value.place,
                 "write ${NAME} for a variable of the environment, $${ for the "
                 "characters ${");
        return {};
      }
      std::optional<std::string> found = findVariable_ ? findVariable_(name) : std::nullopt;
      if (!found) {
        complain(value.place, "the environment has no variable " + base::shown(name));
        return {};
      }
      if (!isUtf8(*found)) {
        complain(value.place, "the variable " + base::shown(name) + " is not UTF-8");
        return {};
      }
      variables_.insert(name);
      result += text.substr(done, at - done) + *found;
      done = end + 1;
      expandedBytes_ += found->size();
      if (expandedBytes_ > MAX_EXPANDED) {
        complain(value.place, "variables of the environment make more than 1 MiB of text");
        return {};
      }
    }
    return result + text.substr(done);
  }

  static bool isVariableName(std::string_view name) {
    return !name.empty() && !toml::isDigit(name[0]) &&
           std::ranges::all_of(name, [](char c) { return toml::isBareKey(c) && c != '-'; });
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
    for (Written& each : strings(table, "args")) {
      component.arguments.push_back(std::move(each.text));
    }
    component.connect = strings(table, "allow-net");
    component.listen = strings(table, "allow-listen");
    component.httpServers = strings(table, "allow-http");
    component.environment = texts(table, "env");
    component.configuration = texts(table, "config");
    if (const toml::Entry* dirs = table.find("dirs")) directories(dirs->value, component);
    if (const toml::Entry* links = table.find("links")) this->links(links->value, component);
    return component;
  }

  std::vector<Written> strings(const toml::Table& table, const std::string& key) {
    std::vector<Written> result;
    const toml::Entry* entry = table.find(key);
    if (!entry) return result;
    if (entry->value.kind != toml::Kind::ARRAY) {
      complain(entry->value.place,
               key + " is an array of strings, not " + describe(entry->value.kind));
      return result;
    }
    for (const toml::Value& item : entry->value.items) {
      result.push_back({string(item, "an entry of " + key), placeOf(item.place)});
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
      complain(value.place, std::string("dirs is an array of { host, guest, access }, not ") +
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
      WorkloadLink& link = component.links[entry.key];
      link.place = placeOf(entry.value.place);
      if (const toml::Table* table = entry.value.asTable()) {
        linkTable(entry.value.place, *table, link);
      } else {
        link.to = string(entry.value, base::shown(entry.key));
      }
    }
  }

  void linkTable(toml::Place place, const toml::Table& table, WorkloadLink& link) {
    checkKeys(table, {"to", "item", "instance", "via", "timeout", "max-memory", "instances",
                      "remote", "prefix"});
    for (std::string_view later : {"prefix", "remote"}) {
      if (const toml::Entry* found = table.find(later)) {
        complain(found->value.place, "links by '" + std::string(later) + "' are not supported yet",
                 ErrorCode::UNSUPPORTED);
      }
    }
    const bool isRemote = !via(table, link);
    link.to = text(table, "to");
    if (!table.find("to") && !isRemote) complain(place, "a link needs to = \"COMPONENT\"");
    link.timeout = parsed<std::chrono::nanoseconds>(table, "timeout", parseDuration);
    link.maxMemory = parsed<uint64_t>(table, "max-memory", parseSize);
    if (const toml::Entry* instances = table.find("instances")) {
      link.instances = policy(instances->value);
    }
    link.item = text(table, "item");
    if (const toml::Entry* entry = table.find("instance")) {
      std::string instance = string(entry->value, "instance");
      if (instance == "own") link.instance = WorkloadLink::Instance::OWN;
      if (entry->value.kind == toml::Kind::STRING && instance != "own" && instance != "shared") {
        complain(entry->value.place, "instance is \"shared\" or \"own\"");
      }
    }
  }

  // False, with a complaint: what is written there leads to a peer.
  bool via(const toml::Table& table, WorkloadLink& link) {
    const toml::Entry* entry = table.find("via");
    if (!entry) return true;
    std::string written = string(entry->value, "via");
    auto notYet = [&](const std::string& what) {
      complain(entry->value.place, "links by " + what + " are not supported yet",
               ErrorCode::UNSUPPORTED);
    };
    if (written == "isolated") {
      link.via = WorkloadLink::Via::ISOLATED;
    } else if (written == "duplex" || written == "channel" || written == "nearest") {
      notYet("via = \"" + written + "\"");
    } else if (written.starts_with("wrpc+")) {
      notYet("a remote address");
      return false;
    } else if (entry->value.kind == toml::Kind::STRING && written != "fused") {
      constexpr std::string_view WORDS[] = {"fused", "isolated", "duplex", "channel", "nearest"};
      complain(entry->value.place, "via is \"fused\" or \"isolated\", not '" +
                                       base::shown(written) + "'" +
                                       base::didYouMean(written, WORDS));
    }
    return true;
  }

  // "fresh", or { policy = "pooled", max = 4, max-calls = 1000, idle = "30s" }.
  std::optional<InstancePolicy> policy(const toml::Value& value) {
    using Life = InstancePolicy::Life;
    InstancePolicy policy;
    const toml::Table* table = value.asTable();
    const toml::Entry* entry = table ? table->find("policy") : nullptr;
    if (table) checkKeys(*table, {"policy", "max", "max-calls", "idle"});
    if (table && !entry) {
      complain(value.place, "instances needs policy = \"fresh\", \"reused\" or \"pooled\"");
      return std::nullopt;
    }
    const toml::Value& life = entry ? entry->value : value;
    std::string written = string(life, entry ? "policy" : "instances");
    constexpr std::string_view WORDS[] = {"fresh", "reused", "pooled"};
    const auto* found = std::ranges::find(WORDS, written);
    if (found == std::end(WORDS)) {
      if (life.kind == toml::Kind::STRING) {
        complain(life.place, "instances are \"fresh\", \"reused\" or \"pooled\", not '" +
                                 base::shown(written) + "'" + base::didYouMean(written, WORDS));
      }
      return std::nullopt;
    }
    policy.life = static_cast<Life>(found - std::begin(WORDS));
    if (!table) return policy;
    policy.max = count(*table, "max");
    policy.maxCalls = count(*table, "max-calls");
    policy.idle = parsed<std::chrono::nanoseconds>(*table, "idle", parseDuration);
    return policy;
  }

  // A whole number of at least 1; 0: there is none, or a complaint.
  uint32_t count(const toml::Table& table, const std::string& key) {
    constexpr int64_t MOST = 1'000'000;
    const toml::Entry* entry = table.find(key);
    if (!entry) return 0;
    const toml::Value& value = entry->value;
    if (value.kind == toml::Kind::INTEGER && value.integer >= 1 && value.integer <= MOST) {
      return static_cast<uint32_t>(value.integer);
    }
    complain(value.place, key + " is a whole number from 1 to " + std::to_string(MOST));
    return 0;
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
      HttpRoute route{.match = entry.key, .component = {}, .place = placeOf(to.place)};
      const std::string name = "route '" + base::shown(entry.key) + "'";
      if (to.asTable()) {
        complain(to.place, "a route is \"HOST/PATH\" = \"COMPONENT\", in quotes");
        continue;
      }
      route.component = string(to, name);
      if (to.kind == toml::Kind::STRING && !components.find(route.component)) {
        complain(to.place, name + ": there is no component '" + base::shown(route.component) + "'" +
                               (helps() ? didYouMean(route.component, components) : ""));
      }
      auto pattern = parseRoute(entry.key);
      if (!pattern) {
        complain(to.place, pattern.error().message);
        continue;
      }
      if (auto other = index.add(*pattern, manifest.routes.size())) {
        complain(to.place, name + " is there already, as '" +
                               base::shown(manifest.routes[*other].match) + "'");
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
  const FindVariable& findVariable_;
  std::vector<Error> problems_;
  std::set<std::string> variables_;
  size_t expandedBytes_ = 0;
};

}  // namespace

bool isComponentName(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

Error asOne(std::vector<Error> problems) {
  Error first = std::move(problems.front());
  first.details.clear();
  for (size_t i = 1; i < std::min(problems.size(), MAX_SHOWN); ++i) {
    first.details += (first.details.empty() ? "  " : "\n  ") + problems[i].message;
  }
  if (problems.size() > MAX_SHOWN) {
    first.details += "\n  and " + std::to_string(problems.size() - MAX_SHOWN) + " more";
  }
  return first;
}

ManifestReading readManifest(std::string_view text, const std::string& path,
                             const FindVariable& findVariable) {
  toml::Document document = toml::parse(text);
  Reader reader(path, findVariable);
  // What could not be read may be what seems to be missing, so nothing else is looked for.
  for (const toml::Problem& problem : document.problems) {
    reader.complain(problem.place, problem.what, ErrorCode::MALFORMED);
  }
  ManifestReading reading;
  if (document.problems.empty()) reading.manifest = reader.read(document.root);
  reading.problems = reader.takeProblems();
  return reading;
}

Result<Manifest> parseManifest(std::string_view text, const std::string& path,
                               const FindVariable& findVariable) {
  ManifestReading reading = readManifest(text, path, findVariable);
  if (!reading.problems.empty()) return asOne(std::move(reading.problems));
  return std::move(reading.manifest);
}

}  // namespace tenon::link
