#include "http/body_reader.h"
#include "http/body_writer.h"
#include "net/net_testing.h"

#include <kj/async-io.h>

#include <random>

namespace tenon::http {
namespace {

using net::bytesOf;
using net::textOf;

class HttpBody : public testing::Test {
 public:
  ~HttpBody() noexcept override {}

 protected:
  std::shared_ptr<BodyReader> newReader(Framing framing, uint64_t length = 0) {
    return std::make_shared<BodyReader>(
        wire, BodyOptions{.framing = framing, .length = length, .maxBytes = 1'000'000});
  }
  void arrive(std::string_view bytes) {
    pipe.ends[1]->write(bytes.data(), bytes.size()).wait(time.waitScope);
  }
  // Reads to the end; what it failed with is put behind it.
  std::string readAll(BodyReader& reader, size_t atOnce = 1000) {
    std::string all;
    std::vector<std::byte> buffer(atOnce);
    while (true) {
      auto promise = reader.whenReady();
      if (!promise.poll(time.waitScope)) return all + " (waits)";
      promise.wait(time.waitScope);
      auto count = reader.read(buffer);
      if (!count) {
        if (!count.error().closed()) all += " (" + count.error().error->text + ")";
        return all;
      }
      all.append(reinterpret_cast<const char*>(buffer.data()), *count);
    }
  }

