#pragma once

// The host's side of resources: objects that guests hold handles to. A guest's handle stands for a
// representation (`rep`), which is an index here. One table per store, bound to its thread. Every
// look-up names the C++ type it expects and finds nothing else, so a component that declares a host
// function with another resource than the host's gets a trap and never another object's memory.

#include "call/memory_budget.h"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace tenon::call {

// Base of everything a guest can hold a handle to.
class HostObject {
 public:
  virtual ~HostObject() noexcept(false) = default;
};

class HostObjects {
 public:
  // What each object counts as, with what it is made of; those that can hold more charge that
  // besides. As much as the largest of the small ones takes.
  static constexpr uint64_t OBJECT_COST = 512;

  // At most `limit` objects; `memory` bytes for them and for what is charged to `budget`.
  explicit HostObjects(uint32_t limit = 1'000'000, uint64_t memory = DEFAULT_MEMORY)
      : limit_(limit), memory_(memory) {}
  HostObjects(const HostObjects&) = delete;
  HostObjects& operator=(const HostObjects&) = delete;
  // Drops what is left, newest first.
  ~HostObjects() noexcept(false);

  // Takes ownership. Returns the rep, or 0 when the table is full or the budget used up (reps start
  // at 1).
  template <typename T>
  uint32_t add(std::unique_ptr<T> object) {
    return addEntry(&TAG<T>, std::move(object));
  }

  // The object if `rep` is one and is a `T`; else null. Valid until it is removed.
  template <typename T>
  T* find(uint32_t rep) {
    return static_cast<T*>(findEntry(&TAG<T>, rep));
  }

  // The same, and takes it out.
  template <typename T>
  std::unique_ptr<T> take(uint32_t rep) {
    if (!find<T>(rep)) return nullptr;
    return std::unique_ptr<T>(static_cast<T*>(takeEntry(rep).release()));
  }

  // Drops whatever `rep` is; false if it is nothing.
  bool drop(uint32_t rep);

  uint32_t size() const { return static_cast<uint32_t>(entries_.size() - 1 - free_.size()); }

  // What wasi:random/insecure-seed gave to each part of the instance, by HostCall::part: the same
  // each time. Filled there.
  std::map<const void*, std::array<uint64_t, 2>> insecureSeeds;

  // What objects that can be large charge for their memory. Made at first use.
  const std::shared_ptr<MemoryBudget>& budget() {
    if (!budget_) budget_ = std::make_shared<MemoryBudget>(memory_);
    return budget_;
  }
  // Whether more is charged to the budget than it has. The guest must not run on then.
  bool overdrawn() const { return budget_ && budget_->overdrawn(); }
  static constexpr uint64_t DEFAULT_MEMORY = 256 * 1024 * 1024;

 private:
  struct Entry {
    const void* tag = nullptr;
    std::unique_ptr<HostObject> object;
  };
  // Its address tells types apart.
  template <typename T>
  static constexpr char TAG = 0;

  uint32_t addEntry(const void* tag, std::unique_ptr<HostObject> object);
  HostObject* findEntry(const void* tag, uint32_t rep) {
    if (rep >= entries_.size() || entries_[rep].tag != tag) return nullptr;
    return entries_[rep].object.get();
  }
  std::unique_ptr<HostObject> takeEntry(uint32_t rep);

  const uint32_t limit_;
  const uint64_t memory_;
  std::shared_ptr<MemoryBudget> budget_;
  std::optional<MemoryCharge> charge_;                  // for `size` objects, once there are any
  std::vector<Entry> entries_ = std::vector<Entry>(1);  // entry 0 is never used
  std::vector<uint32_t> free_;
};

}  // namespace tenon::call
