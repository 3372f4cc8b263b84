#pragma once

// The instances of one store's links on one loop: makes them, hands them out, keeps those that may
// be called again. Bound to the loop's thread.
//
//     take ──► idle? ──► made, while there are fewer than `max` ──► or waits, first come, first
//              served ──► OVERLOADED: too many wait, or it took too long
//     give back ──► idle again, or ended: it was fresh, has had its calls, or failed
//
// An instance that trapped, whose time was up, or whose call was cancelled is never handed out
// again.

#include "call/host_call.h"
#include "transport/guest.h"

#include <tenon/result.h>

#include <kj/async.h>
#include <kj/timer.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

namespace tenon::transport {

class Pool {
 public:
  // Calls that wait at the same time, and how long one does.
  struct Queue {
    size_t most = 1000;
    kj::Duration time = 10 * kj::SECONDS;
  };

  Pool(std::shared_ptr<const Target> target, std::unique_ptr<GuestMaker> maker, kj::Timer& timer,
       Queue queue);
  Pool(std::shared_ptr<const Target> target, std::unique_ptr<GuestMaker> maker, kj::Timer& timer)
      : Pool(std::move(target), std::move(maker), timer, Queue()) {}
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool() noexcept(false);

  // A guest for one call. Not given back: it ends, as after a call that failed.
  class Lease {
   public:
    Lease(Pool& pool, std::unique_ptr<Guest> guest) : pool_(&pool), guest_(std::move(guest)) {}
    Lease(Lease&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)), guest_(std::move(other.guest_)) {}
    Lease& operator=(Lease&&) = delete;
    ~Lease() noexcept(false) {
      if (pool_) pool_->end(std::move(guest_));
    }
    Guest& operator*() const { return *guest_; }
    Guest* operator->() const { return guest_.get(); }
    // After a call that ended well.
    void giveBack() && { std::exchange(pool_, nullptr)->giveBack(std::move(guest_)); }

   private:
    Pool* pool_;
    std::unique_ptr<Guest> guest_;
  };

  // For a call by `caller`, null for one that no pool has. Waits, on behalf of the guest that makes
  // the call, where it can. Errors: LIMIT_EXCEEDED "OVERLOADED: ..."; CANCELLED, when the caller's
  // call ended meanwhile, and has failed; as GuestMaker::fill.
  Result<Lease> take(call::HostCall& call, Guest* caller);

  const Target& target() const { return *target_; }
  uint32_t inUse() const { return inUse_; }
  size_t idle() const { return idle_.size(); }
  size_t waiting() const { return queue_.size(); }

 private:
  struct Waiter;

  bool hasRoom() const { return inUse_ < most_; }
  Result<std::unique_ptr<Guest>> make();
  Result<void> waitForRoom(call::HostCall& call, const Guest* caller);
  void giveBack(std::unique_ptr<Guest> guest);
  void end(std::unique_ptr<Guest> guest);
  void passOn();
  bool isLate(const Guest& guest) const;
  kj::Promise<void> watchIdle();

  const std::shared_ptr<const Target> target_;
  const std::unique_ptr<GuestMaker> maker_;
  kj::Timer& timer_;
  const Queue limits_;
  const uint32_t most_;
  uint32_t inUse_ = 0;                         // handed out, or promised to one who waits
  std::deque<std::unique_ptr<Guest>> idle_;    // the last used at the end
  std::vector<std::unique_ptr<Guest>> spare_;  // without an instance
  std::deque<Waiter*> queue_;
  bool watches_ = false;
  kj::Promise<void> watching_ = nullptr;  // last: uses everything above
};

}  // namespace tenon::transport
