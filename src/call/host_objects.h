#pragma once

// The host's side of resources: objects that guests hold handles to. A guest's handle stands for a
// representation (`rep`), which is an index here. One table per store, bound to its thread. Every
// look-up names the C++ type it expects and finds nothing else, so a component that declares a host
// function with another resource than the host's gets a trap and never another object's memory.

#include "call/memory_budget.h"
#include "call/slots.h"

#include <array>
#include <cstdint>
#include <map>
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
  // What each object counts as, with what it is made of; those that can hold more charge that
  // besides. As much as the largest of the small ones takes.
  static constexpr uint64_t OBJECT_COST = 512;

  // At most `limit` objects; `memory` bytes for them and for what is charged to `budget`.
  explicit HostObjects(uint32_t limit = 1'000'000, uint64_t memory = DEFAULT_MEMORY)
      : budget_(std::make_shared<MemoryBudget>(memory)), slots_(limit, budget_) {}
  HostObjects(const HostObjects&) = delete;
  HostObjects& operator=(const HostObjects&) = delete;
  // Drops what is left, newest first.
  ~HostObjects() noexcept(false) { slots_.clear(); }

  // Takes ownership. Returns the rep, or 0 when the table is full, the budget used up, or there is
  // no memory for it: the object is gone then (reps start at 1).
  template <typename T>
  uint32_t add(std::unique_ptr<T> object) {
    if (!charge_.set((uint64_t{size()} + 1) * OBJECT_COST)) return 0;
    uint32_t rep = slots_.add({&TAG<T>, std::move(object)});
    recount();
    return rep;
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
    std::unique_ptr<T> object(static_cast<T*>(slots_.take(rep).object.release()));
    recount();
    return object;
  }

  // Whether `rep` is something that a guest may not drop yet.
  bool hasChildren(uint32_t rep) {
    Entry* entry = slots_.find(rep);
    return entry && entry->object->hasChildren();
  }

  // Drops whatever `rep` is; false if it is nothing.
  bool drop(uint32_t rep);

  uint32_t size() const { return slots_.size(); }

  // What wasi:random/insecure-seed gave to each part of the instance, by HostCall::part: the same
  // each time. Filled there.
  std::map<const void*, std::array<uint64_t, 2>> insecureSeeds;

  // What objects that can be large charge for their memory, as do tables of handles.
  const std::shared_ptr<MemoryBudget>& budget() { return budget_; }
  // Whether more is charged to the budget than it has. The guest must not run on then.
  bool overdrawn() const { return budget_->overdrawn(); }
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

  void recount() { charge_.force(uint64_t{size()} * OBJECT_COST); }

  std::shared_ptr<MemoryBudget> budget_;
  MemoryCharge charge_{budget_};  // for the objects
  Slots<Entry> slots_;
};

}  // namespace tenon::call
