#include "host/server/respond.h"

#include <gtest/gtest.h>

namespace tenon::host {
namespace {

using http::Answer;
using http::BodyMode;
using http::BodyWriter;
using http::FieldList;
using http::Side;

Answer answerWith(FieldList fields, std::string_view body, bool finished, uint16_t status = 200) {
  Answer answer{status, std::make_shared<FieldList>(std::move(fields)),
                std::make_shared<BodyWriter>(Side::RESPONSE)};
  EXPECT_TRUE(answer.body->write(std::as_bytes(std::span(body))));
  if (finished) EXPECT_TRUE(answer.body->finish(nullptr));
  return answer;
}

TEST(HttpRespond, ABodyThatIsAllThereHasALength) {
  std::string head;
  ResponseContext context{.date = "Date: now\r\n"};
  EXPECT_EQ(writeHead(head, answerWith({{"a", "b"}}, "four", true), context), BodyMode::PLAIN);
  EXPECT_EQ(head, "HTTP/1.1 200 OK\r\na: b\r\nContent-Length: 4\r\nDate: now\r\n\r\n");
}

TEST(HttpRespond, ABodyThatGoesOnIsChunked) {
  std::string head;
  ResponseContext context;
  EXPECT_EQ(writeHead(head, answerWith({}, "four", false), context), BodyMode::CHUNKED);
  EXPECT_EQ(head, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
}

TEST(HttpRespond, OldClientsGetTheEndOfTheConnection) {
  std::string head;
  ResponseContext context{.minorVersion = 0};
  EXPECT_EQ(writeHead(head, answerWith({}, "four", false), context), BodyMode::PLAIN);
  EXPECT_EQ(head, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
  EXPECT_FALSE(context.keepAlive);
}

TEST(HttpRespond, ResponsesWithoutBodyHaveNone) {
  for (uint16_t status : {204, 304}) {
    std::string head;
    ResponseContext context;
    EXPECT_EQ(writeHead(head, answerWith({}, "four", true, status), context), BodyMode::NONE);
    EXPECT_EQ(head.find("Length"), std::string::npos);
  }
  std::string head;
  ResponseContext context{.toHead = true};
  EXPECT_EQ(writeHead(head, answerWith({{"content-length", "4"}}, "four", true), context),
            BodyMode::NONE);
  EXPECT_NE(head.find("content-length: 4\r\n"), std::string::npos);
}

TEST(HttpRespond, AGuestsOwnLengthAndDateAreKept) {
  std::string head;
  ResponseContext context{.date = "Date: now\r\n"};
  FieldList fields = {{"a", "b"}, {"content-LENGTH", "4"}, {"dAte", "then"}};
  EXPECT_EQ(writeHead(head, answerWith(fields, "four", false), context), BodyMode::PLAIN);
  EXPECT_EQ(head, "HTTP/1.1 200 OK\r\na: b\r\ncontent-LENGTH: 4\r\ndAte: then\r\n\r\n");
}

TEST(HttpRespond, ALengthThatTheBodyIsNotHeldToIsNotWritten) {
  for (const char* first : {"x", "4"}) {
    std::string head;
    ResponseContext context;
    FieldList fields = {{"content-length", first}, {"content-length", "5"}};
    ASSERT_EQ(http::declaredLength(fields), std::nullopt);
    EXPECT_EQ(writeHead(head, answerWith(fields, "four", false), context), BodyMode::CHUNKED);
    EXPECT_EQ(head, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  }
}

TEST(HttpRespond, DatesAreInGmt) {
  EXPECT_EQ(httpDate(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
}

}  // namespace
}  // namespace tenon::host
