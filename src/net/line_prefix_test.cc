#include "net/line_prefix.h"

#include "net/memory_streams.h"
#include "net/net_testing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

namespace tenon::net {
namespace {

// Takes `room` bytes, then nothing until `more` is called.
class SlowSink final : public OutputSink {
 public:
  explicit SlowSink(uint64_t room) : room_(room), left_(room) {}

  StreamResult<uint64_t> permit() override {
    if (broken) return closedFault();
    return left_;
  }
  StreamResult<void> write(std::span<const std::byte> bytes) override {
    EXPECT_LE(bytes.size(), left_);
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    left_ = 0;
    return {};
  }
  StreamResult<void> flush() override { return {}; }
  bool ready() override { return broken || left_ > 0; }
  kj::Promise<void> whenReady() override {
    if (ready()) return kj::READY_NOW;
    auto paf = kj::newPromiseAndFulfiller<void>();
    waiting_ = kj::mv(paf.fulfiller);
    return kj::mv(paf.promise);
  }
  void more() {
    left_ = room_;
    KJ_IF_MAYBE (waiting, waiting_) (*waiting)->fulfill();
  }

  std::string text;
  bool broken = false;

 private:
  const uint64_t room_;
  uint64_t left_;
  kj::Maybe<kj::Own<kj::PromiseFulfiller<void>>> waiting_;
};

class LinePrefixTest : public testing::Test {
 public:
  void use(uint64_t room) {
    slow = std::make_shared<SlowSink>(room);
    sink = newLinePrefixSink(slow, "web | ");
  }
  void write(std::string_view text) { EXPECT_TRUE(sink->write(bytesOf(text)).hasValue()); }

  TimedLoop loop;
  std::shared_ptr<SlowSink> slow;
  std::shared_ptr<OutputSink> sink;
};

TEST_F(LinePrefixTest, PutsThePrefixInFrontOfEachLine) {
  std::string text;
  sink = newLinePrefixSink(newCallbackSink([&](std::span<const std::byte> bytes) {
                             text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
                           }),
                           "web | ");
  write("one\ntwo\n\nth");
  EXPECT_EQ(text, "web | one\nweb | two\nweb | \n");
  write("ree\n");
  EXPECT_EQ(text, "web | one\nweb | two\nweb | \nweb | three\n");
  EXPECT_TRUE(sink->flushed());
  EXPECT_TRUE(sink->ready());
}

TEST_F(LinePrefixTest, EndsALineThatHasNoEndWhenSomebodyWaitsForIt) {
  use(1000);
  write("one");
  EXPECT_EQ(slow->text, "");
  EXPECT_FALSE(sink->flushed());
  sink->whenFlushed().wait(loop.waitScope);
  EXPECT_EQ(slow->text, "web | one\n");
  EXPECT_TRUE(sink->flushed());
}

TEST_F(LinePrefixTest, HandsOnWholeLinesAsTheSinkHasRoom) {
  use(20);
  write("one\ntwo\nthree\n");
  EXPECT_EQ(slow->text, "web | one\nweb | two\n");
  EXPECT_FALSE(sink->ready());
  EXPECT_EQ(*sink->permit(), 0u);
  auto flushed = sink->whenFlushed();
  EXPECT_FALSE(flushed.poll(loop.waitScope));
  slow->more();
  EXPECT_TRUE(flushed.poll(loop.waitScope));
  EXPECT_EQ(slow->text, "web | one\nweb | two\nweb | three\n");
  EXPECT_GT(*sink->permit(), 0u);
}

TEST_F(LinePrefixTest, CutsALineThatIsLongerThanTheRoom) {
  use(4);
  write("abcd\n");
  auto flushed = sink->whenFlushed();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(flushed.poll(loop.waitScope), i == 2);
    slow->more();
  }
  EXPECT_EQ(slow->text, "web | abcd\n");
}

TEST_F(LinePrefixTest, BreaksALineThatNeverEnds) {
  std::string text;
  sink = newLinePrefixSink(newCallbackSink([&](std::span<const std::byte> bytes) {
                             text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
                           }),
                           "p ");
  for (size_t i = 0; i < MAX_PREFIXED_LINE; i += 4096) write(std::string(4096, 'x'));
  EXPECT_EQ(text, "p " + std::string(MAX_PREFIXED_LINE, 'x') + "\n");
}

TEST_F(LinePrefixTest, IsClosedWhereItsSinkIs) {
  use(1000);
  slow->broken = true;
  EXPECT_TRUE(sink->write(bytesOf("line\n")).hasValue());
  EXPECT_TRUE(sink->ready());
  EXPECT_FALSE(sink->permit().hasValue());
  EXPECT_FALSE(sink->write(bytesOf("line\n")).hasValue());
  EXPECT_TRUE(sink->flushed());
}

TEST_F(LinePrefixTest, EscapesWhatCouldSteerATerminal) {
  use(1 << 20);
  write("one\x1b[2K\rcart | two\r\nthree\t\xff\n");
  EXPECT_EQ(slow->text, "web | one\\u{1b}[2K\\rcart | two\r\nweb | three\t\\xff\n");
}

}  // namespace
}  // namespace tenon::net
