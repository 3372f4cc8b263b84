#pragma once

// Where the isolated links of an instance lead: found by each of its parts, without any name. Bound
// to its loop's thread.
//
//     part ── PartLinks ──► Dispatcher ── pool of store 1 ── guests
//                                      ── pool of store 2 ── guests, whose parts have PartLinks,
//                                      too

#include "call/part_context.h"
#include "engine/fiber.h"
#include "engine/store.h"
#include "transport/guest.h"
#include "transport/pool.h"

#include <kj/async.h>
#include <kj/timer.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace tenon::transport {

// How calls on fibers share the loop's thread.
class Turns {
 public:
  virtual ~Turns() noexcept(false) = default;
  // Runs a fiber of `store`, inside of another call: `run` is Fiber::start or Fiber::poll. With
  // slices it gives the thread away when its turn is over, else only when it waits.
  enum class Slices : uint8_t { YES, NO };
  using Run = Result<engine::Fiber::State> (*)(void* self);
  virtual Result<engine::Fiber::State> run(engine::Store& store, Slices slices, Run run,
                                           void* self) = 0;
  // Resolves when the others had their turns.
  virtual kj::Promise<void> nextTurn() = 0;
  virtual kj::Timer& timer() = 0;
};

// The pools that the links of some instances share, on one loop. What is called through it is ended
// before it goes.
class Dispatcher {
 public:
  // Isolated calls that stand in each other: each has a stack of its own.
  static constexpr uint32_t MOST_DEPTH = 64;

  explicit Dispatcher(Turns& turns) : turns(turns) {}
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  // Of the next store, in the order of the plan.
  void add(std::unique_ptr<Pool> pool) { pools_.push_back(std::move(pool)); }
  Pool& pool(size_t store) { return *pools_[store]; }
  size_t size() const { return pools_.size(); }

  Turns& turns;

 private:
  std::vector<std::unique_ptr<Pool>> pools_;
};

// What a part's context has of it.
class PartLinks final : public call::PluginState {
 public:
  explicit PartLinks(Dispatcher& dispatcher) : dispatcher(dispatcher) {}

  kj::Promise<void> drained() override { return kj::READY_NOW; }
  void failed() override {}
  // For another instance that no pool has, or that says whose it is.
  std::unique_ptr<call::PluginState> copy() const override {
    return std::make_unique<PartLinks>(dispatcher);
  }

  Dispatcher& dispatcher;
  Guest* guest = nullptr;  // whose instance the part is of; null: of one that no pool has
};

}  // namespace tenon::transport
