#include <tenon/value.h>

#include <bit>

namespace tenon {

bool List::operator==(const List& other) const { return items == other.items; }

bool Record::operator==(const Record& other) const { return fields == other.fields; }

bool Tuple::operator==(const Tuple& other) const { return items == other.items; }

Box::Box(Value value) : value_(std::make_unique<Value>(std::move(value))) {}

Box::Box(const Box& other)
    : value_(other.value_ == nullptr ? nullptr : std::make_unique<Value>(*other.value_)) {}

Box& Box::operator=(Box other) noexcept {
  value_ = std::move(other.value_);
  return *this;
}

Box::~Box() = default;

bool Box::operator==(const Box& other) const {
  if (value_ == nullptr || other.value_ == nullptr) return value_ == other.value_;
  return *value_ == *other.value_;
}

bool Value::operator==(const Value& other) const {
  if (storage_.index() != other.storage_.index()) return false;
  if (const auto* single = find<float>()) {
    return std::bit_cast<uint32_t>(*single) == std::bit_cast<uint32_t>(*other.find<float>());
  }
  if (const auto* number = find<double>()) {
    return std::bit_cast<uint64_t>(*number) == std::bit_cast<uint64_t>(*other.find<double>());
  }
  return storage_ == other.storage_;
}

}  // namespace tenon
