#include "link/toml.h"

#include "base/byte_reader.h"
#include "base/suggest.h"
#include "link/toml_scalars.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace tenon::link::toml {

const char* describe(Kind kind) {
  switch (kind) {
    case Kind::STRING:
      return "a string";
    case Kind::INTEGER:
    case Kind::FLOAT:
      return "a number";
    case Kind::BOOLEAN:
      return "a boolean";
    case Kind::DATE:
      return "a date or time";
    case Kind::ARRAY:
      return "an array";
    case Kind::TABLE:
      return "a table";
  }
  return "";
}

const Entry* Table::find(std::string_view key) const {
  auto found = index_.find(std::string(key));
  return found == index_.end() ? nullptr : &entries_[found->second];
}

Entry& Table::add(std::string key, Place place) {
  index_.emplace(key, entries_.size());
  return entries_.emplace_back(Entry{std::move(key), place, {}});
}

// Goes through the text once. A function that returns false or nothing has added a problem.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Document take() {
    if (text_.size() > MAX_BYTES) {
      problem({1, 1}, "the text has more than " + std::to_string(MAX_BYTES >> 20) + " MiB");
      return std::move(document_);
    }
    if (text_.starts_with("\xef\xbb\xbf")) text_.remove_prefix(3);
    if (!isUtf8(text_)) {
      pos_ = invalidUtf8();
      problem(here(), "this is not UTF-8");
      return std::move(document_);
    }
    document_.root.origin_ = Table::Origin::HEADER;
    current_ = &document_.root;
    while (pos_ < text_.size() && document_.problems.size() < MAX_PROBLEMS) {
      size_t begin = pos_;
      if (statement()) continue;
      // On with the next line, unless what is wrong is inside of several.
      if (lost_ || text_.substr(begin, pos_ - begin).find('\n') != std::string_view::npos) break;
      pos_ = std::min(text_.find('\n', pos_), text_.size());
    }
    return std::move(document_);
  }

 private:
  struct Key {
    std::string text;
    Place place;
  };

  // -- Places and problems

  // Where `pos_` is. Never called for a place before the last.
  Place here() {
    for (; marked_ < pos_; ++marked_) {
      char c = text_[marked_];
      if (c == '\n') {
        ++mark_.line;
        mark_.column = 1;
      } else if ((c & 0xc0) != 0x80) {  // not inside of a character
        ++mark_.column;
      }
    }
    return mark_;
  }

  bool problem(Place place, std::string what) {
    if (document_.problems.size() < MAX_PROBLEMS) {
      document_.problems.push_back({place, std::move(what)});
    }
    return false;
  }
  bool problem(std::string what) { return problem(here(), std::move(what)); }
  // What is here is not what should be.
  bool expected(const std::string& what) {
    if (pos_ < text_.size() && static_cast<unsigned char>(text_[pos_]) >= 0x80) {
      return problem("characters beyond ASCII must be in quotes");
    }
    return problem("expected " + what + ", found " + found());
  }
  std::string found() const {
    if (pos_ >= text_.size()) return "the end of the text";
    char c = text_[pos_];
    if (c == '\n' || text_.substr(pos_).starts_with("\r\n")) return "the end of the line";
    if (c < ' ' || c == 0x7f) return "a control character";
    return std::string("'") + c + "'";
  }
  bool tooDeep(Place place) {
    return problem(
        place, "tables and arrays nest more than " + std::to_string(MAX_DEPTH) + " levels deep");
  }

  size_t invalidUtf8() const {
    size_t at = 0;
    while (at < text_.size()) {
      auto lead = static_cast<unsigned char>(text_[at]);
      size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
      if (!isUtf8(text_.substr(at, size))) break;
      at += size;
    }
    return at;
  }

  // -- Space

  char peek() const { return pos_ < text_.size() ? text_[pos_] : '\0'; }
  bool eat(char c) {
    if (pos_ >= text_.size() || text_[pos_] != c) return false;
    ++pos_;
    return true;
  }
  bool eatNewline() {
    if (text_.substr(pos_).starts_with("\r\n")) return pos_ += 2, true;
    return eat('\n');
  }
  void skipBlanks() {
    while (peek() == ' ' || peek() == '\t') ++pos_;
  }
  bool skipComment() {
    if (!eat('#')) return true;
    for (; pos_ < text_.size() && text_[pos_] != '\n'; ++pos_) {
      if (text_.substr(pos_).starts_with("\r\n")) break;
      if (isControl(text_[pos_])) return problem("a comment has a control character");
    }
    return true;
  }
  // Blanks, newlines and comments.
  bool skipSpace() {
    while (true) {
      skipBlanks();
      if (peek() == '#' && !skipComment()) return false;
      if (!eatNewline()) return true;
    }
  }

  // -- Statements

  bool statement() {
    skipBlanks();
    if (pos_ < text_.size() && !eatNewline() && peek() != '#') {
      if (peek() == '[' ? !header() : !keyAndValueIn(*current_, currentDepth_)) return false;
      skipBlanks();
    }
    if (!skipComment()) return false;
    return pos_ >= text_.size() || text_[pos_ - 1] == '\n' || eatNewline() ||
           expected("the end of the line");
  }

  bool header() {
    Place place = here();
    current_ = &discarded_;  // what follows a header that is wrong is nobody's
    ++pos_;
    bool isArray = eat('[');
    skipBlanks();
    std::optional<std::vector<Key>> path = keys(1);
    if (!path) return false;
    if (!eat(']') || (isArray && !eat(']'))) return expected(isArray ? "']]'" : "']'");
    section_ = ++sections_;
    Table* table = &document_.root;
    for (size_t i = 0; i + 1 < path->size(); ++i) {
      table = enterByHeader(*table, (*path)[i]);
      if (!table) return false;
    }
    table = isArray ? appendToArray(*table, path->back(), place)
                    : openTable(*table, path->back(), place);
    if (!table) return false;
    current_ = table;
    currentDepth_ = static_cast<uint32_t>(path->size());
    return true;
  }

  static Table& makeTable(Value& value, Place place, Table::Origin origin) {
    value.kind = Kind::TABLE;
    value.place = place;
    value.table = std::make_shared<Table>();
    value.table->origin_ = origin;
    return *value.table;
  }

  static Entry* findIn(Table& table, std::string_view key) {
    return const_cast<Entry*>(std::as_const(table).find(key));
  }

  // An array of tables was made by [[it]]; one that was written as a value may not grow.
  static Table* lastOf(Value& value) {
    bool isTables = value.kind == Kind::ARRAY && !value.items.empty() &&
                    value.items.front().kind == Kind::TABLE &&
                    value.items.front().table->origin_ == Table::Origin::HEADER;
    return isTables ? value.items.back().table.get() : nullptr;
  }

  bool isThere(const Key& key, const Entry& other) {
    return problem(key.place, "'" + base::shown(key.text) + "' is there already, in line " +
                                  std::to_string(other.place.line));
  }

  Table* enterByHeader(Table& table, const Key& key) {
    Entry* entry = findIn(table, key.text);
    if (!entry) {
      return &makeTable(table.add(key.text, key.place).value, key.place, Table::Origin::PATH);
    }
    Value& value = entry->value;
    if (value.kind == Kind::TABLE && value.table->origin_ != Table::Origin::INLINE) {
      return value.table.get();
    }
    if (Table* last = lastOf(value)) return last;
    isThere(key, *entry);
    return nullptr;
  }

  Table* openTable(Table& table, const Key& key, Place place) {
    Entry* entry = findIn(table, key.text);
    if (!entry) {
      return &makeTable(table.add(key.text, key.place).value, place, Table::Origin::HEADER);
    }
    Value& value = entry->value;
    if (value.kind != Kind::TABLE || value.table->origin_ != Table::Origin::PATH) {
      isThere(key, *entry);
      return nullptr;
    }
    value.place = place;
    value.table->origin_ = Table::Origin::HEADER;
    return value.table.get();
  }

  Table* appendToArray(Table& table, const Key& key, Place place) {
    Entry* entry = findIn(table, key.text);
    if (!entry) {
      entry = &table.add(key.text, key.place);
      entry->value.kind = Kind::ARRAY;
      entry->value.place = place;
    } else if (!lastOf(entry->value)) {
      isThere(key, *entry);
      return nullptr;
    }
    return &makeTable(entry->value.items.emplace_back(), place, Table::Origin::HEADER);
  }

  // `depth`: of the table.
  bool keyAndValueIn(Table& inside, uint32_t depth) {
    std::optional<std::vector<Key>> path = keys(depth + 1);
    if (!path) return false;
    if (!eat('=')) return expected("'=' and a value after a key");
    skipBlanks();
    Value value;
    if (!this->value(value, depth + static_cast<uint32_t>(path->size()))) return false;
    Table* table = &inside;
    for (size_t i = 0; i + 1 < path->size(); ++i) {
      table = enterByDot(*table, (*path)[i]);
      if (!table) return false;
    }
    const Key& last = path->back();
    if (const Entry* other = std::as_const(*table).find(last.text)) return isThere(last, *other);
    table->add(last.text, last.place).value = std::move(value);
    return true;
  }

  Table* enterByDot(Table& table, const Key& key) {
    Entry* entry = findIn(table, key.text);
    if (!entry) {
      entry = &table.add(key.text, key.place);
      makeTable(entry->value, key.place, Table::Origin::DOTTED).section_ = section_;
      return entry->value.table.get();
    }
    if (Table* next = entry->value.table.get()) {
      if (next->origin_ == Table::Origin::PATH) {
        next->origin_ = Table::Origin::DOTTED;
        next->section_ = section_;
      }
      if (next->origin_ == Table::Origin::DOTTED && next->section_ == section_) return next;
    }
    isThere(key, *entry);
    return nullptr;
  }

  // -- Keys

  // "a . b", and the blanks behind it. `depth`: where the first part stands.
  std::optional<std::vector<Key>> keys(uint32_t depth) {
    std::vector<Key> path;
    while (true) {
      Place place = here();
      if (depth + path.size() > MAX_DEPTH) {
        tooDeep(place);
        return std::nullopt;
      }
      std::optional<std::string> text = key();
      if (!text) return std::nullopt;
      path.push_back({*std::move(text), place});
      skipBlanks();
      if (!eat('.')) return path;
      skipBlanks();
    }
  }

  std::optional<std::string> key() {
    if (peek() == '"' || peek() == '\'') return string(Lines::ONE);
    size_t begin = pos_;
    while (isBareKey(peek())) ++pos_;
    if (pos_ == begin) {
      expected("a key");
      return std::nullopt;
    }
    return std::string(text_.substr(begin, pos_ - begin));
  }

  // -- Values

  // `depth`: how many tables and arrays it is in.
  bool value(Value& value, uint32_t depth) {
    value.place = here();
    char c = peek();
    if (c == '"' || c == '\'') {
      std::optional<std::string> text = string(Lines::MANY);
      if (!text) return false;
      value.kind = Kind::STRING;
      value.text = *std::move(text);
      return true;
    }
    if (c == '[' || c == '{') {
      if (depth >= MAX_DEPTH) return tooDeep(value.place);
      ++pos_;
      return c == '[' ? array(value, depth + 1) : inlineTable(value, depth + 1);
    }
    std::string_view word = scalarAt(text_.substr(pos_));
    if (word.empty()) return expected("a value");
    std::string wrong = readScalar(word, value);
    if (!wrong.empty()) return problem(std::move(wrong));
    pos_ += word.size();
    return true;
  }

  bool array(Value& value, uint32_t depth) {
    value.kind = Kind::ARRAY;
    while (true) {
      if (!skipSpace()) return false;
      if (eat(']')) return true;
      if (!this->value(value.items.emplace_back(), depth)) return false;
      if (!skipSpace()) return false;
      if (eat(']')) return true;
      if (!eat(',')) return expected("',' or ']' in an array");
    }
  }

  bool inlineTable(Value& value, uint32_t depth) {
    Table& table = makeTable(value, value.place, Table::Origin::INLINE);
    // What its dotted keys make is its own, and closed with it.
    uint32_t outer = std::exchange(section_, ++sections_);
    bool done = inBraces(table, depth);
    section_ = outer;
    return done;
  }
  bool inBraces(Table& table, uint32_t depth) {
    skipBlanks();
    if (eat('}')) return true;
    while (true) {
      skipBlanks();
      if (peek() == '\n' || peek() == '\r') {
        lost_ = true;
        return problem("a table in braces is written in one line");
      }
      if (!keyAndValueIn(table, depth)) return false;
      skipBlanks();
      if (eat('}')) return true;
      if (!eat(',')) return expected("',' or '}' in a table");
    }
  }

  // -- Strings

  enum class Lines : uint8_t { ONE, MANY };

  // `lines` MANY: three quotes begin a string of several lines. The opening quote is here.
  std::optional<std::string> string(Lines lines) {
    const char quote = text_[pos_];
    const Place place = here();
    const bool isLong = lines == Lines::MANY && quotesHere(quote, 3) == 3;
    pos_ += isLong ? 3 : 1;
    if (isLong) eatNewline();  // the first is not the string's
    std::string result;
    while (pos_ < text_.size()) {
      if (peek() == quote) {
        // Up to two more quotes stand before the three that close it.
        size_t count = quotesHere(quote, isLong ? 5 : 1);
        if (!isLong || count >= 3) {
          pos_ += count;
          if (isLong) result.append(count - 3, quote);
          return result;
        }
      }
      if (quote == '"' && peek() == '\\') {
        if (!escape(result, isLong ? Lines::MANY : Lines::ONE)) return std::nullopt;
      } else if (isLong && eatNewline()) {
        result += '\n';
      } else if (peek() == '\n' || text_.substr(pos_).starts_with("\r\n")) {
        break;
      } else if (isControl(peek())) {
        problem("a string has a control character: in double quotes it may be written as \\u001B");
        return std::nullopt;
      } else {
        result += text_[pos_++];
      }
    }
    problem(place, "this string is not closed");
    return std::nullopt;
  }

  // How many of these stand here, but not more than `most`.
  size_t quotesHere(char quote, size_t most) const {
    size_t count = 0;
    while (count < most && pos_ + count < text_.size() && text_[pos_ + count] == quote) ++count;
    return count;
  }

  // The backslash is here.
  bool escape(std::string& result, Lines lines) {
    const Place place = here();
    ++pos_;
    const size_t behind = pos_;
    if (lines == Lines::MANY) {
      // At the end of a line: nothing of what is blank behind it is the string's.
      skipBlanks();
      if (eatNewline()) {
        do skipBlanks();
        while (eatNewline());
        return true;
      }
      pos_ = behind;
    }
    const char c = peek();
    constexpr std::string_view LETTERS = "btnfr\"\\";
    constexpr std::string_view MEANT = "\b\t\n\f\r\"\\";
    if (size_t known = LETTERS.find(c); c != '\0' && known != std::string_view::npos) {
      ++pos_;
      result += MEANT[known];
      return true;
    }
    size_t digits = c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (digits == 0 || !appendCharacter(text_.substr(pos_ + 1, digits), digits, result)) {
      return problem(place, digits == 0 ? "a backslash is followed by b, t, n, f, r, u, U, \" or \\"
                                        : "an escape that is no character");
    }
    pos_ += 1 + digits;
    return true;
  }

  std::string_view text_;
  size_t pos_ = 0;
  size_t marked_ = 0;  // where `mark_` is
  Place mark_;
  Document document_;
  Table discarded_;
  Table* current_ = nullptr;
  uint32_t currentDepth_ = 0;
  bool lost_ = false;      // what follows cannot be told
  uint32_t sections_ = 0;  // as many as there were
  uint32_t section_ = 0;   // of the header, or of the table in braces
};

Document parse(std::string_view text) { return Parser(text).take(); }

}  // namespace tenon::link::toml
