// Whether dynamic values fit types, and the texts for when they do not.
#include "component/abi/dynamic.h"
#include "component/abi/value_walk.h"

#include <tenon/abi/strings.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

namespace tenon::abi {
namespace {

constexpr size_t MAX_TEXT = 60;
constexpr size_t MAX_TYPE_TEXT = 200;

// Where a check is: a list from the inside out, so that text is made for an error only.
struct Path {
  const Path* outer = nullptr;
  std::string_view word;  // "field", "item"; the whole of the outermost step
  std::string_view label = {};
  size_t index = 0;
  bool hasIndex = false;
};

std::string textOf(const Path& path) {
  if (!path.outer) return std::string(path.word);
  std::string text = textOf(*path.outer);
  if (!text.empty()) text += ", ";
  text += path.word;
  if (path.hasIndex) text += " " + std::to_string(path.index);
  if (!path.label.empty()) text += " '" + std::string(path.label) + "'";
  return text;
}

Error refuse(const Path& path, const std::string& what,
             ErrorCode code = ErrorCode::INVALID_ARGUMENT) {
  std::string where = textOf(path);
  return Error{code, where.empty() ? what : where + ": " + what};
}

std::string shortened(std::string text, size_t length) {
  if (text.size() <= length) return text;
  while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80) length--;
  return text.substr(0, length) + "...";
}

Error wrong(const Path& path, const Type& type, const Value& value) {
  return refuse(path, "expected " + shortened(toString(type), MAX_TYPE_TEXT) + ", found " +
                          describeValue(value));
}

// The handles that one call passes, and whether as own.
using PassedHandles = std::map<const ResourceHandle*, bool>;

struct Checker {
  const HandleFactory* handles;
  PassedHandles* passed;

