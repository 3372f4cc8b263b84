#pragma once

// What moves values in and out of one component instance: the walks' `abi::Context`, with the
// guest's realloc and its handle table behind it. One mechanism for both directions: exports that
// the host calls, and imports that a guest calls. Source: CanonicalABI.md `LiftLowerContext`,
// `lift_own`, `lift_borrow`, `lower_own`, `lower_borrow`.

#include "component/program/program.h"
#include "run/instance.h"

#include <tenon/abi/context.h>

#include <cstdint>

namespace tenon::run {

// The state behind a crossing, apart from the Context that the walks see.
class CrossingState {
 public:
  // `scope`: where borrows that are lowered are counted; null when none can be (results of
  // imports).
  CrossingState(Instance& instance, const component::Options& options, call::BorrowScope* scope)
      : instance(instance), options(options), scope_(scope) {}
  CrossingState(const CrossingState&) = delete;
  CrossingState& operator=(const CrossingState&) = delete;
  // Gives back what the call was lent.
  ~CrossingState() { lends_.release(handles()); }

  Instance& instance;
  const component::Options& options;

  uint32_t reallocate(abi::Context& context, uint32_t pointer, uint32_t oldSize, uint32_t alignment,
                      uint32_t newSize);
  uint32_t liftOwn(abi::Context& context, uint32_t resource, uint32_t index);
  uint32_t liftBorrow(abi::Context& context, uint32_t resource, uint32_t index);
  uint32_t lowerOwn(abi::Context& context, uint32_t resource, uint32_t rep);
  uint32_t lowerBorrow(abi::Context& context, uint32_t resource, uint32_t rep);

 private:
  call::HandleTable& handles() { return instance.component(options.instance).handles; }

  call::BorrowScope* scope_;
  call::Lends lends_;
};

// Adds the walks' side to a Context class: `Base` is abi::Context or call::HostCall.
template <typename Base>
class Crossing : public Base {
 public:
  template <typename... BaseArgs>
  Crossing(CrossingState& state, BaseArgs&&... args)
      : Base(std::forward<BaseArgs>(args)...), state_(state) {}

  uint32_t allocate(uint32_t size, uint32_t alignment) override {
    return state_.reallocate(*this, 0, 0, alignment, size);
  }
  uint32_t reallocate(uint32_t pointer, uint32_t oldSize, uint32_t alignment,
                      uint32_t newSize) override {
    return state_.reallocate(*this, pointer, oldSize, alignment, newSize);
  }
  uint32_t liftOwn(uint32_t resource, uint32_t index) override {
    return state_.liftOwn(*this, resource, index);
  }
  uint32_t liftBorrow(uint32_t resource, uint32_t index) override {
    return state_.liftBorrow(*this, resource, index);
  }
  uint32_t lowerOwn(uint32_t resource, uint32_t rep) override {
    return state_.lowerOwn(*this, resource, rep);
  }
  uint32_t lowerBorrow(uint32_t resource, uint32_t rep) override {
    return state_.lowerBorrow(*this, resource, rep);
  }

 protected:
  ~Crossing() = default;
  CrossingState& state_;
};

// Handle operations that trampolines and crossings share. Each returns null, or why the guest
// traps.
const char* takeOwned(call::HandleTable& handles, uint32_t resource, uint32_t index, uint32_t& rep);
const char* checkHandle(call::HandleTable& handles, uint32_t resource, uint32_t index,
                        call::Handle*& handle);

}  // namespace tenon::run
