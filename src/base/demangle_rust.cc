// Source: Rust RFC 2603 (v0), and rustc's `symbol_names::legacy`.
#include "base/demangle.h"
#include "base/utf8.h"

#include <algorithm>
#include <charconv>

namespace tenon::detail {
namespace {

constexpr size_t HASH_DIGITS = 16;

bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isLowerHex(char c) { return isDigit(c) || (c >= 'a' && c <= 'f'); }

// -- Legacy --------------------------------------------------------------------------------------

// "$LT$" -> "<". Nothing for what is no such escape. `word`: what is between the dollar signs.
std::optional<std::string> legacyEscape(std::string_view word) {
  struct Escape {
    std::string_view word, text;
  };
  constexpr Escape ESCAPES[] = {{"SP", "@"}, {"BP", "*"}, {"RF", "&"}, {"LT", "<"},
                                {"GT", ">"}, {"LP", "("}, {"RP", ")"}, {"C", ","}};
  for (const Escape& escape : ESCAPES) {
    if (escape.word == word) return std::string(escape.text);
  }
  if (!word.starts_with('u')) return std::nullopt;
  uint32_t code = 0;
  auto [end, problem] = std::from_chars(word.data() + 1, word.data() + word.size(), code, 16);
  if (problem != std::errc() || end != word.data() + word.size()) return std::nullopt;
  if (!isScalar(code) || isHidden(code)) return std::nullopt;
  std::string text;
  appendScalar(text, code);
  return text;
}

std::string legacySegment(std::string_view segment) {
  if (segment.starts_with("_$")) segment.remove_prefix(1);
  std::string out;
  while (!segment.empty()) {
    if (segment.starts_with("..")) {
      out += "::";
      segment.remove_prefix(2);
      continue;
    }
    size_t end = segment[0] == '$' ? segment.find('$', 1) : std::string_view::npos;
    auto text =
        end == std::string_view::npos ? std::nullopt : legacyEscape(segment.substr(1, end - 1));
    out += text ? *text : std::string(1, segment[0]);
    segment.remove_prefix(text ? end + 1 : 1);
  }
  return out;
}

// -- v0 ------------------------------------------------------------------------------------------

struct BasicType {
  char code;
  std::string_view name;
};
constexpr BasicType BASIC_TYPES[] = {
    {'a', "i8"},   {'b', "bool"},  {'c', "char"},  {'d', "f64"}, {'e', "str"}, {'f', "f32"},
    {'h', "u8"},   {'i', "isize"}, {'j', "usize"}, {'l', "i32"}, {'m', "u32"}, {'n', "i128"},
    {'o', "u128"}, {'p', "_"},     {'s', "i16"},   {'t', "u16"}, {'u', "()"},  {'v', "..."},
    {'x', "i64"},  {'y', "u64"},   {'z', "!"}};

class V0 {
 public:
  explicit V0(std::string_view name) : text_(name) {}

  std::optional<std::string> all() {
    path(Where::VALUE);
    if (!effort_.failed && at_ < text_.size() && text_[at_] != '.') {
      // The crate that instantiated it.
      size_t size = out_.size();
      path(Where::VALUE);
      out_.resize(std::min(size, out_.size()));
    }
    // What follows a dot is the vendor's.
    bool whole = at_ == text_.size() || text_[at_] == '.';
    if (effort_.failed || !whole) return std::nullopt;
    return std::move(out_);
  }

 private:
  // Of a path: in a type its arguments follow at once, in a value behind "::".
  enum class Where { TYPE, VALUE };

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  char next() {
    if (at_ == text_.size()) effort_.failed = true;
    return effort_.failed ? '\0' : text_[at_++];
  }
  bool eat(char c) {
    if (effort_.failed || peek() != c) return false;
    ++at_;
    return true;
  }
  void put(std::string_view part) {
    effort_.charge(part.size());
    if (!effort_.failed) out_ += part;
  }

  // "_" is 0, "0_" is 1, ...
  uint64_t base62() {
    if (eat('_')) return 0;
    uint64_t value = 0;
    while (!effort_.failed && !eat('_')) {
      char c = next();
      uint64_t digit = 0;
      if (isDigit(c)) {
        digit = static_cast<uint64_t>(c - '0');
      } else if (c >= 'a' && c <= 'z') {
        digit = static_cast<uint64_t>(c - 'a') + 10;
      } else if (c >= 'A' && c <= 'Z') {
        digit = static_cast<uint64_t>(c - 'A') + 36;
      } else {
        effort_.failed = true;
      }
      if (value > UINT64_MAX / 62 - 1) effort_.failed = true;
      value = value * 62 + digit;
    }
    return value + 1;
  }
  uint64_t optionalBase62(char tag) { return eat(tag) ? base62() + 1 : 0; }  // may wrap: a hash

