#include "wasi/io/io.h"

#include "wasi/wasi_testing.h"

#include <algorithm>
#include <deque>

namespace tenon::wasi {
namespace {

using Bytes = std::vector<std::byte>;
using Read = Expected<Bytes, StreamError>;
using Count = Expected<uint64_t, StreamError>;
using Void = Expected<void, StreamError>;

constexpr std::string_view STREAMS = "wasi:io/streams";

// Wakes whoever waits, by hand.
class Signal {
 public:
  kj::Promise<void> wait() {
    auto paf = kj::newPromiseAndFulfiller<void>();
    waiters_.push_back(kj::mv(paf.fulfiller));
    return kj::mv(paf.promise);
  }
  void raise() {
    for (auto& waiter : waiters_) waiter->fulfill();
    waiters_.clear();
  }

 private:
  std::deque<kj::Own<kj::PromiseFulfiller<void>>> waiters_;
};

struct TestSource final : net::InputSource {
  net::StreamResult<size_t> read(std::span<std::byte> into) override {
    if (closed) return net::closedFault();
    if (failure) {
      closed = true;
      return net::failedFault(*std::exchange(failure, std::nullopt));
    }
    if (bytes.empty() && ended) return net::closedFault();
    size_t count = std::min(bytes.size(), into.size());
    std::copy_n(bytes.begin(), count, into.begin());
    bytes.erase(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(count));
    return count;
  }
  bool ready() override { return closed || ended || failure || !bytes.empty(); }
  kj::Promise<void> whenReady() override { return signal.wait(); }

  void push(std::string_view text) {
    for (std::byte byte : bytesOf(text)) bytes.push_back(byte);
    signal.raise();
  }

  Bytes bytes;
  std::optional<std::string> failure;
  bool ended = false;
  bool closed = false;
  Signal signal;
};

struct TestSink final : net::OutputSink {
  net::StreamResult<uint64_t> permit() override {
    if (closed) return net::closedFault();
    return flushing ? 0 : budget;
  }
  net::StreamResult<void> write(std::span<const std::byte> bytes) override {
    EXPECT_LE(bytes.size(), budget);
    if (closed) return net::closedFault();
    if (failure) {
      closed = true;
      return net::failedFault(*failure);
    }
    budget -= bytes.size();
    written += textOf({bytes.begin(), bytes.end()});
    if (closeAfterWrite) closed = true;
    return {};
  }
  net::StreamResult<void> flush() override {
    if (closed) return net::closedFault();
    flushing = slowFlush;
    return {};
  }
  bool ready() override { return closed || (!flushing && budget > 0); }
  kj::Promise<void> whenReady() override { return signal.wait(); }
  bool flushed() override { return closed || !flushing; }
  kj::Promise<void> whenFlushed() override { return signal.wait(); }

  void grant(uint64_t bytes) {
    budget += bytes;
    flushing = false;
    signal.raise();
  }

  uint64_t budget = 1 << 20;
  bool slowFlush = false;
  bool flushing = false;
  bool closed = false;
  bool closeAfterWrite = false;
  std::optional<std::string> failure;
  std::string written;
  Signal signal;
};

class StreamsTest : public testing::Test {
 protected:
  Borrow<InputStream> input() { return {guest.objects.add(std::make_unique<InputStream>(source))}; }
  Borrow<OutputStream> output() {
    return {guest.objects.add(std::make_unique<OutputStream>(sink))};
  }
  Own<Pollable> subscribe(Borrow<InputStream> self) {
    return guest.call<Own<Pollable>>(STREAMS, "[method]input-stream.subscribe", self);
  }
  Own<Pollable> subscribe(Borrow<OutputStream> self) {
    return guest.call<Own<Pollable>>(STREAMS, "[method]output-stream.subscribe", self);
  }
  bool ready(Own<Pollable> pollable) {
    return guest.call<bool>("wasi:io/poll", "[method]pollable.ready",
                            Borrow<Pollable>{pollable.rep});
  }
  Read read(Borrow<InputStream> self, uint64_t length) {
    return guest.call<Read>(STREAMS, "[method]input-stream.read", self, length);
  }
  Read blockingRead(Borrow<InputStream> self, uint64_t length) {
    return guest.call<Read>(STREAMS, "[method]input-stream.blocking-read", self, length);
  }
  Count checkWrite(Borrow<OutputStream> self) {
    return guest.call<Count>(STREAMS, "[method]output-stream.check-write", self);
  }
  Void write(Borrow<OutputStream> self, std::string_view text) {
    return guest.call<Void>(STREAMS, "[method]output-stream.write", self, bytesOf(text));
  }
  Void writeAndFlush(Borrow<OutputStream> self, std::string_view text) {
    return guest.call<Void>(STREAMS, "[method]output-stream.blocking-write-and-flush", self,
                            bytesOf(text));
  }
  std::vector<uint32_t> poll(const std::vector<Own<Pollable>>& pollables) {
    std::vector<Borrow<Pollable>> list;
    for (auto pollable : pollables) list.push_back({pollable.rep});
    return guest.call<std::vector<uint32_t>>("wasi:io/poll", "poll", list);
  }

