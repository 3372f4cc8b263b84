#include "call/handle_table.h"

#include <algorithm>

namespace tenon::call {

// What most instances make do with.
constexpr size_t FIRST_ENTRIES = 16;

HandleTable::HandleTable(uint32_t limit) : limit_(std::min(limit, MAX_LENGTH)), entries_(1) {}

uint32_t HandleTable::add(const Handle& handle) {
  if (!free_.empty()) {
    uint32_t index = free_.back();
    free_.pop_back();
    entries_[index] = handle;
    return index;
  }
  if (entries_.size() > limit_) return 0;
  if (entries_.size() == 1) entries_.reserve(FIRST_ENTRIES);
  entries_.push_back(handle);
  return static_cast<uint32_t>(entries_.size() - 1);
}

void HandleTable::remove(uint32_t index) {
  entries_[index] = Handle{};
  if (free_.empty()) free_.reserve(FIRST_ENTRIES);
  free_.push_back(index);
}

uint32_t HandleTable::last() const {
  for (size_t index = entries_.size(); index-- > 1;) {
    if (entries_[index].kind != HandleKind::FREE) return static_cast<uint32_t>(index);
  }
  return 0;
}

void Lends::release(HandleTable& handles) {
  for (uint32_t i = 0; i < count_; ++i) {
    --handles.find(i < first_.size() ? first_[i] : more_[i - first_.size()])->lends;
  }
  count_ = 0;
  more_.clear();
}

}  // namespace tenon::call
