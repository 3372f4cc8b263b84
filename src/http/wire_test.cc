#include "http/wire.h"

#include <kj/debug.h>

#include <gtest/gtest.h>

#include <cerrno>

namespace tenon::http {
namespace {

// A peer that never stops sending.
class Endless final : public kj::AsyncInputStream {
 public:
  kj::Promise<size_t> tryRead(void*, size_t, size_t maxBytes) override { return maxBytes; }
};

// A connection that was reset: KJ throws at once instead of giving a promise that fails.
class Reset final : public kj::AsyncInputStream {
 public:
  kj::Promise<size_t> tryRead(void*, size_t, size_t) override {
    KJ_FAIL_SYSCALL("read", ECONNRESET);
  }
};

TEST(HttpWire, AReadThatThrowsAtOnceIsAPromiseThatFails) {
  kj::EventLoop loop;
  kj::WaitScope waitScope(loop);
  kj::TimerImpl timer(kj::origin<kj::TimePoint>());
  Reset reset;
  Wire wire(reset, timer);
  // Of every kind: some turn the loop first.
  for (int i = 0; i < 20; ++i) {
    kj::Promise<bool> fill = nullptr;
    EXPECT_NO_THROW(fill = wire.fill());
    bool failed = false;
    fill.then([](bool) {}, [&failed](kj::Exception&&) { failed = true; }).wait(waitScope);
    EXPECT_TRUE(failed);
  }
}

// As a connection does whose requests come whole.
kj::Promise<void> readWithoutEnd(Wire& wire) {
  while (co_await wire.fill()) wire.use(wire.bytes().size());
}

TEST(HttpWire, APeerThatNeverStopsSendingLeavesTurnsToOthers) {
  kj::AsyncIoContext io = kj::setupAsyncIo();
  io.waitScope.setBusyPollInterval(10);
  kj::Timer& timer = io.provider->getTimer();
  Endless endless;
  Wire wire(endless, timer);
  auto reading = kj::evalLater([&wire]() { return readWithoutEnd(wire); }).eagerlyEvaluate(nullptr);
  timer.afterDelay(5 * kj::MILLISECONDS).wait(io.waitScope);
}

// A connection that was reset.
class Broken final : public kj::AsyncInputStream {
 public:
  kj::Promise<size_t> tryRead(void*, size_t, size_t) override {
    kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED, "reset"));
  }
};

TEST(HttpWire, AConnectionThatIsBrokenFailsThePromiseAndNotTheCaller) {
  kj::AsyncIoContext io = kj::setupAsyncIo();
  Broken broken;
  Wire wire(broken, io.provider->getTimer());
  for (int i = 0; i < 20; ++i) {
    bool failed = false;
    auto filling = wire.fill();
    filling.then([](bool) {}, [&failed](kj::Exception&&) { failed = true; }).wait(io.waitScope);
    EXPECT_TRUE(failed);
  }
}

}  // namespace
}  // namespace tenon::http
