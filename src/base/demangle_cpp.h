#pragma once

// Reading mangled names of C++. A name is parsed by one function for each rule of the grammar, from
// the left, and its text made on the way: those of names are in demangle_cpp.cc, those of types and
// of templates' arguments in demangle_cpp_types.cc. Each step and each byte is charged to `Effort`;
// after its end, or a text that is none, `failed` is set and every function returns at once.
// Source: Itanium C++ ABI, section 5.1, "External Names (a.k.a. Mangling)". What is not here:
// expressions and `decltype` in types, vendors' own, and what only variables and tables have.

#include "base/demangle.h"
#include "base/demangle_cpp_names.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tenon::detail {

// One mangled name.
class Cpp {
 public:
  // `text`: what stands behind "_Z"; must outlive this.
  explicit Cpp(std::string_view text) : text_(text) {}

  // The readable name, once; nothing when there is none.
  std::optional<std::string> all();

 private:
  // A type's text goes around the name that it declares: "int (*" and ")(char)".
  struct Text {
    std::string left, right;
    bool isFunction = false;  // or an array: a pointer to it needs parentheses
  };

  // -- Reading
  static bool isDigit(char c) { return c >= '0' && c <= '9'; }
  char peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  bool eat(std::string_view what) {
    if (effort_.failed || !text_.substr(at_).starts_with(what)) return false;
    at_ += what.size();
    return true;
  }
  std::string fail() {
    effort_.failed = true;
    return {};
  }
  void add(std::string& to, std::string_view part) {
    effort_.charge(part.size());
    if (!effort_.failed) to += part;
  }
  template <size_t N>
  std::string_view eatOneOf(const Named (&names)[N]) {
    for (const Named& name : names) {
      if (eat(name.code)) return name.text;
    }
    return {};
  }
  size_t number();
  // "_" is 0, "0_" is 1; in base 36 for substitutions, 10 for parameters.
  size_t sequence(size_t base);
  void remember(const Text& type);
  void remember(const std::string& name) { remember(Text{name, "", false}); }

  // -- Names
  // What a name was besides its text.
  struct NameInfo {
    bool isTemplate = false;  // ends in arguments: the function's type has what it returns
    bool hasReturn = true;    // constructors, destructors and conversions say none
    std::string qualifiers;   // " const &", of a member function
  };

  std::string encoding();
  void offset();
  std::string name(NameInfo& info);
  std::string local(NameInfo& info);
  std::string nested(NameInfo& info);
  // The last name in "std::vector<int>".
  static std::string_view baseOf(std::string_view scope);
  // `scope`: what it is a member of, for constructors.
  std::string unqualified(NameInfo& info, const std::string& scope);
  std::string source();

  // -- Types
  static std::string whole(Text&& type) { return std::move(type.left += type.right); }
  // Puts `symbol` ("*", "&", " const") behind what `type` declares.
  Text modified(Text type, std::string_view symbol);
  Text type();
  Text typeOf();
  // Types up to the end of a function's, in parentheses. "v" alone is none.
  std::string parameters();
  // "St", "Sa" and the like, or what was remembered.
  Text substitutionType();
  std::string substitution() { return whole(substitutionType()); }

  // -- Templates
  // One argument; of a pack, its items.
  struct Argument {
    std::vector<Text> items;
    bool isPack = false;
  };

  // "<int, char>". The last list that was read is what parameters refer to: in a function's name
  // that is its own.
  std::string arguments();
  Text argument();
  std::string literal();
  Text parameter();
  // "Dp" and a pattern: once for each item of the pack in it.
  std::string expansion();

  const std::string_view text_;  // behind "_Z"
  size_t at_ = 0;
  std::vector<Text> substitutions_;
  std::vector<Argument> arguments_;  // of the function's own name
  uint32_t typeDepth_ = 0;
  bool inLambda_ = false;           // whose parameters are generic
  std::optional<size_t> packItem_;  // in an expansion
  std::optional<size_t> packSize_;
  Effort effort_;
};

}  // namespace tenon::detail
