#include "component/wit/json_reader.h"

#include "base/utf8.h"

#include <cstdint>
#include <optional>
#include <utility>

namespace tenon::component::wit {
namespace {

constexpr uint32_t MAX_DEPTH = 64;

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Result<JsonValue> whole() {
    TENON_TRY(JsonValue out, value());
    skipSpace();
    if (position_ != text_.size()) return bad("the end");
    return out;
  }

 private:
  Error bad(std::string_view expected) const {
    return Error(ErrorCode::MALFORMED, "JSON: expected " + std::string(expected), position_);
  }

  void skipSpace() {
    while (position_ < text_.size() &&
           std::string_view(" \t\n\r").find(text_[position_]) != std::string_view::npos) {
      ++position_;
    }
  }

  bool take(std::string_view token) {
    if (!text_.substr(position_).starts_with(token)) return false;
    position_ += token.size();
    return true;
  }

  Result<JsonValue> value() {
    skipSpace();
    if (depth_ == MAX_DEPTH) {
      return Error(ErrorCode::LIMIT_EXCEEDED, "JSON nested too deep", position_);
    }
    ++depth_;
    Result<JsonValue> out = valueInside();
    --depth_;
    return out;
  }

  Result<JsonValue> valueInside() {
    if (take("null")) return JsonValue{};
    if (take("true")) return JsonValue{true};
    if (take("false")) return JsonValue{false};
    if (take("\"")) {
      TENON_TRY(std::string content, string());
      return JsonValue{std::move(content)};
    }
    if (take("[")) return array();
    if (take("{")) return object();
    return number();
  }

  Result<JsonValue> array() {
    JsonArray out;
    skipSpace();
    if (take("]")) return JsonValue{std::move(out)};
    while (true) {
      TENON_TRY(JsonValue item, value());
      out.items.push_back(std::move(item));
      skipSpace();
      if (take("]")) return JsonValue{std::move(out)};
      if (!take(",")) return bad("',' or ']'");
    }
  }

  Result<JsonValue> object() {
    JsonObject out;
    skipSpace();
    if (take("}")) return JsonValue{std::move(out)};
    while (true) {
      skipSpace();
      if (!take("\"")) return bad("a name");
      TENON_TRY(std::string name, string());
      skipSpace();
      if (!take(":")) return bad("':'");
      TENON_TRY(JsonValue item, value());
      out.members.push_back(JsonMember{std::move(name), std::move(item)});
      skipSpace();
      if (take("}")) return JsonValue{std::move(out)};
      if (!take(",")) return bad("',' or '}'");
    }
  }

  bool digits() {
    const size_t start = position_;
    while (position_ < text_.size() && text_[position_] >= '0' && text_[position_] <= '9') {
      ++position_;
    }
    return position_ > start;
  }

  Result<JsonValue> number() {
    const size_t start = position_;
    take("-");
    if (!take("0") && !digits()) return bad("a value");
    if (take(".") && !digits()) return bad("a digit");
    if (take("e") || take("E")) {
      if (!take("+")) take("-");
      if (!digits()) return bad("a digit");
    }
    return JsonValue{JsonNumber{std::string(text_.substr(start, position_ - start))}};
  }

  // The rest of a string, after its opening quote.
  Result<std::string> string() {
    std::string out;
    while (true) {
      const std::optional<Scalar> scalar = decodeScalar(text_.substr(position_));
      if (!scalar) return bad(position_ == text_.size() ? "'\"'" : "UTF-8");
      if (scalar->code < 0x20) return bad("no control character in a string");
      position_ += scalar->length;
      if (scalar->code == '"') return out;
      if (scalar->code != '\\') {
        appendScalar(out, scalar->code);
        continue;
      }
      TENON_TRY(const char32_t code, escape());
      appendScalar(out, code);
    }
  }

  Result<char32_t> escape() {
    if (position_ == text_.size()) return bad("an escape");
    switch (text_[position_++]) {
      case '"':
        return U'"';
      case '\\':
        return U'\\';
      case '/':
        return U'/';
      case 'b':
        return U'\b';
      case 'f':
        return U'\f';
      case 'n':
        return U'\n';
      case 'r':
        return U'\r';
      case 't':
        return U'\t';
      case 'u':
        break;
      default:
        return bad("an escape");
    }
    TENON_TRY(uint32_t code, hex());
    if (code >= 0xd800 && code < 0xdc00) {
      if (!take("\\u")) return bad("the second half of a surrogate pair");
      TENON_TRY(const uint32_t low, hex());
      if (low < 0xdc00 || low > 0xdfff) return bad("the second half of a surrogate pair");
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    if (!isScalar(code)) return bad("a Unicode scalar value");
    return static_cast<char32_t>(code);
  }

  Result<uint32_t> hex() {
    uint32_t code = 0;
    for (int i = 0; i < 4; ++i) {
      constexpr std::string_view DIGITS = "0123456789abcdef";
      if (position_ == text_.size()) return bad("four hexadecimal digits");
      char digit = text_[position_];
      if (digit >= 'A' && digit <= 'F') digit = static_cast<char>(digit - 'A' + 'a');
      const size_t found = DIGITS.find(digit);
      if (found == std::string_view::npos) return bad("four hexadecimal digits");
      code = (code << 4) | static_cast<uint32_t>(found);
      ++position_;
    }
    return code;
  }

  std::string_view text_;
  size_t position_ = 0;
  uint32_t depth_ = 0;
};

}  // namespace

const JsonValue* JsonValue::find(std::string_view name) const {
  const JsonObject* members = object();
  if (members == nullptr) return nullptr;
  for (const auto& [key, value] : members->members) {
    if (key == name) return &value;
  }
  return nullptr;
}

Result<JsonValue> readJson(std::string_view text) { return Reader(text).whole(); }

}  // namespace tenon::component::wit
