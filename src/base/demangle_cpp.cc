#include "base/demangle_cpp.h"

#include <algorithm>

namespace tenon::detail {

std::optional<std::string> demangleCpp(std::string_view name) {
  if (!name.starts_with("_Z")) return std::nullopt;
  return Cpp(name.substr(2)).all();
}

std::optional<std::string> Cpp::all() {
  std::string result = encoding();
  // What follows a dot is a compiler's: a clone.
  if (effort_.failed || (at_ < text_.size() && peek() != '.')) return std::nullopt;
  return result;
}

size_t Cpp::number() {
  if (!isDigit(peek())) effort_.failed = true;
  size_t value = 0;
  while (!effort_.failed && isDigit(peek())) {
    value = value * 10 + static_cast<size_t>(text_[at_++] - '0');
    if (value > 1'000'000) effort_.failed = true;
  }
  return value;
}

size_t Cpp::sequence(size_t base) {
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

void Cpp::remember(const Text& type) {
  effort_.charge(type.left.size() + type.right.size() + 1);
  if (!effort_.failed) substitutions_.push_back(type);
}

std::string Cpp::encoding() {
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

void Cpp::offset() {
  eat("n");
  number();
  if (!eat("_")) fail();
}

std::string Cpp::name(NameInfo& info) {
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

std::string Cpp::local(NameInfo& info) {
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

std::string Cpp::nested(NameInfo& info) {
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

std::string_view Cpp::baseOf(std::string_view scope) {
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

std::string Cpp::unqualified(NameInfo& info, const std::string& scope) {
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

std::string Cpp::source() {
  size_t size = number();
  if (effort_.failed || size == 0 || size > text_.size() - at_) return fail();
  std::string_view name = text_.substr(at_, size);
  at_ += size;
  effort_.charge(size);
  return name.starts_with("_GLOBAL__N") ? "(anonymous namespace)" : std::string(name);
}

}  // namespace tenon::detail
