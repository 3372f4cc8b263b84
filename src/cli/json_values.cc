#include "cli/json_values.h"

#include <tenon/text.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace tenon::cli {
namespace {

using Json = nlohmann::ordered_json;

// How much of a text a message shows.
constexpr size_t MOST_SHOWN = 80;

// As deep as any value can be, and more: deeper texts are refused before they are read.
constexpr size_t DEEPEST = 256;

size_t depthOf(std::string_view json) {
  size_t depth = 0;
  size_t deepest = 0;
  bool quoted = false;
  for (size_t i = 0; i < json.size(); ++i) {
    char c = json[i];
    if (c == '"') quoted = !quoted;
    if (quoted && c == '\\') ++i;
    if (quoted) continue;
    if (c == '[' || c == '{') deepest = std::max(deepest, ++depth);
    if ((c == ']' || c == '}') && depth > 0) --depth;
  }
  return deepest;
}

// The one character that a text is; nothing for any other text. `text` is UTF-8.
std::optional<char32_t> onlyCharacter(std::string_view text) {
  if (text.empty()) return std::nullopt;
  auto first = static_cast<unsigned char>(text[0]);
  size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (text.size() != size) return std::nullopt;
  char32_t code = size == 1 ? first : first & (0xffU >> (size + 1));
  for (char c : text.substr(1)) code = (code << 6) | (static_cast<unsigned char>(c) & 0x3fU);
  return code;
}

std::string utf8(char32_t code) {
  if (code < 0x80) return {static_cast<char>(code)};
  std::string text;
  int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  constexpr std::array<uint32_t, 4> MARKS = {0, 0xc0, 0xe0, 0xf0};
  text += static_cast<char>(MARKS[static_cast<size_t>(more)] | (code >> (6 * more)));
  while (more-- > 0) text += static_cast<char>(0x80 | ((code >> (6 * more)) & 0x3f));
  return text;
}

bool isOption(const Type* type) { return type != nullptr && type->kind == TypeKind::OPTION; }

// -- From JSON -----------------------------------------------------------------------------------

class Reader {
 public:
  explicit Reader(const DynamicFunction::FindHandle& findHandle) : findHandle_(findHandle) {}

