#include "link/manifest.h"

#include "base/edit_distance.h"

#include <toml++/toml.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <set>
#include <span>

namespace tenon::link {
namespace {

class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path) {}

  Manifest read(const toml::table& root) {
    Manifest manifest;
    checkKeys(root, {"name", "components", "http"});
    manifest.name = text(root, "name");
    const toml::node* components = root.get("components");
    if (!components || !components->is_table() || components->as_table()->empty()) {
      complain(components ? components->source() : root.source(),
               "a manifest needs at least one [components.NAME]");
      return manifest;
    }
    for (const auto& [key, node] : inOrder(*components->as_table())) {
      if (!isComponentName(key)) {
        complain(node->source(), "'" + std::string(key) +
                                     "' is no component's name: write letters, digits, '.', '_' "
                                     "and '-'");
      } else if (const toml::table* table = tableAt(*node, "a component")) {
        manifest.components.push_back(component(std::string(key), *table));
      }
    }
    if (const toml::node* node = root.get("http")) http(*node, *components->as_table(), manifest);
    return manifest;
  }

  std::vector<Error>& problems() { return problems_; }

 private:
  using Entries = std::vector<std::pair<std::string_view, const toml::node*>>;

  // toml++ sorts keys; a person reads lines.
  static Entries inOrder(const toml::table& table) {
    Entries entries;
    for (const auto& [key, node] : table) entries.emplace_back(key.str(), &node);
    std::ranges::stable_sort(entries, [](const auto& a, const auto& b) {
      const toml::source_position &left = a.second->source().begin,
                                  &right = b.second->source().begin;
      return std::pair(left.line, left.column) < std::pair(right.line, right.column);
    });
    return entries;
  }

  void complain(const toml::source_region& where, const std::string& what,
                ErrorCode code = ErrorCode::INVALID) {
    problems_.push_back(Error(code, placeOf(where) + ": " + what));
  }

  Place placeOf(const toml::source_region& where) const {
    return path_ + ":" + std::to_string(where.begin.line) + ":" +
           std::to_string(where.begin.column);
  }

  void checkKeys(const toml::table& table, const std::vector<std::string_view>& known) {
    for (const auto& [key, node] : table) {
      if (std::ranges::find(known, key.str()) != known.end()) continue;
      std::string_view nearest = *std::ranges::min_element(
          known, {}, [&](std::string_view name) { return base::editDistance(name, key.str()); });
      std::string list;
      for (std::string_view name : known) list += (list.empty() ? "" : ", ") + std::string(name);
      bool close = base::editDistance(nearest, key.str()) <= nearest.size() / 2;
      complain(key.source(),
               "unknown key '" + std::string(key.str()) + "'; " +
                   (close ? "did you mean '" + std::string(nearest) + "'?" : "there are: " + list));
    }
  }

  const toml::table* tableAt(const toml::node& node, const std::string& what) {
    if (const toml::table* table = node.as_table()) return table;
    complain(node.source(), what + " is a table, not " + kindOf(node));
    return nullptr;
  }

  static std::string kindOf(const toml::node& node) {
    switch (node.type()) {
      case toml::node_type::string:
        return "a string";
      case toml::node_type::integer:
      case toml::node_type::floating_point:
        return "a number";
      case toml::node_type::boolean:
        return "a boolean";
      case toml::node_type::array:
        return "an array";
      case toml::node_type::table:
        return "a table";
      default:
        return "a date or time";
    }
  }

  // Empty, with a complaint, when it is no string.
  std::string string(const toml::node& node, std::string_view key) {
    if (const auto* value = node.as_string()) return value->get();
    complain(node.source(), std::string(key) + " is a string, not " + kindOf(node));
    return {};
  }
  std::string text(const toml::table& table, std::string_view key) {
    const toml::node* node = table.get(key);
    return node ? string(*node, key) : std::string();
  }

  ManifestComponent component(std::string name, const toml::table& table) {
    ManifestComponent component;
    component.name = std::move(name);
    checkKeys(table, {"source", "args", "env", "config", "dirs", "allow-net", "allow-listen",
                      "allow-http", "links"});
    component.source = text(table, "source");
    if (!table.contains("source")) {
      complain(table.source(), "component '" + component.name + "' has no source");
    } else {
      component.sourcePlace = placeOf(table.get("source")->source());
      if (component.source.empty() && table.get("source")->is_string()) {
        complain(table.get("source")->source(), "source is empty");
      }
    }
    component.arguments = strings(table, "args");
    component.connect = strings(table, "allow-net");
    component.listen = strings(table, "allow-listen");
    component.httpServers = strings(table, "allow-http");
    component.environment = texts(table, "env");
    component.configuration = texts(table, "config");
    if (const toml::node* node = table.get("dirs")) directories(*node, component);
    if (const toml::node* node = table.get("links")) links(*node, component);
    return component;
  }

