#include "net/lingering.h"

namespace tenon::net {

kj::Promise<void> Lingering::whenDone() {
  if (tasks_.isEmpty()) return kj::READY_NOW;
  if (!waiting_) {
    waiting_ = true;
    empty_ = tasks_.onEmpty().then([this]() { waiting_ = false; }).fork();
  }
  return empty_.addBranch().exclusiveJoin(timer_.afterDelay(10 * kj::SECONDS));
}

}  // namespace tenon::net
