#include "net/workers.h"

#include <kj/async-io.h>
#include <kj/debug.h>
#include <kj/io.h>

#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>
#include <vector>

namespace tenon::net {
namespace {

struct Pipe {
  Pipe() {
    int fds[2];
    KJ_SYSCALL(::pipe(fds));
    read = kj::AutoCloseFd(fds[0]);
    write = kj::AutoCloseFd(fds[1]);
  }
  kj::AutoCloseFd read;
  kj::AutoCloseFd write;
};

// Work that hangs until somebody writes.
kj::Function<int()> reading(int fd) {
  return [fd]() {
    char byte = 0;
    return ::read(fd, &byte, 1) == 1 ? byte : -1;
  };
}

class WorkersTest : public testing::Test {
 public:
  ~WorkersTest() noexcept override {}

 protected:
  kj::AsyncIoContext io = kj::setupAsyncIo();
};

TEST_F(WorkersTest, WorkRunsOnAnotherThreadAndItsResultComesToTheLoop) {
  Workers workers(2);
  auto here = std::this_thread::get_id();
  kj::Function<bool()> work = [here]() { return std::this_thread::get_id() != here; };
  EXPECT_TRUE(workers.run(kj::mv(work)).wait(io.waitScope));
}

TEST_F(WorkersTest, WorkThatHangsDoesNotStopOther) {
  Workers workers(2);
  Pipe pipe;
  auto hanging = workers.run(reading(pipe.read));
  for (int i = 0; i < 100; i++) {
    kj::Function<int()> work = [i]() { return i; };
    EXPECT_EQ(workers.run(kj::mv(work)).wait(io.waitScope), i);
  }
  EXPECT_FALSE(hanging.poll(io.waitScope));
  EXPECT_EQ(::write(pipe.write, "x", 1), 1);
  EXPECT_EQ(hanging.wait(io.waitScope), 'x');
}

TEST_F(WorkersTest, WorkWaitsWhenAllThreadsHang) {
  Workers workers(2);
  Pipe pipe;
  std::vector<kj::Promise<int>> hanging;
  for (int i = 0; i < 2; i++) hanging.push_back(workers.run(reading(pipe.read)));
  kj::Function<int()> work = []() { return 7; };
  auto waiting = workers.run(kj::mv(work));
  EXPECT_FALSE(waiting.poll(io.waitScope));
  EXPECT_EQ(::write(pipe.write, "xy", 2), 2);
  EXPECT_EQ(waiting.wait(io.waitScope), 7);
  for (auto& promise : hanging) EXPECT_GT(promise.wait(io.waitScope), 0);
}

TEST_F(WorkersTest, AFailureComesToTheLoopToo) {
  Workers workers(1);
  kj::Function<int()> work = []() -> int { KJ_FAIL_REQUIRE("no disk"); };
  auto failed = workers.run(kj::mv(work))
                    .then([](int) { return false; }, [](kj::Exception&&) { return true; });
  EXPECT_TRUE(failed.wait(io.waitScope));
}

TEST_F(WorkersTest, AResultThatNobodyWantsIsDropped) {
  Workers workers(1);
  Pipe pipe;
  {
    auto dropped = workers.run(reading(pipe.read));
  }
  EXPECT_EQ(::write(pipe.write, "x", 1), 1);
  kj::Function<int()> work = []() { return 1; };
  EXPECT_EQ(workers.run(kj::mv(work)).wait(io.waitScope), 1);
}

}  // namespace
}  // namespace tenon::net
