#pragma once

// The read side of one HTTP connection: the bytes that arrived and that nobody used yet. And the
// signal by which those who wait for something on a connection are woken. Bound to the loop's
// thread.

#include <kj/async-io.h>
#include <kj/timer.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace tenon::http {

// Wakes all that wait. A dropped wait is no harm.
class Signal {
 public:
  kj::Promise<void> wait();
  void raise();

 private:
  std::vector<kj::Own<kj::PromiseFulfiller<void>>> waiters_;
  size_t tidyAt_ = 16;  // how many waiters there may be before dropped ones are taken out
};

class Wire {
 public:
  // Most bytes that wait to be used.
  static constexpr size_t ROOM = 64 * 1024;
  // What an idle connection keeps.
  static constexpr size_t FIRST_ROOM = 2048;

  // `stream` and `timer` outlive this. `socket`: the socket whose bytes `stream` gives as they are;
  // -1: there is none, or it is not known.
  Wire(kj::AsyncInputStream& stream, kj::Timer& timer, int socket = -1)
      : stream_(stream), timer_(timer), socket_(socket) {
    touch();
  }

  std::string_view bytes() const { return {buffer_.get() + begin_, end_ - begin_}; }
  void use(size_t count);

  // Reads what there is, at least a byte, `atMost` together with what was there. False: the other
  // side sends no more. One at a time. Never throws: the promise fails when the connection is
  // broken. Dropping it loses nothing.
  kj::Promise<bool> fill(size_t atMost = ROOM);

  // Gives memory back while nothing is expected.
  void shrink();

  kj::Timer& timer() { return timer_; }
  int socket() const { return socket_; }

  // When bytes last arrived, or `touch` was called.
  kj::TimePoint lastArrival() const { return lastArrival_; }
  void touch() { lastArrival_ = timer_.now(); }

 private:
  static constexpr uint32_t YIELD_EVERY = 8;

  void makeRoom(size_t wanted);

  kj::AsyncInputStream& stream_;
  kj::Timer& timer_;
  const int socket_;
  std::unique_ptr<char[]> buffer_;
  size_t capacity_ = 0;
  size_t next_ = FIRST_ROOM;  // how much room the next read should have
  size_t begin_ = 0;
  size_t end_ = 0;
  uint32_t fills_ = 0;
  kj::TimePoint lastArrival_ = kj::origin<kj::TimePoint>();
};

}  // namespace tenon::http
