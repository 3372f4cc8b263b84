#include "base/edit_distance.h"
#include "base/keyed_hash.h"
#include "component/wit/wave.h"
#include "component/wit/wave_lexer.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <system_error>
#include <type_traits>
#include <unordered_map>
#include <utility>

namespace tenon::component {
namespace {

// More than a type of a component can have (MAX_TYPE_DEPTH); types from elsewhere are held to it.
constexpr uint32_t MAX_WAVE_DEPTH = 200;

// Flat forms: `5` stands for `some(5)` and `ok(5)` where the payload is neither option nor result.
bool flattens(const Type* payload) {
  return payload != nullptr && payload->kind != TypeKind::OPTION &&
         payload->kind != TypeKind::RESULT;
}

std::string_view labelOf(const WaveToken& word) {
  return word.text.substr(word.text.starts_with('%') ? 1 : 0);
}

// " (did you mean x?)" or " (there are a, b and c)", from the labels of a type's members.
std::string candidates(const Type& type, std::string_view label) {
  constexpr size_t MOST = 8;
  const Labelled* nearest = nullptr;
  size_t distance = std::numeric_limits<size_t>::max();
  for (const Labelled& member : type.members) {
    const size_t next = base::editDistance(label, member.label);
    if (next < distance) {
      distance = next;
      nearest = &member;
    }
  }
  if (nearest != nullptr && distance <= std::max<size_t>(1, label.size() / 3)) {
    return " (did you mean " + nearest->label + "?)";
  }
  std::string out = " (there ";
  out += type.members.size() == 1 ? "is " : "are ";
  for (size_t i = 0; i < type.members.size(); ++i) {
    if (i == MOST) return out + ", ...)";
    if (i > 0) out += ", ";
    out += type.members[i].label;
  }
  return out + ")";
}

class Parser {
 public:
  Parser(std::string_view text, const FindHandle& findHandle)
      : lexer_(text), findHandle_(findHandle) {}

  Result<Value> whole(const Type& type) {
    TENON_CHECK(advance());
    TENON_TRY(Value value, parse(type));
    if (token_.kind == WaveTokenKind::END) return value;
    return Error(
        ErrorCode::MALFORMED,
        "expected the end after a value of type " + toString(type) + ", found " + token_.describe(),
        token_.offset);
  }

 private:
  Result<> advance() {
    TENON_TRY(token_, lexer_.next());
    return {};
  }

  bool at(WaveTokenKind kind) const { return token_.kind == kind; }

  Error mismatch(const Type& type) const {
    const ErrorCode code = at(WaveTokenKind::END) ? ErrorCode::MALFORMED : ErrorCode::TYPE_MISMATCH;
    return Error(code, "expected " + toString(type) + ", found " + token_.describe(),
                 token_.offset);
  }

  Error expected(std::string_view what) const {
    return Error(ErrorCode::MALFORMED,
                 "expected " + std::string(what) + ", found " + token_.describe(), token_.offset);
  }

  Result<> take(WaveTokenKind kind, std::string_view what) {
    if (!at(kind)) return expected(what);
    return advance();
  }

  // After an item of a sequence: true when `close` follows (taken), false when another item does.
  Result<bool> separator(WaveTokenKind close, std::string_view what) {
    if (at(WaveTokenKind::COMMA)) {
      TENON_CHECK(advance());
    } else if (!at(close)) {
      return expected(what);
    }
    if (!at(close)) return false;
    TENON_CHECK(advance());
    return true;
  }

  Result<Value> parse(const Type& type) {
    if (depth_ == MAX_WAVE_DEPTH) {
      return Error(ErrorCode::LIMIT_EXCEEDED,
                   "a value nested deeper than " + std::to_string(MAX_WAVE_DEPTH) + " levels",
                   token_.offset);
    }
    ++depth_;
    Result<Value> value = parseKind(type);
    --depth_;
    return value;
  }

