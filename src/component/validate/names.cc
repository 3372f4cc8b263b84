#include "component/validate/names.h"

#include "component/validate/say.h"

#include <algorithm>
#include <charconv>

namespace tenon::component {
namespace {

bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isLower(char c) { return c >= 'a' && c <= 'z'; }
bool isUpper(char c) { return c >= 'A' && c <= 'Z'; }
char toLower(char c) { return isUpper(c) ? static_cast<char>(c - 'A' + 'a') : c; }

// A fragment is digits with letters of one case; the first of a label starts with a letter.
bool isFragment(std::string_view text, bool first) {
  if (text.empty() || (first && isDigit(text.front()))) return false;
  bool lower = false;
  bool upper = false;
  for (char c : text) {
    if (isLower(c)) {
      lower = true;
    } else if (isUpper(c)) {
      upper = true;
    } else if (!isDigit(c)) {
      return false;
    }
  }
  return !(lower && upper);
}

bool eat(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// The longest prefix that has only a label's characters.
std::string_view takeLabel(std::string_view& text) {
  size_t end = 0;
  while (end < text.size() &&
         (isLower(text[end]) || isUpper(text[end]) || isDigit(text[end]) || text[end] == '-')) {
    ++end;
  }
  std::string_view label = text.substr(0, end);
  text.remove_prefix(end);
  return label;
}

Error notALabel(std::string_view label, uint64_t offset) {
  return {ErrorCode::INVALID, say("`", label, "` is not in kebab case"), offset};
}

Result<std::string_view> takeLowerLabel(std::string_view& text, uint64_t offset) {
  std::string_view label = takeLabel(text);
  if (!isLabel(label)) return notALabel(label, offset);
  auto upper = std::find_if(label.begin(), label.end(), isUpper);
  if (upper != label.end()) {
    return Error{ErrorCode::INVALID,
                 say("character `", std::string_view(&*upper, 1), "` of `", label,
                     "` is not lower case, as a namespace or package must be"),
                 offset};
  }
  return label;
}

Error nested(std::string_view rest, uint64_t offset) {
  return {ErrorCode::UNSUPPORTED,
          say("nested namespaces and packages (`", rest,
              "`) are a gated feature of the Component Model"),
          offset};
}

Result<ParsedName> parseInterface(std::string_view text, uint64_t offset) {
  InterfaceName name;
  TENON_TRY(name.nameSpace, takeLowerLabel(text, offset));
  if (!eat(text, ":")) {
    return Error{ErrorCode::INVALID, say("expected `:` at `", text, "`"), offset};
  }
  TENON_TRY(name.package, takeLowerLabel(text, offset));
  if (text.starts_with(":")) return nested(text, offset);
  if (!eat(text, "/")) {
    return Error{ErrorCode::INVALID, say("expected `/` after the package name, found `", text, "`"),
                 offset};
  }
  name.interface = takeLabel(text);
  if (!isLabel(name.interface)) return notALabel(name.interface, offset);
  if (eat(text, "@")) {
    name.version = text;
  } else if (text.starts_with("/")) {
    return nested(text, offset);
  } else if (!text.empty()) {
    return Error{ErrorCode::INVALID, say("trailing characters `", text, "`"), offset};
  }
  return ParsedName(name);
}

Result<ParsedName> parsePlain(std::string_view text, NameRules rules, uint64_t offset) {
  PlainName name;
  if (eat(text, "[constructor]")) {
    name.membership = Membership::CONSTRUCTOR;
  } else if (eat(text, "[method]")) {
    name.membership = Membership::METHOD;
  } else if (eat(text, "[static]")) {
    name.membership = Membership::STATIC;
  }
  if (eat(text, "[get]")) {
    name.accessor = Accessor::GET;
  } else if (eat(text, "[set]")) {
    name.accessor = Accessor::SET;
  }
  if (name.accessor != Accessor::NONE) {
    if (!rules.accessors) {
      return Error{ErrorCode::UNSUPPORTED,
                   "`[get]` and `[set]` names are a gated feature of the Component Model", offset};
    }
    if (name.membership == Membership::CONSTRUCTOR) {
      return Error{ErrorCode::INVALID, "a `[constructor]` cannot be `[get]` or `[set]`", offset};
    }
  }
  name.unannotated = text;
  if (name.membership == Membership::METHOD || name.membership == Membership::STATIC) {
    size_t dot = text.find('.');
    if (dot == std::string_view::npos) {
      return Error{ErrorCode::INVALID, say("`", text, "` has no `.` after the resource's name"),
                   offset};
    }
    name.resource = text.substr(0, dot);
    if (!isLabel(name.resource)) return notALabel(name.resource, offset);
    text.remove_prefix(dot + 1);
  }
  if (!isLabel(text)) return notALabel(text, offset);
  name.label = text;
  if (name.membership == Membership::CONSTRUCTOR) name.resource = text;
  return ParsedName(name);
}

// -- Versions -------------------------------------------------------------------------------------

Error badVersion(std::string_view text, std::string_view why) {
  return {ErrorCode::INVALID, say("`", text, "` is not a semantic version: ", why)};
}

bool isNumber(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), isDigit) &&
         (text.size() == 1 || text.front() != '0');
}

bool isIdentifier(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return isDigit(c) || isLower(c) || isUpper(c) || c == '-';
  });
}

