#include "wasi/http/wire.h"

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

}  // namespace
}  // namespace tenon::wasi::http
