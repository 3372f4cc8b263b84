#include "net/failure.h"

#include <kj/async-io.h>
#include <kj/debug.h>

#include <gtest/gtest.h>

#include <cerrno>

namespace tenon::net {
namespace {

// As KJ makes it of a system call's error.
Failure ofSystem(int error) {
  Failure failure = Failure::OTHER;
  KJ_IF_MAYBE (exception,
               kj::runCatchingExceptions([error]() { KJ_FAIL_SYSCALL("connect()", error); })) {
    failure = failureOf(*exception);
  }
  return failure;
}

TEST(Failure, OfAPortWhereNobodyListensIsRefused) {
  auto io = kj::setupAsyncIo();
  kj::Network& network = io.provider->getNetwork();
  auto address = network.parseAddress("127.0.0.1", 0).wait(io.waitScope);
  kj::uint port = address->listen()->getPort();  // closed again
  auto closed = network.parseAddress("127.0.0.1", port).wait(io.waitScope);
  Failure failure = Failure::OTHER;
  closed->connect()
      .then([](kj::Own<kj::AsyncIoStream>) {},
            [&failure](kj::Exception&& exception) { failure = failureOf(exception); })
      .wait(io.waitScope);
  EXPECT_EQ(failure, Failure::REFUSED);
}

TEST(Failure, OfTheSystemIsToldByItsText) {
  EXPECT_EQ(ofSystem(ECONNREFUSED), Failure::REFUSED);
  EXPECT_EQ(ofSystem(ETIMEDOUT), Failure::TIMED_OUT);
  EXPECT_EQ(ofSystem(EHOSTUNREACH), Failure::UNREACHABLE);
  EXPECT_EQ(ofSystem(ENETUNREACH), Failure::UNREACHABLE);
  EXPECT_EQ(ofSystem(ENETDOWN), Failure::OTHER);
}

}  // namespace
}  // namespace tenon::net
