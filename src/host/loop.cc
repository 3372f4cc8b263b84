#include "host/loop.h"

#include <chrono>
#include <memory>
#include <stdexcept>

namespace tenon {
namespace {
thread_local bool threadHasLoop = false;
}  // namespace

Loop::Loop() {
  if (threadHasLoop) throw std::logic_error("this thread has a tenon::Loop already");
  state_ = std::make_unique<host::LoopState>();
  threadHasLoop = true;
}

Loop::~Loop() {
  state_ = nullptr;
  threadHasLoop = false;
}

void Loop::runFor(std::chrono::nanoseconds duration) {
  state_->io.provider->getTimer()
      .afterDelay(duration.count() * kj::NANOSECONDS)
      .wait(state_->io.waitScope);
}

}  // namespace tenon
