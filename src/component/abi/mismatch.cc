// What `Abi<T>::matches` says when a C++ type does not stand for a component type.
#include <tenon/typed.h>

#include <cctype>

namespace tenon::abi::detail {
namespace {

constexpr size_t MAX_TYPE_TEXT = 200;

std::string shortened(std::string text) {
  if (text.size() > MAX_TYPE_TEXT) text = text.substr(0, MAX_TYPE_TEXT) + "...";
  return text;
}

bool say(TypeMatch& match, std::string difference) {
  match.difference = std::move(difference);
  match.hasPath = false;
  return false;
}

std::string quoted(std::string_view word, std::string_view name) {
  return std::string(word) + " '" + std::string(name) + "'";
}

std::string_view kindName(TypeKind kind) { return kind == TypeKind::ENUM ? "enum" : "flags"; }

}  // namespace

bool differ(TypeMatch& match, std::string_view expected, const Type* found) {
  return say(match, "expected " + shortened(std::string(expected)) + ", found " +
                        (found ? shortened(toString(*found)) : "no payload"));
}

bool within(TypeMatch& match, std::string_view step, bool ok) {
  if (ok) return true;
  match.difference = std::string(step) + (match.hasPath ? ", " : ": ") + match.difference;
  match.hasPath = true;
  return false;
}

bool differCount(TypeMatch& match, std::string_view what, size_t expected, size_t found) {
  return say(match, "expected " + std::to_string(expected) + " " + std::string(what) + ", found " +
                        std::to_string(found));
}

bool differLabel(TypeMatch& match, std::string_view what, std::string_view expected,
                 std::string_view found) {
  return say(match, "expected " + quoted(what, expected) + ", found '" + std::string(found) + "'");
}

bool sameLabel(std::string_view cppName, std::string_view label) {
  auto next = [](std::string_view text, size_t& i) -> int {
    while (i < text.size() && (text[i] == '-' || text[i] == '_')) i++;
    return i < text.size() ? std::tolower(static_cast<unsigned char>(text[i++])) : -1;
  };
  size_t i = 0, j = 0;
  while (true) {
    int a = next(cppName, i), b = next(label, j);
    if (a != b) return false;
    if (a == -1) return true;
  }
}

bool matchesLabels(const Type& type, TypeMatch& match, TypeKind kind, size_t count,
                   std::span<const std::string_view> names) {
  if (type.kind != kind) return differ(match, describeLabels(kind, count, names), &type);
  if (type.members.size() != count) {
    return differCount(match, kind == TypeKind::ENUM ? "cases" : "flags", count,
                       type.members.size());
  }
  for (size_t i = 0; i < names.size(); i++) {
    if (!sameLabel(names[i], type.members[i].label)) {
      return differLabel(match, kind == TypeKind::ENUM ? "case" : "flag", names[i],
                         type.members[i].label);
    }
  }
  return true;
}

std::string describeLabels(TypeKind kind, size_t count, std::span<const std::string_view> names) {
  std::string text(kindName(kind));
  if (names.empty()) return text + " of " + std::to_string(count);
  for (size_t i = 0; i < names.size(); i++) {
    text += (i == 0 ? " { " : ", ") + std::string(names[i]);
  }
  return text + " }";
}

std::string fieldStep(std::string_view name) { return quoted("field", name); }
std::string caseStep(std::string_view label) { return quoted("case", label); }
std::string elementStep(size_t index) { return "element " + std::to_string(index); }
std::string parameterStep(const Parameter& parameter, size_t index) {
  if (parameter.name.empty()) return "parameter " + std::to_string(index);
  return quoted("parameter", parameter.name);
}

bool matchesShape(const FuncType& type, TypeMatch& match, size_t params, bool hasResult) {
  if (type.async) return say(match, "expected a synchronous function, found an async one");
  if (type.params.size() != params) {
    differCount(match, params == 1 ? "parameter" : "parameters", params, type.params.size());
    match.difference += ": " + shortened(toString(type));
    return false;
  }
  if (!hasResult && type.result) {
    return say(match, "expected no result, found " + shortened(toString(*type.result)));
  }
  if (hasResult && !type.result) return say(match, "expected a result, found none");
  return true;
}

}  // namespace tenon::abi::detail