  // As deep as the type, which has a limit.
  Result<Value> read(const Json& json, const Type& type, const std::string& place) {
    auto wrong = [&](const std::string& expected) {
      return Error(ErrorCode::INVALID_ARGUMENT,
                   (place.empty() ? "" : "at " + place + ": ") + "expected " + expected +
                       ", found " + shortened(json.dump(-1, ' ', false, REPLACE), MOST_SHOWN));
    };
    switch (type.kind) {
      case TypeKind::BOOL:
        if (!json.is_boolean()) return wrong("true or false");
        return Value(json.get<bool>());
      case TypeKind::S8:
        return integer<int8_t>(json, wrong);
      case TypeKind::U8:
        return integer<uint8_t>(json, wrong);
      case TypeKind::S16:
        return integer<int16_t>(json, wrong);
      case TypeKind::U16:
        return integer<uint16_t>(json, wrong);
      case TypeKind::S32:
        return integer<int32_t>(json, wrong);
      case TypeKind::U32:
        return integer<uint32_t>(json, wrong);
      case TypeKind::S64:
        return integer<int64_t>(json, wrong);
      case TypeKind::U64:
        return integer<uint64_t>(json, wrong);
      case TypeKind::F32:
        return floating<float>(json, wrong);
      case TypeKind::F64:
        return floating<double>(json, wrong);
      case TypeKind::CHAR: {
        auto code = json.is_string() ? onlyCharacter(json.get_ref<const std::string&>())
                                     : std::optional<char32_t>();
        if (!code) return wrong("a string of one character");
        return Value(Char{*code});
      }
      case TypeKind::STRING:
        if (!json.is_string()) return wrong("a string");
        return Value(json.get<std::string>());
      case TypeKind::LIST: {
        if (!json.is_array()) return wrong("an array");
        if (type.fixedLength != 0 && json.size() != type.fixedLength) {
          return wrong("an array of " + std::to_string(type.fixedLength));
        }
        List list;
        list.items.reserve(json.size());
        for (const Json& item : json) {
          TENON_TRY(Value value, read(item, *type.element, at(place, list.items.size())));
          list.items.push_back(std::move(value));
        }
        return Value(std::move(list));
      }
      case TypeKind::TUPLE: {
        if (!json.is_array() || json.size() != type.members.size()) {
          return wrong("an array of " + std::to_string(type.members.size()));
        }
        Tuple tuple;
        for (size_t i = 0; i < json.size(); ++i) {
          TENON_TRY(Value value, read(json[i], *type.members[i].type, at(place, i)));
          tuple.items.push_back(std::move(value));
        }
        return Value(std::move(tuple));
      }
      case TypeKind::RECORD:
        if (!json.is_object()) return wrong("an object");
        return record(json, type, place);
      case TypeKind::VARIANT:
        return variant(json, type, place, wrong);
      case TypeKind::ENUM: {
        const std::string* label = labelOf(json, type);
        if (label == nullptr) return wrong("one of " + labels(type));
        return Value(Enum{*label});
      }
      case TypeKind::FLAGS: {
        if (!json.is_array()) return wrong("an array out of " + labels(type));
        for (const Json& label : json) {
          if (labelOf(label, type) == nullptr) return wrong("an array out of " + labels(type));
        }
        Flags flags;
        for (const Labelled& member : type.members) {
          if (std::ranges::find(json, Json(member.label)) != json.end()) {
            flags.labels.push_back(member.label);
          }
        }
        return Value(std::move(flags));
      }
      case TypeKind::OPTION:
        return option(json, type, place, wrong);
      case TypeKind::RESULT: {
        bool fits = json.is_object() && json.size() == 1 &&
                    (json.begin().key() == "ok" || json.begin().key() == "err");
        if (!fits) return wrong("{\"ok\": ...} or {\"err\": ...}");
        bool isError = json.begin().key() == "err";
        TENON_TRY(Box payload, this->payload(*json.begin(), isError ? type.error : type.ok,
                                             place + "." + json.begin().key(), wrong));
        return Value(ResultValue{isError, std::move(payload)});
      }
      case TypeKind::OWN:
      case TypeKind::BORROW: {
        if (!json.is_string()) return wrong("a string with a handle, \"#name-1\"");
        auto handle = findHandle_ ? findHandle_(json.get_ref<const std::string&>()) : nullptr;
        if (!handle) return wrong("a handle that an earlier call returned");
        return Value(Resource{std::move(handle), type.kind == TypeKind::OWN});
      }
      case TypeKind::ERROR_CONTEXT:
      case TypeKind::STREAM:
      case TypeKind::FUTURE:
        return wrong("a type that can be passed; " + toString(type) + " cannot");
    }
    return wrong("a value");
  }

 private:
  static constexpr auto REPLACE = Json::error_handler_t::replace;

  static std::string at(const std::string& place, size_t index) {
    return place + "[" + std::to_string(index) + "]";
  }

  template <typename T, typename Wrong>
  static Result<Value> integer(const Json& json, const Wrong& wrong) {
    using Limits = std::numeric_limits<T>;
    bool fits = json.is_number_unsigned()
                    ? json.get<uint64_t>() <= static_cast<uint64_t>(Limits::max())
                    : json.is_number_integer() && std::is_signed_v<T> &&
                          json.get<int64_t>() >= static_cast<int64_t>(Limits::min());
    if (!fits) {
      return wrong("a whole number from " + std::to_string(Limits::min()) + " to " +
                   std::to_string(Limits::max()));
    }
    return Value(json.get<T>());
  }

