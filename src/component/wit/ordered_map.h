#pragma once

// A map from names to values that keeps the order of insertion, for the imports, exports and
// members that the binary lists in an order which matters. The names are borrowed.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tenon::component::wit {

template <typename T>
class OrderedMap {
 public:
  // False, and nothing changed, when the name is there already.
  bool insert(std::string_view name, T value) {
    if (!index_.try_emplace(name, static_cast<uint32_t>(items_.size())).second) return false;
    items_.emplace_back(name, std::move(value));
    return true;
  }

  // Null when there is none. Valid until the next insertion.
  T* find(std::string_view name) {
    const auto found = index_.find(name);
    return found == index_.end() ? nullptr : &items_[found->second].second;
  }
  const T* find(std::string_view name) const {
    const auto found = index_.find(name);
    return found == index_.end() ? nullptr : &items_[found->second].second;
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
  std::vector<std::pair<std::string_view, T>> items_;
  std::unordered_map<std::string_view, uint32_t> index_;
};

}  // namespace tenon::component::wit