  Result<Value> parseKind(const Type& type) {
    switch (type.kind) {
      case TypeKind::BOOL:
        return parseBool(type);
      case TypeKind::S8:
        return parseInteger<int8_t>(type);
      case TypeKind::U8:
        return parseInteger<uint8_t>(type);
      case TypeKind::S16:
        return parseInteger<int16_t>(type);
      case TypeKind::U16:
        return parseInteger<uint16_t>(type);
      case TypeKind::S32:
        return parseInteger<int32_t>(type);
      case TypeKind::U32:
        return parseInteger<uint32_t>(type);
      case TypeKind::S64:
        return parseInteger<int64_t>(type);
      case TypeKind::U64:
        return parseInteger<uint64_t>(type);
      case TypeKind::F32:
        return parseFloat<float>(type);
      case TypeKind::F64:
        return parseFloat<double>(type);
      case TypeKind::CHAR:
        return parseChar(type);
      case TypeKind::STRING:
        return parseString(type);
      case TypeKind::LIST:
        return parseList(type);
      case TypeKind::RECORD:
        return parseRecord(type);
      case TypeKind::TUPLE:
        return parseTuple(type);
      case TypeKind::VARIANT:
        return parseVariant(type);
      case TypeKind::ENUM:
        return parseEnum(type);
      case TypeKind::OPTION:
        return parseOption(type);
      case TypeKind::RESULT:
        return parseResult(type);
      case TypeKind::FLAGS:
        return parseFlags(type);
      case TypeKind::OWN:
      case TypeKind::BORROW:
        return parseHandle(type);
      case TypeKind::ERROR_CONTEXT:
      case TypeKind::STREAM:
      case TypeKind::FUTURE:
        break;
    }
    return Error(ErrorCode::UNSUPPORTED,
                 "a value of type " + toString(type) + " cannot be written as text", token_.offset);
  }

  Result<Value> parseBool(const Type& type) {
    const bool value = token_.isKeyword("true");
    if (!value && !token_.isKeyword("false")) return mismatch(type);
    TENON_CHECK(advance());
    return Value(value);
  }

  template <typename T>
  Result<Value> parseInteger(const Type& type) {
    T value = 0;
    const char* end = token_.text.data() + token_.text.size();
    const auto [stop, error] = std::from_chars(token_.text.data(), end, value);
    const bool negative = token_.text.starts_with('-');
    const bool whole = token_.text.find_first_of(".eEi") == std::string_view::npos;
    if (!at(WaveTokenKind::NUMBER) || !whole) return mismatch(type);
    if (error != std::errc() || stop != end || (negative && std::is_unsigned_v<T>)) {
      Error out = mismatch(type);
      out.message += " (from " + std::to_string(std::numeric_limits<T>::min()) + " to " +
                     std::to_string(std::numeric_limits<T>::max()) + ")";
      return out;
    }
    TENON_CHECK(advance());
    return Value(value);
  }

  template <typename T>
  Result<Value> parseFloat(const Type& type) {
    T value = 0;
    if (token_.isKeyword("nan")) {
      value = std::numeric_limits<T>::quiet_NaN();
    } else if (token_.isKeyword("inf")) {
      value = std::numeric_limits<T>::infinity();
    } else if (!at(WaveTokenKind::NUMBER)) {
      return mismatch(type);
    } else if (token_.text == "-inf") {
      value = -std::numeric_limits<T>::infinity();
    } else {
      const char* end = token_.text.data() + token_.text.size();
      const auto [stop, error] = std::from_chars(token_.text.data(), end, value);
      if (error != std::errc() || stop != end) {
        Error out = mismatch(type);
        out.message += " (out of range; infinity is written inf)";
        return out;
      }
    }
    TENON_CHECK(advance());
    return Value(value);
  }

  Result<Value> parseChar(const Type& type) {
    if (!at(WaveTokenKind::CHAR)) return mismatch(type);
    TENON_TRY(const char32_t code, decodeWaveChar(token_));
    TENON_CHECK(advance());
    return Value(Char{code});
  }

  Result<Value> parseString(const Type& type) {
    if (!at(WaveTokenKind::STRING) && !at(WaveTokenKind::MULTILINE_STRING)) return mismatch(type);
    TENON_TRY(std::string value, decodeWaveString(token_));
    TENON_CHECK(advance());
    return Value(std::move(value));
  }

  Result<Value> parseList(const Type& type) {
    if (!at(WaveTokenKind::BRACKET_OPEN)) return mismatch(type);
    const size_t start = token_.offset;
    TENON_CHECK(advance());
    List list;
    bool done = at(WaveTokenKind::BRACKET_CLOSE);
    if (done) TENON_CHECK(advance());
    while (!done) {
      TENON_TRY(Value item, parse(*type.element));
      list.items.push_back(std::move(item));
      TENON_TRY(done, separator(WaveTokenKind::BRACKET_CLOSE, "',' or ']'"));
    }
    if (type.fixedLength != 0 && list.items.size() != type.fixedLength) {
      return Error(ErrorCode::TYPE_MISMATCH,
                   "expected " + toString(type) + ", found a list of " +
                       std::to_string(list.items.size()) + " values",
                   start);
    }
    return Value(std::move(list));
  }

