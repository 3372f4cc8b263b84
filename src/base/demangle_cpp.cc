// Source: Itanium C++ ABI, section 5.1, "External Names (a.k.a. Mangling)". What is not here:
// expressions and `decltype` in types, vendors' own, and what only variables and tables have.
#include "base/demangle.h"
#include "base/demangle_cpp_names.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace tenon::detail {
namespace {

bool isDigit(char c) { return c >= '0' && c <= '9'; }

// A type's text goes around the name that it declares: "int (*" and ")(char)".
struct Text {
  std::string left, right;
  bool isFunction = false;  // or an array: a pointer to it needs parentheses
};

class Cpp {
 public:
  explicit Cpp(std::string_view text) : text_(text) {}

  std::optional<std::string> all() {
    std::string result = encoding();
    // What follows a dot is a compiler's: a clone.
    if (effort_.failed || (at_ < text_.size() && peek() != '.')) return std::nullopt;
    return result;
  }

 private:
  // -- Reading
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
  size_t number() {
    if (!isDigit(peek())) effort_.failed = true;
    size_t value = 0;
    while (!effort_.failed && isDigit(peek())) {
      value = value * 10 + static_cast<size_t>(text_[at_++] - '0');
      if (value > 1'000'000) effort_.failed = true;
    }
    return value;
  }
  // "_" is 0, "0_" is 1; in base 36 for substitutions, 10 for parameters.
  size_t sequence(size_t base) {
    if (eat("_")) return 0;
    size_t value = 0;
    while (!effort_.failed && !eat("_")) {
      char c = peek();
      bool letter = base == 36 && c >= 'A' && c <= 'Z';
      if ((!isDigit(c) && !letter) || value > 1'000'000) {
        fail();
        break;
      }
      value = value * base + static_cast<size_t>(letter ? c - 'A' + 10 : c - '0');
      ++at_;
    }
    return value + 1;
  }
  void remember(const Text& type) {
    effort_.charge(type.left.size() + type.right.size() + 1);
    if (!effort_.failed) substitutions_.push_back(type);
  }
  void remember(const std::string& name) { remember(Text{name, "", false}); }

  // -- Names
  // What a name was besides its text.
  struct NameInfo {
    bool isTemplate = false;  // ends in arguments: the function's type has what it returns
    bool hasReturn = true;    // constructors, destructors and conversions say none
    std::string qualifiers;   // " const &", of a member function
  };

  std::string encoding() {
    Level level(effort_);
    if (effort_.failed) return {};
    if (std::string_view what = eatOneOf(SPECIAL); !what.empty()) {
      std::string out(what);
      add(out, whole(type()));
      return out;
    }
    if (eat("Th") || eat("Tv")) {
      bool isVirtual = text_[at_ - 1] == 'v';
      offset();
      if (isVirtual) offset();
      std::string out = isVirtual ? "virtual thunk to " : "non-virtual thunk to ";
      add(out, encoding());
      return out;
    }
    if (eat("GV")) {
      NameInfo info;
      std::string out = "guard variable for ";
      add(out, name(info));
      return out;
    }
    NameInfo info;
    std::string out = name(info);
    // A variable has no type here.
    if (effort_.failed || at_ == text_.size() || peek() == 'E' || peek() == '.') return out;
    Text result;
    if (info.isTemplate && info.hasReturn) {
      result = type();
      add(result.left, " ");
    }
    add(result.left, out);
    add(result.left, parameters());
    add(result.left, info.qualifiers);
    add(result.left, result.right);
    return std::move(result.left);
  }

  void offset() {
    eat("n");
    number();
    if (!eat("_")) fail();
  }

  std::string name(NameInfo& info) {
    Level level(effort_);
    if (effort_.failed) return {};
    if (peek() == 'N') return nested(info);
    if (peek() == 'Z') return local(info);
    std::string out;
    if (peek() == 'S' && peek(1) != 't') {
      out = substitution();
      if (peek() != 'I') return fail();
    } else {
      if (eat("St")) add(out, "std::");
      add(out, unqualified(info, out));
      if (peek() != 'I') return out;
      remember(out);
    }
    add(out, arguments());
    info.isTemplate = true;
    return out;
  }

