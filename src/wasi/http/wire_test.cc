#include "wasi/http/wire.h"

#include <kj/debug.h>

#include <gtest/gtest.h>

namespace tenon::wasi::http {
namespace {

// A peer that never stops sending.
class Endless final : public kj::AsyncInputStream {
 public:
  kj::Promise<size_t> tryRead(void*, size_t, size_t maxBytes) override { return maxBytes; }
};

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
}  // namespace tenon::wasi::http