  Result<Value> parseTuple(const Type& type) {
    if (!at(WaveTokenKind::PAREN_OPEN)) return mismatch(type);
    const size_t start = token_.offset;
    TENON_CHECK(advance());
    Tuple tuple;
    bool done = at(WaveTokenKind::PAREN_CLOSE);
    while (!done && tuple.items.size() < type.members.size()) {
      TENON_TRY(Value item, parse(*type.members[tuple.items.size()].type));
      tuple.items.push_back(std::move(item));
      TENON_TRY(done, separator(WaveTokenKind::PAREN_CLOSE, "',' or ')'"));
    }
    if (!done || tuple.items.size() != type.members.size()) {
      return Error(ErrorCode::TYPE_MISMATCH,
                   "expected " + toString(type) + ", found a tuple of " +
                       (done ? std::to_string(tuple.items.size())
                             : "more than " + std::to_string(type.members.size())) +
                       " values",
                   start);
    }
    return Value(std::move(tuple));
  }

  // Takes a word and gives the index of the member that has it as its label. The word may be
  // written with a `%` always, and must be when it is a keyword and `bare` says so.
  enum class Keywords : uint8_t { ALLOWED, ESCAPED };
  Result<size_t> label(const Type& type, std::string_view what, Keywords keywords) {
    if (!at(WaveTokenKind::WORD)) return mismatch(type);
    const std::string_view label = labelOf(token_);
    if (std::optional<size_t> found = findMember(type, label)) {
      if (keywords == Keywords::ESCAPED && isWaveKeyword(token_.text)) {
        Error out = mismatch(type);
        out.message += " (a case of this name is written %" + std::string(label) + ")";
        return out;
      }
      TENON_CHECK(advance());
      return *found;
    }
    Error out = mismatch(type);
    out.message += ", which is no " + std::string(what) + candidates(type, label);
    return out;
  }

  // A list may name the cases of a large type again and again.
  std::optional<size_t> findMember(const Type& type, std::string_view label) {
    constexpr size_t FEW = 16;
    if (type.members.size() <= FEW) {
      for (size_t i = 0; i < type.members.size(); ++i) {
        if (type.members[i].label == label) return i;
      }
      return std::nullopt;
    }
    auto [known, fresh] = members_.try_emplace(&type);
    if (fresh) {
      for (size_t i = 0; i < type.members.size(); ++i) {
        known->second.emplace(type.members[i].label, i);
      }
    }
    auto found = known->second.find(label);
    return found == known->second.end() ? std::nullopt : std::optional(found->second);
  }

  Result<Value> parseRecord(const Type& type) {
    if (!at(WaveTokenKind::BRACE_OPEN)) return mismatch(type);
    const size_t start = token_.offset;
    TENON_CHECK(advance());
    std::vector<std::optional<Value>> values(type.members.size());
    bool done = false;
    if (at(WaveTokenKind::COLON)) {  // {:}
      TENON_CHECK(advance());
      TENON_CHECK(take(WaveTokenKind::BRACE_CLOSE, "'}'"));
      done = true;
    }
    while (!done) {
      const size_t offset = token_.offset;
      if (at(WaveTokenKind::BRACE_CLOSE)) {
        Error out = mismatch(type);
        out.message += " (a record without fields is written {:})";
        return out;
      }
      TENON_TRY(const size_t index, label(type, "field", Keywords::ALLOWED));
      const Labelled& field = type.members[index];
      if (values[index]) {
        return Error(ErrorCode::MALFORMED, "field " + field.label + " is there twice", offset);
      }
      TENON_CHECK(take(WaveTokenKind::COLON, "':' after the field " + field.label));
      Result<Value> value = parse(*field.type);
      if (!value) return within("field " + field.label, std::move(value).error());
      values[index] = *std::move(value);
      TENON_TRY(done, separator(WaveTokenKind::BRACE_CLOSE, "',' or '}'"));
    }
    Record record;
    record.fields.reserve(values.size());
    for (size_t i = 0; i < values.size(); ++i) {
      const Labelled& field = type.members[i];
      if (!values[i] && field.type->kind != TypeKind::OPTION) {
        return Error(ErrorCode::TYPE_MISMATCH,
                     "expected " + toString(type) + ", found a record without its field " +
                         field.label + " of type " + toString(*field.type),
                     start);
      }
      record.fields.push_back(Field{field.label, values[i] ? *std::move(values[i]) : Option{}});
    }
    return Value(std::move(record));
  }

