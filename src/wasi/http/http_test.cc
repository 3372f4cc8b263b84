#include "wasi/http/http.h"

#include "wasi/http/functions.h"
#include "wasi/wasi_testing.h"

#include <tuple>

namespace tenon::wasi::http {
namespace {

using Value = std::vector<std::byte>;
using Entry = std::tuple<std::string, Value>;
using HeaderVoid = Expected<void, HeaderError>;
using Void = Expected<void, void>;

constexpr std::string_view TYPES = "wasi:http/types";

class HttpTypes : public testing::Test {
 public:
  ~HttpTypes() noexcept override {}

 protected:
  template <typename R, typename... As>
  R call(std::string_view name, const As&... arguments) {
    return guest.call<R>(TYPES, name, arguments...);
  }
  Own<Fields> fields(const std::vector<Entry>& entries) {
    return call<Expected<Own<Fields>, HeaderError>>("[static]fields.from-list", entries).value();
  }
  Borrow<Fields> lend(Own<Fields> handle) { return {handle.rep}; }
  std::vector<std::string> get(Own<Fields> handle, std::string_view name) {
    std::vector<std::string> texts;
    for (const Value& value : call<std::vector<Value>>("[method]fields.get", lend(handle), name)) {
      texts.push_back(textOf(value));
    }
    return texts;
  }
  HeaderVoid append(Own<Fields> handle, std::string_view name, std::string_view value) {
    return call<HeaderVoid>("[method]fields.append", lend(handle), name, bytesOf(value));
  }

