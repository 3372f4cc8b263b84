#include "component/wit/wave_lexer.h"

#include "base/utf8.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace tenon::component {
namespace {

constexpr std::string_view TRIPLE_QUOTE = "\"\"\"";
constexpr size_t MAX_DESCRIBED = 40;  // bytes of a token that a message shows

bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isLower(char c) { return c >= 'a' && c <= 'z'; }
bool isUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool isWordByte(char c) { return isDigit(c) || isLower(c) || isUpper(c) || c == '-' || c == '_'; }

Error malformed(std::string message, size_t offset) {
  return Error(ErrorCode::MALFORMED, std::move(message), offset);
}

// Cuts at the border of a character.
std::string shorten(std::string_view text) {
  if (text.size() <= MAX_DESCRIBED) return std::string(text);
  size_t end = MAX_DESCRIBED;
  while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xc0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "...";
}

// The words between hyphens begin with a letter (the first one) and are in one case each.
bool isLabel(std::string_view text) {
  bool first = true;
  while (true) {
    const size_t hyphen = text.find('-');
    const std::string_view word = text.substr(0, hyphen);
    if (word.empty() || (first && isDigit(word[0]))) return false;
    const bool lower =
        std::all_of(word.begin(), word.end(), [](char c) { return isLower(c) || isDigit(c); });
    const bool upper =
        std::all_of(word.begin(), word.end(), [](char c) { return isUpper(c) || isDigit(c); });
    if (!lower && !upper) return false;
    if (hyphen == std::string_view::npos) return true;
    text.remove_prefix(hyphen + 1);
    first = false;
  }
}

int hexDigit(char c) {
  if (isDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The escape that `text` begins with; nothing when it is none.
std::optional<Scalar> decodeEscape(std::string_view text) {
  if (text.size() < 2) return std::nullopt;
  switch (text[1]) {
    case '\\':
    case '\'':
    case '"':
      return Scalar{static_cast<char32_t>(text[1]), 2};
    case 't':
      return Scalar{U'\t', 2};
    case 'n':
      return Scalar{U'\n', 2};
    case 'r':
      return Scalar{U'\r', 2};
    case 'u':
      break;
    default:
      return std::nullopt;
  }
  const size_t close = text.find('}');
  if (close == std::string_view::npos || text[2] != '{' || close < 4 || close > 9) {
    return std::nullopt;
  }
  uint32_t code = 0;
  for (const char c : text.substr(3, close - 3)) {
    const int digit = hexDigit(c);
    if (digit < 0) return std::nullopt;
    code = (code << 4) | static_cast<uint32_t>(digit);
  }
  if (!isScalar(code)) return std::nullopt;
  return Scalar{code, close + 1};
}

// Appends `text`, with its escapes replaced, to `out`. `offset` is where `text` begins.
Result<> appendUnescaped(std::string& out, std::string_view text, size_t offset) {
  size_t position = 0;
  while (position < text.size()) {
    const std::string_view rest = text.substr(position);
    const bool escaped = rest[0] == '\\';
    const std::optional<Scalar> scalar = escaped ? decodeEscape(rest) : decodeScalar(rest);
    if (!scalar) {
      return malformed(escaped ? "unknown escape; there are \\\\ \\' \\\" \\t \\n \\r and \\u{...} "
                                 "with a Unicode scalar value"
                               : "not UTF-8",
                       offset + position);
    }
    appendScalar(out, scalar->code);
    position += scalar->length;
  }
  return {};
}

}  // namespace

bool isWaveKeyword(std::string_view label) {
  static constexpr std::array<std::string_view, 8> KEYWORDS = {"true", "false", "inf", "nan",
                                                               "some", "none",  "ok",  "err"};
  return std::find(KEYWORDS.begin(), KEYWORDS.end(), label) != KEYWORDS.end();
}

std::string WaveToken::describe() const {
  switch (kind) {
    case WaveTokenKind::BRACE_OPEN:
      return "a record or flags";
    case WaveTokenKind::PAREN_OPEN:
      return "a tuple";
    case WaveTokenKind::BRACKET_OPEN:
      return "a list";
    case WaveTokenKind::NUMBER:
      return "the number " + shorten(text);
    case WaveTokenKind::WORD:
    case WaveTokenKind::CHAR:
    case WaveTokenKind::HANDLE:
      return shorten(text);
    case WaveTokenKind::STRING:
      return "the string " + shorten(text);
    case WaveTokenKind::MULTILINE_STRING:
      return "a multiline string";
    case WaveTokenKind::END:
      return "the end of the text";
    default:
      return "'" + std::string(text) + "'";
  }
}

void WaveLexer::skipSpace() {
  while (position_ < text_.size()) {
    const char c = text_[position_];
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      ++position_;
    } else if (text_.substr(position_).starts_with("//")) {
      position_ = std::min(text_.find('\n', position_), text_.size());
    } else {
      return;
    }
  }
}

WaveToken WaveLexer::token(WaveTokenKind kind, size_t end) {
  WaveToken token{kind, text_.substr(position_, end - position_), position_};
  position_ = end;
  return token;
}

Result<WaveToken> WaveLexer::next() {
  skipSpace();
  if (position_ == text_.size()) return token(WaveTokenKind::END, position_);
  const char c = text_[position_];
  switch (c) {
    case '{':
      return token(WaveTokenKind::BRACE_OPEN, position_ + 1);
    case '}':
      return token(WaveTokenKind::BRACE_CLOSE, position_ + 1);
    case '(':
      return token(WaveTokenKind::PAREN_OPEN, position_ + 1);
    case ')':
      return token(WaveTokenKind::PAREN_CLOSE, position_ + 1);
    case '[':
      return token(WaveTokenKind::BRACKET_OPEN, position_ + 1);
    case ']':
      return token(WaveTokenKind::BRACKET_CLOSE, position_ + 1);
    case ':':
      return token(WaveTokenKind::COLON, position_ + 1);
    case ',':
      return token(WaveTokenKind::COMMA, position_ + 1);
    case '\'':
      return quoted('\'');
    case '"':
      return text_.substr(position_).starts_with(TRIPLE_QUOTE) ? multilineString() : quoted('"');
    case '#':
      return word(WaveTokenKind::HANDLE);
    default:
      break;
  }
  if (c == '-' || isDigit(c)) return number();
  if (c == '%' || isLower(c) || isUpper(c)) return word(WaveTokenKind::WORD);
  const std::optional<Scalar> scalar = decodeScalar(text_.substr(position_));
  if (!scalar) return malformed("not UTF-8", position_);
  if (scalar->code < 0x20 || scalar->code == 0x7f) {
    return malformed("a control character outside of a string", position_);
  }
  return malformed(
      "no value begins with '" + std::string(text_.substr(position_, scalar->length)) + "'",
      position_);
}

Result<WaveToken> WaveLexer::number() {
  if (text_.substr(position_).starts_with("-inf")) {
    const size_t end = position_ + 4;
    if (end == text_.size() || !isWordByte(text_[end])) return token(WaveTokenKind::NUMBER, end);
  }
  size_t end = position_;
  const auto digits = [&] {
    const size_t start = end;
    while (end < text_.size() && isDigit(text_[end])) ++end;
    return end > start;
  };
  bool good = true;
  if (text_[end] == '-') ++end;
  const bool zero = end < text_.size() && text_[end] == '0';
  const size_t start = end;
  good = digits() && !(zero && end - start > 1);
  if (good && end < text_.size() && text_[end] == '.') {
    ++end;
    good = digits();
  }
  if (good && end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
    ++end;
    if (end < text_.size() && (text_[end] == '+' || text_[end] == '-')) ++end;
    good = digits();
  }
  if (good && (end == text_.size() || !(isWordByte(text_[end]) || text_[end] == '.'))) {
    return token(WaveTokenKind::NUMBER, end);
  }
  while (end < text_.size() && (isWordByte(text_[end]) || text_[end] == '.')) ++end;
  return malformed("not a number: " + shorten(text_.substr(position_, end - position_)), position_);
}

Result<WaveToken> WaveLexer::word(WaveTokenKind kind) {
  size_t end = position_;
  if (text_[end] == '%' || text_[end] == '#') ++end;
  const size_t start = end;
  while (end < text_.size() && isWordByte(text_[end])) ++end;
  const std::string_view label = text_.substr(start, end - start);
  const bool good = kind == WaveTokenKind::HANDLE ? !label.empty() : isLabel(label);
  if (good) return token(kind, end);
  return malformed("not a name: " + shorten(text_.substr(position_, end - position_)), position_);
}

Result<WaveToken> WaveLexer::quoted(char quote) {
  size_t end = position_ + 1;
  while (end < text_.size() && text_[end] != quote && text_[end] != '\n') {
    end += text_[end] == '\\' ? 2 : 1;
  }
  if (end >= text_.size() || text_[end] != quote) {
    return malformed(quote == '"'
                         ? "a string that does not end on its line (a line break is written \\n, a "
                           "text of several lines between \"\"\")"
                         : "a character without its closing '",
                     position_);
  }
  return token(quote == '"' ? WaveTokenKind::STRING : WaveTokenKind::CHAR, end + 1);
}

Result<WaveToken> WaveLexer::multilineString() {
  const size_t end = text_.find(TRIPLE_QUOTE, position_ + TRIPLE_QUOTE.size());
  if (end == std::string_view::npos) {
    return malformed("a multiline string without its closing \"\"\"", position_);
  }
  return token(WaveTokenKind::MULTILINE_STRING, end + TRIPLE_QUOTE.size());
}

Result<std::string> decodeWaveString(const WaveToken& token) {
  std::string out;
  if (token.kind != WaveTokenKind::MULTILINE_STRING) {
    TENON_CHECK(
        appendUnescaped(out, token.text.substr(1, token.text.size() - 2), token.offset + 1));
    return out;
  }
  std::string_view body = token.text.substr(TRIPLE_QUOTE.size());
  body.remove_suffix(TRIPLE_QUOTE.size());
  size_t offset = token.offset + TRIPLE_QUOTE.size();
  const auto drop = [&](size_t count) {
    body.remove_prefix(count);
    offset += count;
  };
  if (body.starts_with('\r')) drop(1);
  if (!body.starts_with('\n')) {
    return malformed("the opening \"\"\" must end its line", offset);
  }
  const size_t lastBreak = body.rfind('\n');
  const std::string_view indent = body.substr(lastBreak + 1);
  if (indent.find_first_not_of(' ') != std::string_view::npos) {
    return malformed("only spaces may stand before the closing \"\"\"", offset + lastBreak + 1);
  }
  if (lastBreak == 0) return out;
  body = body.substr(0, lastBreak);
  drop(1);
  bool first = true;
  while (true) {
    const size_t end = std::min(body.find('\n'), body.size());
    std::string_view line = body.substr(0, end);
    if (!line.starts_with(indent)) {
      return malformed("a line must be indented at least as far as the closing \"\"\"", offset);
    }
    if (!first) out.push_back('\n');
    first = false;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() > indent.size()) {
      TENON_CHECK(appendUnescaped(out, line.substr(indent.size()), offset + indent.size()));
    }
    if (end == body.size()) return out;
    drop(end + 1);
  }
}

Result<char32_t> decodeWaveChar(const WaveToken& token) {
  TENON_TRY(const std::string content, decodeWaveString(token));
  const std::optional<Scalar> scalar = decodeScalar(content);
  if (!scalar || scalar->length != content.size()) {
    return malformed("expected one character between ' and '", token.offset);
  }
  return scalar->code;
}

}  // namespace tenon::component
