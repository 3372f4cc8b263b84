#pragma once

// What guests write to their standard streams, line by line for ServerOptions::onLine. Bound to the
// loop's thread.

#include "net/streams.h"

#include <tenon/server.h>

#include <kj/async.h>
#include <kj/timer.h>

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <string>

namespace tenon::host {

// Who takes the lines of a thread's guests. Outlives their sinks.
struct LineTaker {
  // So long a line is offered again and again, while its guest waits.
  static constexpr auto PATIENCE = 1 * kj::SECONDS;

  std::function<bool(const GuestLine&)> take;
  // Which streams of guests these are of: all, or those that the process's own are given for.
  enum class Streams : uint8_t { ALL, INHERITED };
  Streams streams = Streams::ALL;
  kj::Timer& timer;
  // By stream: a line was lost, and none was taken since. Nobody waits then.
  std::array<bool, 2> refuses{};
};

// A stream of one instance.
class GuestLineSink final : public net::OutputSink {
 public:
  GuestLineSink(LineTaker& taker, GuestLine::Stream stream, std::string component)
      : taker_(taker), stream_(stream), component_(std::move(component)) {}
  ~GuestLineSink() noexcept(false) override { give(); }

  // The request that is answered from now on.
  void begin(std::string id) { id_ = std::move(id); }
  // It was answered: ends the line.
  void end() {
    if (!line_.empty()) endLine();
  }

  net::StreamResult<uint64_t> permit() override;
  net::StreamResult<void> write(std::span<const std::byte> bytes) override;
  net::StreamResult<void> flush() override { return {}; }
  bool ready() override { return waiting_.empty(); }
  kj::Promise<void> whenReady() override;
  bool flushed() override { return line_.empty() && waiting_.empty(); }
  kj::Promise<void> whenFlushed() override;

 private:
  struct Waiting {
    std::string id;
    std::string text;
  };

  void endLine();
  bool& refuses() { return taker_.refuses[static_cast<size_t>(stream_)]; }
  bool hand(const Waiting& line, bool last);
  bool offer(const Waiting& line);
  // Hands over what waits, whatever becomes of it.
  void give();
  kj::Promise<void> offerAgain();

  LineTaker& taker_;
  const GuestLine::Stream stream_;
  const std::string component_;
  std::string id_;
  std::string line_;             // not ended yet
  std::deque<Waiting> waiting_;  // refused for now
  bool offering_ = false;
  kj::ForkedPromise<void> offered_ = nullptr;  // last: uses everything above
};

}  // namespace tenon::host
