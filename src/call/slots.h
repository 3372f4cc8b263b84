#pragma once

// A table whose entries are found by number: what guests' handles index, and what these stand for.
// Numbers start at 1, freed ones are given again last-freed-first. Grows without exceptions: there
// is a limit, a budget, and what memory the host has. Bound to one thread.

#include "call/memory_budget.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace tenon::call {

// `Entry` moves without throwing, has `isFree()`, and is free when it is default-constructed.
template <typename Entry>
class Slots {
 public:
  // At most `limit` entries, free ones included. What a large table takes is charged to `budget`,
  // if there is one: a component may consist of many instances, with a table each.
  Slots(uint32_t limit, std::shared_ptr<MemoryBudget> budget)
      : limit_(limit), charge_(std::move(budget)), entries_(1) {}

  uint32_t limit() const { return limit_; }
  uint32_t size() const { return static_cast<uint32_t>(entries_.size() - 1 - free_.size()); }

  // The entry at `index`; null if there is none or it is free. Dies with the next `add`.
  Entry* find(uint32_t index) {
    if (index >= entries_.size() || entries_[index].isFree()) return nullptr;
    return &entries_[index];
  }

  // The new entry's number. 0, and nothing has changed: the table is full, or neither the budget
  // nor the host has memory for it.
  uint32_t add(Entry&& entry) noexcept {
    if (!free_.empty()) {
      uint32_t index = free_.back();
      free_.pop_back();
      entries_[index] = std::move(entry);
      return index;
    }
    if (entries_.size() > limit_) return 0;
    if (entries_.size() == entries_.capacity() && !grow()) return 0;
    entries_.push_back(std::move(entry));
    return static_cast<uint32_t>(entries_.size() - 1);
  }

  // Frees the entry, one that `find` finds, and gives what it was.
  Entry take(uint32_t index) noexcept {
    Entry entry = std::exchange(entries_[index], Entry());
    free_.push_back(index);  // `grow` made room
    return entry;
  }

  // Drops everything, the newest first. For the end.
  void clear() {
    while (!entries_.empty()) entries_.pop_back();
  }

  // Calls `visit(const Entry&)` for each entry, in no special order; it must not change the table.
  template <typename Visit>
  void forEach(const Visit& visit) const {
    for (const Entry& entry : entries_) {
      if (!entry.isFree()) visit(entry);
    }
  }

 private:
  // What most instances make do with.
  static constexpr size_t FIRST = 16;

  bool grow() noexcept {
    size_t wanted = std::max(FIRST, 2 * entries_.size());
    if (wanted > FIRST && !charge_.set(wanted * (sizeof(Entry) + sizeof(uint32_t)))) return false;
    try {
      free_.reserve(wanted);  // `take` must not need any
      entries_.reserve(wanted);
    } catch (const std::bad_alloc&) {
      return false;
    }
    return true;
  }

  uint32_t limit_;
  MemoryCharge charge_;
  std::vector<Entry> entries_;  // entry 0 is never used
  std::vector<uint32_t> free_;
};

}  // namespace tenon::call
