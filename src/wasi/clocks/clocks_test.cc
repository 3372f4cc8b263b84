#include "wasi/clocks/clocks.h"

#include "wasi/wasi_testing.h"

#include <kj/async-io.h>

#include <time.h>

namespace tenon::wasi {
namespace {

constexpr std::string_view MONOTONIC = "wasi:clocks/monotonic-clock";
constexpr uint64_t SECOND = 1'000'000'000;

class ClocksTest : public testing::Test {
 protected:
  uint64_t now() { return guest.call<uint64_t>(MONOTONIC, "now"); }
  Borrow<Pollable> after(uint64_t duration) {
    return {guest.call<Own<Pollable>>(MONOTONIC, "subscribe-duration", duration).rep};
  }
  Borrow<Pollable> at(uint64_t instant) {
    return {guest.call<Own<Pollable>>(MONOTONIC, "subscribe-instant", instant).rep};
  }
  bool ready(Borrow<Pollable> pollable) {
    return guest.call<bool>("wasi:io/poll", "[method]pollable.ready", pollable);
  }
  void block(Borrow<Pollable> pollable) {
    guest.call<void>("wasi:io/poll", "[method]pollable.block", pollable);
  }
  void pass(uint64_t nanoseconds) {
    loop.timer.advanceTo(loop.timer.now() + static_cast<int64_t>(nanoseconds) * kj::NANOSECONDS);
  }

  TimedLoop loop;
  FakeGuest guest{loop.waitScope, loop.newContext()};
};

TEST_F(ClocksTest, AnAlarmIsReadyWhenItsTimeHasComeAndStaysSo) {
  auto alarm = after(3 * SECOND);
  EXPECT_FALSE(ready(alarm));
  pass(3 * SECOND - 1);
  EXPECT_FALSE(ready(alarm));
  pass(1);
  EXPECT_TRUE(ready(alarm));
  EXPECT_TRUE(ready(alarm));
}

TEST_F(ClocksTest, BlockingSuspendsOnceUntilTheAlarm) {
  auto alarm = after(SECOND);
  uint64_t start = now();
  guest.onSuspend = [&] { return pass(SECOND), true; };
  block(alarm);
  EXPECT_EQ(guest.suspensions, 1);
  EXPECT_EQ(now() - start, SECOND);
}

TEST_F(ClocksTest, AnAlarmInThePastOrAfterNoTimeIsReadyAtOnce) {
  EXPECT_TRUE(ready(at(0)));
  EXPECT_TRUE(ready(at(now())));
  block(after(0));
  EXPECT_EQ(guest.suspensions, 0);
}

TEST_F(ClocksTest, ADurationBeyondTheEndOfTimeNeverComes) {
  auto alarm = after(~uint64_t{0});
  EXPECT_FALSE(ready(alarm));
  int turns = 0;
  guest.onSuspend = [&] { return pass(100 * 3600 * SECOND), turns++ < 3; };
  block(alarm);
  EXPECT_EQ(guest.trap, "cancelled");
}

TEST_F(ClocksTest, PollWithAnAlarmIsATimeout) {
  auto soon = after(SECOND);
  auto late = after(60 * SECOND);
  guest.onSuspend = [&] { return pass(SECOND), true; };
  EXPECT_EQ(guest.call<std::vector<uint32_t>>("wasi:io/poll", "poll",
                                              std::vector<Borrow<Pollable>>{late, soon}),
            std::vector<uint32_t>{1});
}

TEST_F(ClocksTest, TheWallClockCountsFrom1970) {
  EXPECT_EQ(guest.call<Datetime>("wasi:clocks/wall-clock", "now"), (Datetime{1'700'000'000, 5}));
  auto resolution = guest.call<Datetime>("wasi:clocks/wall-clock", "resolution");
  EXPECT_GT(resolution.seconds * SECOND + resolution.nanoseconds, 0u);
  EXPECT_GT(guest.call<uint64_t>(MONOTONIC, "resolution"), 0u);
}

TEST_F(ClocksTest, TheMonotonicClockCountsNanosecondsAndNeverGoesBack) {
  uint64_t before = now();
  EXPECT_EQ(now(), before);
  pass(1);
  EXPECT_EQ(now(), before + 1);
  pass(SECOND);
  EXPECT_EQ(now(), before + 1 + SECOND);
}

TEST(SystemClocks, TheMonotonicClockNeverGoesBackAndIsFarFromItsEnd) {
  auto io = kj::setupAsyncIo();
  FakeGuest guest(io.waitScope, newContext(io, {}).value());
  auto now = [&] { return guest.call<uint64_t>(MONOTONIC, "now"); };
  uint64_t first = now(), before = first;
  for (int i = 0; i < 10'000; i++) {
    uint64_t next = now();
    ASSERT_GE(next, before);
    before = next;
  }
  EXPECT_GT(before, first);
  EXPECT_LT(before, uint64_t{1} << 62);
}

TEST(SystemClocks, TheWallClockIsTheSystems) {
  auto io = kj::setupAsyncIo();
  FakeGuest guest(io.waitScope, newContext(io, {}).value());
  auto system = static_cast<uint64_t>(::time(nullptr));
  auto now = guest.call<Datetime>("wasi:clocks/wall-clock", "now");
  EXPECT_GE(now.seconds + 1, system);
  EXPECT_LE(now.seconds, system + 60);
  EXPECT_LT(now.nanoseconds, SECOND);
}

TEST_F(ClocksTest, ResolutionsAreTicks) {
  uint64_t tick = guest.call<uint64_t>(MONOTONIC, "resolution");
  EXPECT_GE(tick, 1u);
  EXPECT_LE(tick, SECOND);
  auto wall = guest.call<Datetime>("wasi:clocks/wall-clock", "resolution");
  EXPECT_LT(wall.nanoseconds, SECOND);
  EXPECT_EQ(wall.seconds * SECOND + wall.nanoseconds, tick);
}

}  // namespace

struct TestTimezone {
  int32_t utcOffset = 1;
  std::string name;
  bool inDaylightSavingTime = true;
};

}  // namespace tenon::wasi

TENON_RECORD(tenon::wasi::TestTimezone, utcOffset, name, inDaylightSavingTime)

namespace tenon::wasi {
namespace {

// A host that does not tell where it is.
TEST_F(ClocksTest, TheTimezoneIsUtcAtAnyTime) {
  for (uint64_t seconds : {uint64_t{0}, uint64_t{1'700'000'000}, ~uint64_t{0}}) {
    auto zone = guest.call<TestTimezone>("wasi:clocks/timezone", "display", Datetime{seconds, 0});
    EXPECT_EQ(zone.name, "UTC");
    EXPECT_EQ(zone.utcOffset, 0);
    EXPECT_FALSE(zone.inDaylightSavingTime);
    EXPECT_EQ(guest.call<int32_t>("wasi:clocks/timezone", "utc-offset", Datetime{seconds, 0}), 0);
  }
}

}  // namespace
}  // namespace tenon::wasi
