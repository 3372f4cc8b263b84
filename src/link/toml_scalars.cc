#include "link/toml_scalars.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace tenon::link::toml {
namespace {

// Reads from the front of a word; what does not fit stays.
class Scanner {
 public:
  explicit Scanner(std::string_view rest) : rest_(rest) {}

  bool done() const { return rest_.empty(); }
  bool eat(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool eatOneOf(std::string_view set) {
    if (rest_.empty() || set.find(rest_[0]) == std::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // `count` decimal digits.
  std::optional<unsigned> number(size_t count) {
    unsigned result = 0;
    if (rest_.size() < count) return std::nullopt;
    for (char c : rest_.substr(0, count)) {
      if (!isDigit(c)) return std::nullopt;
      result = result * 10 + static_cast<unsigned>(c - '0');
    }
    rest_.remove_prefix(count);
    return result;
  }
  // Digits with single underscores between them; at least one.
  template <typename IsOne>
  bool digits(IsOne isOne) {
    bool last = false;
    size_t count = 0;
    for (; count < rest_.size(); ++count) {
      if (isOne(rest_[count])) {
        last = true;
      } else if (rest_[count] == '_' && last) {
        last = false;
      } else {
        break;
      }
    }
    rest_.remove_prefix(count);
    return last;
  }

 private:
  std::string_view rest_;
};

bool isHex(char c) { return isDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

bool isDate(Scanner& in) {
  auto year = in.number(4);
  if (!year || !in.eat('-')) return false;
  auto month = in.number(2);
  if (!month || *month < 1 || *month > 12 || !in.eat('-')) return false;
  auto day = in.number(2);
  constexpr unsigned DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = (*year % 4 == 0 && *year % 100 != 0) || *year % 400 == 0;
  return day && *day >= 1 && *day <= DAYS[*month - 1] + (*month == 2 && leap ? 1 : 0);
}

bool isHourAndMinute(Scanner& in) {
  auto hour = in.number(2);
  if (!hour || *hour > 23 || !in.eat(':')) return false;
  auto minute = in.number(2);
  return minute && *minute <= 59;
}

bool isTime(Scanner& in) {
  if (!isHourAndMinute(in) || !in.eat(':')) return false;
  auto second = in.number(2);
  if (!second || *second > 60) return false;
  if (!in.eat('.')) return true;
  if (!in.number(1)) return false;
  while (in.number(1)) {
  }
  return true;
}

bool isDateOrTime(std::string_view word) {
  Scanner in(word);
  if (word.size() > 2 && word[2] == ':') return isTime(in) && in.done();
  if (!isDate(in)) return false;
  if (in.done()) return true;
  if (!in.eatOneOf("Tt ") || !isTime(in)) return false;
  if (in.done() || in.eatOneOf("Zz")) return in.done();
  return in.eatOneOf("+-") && isHourAndMinute(in) && in.done();
}

std::string withoutUnderscores(std::string_view word) {
  std::string result(word);
  std::erase(result, '_');
  return result;
}

// A whole number that `digits` of this base make. The word is well-formed.
std::string readInteger(std::string_view digits, int base, Value& value) {
  std::string text = withoutUnderscores(digits);
  std::string_view rest = text;
  if (rest.starts_with('+')) rest.remove_prefix(1);
  value.kind = Kind::INTEGER;
  auto [end, problem] =
      std::from_chars(rest.data(), rest.data() + rest.size(), value.integer, base);
  if (problem == std::errc()) return {};
  return "this number does not fit into 64 bits";
}

}  // namespace

std::string_view scalarAt(std::string_view text) {
  auto isPart = [](char c) { return isBareKey(c) || c == '+' || c == '.' || c == ':'; };
  auto end = [&](size_t from) {
    while (from < text.size() && isPart(text[from])) ++from;
    return from;
  };
  constexpr size_t DATE = 10;  // "1979-05-27"
  size_t size = end(0);
  Scanner in(text.substr(0, size));
  if (size == DATE && size + 1 < text.size() && text[size] == ' ' && isDigit(text[size + 1]) &&
      isDate(in)) {
    size = end(size + 1);
  }
  return text.substr(0, size);
}

std::string readScalar(std::string_view word, Value& value) {
  auto refuse = [&] {
    constexpr size_t SHOWN = 40;
    return "'" + std::string(word.substr(0, SHOWN)) + (word.size() > SHOWN ? "..." : "") +
           "' is no value: texts are written in quotes";
  };
  if (word == "true" || word == "false") {
    value.kind = Kind::BOOLEAN;
    value.boolean = word == "true";
    return {};
  }
  for (auto [prefix, base] : {std::pair("0x", 16), std::pair("0o", 8), std::pair("0b", 2)}) {
    if (!word.starts_with(prefix)) continue;
    Scanner in(word.substr(2));
    auto isOne = [&](char c) { return base == 16 ? isHex(c) : c >= '0' && c < '0' + base; };
    if (!in.digits(isOne) || !in.done()) return refuse();
    return readInteger(word.substr(2), base, value);
  }
  if (isDateOrTime(word)) {
    value.kind = Kind::DATE;
    value.text = word;
    return {};
  }
  Scanner in(word);
  in.eatOneOf("+-");
  std::string_view unsigned_ = word.substr(word.find_first_not_of("+-") == 1 ? 1 : 0);
  if (unsigned_ == "inf" || unsigned_ == "nan") {
    value.kind = Kind::FLOAT;
    value.text = word;
    return {};
  }
  if (in.eat('0')) {
    // Nothing but a point or an exponent behind it.
  } else if (!in.digits(isDigit)) {
    return refuse();
  }
  if (in.done()) return readInteger(word, 10, value);
  if (in.eat('.') && !in.digits(isDigit)) return refuse();
  if (in.eatOneOf("eE")) {
    in.eatOneOf("+-");
    if (!in.digits(isDigit)) return refuse();
  }
  if (!in.done()) return refuse();
  value.kind = Kind::FLOAT;
  value.text = word;
  return {};
}

bool appendCharacter(std::string_view hex, size_t digits, std::string& to) {
  uint32_t code = 0;
  if (hex.size() != digits) return false;
  auto [end, problem] = std::from_chars(hex.data(), hex.data() + hex.size(), code, 16);
  if (problem != std::errc() || end != hex.data() + hex.size()) return false;
  if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return false;
  auto tail = [&](unsigned shift) { to += static_cast<char>(0x80 | ((code >> shift) & 0x3f)); };
  if (code < 0x80) {
    to += static_cast<char>(code);
  } else if (code < 0x800) {
    to += static_cast<char>(0xc0 | (code >> 6));
    tail(0);
  } else if (code < 0x10000) {
    to += static_cast<char>(0xe0 | (code >> 12));
    tail(6), tail(0);
  } else {
    to += static_cast<char>(0xf0 | (code >> 18));
    tail(12), tail(6), tail(0);
  }
  return true;
}

}  // namespace tenon::link::toml
