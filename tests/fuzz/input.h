#pragma once

// Turns the bytes of a fuzzer into choices, types and values. When the bytes run out everything is
// 0, so that every input is one and the walks end.

#include "component/types/type_table.h"

#include <tenon/type.h>
#include <tenon/value.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tenon::fuzzing {

// What types may contain.
enum class Kinds : uint8_t { VALUES, VALUES_AND_HANDLES };

class Input {
 public:
  Input(const uint8_t* data, size_t size) : data_(data), size_(size) {}

  bool atEnd() const { return position_ == size_; }
  uint8_t byte() { return atEnd() ? 0 : data_[position_++]; }
  // From 0 to `bound` - 1, which takes as few bytes as it needs.
  uint32_t below(uint32_t bound);
  bool flip() { return (byte() & 1) != 0; }
  uint64_t bits();
  // An integer near an edge, or any.
  uint64_t integer();
  std::span<const uint8_t> rest();
  std::string_view text();  // the rest

  // A type nested at most `depth` levels, of at most some dozens of nodes.
  const Type* type(component::TypeTable& types, uint32_t depth, Kinds kinds);
  FuncType function(component::TypeTable& types, Kinds kinds);
  // A value of a type without handles, streams, futures and error contexts.
  Value value(const Type& type);

 private:
  const Type* compound(component::TypeTable& types, uint32_t depth, Kinds kinds);
  std::string string();

  const uint8_t* data_;
  size_t size_;
  size_t position_ = 0;
  uint32_t nodes_ = 0;
};

// Ends the process with a message: a property does not hold.
[[noreturn]] void fail(const std::string& what);

}  // namespace tenon::fuzzing