  TimedLoop time;
  FakeGuest guest{time.waitScope, time.newContext()};
};

TEST_F(HttpTypes, FieldsKeepSeveralValuesOfOneName) {
  auto list = fields({{"X-A", bytesOf("1")}, {"b", bytesOf("2")}, {"x-a", bytesOf("3")}});
  EXPECT_EQ(get(list, "x-A"), (std::vector<std::string>{"1", "3"}));
  EXPECT_TRUE(call<bool>("[method]fields.has", lend(list), std::string_view("B")));
  std::vector<Value> values = {bytesOf("4"), bytesOf("5")};
  EXPECT_TRUE(call<HeaderVoid>("[method]fields.set", lend(list), std::string_view("x-a"), values));
  EXPECT_EQ(get(list, "x-a"), (std::vector<std::string>{"4", "5"}));
  EXPECT_TRUE(call<HeaderVoid>("[method]fields.delete", lend(list), std::string_view("X-a")));
  EXPECT_TRUE(get(list, "x-a").empty());
  EXPECT_EQ(call<std::vector<Entry>>("[method]fields.entries", lend(list)).size(), 1u);
}

TEST_F(HttpTypes, EntriesKeepTheirCasingAndTheirOrder) {
  auto list = fields({{"X-A", bytesOf("1")}, {"b", bytesOf("2")}, {"x-a", bytesOf("3")}});
  EXPECT_TRUE(append(list, "B", "4"));
  auto names = [&](const Own<Fields>& of) {
    std::string text;
    for (const auto& [name, value] : call<std::vector<Entry>>("[method]fields.entries", lend(of))) {
      text += name + "=" + textOf(value) + " ";
    }
    return text;
  };
  EXPECT_EQ(names(list), "X-A=1 b=2 x-a=3 B=4 ");
  auto clone = call<Own<Fields>>("[method]fields.clone", lend(list));
  std::vector<Value> values = {bytesOf("5"), bytesOf("6")};
  EXPECT_TRUE(call<HeaderVoid>("[method]fields.set", lend(list), std::string_view("x-A"), values));
  EXPECT_EQ(names(list), "b=2 B=4 x-A=5 x-A=6 ");
  EXPECT_EQ(names(clone), "X-A=1 b=2 x-a=3 B=4 ");
}

TEST_F(HttpTypes, FieldsRefuseWhatIsNoFieldOrNotTheGuests) {
  auto list = call<Own<Fields>>("[constructor]fields");
  EXPECT_EQ(append(list, "bad name", "x").error().index(), 0u);
  EXPECT_EQ(append(list, "", "x").error().index(), 0u);
  EXPECT_EQ(append(list, "x", "a\r\nb").error().index(), 0u);
  EXPECT_EQ(append(list, "x", std::string_view("\0", 1)).error().index(), 0u);
  for (std::string_view name : {"Connection", "host", "Transfer-Encoding", "keep-alive"}) {
    EXPECT_EQ(append(list, name, "x").error().index(), 1u) << name;
  }
  EXPECT_TRUE(append(list, "x", " y "));
  EXPECT_EQ(get(list, "x"), std::vector<std::string>{"y"});
}

TEST_F(HttpTypes, AContentLengthIsOneNumber) {
  auto list = call<Own<Fields>>("[constructor]fields");
  for (std::string_view value : {"", "x5", "-1", "+1", "5, 5", "0x5", "9999999999999999999"}) {
    EXPECT_EQ(append(list, "Content-Length", value).error().index(), 0u) << value;
  }
  EXPECT_TRUE(append(list, "content-length", " 5 "));
  EXPECT_TRUE(append(list, "content-length", "5"));
  EXPECT_EQ(append(list, "content-length", "6").error().index(), 0u);
  auto set = [&](const std::vector<Value>& values) {
    return call<HeaderVoid>("[method]fields.set", lend(list), std::string_view("content-length"),
                            values);
  };
  EXPECT_EQ(set({bytesOf("6"), bytesOf("7")}).error().index(), 0u);
  EXPECT_TRUE(set({bytesOf("6")}));
  EXPECT_EQ(get(list, "content-length"), std::vector<std::string>{"6"});
  using Made = Expected<Own<Fields>, HeaderError>;
  std::vector<Entry> two = {{"content-length", bytesOf("1")}, {"Content-length", bytesOf("2")}};
  EXPECT_EQ(call<Made>("[static]fields.from-list", two).error().index(), 0u);
}

TEST_F(HttpTypes, FieldsThatGrowWithoutEndEndTheGuest) {
  auto list = call<Own<Fields>>("[constructor]fields");
  std::string large(100'000, 'x');
  for (int i = 0; i < 12 && guest.trap.empty(); ++i) (void)append(list, "x", large);
  EXPECT_NE(guest.trap.find("1 MiB"), std::string::npos) << guest.trap;
}

TEST_F(HttpTypes, FieldsOfAMessageAreImmutableAndTheirCloneIsNot) {
  auto response =
      call<Own<OutgoingResponse>>("[constructor]outgoing-response", fields({{"a", bytesOf("b")}}));
  auto headers = call<Own<Fields>>("[method]outgoing-response.headers",
                                   Borrow<OutgoingResponse>{response.rep});
  EXPECT_EQ(append(headers, "c", "d").error().index(), 2u);
  auto clone = call<Own<Fields>>("[method]fields.clone", lend(headers));
  EXPECT_TRUE(append(clone, "c", "d"));
  EXPECT_FALSE(call<bool>("[method]fields.has", lend(headers), std::string_view("c")));
}

TEST_F(HttpTypes, ARequestTakesWhatIsValidOnly) {
  auto request = call<Own<OutgoingRequest>>("[constructor]outgoing-request", fields({}));
  Borrow<OutgoingRequest> self{request.rep};
  using Text = std::optional<std::string_view>;
  EXPECT_TRUE(call<Void>("[method]outgoing-request.set-method", self, toMethod("PATCH")));
  EXPECT_FALSE(call<Void>("[method]outgoing-request.set-method", self, toMethod("no token")));
  EXPECT_EQ(call<Method>("[method]outgoing-request.method", self).index(), 8u);
  EXPECT_TRUE(call<Void>("[method]outgoing-request.set-method", self, toMethod("FIND-IT")));
  EXPECT_EQ(std::get<9>(call<Method>("[method]outgoing-request.method", self)), "FIND-IT");
  auto path = [&](Text text) {
    return call<Void>("[method]outgoing-request.set-path-with-query", self, text).hasValue();
  };
  auto authority = [&](Text text) {
    return call<Void>("[method]outgoing-request.set-authority", self, text).hasValue();
  };
  for (const char* good : {"/a?b=c%20d", "", "/", "?q", "*", "/a?b?c/d", "/{x}|y"}) {
    EXPECT_TRUE(path(good)) << good;
  }
  for (const char* bad : {"/a b", "/\r\nX:", "a", "http://a/b", "/a#b", "/\xc3\xbc", "/\"", "/<a>",
                          "/a\\b", "/\x7f", "/\t"}) {
    EXPECT_FALSE(path(bad)) << bad;
  }
  EXPECT_TRUE(path("/kept"));
  EXPECT_FALSE(path("/a b"));
  EXPECT_EQ(call<std::optional<std::string>>("[method]outgoing-request.path-with-query", self),
            "/kept");
  EXPECT_TRUE(path(std::nullopt));
  EXPECT_EQ(call<std::optional<std::string>>("[method]outgoing-request.path-with-query", self),
            std::nullopt);
  for (const char* good : {"a.b:80", "a.b", "a.b:", "[::1]:80", "1.2.3.4", "u@a.b", "u:p%20@a:1",
                           "@a", "x_y", "a,b"}) {
    EXPECT_TRUE(authority(good)) << good;
  }
  for (const char* bad :
       {"", "a b", "a:b", "a:80:80", "a:70000", "[::1", "::1", "[x]", "a/b", "a?b", "a#b", "u@v@a",
        "u@", "[::1]@a", "a%4", "\xc3\xbc.example", "a\r\nb"}) {
    EXPECT_FALSE(authority(bad)) << bad;
  }
  EXPECT_TRUE(authority("a.b:80"));
  EXPECT_EQ(call<std::optional<std::string>>("[method]outgoing-request.authority", self), "a.b:80");
  EXPECT_TRUE(authority(std::nullopt));
  EXPECT_EQ(call<std::optional<std::string>>("[method]outgoing-request.authority", self),
            std::nullopt);
  auto scheme = [&](std::optional<WitScheme> value) {
    return call<Void>("[method]outgoing-request.set-scheme", self, value).hasValue();
  };
  auto known = [&] {
    return call<std::optional<WitScheme>>("[method]outgoing-request.scheme", self);
  };
  EXPECT_TRUE(scheme(WitScheme(std::in_place_index<0>)));
  EXPECT_EQ(known()->index(), 0u);
  EXPECT_TRUE(scheme(WitScheme(std::in_place_index<1>)));
  EXPECT_EQ(known()->index(), 1u);
  EXPECT_TRUE(scheme(WitScheme(std::in_place_index<2>, "git+ssh")));
  EXPECT_EQ(std::get<2>(*known()), "git+ssh");
  for (const char* bad : {"", "1a", "a b", "a:", "\xc3\xbc"}) {
    EXPECT_FALSE(scheme(WitScheme(std::in_place_index<2>, bad))) << bad;
  }
  EXPECT_TRUE(scheme(std::nullopt));
  EXPECT_EQ(known(), std::nullopt);
  auto body = call<Expected<Own<OutgoingBody>, void>>("[method]outgoing-request.body", self);
  EXPECT_TRUE(body);
  EXPECT_FALSE((call<Expected<Own<OutgoingBody>, void>>("[method]outgoing-request.body", self)));
}

TEST_F(HttpTypes, NothingMayBeAskedForByDefault) {
  auto request = call<Own<OutgoingRequest>>("[constructor]outgoing-request", fields({}));
  Borrow<OutgoingRequest> self{request.rep};
  using Text = std::optional<std::string_view>;
  (void)call<Void>("[method]outgoing-request.set-authority", self, Text("example.com"));
  auto body = call<Expected<Own<OutgoingBody>, void>>("[method]outgoing-request.body", self);
  auto stream = call<Expected<Own<OutputStream>, void>>("[method]outgoing-body.write",
                                                        Borrow<OutgoingBody>{body.value().rep});
  using Result = Expected<Own<FutureIncomingResponse>, ErrorCode>;
  auto result = guest.call<Result>("wasi:http/outgoing-handler", "handle", request,
                                   std::optional<Own<RequestOptions>>());
  ASSERT_FALSE(result);
  EXPECT_EQ(toText(result.error()), "HTTP-request-denied");
  // The body goes nowhere, and the guest hears why.
  using Count = Expected<uint64_t, StreamError>;
  auto permit = guest.call<Count>("wasi:io/streams", "[method]output-stream.check-write",
                                  Borrow<OutputStream>{stream.value().rep});
  ASSERT_FALSE(permit);
  auto code = call<std::optional<ErrorCode>>("http-error-code",
                                             Borrow<net::IoError>{std::get<0>(permit.error()).rep});
  ASSERT_TRUE(code);
  EXPECT_EQ(toText(*code), "HTTP-request-denied");
}

TEST_F(HttpTypes, OnlyOptionsAsksForTheWholeServer) {
  using Text = std::optional<std::string_view>;
  using Result = Expected<Own<FutureIncomingResponse>, ErrorCode>;
  auto ask = [&](size_t method, std::string_view path) {
    auto request = call<Own<OutgoingRequest>>("[constructor]outgoing-request", fields({}));
    Borrow<OutgoingRequest> self{request.rep};
    (void)call<Void>("[method]outgoing-request.set-authority", self, Text("example.com"));
    if (!call<Void>("[method]outgoing-request.set-path-with-query", self, Text(path))) {
      return std::string("no path");
    }
    if (method == 6) {
      (void)call<Void>("[method]outgoing-request.set-method", self, Method(std::in_place_index<6>));
    }
    auto result = guest.call<Result>("wasi:http/outgoing-handler", "handle", request,
                                     std::optional<Own<RequestOptions>>());
    return result ? std::string("asked") : toText(result.error());
  };
  EXPECT_EQ(ask(6, "*"), "HTTP-request-denied");  // nothing is granted here
  EXPECT_EQ(ask(0, "*"), "HTTP-request-URI-invalid");
  EXPECT_EQ(ask(6, "*x"), "no path");
}

TEST_F(HttpTypes, ABodyThatIsSaidAndNotThereIsNotAskedFor) {
  auto request = call<Own<OutgoingRequest>>("[constructor]outgoing-request",
                                            fields({{"content-length", bytesOf("400")}}));
  (void)call<Void>("[method]outgoing-request.set-authority", Borrow<OutgoingRequest>{request.rep},
                   std::optional<std::string_view>("example.com"));
  using Result = Expected<Own<FutureIncomingResponse>, ErrorCode>;
  auto result = guest.call<Result>("wasi:http/outgoing-handler", "handle", request,
                                   std::optional<Own<RequestOptions>>());
  ASSERT_FALSE(result);
  EXPECT_EQ(toText(result.error()), "HTTP-request-body-size: 0");
}

TEST_F(HttpTypes, AnAnswerReachesTheExchangeOnce) {
  auto exchange = std::make_shared<Exchange>();
  Own<ResponseOutparam> outparam{guest.objects.add(std::make_unique<ResponseOutparam>(exchange))};
  auto response = call<Own<OutgoingResponse>>("[constructor]outgoing-response", fields({}));
  Borrow<OutgoingResponse> self{response.rep};
  EXPECT_FALSE(call<Void>("[method]outgoing-response.set-status-code", self, uint16_t{101}));
  EXPECT_TRUE(call<Void>("[method]outgoing-response.set-status-code", self, uint16_t{418}));
  using Answered = Expected<Own<OutgoingResponse>, ErrorCode>;
  call<void>("[static]response-outparam.set", outparam, Answered(response));
  ASSERT_TRUE(exchange->answer());
  EXPECT_EQ(exchange->answer()->status, 418);
  call<void>("[static]response-outparam.set", outparam, Answered(response));
  EXPECT_NE(guest.trap, "");
}

TEST_F(HttpTypes, ADroppedOutparamIsNoAnswer) {
  auto exchange = std::make_shared<Exchange>();
  uint32_t rep = guest.objects.add(std::make_unique<ResponseOutparam>(exchange));
  EXPECT_FALSE(exchange->decided());
  EXPECT_TRUE(guest.objects.drop(rep));
  EXPECT_TRUE(exchange->decided());
  EXPECT_FALSE(exchange->answer());
}

TEST_F(HttpTypes, InformationalResponsesAreInformational) {
  auto exchange = std::make_shared<Exchange>();
  uint32_t rep = guest.objects.add(std::make_unique<ResponseOutparam>(exchange));
  auto send = [&](uint16_t status) {
    return call<Expected<void, ErrorCode>>("[method]response-outparam.send-informational",
                                           Borrow<ResponseOutparam>{rep}, status, fields({}));
  };
  EXPECT_TRUE(send(103));
  EXPECT_TRUE(send(199));
  for (uint16_t status : {0, 99, 200, 65535}) {
    EXPECT_EQ(toText(send(status).error()), "HTTP-protocol-error") << status;
  }
  for (uint16_t status : {100, 101}) {
    EXPECT_TRUE(toText(send(status).error()).starts_with("internal-error")) << status;
  }
  EXPECT_EQ(exchange->informational.size(), 2u);
}

TEST_F(HttpTypes, ErrorCodesCrossWithTheirPayloads) {
  auto exchange = std::make_shared<Exchange>();
  Own<ResponseOutparam> outparam{guest.objects.add(std::make_unique<ResponseOutparam>(exchange))};
  using Answered = Expected<Own<OutgoingResponse>, ErrorCode>;
  ErrorCode code =
      makeError<ErrorKind::HTTP_REQUEST_HEADER_SIZE>(FieldSizePayload{std::string("cookie"), 9000});
  call<void>("[static]response-outparam.set", outparam, Answered(Unexpected<ErrorCode>{code}));
  ASSERT_TRUE(exchange->failure());
  EXPECT_EQ(toText(*exchange->failure()), "HTTP-request-header-size: cookie");
}

TEST_F(HttpTypes, TimeoutsAreKept) {
  auto options = call<Own<RequestOptions>>("[constructor]request-options");
  Borrow<RequestOptions> self{options.rep};
  using Duration = std::optional<uint64_t>;
  EXPECT_TRUE(
      call<Void>("[method]request-options.set-first-byte-timeout", self, Duration(5'000'000)));
  EXPECT_EQ(call<Duration>("[method]request-options.first-byte-timeout", self), 5'000'000u);
  EXPECT_EQ(call<Duration>("[method]request-options.connect-timeout", self), std::nullopt);
}

}  // namespace
}  // namespace tenon::wasi::http
