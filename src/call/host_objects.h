#pragma once

// The host's side of resources: objects that guests hold handles to. A guest's handle stands for a
// representation (`rep`), which is an index here. One table per store, bound to its thread. Every
// look-up names the C++ type it expects and finds nothing else, so a component that declares a host
// function with another resource than the host's gets a trap and never another object's memory.

#include "call/memory_budget.h"
#include "call/slots.h"

#include <cstdint>
#include <memory>
#include <utility>

namespace tenon::call {

// Base of everything a guest can hold a handle to.
class HostObject {
 public:
  virtual ~HostObject() noexcept(false) = default;
  // Whether objects that must go before this one are still there: a guest that drops it then, or
  // gives it away, traps.
  virtual bool hasChildren() const { return false; }
};

class HostObjects {
 public:
  // At most `limit` objects; `memory` bytes for what is charged to `budget`.
  explicit HostObjects(uint32_t limit = 1'000'000, uint64_t memory = DEFAULT_MEMORY)
      : budget_(std::make_shared<MemoryBudget>(memory)), slots_(limit, budget_) {}
  HostObjects(const HostObjects&) = delete;
  HostObjects& operator=(const HostObjects&) = delete;
  // Drops what is left, newest first.
  ~HostObjects() noexcept(false) { slots_.clear(); }

  // Takes ownership. Returns the rep, or 0 when the table is full or there is no memory for it: the
  // object is gone then (reps start at 1).
  template <typename T>
  uint32_t add(std::unique_ptr<T> object) {
    return slots_.add({&TAG<T>, std::move(object)});
  }

  // The object if `rep` is one and is a `T`; else null. Valid until it is removed.
  template <typename T>
  T* find(uint32_t rep) {
    Entry* entry = slots_.find(rep);
    return entry && entry->tag == &TAG<T> ? static_cast<T*>(entry->object.get()) : nullptr;
  }

  // The same, and takes it out.
  template <typename T>
  std::unique_ptr<T> take(uint32_t rep) {
    if (!find<T>(rep)) return nullptr;
    return std::unique_ptr<T>(static_cast<T*>(slots_.take(rep).object.release()));
  }

  // Whether `rep` is something that a guest may not drop yet.
  bool hasChildren(uint32_t rep) {
    Entry* entry = slots_.find(rep);
    return entry && entry->object->hasChildren();
  }

  // Drops whatever `rep` is; false if it is nothing.
  bool drop(uint32_t rep);

  uint32_t size() const { return slots_.size(); }

  // What objects that can be large charge for their memory, as do tables of handles.
  const std::shared_ptr<MemoryBudget>& budget() { return budget_; }
  static constexpr uint64_t DEFAULT_MEMORY = 256 * 1024 * 1024;

 private:
  struct Entry {
    const void* tag = nullptr;
    std::unique_ptr<HostObject> object;

    bool isFree() const { return tag == nullptr; }
  };
  // Its address tells types apart.
  template <typename T>
  static constexpr char TAG = 0;

  std::shared_ptr<MemoryBudget> budget_;
  Slots<Entry> slots_;
};

}  // namespace tenon::call
