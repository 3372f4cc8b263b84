#include "component/wit/extern_name.h"

#include <algorithm>

namespace tenon::component::wit {
namespace {

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool isLabelByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

Error badName(std::string_view name) {
  return Error(ErrorCode::INVALID,
               "\"" + std::string(name) + "\" is no name of an import or export that WIT can show");
}

bool isNumber(std::string_view text) {
  return !text.empty() && (text == "0" || text[0] != '0') &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Calls `test` for the pieces of `text` between dots.
template <typename Test>
bool everyPiece(std::string_view text, Test test) {
  while (true) {
    const size_t dot = text.find('.');
    if (!test(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

// MAJOR.MINOR.PATCH with an optional -PRE and +BUILD.
bool isVersion(std::string_view text) {
  if (const size_t plus = text.find('+'); plus != std::string_view::npos) {
    if (!everyPiece(text.substr(plus + 1), isLabel)) return false;
    text = text.substr(0, plus);
  }
  if (const size_t dash = text.find('-'); dash != std::string_view::npos) {
    if (!everyPiece(text.substr(dash + 1), isLabel)) return false;
    text = text.substr(0, dash);
  }
  return std::count(text.begin(), text.end(), '.') == 2 && everyPiece(text, isNumber);
}

}  // namespace

bool isLabel(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), isLabelByte);
}

Result<ParsedName> parseExternName(std::string_view name) {
  std::string_view rest = name;
  const size_t firstColon = rest.find(':');
  if (firstColon != std::string_view::npos) {
    InterfaceName out;
    if (const size_t at = rest.find('@'); at != std::string_view::npos) {
      out.version = rest.substr(at + 1);
      rest = rest.substr(0, at);
    }
    const size_t slash = rest.find('/');
    const size_t colon = rest.substr(0, slash).rfind(':');
    if (slash == std::string_view::npos || colon == std::string_view::npos) return badName(name);
    out.ns = rest.substr(0, colon);
    out.package = rest.substr(colon + 1, slash - colon - 1);
    const std::string_view projection = rest.substr(slash + 1);
    out.interface = projection.substr(0, projection.find('/'));
    const bool nsIsGood = std::all_of(out.ns.begin(), out.ns.end(),
                                      [](char c) { return c == ':' || isLabelByte(c); });
    if (out.ns.empty() || !nsIsGood || !isLabel(out.package) || !isLabel(out.interface)) {
      return badName(name);
    }
    return ParsedName(out);
  }
  PlainName out;
  if (take(rest, "[constructor]")) {
    if (!isLabel(rest)) return badName(name);
    out.form = FuncForm::CONSTRUCTOR;
    out.resource = rest;
    out.name = "constructor";
    return ParsedName(out);
  }
  if (take(rest, "[method]")) {
    out.form = FuncForm::METHOD;
  } else if (take(rest, "[static]")) {
    out.form = FuncForm::STATIC;
  }
  if (take(rest, "[get]")) {
    out.accessor = Accessor::GET;
  } else if (take(rest, "[set]")) {
    out.accessor = Accessor::SET;
  }
  if (out.form != FuncForm::FREE) {
    const size_t dot = rest.find('.');
    if (dot == std::string_view::npos || !isLabel(rest.substr(0, dot))) return badName(name);
    out.resource = rest.substr(0, dot);
    rest.remove_prefix(dot + 1);
  }
  if (!isLabel(rest)) return badName(name);
  out.name = rest;
  return ParsedName(out);
}

Result<std::optional<std::string>> fullVersion(const InterfaceName& name,
                                               std::optional<std::string_view> suffix) {
  if (!name.version) {
    if (!suffix) return std::optional<std::string>();
    return Error(ErrorCode::INVALID, "a version suffix of a name without version");
  }
  std::string version(*name.version);
  if (suffix) version += *suffix;
  if (!isVersion(version)) {
    return Error(ErrorCode::INVALID, "\"" + version + "\" is no semantic version");
  }
  return std::optional<std::string>(std::move(version));
}

}  // namespace tenon::component::wit