  net::TimedLoop time;
  kj::TwoWayPipe pipe = kj::newTwoWayPipe();
  Wire wire{*pipe.ends[0], time.timer};
};

// Sends `text` in pieces of `size` and reads meanwhile.
TEST_F(HttpBody, ChunksAreReadHoweverTheyArrive) {
  std::string text = "5\r\nhello\r\n6;x=\"y\"\r\n world\r\n0\r\nA: b\r\nC: d\r\n\r\nNEXT";
  for (size_t size = 1; size < text.size(); ++size) {
    kj::TwoWayPipe way = kj::newTwoWayPipe();
    Wire line(*way.ends[0], time.timer);
    BodyReader reader(line, {.framing = Framing::CHUNKED});
    std::string all;
    std::byte buffer[3];
    std::string_view left = text;
    kj::Promise<void> sending = kj::READY_NOW;
    while (!reader.finished()) {
      if (!reader.ready()) {
        auto ready = reader.whenReady();
        std::string_view piece = left.substr(0, size);
        ASSERT_FALSE(piece.empty());
        way.ends[1]->write(piece.data(), piece.size()).wait(time.waitScope);
        left.remove_prefix(piece.size());
        ready.wait(time.waitScope);
      }
      auto count = reader.read(buffer);
      if (count) all.append(reinterpret_cast<const char*>(buffer), *count);
    }
    EXPECT_EQ(all, "hello world");
    ASSERT_TRUE(reader.trailers());
    EXPECT_EQ(reader.trailers()->size(), 2u);
    // What follows is the next message's.
    EXPECT_TRUE(std::string_view("NEXT").starts_with(line.bytes()));
  }
}

TEST_F(HttpBody, NothingButAnExtensionFollowsAChunksSize) {
  auto read = [&](std::string_view text) {
    kj::TwoWayPipe way = kj::newTwoWayPipe();
    Wire line(*way.ends[0], time.timer);
    BodyReader reader(line, {.framing = Framing::CHUNKED});
    auto waiting = reader.whenReady();
    auto sending = way.ends[1]->write(text.data(), text.size());
    (void)waiting.poll(time.waitScope);
    return readAll(reader);
  };
  for (std::string_view line : {"5", "5\t;a=b", "5 ; a = \"b;\\\"\"", "5;a", "5;a;b=c", "005"}) {
    EXPECT_EQ(read(std::string(line) + "\r\nhello\r\n0\r\n\r\n"), "hello") << line;
  }
  for (std::string_view line : {"5 ", "5\t", "5;", "5; ", "5;a ", "5;a=", "5;a=\"", "5;a b",
                                "5 zzz", "5 5", "5,5", "5\"", "5 \tx;a", " 5", "0x5"}) {
    EXPECT_EQ(read(std::string(line) + "\r\nhello\r\n0\r\n\r\n"), " (HTTP-protocol-error)") << line;
  }
}

TEST_F(HttpBody, LinesThatEndWithoutACarriageReturnAreAnErrorAtOnce) {
  for (std::string_view text : {"5\n", "5\r\nhello\n", "5\r\nhellox", "0\r\n\n", "0\r\nA: b\n"}) {
    kj::TwoWayPipe way = kj::newTwoWayPipe();
    Wire line(*way.ends[0], time.timer);
    BodyReader reader(line, {.framing = Framing::CHUNKED});
    auto waiting = reader.whenReady();
    auto sending = way.ends[1]->write(text.data(), text.size());
    (void)waiting.poll(time.waitScope);
    std::string all = readAll(reader);
    EXPECT_TRUE(all.ends_with("(HTTP-protocol-error)")) << text << " became " << all;
  }
}

TEST_F(HttpBody, ExtensionsOfAllChunksTogetherHaveALimit) {
  kj::TwoWayPipe way = kj::newTwoWayPipe();
  Wire line(*way.ends[0], time.timer);
  BodyReader reader(line, {.framing = Framing::CHUNKED});
  std::string text;
  for (int i = 0; i < 20; ++i) text += "1;" + std::string(1000, 'x') + "\r\ny\r\n";
  auto waiting = reader.whenReady();
  auto sending = way.ends[1]->write(text.data(), text.size());
  (void)waiting.poll(time.waitScope);
  EXPECT_EQ(readAll(reader), std::string(16, 'y') + " (HTTP-protocol-error)");
}

TEST_F(HttpBody, TrailersHaveNothingThatIsForTheHead) {
  auto body = std::make_shared<BodyWriter>(Side::RESPONSE);
  auto trailers = std::make_shared<FieldList>(
      FieldList{{"x-sum", "1"}, {"content-type", "a"}, {"set-cookie", "b"}, {"trailer", "x-sum"}});
  EXPECT_TRUE(body->finish(trailers));
  WriteProgress progress;
  auto sending = sendMessage(*pipe.ends[1], "", BodyMode::CHUNKED, body, time.timer, progress);
  char text[64] = "";
  size_t size = pipe.ends[0]->tryRead(text, 1, sizeof(text)).wait(time.waitScope);
  EXPECT_EQ(std::string_view(text, size), "0\r\nx-sum: 1\r\n\r\n");
  EXPECT_TRUE(sending.wait(time.waitScope));
}

TEST_F(HttpBody, ALengthEndsABody) {
  auto reader = newReader(Framing::LENGTH, 5);
  auto waiting = reader->whenReady();
  arrive("hello!");
  EXPECT_EQ(readAll(*reader, 2), "hello");
  EXPECT_TRUE(reader->complete());
  EXPECT_EQ(wire.bytes(), "!");
}

TEST_F(HttpBody, AnEarlyEndIsAnErrorOnce) {
  auto reader = newReader(Framing::LENGTH, 5);
  auto waiting = reader->whenReady();
  arrive("he");
  pipe.ends[1]->shutdownWrite();
  EXPECT_EQ(readAll(*reader), "he (connection-terminated)");
  std::byte buffer[1];
  EXPECT_TRUE(reader->read(buffer).error().closed());
  EXPECT_TRUE(reader->ready());
}

TEST_F(HttpBody, TheEndOfTheConnectionEndsABodyWithoutLength) {
  auto reader = newReader(Framing::UNTIL_CLOSE);
  auto waiting = reader->whenReady();
  arrive("all");
  pipe.ends[1]->shutdownWrite();
  EXPECT_EQ(readAll(*reader), "all");
  EXPECT_TRUE(reader->complete());
}

TEST_F(HttpBody, ABodyBeyondTheLimitIsAnError) {
  auto reader = std::make_shared<BodyReader>(
      wire, BodyOptions{.framing = Framing::UNTIL_CLOSE, .maxBytes = 10});
  auto waiting = reader->whenReady();
  arrive("0123456789ab");
  EXPECT_EQ(readAll(*reader), "0123456789ab (HTTP-request-body-size: 12)");
}

TEST_F(HttpBody, ADetachedReaderFails) {
  auto reader = newReader(Framing::LENGTH, 5);
  auto waiting = reader->whenReady();
  EXPECT_FALSE(waiting.poll(time.waitScope));
  reader->detach(makeError<ErrorKind::CONNECTION_TERMINATED>());
  EXPECT_TRUE(waiting.poll(time.waitScope));
  EXPECT_EQ(readAll(*reader), " (connection-terminated)");
}

TEST_F(HttpBody, PatienceEnds) {
  auto reader = std::make_shared<BodyReader>(
      wire, BodyOptions{.framing = Framing::LENGTH, .length = 5, .patience = 2 * kj::SECONDS});
  auto waiting = reader->whenReady();
  time.timer.advanceTo(time.timer.now() + 1 * kj::SECONDS);
  EXPECT_FALSE(waiting.poll(time.waitScope));
  time.timer.advanceTo(time.timer.now() + 2 * kj::SECONDS);
  EXPECT_TRUE(waiting.poll(time.waitScope));
  EXPECT_EQ(readAll(*reader), " (connection-read-timeout)");
}

// -- BodyWriter

struct Sent final : kj::AsyncOutputStream {
  kj::Promise<void> write(const void* buffer, size_t size) override {
    text.append(static_cast<const char*>(buffer), size);
    ++writes;
    return blocked ? kj::Promise<void>(kj::NEVER_DONE) : kj::Promise<void>(kj::READY_NOW);
  }
  kj::Promise<void> write(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces) override {
    for (auto piece : pieces) {
      text.append(reinterpret_cast<const char*>(piece.begin()), piece.size());
    }
    ++writes;
    return blocked ? kj::Promise<void>(kj::NEVER_DONE) : kj::Promise<void>(kj::READY_NOW);
  }
  kj::Promise<void> whenWriteDisconnected() override { return kj::NEVER_DONE; }

