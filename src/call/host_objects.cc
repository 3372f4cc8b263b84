#include "call/host_objects.h"

namespace tenon::call {

// What most instances make do with.
constexpr size_t FIRST_ENTRIES = 16;

HostObjects::~HostObjects() noexcept(false) {
  while (!entries_.empty()) entries_.pop_back();
}

uint32_t HostObjects::addEntry(const void* tag, std::unique_ptr<HostObject> object) {
  if (free_.empty() && entries_.size() > limit_) return 0;
  if (!charge_) charge_.emplace(budget());
  if (!charge_->set((uint64_t{size()} + 1) * OBJECT_COST)) return 0;
  if (!free_.empty()) {
    uint32_t rep = free_.back();
    free_.pop_back();
    entries_[rep] = {tag, std::move(object)};
    return rep;
  }
  if (entries_.size() == 1) entries_.reserve(FIRST_ENTRIES);
  entries_.push_back({tag, std::move(object)});
  return static_cast<uint32_t>(entries_.size() - 1);
}

std::unique_ptr<HostObject> HostObjects::takeEntry(uint32_t rep) {
  std::unique_ptr<HostObject> object = std::move(entries_[rep].object);
  entries_[rep].tag = nullptr;
  if (free_.empty()) free_.reserve(FIRST_ENTRIES);
  free_.push_back(rep);
  charge_->force(uint64_t{size()} * OBJECT_COST);  // less than before
  return object;
}

bool HostObjects::drop(uint32_t rep) {
  if (rep >= entries_.size() || entries_[rep].tag == nullptr) return false;
  // Out of the table first: a destructor may look at the table.
  std::unique_ptr<HostObject> object = takeEntry(rep);
  return true;
}

}  // namespace tenon::call
