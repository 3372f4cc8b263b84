#include "http/wire.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace tenon::http {
kj::Promise<void> Signal::wait() {
  if (waiters_.size() >= tidyAt_) {
    std::erase_if(waiters_, [](auto& waiter) { return !waiter->isWaiting(); });
    tidyAt_ = std::max<size_t>(16, waiters_.size() * 2);
  }
  auto paf = kj::newPromiseAndFulfiller<void>();
  waiters_.push_back(kj::mv(paf.fulfiller));
  return kj::mv(paf.promise);
}

void Signal::raise() {
  for (auto& waiter : waiters_) waiter->fulfill();
  waiters_.clear();
}

void Wire::use(size_t count) {
  begin_ += count;
  if (begin_ == end_) begin_ = end_ = 0;
}

void Wire::shrink() {
  if (begin_ != end_ || capacity_ <= FIRST_ROOM) return;
  buffer_ = nullptr;
  capacity_ = 0;
  next_ = FIRST_ROOM;
}

void Wire::makeRoom(size_t wanted) {
  size_t used = end_ - begin_;
  if (capacity_ < wanted) {
    auto larger = std::make_unique_for_overwrite<char[]>(wanted);
    if (used != 0) std::memcpy(larger.get(), buffer_.get() + begin_, used);
    buffer_ = std::move(larger);
    capacity_ = wanted;
  } else if (begin_ != 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, used);
  }
  begin_ = 0;
  end_ = used;
}

kj::Promise<bool> Wire::fill(size_t atMost) {
  size_t used = end_ - begin_;
  size_t wanted = std::max(next_, used * 2);
  makeRoom(std::clamp(wanted, std::min(FIRST_ROOM, atMost), atMost));
  auto read = [this]() { return stream_.tryRead(buffer_.get() + end_, 1, capacity_ - end_); };
  // What is there at once resumes a coroutine without a turn of the loop: others would wait as long
  // as the peer sends.
  bool yield = ++fills_ % YIELD_EVERY == 0;
  // A connection that was reset throws at once, which must not pass through who asks for bytes: a
  // guest's call.
  return (yield ? kj::evalLater(kj::mv(read)) : kj::evalNow(kj::mv(read)))
      .then([this](size_t count) {
        end_ += count;
        // Grows only when the peer fills what there is.
        if (end_ == capacity_) next_ = std::min(capacity_ * 2, ROOM);
        touch();
        return count != 0;
      });
}

}  // namespace tenon::http
