// Reads TOML documents from standard input, each as "<bytes>\n" and so many bytes, and prints one
// line for each: JSON, in which a value is [kind, text], or "error LINE:COLUMN TEXT".

#include "link/toml.h"

#include <nlohmann/json.hpp>

#include <iostream>
#include <string>

namespace {

using Json = nlohmann::ordered_json;
using tenon::link::toml::Entry;
using tenon::link::toml::Kind;
using tenon::link::toml::Table;
using tenon::link::toml::Value;

Json toJson(const Table& table);
Json toJson(const Value& value) {
  switch (value.kind) {
    case Kind::STRING:
      return {"string", value.text};
    case Kind::INTEGER:
      return {"integer", std::to_string(value.integer)};
    case Kind::FLOAT:
      return {"float", value.text};
    case Kind::BOOLEAN:
      return {"boolean", value.boolean ? "true" : "false"};
    case Kind::DATE:
      return {"date", value.text};
    case Kind::TABLE:
      return toJson(*value.table);
    case Kind::ARRAY: {
      Json items = Json::array();
      for (const Value& item : value.items) items.push_back(toJson(item));
      return Json::array({"array", items});
    }
  }
  return {};
}
Json toJson(const Table& table) {
  Json object = Json::object();
  for (const Entry& entry : table.entries()) object[entry.key] = toJson(entry.value);
  return object;
}

}  // namespace

int main() {
  std::string size;
  while (std::getline(std::cin, size)) {
    std::string text(std::stoul(size), '\0');
    std::cin.read(text.data(), static_cast<std::streamsize>(text.size()));
    auto document = tenon::link::toml::parse(text);
    if (document.problems.empty()) {
      std::cout << toJson(document.root).dump() << "\n";
    } else {
      const auto& problem = document.problems.front();
      std::cout << "error " << problem.place.line << ":" << problem.place.column << " "
                << problem.what << "\n";
    }
  }
}
