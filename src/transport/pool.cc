#include "transport/pool.h"

#include "call/waitable.h"
#include "engine/fiber.h"
#include "run/caller.h"

#include <kj/time.h>

#include <algorithm>
#include <string>
#include <utility>

namespace tenon::transport {
namespace {

// Rooms that are kept without an instance; more were in use at the same time once.
constexpr size_t MOST_SPARE = 64;

uint32_t mostOf(const InstancePolicy& policy) {
  switch (policy.life) {
    case InstancePolicy::Life::FRESH:
      return policy.max != 0 ? policy.max : InstancePolicy::DEFAULT_MAX;
    case InstancePolicy::Life::REUSED:
      return 1;
    case InstancePolicy::Life::POOLED:
      return policy.max != 0 ? policy.max : InstancePolicy::DEFAULT_POOL_MAX;
  }
  return 1;
}

// The timer's own is as old as the loop's turn; calls may come without any in between.
kj::TimePoint now() { return kj::systemPreciseMonotonicClock().now(); }

Error overloaded(const std::string& why) {
  return Error(ErrorCode::LIMIT_EXCEEDED, "OVERLOADED: " + why);
}

}  // namespace

// One who waits for room. Gone before it is granted: it leaves the queue; granted and not used: the
// next one gets it.
struct Pool::Waiter {
  explicit Waiter(Pool& pool) : pool(pool) { pool.queue_.push_back(this); }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter() {
    if (granted) {
      --pool.inUse_;
      pool.passOn();
    } else {
      std::erase(pool.queue_, this);
    }
  }

  Pool& pool;
  bool granted = false;
  kj::Own<kj::PromiseFulfiller<void>> fulfiller;
};

Pool::Pool(std::shared_ptr<const Target> target, std::unique_ptr<GuestMaker> maker,
           kj::Timer& timer, Queue queue)
    : target_(std::move(target)),
      maker_(std::move(maker)),
      timer_(timer),
      limits_(queue),
      most_(mostOf(target_->policy)) {}

Pool::~Pool() noexcept(false) = default;

bool Pool::isLate(const Guest& guest) const {
  const auto& idle = target_->policy.idle;
  return idle && now() - guest.idleSince >= idle->count() * kj::NANOSECONDS;
}

Result<Pool::Lease> Pool::take(call::HostCall& call, Guest* caller) {
  if (!hasRoom() || !queue_.empty()) TENON_CHECK(waitForRoom(call, caller));
  ++inUse_;
  std::unique_ptr<Guest> guest;
  while (!idle_.empty() && !guest) {
    guest = std::move(idle_.back());
    idle_.pop_back();
    if (isLate(*guest)) guest = nullptr;
  }
  if (!guest) {
    auto made = make();
    if (!made) {
      --inUse_;
      passOn();
      return std::move(made).error();
    }
    guest = *std::move(made);
  }
  guest->pool = this;
  guest->caller = caller;
  guest->depth = caller ? caller->depth + 1 : 1;
  return Lease(*this, std::move(guest));
}

Result<std::unique_ptr<Guest>> Pool::make() {
  std::unique_ptr<Guest> guest;
  if (spare_.empty()) {
    guest = maker_->make();
    guest->functions.resize(target_->functions.size());
  } else {
    guest = std::move(spare_.back());
    spare_.pop_back();
  }
  TENON_CHECK(maker_->fill(*guest));
  return guest;
}

// After this there is room, and nobody has it yet.
Result<void> Pool::waitForRoom(call::HostCall& call, const Guest* caller) {
  const std::string many = (most_ == 1 ? "a call" : std::to_string(most_) + " calls") + " of " +
                           target_->name + (most_ == 1 ? " goes" : " go") + " on";
  // Whoever waits for itself waits for ever.
  uint32_t own = 0;
  for (const Guest* guest = caller; guest; guest = guest->caller) own += guest->pool == this;
  if (own >= most_) return overloaded(many + ", which the caller is part of");
  if (!run::callerOf(call).store().fiber()) {
    return overloaded(many + ", and the caller cannot wait here");
  }
  if (queue_.size() >= limits_.most) {
    return overloaded(many + ", and " + std::to_string(queue_.size()) + " wait");
  }
  auto paf = kj::newPromiseAndFulfiller<void>();
  Waiter waiter(*this);
  waiter.fulfiller = kj::mv(paf.fulfiller);
  if (!call::wait(call, paf.promise.exclusiveJoin(timer_.afterDelay(limits_.time)))) {
    return Error(ErrorCode::CANCELLED, "the caller's call ended");
  }
  if (!waiter.granted) {
    return overloaded(many + ", and none ended within " +
                      std::to_string(limits_.time / kj::MILLISECONDS) + " ms");
  }
  waiter.granted = false;  // it is the caller's now
  --inUse_;
  return {};
}

// Lets the first one who waits have the room that there is.
void Pool::passOn() {
  while (!queue_.empty() && hasRoom()) {
    Waiter* first = queue_.front();
    queue_.pop_front();
    first->granted = true;
    ++inUse_;
    first->fulfiller->fulfill();
  }
}

void Pool::giveBack(std::unique_ptr<Guest> guest) {
  const InstancePolicy& policy = target_->policy;
  ++guest->calls;
  bool isKept = policy.life != InstancePolicy::Life::FRESH &&
                (policy.maxCalls == 0 || guest->calls < policy.maxCalls) &&
                !guest->instance()->store().poisoned();
  if (isKept) {
    if (policy.idle) guest->idleSince = now();
    idle_.push_back(std::move(guest));
    if (policy.idle && !watches_) {
      watches_ = true;
      watching_ = watchIdle();
    }
  } else {
    guest->empty();
    for (auto& function : guest->functions) function = std::nullopt;
    guest->calls = 0;
    if (spare_.size() < MOST_SPARE) spare_.push_back(std::move(guest));
  }
  --inUse_;
  passOn();
}

void Pool::end(std::unique_ptr<Guest> guest) {
  guest->failed();
  guest = nullptr;
  --inUse_;
  passOn();
}

// Ends instances that nobody called for too long, while the loop runs.
kj::Promise<void> Pool::watchIdle() {
  const kj::Duration idle = target_->policy.idle->count() * kj::NANOSECONDS;
  while (!idle_.empty()) {
    co_await timer_.atTime(idle_.front()->idleSince + idle);
    while (!idle_.empty() && isLate(*idle_.front())) idle_.pop_front();
  }
  watches_ = false;
}

}  // namespace tenon::transport