  template <typename T, typename Wrong>
  static Result<Value> floating(const Json& json, const Wrong& wrong) {
    if (json.is_string()) {
      const auto& text = json.get_ref<const std::string&>();
      if (text == "nan") return Value(std::numeric_limits<T>::quiet_NaN());
      if (text == "inf") return Value(std::numeric_limits<T>::infinity());
      if (text == "-inf") return Value(-std::numeric_limits<T>::infinity());
    }
    if (!json.is_number()) return wrong("a number, \"nan\", \"inf\" or \"-inf\"");
    auto number = json.get<double>();
    if (std::abs(number) > static_cast<double>(std::numeric_limits<T>::max())) {
      return wrong("a number that is not out of range");
    }
    return Value(static_cast<T>(number));
  }

  static const std::string* labelOf(const Json& json, const Type& type) {
    if (!json.is_string()) return nullptr;
    auto found =
        std::ranges::find(type.members, json.get_ref<const std::string&>(), &Labelled::label);
    return found == type.members.end() ? nullptr : &found->label;
  }

  static std::string labels(const Type& type) {
    std::string text;
    for (const Labelled& member : type.members) {
      text += (text.empty() ? "\"" : ", \"") + member.label + "\"";
    }
    return shortened(text, MOST_SHOWN);
  }

  Result<Value> record(const Json& json, const Type& type, const std::string& place) {
    auto wrong = [&](const std::string& what) {
      return Error(ErrorCode::INVALID_ARGUMENT, (place.empty() ? "" : "at " + place + ": ") + what);
    };
    size_t used = 0;
    Record record;
    for (const Labelled& member : type.members) {
      auto found = json.find(member.label);
      if (found == json.end()) {
        if (!isOption(member.type)) return wrong("the field '" + member.label + "' is missing");
        record.fields.push_back({member.label, Value(Option{})});
        continue;
      }
      ++used;
      TENON_TRY(Value value, read(*found, *member.type, place + "." + member.label));
      record.fields.push_back({member.label, std::move(value)});
    }
    if (used < json.size()) {
      for (const auto& [key, value] : json.items()) {
        if (std::ranges::find(type.members, key, &Labelled::label) == type.members.end()) {
          return wrong("there is no field '" + shortened(key, MOST_SHOWN) + "', there are " +
                       labels(type));
        }
      }
    }
    return Value(std::move(record));
  }

  // `type` null: the case carries nothing, and `json` is null.
  template <typename Wrong>
  Result<Box> payload(const Json& json, const Type* type, const std::string& place,
                      const Wrong& wrong) {
    if (type == nullptr) {
      if (!json.is_null()) return wrong("null behind a case without a payload");
      return Box();
    }
    TENON_TRY(Value value, read(json, *type, place));
    return Box(std::move(value));
  }

  template <typename Wrong>
  Result<Value> variant(const Json& json, const Type& type, const std::string& place,
                        const Wrong& wrong) {
    // "case" where there is no payload, {"case": payload} always.
    bool bare = json.is_string();
    bool wrapped = json.is_object() && json.size() == 1;
    Json label = bare ? json : wrapped ? Json(json.begin().key()) : Json();
    auto found = label.is_string()
                     ? std::ranges::find(type.members, label.get<std::string>(), &Labelled::label)
                     : type.members.end();
    if (found == type.members.end() || (bare && found->type != nullptr)) {
      return wrong("{\"CASE\": ...}, with a case out of " + labels(type));
    }
    if (bare) return Value(Variant{found->label, {}});
    TENON_TRY(Box payload,
              this->payload(*json.begin(), found->type, place + "." + found->label, wrong));
    return Value(Variant{found->label, std::move(payload)});
  }

  // An option of an option says which of them is none.
  template <typename Wrong>
  Result<Value> option(const Json& json, const Type& type, const std::string& place,
                       const Wrong& wrong) {
    if (json.is_null()) return Value(Option{});
    const Json* inner = &json;
    if (isOption(type.element)) {
      if (!json.is_object() || json.size() != 1 || json.begin().key() != "some") {
        return wrong("null or {\"some\": ...}");
      }
      inner = &*json.begin();
    }
    TENON_TRY(Value value, read(*inner, *type.element, place));
    return Value(Option{Box(std::move(value))});
  }