  struct Identifier {
    uint64_t disambiguator = 0;
    std::string_view name;
    bool punycode = false;
  };
  Identifier identifier() {
    Identifier result;
    result.disambiguator = optionalBase62('s');
    result.punycode = eat('u');
    size_t size = 0;
    if (!isDigit(peek())) effort_.failed = true;
    while (!effort_.failed && isDigit(peek())) {
      size = size * 10 + static_cast<size_t>(next() - '0');
      if (size > text_.size()) effort_.failed = true;
      if (size == 0) break;  // no leading zeros
    }
    eat('_');
    if (effort_.failed || size > text_.size() - at_) {
      effort_.failed = true;
      return {};
    }
    result.name = text_.substr(at_, size);
    at_ += size;
    return result;
  }
  void put(const Identifier& identifier) {
    if (identifier.punycode) put("punycode{");
    put(identifier.name);
    if (identifier.punycode) put("}");
  }

  // Continues where a reference points to, which is before it.
  template <typename Rule>
  void reference(Rule&& rule) {
    size_t begin = at_ - 1;
    uint64_t target = base62();
    if (effort_.failed || target >= begin) {
      effort_.failed = true;
      return;
    }
    size_t back = at_;
    at_ = static_cast<size_t>(target);
    rule();
    at_ = back;
  }

  // Reads a path whose text is not shown: where an `impl` stands.
  void implPath() {
    optionalBase62('s');
    size_t size = out_.size();
    path(Where::TYPE);
    out_.resize(std::min(size, out_.size()));
  }

  void path(Where where) {
    Level level(effort_);
    if (effort_.failed) return;
    switch (next()) {
      case 'C':
        put(identifier());
        return;
      case 'M':
        implPath();
        put("<");
        type();
        put(">");
        return;
      case 'X':
        implPath();
        [[fallthrough]];
      case 'Y':
        put("<");
        type();
        put(" as ");
        path(Where::TYPE);
        put(">");
        return;
      case 'N': {
        char space = next();
        path(where);
        Identifier inner = identifier();
        if (space >= 'A' && space <= 'Z') {
          put("::{");
          put(space == 'C'   ? std::string_view("closure")
              : space == 'S' ? std::string_view("shim")
                             : std::string_view(&space, 1));
          if (!inner.name.empty()) {
            put(":");
            put(inner);
          }
          put("#" + std::to_string(inner.disambiguator) + "}");
        } else if (!inner.name.empty()) {
          put("::");
          put(inner);
        }
        return;
      }
      case 'I': {
        path(where);
        put(where == Where::VALUE ? "::<" : "<");
        arguments([this]() { argument(); });
        put(">");
        return;
      }
      case 'B':
        reference([&]() { path(where); });
        return;
      default:
        effort_.failed = true;
    }
  }

  // Items up to an "E", with commas. Their number.
  template <typename Item>
  size_t arguments(Item&& item) {
    size_t count = 0;
    while (!effort_.failed && !eat('E')) {
      if (count++ > 0) put(", ");
      item();
    }
    return count;
  }

  void argument() {
    if (eat('L')) {
      lifetime();
    } else if (eat('K')) {
      constant();
    } else {
      type();
    }
  }

  // Its name where it is bound by a "for<...>": 'a is the outermost.
  void lifetime() {
    uint64_t index = base62();
    if (index == 0) {
      put("'_");
    } else if (index > bound_) {
      effort_.failed = true;
    } else {
      uint64_t name = bound_ - index;
      put(name < 26 ? "'" + std::string(1, static_cast<char>('a' + name))
                    : "'_" + std::to_string(name));
    }
  }

  // "for<'a, 'b> ", around what `inner` puts.
  template <typename Inner>
  void binder(Inner&& inner) {
    uint64_t count = optionalBase62('G');
    effort_.charge(count);
    if (effort_.failed) return;
    uint64_t before = bound_;
    if (count > 0) put("for<");
    for (uint64_t i = 0; i < count && !effort_.failed; ++i) {
      ++bound_;
      put(i == 0 ? "'" : ", '");
      put(bound_ <= 26 ? std::string(1, static_cast<char>('a' + bound_ - 1))
                       : "_" + std::to_string(bound_ - 1));
    }
    if (count > 0) put("> ");
    inner();
    bound_ = before;
  }

  void type() {
    Level level(effort_);
    if (effort_.failed) return;
    char tag = next();
    for (const BasicType& basic : BASIC_TYPES) {
      if (basic.code == tag) return put(basic.name);
    }
    switch (tag) {
      case 'A':
        put("[");
        type();
        put("; ");
        constant();
        return put("]");
      case 'S':
        put("[");
        type();
        return put("]");
      case 'T': {
        put("(");
        size_t count = arguments([this]() { type(); });
        return put(count == 1 ? ",)" : ")");
      }
      case 'R':
      case 'Q':
        put("&");
        if (eat('L')) {
          size_t size = out_.size();
          lifetime();
          if (!effort_.failed && out_.substr(size) == "'_") {
            out_.resize(size);
          } else {
            put(" ");
          }
        }
        if (tag == 'Q') put("mut ");
        return type();
      case 'P':
        put("*const ");
        return type();
      case 'O':
        put("*mut ");
        return type();
      case 'F':
        return binder([this]() { function(); });
      case 'D': {
        put("dyn ");
        binder([this]() { bounds(); });
        if (!eat('L')) effort_.failed = true;
        size_t size = out_.size();
        put(" + ");
        lifetime();
        if (!effort_.failed && out_.substr(size) == " + '_") out_.resize(size);
        return;
      }
      case 'B':
        return reference([this]() { type(); });
      default:
        --at_;
        path(Where::TYPE);
    }
  }

