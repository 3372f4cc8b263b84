#pragma once

// A small JSON reader, for the documentation that WIT packages carry. Source: RFC 8259.

#include <tenon/result.h>

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tenon::component::wit {

struct JsonValue;
struct JsonMember;

struct JsonNumber {
  std::string text;  // as written
};
struct JsonArray {
  std::vector<JsonValue> items;
};
struct JsonObject {
  std::vector<JsonMember> members;  // in order, duplicates included
};

struct JsonValue {
  std::variant<std::monostate, bool, JsonNumber, std::string, JsonArray, JsonObject> content;

  // The content as this, or null.
  const std::string* string() const { return std::get_if<std::string>(&content); }
  const JsonObject* object() const { return std::get_if<JsonObject>(&content); }
  bool isNull() const { return std::holds_alternative<std::monostate>(content); }
  // A member of an object; null when there is none or this is no object.
  const JsonValue* find(std::string_view name) const;
};

struct JsonMember {
  std::string name;
  JsonValue value;
};

// Reads one value. Strings come out as valid UTF-8. Errors: MALFORMED with the offset in `text`;
// LIMIT_EXCEEDED when nested deeper than 64 levels.
Result<JsonValue> readJson(std::string_view text);

}  // namespace tenon::component::wit
