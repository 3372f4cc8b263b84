#include "http/message.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tenon::http {
namespace {

constexpr HeadLimits LIMITS{.bytes = 4096, .fields = 4};

RequestHead parsed(std::string_view head) {
  EXPECT_EQ(headSize(head, 0), head.size());
  auto request = parseRequest(head, LIMITS);
  EXPECT_TRUE(request) << head;
  return request ? request.value() : RequestHead();
}

uint16_t refusal(std::string_view head) {
  auto request = parseRequest(head, LIMITS);
  return request ? 0 : request.error().status;
}

TEST(HttpMessage, ReadsARequest) {
  RequestHead head = parsed("GET /a?b HTTP/1.1\r\nHost: x:1\r\nX-Y:  v w \r\n\r\n");
  EXPECT_EQ(head.method, "GET");
  EXPECT_EQ(head.target, "/a?b");
  EXPECT_EQ(head.host, "x:1");
  EXPECT_TRUE(head.keepAlive);
  EXPECT_EQ(head.framing, Framing::NONE);
  // Host is the authority, so no guest sees it among the fields.
  ASSERT_EQ(head.fields->size(), 1u);
  EXPECT_EQ(head.fields->at(0).name, "X-Y");
  EXPECT_EQ(head.fields->at(0).value, "v w");
}

TEST(HttpMessage, FindsTheEndOfAHeadThatComesInPieces) {
  std::string_view head = "GET / HTTP/1.1\r\nHost: x\r\n\r\nrest";
  for (size_t i = 0; i < head.size() - 4; ++i) EXPECT_EQ(headSize(head.substr(0, i), i / 2), 0u);
  for (size_t from = 0; from < 26; ++from) EXPECT_EQ(headSize(head, from), head.size() - 4);
}

TEST(HttpMessage, KnowsHowABodyEnds) {
  EXPECT_EQ(parsed("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\n").length, 7u);
  EXPECT_EQ(parsed("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n").framing,
            Framing::CHUNKED);
  auto response = [](std::string_view text, bool toHead) {
    return parseResponse(text, toHead, LIMITS).value();
  };
  EXPECT_EQ(response("HTTP/1.1 200 OK\r\n\r\n", false).framing, Framing::UNTIL_CLOSE);
  EXPECT_EQ(response("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true).framing, Framing::NONE);
  EXPECT_EQ(response("HTTP/1.1 304 \r\nContent-Length: 5\r\n\r\n", false).framing, Framing::NONE);
  EXPECT_EQ(response("HTTP/1.1 200\r\nTransfer-Encoding: gzip\r\n\r\n", false).transferCoding,
            "gzip");
}

TEST(HttpMessage, ALineThatDoesNotEndWithCrLfEndsTheHead) {
  for (std::string_view head :
       {"\n", "GET / HTTP/1.1\n", "GET / HTTP/1.1\r\nHost: a\n", "GET / HTTP/1.1\r\nHost: a\r\n\n",
        "GET / HTTP/1.1\r\nHost: a\n\r\n"}) {
    size_t size = headSize(head, 0);
    ASSERT_NE(size, 0u) << head;
    EXPECT_EQ(refusal(head.substr(0, size)), 400) << head;
  }
  EXPECT_FALSE(parseResponse("HTTP/1.1 200 OK\nA: b\n\n", false, LIMITS));
  EXPECT_FALSE(parseResponse("HTTP/1.1 200 OK\r\nA: b\r\n\n", false, LIMITS));
}

TEST(HttpMessage, FoldedLinesOfResponsesAreOneField) {
  auto response = parseResponse(
      "HTTP/1.1 200 OK\r\nA: b\r\n \t c\r\n\t\r\nContent-Length:\r\n 5\r\n\r\n", false, LIMITS);
  ASSERT_TRUE(response) << response.error().why;
  EXPECT_EQ(response.value().length, 5u);
  EXPECT_EQ(findField(*response.value().fields, "a")->value, "b c");
  EXPECT_FALSE(parseResponse("HTTP/1.1 200 OK\r\n A: b\r\n\r\n", false, LIMITS));
  EXPECT_FALSE(parseResponse("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n 5\r\n\r\n", false, LIMITS));
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n"), 400);
}

TEST(HttpMessage, SaysWhatIsTooLarge) {
  EXPECT_EQ(describeTooLarge("XXXXXXXX").status, 501);
  EXPECT_EQ(describeTooLarge("GET /aaaaaa").status, 414);
  EXPECT_EQ(describeTooLarge("GET / HTTP/1.1\r\nX: aaa").status, 431);
}

TEST(HttpMessage, EmptyElementsOfListsAreNone) {
  EXPECT_EQ(parsed("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: , chunked,\r\n\r\n").framing,
            Framing::CHUNKED);
  EXPECT_EQ(refusal("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: ,\r\n\r\n"), 400);
  EXPECT_FALSE(parseResponse("HTTP/1.1 200 OK\r\nTransfer-Encoding: \r\n\r\n", false, LIMITS));
  EXPECT_TRUE(
      parsed("PUT / HTTP/1.1\r\nHost: x\r\nExpect: a, 100-Continue\r\n\r\n").expectsContinue);
}

TEST(HttpMessage, KnowsWhichConnectionsStayOpen) {
  EXPECT_FALSE(parsed("GET / HTTP/1.1\r\nHost: x\r\nConnection: foo, Close\r\n\r\n").keepAlive);
  EXPECT_FALSE(parsed("GET / HTTP/1.0\r\n\r\n").keepAlive);
  // "close" counts, whatever else is said.
  EXPECT_FALSE(parsed("GET / HTTP/1.0\r\nConnection: keep-alive, , close\r\n\r\n").keepAlive);
  // Whose framing may be faulty is not used again (RFC 9112 section 6.1).
  EXPECT_FALSE(parseResponse("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n"
                             "Transfer-Encoding: chunked\r\n\r\n",
                             false, LIMITS)
                   .value()
                   .keepAlive);
  EXPECT_TRUE(parsed("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").keepAlive);
}

TEST(HttpMessage, RefusesWhatServersCouldReadDifferently) {
  for (std::string_view head : {
           "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
           "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
           "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\n",
           "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \r\n\r\n",
           "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n",
           "POST / HTTP/1.1\r\nHost: x\r\n Transfer-Encoding: chunked\r\n\r\n",
           "GET / HTTP/1.1\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: x\nX: y\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: x\r\nX: a\x01\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: x\r\nX: a\rb\r\n\r\n",
           "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
           "GET / HTTP/1.1x\r\nHost: x\r\n\r\n",
           "\r\n\r\n",
       }) {
    EXPECT_EQ(refusal(head), 400) << head;
  }
  EXPECT_EQ(refusal("GET / HTTP/3.0\r\nHost: x\r\n\r\n"), 505);
  auto coded = [](std::string coding) {
    return refusal("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: " + coding + "\r\n\r\n");
  };
  EXPECT_EQ(coded("gzip, chunked"), 501);
  EXPECT_EQ(coded("gzip"), 400);
  EXPECT_EQ(coded("chunked, gzip"), 400);
  EXPECT_EQ(coded("chunked, chunked"), 400);
  EXPECT_EQ(coded("chunked;a=b"), 400);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: x\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n\r\n"), 431);
}

TEST(HttpMessage, TakesOnlyTargetsThatLeaveNoDoubt) {
  auto with = [](std::string_view target, std::string_view method = "GET",
                 std::string_view host = "a.example") {
    return std::string(method) + " " + std::string(target) +
           " HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n";
  };
  auto is = [&](std::string_view target, std::string_view authority, std::string_view path) {
    RequestHead head = parsed(with(target));
    EXPECT_EQ(head.authority, authority) << target;
    EXPECT_EQ(head.path, path) << target;
  };
  EXPECT_EQ(parsed(with("https://b/")).scheme, Scheme::HTTPS);
  EXPECT_EQ(parsed(with("HTTP://b/")).scheme, Scheme::HTTP);
  EXPECT_EQ(parsed(with("/")).scheme, std::nullopt);
  is("/a?u=http://b/c", "a.example", "/a?u=http://b/c");
  is("//evil/x", "a.example", "//evil/x");
  is("http://b:81/c?d", "b:81", "/c?d");
  is("HTTPS://[::1]:8443", "[::1]:8443", "/");
  is("http://b?d", "b", "/?d");
  EXPECT_EQ(parsed(with("*", "OPTIONS")).path, "*");
  for (std::string_view target :
       {"@evil.example/x", "request", "*", "foo?u=http://bar/request", "javascript://foo?bar",
        "http:/x", "http://", "http:///x", "http://u:p@other/x", "http://a b/", "http://[::1/x",
        "https://b:port/", "http://b:99999/", "ftp://b/", "/\x80"}) {
    EXPECT_EQ(refusal(with(target)), 400) << target;
  }
  EXPECT_EQ(refusal(with("a.example:443", "CONNECT")), 501);
  for (std::string_view host : {"a", "a:", "a:80", "a-b_c.example", "[::1]", "[::1]:80", "%41"}) {
    EXPECT_EQ(refusal(with("/", "GET", host)), 0) << host;
  }
  for (std::string_view host : {"a b", "a/b", "u@a", "a\\b", "a:b", "a:70000", "[::1", "[x]", "::1",
                                ":80", "a%4", "a,b@c", "a?b"}) {
    EXPECT_EQ(refusal(with("/", "GET", host)), 400) << host;
  }
}

TEST(HttpMessage, ALengthIsDeclaredOnceAndForAll) {
  EXPECT_EQ(declaredLength({{"content-length", "5"}, {"content-length", "5"}}), 5u);
  EXPECT_EQ(declaredLength({{"content-length", "x"}, {"content-length", "5"}}), std::nullopt);
  EXPECT_EQ(declaredLength({{"content-length", "4"}, {"content-length", "5"}}), std::nullopt);
  EXPECT_EQ(declaredLength({{"a", "5"}}), std::nullopt);
  std::string text;
  appendFields(text, {{"a", "b"}, {"content-length", "5"}});
  EXPECT_EQ(text, "a: b\r\n");
}

// Source: wasi:http/types, `field-name` and `fields.entries`.
TEST(HttpMessage, NamesKeepTheirCaseAndAreComparedWithoutIt) {
  RequestHead head = parsed(
      "POST / HTTP/1.1\r\nhOST: x\r\ncONTENT-lENGTH: 5\r\nX-aB: 1\r\ncONNECTION: Close\r\n\r\n");
  EXPECT_EQ(head.host, "x");
  EXPECT_EQ(head.length, 5u);
  EXPECT_FALSE(head.keepAlive);
  ASSERT_EQ(head.fields->size(), 2u);
  EXPECT_EQ(head.fields->at(0).name, "cONTENT-lENGTH");
  EXPECT_EQ(head.fields->at(1).name, "X-aB");
  EXPECT_EQ(findField(*head.fields, "x-Ab"), &head.fields->at(1));
  EXPECT_EQ(declaredLength(*head.fields), 5u);
  std::string text;
  appendFields(text, *head.fields);
  EXPECT_EQ(text, "X-aB: 1\r\n");
  EXPECT_TRUE(sameName("", "") && sameName("AZaz-09", "azAZ-09"));
  EXPECT_FALSE(sameName("a", "ab") || sameName("[", "{") || sameName("@", "`"));
}

TEST(HttpMessage, SurvivesEveryPrefixAndEveryChangedByte) {
  std::string head = "PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\n";
  for (size_t i = 0; i < head.size(); ++i) {
    for (int change : {0, 1, 10, 13, 32, 58, 255}) {
      std::string other = head;
      other[i] = static_cast<char>(change);
      size_t size = headSize(other, 0);
      if (size != 0) (void)refusal(std::string_view(other).substr(0, size));
    }
  }
}

TEST(HttpMessage, TrailersCannotFrameOrRoute) {
  auto fields = parseFields("X: y\r\nContent-Length: 5\r\nHost: evil\r\n", LIMITS, Folds::REFUSED);
  ASSERT_TRUE(fields);
  ASSERT_EQ(fields.value().size(), 1u);
  EXPECT_EQ(fields.value()[0].name, "X");
}

}  // namespace
}  // namespace tenon::http
