#include "wasi/clocks/clocks.h"

#include "wasi/binder.h"
#include "wasi/context.h"
#include "wasi/io/io.h"

#include <time.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <string_view>

namespace tenon::wasi {

struct TimezoneDisplay {
  int32_t utcOffset = 0;
  std::string_view name;
  bool inDaylightSavingTime = false;
};

}  // namespace tenon::wasi

TENON_RECORD(tenon::wasi::TimezoneDisplay, utcOffset, name, inDaylightSavingTime)

namespace tenon::wasi {
namespace {

// No wait is longer; whoever waits looks at the clock again then.
constexpr uint64_t LONGEST_WAIT = uint64_t{24} * 3600 * 1'000'000'000;

uint64_t nanoseconds(kj::Duration duration) {
  return static_cast<uint64_t>(duration / kj::NANOSECONDS);
}

uint64_t monotonicNow(const Clocks& clocks) {
  return nanoseconds(clocks.monotonic.now() - kj::origin<kj::TimePoint>());
}

class Alarm final : public call::Waitable {
 public:
  Alarm(Clocks clocks, uint64_t when) : clocks_(clocks), when_(when) {}

  bool ready() override { return rang_ || (rang_ = monotonicNow(clocks_) >= when_); }

  kj::Promise<void> whenReady() override {
    uint64_t now = monotonicNow(clocks_);
    if (now >= when_) return kj::READY_NOW;
    auto left = static_cast<int64_t>(std::min(when_ - now, LONGEST_WAIT));
    // From the clock, not from the timer's idea of now, which is as old as the loop's turn.
    return clocks_.timer.atTime(clocks_.monotonic.now() + left * kj::NANOSECONDS);
  }

 private:
  Clocks clocks_;
  uint64_t when_;
  bool rang_ = false;
};

uint64_t resolution(clockid_t clock) {
  timespec value{};
  if (clock_getres(clock, &value) != 0) return 1;
  return static_cast<uint64_t>(value.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(value.tv_nsec);
}

uint64_t now(call::HostCall& call) { return monotonicNow(contextOf(call).clocks); }

uint64_t monotonicResolution(call::HostCall&) { return resolution(CLOCK_MONOTONIC); }

Own<Pollable> subscribeInstant(call::HostCall& call, uint64_t when) {
  return givePollable(call, std::make_shared<Alarm>(contextOf(call).clocks, when));
}

Own<Pollable> subscribeDuration(call::HostCall& call, uint64_t duration) {
  uint64_t start = now(call);
  uint64_t longest = std::numeric_limits<uint64_t>::max() - start;
  return subscribeInstant(call, start + std::min(duration, longest));
}

Datetime wallNow(call::HostCall& call) {
  uint64_t since = nanoseconds(contextOf(call).clocks.wall.now() - kj::UNIX_EPOCH);
  return {since / 1'000'000'000, static_cast<uint32_t>(since % 1'000'000'000)};
}

Datetime wallResolution(call::HostCall&) {
  uint64_t value = resolution(CLOCK_REALTIME);
  return {value / 1'000'000'000, static_cast<uint32_t>(value % 1'000'000'000)};
}

// wasi:clocks/timezone, which is unstable: UTC, as the WIT text has it for hosts that do not tell
// where they are.
TimezoneDisplay display(call::HostCall&, const Datetime&) { return {0, "UTC", false}; }

int32_t utcOffset(call::HostCall&, const Datetime&) { return 0; }

}  // namespace

void provideClocks(call::Registry& registry) {
  Binder(registry, "wasi:clocks/monotonic-clock@0.2.12")
      .function<now>("now")
      .function<monotonicResolution>("resolution")
      .function<subscribeInstant>("subscribe-instant")
      .function<subscribeDuration>("subscribe-duration");
  Binder(registry, "wasi:clocks/wall-clock@0.2.12")
      .function<wallNow>("now")
      .function<wallResolution>("resolution");
  Binder(registry, "wasi:clocks/timezone@0.2.12")
      .function<display>("display")
      .function<utcOffset>("utc-offset");
}

}  // namespace tenon::wasi