  std::vector<std::string> strings(const toml::table& table, const std::string& key) {
    std::vector<std::string> result;
    const toml::node* node = table.get(key);
    if (!node) return result;
    const toml::array* items = node->as_array();
    if (!items) {
      complain(node->source(), key + " is an array of strings, not " + kindOf(*node));
      return result;
    }
    for (const toml::node& item : *items) result.push_back(string(item, "an entry of " + key));
    return result;
  }

  std::vector<std::pair<std::string, std::string>> texts(const toml::table& table,
                                                         const std::string& key) {
    std::vector<std::pair<std::string, std::string>> result;
    const toml::node* node = table.get(key);
    const toml::table* entries = node ? tableAt(*node, key) : nullptr;
    if (!entries) return result;
    for (const auto& [name, value] : inOrder(*entries)) {
      result.emplace_back(name, string(*value, name));
    }
    return result;
  }

  void directories(const toml::node& node, ManifestComponent& component) {
    const toml::array* items = node.as_array();
    if (!items) {
      complain(node.source(), "dirs is an array of { host, guest, access }, not " + kindOf(node));
      return;
    }
    for (const toml::node& item : *items) {
      const toml::table* table = tableAt(item, "an entry of dirs");
      if (!table) continue;
      checkKeys(*table, {"host", "guest", "access"});
      ManifestDirectory directory{text(*table, "host"), text(*table, "guest"), false, {}};
      if (directory.host.empty() || directory.guest.empty()) {
        complain(item.source(), "an entry of dirs needs host and guest");
      } else {
        directory.place = placeOf(table->get("host")->source());
      }
      std::string access = table->contains("access") ? text(*table, "access") : "write";
      if (access != "read" && access != "write") {
        complain(table->get("access")->source(), "access is \"read\" or \"write\"");
      }
      directory.readOnly = access == "read";
      component.directories.push_back(std::move(directory));
    }
  }

  void links(const toml::node& node, ManifestComponent& component) {
    const toml::table* entries = tableAt(node, "links");
    if (!entries) return;
    for (const auto& [key, value] : inOrder(*entries)) {
      ManifestLink& link = component.links[std::string(key)];
      link.place = placeOf(value->source());
      if (const toml::table* table = value->as_table()) {
        linkTable(*table, link);
      } else {
        link.to = string(*value, key);
      }
    }
  }

  void linkTable(const toml::table& table, ManifestLink& link) {
    checkKeys(table, {"to", "instance", "via", "prefix"});
    for (std::string_view later : {"via", "prefix"}) {
      if (const toml::node* found = table.get(later)) {
        complain(found->source(), "links by '" + std::string(later) + "' are not supported yet",
                 ErrorCode::UNSUPPORTED);
      }
    }
    link.to = text(table, "to");
    if (!table.contains("to") && !table.contains("via")) {
      complain(table.source(), "a link needs to = \"COMPONENT\"");
    }
    if (const toml::node* node = table.get("instance")) {
      std::string instance = string(*node, "instance");
      link.own = instance == "own";
      if (node->is_string() && instance != "own" && instance != "shared") {
        complain(node->source(), "instance is \"shared\" or \"own\"");
      }
    }
  }

  void http(const toml::node& node, const toml::table& components, Manifest& manifest) {
    const toml::table* table = tableAt(node, "http");
    if (!table) return;
    checkKeys(*table, {"routes"});
    const toml::node* routes = table->get("routes");
    const toml::table* entries = routes ? tableAt(*routes, "routes") : nullptr;
    if (!entries) return;
    for (const auto& [key, value] : inOrder(*entries)) {
      Route route{.text = std::string(key), .place = placeOf(value->source())};
      auto pattern = parseRoute(key);
      if (!pattern) {
        complain(value->source(), pattern.error().message);
      } else {
        route.pattern = *pattern;
        if (auto other = findRoute(manifest.routes, *pattern)) {
          complain(value->source(), "route '" + route.text + "' is there already, as '" +
                                        manifest.routes[*other].text + "'");
        }
      }
      if (value->is_table()) {
        complain(value->source(), "a route is \"HOST/PATH\" = \"COMPONENT\", in quotes");
        continue;
      }
      route.to = string(*value, "route '" + route.text + "'");
      if (value->is_string() && !components.contains(route.to)) {
        std::vector<std::string_view> names;
        for (const auto& [name, unused] : components) names.push_back(name.str());
        complain(value->source(), "route '" + route.text + "': there is no component '" + route.to +
                                      "'" + didYouMean(route.to, names));
      }
      if (pattern) manifest.routes.push_back(std::move(route));
    }
  }