  std::string local(NameInfo& info) {
    eat("Z");
    std::string out = encoding();
    if (!eat("E")) return fail();
    if (eat("s")) {
      add(out, "::string literal");
    } else if (peek() == 'd') {
      return fail();
    } else {
      add(out, "::");
      add(out, name(info));
    }
    if (eat("__")) {
      number();
      if (!eat("_")) return fail();
    } else if (eat("_")) {
      if (!isDigit(peek())) return fail();
      ++at_;
    }
    return out;
  }

  std::string nested(NameInfo& info) {
    eat("N");
    std::string constness;
    if (eat("r")) constness += " restrict";
    if (eat("V")) constness += " volatile";
    if (eat("K")) constness += " const";
    if (eat("R")) constness += " &";
    if (eat("O")) constness += " &&";
    info.qualifiers = constness;
    std::string out;
    bool isRemembered = false;  // what `out` has
    while (!effort_.failed && !eat("E")) {
      effort_.charge(1);
      if (!out.empty() && !isRemembered && peek() != 'B') remember(out);
      isRemembered = false;
      if (peek() == 'S' && peek(1) != 't' && out.empty()) {
        out = substitution();
        isRemembered = true;
      } else if (peek() == 'T' && out.empty()) {
        out = whole(parameter());
      } else if (peek() == 'I') {
        if (out.empty() || info.isTemplate) return fail();
        add(out, arguments());
        info.isTemplate = true;
        continue;
      } else if (eat("St")) {
        if (!out.empty()) return fail();
        out = "std";
        isRemembered = true;
      } else {
        std::string part = unqualified(info, out);
        if (!out.empty()) add(out, "::");
        add(out, part);
      }
      info.isTemplate = false;
    }
    if (out.empty()) return fail();
    return out;
  }

  // The last name in "std::vector<int>".
  static std::string_view baseOf(std::string_view scope) {
    if (scope.ends_with('}')) return scope.substr(std::min(scope.rfind('{'), scope.size()));
    size_t end = scope.size();
    if (scope.ends_with('>')) {
      size_t depth = 0;
      while (end > 0) {
        char c = scope[--end];
        if (c == '>') ++depth;
        if (c == '<' && --depth == 0) break;
      }
    }
    scope = scope.substr(0, end);
    size_t colon = scope.rfind("::");
    scope = colon == std::string_view::npos ? scope : scope.substr(colon + 2);
    return scope == "string" ? "basic_string" : scope;
  }

  // `scope`: what it is a member of, for constructors.
  std::string unqualified(NameInfo& info, const std::string& scope) {
    Level level(effort_);
    eat("L");  // internal linkage
    std::string out;
    info.hasReturn = true;
    if (isDigit(peek())) {
      out = source();
    } else if (eat("Ul")) {
      add(out, "{lambda");
      bool outer = std::exchange(inLambda_, true);
      add(out, parameters());
      inLambda_ = outer;
      if (!eat("E")) return fail();
      add(out, "#" + std::to_string(sequence(10) + 1) + "}");
    } else if (eat("Ut")) {
      add(out, "{unnamed type#" + std::to_string(sequence(10) + 1) + "}");
    } else if ((peek() == 'C' || peek() == 'D') && isDigit(peek(1))) {
      effort_.charge(scope.size());
      if (peek() == 'D') out = "~";
      add(out, baseOf(scope));
      info.hasReturn = false;
      at_ += 2;
    } else if (eat("cv")) {
      out = "operator ";
      // Its parameters would be those of arguments that follow.
      auto outer = std::exchange(arguments_, {});
      add(out, whole(type()));
      arguments_ = std::move(outer);
      info.hasReturn = false;
    } else if (eat("li")) {
      out = "operator\"\" ";
      add(out, source());
    } else {
      std::string_view symbol = eatOneOf(OPERATORS);
      if (symbol.empty()) return fail();
      out = "operator";
      add(out, symbol);
    }
    while (eat("B")) {
      add(out, "[abi:");
      add(out, source());
      add(out, "]");
    }
    return out;
  }

  std::string source() {
    size_t size = number();
    if (effort_.failed || size == 0 || size > text_.size() - at_) return fail();
    std::string_view name = text_.substr(at_, size);
    at_ += size;
    effort_.charge(size);
    return name.starts_with("_GLOBAL__N") ? "(anonymous namespace)" : std::string(name);
  }

  // -- Types
  static std::string whole(Text&& type) { return std::move(type.left += type.right); }

