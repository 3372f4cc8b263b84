#pragma once

// Many small arrays of plain values with one lifetime: freed all at once, which is much cheaper
// than one by one.

#include <cstddef>
#include <memory>
#include <memory_resource>
#include <span>
#include <type_traits>

namespace tenon {

// Bound to one thread while it grows. Does not move, nor do its arrays.
class ArrayPool {
 public:
  ArrayPool() = default;
  ArrayPool(const ArrayPool&) = delete;
  ArrayPool& operator=(const ArrayPool&) = delete;

  // A copy that lives as long as the pool. No memory for an empty one.
  template <typename Items, typename Item = typename Items::value_type>
  std::span<const Item> keep(const Items& items) {
    static_assert(std::is_trivially_destructible_v<Item>);
    if (items.empty()) return {};
    void* place = memory_.allocate(items.size() * sizeof(Item), alignof(Item));
    Item* copy = static_cast<Item*>(place);
    std::uninitialized_copy(items.begin(), items.end(), copy);
    return {copy, items.size()};
  }

 private:
  std::pmr::monotonic_buffer_resource memory_;
};

}  // namespace tenon