// Calls `visit(part)` for the parts between dots until it returns false; false then.
template <typename Visit>
bool allParts(std::string_view text, Visit visit) {
  while (true) {
    size_t dot = text.find('.');
    if (!visit(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

int sign(bool less, bool greater) { return less ? -1 : greater ? 1 : 0; }

bool allDigits(std::string_view text) { return std::all_of(text.begin(), text.end(), isDigit); }

int compareIdentifiers(std::string_view a, std::string_view b) {
  bool numberA = allDigits(a);
  bool numberB = allDigits(b);
  if (numberA != numberB) return numberA ? -1 : 1;
  if (numberA && a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  return sign(a<b, a> b);
}

}  // namespace

bool isLabel(std::string_view text) {
  bool first = true;
  while (true) {
    size_t hyphen = text.find('-');
    if (!isFragment(text.substr(0, hyphen), first)) return false;
    if (hyphen == std::string_view::npos) return true;
    text.remove_prefix(hyphen + 1);
    first = false;
  }
}

std::string labelKey(std::string_view label) {
  std::string key;
  key.reserve(label.size());
  for (char c : label) {
    if (c != '-') key.push_back(toLower(c));
  }
  return key;
}

bool sameLabel(std::string_view a, std::string_view b) {
  auto next = [](std::string_view label, size_t i) {
    while (i < label.size() && label[i] == '-') ++i;
    return i;
  };
  for (size_t i = 0, j = 0;; ++i, ++j) {
    i = next(a, i);
    j = next(b, j);
    if (i == a.size() || j == b.size()) return i == a.size() && j == b.size();
    if (toLower(a[i]) != toLower(b[j])) return false;
  }
}

Result<ParsedName> parseName(std::string_view text, NameRules rules, uint64_t offset) {
  if (text.size() > MAX_NAME_BYTES) {
    return Error{ErrorCode::LIMIT_EXCEEDED,
                 say("a name of ", text.size(), " bytes, the limit is ", MAX_NAME_BYTES), offset};
  }
  if (text.find(':') != std::string_view::npos) return parseInterface(text, offset);
  return parsePlain(text, rules, offset);
}

std::string uniqueKey(const ParsedName& parsed) {
  if (const auto* name = std::get_if<InterfaceName>(&parsed)) {
    std::string key = say(labelKey(name->nameSpace), ":", labelKey(name->package), "/",
                          labelKey(name->interface));
    if (name->version) key += say("@", *name->version);
    return key;
  }
  const PlainName& name = std::get<PlainName>(parsed);
  std::string key = labelKey(name.unannotated);
  if (size_t dot = key.find('.'); dot != std::string::npos) {
    if (std::string_view(key).substr(0, dot) == std::string_view(key).substr(dot + 1)) {
      return key.substr(0, dot);
    }
  }
  if (name.membership == Membership::CONSTRUCTOR) return "[constructor]" + key;
  if (name.accessor == Accessor::SET) return "[set]" + key;
  return key;
}

Result<SemVer> parseSemVer(std::string_view text) {
  if (text.empty()) return badVersion(text, "empty");
  SemVer version;
  std::string_view rest = text;
  uint64_t* numbers[] = {&version.major, &version.minor, &version.patch};
  for (size_t i = 0; i < 3; ++i) {
    if (i > 0 && !eat(rest, ".")) return badVersion(text, "it needs three numbers");
    size_t end = 0;
    while (end < rest.size() && isDigit(rest[end])) ++end;
    std::string_view digits = rest.substr(0, end);
    if (digits.empty()) return badVersion(text, "a number is missing");
    if (!isNumber(digits)) return badVersion(text, "a number has a leading zero");
    auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), *numbers[i]);
    if (parsed.ec != std::errc()) return badVersion(text, "a number is too large");
    rest.remove_prefix(end);
  }
  if (eat(rest, "-")) {
    version.pre = rest.substr(0, rest.find('+'));
    rest.remove_prefix(version.pre.size());
    bool good = allParts(version.pre, [](std::string_view part) {
      return isIdentifier(part) && (!allDigits(part) || isNumber(part));
    });
    if (!good) return badVersion(text, "its pre-release part is malformed");
  }
  if (eat(rest, "+")) {
    version.build = rest;
    rest = {};
    if (!allParts(version.build, isIdentifier)) {
      return badVersion(text, "its build part is malformed");
    }
  }
  if (!rest.empty()) return badVersion(text, say("unexpected `", rest, "`"));
  return version;
}

int compareVersions(const SemVer& a, const SemVer& b) {
  if (a.major != b.major) return a.major < b.major ? -1 : 1;
  if (a.minor != b.minor) return a.minor < b.minor ? -1 : 1;
  if (a.patch != b.patch) return a.patch < b.patch ? -1 : 1;
  if (a.pre.empty() || b.pre.empty()) return sign(!a.pre.empty(), !b.pre.empty());
  std::string_view restA = a.pre;
  std::string_view restB = b.pre;
  while (true) {
    size_t dotA = restA.find('.');
    size_t dotB = restB.find('.');
    if (int order = compareIdentifiers(restA.substr(0, dotA), restB.substr(0, dotB))) return order;
    bool endA = dotA == std::string_view::npos;
    bool endB = dotB == std::string_view::npos;
    if (endA || endB) return sign(endA && !endB, endB && !endA);
    restA.remove_prefix(dotA + 1);
    restB.remove_prefix(dotB + 1);
  }
}

std::optional<VersionSplit> splitVersion(std::string_view text) {
  auto version = parseSemVer(text);
  if (!version) return std::nullopt;
  size_t end = std::min(text.find('+'), text.size());
  if (version->pre.empty() && version->major != 0) {
    end = text.find('.');
  } else if (version->pre.empty() && version->minor != 0) {
    end = text.find('.', text.find('.') + 1);
  }
  return VersionSplit{text.substr(0, end), text.substr(end)};
}

Result<std::string> fullVersion(const InterfaceName& name, std::optional<std::string_view> suffix) {
  if (!name.version) {
    if (!suffix) return std::string();
    return Error{ErrorCode::INVALID, "a version suffix needs a name with a version"};
  }
  std::string full(*name.version);
  if (suffix) full += *suffix;
  TENON_TRY([[maybe_unused]] SemVer version, parseSemVer(full));
  if (suffix) {
    auto split = splitVersion(full);
    if (!split || split->track != *name.version) {
      return Error{ErrorCode::INVALID,
                   say("`", *name.version, "` is not the canonical version of `", full, "`")};
    }
  }
  return full;
}

std::string canonicalName(std::string_view name) {
  size_t at = name.find('@');
  if (at == std::string_view::npos) return std::string(name);
  auto split = splitVersion(name.substr(at + 1));
  if (!split) return std::string(name);
  return say(name.substr(0, at + 1), split->track);
}

}  // namespace tenon::component
