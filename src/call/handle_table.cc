#include "call/handle_table.h"

#include <algorithm>
#include <new>
#include <utility>

namespace tenon::call {

// What most instances make do with.
constexpr size_t FIRST_ENTRIES = 16;

HandleTable::HandleTable(uint32_t limit, std::shared_ptr<MemoryBudget> budget)
    : limit_(std::min(limit, MAX_LENGTH)), charge_(std::move(budget)), entries_(1) {}

uint32_t HandleTable::add(const Handle& handle) {
  if (!free_.empty()) {
    uint32_t index = free_.back();
    free_.pop_back();
    entries_[index] = handle;
    return index;
  }
  if (entries_.size() > limit_) return 0;
  try {
    if (entries_.size() == entries_.capacity()) {
      size_t wanted = std::max(FIRST_ENTRIES, 2 * entries_.size());
      if (wanted > FIRST_ENTRIES && !charge_.set(wanted * (sizeof(Handle) + sizeof(uint32_t)))) {
        return 0;
      }
      entries_.reserve(wanted);
      free_.reserve(entries_.capacity());  // `remove` must not need any
    }
    entries_.push_back(handle);
  } catch (const std::bad_alloc&) {
    return 0;
  }
  return static_cast<uint32_t>(entries_.size() - 1);
}

void HandleTable::remove(uint32_t index) {
  entries_[index] = Handle{};
  free_.push_back(index);  // `add` made room
}

bool Lends::addMore(uint32_t index) {
  try {
    more_.push_back(index);
  } catch (const std::bad_alloc&) {
    return false;
  }
  return true;
}

void Lends::release(HandleTable& handles) {
  handles.lent_ -= count_;
  for (uint32_t i = 0; i < count_; ++i) {
    --handles.find(i < first_.size() ? first_[i] : more_[i - first_.size()])->lends;
  }
  count_ = 0;
  more_.clear();
}

}  // namespace tenon::call