  std::string text;
  int writes = 0;
  bool blocked = false;
};

TEST_F(HttpBody, ASmallMessageLeavesInOneWrite) {
  Sent sent;
  auto body = std::make_shared<BodyWriter>(Side::RESPONSE);
  EXPECT_TRUE(body->write(bytesOf("content")));
  EXPECT_TRUE(body->finish(nullptr));
  WriteProgress progress;
  EXPECT_TRUE(
      sendMessage(sent, "HEAD ", BodyMode::PLAIN, body, time.timer, progress).wait(time.waitScope));
  EXPECT_EQ(sent.text, "HEAD content");
  EXPECT_EQ(sent.writes, 1);
}

// Found by the fuzzer `http`.
TEST_F(HttpBody, TheSizeOfTrailersThatAreTooLargeDoesNotDependOnHowTheyArrive) {
  const std::string text = "0\r\na: " + std::string(300, 'x') + "\r\n\r\nNEXT";
  for (size_t size : {size_t{1}, size_t{250}, size_t{290}, text.size()}) {
    kj::TwoWayPipe way = kj::newTwoWayPipe();
    Wire line(*way.ends[0], time.timer);
    BodyOptions options{.framing = Framing::CHUNKED};
    options.trailers.bytes = 280;
    BodyReader reader(line, options);
    kj::Promise<void> dropped = reader.discard();
    std::string_view left = text;
    while (!left.empty()) {
      std::string_view piece = left.substr(0, size);
      auto sending = way.ends[1]->write(piece.data(), piece.size());
      left.remove_prefix(piece.size());
      if (dropped.poll(time.waitScope)) break;
    }
    ASSERT_NE(reader.error(), nullptr);
    constexpr auto EXPECTED = ErrorKind::HTTP_REQUEST_TRAILER_SECTION_SIZE;
    ASSERT_EQ(kindOf(*reader.error()), EXPECTED);
    EXPECT_EQ(std::get<static_cast<size_t>(EXPECTED)>(*reader.error()), 280u) << size;
  }
}

TEST_F(HttpBody, ChunksAndTrailersAreWritten) {
  Sent sent;
  auto body = std::make_shared<BodyWriter>(Side::RESPONSE);
  WriteProgress progress;
  auto sending = sendMessage(sent, "", BodyMode::CHUNKED, body, time.timer, progress);
  EXPECT_FALSE(sending.poll(time.waitScope));
  EXPECT_TRUE(body->write(bytesOf("content")));
  EXPECT_FALSE(sending.poll(time.waitScope));
  auto trailers = std::make_shared<FieldList>(FieldList{{"a", "b"}});
  EXPECT_TRUE(body->finish(trailers));
  EXPECT_TRUE(sending.wait(time.waitScope));
  EXPECT_EQ(sent.text, "7\r\ncontent\r\n0\r\na: b\r\n\r\n");
}

TEST_F(HttpBody, ABlockedConnectionHoldsTheGuestBack) {
  Sent sent;
  sent.blocked = true;
  auto body = std::make_shared<BodyWriter>(Side::RESPONSE);
  WriteProgress progress;
  auto sending = sendMessage(sent, "x", BodyMode::PLAIN, body, time.timer, progress);
  EXPECT_FALSE(sending.poll(time.waitScope));
  std::vector<std::byte> bytes(BodyWriter::ROOM);
  EXPECT_EQ(body->permit().value(), BodyWriter::ROOM);
  EXPECT_TRUE(body->write(bytes));
  EXPECT_EQ(body->permit().value(), 0u);
  EXPECT_FALSE(body->ready());
  auto waiting = body->whenReady();
  EXPECT_FALSE(waiting.poll(time.waitScope));
  body->close(makeError<ErrorKind::CONNECTION_TERMINATED>());
  EXPECT_TRUE(waiting.poll(time.waitScope));
  EXPECT_FALSE(body->permit().error().closed());
  EXPECT_TRUE(body->permit().error().closed());
}

TEST_F(HttpBody, ADeclaredLengthIsHeld) {
  BodyWriter longer(Side::RESPONSE);
  longer.declare(3);
  EXPECT_FALSE(longer.write(bytesOf("four")));
  EXPECT_TRUE(longer.broken());
  BodyWriter shorter(Side::REQUEST);
  shorter.declare(5);
  EXPECT_TRUE(shorter.write(bytesOf("four")));
  auto finished = shorter.finish(nullptr);
  ASSERT_FALSE(finished);
  EXPECT_EQ(toText(finished.error()), "HTTP-request-body-size: 4");
}

TEST_F(HttpBody, TheAnswerToAHeadMayLeaveOutWhatWasDeclared) {
  BodyWriter none(Side::RESPONSE);
  none.declare(5);
  none.allowNone();
  EXPECT_TRUE(none.finish(nullptr));
  BodyWriter half(Side::RESPONSE);
  half.declare(5);
  half.allowNone();
  EXPECT_TRUE(half.write(bytesOf("four")));
  EXPECT_FALSE(half.finish(nullptr));
}

TEST_F(HttpBody, AMessageThatIsBrokenOffIsNotEnded) {
  Sent sent;
  auto body = std::make_shared<BodyWriter>(Side::RESPONSE);
  EXPECT_TRUE(body->write(bytesOf("half")));
  body->abandon();
  WriteProgress progress;
  EXPECT_FALSE(
      sendMessage(sent, "", BodyMode::CHUNKED, body, time.timer, progress).wait(time.waitScope));
  EXPECT_EQ(sent.text, "4\r\nhalf\r\n");
}

}  // namespace
}  // namespace tenon::http
