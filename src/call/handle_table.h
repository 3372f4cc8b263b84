#pragma once

// A component instance's table of handles: what a guest's `i32` handles index. Bound to the
// instance's thread. Indices start at 1, freed ones are reused last-freed-first, as the
// specification prescribes (guests and tests can see it). Source: CanonicalABI.md "Table State",
// "Resource State"; definitions.py `Table`, `ResourceHandle`.

#include "call/memory_budget.h"
#include "call/slots.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace tenon::call {

// One running call into an instance, as far as borrows go: how many borrow handles it was lent and
// has not dropped. Lives on the stack of whoever runs the call.
struct BorrowScope {
  uint32_t borrows = 0;
};

// What a table's entry is.
enum class HandleKind : uint8_t { FREE, OWN, BORROW, WAITABLE_SET };

struct Handle {
  HandleKind kind = HandleKind::FREE;
  uint32_t resource = 0;         // Program::resources; OWN and BORROW
  uint32_t rep = 0;              // OWN and BORROW
  uint32_t lends = 0;            // OWN and BORROW: calls that it is lent to right now
  BorrowScope* scope = nullptr;  // BORROW: the call that received it; outlives the handle or traps

  bool isFree() const { return kind == HandleKind::FREE; }
};

class HandleTable {
 public:
  // Entries at most, FREE ones included.
  static constexpr uint32_t MAX_LENGTH = (uint32_t{1} << 28) - 1;

  // `budget`: see Slots.
  explicit HandleTable(uint32_t limit = MAX_LENGTH, std::shared_ptr<MemoryBudget> budget = nullptr)
      : slots_(std::min(limit, MAX_LENGTH), std::move(budget)) {}

  // The entry at `index`; null if there is none or it is free. Dies with the next `add`.
  Handle* find(uint32_t index) { return slots_.find(index); }

  // Returns the new entry's index, or 0 if the table is full or neither the budget nor the host has
  // memory for it.
  uint32_t add(Handle handle) { return slots_.add(std::move(handle)); }

  // Frees the entry; `index` must be one that `find` finds.
  void remove(uint32_t index) { (void)slots_.take(index); }

  // Calls `visit(const Handle&)` for each entry, in no special order; it must not change the table.
  template <typename Visit>
  void forEach(const Visit& visit) const {
    slots_.forEach(visit);
  }

  uint32_t size() const { return slots_.size(); }

 private:
  friend class Lends;

  Slots<Handle> slots_;
  uint32_t lent_ = 0;  // by Lends: the entries of all of them together
};

// The handles of one table that one call was lent. Few, so the first ones take no allocation.
class Lends {
 public:
  // `index` must be a handle of the table that `release` will get. False, and nothing is lent: as
  // many are lent already as the table may have entries, all calls together (one handle may be lent
  // many times), or the host has no memory for it.
  [[nodiscard]] bool add(HandleTable& handles, uint32_t index) {
    if (handles.lent_ >= handles.slots_.limit()) return false;
    if (count_ < first_.size()) {
      first_[count_] = index;
    } else if (!addMore(index)) {
      return false;
    }
    ++count_;
    ++handles.lent_;
    ++handles.find(index)->lends;
    return true;
  }
  // Gives all of them back. What is lent cannot be removed, so every index still means its handle.
  void release(HandleTable& handles);

 private:
  bool addMore(uint32_t index);

  uint32_t count_ = 0;
  std::array<uint32_t, 4> first_{};
  std::vector<uint32_t> more_;
};

}  // namespace tenon::call