  Result<Value> parseFlags(const Type& type) {
    if (!at(WaveTokenKind::BRACE_OPEN)) return mismatch(type);
    TENON_CHECK(advance());
    std::vector<bool> set(type.members.size());
    bool done = at(WaveTokenKind::BRACE_CLOSE);
    if (done) TENON_CHECK(advance());
    while (!done) {
      const size_t offset = token_.offset;
      TENON_TRY(const size_t index, label(type, "flag", Keywords::ALLOWED));
      if (set[index]) {
        return Error(ErrorCode::MALFORMED, "flag " + type.members[index].label + " is there twice",
                     offset);
      }
      set[index] = true;
      TENON_TRY(done, separator(WaveTokenKind::BRACE_CLOSE, "',' or '}'"));
    }
    Flags flags;
    for (size_t i = 0; i < set.size(); ++i) {
      if (set[i]) flags.labels.push_back(type.members[i].label);
    }
    return Value(std::move(flags));
  }

  Result<Value> parseVariant(const Type& type) {
    TENON_TRY(const size_t index, label(type, "case", Keywords::ESCAPED));
    const Labelled& found = type.members[index];
    TENON_TRY(Box box, payload("case " + found.label, found.type));
    return Value(Variant{found.label, std::move(box)});
  }

  Result<Value> parseEnum(const Type& type) {
    TENON_TRY(const size_t index, label(type, "case", Keywords::ESCAPED));
    TENON_CHECK(payload("case " + type.members[index].label, nullptr));
    return Value(Enum{type.members[index].label});
  }

  Result<Value> parseOption(const Type& type) {
    const bool some = token_.isKeyword("some");
    if (some || token_.isKeyword("none")) {
      TENON_CHECK(advance());
      TENON_TRY(Box box, payload(some ? "some" : "none", some ? type.element : nullptr));
      return Value(Option{std::move(box)});
    }
    if (!flattens(type.element)) return mismatch(type);
    TENON_TRY(Value value, parse(*type.element));
    return Value(Option{Box(std::move(value))});
  }

  Result<Value> parseResult(const Type& type) {
    const bool isError = token_.isKeyword("err");
    if (isError || token_.isKeyword("ok")) {
      TENON_CHECK(advance());
      TENON_TRY(Box box, payload(isError ? "err" : "ok", isError ? type.error : type.ok));
      return Value(ResultValue{isError, std::move(box)});
    }
    if (!flattens(type.ok)) return mismatch(type);
    TENON_TRY(Value value, parse(*type.ok));
    return Value(ResultValue{false, Box(std::move(value))});
  }

  // `(value)` after a case's name if `type` is not null, and no `(` otherwise.
  Result<Box> payload(const std::string& of, const Type* type) {
    if (type == nullptr) {
      if (!at(WaveTokenKind::PAREN_OPEN)) return Box();
      return Error(ErrorCode::TYPE_MISMATCH, of + " carries no value, found '('", token_.offset);
    }
    if (!at(WaveTokenKind::PAREN_OPEN)) {
      return Error(ErrorCode::TYPE_MISMATCH,
                   of + " carries a value: expected '(' and " + toString(*type) + ", found " +
                       token_.describe(),
                   token_.offset);
    }
    TENON_CHECK(advance());
    Result<Value> value = parse(*type);
    if (!value) return within(of, std::move(value).error());
    TENON_CHECK(take(WaveTokenKind::PAREN_CLOSE, "')'"));
    return Box(*std::move(value));
  }

  Result<Value> parseHandle(const Type& type) {
    if (!at(WaveTokenKind::HANDLE)) return mismatch(type);
    std::shared_ptr<ResourceHandle> handle = findHandle_ ? findHandle_(token_.text) : nullptr;
    if (handle == nullptr) {
      Error out = mismatch(type);
      out.message += ", which no earlier call has returned";
      return out;
    }
    TENON_CHECK(advance());
    return Value(Resource{std::move(handle), type.kind == TypeKind::OWN});
  }

  static Error within(const std::string& place, Error error) {
    error.message = place + ": " + error.message;
    return error;
  }

  WaveLexer lexer_;
  const FindHandle& findHandle_;
  WaveToken token_;
  uint32_t depth_ = 0;
  std::unordered_map<const Type*, TextMap<size_t>> members_;  // of large types, by label
};

}  // namespace

Result<Value> parseWave(std::string_view text, const Type& type, const FindHandle& findHandle) {
  return Parser(text, findHandle).whole(type);
}

}  // namespace tenon::component
