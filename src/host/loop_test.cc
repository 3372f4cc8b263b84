#include "host/loop.h"

#include <gtest/gtest.h>

#include <chrono>

namespace tenon::host {
namespace {

// Always one more event, as a peer makes them that never stops sending.
class WorkWithoutEnd final : private kj::TaskSet::ErrorHandler {
 public:
  WorkWithoutEnd() : tasks_(*this) { more(); }

 private:
  void more() {
    tasks_.add(kj::evalLater([this]() { more(); }));
  }
  void taskFailed(kj::Exception&& exception) override {
    ADD_FAILURE() << exception.getDescription().cStr();
  }

  kj::TaskSet tasks_;
};

TEST(Loops, LookAtTheClockWhileThereIsAlwaysMoreToDo) {
  Loop loop;
  WorkWithoutEnd working;
  loop.runFor(std::chrono::milliseconds(10));
}

TEST(Loops, LookAtTheSystemWhileThereIsAlwaysMoreToDo) {
  Loop loop;
  kj::AsyncIoContext& io = LoopState::of(loop).io;
  auto pipe = io.provider->newTwoWayPipe();
  WorkWithoutEnd working;
  char byte = 0;
  auto reading = pipe.ends[0]->tryRead(&byte, 1, 1);
  auto sending = io.provider->getTimer()
                     .afterDelay(1 * kj::MILLISECONDS)
                     .then([&pipe]() { return pipe.ends[1]->write("x", 1); })
                     .eagerlyEvaluate(nullptr);
  EXPECT_EQ(reading.wait(io.waitScope), 1u);
}

}  // namespace
}  // namespace tenon::host
