#pragma once

// A reader of TOML for text that strangers wrote: it takes time and memory in proportion to the
// text, nests no deeper than its limit, goes on after a problem, and knows the place of every key
// and value. Why not a library: docs/adr/0005. Source: TOML 1.0.0, https://toml.io/en/v1.0.0.

#include "base/keyed_hash.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::link::toml {

// Longer texts are refused before anything is read.
inline constexpr size_t MAX_BYTES = size_t{4} << 20;
// Levels of tables and arrays, by dotted keys as by brackets.
inline constexpr uint32_t MAX_DEPTH = 32;
// More problems than this are not looked for.
inline constexpr size_t MAX_PROBLEMS = 20;

// From 1; columns count characters.
struct Place {
  uint32_t line = 1;
  uint32_t column = 1;
};

enum class Kind : uint8_t { STRING, INTEGER, FLOAT, BOOLEAN, DATE, ARRAY, TABLE };
// "a string", "a number", "a date or time": for messages.
const char* describe(Kind kind);

class Table;

struct Value {
  Kind kind = Kind::STRING;
  Place place;
  std::string text;              // STRING: its characters, valid UTF-8; FLOAT, DATE: as written
  int64_t integer = 0;           // INTEGER
  bool boolean = false;          // BOOLEAN
  std::vector<Value> items;      // ARRAY
  std::shared_ptr<Table> table;  // TABLE: never null, and nobody else's

  // The table, or null when it is none.
  const Table* asTable() const { return kind == Kind::TABLE ? table.get() : nullptr; }
};

struct Entry {
  std::string key;
  Place place;  // of the key, where it is first written
  Value value;
};

// Keys and values in the order of the text.
class Table {
 public:
  const std::vector<Entry>& entries() const { return entries_; }
  bool empty() const { return entries_.empty(); }
  // Null when there is none.
  const Entry* find(std::string_view key) const;

 private:
  friend class Parser;
  // What may still be added to a table depends on how it came to be.
  enum class Origin : uint8_t {
    PATH,    // on the way to another: may still get a header, and keys
    HEADER,  // [it]: no other header, and keys only below it
    DOTTED,  // a.b = 1: keys of the same section only
    INLINE,  // { }: nothing
  };
  Entry& add(std::string key, Place place);

  std::vector<Entry> entries_;
  OwnedTextMap<size_t> index_;
  Origin origin_ = Origin::PATH;
  uint32_t section_ = 0;  // DOTTED: where it was made
};

struct Problem {
  Place place;
  std::string what;
};

struct Document {
  Table root;  // without what is wrong
  std::vector<Problem> problems;
};

Document parse(std::string_view text);

}  // namespace tenon::link::toml