  const DynamicFunction::FindHandle& findHandle_;
};

// -- To JSON -------------------------------------------------------------------------------------

Json jsonOf(const Value& value);

struct Writer {
  Json operator()(bool value) const { return value; }
  template <typename T>
    requires std::is_integral_v<T>
  Json operator()(T value) const {
    return value;
  }
  template <typename T>
    requires std::is_floating_point_v<T>
  Json operator()(T value) const {
    if (std::isnan(value)) return "nan";
    if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
    // A float's shortest text, not that of the double that it is widened to.
    if constexpr (std::is_same_v<T, float>) return Json::parse(toWave(Value(value)));
    return value;
  }
  Json operator()(const Char& value) const { return utf8(value.code); }
  Json operator()(const std::string& value) const { return value; }
  Json operator()(const List& list) const { return items(list.items); }
  Json operator()(const Tuple& tuple) const { return items(tuple.items); }
  Json operator()(const Record& record) const {
    Json object = Json::object();
    for (const Field& field : record.fields) object[field.name] = jsonOf(field.value);
    return object;
  }
  Json operator()(const Variant& variant) const {
    if (!variant.payload) return variant.label;
    return pair(variant.label, jsonOf(*variant.payload));
  }
  Json operator()(const Enum& value) const { return value.label; }
  Json operator()(const Option& option) const {
    if (!option.value) return nullptr;
    Json inner = jsonOf(*option.value);
    if (option.value->find<Option>() == nullptr) return inner;
    return pair("some", std::move(inner));
  }
  Json operator()(const ResultValue& result) const {
    return pair(result.isError ? "err" : "ok", result.payload ? jsonOf(*result.payload) : Json());
  }
  Json operator()(const Flags& flags) const { return flags.labels; }
  Json operator()(const Resource& resource) const { return toWave(Value(resource)); }

  static Json pair(const std::string& key, Json value) {
    Json object = Json::object();
    object[key] = std::move(value);
    return object;
  }
  static Json items(const std::vector<Value>& items) {
    Json array = Json::array();
    for (const Value& item : items) array.push_back(jsonOf(item));
    return array;
  }
};

Json jsonOf(const Value& value) { return std::visit(Writer(), value.storage()); }

}  // namespace

Result<std::vector<Value>> parseJsonArguments(const FunctionInfo& function,
                                              std::span<const std::string> texts,
                                              const DynamicFunction::FindHandle& findHandle) {
  const std::vector<Parameter>& params = function.type.params;
  // Says what the number should be.
  if (texts.size() != params.size()) return parseArguments(function, texts, findHandle);
  std::vector<Value> values;
  for (size_t i = 0; i < texts.size(); ++i) {
    auto refuse = [&](const std::string& why) {
      return Error(ErrorCode::INVALID_ARGUMENT,
                   "'" + shortened(texts[i], MOST_SHOWN) + "' does not fit argument '" +
                       params[i].name + ": " + shortened(toString(*params[i].type), MOST_SHOWN) +
                       "' of " + function.path() + ": " + why);
    };
    if (depthOf(texts[i]) > DEEPEST) return refuse("no value nests so deep");
    // What is no JSON is found before anything is made of it, with its place.
    Json json;
    try {
      json = Json::parse(texts[i]);
    } catch (const Json::parse_error& problem) {
      std::string what = problem.what();
      // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error ..."
      size_t end = what.find("] ");
      return refuse("no JSON: " + (end == std::string::npos ? what : what.substr(end + 2)));
    }
    auto value = Reader(findHandle).read(json, *params[i].type, "");
    if (!value) return refuse(value.error().message);
    values.push_back(*std::move(value));
  }
  return values;
}

std::string toJson(const Value& value) {
  return jsonOf(value).dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tenon::cli