  void function() {
    if (eat('U')) put("unsafe ");
    if (eat('K')) {
      put("extern \"");
      if (eat('C')) {
        put("C");
      } else {
        std::string abi(identifier().name);
        std::ranges::replace(abi, '_', '-');
        put(abi);
      }
      put("\" ");
    }
    put("fn(");
    arguments([this]() { type(); });
    put(")");
    if (eat('u')) return;
    put(" -> ");
    type();
  }

  // Traits, with what their associated types are.
  void bounds() {
    size_t count = 0;
    while (!effort_.failed && !eat('E')) {
      if (count++ > 0) put(" + ");
      path(Where::TYPE);
      while (eat('p')) {
        bool open = !effort_.failed && out_.ends_with('>');
        if (open) out_.pop_back();
        put(open ? ", " : "<");
        put(identifier());
        put(" = ");
        type();
        put(">");
      }
    }
  }

  void constant() {
    Level level(effort_);
    if (effort_.failed) return;
    if (eat('p')) return put("_");
    if (eat('B')) return reference([this]() { constant(); });
    char kind = next();
    bool negative = eat('n');
    size_t begin = at_;
    while (isLowerHex(peek())) ++at_;
    std::string_view digits = text_.substr(begin, at_ - begin);
    if (!eat('_') || digits.size() > HASH_DIGITS) effort_.failed = true;
    uint64_t value = 0;
    if (!digits.empty()) {
      std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    }
    if (effort_.failed) return;
    if (kind == 'b') return put(value != 0 ? "true" : "false");
    if (kind == 'c') {
      if (value > 0x10ffff || !isScalar(static_cast<uint32_t>(value))) effort_.failed = true;
      if (effort_.failed) return;
      std::string text = "'";
      auto code = static_cast<char32_t>(value);
      isHidden(code) ? appendEscape(text, code) : appendScalar(text, code);
      return put(text + "'");
    }
    if (std::string_view("ahijlmnostxy").find(kind) == std::string_view::npos) {
      effort_.failed = true;
      return;
    }
    put((negative ? "-" : "") + std::to_string(value));
    for (const BasicType& basic : BASIC_TYPES) {
      if (basic.code == kind) put(basic.name);
    }
  }

  const std::string_view text_;  // behind "_R": references count from there
  size_t at_ = 0;
  uint64_t bound_ = 0;  // lifetimes
  std::string out_;
  Effort effort_;
};

}  // namespace

std::optional<std::string> demangleRustLegacy(std::string_view name) {
  if (!name.starts_with("_ZN")) return std::nullopt;
  name.remove_prefix(3);
  std::string out;
  std::string_view last;
  while (!name.starts_with('E')) {
    size_t size = 0;
    auto [end, problem] = std::from_chars(name.data(), name.data() + name.size(), size);
    if (problem != std::errc() || !isDigit(name[0])) return std::nullopt;
    name.remove_prefix(static_cast<size_t>(end - name.data()));
    if (size > name.size()) return std::nullopt;
    if (!last.empty()) out += (out.empty() ? "" : "::") + legacySegment(last);
    last = name.substr(0, size);
    name.remove_prefix(size);
  }
  // What follows a dot is the compiler's.
  if (name.size() > 1 && name[1] != '.') return std::nullopt;
  bool isHash = last.size() == HASH_DIGITS + 1 && last[0] == 'h' &&
                std::ranges::all_of(last.substr(1), isLowerHex);
  if (!isHash || out.empty()) return std::nullopt;
  return out;
}

std::optional<std::string> demangleRustV0(std::string_view name) {
  if (!name.starts_with("_R")) return std::nullopt;
  // A digit would be a version that is not known yet.
  if (name.size() > 2 && isDigit(name[2])) return std::nullopt;
  return V0(name.substr(2)).all();
}

}  // namespace tenon::detail

namespace tenon {

std::optional<std::string> demangle(std::string_view name) {
  if (name.size() > detail::MOST_MANGLED) return std::nullopt;
  auto result = detail::demangleRustLegacy(name);
  if (!result) result = detail::demangleRustV0(name);
  if (!result) result = detail::demangleCpp(name);
  if (result && result->size() > detail::MOST_DEMANGLED) return std::nullopt;
  return result;
}

}  // namespace tenon