  Result<void> check(const Type& type, const Value& value, const Path& path) const;
  Result<void> checkMembers(const Type& type, const Value& value, const Path& path) const;
  Result<void> checkCase(const Type& type, const Value& value, const Path& path) const;
  Result<void> checkHandle(const Type& type, const Value& value, const Path& path) const;
};

bool isScalar(const Type& type, const Value& value) {
  switch (type.kind) {
    case TypeKind::BOOL:
      return value.find<bool>();
    case TypeKind::S8:
      return value.find<int8_t>();
    case TypeKind::U8:
      return value.find<uint8_t>();
    case TypeKind::S16:
      return value.find<int16_t>();
    case TypeKind::U16:
      return value.find<uint16_t>();
    case TypeKind::S32:
      return value.find<int32_t>();
    case TypeKind::U32:
      return value.find<uint32_t>();
    case TypeKind::S64:
      return value.find<int64_t>();
    case TypeKind::U64:
      return value.find<uint64_t>();
    case TypeKind::F32:
      return value.find<float>();
    default:
      return value.find<double>();
  }
}

Result<void> Checker::checkMembers(const Type& type, const Value& value, const Path& path) const {
  if (type.kind == TypeKind::TUPLE) {
    const auto* tuple = value.find<Tuple>();
    if (!tuple || tuple->items.size() != type.members.size()) return wrong(path, type, value);
    for (size_t i = 0; i < tuple->items.size(); i++) {
      Path step{&path, "element", {}, i, true};
      TENON_CHECK(check(*type.members[i].type, tuple->items[i], step));
    }
    return {};
  }
  const auto* record = value.find<Record>();
  if (!record) return wrong(path, type, value);
  for (size_t i = 0; i < std::max(record->fields.size(), type.members.size()); i++) {
    if (i >= record->fields.size()) {
      return refuse(path, "the field '" + type.members[i].label + "' is missing");
    }
    const Field& field = record->fields[i];
    if (i >= type.members.size()) {
      return refuse(path, "there is no field '" + shortened(field.name, MAX_TEXT) + "'");
    }
    if (field.name != type.members[i].label) {
      return refuse(path, "expected the field '" + type.members[i].label + "', found '" +
                              shortened(field.name, MAX_TEXT) + "'");
    }
    TENON_CHECK(check(*type.members[i].type, field.value, Path{&path, "field", field.name}));
  }
  return {};
}

Result<void> Checker::checkCase(const Type& type, const Value& value, const Path& path) const {
  CaseOf found = findCase(type, value);
  if (found.index == NOT_FOUND) return wrong(path, type, value);
  const Type* payload = casePayload(type, found.index);
  std::string_view label = type.kind == TypeKind::OPTION ? std::string_view("some")
                           : type.kind == TypeKind::RESULT
                               ? std::string_view(found.index == 0 ? "ok" : "error")
                               : std::string_view(type.members[found.index].label);
  Path step{&path, "case", label};
  if (payload && !found.payload) {
    return refuse(
        step, "expected " + shortened(toString(*payload), MAX_TYPE_TEXT) + ", found no payload");
  }
  if (!payload && found.payload) {
    return refuse(step, "expected no payload, found " + describeValue(*found.payload));
  }
  return payload ? check(*payload, *found.payload, step) : Result<void>();
}

Result<void> Checker::checkHandle(const Type& type, const Value& value, const Path& path) const {
  const auto* resource = value.find<Resource>();
  if (!resource || !resource->handle) return wrong(path, type, value);
  bool own = type.kind == TypeKind::OWN;
  const char* reason = !handles                  ? "resource handles cannot be passed here"
                       : own && !resource->owned ? "a borrowed resource handle cannot be given away"
                       : own ? handles->refuseOwn(*resource->handle, type.resource)
                             : handles->refuseBorrow(*resource->handle, type.resource);
  if (reason) return refuse(path, reason);
  // What is given away is nobody's to lend, nor to give again. Source: definitions.py `lift_own`.
  auto [first, isNew] = passed->try_emplace(resource->handle.get(), own);
  if (!isNew && (own || first->second)) {
    return refuse(path, "a resource handle that is given away is passed twice in one call");
  }
  return {};
}

Result<void> Checker::check(const Type& type, const Value& value, const Path& path) const {
  switch (type.kind) {
    case TypeKind::CHAR: {
      const auto* character = value.find<Char>();
      if (!character) return wrong(path, type, value);
      char32_t code = character->code;
      if (code >= 0x110000 || (code >= 0xD800 && code <= 0xDFFF)) return wrong(path, type, value);
      return {};
    }
    case TypeKind::STRING: {
      const auto* text = value.find<std::string>();
      if (!text) return wrong(path, type, value);
      if (!isValidUtf8(*text)) return refuse(path, "the string is not valid UTF-8");
      if (text->size() > MAX_BYTE_LENGTH) {
        return refuse(path, "the string is longer than 2^28 - 1 bytes");
      }
      return {};
    }
    case TypeKind::LIST: {
      const auto* list = value.find<List>();
      if (!list || (type.fixedLength != 0 && list->items.size() != type.fixedLength)) {
        return wrong(path, type, value);
      }
      if (list->items.size() > MAX_BYTE_LENGTH / type.element->size) {
        return refuse(path, "the list is longer than 2^28 - 1 bytes");
      }
      for (size_t i = 0; i < list->items.size(); i++) {
        TENON_CHECK(check(*type.element, list->items[i], Path{&path, "item", {}, i, true}));
      }
      return {};
    }
    case TypeKind::RECORD:
    case TypeKind::TUPLE:
      return checkMembers(type, value, path);
    case TypeKind::VARIANT:
    case TypeKind::OPTION:
    case TypeKind::RESULT:
      return checkCase(type, value, path);
    case TypeKind::ENUM: {
      const auto* label = value.find<Enum>();
      bool fits = label && findLabel(type, label->label) != NOT_FOUND;
      return fits ? Result<void>() : wrong(path, type, value);
    }
    case TypeKind::FLAGS: {
      const auto* flags = value.find<Flags>();
      if (!flags) return wrong(path, type, value);
      for (const std::string& label : flags->labels) {
        if (findLabel(type, label) == NOT_FOUND) return wrong(path, type, value);
      }
      return {};
    }
    case TypeKind::OWN:
    case TypeKind::BORROW:
      return checkHandle(type, value, path);
    case TypeKind::ERROR_CONTEXT:
    case TypeKind::STREAM:
    case TypeKind::FUTURE:
      return refuse(path, UNSUPPORTED_TYPE, ErrorCode::UNSUPPORTED);
    default:
      return isScalar(type, value) ? Result<void>() : wrong(path, type, value);
  }
}

template <typename Items, typename Text>
std::string joined(std::string text, const Items& items, Text&& textOf) {
  text += " {";
  const char* separator = " ";
  for (const auto& item : items) {
    text += separator + std::string(textOf(item));
    separator = ", ";
    if (text.size() > MAX_TEXT) return shortened(std::move(text), MAX_TEXT) + " }";
  }
  return text + " }";
}

std::string counted(std::string_view word, size_t count, std::string_view unit) {
  return std::string(word) + " of " + std::to_string(count) + " " + std::string(unit) +
         (count == 1 ? "" : "s");
}

template <typename T>
std::string number(std::string_view kind, T value) {
  char buffer[40];
  auto end = std::to_chars(buffer, buffer + sizeof(buffer), value).ptr;
  return std::string(kind) + " " + std::string(buffer, end);
}

struct Describer {
  std::string operator()(bool value) const { return value ? "bool true" : "bool false"; }
  std::string operator()(int8_t value) const { return number("s8", int{value}); }
  std::string operator()(uint8_t value) const { return number("u8", unsigned{value}); }
  std::string operator()(int16_t value) const { return number("s16", value); }
  std::string operator()(uint16_t value) const { return number("u16", value); }
  std::string operator()(int32_t value) const { return number("s32", value); }
  std::string operator()(uint32_t value) const { return number("u32", value); }
  std::string operator()(int64_t value) const { return number("s64", value); }
  std::string operator()(uint64_t value) const { return number("u64", value); }
  std::string operator()(float value) const {
    return std::isnan(value) ? "f32 nan" : number("f32", value);
  }
  std::string operator()(double value) const {
    return std::isnan(value) ? "f64 nan" : number("f64", value);
  }
  std::string operator()(Char value) const {
    char buffer[16];
    auto end = std::to_chars(buffer, buffer + sizeof(buffer), uint32_t{value.code}, 16).ptr;
    return "char U+" + std::string(buffer, end);
  }
  std::string operator()(const std::string& value) const {
    std::string text = shortened(value, MAX_TEXT);
    std::string quoted = "string \"";
    for (char c : text) {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
    }
    return quoted + "\"";
  }
  std::string operator()(const List& value) const {
    return counted("list", value.items.size(), "item");
  }
  std::string operator()(const Tuple& value) const {
    return counted("tuple", value.items.size(), "element");
  }
  std::string operator()(const Record& value) const {
    return joined("record", value.fields, [](const Field& field) { return field.name; });
  }
  std::string operator()(const Variant& value) const {
    return "case '" + shortened(value.label, MAX_TEXT) + "'";
  }
  std::string operator()(const Enum& value) const {
    return "enum '" + shortened(value.label, MAX_TEXT) + "'";
  }
  std::string operator()(const Option& value) const {
    return value.value ? "option with " + describeInner(*value.value) : "option none";
  }
  std::string operator()(const ResultValue& value) const {
    std::string side = value.isError ? "result error" : "result ok";
    return value.payload ? side + " with " + describeInner(*value.payload) : side;
  }
  std::string operator()(const Flags& value) const {
    return joined("flags", value.labels, [](const std::string& label) { return label; });
  }
  std::string operator()(const Resource& value) const {
    if (!value.handle) return "an empty resource handle";
    return (value.owned ? "own " : "borrow ") + std::string(value.handle->typeName());
  }