  TimedLoop loop;
  FakeGuest guest{loop.waitScope, loop.newContext()};
  std::shared_ptr<TestSource> source = std::make_shared<TestSource>();
  std::shared_ptr<TestSink> sink = std::make_shared<TestSink>();
};

TEST_F(StreamsTest, ReadNeverWaitsAndGivesNoMoreThanAskedFor) {
  auto self = input();
  EXPECT_EQ(read(self, 10).value(), Bytes());
  source->push("hello");
  EXPECT_EQ(textOf(read(self, 2).value()), "he");
  EXPECT_EQ(textOf(read(self, ~uint64_t{0}).value()), "llo");
  EXPECT_EQ(guest.suspensions, 0);
}

TEST_F(StreamsTest, BlockingReadSuspendsUntilAByteIsThere) {
  auto self = input();
  guest.onSuspend = [&] { return source->push("late"), true; };
  EXPECT_EQ(textOf(blockingRead(self, 100).value()), "late");
  EXPECT_EQ(guest.suspensions, 1);
}

TEST_F(StreamsTest, BlockingReadDoesNotSuspendWhenBytesAreThere) {
  auto self = input();
  source->push("now");
  EXPECT_EQ(textOf(blockingRead(self, 100).value()), "now");
  EXPECT_EQ(guest.suspensions, 0);
}

TEST_F(StreamsTest, ACancelledReadEndsTheCallAndLosesNothing) {
  auto self = input();
  guest.onSuspend = [] { return false; };
  blockingRead(self, 100);
  EXPECT_EQ(guest.trap, "cancelled");
  source->push("kept");
  EXPECT_EQ(textOf(read(self, 100).value()), "kept");
}

TEST_F(StreamsTest, TheEndIsToldAsClosedAgainAndAgain) {
  auto self = input();
  source->push("x");
  source->ended = true;
  EXPECT_EQ(textOf(blockingRead(self, 100).value()), "x");
  for (int i = 0; i < 3; i++) EXPECT_EQ(blockingRead(self, 100).error().index(), 1u);
  EXPECT_EQ(read(self, 0).error().index(), 1u);
}

TEST_F(StreamsTest, AFailureIsToldOnceWithItsTextAndThenTheStreamIsClosed) {
  auto self = input();
  source->failure = "the disk is on fire";
  auto failed = read(self, 10);
  auto error = std::get<Own<net::IoError>>(failed.error());
  EXPECT_EQ(guest.call<std::string>("wasi:io/error", "[method]error.to-debug-string",
                                    Borrow<net::IoError>{error.rep}),
            "the disk is on fire");
  EXPECT_EQ(read(self, 10).error().index(), 1u);
  EXPECT_TRUE(ready(subscribe(self)));
}

TEST_F(StreamsTest, SkipCountsWhatItDropped) {
  auto self = input();
  source->push("abcdef");
  EXPECT_EQ(guest.call<Count>(STREAMS, "[method]input-stream.skip", self, uint64_t{4}).value(), 4u);
  EXPECT_EQ(textOf(read(self, 10).value()), "ef");
  EXPECT_EQ(guest.call<Count>(STREAMS, "[method]input-stream.skip", self, uint64_t{4}).value(), 0u);
  guest.onSuspend = [&] { return source->push("gh"), true; };
  EXPECT_EQ(
      guest.call<Count>(STREAMS, "[method]input-stream.blocking-skip", self, uint64_t{9}).value(),
      2u);
}

TEST_F(StreamsTest, WritingWithoutOrBeyondThePermitTraps) {
  auto self = output();
  write(self, "x");
  EXPECT_EQ(guest.trap, "write was called with more bytes than check-write permitted");
  sink->budget = 4;
  EXPECT_EQ(checkWrite(self).value(), 4u);
  write(self, "12345");
  EXPECT_EQ(guest.trap, "write was called with more bytes than check-write permitted");
  EXPECT_TRUE(write(self, "123"));
  EXPECT_EQ(guest.trap, "");
  write(self, "45");
  EXPECT_NE(guest.trap, "");
  guest.call<Void>(STREAMS, "[method]output-stream.write-zeroes", self, uint64_t{2});
  EXPECT_NE(guest.trap, "");
  EXPECT_EQ(sink->written, "123");
}

TEST_F(StreamsTest, NothingMayBeWrittenWhileAFlushGoesOn) {
  auto self = output();
  sink->slowFlush = true;
  checkWrite(self);
  EXPECT_TRUE(write(self, "abc"));
  EXPECT_TRUE(guest.call<Void>(STREAMS, "[method]output-stream.flush", self));
  EXPECT_EQ(checkWrite(self).value(), 0u);
  auto pollable = subscribe(self);
  EXPECT_FALSE(ready(pollable));
  sink->grant(1);
  EXPECT_TRUE(ready(pollable));
  EXPECT_GT(checkWrite(self).value(), 0u);
}

TEST_F(StreamsTest, BlockingFlushWaitsForTheEndOfTheFlush) {
  auto self = output();
  sink->slowFlush = true;
  guest.onSuspend = [&] { return sink->grant(1), true; };
  EXPECT_TRUE(guest.call<Void>(STREAMS, "[method]output-stream.blocking-flush", self));
  EXPECT_EQ(guest.suspensions, 1);
  EXPECT_FALSE(sink->flushing);
}

TEST_F(StreamsTest, BlockingWriteWritesInPiecesAsRoomComes) {
  auto self = output();
  sink->budget = 3;
  guest.onSuspend = [&] { return sink->grant(3), true; };
  EXPECT_TRUE(writeAndFlush(self, "0123456789"));
  EXPECT_EQ(sink->written, "0123456789");
  EXPECT_GE(guest.suspensions, 3);
}

TEST_F(StreamsTest, BlockingWriteDoesNotSuspendWhenThereIsRoom) {
  auto self = output();
  EXPECT_TRUE(writeAndFlush(self, "at once"));
  EXPECT_EQ(guest.suspensions, 0);
}

TEST_F(StreamsTest, BlockingWriteWaitsForTheFlushAndNotForMoreRoom) {
  auto self = output();
  sink->budget = 3;
  sink->slowFlush = true;
  guest.onSuspend = [&] { return sink->grant(0), true; };
  EXPECT_TRUE(writeAndFlush(self, "abc"));
  EXPECT_EQ(guest.suspensions, 1);
  EXPECT_FALSE(sink->ready());
}

TEST_F(StreamsTest, BlockingWriteTakesAtMost4096Bytes) {
  auto self = output();
  EXPECT_TRUE(writeAndFlush(self, std::string(4096, 'x')));
  writeAndFlush(self, std::string(4097, 'x'));
  EXPECT_EQ(guest.trap, "blocking-write-and-flush was called with more than 4096 bytes");
  guest.call<Void>(STREAMS, "[method]output-stream.blocking-write-zeroes-and-flush", self,
                   uint64_t{4097});
  EXPECT_EQ(guest.trap, "blocking-write-zeroes-and-flush was called with more than 4096 bytes");
}

TEST_F(StreamsTest, ZeroesAreWrittenAsManyAsAsked) {
  auto self = output();
  checkWrite(self);
  EXPECT_TRUE(
      guest.call<Void>(STREAMS, "[method]output-stream.write-zeroes", self, uint64_t{10'000}));
  EXPECT_TRUE(guest.call<Void>(STREAMS, "[method]output-stream.blocking-write-zeroes-and-flush",
                               self, uint64_t{5}));
  EXPECT_EQ(sink->written, std::string(10'005, '\0'));
}

TEST_F(StreamsTest, AWriteThatFailsSaysSoAndClosesTheStream) {
  auto self = output();
  sink->failure = "no space";
  EXPECT_EQ(writeAndFlush(self, "x").error().index(), 0u);
  EXPECT_EQ(writeAndFlush(self, "x").error().index(), 1u);
  EXPECT_EQ(checkWrite(self).error().index(), 1u);
  EXPECT_TRUE(ready(subscribe(self)));
}

TEST_F(StreamsTest, AStreamThatClosesBecauseAllWasWrittenIsASuccess) {
  auto self = output();
  sink->closeAfterWrite = true;
  EXPECT_TRUE(writeAndFlush(self, "last words"));
  EXPECT_EQ(checkWrite(self).error().index(), 1u);
}

TEST_F(StreamsTest, SpliceMovesWhatIsThereAndFits) {
  auto from = input();
  auto to = output();
  sink->budget = 4;
  source->push("abcdefgh");
  EXPECT_EQ(
      guest.call<Count>(STREAMS, "[method]output-stream.splice", to, from, uint64_t{100}).value(),
      4u);
  EXPECT_EQ(
      guest.call<Count>(STREAMS, "[method]output-stream.splice", to, from, uint64_t{100}).value(),
      0u);
  sink->grant(100);
  EXPECT_EQ(
      guest.call<Count>(STREAMS, "[method]output-stream.splice", to, from, uint64_t{1}).value(),
      1u);
  EXPECT_EQ(sink->written, "abcde");
}

TEST_F(StreamsTest, BlockingSpliceWaitsForBothEnds) {
  auto from = input();
  auto to = output();
  sink->budget = 0;
  guest.onSuspend = [&] {
    if (sink->budget == 0) {
      sink->grant(2);
    } else {
      source->push("xyz");
    }
    return true;
  };
  EXPECT_EQ(
      guest.call<Count>(STREAMS, "[method]output-stream.blocking-splice", to, from, uint64_t{9})
          .value(),
      2u);
  EXPECT_EQ(sink->written, "xy");
}

TEST_F(StreamsTest, PollGivesTheIndicesOfAllThatAreReady) {
  auto in = subscribe(input());
  auto out = subscribe(output());
  EXPECT_EQ(poll({in, out, in, out}), (std::vector<uint32_t>{1, 3}));
  EXPECT_EQ(guest.suspensions, 0);
  source->push("x");
  EXPECT_EQ(poll({in, out}), (std::vector<uint32_t>{0, 1}));
}

TEST_F(StreamsTest, PollSuspendsUntilTheFirstIsReady) {
  auto in = subscribe(input());
  sink->budget = 0;
  auto out = subscribe(output());
  int turns = 0;
  guest.onSuspend = [&] {
    // A wake-up for nothing comes first.
    if (turns++ == 0) {
      sink->signal.raise();
    } else {
      source->push("x");
    }
    return true;
  };
  EXPECT_EQ(poll({out, in}), (std::vector<uint32_t>{1}));
  EXPECT_EQ(guest.suspensions, 2);
}

TEST_F(StreamsTest, PollTrapsForAnEmptyList) {
  poll({});
  EXPECT_EQ(guest.trap, "poll was called with an empty list");
}

TEST_F(StreamsTest, ACancelledPollLeavesNothingBehind) {
  auto in = subscribe(input());
  guest.onSuspend = [] { return false; };
  EXPECT_TRUE(poll({in}).empty());
  EXPECT_EQ(guest.trap, "cancelled");
  source->push("nobody waits");
  guest.waitScope.poll();
}

TEST_F(StreamsTest, APollableOutlivesItsStream) {
  auto self = input();
  auto pollable = subscribe(self);
  EXPECT_TRUE(guest.objects.drop(self.rep));
  EXPECT_FALSE(ready(pollable));
  source->push("x");
  EXPECT_TRUE(ready(pollable));
}

// -- Sentence by sentence what the WIT text says besides: tests/wasi-text
// --------------------------

TEST_F(StreamsTest, ReadOfNothingTellsWhetherTheStreamIsOpen) {
  auto self = input();
  EXPECT_EQ(read(self, 0).value(), Bytes());
  source->push("x");
  EXPECT_EQ(read(self, 0).value(), Bytes());
  EXPECT_EQ(textOf(read(self, 1).value()), "x");
  EXPECT_EQ(read(self, 0).value(), Bytes());
  source->closed = true;
  EXPECT_EQ(read(self, 0).error().index(), 1u);
}

TEST_F(StreamsTest, EverythingThatReadsFailsAsReadDoes) {
  auto skip = [&](const char* name, Borrow<InputStream> self) {
    return guest.call<Count>(STREAMS, name, self, uint64_t{9});
  };
  for (bool blocking : {false, true}) {
    for (bool skips : {false, true}) {
      source = std::make_shared<TestSource>();
      auto self = input();
      const char* name =
          blocking ? "[method]input-stream.blocking-skip" : "[method]input-stream.skip";
      auto failure = [&] {
        if (skips) return skip(name, self).error().index();
        return (blocking ? blockingRead(self, 9) : read(self, 9)).error().index();
      };
      source->failure = "broken";
      EXPECT_EQ(failure(), 0u);
      EXPECT_EQ(failure(), 1u);
      EXPECT_EQ(failure(), 1u);
      EXPECT_EQ(guest.suspensions, 0);
    }
  }
}

TEST_F(StreamsTest, APollableOfAnInputIsReadyForBytesAndForTheEnd) {
  auto pollable = subscribe(input());
  EXPECT_FALSE(ready(pollable));
  source->push("x");
  EXPECT_TRUE(ready(pollable));
  source->bytes.clear();
  EXPECT_FALSE(ready(pollable));
  source->ended = true;
  EXPECT_TRUE(ready(pollable));
}

TEST_F(StreamsTest, APollableOfAnOutputIsReadyWhenCheckWriteHasAnAnswer) {
  auto self = output();
  auto pollable = subscribe(self);
  EXPECT_TRUE(ready(pollable));
  sink->budget = 0;
  EXPECT_FALSE(ready(pollable));
  EXPECT_EQ(checkWrite(self).value(), 0u);
  sink->grant(1);
  EXPECT_TRUE(ready(pollable));
  EXPECT_EQ(checkWrite(self).value(), 1u);
  sink->budget = 0;
  sink->closed = true;
  EXPECT_TRUE(ready(pollable));
  EXPECT_TRUE(ready(subscribe(self)));
  EXPECT_EQ(checkWrite(self).error().index(), 1u);
  EXPECT_EQ(guest.suspensions, 0);
}

TEST_F(StreamsTest, BlockReturnsAtOnceWhenReadyAndElseWaitsAsPollDoes) {
  auto pollable = subscribe(input());
  auto block = [&] {
    guest.call<void>("wasi:io/poll", "[method]pollable.block", Borrow<Pollable>{pollable.rep});
  };
  guest.onSuspend = [&] { return source->push("x"), true; };
  block();
  EXPECT_EQ(guest.suspensions, 1);
  block();
  EXPECT_EQ(guest.suspensions, 0);
  EXPECT_EQ(poll({pollable}), std::vector<uint32_t>{0});
}

TEST_F(StreamsTest, ASourceWithAnErrorIsReady) {
  auto in = subscribe(input());
  sink->budget = 0;
  auto out = subscribe(output());
  source->failure = "broken";
  EXPECT_EQ(poll({out, in}), std::vector<uint32_t>{1});
  sink->closed = true;
  EXPECT_EQ(poll({out, in}), (std::vector<uint32_t>{0, 1}));
  EXPECT_EQ(guest.suspensions, 0);
}

TEST_F(StreamsTest, AWriteToAStreamThatClosedSinceThePermitWritesNothing) {
  auto self = output();
  EXPECT_GT(checkWrite(self).value(), 0u);
  sink->failure = "broken";
  EXPECT_EQ(write(self, "a").error().index(), 0u);
  EXPECT_EQ(write(self, "b").error().index(), 1u);
  EXPECT_EQ(guest.trap, "");
  auto flush = [&](const char* name) {
    return guest.call<Void>(STREAMS, name, self).error().index();
  };
  EXPECT_EQ(flush("[method]output-stream.flush"), 1u);
  EXPECT_EQ(flush("[method]output-stream.blocking-flush"), 1u);
  EXPECT_EQ(writeAndFlush(self, "c").error().index(), 1u);
  EXPECT_EQ(guest
                .call<Void>(STREAMS, "[method]output-stream.blocking-write-zeroes-and-flush", self,
                            uint64_t{3})
                .error()
                .index(),
            1u);
  EXPECT_EQ(checkWrite(self).error().index(), 1u);
  EXPECT_EQ(sink->written, "");
}

TEST_F(StreamsTest, AnErrorInTheMiddleOfABlockingWriteEndsIt) {
  auto self = output();
  sink->budget = 3;
  guest.onSuspend = [&] {
    sink->failure = "no space";
    sink->grant(3);
    return true;
  };
  EXPECT_EQ(writeAndFlush(self, "0123456789").error().index(), 0u);
  EXPECT_EQ(sink->written, "012");
  EXPECT_EQ(guest.suspensions, 1);
}

TEST_F(StreamsTest, AFlushNeverWaits) {
  auto self = output();
  sink->slowFlush = true;
  EXPECT_TRUE(guest.call<Void>(STREAMS, "[method]output-stream.flush", self));
  EXPECT_TRUE(sink->flushing);
  EXPECT_EQ(guest.suspensions, 0);
}

TEST_F(StreamsTest, ZeroesNeedAPermitAsBytesDo) {
  auto self = output();
  auto zeroes = [&](uint64_t count) {
    return guest.call<Void>(STREAMS, "[method]output-stream.write-zeroes", self, count);
  };
  sink->budget = 4;
  zeroes(1);
  EXPECT_EQ(guest.trap, "write-zeroes was called with more bytes than check-write permitted");
  checkWrite(self);
  zeroes(5);
  EXPECT_NE(guest.trap, "");
  EXPECT_TRUE(zeroes(3));
  EXPECT_EQ(guest.trap, "");
  zeroes(2);
  EXPECT_NE(guest.trap, "");
  EXPECT_EQ(sink->written, std::string(3, '\0'));
}

TEST_F(StreamsTest, TheFirstErrorEndsASplice) {
  auto splice = [&](const char* name) {
    auto from = input();
    auto to = output();
    return guest.call<Count>(STREAMS, name, to, from, uint64_t{100}).error();
  };
  for (const char* name :
       {"[method]output-stream.splice", "[method]output-stream.blocking-splice"}) {
    source = std::make_shared<TestSource>();
    sink = std::make_shared<TestSink>();
    source->push("unread");
    sink->closed = true;
    EXPECT_EQ(splice(name).index(), 1u);
    EXPECT_EQ(source->bytes.size(), 6u);
    sink = std::make_shared<TestSink>();
    sink->failure = "no space";
    EXPECT_EQ(splice(name).index(), 0u);
    source = std::make_shared<TestSource>();
    sink = std::make_shared<TestSink>();
    source->failure = "broken";
    EXPECT_EQ(splice(name).index(), 0u);
    EXPECT_EQ(splice(name).index(), 1u);
    EXPECT_EQ(sink->written, "");
  }
}

TEST_F(StreamsTest, SpliceNeverWaits) {
  auto from = input();
  auto to = output();
  auto splice = [&] {
    return guest.call<Count>(STREAMS, "[method]output-stream.splice", to, from, uint64_t{9})
        .value();
  };
  EXPECT_EQ(splice(), 0u);
  sink->budget = 0;
  source->push("x");
  EXPECT_EQ(splice(), 0u);
  EXPECT_EQ(guest.suspensions, 0);
  EXPECT_EQ(source->bytes.size(), 1u);
}

}  // namespace
}  // namespace tenon::wasi
