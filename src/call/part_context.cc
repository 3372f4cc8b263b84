#include "call/part_context.h"

#include <kj/debug.h>

#include <atomic>

namespace tenon::call {

PartContext::~PartContext() noexcept(false) = default;

size_t PartContext::newSlot() {
  static std::atomic<size_t> slots = 0;
  size_t slot = slots++;
  KJ_REQUIRE(slot < MOST_PLUGINS, "there are too many plugins");
  return slot;
}

kj::Promise<void> PartContext::drained() {
  kj::Promise<void> all = kj::READY_NOW;
  for (const auto& state : states_) {
    if (state) all = all.then([&state]() { return state->drained(); });
  }
  return all;
}

void PartContext::failed() {
  for (const auto& state : states_) {
    if (state) state->failed();
  }
}

std::unique_ptr<PartContext> PartContext::copy() const {
  auto copied = std::make_unique<PartContext>(component);
  for (size_t slot = 0; slot < states_.size(); ++slot) {
    if (!states_[slot]) continue;
    copied->states_[slot] = states_[slot]->copy();
    copied->states_[slot]->part_ = copied.get();
  }
  return copied;
}

}  // namespace tenon::call