 private:
  // One level only: the text stays short, and values may be nested deeper than any type.
  static std::string describeInner(const Value& value) {
    if (value.find<Option>()) return "an option";
    if (value.find<ResultValue>()) return "a result";
    return describeValue(value);
  }
};

}  // namespace

std::string describeValue(const Value& value) { return std::visit(Describer(), value.storage()); }

Result<void> checkValue(const Type& type, const Value& value, std::string_view path,
                        const HandleFactory* handles) {
  PassedHandles passed;
  return Checker{handles, &passed}.check(type, value, Path{nullptr, path});
}

Result<void> checkArguments(const FuncType& type, std::span<const Value> arguments,
                            const HandleFactory* handles) {
  if (arguments.size() != type.params.size()) {
    return Error{ErrorCode::INVALID_ARGUMENT,
                 "expected " + std::to_string(type.params.size()) +
                     (type.params.size() == 1 ? " argument" : " arguments") + ", found " +
                     std::to_string(arguments.size()) + ": " +
                     shortened(toString(type), MAX_TYPE_TEXT)};
  }
  PassedHandles passed;
  Checker checker{handles, &passed};
  for (size_t i = 0; i < arguments.size(); i++) {
    std::string where = "argument '" + type.params[i].name + "'";
    Path path{nullptr, where};
    TENON_CHECK(checker.check(*type.params[i].type, arguments[i], path));
  }
  return {};
}

}  // namespace tenon::abi
