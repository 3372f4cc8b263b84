#pragma once

// A component-level value whose type is known only at run time: what the command line parses and
// prints, and what an embedder uses who does not know the types when it is compiled. Typed calls
// (<tenon/typed.h>) do not go through it. A plain value: copies are deep, except for resource
// handles, which are shared.

#include <tenon/type.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace tenon {

class Value;

// A handle to a resource that some instance or the host owns, held outside any guest. Dropping the
// last copy of an owned handle drops the resource, if its instance can still run; the instance must
// be used on its thread then as always. Made by lifting only.
class ResourceHandle {
 public:
  virtual ~ResourceHandle() = default;
  // Names the resource type, for messages: "counter".
  virtual std::string_view typeName() const = 0;
  // Differs between any two handles alive at the same time in one process.
  virtual uint64_t id() const = 0;
  // Whether the handle has been given away (passed as `own`) and stands for nothing any more.
  virtual bool moved() const = 0;
};

// The shapes of `Value`. Integers keep their width so that a value says its type's kind by itself.
struct Char {
  char32_t code = 0;  // a Unicode scalar value
  bool operator==(const Char&) const = default;
};
struct List {
  std::vector<Value> items;
  bool operator==(const List&) const;
};
struct Field;
struct Record {
  std::vector<Field> fields;  // in the order of the type
  bool operator==(const Record&) const;
};
struct Tuple {
  std::vector<Value> items;
  bool operator==(const Tuple&) const;
};
// A copyable box: variants, options and results hold a value of their own kind.
class Box {
 public:
  Box() = default;  // empty: no payload
  Box(Value value);
  Box(const Box& other);
  Box(Box&&) noexcept = default;
  Box& operator=(Box other) noexcept;
  ~Box();

  explicit operator bool() const { return value_ != nullptr; }
  const Value& operator*() const { return *value_; }
  Value& operator*() { return *value_; }
  const Value* operator->() const { return value_.get(); }
  bool operator==(const Box&) const;

 private:
  std::unique_ptr<Value> value_;
};
struct Variant {
  std::string label;
  Box payload;
  bool operator==(const Variant&) const = default;
};
struct Enum {
  std::string label;
  bool operator==(const Enum&) const = default;
};
struct Option {
  Box value;  // empty: none
  bool operator==(const Option&) const = default;
};
// The Component Model's `result`, not an error of Tenon's.
struct ResultValue {
  bool isError = false;
  Box payload;  // empty when this side carries nothing
  bool operator==(const ResultValue&) const = default;
};
struct Flags {
  std::vector<std::string> labels;  // those that are set, in the order of the type
  bool operator==(const Flags&) const = default;
};
struct Resource {
  std::shared_ptr<ResourceHandle> handle;
  bool owned = true;  // false: borrowed, valid during the host call that received it
  bool operator==(const Resource&) const = default;
};

namespace detail {
template <typename T, typename Variant>
inline constexpr bool IS_ALTERNATIVE = false;
template <typename T, typename... Alternatives>
inline constexpr bool IS_ALTERNATIVE<T, std::variant<Alternatives...>> =
    (std::is_same_v<T, Alternatives> || ...);
}  // namespace detail

class Value {
 public:
  using Storage = std::variant<bool, int8_t, uint8_t, int16_t, uint16_t, int32_t, uint32_t, int64_t,
                               uint64_t, float, double, Char, std::string, List, Record, Tuple,
                               Variant, Enum, Option, ResultValue, Flags, Resource>;

  Value();  // false
  Value(const Value&);
  Value(Value&&) noexcept;
  Value& operator=(const Value&);
  Value& operator=(Value&&) noexcept;
  ~Value();
  // From exactly one of the alternatives: the type decides the kind, nothing is converted.
  template <typename T>
    requires(detail::IS_ALTERNATIVE<std::remove_cvref_t<T>, Storage>)
  Value(T&& value);
  Value(const char* text);
  Value(std::string_view text);

  const Storage& storage() const { return storage_; }
  Storage& storage() { return storage_; }

  // The content as `T`, or null when it is something else.
  template <typename T>
  const T* find() const {
    return std::get_if<T>(&storage_);
  }
  template <typename T>
  T* find() {
    return std::get_if<T>(&storage_);
  }

  // Structural; floats compare by bits, so that a NaN equals itself and 0 differs from -0.
  bool operator==(const Value& other) const;

 private:
  Storage storage_;
};

struct Field {
  std::string name;
  Value value;
  bool operator==(const Field&) const = default;
};

// Here, because a record holds fields, which hold values.
inline Value::Value() : storage_(false) {}
inline Value::Value(const Value&) = default;
inline Value::Value(Value&&) noexcept = default;
inline Value& Value::operator=(const Value&) = default;
inline Value& Value::operator=(Value&&) noexcept = default;
inline Value::~Value() = default;
template <typename T>
  requires(detail::IS_ALTERNATIVE<std::remove_cvref_t<T>, Value::Storage>)
Value::Value(T&& value) : storage_(std::forward<T>(value)) {}
inline Value::Value(const char* text) : storage_(std::string(text)) {}
inline Value::Value(std::string_view text) : storage_(std::string(text)) {}

}  // namespace tenon
