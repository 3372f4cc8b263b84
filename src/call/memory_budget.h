#pragma once

// Host memory that guests make the host keep, beside their own linear memories: fields of messages,
// buffers of bodies. What can be large or many is charged to the budget of its store, so that a
// limit of a guest's memory cannot be got around. Bound to the store's thread.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

namespace tenon::call {

class MemoryBudget {
 public:
  explicit MemoryBudget(uint64_t limit) : limit_(limit) {}
  uint64_t used() const { return used_; }
  // Whether more was taken by `force` than there is.
  bool overdrawn() const { return used_ > limit_; }

 private:
  friend class MemoryCharge;
  const uint64_t limit_;
  uint64_t used_ = 0;
};

// A part of a budget, given back when it goes. It may outlive the store.
class MemoryCharge {
 public:
  // Charges nothing, ever.
  MemoryCharge() = default;
  explicit MemoryCharge(std::shared_ptr<MemoryBudget> budget) : budget_(std::move(budget)) {}
  MemoryCharge(MemoryCharge&& other) noexcept
      : budget_(std::move(other.budget_)), bytes_(std::exchange(other.bytes_, 0)) {}
  MemoryCharge(const MemoryCharge&) = delete;
  MemoryCharge& operator=(const MemoryCharge&) = delete;
  ~MemoryCharge() { (void)set(0); }

  // Makes it `bytes`. False when the budget has no more than it has given out: nothing changes.
  [[nodiscard]] bool set(uint64_t bytes) {
    if (!budget_) return true;
    uint64_t others = budget_->used_ - bytes_;
    uint64_t left = budget_->limit_ - std::min(budget_->limit_, others);
    if (bytes > bytes_ && bytes > left) return false;
    force(bytes);
    return true;
  }
  // The same, whatever there is: for what is there already, such as bytes that a peer sent. Who
  // runs the guest ends it when the budget is overdrawn.
  void force(uint64_t bytes) {
    if (!budget_) return;
    budget_->used_ += bytes - bytes_;
    bytes_ = bytes;
  }

 private:
  std::shared_ptr<MemoryBudget> budget_;
  uint64_t bytes_ = 0;
};

}  // namespace tenon::call