  // Puts `symbol` ("*", "&", " const") behind what `type` declares.
  Text modified(Text type, std::string_view symbol) {
    if (type.isFunction) {
      // A second one goes into the parentheses that are there.
      add(type.left, type.left.ends_with(' ') || type.left.empty() ? "(" : " (");
      std::string right = ")";
      add(right, type.right);
      type.right = std::move(right);
      type.isFunction = false;
    }
    add(type.left, symbol);
    return type;
  }

  Text type() {
    ++typeDepth_;
    Text result = typeOf();
    --typeDepth_;
    return result;
  }

  Text typeOf() {
    Level level(effort_);
    if (effort_.failed) return {};
    std::string_view builtin = eatOneOf(BUILTIN_TYPES);
    if (!builtin.empty()) return {std::string(builtin), "", false};
    Text result;
    switch (peek()) {
      case 'r':
      case 'V':
      case 'K': {
        std::string qualifiers;
        if (eat("r")) qualifiers += " restrict";
        if (eat("V")) qualifiers += " volatile";
        if (eat("K")) qualifiers += " const";
        result = type();
        // Of a function they stand behind its parameters.
        add(result.isFunction ? result.right : result.left, qualifiers);
        break;
      }
      case 'P':
      case 'R':
      case 'O': {
        char kind = text_[at_++];
        Text inner = type();
        // A reference to a reference, out of a parameter.
        bool isReference = inner.left.ends_with('&');
        if (kind != 'P' && isReference) {
          result = std::move(inner);
          if (kind == 'R' && result.left.ends_with("&&")) result.left.pop_back();
        } else {
          result = modified(std::move(inner), kind == 'P' ? "*" : kind == 'R' ? "&" : "&&");
        }
        break;
      }
      case 'F':
        ++at_;
        eat("Y");
        result = type();
        add(result.left, " ");
        {
          std::string right = parameters();
          if (eat("R")) add(right, " &");
          if (eat("O")) add(right, " &&");
          if (!eat("E")) fail();
          add(right, result.right);
          result.right = std::move(right);
        }
        result.isFunction = true;
        break;
      case 'A': {
        ++at_;
        std::string size;
        while (isDigit(peek())) size += text_[at_++];
        if (!eat("_")) fail();
        result = type();
        std::string right = (result.isFunction ? "[" : " [") + size + "]";
        add(right, std::string_view(result.right).starts_with(' ') ? result.right.substr(1)
                                                                   : result.right);
        result.right = std::move(right);
        result.isFunction = true;
        break;
      }
      case 'M': {
        ++at_;
        std::string scope = whole(type());
        Text member = type();
        std::string symbol = member.isFunction ? "" : " ";
        add(symbol, scope);
        add(symbol, "::*");
        result = modified(std::move(member), symbol);
        break;
      }
      case 'T':
        result = parameter();
        if (peek() == 'I') {
          remember(result);
          add(result.left, arguments());
        }
        break;
      case 'S':
        if (peek(1) == 't') {
          NameInfo info;
          result.left = name(info);
          break;
        }
        result = substitutionType();
        if (peek() != 'I') return result;
        add(result.left, arguments());
        break;
      case 'D':
        if (!eat("Dp")) {
          if (eat("Do")) {  // noexcept, of a function
            result = type();
            add(result.right, " noexcept");
            break;
          }
          fail();
          return {};
        }
        result.left = expansion();
        break;
      case 'C':
        ++at_;
        result = type();
        add(result.left, " _Complex");
        break;
      default: {
        NameInfo info;
        result.left = name(info);
      }
    }
    remember(result);
    return result;
  }

  // Types up to the end of a function's, in parentheses. "v" alone is none.
  std::string parameters() {
    std::string out = "(";
    if (eat("v")) return out += ")";
    bool first = true;
    while (!effort_.failed && at_ < text_.size() && peek() != 'E' && peek() != '.') {
      // The qualifier of a function type.
      if ((peek() == 'R' || peek() == 'O') && peek(1) == 'E') break;
      std::string one = whole(type());
      if (one.empty()) continue;  // a pack of none
      if (!std::exchange(first, false)) add(out, ", ");
      add(out, one);
    }
    add(out, ")");
    return out;
  }

