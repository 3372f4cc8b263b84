#pragma once

// WIT text of a model. The layout, blank lines included, is that of `wit-component` 0.263.0.

#include "component/wit/model.h"

#include <tenon/result.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tenon::component::wit {

// Types that share parts can be short in the binary and long as text.
inline constexpr size_t MAX_WIT_BYTES = size_t{16} << 20;

// Prints one model, which must outlive it.
class WitPrinter {
 public:
  explicit WitPrinter(const Model& model) : model_(model) {}

  // The main package, then the others. Errors: UNSUPPORTED when WIT has no way to write something;
  // LIMIT_EXCEEDED above MAX_WIT_BYTES.
  Result<std::string> print();

  // Parts, each on its own, without docs of what is above it. Errors as `print`.
  Result<std::string> typeName(const TypeRef& type);
  // "record point { ... }", "type a = b;", without a line break at the end.
  Result<std::string> declaration(uint32_t type);
  // "func(a: u32) -> string"; of a method without `self`.
  Result<std::string> signature(const Function& function);

 private:
  Result<std::string> take();
  void fail(std::string why);

  // Text. At the start of a line the indentation is put before it.
  void text(std::string_view part);
  void name(std::string_view label);  // with a `%` when it is a keyword
  void newline();
  void semicolon();
  void open();   // " {" and a new line, one level deeper
  void close();  // "}" and a new line, one level up
  void newItem();
  void docs(const std::optional<std::string>& docs);
  void stability(const Stability& stability);
  void externalId(std::optional<std::string_view> id);
  void notes(const Notes& notes);

  void package(const Package& package, bool isMain);
  void interface(uint32_t index);
  void world(uint32_t index);
  void worldItem(std::string_view label, const WorldItem& item, uint32_t package,
                 std::string_view keyword);
  void pathTo(uint32_t interface, uint32_t fromPackage);

  using Named = std::vector<std::pair<std::string_view, uint32_t>>;
  using Methods = std::unordered_map<uint32_t, std::vector<const Function*>>;
  void types(Owner owner, uint32_t package, const Named& types, const Methods& methods);
  void uses(Owner owner, uint32_t package, const Named& types, Named& declared);
  void resource(uint32_t type, const Methods& methods);
  void function(const Function& function);
  void declare(const TypeDef& type);
  void members(std::string_view keyword, const TypeDef& type);
  void typeText(const TypeRef& type);
  void definedText(const TypeDef& type, bool spellOwn);
  void generic(std::string_view keyword, const TypeDef& type);
  void resultText(const TypeDef& type);

  const Model& model_;
  std::string out_;
  std::string failure_;  // the first one
  size_t indent_ = 0;
  bool atLineStart_ = false;
  bool anyItems_ = false;
};

// Whether `type`, declared in `owner`, is a `use` of a type of another interface.
bool isUse(const Model& model, const TypeDef& type, Owner owner);

}  // namespace tenon::component::wit