  static std::string didYouMean(std::string_view wanted, std::span<const std::string_view> names) {
    size_t best = wanted.size() / 3 + 1;
    std::string_view found;
    for (std::string_view name : names) {
      size_t distance = base::editDistance(wanted, name);
      if (distance < best) best = distance, found = name;
    }
    return found.empty() ? std::string() : "; did you mean '" + std::string(found) + "'?";
  }

  const std::string& path_;
  std::vector<Error> problems_;
};

// Where the first character beyond ASCII stands that is in no string and no comment. TOML allows
// none there, and toml++ 3.3's test for white space has undefined behaviour for some.
std::optional<toml::source_position> bareCharacter(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  toml::source_position at{1, 1};
  auto advance = [&](size_t count) {
    for (char c : text.substr(0, count)) {
      if (c == '\n') {
        ++at.line;
        at.column = 1;
      } else if ((c & 0xc0) != 0x80) {  // not inside a character
        ++at.column;
      }
    }
    text.remove_prefix(count);
  };
  // A quote begins a string but in the middle of a word; in a dotted key it does after the dot. A
  // word that begins as numbers do goes on after a space: it may be a date, and a time.
  char wordBegin = 0, last = 0;
  auto isIn = [](char c, std::string_view set) { return set.find(c) != set.npos; };
  auto isNumber = [&] { return isIn(wordBegin, "+-0123456789"); };
  while (!text.empty()) {
    const char c = text[0];
    bool isQuote = c == '"' || c == '\'';
    if (isQuote) isQuote = wordBegin == 0 || (last == '.' && !isNumber());
    if (isIn(c, "=,[]{}\n#") || (isIn(c, " \t\r") && !isNumber()) || isQuote) {
      wordBegin = 0;
    } else if (wordBegin == 0) {
      wordBegin = c;
    }
    last = c;
    if (c == '#') {
      advance(std::min(text.find('\n'), text.size()));
    } else if (isQuote) {
      // Three quotes begin a string of several lines, which ends at the next three.
      bool isLong = text.size() >= 3 && text[1] == text[0] && text[2] == text[0];
      std::string_view quotes = text.substr(0, isLong ? 3 : 1);
      advance(quotes.size());
      while (!text.empty() && !text.starts_with(quotes) && (isLong || text[0] != '\n')) {
        advance(text[0] == '\\' && quotes[0] == '"' ? std::min<size_t>(2, text.size()) : 1);
      }
      if (text.starts_with(quotes)) advance(quotes.size());
    } else if (static_cast<unsigned char>(text[0]) >= 0x80) {
      return at;
    } else {
      advance(1);
    }
  }
  return std::nullopt;
}

}  // namespace

bool isComponentName(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

Result<Manifest> parseManifest(std::string_view text, const std::string& path) {
  if (auto at = bareCharacter(text)) {
    return Error(ErrorCode::MALFORMED, path + ":" + std::to_string(at->line) + ":" +
                                           std::to_string(at->column) +
                                           ": characters beyond ASCII must be in quotes");
  }
  toml::table root;
  try {
    root = toml::parse(text, path);
  } catch (const toml::parse_error& error) {
    const toml::source_position& at = error.source().begin;
    return Error(ErrorCode::MALFORMED, path + ":" + std::to_string(at.line) + ":" +
                                           std::to_string(at.column) + ": " +
                                           std::string(error.description()));
  }
  Reader reader(path);
  Manifest manifest = reader.read(root);
  std::vector<Error>& problems = reader.problems();
  if (problems.empty()) return manifest;
  Error first = std::move(problems.front());
  for (const Error& problem : std::span(problems).subspan(1)) {
    first.details += (first.details.empty() ? "  " : "\n  ") + problem.message;
  }
  return first;
}

}  // namespace tenon::link
