#include "net/fd_streams.h"

#include <kj/timer.h>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <vector>

namespace tenon::net {
namespace {

// A stream to a peer that does not read, on a loop whose time moves by hand.
class FdSinkTest : public testing::Test {
 public:
  ~FdSinkTest() noexcept override {}

 protected:
  FdSinkTest() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    peer = OwnedFd(ends[1]);
    auto fd = ObservedFd::make(nullptr, OwnedFd(ends[0]), DescriptorPlace());
    sink = std::make_shared<FdSink>(std::move(fd), FdKind::SOCKET, lingering, budget);
    std::vector<std::byte> piece(64 * 1024);
    while (sink->flushed()) EXPECT_TRUE(sink->write(piece));
    EXPECT_FALSE(sink->flushed());
  }
  void pass(kj::Duration time) {
    timer.advanceTo(timer.now() + time);
    waitScope.poll();
  }
  // Whether the stream's descriptor is closed: the end comes behind what was written.
  bool closed() {
    char buffer[65536];
    ssize_t count;
    while ((count = ::read(peer, buffer, sizeof(buffer))) > 0) continue;
    return count == 0;
  }

  kj::EventLoop loop;
  kj::WaitScope waitScope{loop};
  kj::TimerImpl timer{kj::origin<kj::TimePoint>()};
  std::shared_ptr<call::MemoryBudget> budget = std::make_shared<call::MemoryBudget>(1 << 20);
  Lingering lingering{timer};
  OwnedFd peer;
  std::shared_ptr<FdSink> sink;
};

TEST_F(FdSinkTest, WhatThePeerDoesNotTakeIsChargedAlsoWhenTheStreamIsDropped) {
  EXPECT_GT(budget->used(), 0u);
  sink = nullptr;
  EXPECT_GT(budget->used(), 0u);
}

TEST_F(FdSinkTest, ADroppedStreamWhosePeerTakesNothingEnds) {
  sink = nullptr;
  pass(9 * kj::SECONDS);
  EXPECT_FALSE(lingering.done());
  pass(2 * kj::SECONDS);
  EXPECT_TRUE(lingering.done());
  EXPECT_EQ(budget->used(), 0u);
  EXPECT_TRUE(closed());
}

TEST_F(FdSinkTest, AStreamThatAGuestHoldsWaitsForItsPeer) {
  pass(100 * kj::SECONDS);
  EXPECT_FALSE(lingering.done());
  EXPECT_GT(budget->used(), 0u);
  EXPECT_FALSE(closed());
}

}  // namespace
}  // namespace tenon::net
