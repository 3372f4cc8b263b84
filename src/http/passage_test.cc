#include "http/body_reader.h"
#include "http/body_writer.h"
#include "net/net_testing.h"

#include <kj/async-io.h>

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace tenon::http {
namespace {

using net::bytesOf;
using net::textOf;

// What is sent when the socket is not written to directly.
struct Sent final : kj::AsyncOutputStream {
  kj::Promise<void> write(const void* buffer, size_t size) override {
    text.append(static_cast<const char*>(buffer), size);
    return kj::READY_NOW;
  }
  kj::Promise<void> write(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces) override {
    for (auto piece : pieces) {
      text.append(reinterpret_cast<const char*>(piece.begin()), piece.size());
    }
    return kj::READY_NOW;
  }
  kj::Promise<void> whenWriteDisconnected() override { return kj::NEVER_DONE; }

  std::string text;
};

// A body that goes from one socket to another as a guest's `splice` moves it.
class HttpPassage : public testing::Test {
 public:
  ~HttpPassage() noexcept override {}

  void SetUp() override {
    constexpr int KIND = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    ASSERT_EQ(::socketpair(AF_UNIX, KIND, 0, from), 0);
    ASSERT_EQ(::socketpair(AF_UNIX, KIND, 0, to), 0);
    wire = std::make_unique<Wire>(*way.ends[0], time.timer, from[0]);
    writer = std::make_shared<BodyWriter>(Side::RESPONSE);
  }
  void TearDown() override {
    sending = nullptr;
    for (int fd : {from[0], from[1], to[0], to[1]}) (void)::close(fd);
  }

 protected:
  void startSending(BodyMode mode, std::string head = "") {
    sending = sendMessage(sent, std::move(head), mode, writer, time.timer, progress, to[0]);
    EXPECT_FALSE(sending.poll(time.waitScope));
  }
  void come(std::string_view bytes) {
    ASSERT_EQ(::write(from[1], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  // Bytes that were read from the socket before.
  void comeEarly(std::string_view bytes) {
    auto writing = way.ends[1]->write(bytes.data(), bytes.size());
    EXPECT_TRUE(wire->fill().wait(time.waitScope));
    writing.wait(time.waitScope);
  }
  uint64_t pass(BodyReader& reader, uint64_t most = UINT64_MAX) {
    std::string before;
    uint64_t count = reader.fillPipe(pipe, before, std::min<uint64_t>(most, writer->pipeRoom()));
    EXPECT_EQ(count, before.size() + pipe.size());
    if (count != 0) {
      EXPECT_TRUE(writer->takePipe(before, pipe));
    }
    EXPECT_EQ(pipe.size(), 0u);
    return count;
  }
  // What came to the other side's socket by now.
  std::string arrived() {
    std::string all;
    char buffer[4096];
    while (true) {
      ssize_t count = ::read(to[1], buffer, sizeof(buffer));
      if (count <= 0) return all;
      all.append(buffer, static_cast<size_t>(count));
    }
  }

  net::TimedLoop time;
  kj::TwoWayPipe way = kj::newTwoWayPipe();
  int from[2] = {-1, -1};
  int to[2] = {-1, -1};
  std::unique_ptr<Wire> wire;
  std::shared_ptr<BodyWriter> writer;
  net::KernelPipe pipe;
  Sent sent;
  WriteProgress progress;
  kj::Promise<bool> sending = nullptr;  // last: uses everything above
};

TEST_F(HttpPassage, BytesGoFromSocketToSocketInChunks) {
  BodyReader reader(*wire, {.framing = Framing::LENGTH, .length = 16});
  startSending(BodyMode::CHUNKED);
  comeEarly("early ");
  come("and later!");
  EXPECT_EQ(pass(reader), 16u);
  EXPECT_EQ(arrived(), "10\r\nearly and later!\r\n");
  EXPECT_TRUE(reader.complete());
  EXPECT_EQ(reader.received(), 16u);
  EXPECT_EQ(writer->written(), 16u);
  EXPECT_TRUE(writer->finish(nullptr));
  EXPECT_TRUE(sending.wait(time.waitScope));
  EXPECT_EQ(sent.text, "0\r\n\r\n");
}

TEST_F(HttpPassage, NothingIsTakenFromBehindABodyOrAChunk) {
  BodyReader reader(*wire, {.framing = Framing::CHUNKED});
  startSending(BodyMode::PLAIN);
  comeEarly("a\r\n01");
  come("23456789\r\n0\r\n\r\nNEXT");
  EXPECT_EQ(pass(reader, 5), 5u);
  EXPECT_EQ(pass(reader), 5u);
  EXPECT_EQ(arrived(), "0123456789");
  EXPECT_EQ(pass(reader), 0u);
  char rest[64];
  EXPECT_EQ(std::string_view(rest, static_cast<size_t>(::read(from[0], rest, sizeof(rest)))),
            "\r\n0\r\n\r\nNEXT");
}

TEST_F(HttpPassage, NothingIsThereYet) {
  BodyReader reader(*wire, {.framing = Framing::LENGTH, .length = 16});
  startSending(BodyMode::PLAIN);
  EXPECT_EQ(pass(reader), 0u);
  comeEarly("all of it so far");
  EXPECT_EQ(pass(reader), 0u);  // `read` gives these
  std::byte buffer[20];
  EXPECT_EQ(reader.read(buffer).value(), 16u);
}

TEST_F(HttpPassage, WhileARequestForBytesIsUnderWayTheyAreLeftAlone) {
  BodyReader reader(*wire, {.framing = Framing::LENGTH, .length = 16});
  startSending(BodyMode::PLAIN);
  auto waiting = reader.whenReady();
  come("bytes");
  EXPECT_EQ(pass(reader), 0u);
  EXPECT_EQ(arrived(), "");
}

TEST_F(HttpPassage, WhatTheSocketDoesNotTakeFollowsInOrder) {
  int size = 4096;
  ASSERT_EQ(::setsockopt(to[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
  std::string body;
  for (int i = 0; body.size() < 40'000; ++i) body += std::to_string(i) + " ";
  BodyReader reader(*wire, {.framing = Framing::LENGTH, .length = body.size()});
  startSending(BodyMode::CHUNKED);
  come(body);
  // As if the room had been there a moment ago.
  std::string before;
  EXPECT_EQ(reader.fillPipe(pipe, before, body.size()), body.size());
  EXPECT_TRUE(writer->takePipe(before, pipe));
  EXPECT_EQ(pipe.size(), 0u);
  EXPECT_GT(writer->waiting(), 0u);
  EXPECT_EQ(writer->pipeRoom(), 0u);
  EXPECT_TRUE(writer->write(bytesOf("end")));
  EXPECT_TRUE(writer->finish(nullptr));
  EXPECT_TRUE(sending.wait(time.waitScope));
  char line[16];
  std::snprintf(line, sizeof(line), "%zx\r\n", body.size());
  EXPECT_EQ(arrived() + sent.text, line + body + "\r\n3\r\nend\r\n0\r\n\r\n");
}

TEST_F(HttpPassage, ABodyBeyondItsLimitFails) {
  BodyReader reader(*wire, {.framing = Framing::UNTIL_CLOSE, .maxBytes = 10});
  startSending(BodyMode::PLAIN);
  come("0123456789ab");
  EXPECT_EQ(pass(reader), 12u);
  ASSERT_TRUE(reader.error());
  EXPECT_EQ(toText(*reader.error()), "HTTP-request-body-size: 12");
  EXPECT_EQ(pass(reader), 0u);
}

TEST_F(HttpPassage, MoreThanWasDeclaredBreaksTheMessage) {
  writer->declare(4);
  BodyReader reader(*wire, {.framing = Framing::LENGTH, .length = 5});
  startSending(BodyMode::PLAIN);
  come("bytes");
  std::string before;
  EXPECT_EQ(reader.fillPipe(pipe, before, 100), 5u);
  EXPECT_FALSE(writer->takePipe(before, pipe));
  EXPECT_EQ(pipe.size(), 0u);
  EXPECT_FALSE(sending.wait(time.waitScope));
  EXPECT_EQ(arrived() + sent.text, "");
}

TEST_F(HttpPassage, NothingPassesBehindBytesThatWait) {
  BodyReader reader(*wire, {.framing = Framing::LENGTH, .length = 16});
  startSending(BodyMode::PLAIN);
  EXPECT_TRUE(writer->write(bytesOf("first")));
  come("then");
  EXPECT_EQ(pass(reader), 0u);
  EXPECT_FALSE(sending.poll(time.waitScope));
  EXPECT_EQ(sent.text, "first");
  EXPECT_EQ(pass(reader), 4u);
  EXPECT_EQ(arrived(), "then");
}

TEST_F(HttpPassage, ItIsIdleAgainWhenWhatWasWrittenHasLeft) {
  startSending(BodyMode::CHUNKED);
  EXPECT_TRUE(writer->whenPipeIdle().poll(time.waitScope));
  EXPECT_TRUE(writer->write(bytesOf("first")));
  EXPECT_TRUE(writer->pipeBusy());
  while (writer->pipeBusy()) writer->whenPipeIdle().wait(time.waitScope);
  EXPECT_EQ(sent.text, "5\r\nfirst\r\n");
  EXPECT_GT(writer->pipeRoom(), 0u);
  EXPECT_TRUE(writer->write(bytesOf("last")));
  auto waiting = writer->whenPipeIdle();
  writer->close(std::nullopt);
  EXPECT_TRUE(waiting.poll(time.waitScope));
  EXPECT_FALSE(writer->pipeBusy());
}

TEST_F(HttpPassage, AnAnswerToHeadTakesNothing) {
  BodyReader reader(*wire, {.framing = Framing::LENGTH, .length = 16});
  startSending(BodyMode::NONE);
  come("bytes");
  EXPECT_EQ(pass(reader), 0u);
}

TEST_F(HttpPassage, ThereIsRoomOnlyWhileTheMessageIsSent) {
  startSending(BodyMode::PLAIN);
  EXPECT_GT(writer->pipeRoom(), 0u);
  EXPECT_FALSE(writer->pipeBusy());
  sending = nullptr;  // nobody sends
  EXPECT_EQ(writer->pipeRoom(), 0u);
}

}  // namespace
}  // namespace tenon::http
