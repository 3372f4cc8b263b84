#pragma once

// A map from names to values that keeps the order of insertion, for the imports, exports and
// members that the binary lists in an order which matters. The names are borrowed.

#include "base/keyed_hash.h"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace tenon::component::wit {

template <typename T>
class OrderedMap {
 public:
  // False, and nothing changed, when the name is there already.
  bool insert(std::string_view name, T value) {
    if (position(name) != NONE) return false;
    items_.emplace_back(name, std::move(value));
    if (items_.size() == SMALL + 1) {
      for (size_t i = 0; i < items_.size(); ++i) index_.emplace(items_[i].first, i);
    } else if (items_.size() > SMALL) {
      index_.emplace(name, items_.size() - 1);
    }
    return true;
  }

  // Null when there is none. Valid until the next insertion.
  T* find(std::string_view name) {
    const size_t found = position(name);
    return found == NONE ? nullptr : &items_[found].second;
  }
  const T* find(std::string_view name) const {
    const size_t found = position(name);
    return found == NONE ? nullptr : &items_[found].second;
  }

  size_t size() const { return items_.size(); }
  bool empty() const { return items_.empty(); }
  // By position, below size().
  std::pair<std::string_view, T>& at(size_t position) { return items_[position]; }
  const std::pair<std::string_view, T>& at(size_t position) const { return items_[position]; }
  auto begin() { return items_.begin(); }
  auto end() { return items_.end(); }
  auto begin() const { return items_.begin(); }
  auto end() const { return items_.end(); }

 private:
  static constexpr size_t SMALL = 8;  // up to this many are searched one by one
  static constexpr size_t NONE = SIZE_MAX;

  size_t position(std::string_view name) const {
    if (items_.size() > SMALL) {
      const auto found = index_.find(name);
      return found == index_.end() ? NONE : found->second;
    }
    for (size_t i = 0; i < items_.size(); ++i) {
      if (items_[i].first == name) return i;
    }
    return NONE;
  }

  std::vector<std::pair<std::string_view, T>> items_;
  TextMap<size_t> index_;  // empty up to SMALL
};

}  // namespace tenon::component::wit
