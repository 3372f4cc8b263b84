#pragma once

// Names of imports and exports, and the labels inside types. Text in, parts out; the parts are
// views into the text. Nothing here looks at types: see `scope.h` for the rules that do. Source:
// Explainer.md "Import and Export Definitions", "Name Uniqueness", "Canonical Interface Name".

#include <tenon/result.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace tenon::component {

// Bytes of one name, as in other engines.
inline constexpr size_t MAX_NAME_BYTES = 100'000;

// `label`: words and acronyms joined by hyphens ("is-XML").
bool isLabel(std::string_view text);

// Labels and names that must differ in one scope have different keys. For a label: without hyphens,
// in lower case.
std::string labelKey(std::string_view label);
// Whether two labels have the same key.
bool sameLabel(std::string_view a, std::string_view b);

// What a function belongs to, by its annotation: `[constructor]`, `[method]`, `[static]`.
enum class Membership : uint8_t { NONE, CONSTRUCTOR, METHOD, STATIC };

// `[get]`, `[set]`: gated, see `NameRules`.
enum class Accessor : uint8_t { NONE, GET, SET };

// `plainname`.
struct PlainName {
  Membership membership = Membership::NONE;
  Accessor accessor = Accessor::NONE;
  std::string_view resource;  // empty for NONE
  std::string_view label;     // after the dot; the resource's label for CONSTRUCTOR
  std::string_view unannotated;

  bool isBare() const { return membership == Membership::NONE && accessor == Accessor::NONE; }
};

// `interfacename`: `nameSpace:package/interface@version`. The version is not checked yet, because
// it may go on in a suffix attribute: see `fullVersion`.
struct InterfaceName {
  std::string_view nameSpace;
  std::string_view package;
  std::string_view interface;
  std::optional<std::string_view> version;  // without the @
};

using ParsedName = std::variant<PlainName, InterfaceName>;

// Gated name forms that are let through.
struct NameRules {
  bool accessors = false;
  bool versionSuffixes = false;
};

// Errors: INVALID at `offset`, with a sentence that quotes the name.
Result<ParsedName> parseName(std::string_view text, NameRules rules, uint64_t offset);

// Two names of one scope are strongly unique exactly if their keys differ.
std::string uniqueKey(const ParsedName& name);

// A semantic version 2.0; views into the text.
struct SemVer {
  uint64_t major = 0, minor = 0, patch = 0;
  std::string_view pre;    // without the hyphen
  std::string_view build;  // without the plus
};

// Errors: INVALID without an offset.
Result<SemVer> parseSemVer(std::string_view text);

// Precedence by semver.org, section 11: negative, 0 or positive. Build metadata does not count.
int compareVersions(const SemVer& a, const SemVer& b);

// A full version split as a canonical interface name has it: "0.2.6" into "0.2" and ".6". Two
// versions with the same track are compatible by name. Empty when `version` is no semantic version.
struct VersionSplit {
  std::string_view track;
  std::string_view suffix;  // may be empty
};
std::optional<VersionSplit> splitVersion(std::string_view version);

// Checks the version of an interface name together with its `versionsuffix` attribute, if any, and
// returns the full version; empty if there is none. Errors: INVALID without an offset.
Result<std::string> fullVersion(const InterfaceName& name, std::optional<std::string_view> suffix);

// "wasi:http/types@0.2" for "wasi:http/types@0.2.6": names with the same canonical form may be
// linked to one another. Names without a version, and plain names, are their own canonical form.
std::string canonicalName(std::string_view name);

}  // namespace tenon::component