  // "St", "Sa" and the like, or what was remembered.
  Text substitutionType() {
    eat("S");
    std::string_view known = eatOneOf(STANDARD);
    if (!known.empty()) return {std::string(known), "", false};
    size_t index = sequence(36);
    if (effort_.failed || index >= substitutions_.size()) {
      fail();
      return {};
    }
    const Text& found = substitutions_[index];
    effort_.charge(found.left.size() + found.right.size() + 1);
    return effort_.failed ? Text() : found;
  }
  std::string substitution() { return whole(substitutionType()); }

  // -- Templates
  // One argument; of a pack, its items.
  struct Argument {
    std::vector<Text> items;
    bool isPack = false;
  };

  // "<int, char>". The last list that was read is what parameters refer to: in a function's name
  // that is its own.
  std::string arguments() {
    Level level(effort_);
    eat("I");
    std::vector<Argument> list;
    while (!effort_.failed && !eat("E")) {
      effort_.charge(1);
      Argument argument;
      if (eat("J")) {
        argument.isPack = true;
        while (!effort_.failed && !eat("E")) argument.items.push_back(this->argument());
      } else {
        argument.items.push_back(this->argument());
      }
      list.push_back(std::move(argument));
    }
    std::string out = "<";
    for (const Argument& argument : list) {
      for (const Text& item : argument.items) {
        if (item.left.empty()) continue;  // a pack of none
        if (out.size() > 1) add(out, ", ");
        add(out, item.left);
        add(out, item.right);
      }
    }
    add(out, ">");
    if (typeDepth_ == 0) arguments_ = std::move(list);
    return out;
  }

  Text argument() {
    if (peek() == 'X') {
      fail();
      return {};
    }
    if (eat("L")) return {literal(), "", false};
    return type();
  }

  std::string literal() {
    if (eat("_Z")) {
      std::string out = encoding();
      return eat("E") ? out : fail();
    }
    char kind = peek();
    std::string of = whole(type());
    bool negative = eat("n");
    size_t begin = at_;
    while (isDigit(peek())) ++at_;
    std::string value(text_.substr(begin, at_ - begin));
    if (!eat("E")) return fail();
    if (kind == 'b' && value.size() == 1) return value == "0" ? "false" : "true";
    if (of == "std::nullptr_t") return "nullptr";
    if (negative) value.insert(0, "-");
    constexpr Named SUFFIXES[] = {{"i", ""},   {"j", "u"},  {"l", "l"},
                                  {"m", "ul"}, {"x", "ll"}, {"y", "ull"}};
    for (const Named& suffix : SUFFIXES) {
      if (suffix.code[0] == kind) return value + std::string(suffix.text);
    }
    std::string out = "(";
    add(out, of);
    add(out, ")");
    add(out, value);
    return out;
  }

  Text parameter() {
    eat("T");
    size_t index = sequence(10);
    if (inLambda_) return {"auto:" + std::to_string(index + 1), "", false};
    if (effort_.failed || index >= arguments_.size()) {
      fail();
      return {};
    }
    const Argument& found = arguments_[index];
    Text result;
    if (!found.isPack) {
      result = found.items.front();
    } else if (packItem_) {
      packSize_ = found.items.size();
      if (*packItem_ < found.items.size()) result = found.items[*packItem_];
    } else {
      fail();
    }
    effort_.charge(result.left.size() + result.right.size() + 1);
    return result;
  }

  // "Dp" and a pattern: once for each item of the pack in it.
  std::string expansion() {
    auto outerItem = std::exchange(packItem_, size_t{0});
    auto outerSize = std::exchange(packSize_, std::nullopt);
    size_t begin = at_;
    size_t known = substitutions_.size();
    std::string out = whole(type());
    if (!packSize_) fail();
    if (packSize_ == size_t{0}) out.clear();
    const size_t size = packSize_.value_or(0);
    for (size_t item = 1; item < size && !effort_.failed; ++item) {
      packItem_ = item;
      at_ = begin;
      substitutions_.resize(std::min(known, substitutions_.size()));
      add(out, ", ");
      add(out, whole(type()));
    }
    packItem_ = outerItem;
    packSize_ = outerSize;
    return out;
  }

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

}  // namespace

std::optional<std::string> demangleCpp(std::string_view name) {
  if (!name.starts_with("_Z")) return std::nullopt;
  return Cpp(name.substr(2)).all();
}

}  // namespace tenon::detail
