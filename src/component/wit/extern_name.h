#pragma once

// What the name of an import or export says. Source: Explainer.md "Import and Export Definitions".

#include <tenon/result.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace tenon::component::wit {

// `ns:package/interface@version`. With several namespaces, `ns` holds all but the last colon;
// further projections (`/a/b`) are passed over.
struct InterfaceName {
  std::string_view ns, package, interface;
  std::optional<std::string_view> version;  // as the name has it, without suffix
};

enum class FuncForm : uint8_t { FREE, METHOD, STATIC, CONSTRUCTOR };
enum class Accessor : uint8_t { NONE, GET, SET };

// `name`, `[method]resource.name`, `[static]resource.name`, `[constructor]resource`, the first
// three with `[get]` or `[set]` after the bracket.
struct PlainName {
  FuncForm form = FuncForm::FREE;
  Accessor accessor = Accessor::NONE;
  std::string_view resource;  // empty for FREE
  std::string_view name;      // what WIT calls it; "constructor" for CONSTRUCTOR
  bool isBare() const { return form == FuncForm::FREE && accessor == Accessor::NONE; }
};

// Letters, digits and hyphens only, at least one: what may stand as a name in WIT text without
// passing for something else. Whether it is proper kebab case is the validator's business.
bool isLabel(std::string_view text);

using ParsedName = std::variant<PlainName, InterfaceName>;

// The parts borrow from `name`. Errors: INVALID, without an offset, for any other form.
Result<ParsedName> parseExternName(std::string_view name);

// The full version of an interface name, `suffix` being its `version-suffix`. Errors: INVALID when
// the two together are no semantic version.
Result<std::optional<std::string>> fullVersion(const InterfaceName& name,
                                               std::optional<std::string_view> suffix);

}  // namespace tenon::component::wit
