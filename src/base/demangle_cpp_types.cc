#include "base/demangle_cpp.h"

#include <algorithm>

namespace tenon::detail {

Cpp::Text Cpp::modified(Text type, std::string_view symbol) {
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

Cpp::Text Cpp::type() {
  ++typeDepth_;
  Text result = typeOf();
  --typeDepth_;
  return result;
}

Cpp::Text Cpp::typeOf() {
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
      add(right,
          std::string_view(result.right).starts_with(' ') ? result.right.substr(1) : result.right);
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

std::string Cpp::parameters() {
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

Cpp::Text Cpp::substitutionType() {
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

std::string Cpp::arguments() {
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

Cpp::Text Cpp::argument() {
  if (peek() == 'X') {
    fail();
    return {};
  }
  if (eat("L")) return {literal(), "", false};
  return type();
}

std::string Cpp::literal() {
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

Cpp::Text Cpp::parameter() {
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

std::string Cpp::expansion() {
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

}  // namespace tenon::detail
