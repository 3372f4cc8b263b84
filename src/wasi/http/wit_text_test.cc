// What the WIT text of wasi:http/types says sentence by sentence, as far as the other tests do not
// show it: tests/wasi-text.

#include "wasi/http/functions.h"
#include "wasi/http/http.h"
#include "wasi/wasi_testing.h"

#include <kj/async-io.h>

#include <tuple>

namespace tenon::wasi::http {
namespace {

using tenon::http::BodyOptions;
using tenon::http::Framing;
using tenon::http::Wire;

using Value = std::vector<std::byte>;
using Entry = std::tuple<std::string, Value>;
using HeaderVoid = Expected<void, HeaderError>;
using Void = Expected<void, void>;

class HttpText : public testing::Test {
 public:
  ~HttpText() noexcept override {}

 protected:
  template <typename R, typename... As>
  R call(std::string_view name, const As&... arguments) {
    return guest.call<R>("wasi:http/types", name, arguments...);
  }
  Own<Fields> fields(const std::vector<Entry>& entries) {
    return call<Expected<Own<Fields>, HeaderError>>("[static]fields.from-list", entries).value();
  }
  static Borrow<Fields> lend(Own<Fields> handle) { return {handle.rep}; }

  // What `set`, `append` and `delete` of `name` answer: "ok", or the number of the error.
  std::string changes(Own<Fields> handle, std::string_view name, std::string_view value = "v") {
    auto show = [](const HeaderVoid& result) {
      return result ? std::string("ok") : std::to_string(result.error().index());
    };
    return show(call<HeaderVoid>("[method]fields.set", lend(handle), name,
                                 std::vector<Value>{bytesOf(value)})) +
           " " +
           show(call<HeaderVoid>("[method]fields.append", lend(handle), name, bytesOf(value))) +
           " " + show(call<HeaderVoid>("[method]fields.delete", lend(handle), name));
  }
  std::vector<std::string> get(Own<Fields> handle, std::string_view name) {
    std::vector<std::string> texts;
    for (const Value& value : call<std::vector<Value>>("[method]fields.get", lend(handle), name)) {
      texts.push_back(textOf(value));
    }
    return texts;
  }
  bool has(Own<Fields> handle, std::string_view name) {
    return call<bool>("[method]fields.has", lend(handle), name);
  }
  std::vector<Entry> entries(Own<Fields> handle) {
    return call<std::vector<Entry>>("[method]fields.entries", lend(handle));
  }

  // `text`, a literal, comes when somebody reads, and after what was sent before.
  void send(std::string_view text) {
    time.waitScope.poll();
    sending.push_back(pipe.ends[1]->write(text.data(), text.size()));
  }
  // A body that arrives as `text`, chunked.
  std::shared_ptr<BodyReader> arriving(std::string_view text) {
    send(text);
    return std::make_shared<BodyReader>(wire, BodyOptions{.framing = Framing::CHUNKED});
  }
  Own<IncomingRequest> request(std::shared_ptr<BodyReader> body = nullptr) {
    IncomingMessage message{.method = "POST",
                            .pathWithQuery = "/a?b=c",
                            .authority = "a.example:80",
                            .scheme = Scheme::HTTPS,
                            .fields = std::make_shared<FieldList>(FieldList{{"X-Y", "z"}}),
                            .body = std::move(body)};
    return {guest.objects.add(
        std::make_unique<IncomingRequest>(std::move(message), guest.objects.budget()))};
  }
  template <typename T>
  bool ready(const char* name, Own<T> handle) {
    auto pollable = call<Own<Pollable>>(name, Borrow<T>{handle.rep});
    return guest.call<bool>("wasi:io/poll", "[method]pollable.ready",
                            Borrow<Pollable>{pollable.rep});
  }

  TimedLoop time;
  kj::TwoWayPipe pipe = kj::newTwoWayPipe();
  std::vector<kj::Promise<void>> sending;
  Wire wire{*pipe.ends[0], time.timer};
  FakeGuest guest{time.waitScope, time.newContext()};
};

// -- fields
// -----------------------------------------------------------------------------------------

TEST_F(HttpText, FieldsThatAGuestMakesAreMutable) {
  auto made = call<Own<Fields>>("[constructor]fields");
  EXPECT_TRUE(entries(made).empty());
  auto listed = fields({{"A", bytesOf("1")}, {"b", bytesOf("")}, {"a", bytesOf("2")}});
  EXPECT_EQ(entries(listed),
            (std::vector<Entry>{{"A", bytesOf("1")}, {"b", {}}, {"a", bytesOf("2")}}));
  auto cloned = call<Own<Fields>>("[method]fields.clone", lend(listed));
  EXPECT_EQ(entries(cloned), entries(listed));
  for (auto handle : {made, listed, cloned}) EXPECT_EQ(changes(handle, "x"), "ok ok ok");
  EXPECT_TRUE(call<HeaderVoid>("[method]fields.delete", lend(cloned), std::string_view("A")));
  EXPECT_EQ(get(listed, "a"), (std::vector<std::string>{"1", "2"}));
}

TEST_F(HttpText, FieldsOfMessagesAreImmutable) {
  auto reader = arriving("0\r\nX-T: 1\r\n\r\n");
  auto incoming = request(reader);
  auto incomingFields =
      call<Own<Fields>>("[method]incoming-request.headers", Borrow<IncomingRequest>{incoming.rep});
  auto outgoing = call<Own<OutgoingRequest>>("[constructor]outgoing-request", fields({}));
  auto outgoingFields =
      call<Own<Fields>>("[method]outgoing-request.headers", Borrow<OutgoingRequest>{outgoing.rep});
  Own<IncomingResponse> response{guest.objects.add(std::make_unique<IncomingResponse>(
      Response{uint16_t{207}, std::make_shared<FieldList>(FieldList{{"Up", "1"}}), reader}))};
  auto responseFields = call<Own<Fields>>("[method]incoming-response.headers",
                                          Borrow<IncomingResponse>{response.rep});
  for (auto handle : {incomingFields, outgoingFields, responseFields}) {
    for (const char* name : {"x", "X-Y", "bad name", "host"}) {
      EXPECT_EQ(changes(handle, name), "2 2 2") << name;
    }
  }
  EXPECT_EQ(get(responseFields, "UP"), std::vector<std::string>{"1"});
  EXPECT_EQ(
      call<uint16_t>("[method]incoming-response.status", Borrow<IncomingResponse>{response.rep}),
      207);
}

TEST_F(HttpText, WhatIsNoFieldIsRefusedByEveryFunction) {
  auto list = call<Own<Fields>>("[constructor]fields");
  for (std::string_view name : {"", "a b", "a:", "a\r", "\xc3\xbc", "(a)"}) {
    EXPECT_EQ(changes(list, name), "0 0 0") << name;
    EXPECT_TRUE(get(list, name).empty());
    EXPECT_FALSE(has(list, name));
    using Made = Expected<Own<Fields>, HeaderError>;
    auto made = call<Made>("[static]fields.from-list",
                           std::vector<Entry>{{std::string(name), bytesOf("v")}});
    EXPECT_EQ(made.error().index(), 0u) << name;
  }
  for (std::string_view value : {"a\r\nb", "a\nb", "\x7f", "\x01"}) {
    EXPECT_EQ(changes(list, "x", value), "0 0 ok");
    using Made = Expected<Own<Fields>, HeaderError>;
    auto made = call<Made>("[static]fields.from-list", std::vector<Entry>{{"x", bytesOf(value)}});
    EXPECT_EQ(made.error().index(), 0u);
  }
  for (const char* name : {"Connection", "HOST", "transfer-encoding", "Keep-Alive", "upgrade"}) {
    EXPECT_EQ(changes(list, name), "1 1 1") << name;
    using Made = Expected<Own<Fields>, HeaderError>;
    auto made = call<Made>("[static]fields.from-list", std::vector<Entry>{{name, bytesOf("v")}});
    EXPECT_EQ(made.error().index(), 1u) << name;
  }
  EXPECT_TRUE(entries(list).empty());
  // Beyond ASCII, values are bytes.
  EXPECT_EQ(changes(list, "x", "\xff\xc3\xbc"), "ok ok ok");
}

TEST_F(HttpText, NamesHaveValuesAlsoEmptyOnes) {
  auto list = fields({{"x", bytesOf("1")}, {"empty", {}}});
  EXPECT_TRUE(has(list, "X") && has(list, "EMPTY") && !has(list, "y"));
  EXPECT_EQ(get(list, "empty"), std::vector<std::string>{""});
  EXPECT_TRUE(get(list, "y").empty());
  auto append = [&](std::string_view name, std::string_view value) {
    EXPECT_TRUE(call<HeaderVoid>("[method]fields.append", lend(list), name, bytesOf(value)));
  };
  append("X", "2");
  EXPECT_EQ(get(list, "x"), (std::vector<std::string>{"1", "2"}));
  EXPECT_TRUE(call<HeaderVoid>("[method]fields.set", lend(list), std::string_view("x"),
                               std::vector<Value>{bytesOf("3")}));
  EXPECT_EQ(get(list, "x"), std::vector<std::string>{"3"});
  EXPECT_TRUE(call<HeaderVoid>("[method]fields.delete", lend(list), std::string_view("y")));
  EXPECT_TRUE(call<HeaderVoid>("[method]fields.delete", lend(list), std::string_view("X")));
  EXPECT_FALSE(has(list, "x"));
  EXPECT_EQ(entries(list).size(), 1u);
}

// -- Messages that arrive
// ---------------------------------------------------------------------------

TEST_F(HttpText, ARequestSaysWhatItIs) {
  auto handle = request();
  Borrow<IncomingRequest> self{handle.rep};
  EXPECT_EQ(call<Method>("[method]incoming-request.method", self).index(), 2u);
  EXPECT_EQ(call<std::optional<std::string>>("[method]incoming-request.path-with-query", self),
            "/a?b=c");
  EXPECT_EQ(call<std::optional<WitScheme>>("[method]incoming-request.scheme", self)->index(), 1u);
  EXPECT_EQ(call<std::optional<std::string>>("[method]incoming-request.authority", self),
            "a.example:80");
  auto headers = call<Own<Fields>>("[method]incoming-request.headers", self);
  EXPECT_EQ(entries(headers), (std::vector<Entry>{{"X-Y", bytesOf("z")}}));
}

TEST_F(HttpText, EveryStandardMethodHasItsCase) {
  const char* names[] = {"GET",     "HEAD",    "POST",  "PUT",  "DELETE",
                         "CONNECT", "OPTIONS", "TRACE", "PATCH"};
  for (size_t i = 0; i < std::size(names); i++) {
    EXPECT_EQ(toMethod(names[i]).index(), i) << names[i];
    EXPECT_EQ(fromMethod(toMethod(names[i])), names[i]);
  }
  EXPECT_EQ(std::get<9>(toMethod("get")), "get");
}

TEST_F(HttpText, BodiesAndStreamsAreGivenOnce) {
  using Body = Expected<Own<IncomingBody>, void>;
  using Stream = Expected<Own<InputStream>, void>;
  auto reader = arriving("2\r\nhi\r\n0\r\nX-T: 1\r\n\r\n");
  auto incoming = request(reader);
  auto body = call<Body>("[method]incoming-request.consume", Borrow<IncomingRequest>{incoming.rep});
  ASSERT_TRUE(body);
  for (int i = 0; i < 2; i++) {
    EXPECT_FALSE(
        call<Body>("[method]incoming-request.consume", Borrow<IncomingRequest>{incoming.rep}));
  }
  auto stream = call<Stream>("[method]incoming-body.stream", Borrow<IncomingBody>{body->rep});
  ASSERT_TRUE(stream);
  EXPECT_FALSE(call<Stream>("[method]incoming-body.stream", Borrow<IncomingBody>{body->rep}));

  Own<IncomingResponse> response{guest.objects.add(std::make_unique<IncomingResponse>(
      Response{uint16_t{200}, std::make_shared<FieldList>(), reader}))};
  EXPECT_TRUE(
      call<Body>("[method]incoming-response.consume", Borrow<IncomingResponse>{response.rep}));
  EXPECT_FALSE(
      call<Body>("[method]incoming-response.consume", Borrow<IncomingResponse>{response.rep}));
}

using Trailers = Expected<std::optional<Own<Fields>>, ErrorCode>;
using MaybeTrailers = std::optional<Expected<Trailers, void>>;

TEST_F(HttpText, TrailersComeOnceWhenTheBodyIsThere) {
  auto reader = arriving("2\r\nhi\r\n");
  Own<IncomingBody> body{guest.objects.add(std::make_unique<IncomingBody>(reader))};
  auto future = call<Own<FutureTrailers>>("[static]incoming-body.finish", body);
  Borrow<FutureTrailers> self{future.rep};
  auto get = [&] { return call<MaybeTrailers>("[method]future-trailers.get", self); };
  EXPECT_FALSE(ready("[method]future-trailers.subscribe", future));
  EXPECT_FALSE(get());
  auto pollable = call<Own<Pollable>>("[method]future-trailers.subscribe", self);
  guest.onSuspend = [&] {
    send("0\r\nX-T: 1\r\n\r\n");
    return true;
  };
  guest.call<void>("wasi:io/poll", "[method]pollable.block", Borrow<Pollable>{pollable.rep});
  EXPECT_TRUE(ready("[method]future-trailers.subscribe", future));
  auto first = get();
  ASSERT_TRUE(first && *first && **first);
  auto trailers = **first;
  ASSERT_TRUE(trailers.value());
  EXPECT_EQ(entries(*trailers.value()), (std::vector<Entry>{{"X-T", bytesOf("1")}}));
  EXPECT_EQ(changes(*trailers.value(), "x"), "2 2 2");
  auto second = get();
  ASSERT_TRUE(second);
  EXPECT_FALSE(*second);
}

TEST_F(HttpText, ABodyWithoutTrailersEndsWithNone) {
  Own<IncomingBody> body{
      guest.objects.add(std::make_unique<IncomingBody>(arriving("2\r\nhi\r\n0\r\n\r\n")))};
  auto future = call<Own<FutureTrailers>>("[static]incoming-body.finish", body);
  Borrow<FutureTrailers> self{future.rep};
  auto pollable = call<Own<Pollable>>("[method]future-trailers.subscribe", self);
  guest.call<void>("wasi:io/poll", "[method]pollable.block", Borrow<Pollable>{pollable.rep});
  auto got = call<MaybeTrailers>("[method]future-trailers.get", self);
  ASSERT_TRUE(got && *got && **got);
  EXPECT_EQ((**got).value(), std::nullopt);
}

TEST_F(HttpText, ABodyThatBreaksOffHasNoTrailersButAnError) {
  auto reader = arriving("5\r\nhi");
  Own<IncomingBody> body{guest.objects.add(std::make_unique<IncomingBody>(reader))};
  auto future = call<Own<FutureTrailers>>("[static]incoming-body.finish", body);
  Borrow<FutureTrailers> self{future.rep};
  guest.onSuspend = [&] {
    time.waitScope.poll();
    pipe.ends[1]->shutdownWrite();
    return true;
  };
  auto pollable = call<Own<Pollable>>("[method]future-trailers.subscribe", self);
  guest.call<void>("wasi:io/poll", "[method]pollable.block", Borrow<Pollable>{pollable.rep});
  auto got = call<MaybeTrailers>("[method]future-trailers.get", self);
  ASSERT_TRUE(got && *got);
  EXPECT_FALSE(**got);
}

// -- Messages that a guest sends
// ---------------------------------------------------------------------

TEST_F(HttpText, WhatIsNotSetHasItsDefault) {
  auto handle =
      call<Own<OutgoingRequest>>("[constructor]outgoing-request", fields({{"A", bytesOf("b")}}));
  Borrow<OutgoingRequest> self{handle.rep};
  EXPECT_EQ(call<Method>("[method]outgoing-request.method", self).index(), 0u);
  EXPECT_EQ(call<std::optional<std::string>>("[method]outgoing-request.path-with-query", self),
            std::nullopt);
  EXPECT_EQ(call<std::optional<WitScheme>>("[method]outgoing-request.scheme", self), std::nullopt);
  EXPECT_EQ(call<std::optional<std::string>>("[method]outgoing-request.authority", self),
            std::nullopt);
  auto headers = call<Own<Fields>>("[method]outgoing-request.headers", self);
  EXPECT_EQ(entries(headers), (std::vector<Entry>{{"A", bytesOf("b")}}));

  auto response =
      call<Own<OutgoingResponse>>("[constructor]outgoing-response", fields({{"C", bytesOf("d")}}));
  Borrow<OutgoingResponse> answer{response.rep};
  EXPECT_EQ(call<uint16_t>("[method]outgoing-response.status-code", answer), 200);
  for (uint16_t status : {200, 204, 404, 599}) {
    EXPECT_TRUE(call<Void>("[method]outgoing-response.set-status-code", answer, status));
    EXPECT_EQ(call<uint16_t>("[method]outgoing-response.status-code", answer), status);
  }
  for (uint16_t status : {0, 1, 99, 1000, 65535}) {
    EXPECT_FALSE(call<Void>("[method]outgoing-response.set-status-code", answer, status));
  }
  EXPECT_EQ(call<uint16_t>("[method]outgoing-response.status-code", answer), 599);
  auto own = call<Own<Fields>>("[method]outgoing-response.headers", answer);
  EXPECT_EQ(entries(own), (std::vector<Entry>{{"C", bytesOf("d")}}));

  auto options = call<Own<RequestOptions>>("[constructor]request-options");
  for (const char* name : {"connect-timeout", "first-byte-timeout", "between-bytes-timeout"}) {
    std::string method = "[method]request-options.";
    Borrow<RequestOptions> of{options.rep};
    EXPECT_EQ(call<std::optional<uint64_t>>(method + name, of), std::nullopt);
    EXPECT_TRUE(call<Void>(method + "set-" + name, of, std::optional<uint64_t>(5)));
    EXPECT_EQ(call<std::optional<uint64_t>>(method + name, of), 5u);
    EXPECT_TRUE(call<Void>(method + "set-" + name, of, std::optional<uint64_t>()));
    EXPECT_EQ(call<std::optional<uint64_t>>(method + name, of), std::nullopt);
  }
}

TEST_F(HttpText, RequestsThatCannotBeAreRefusedByTheHandler) {
  auto handle = [&](auto&& change) {
    auto made = call<Own<OutgoingRequest>>("[constructor]outgoing-request", fields({}));
    change(Borrow<OutgoingRequest>{made.rep});
    using Result = Expected<Own<FutureIncomingResponse>, ErrorCode>;
    auto result = guest.call<Result>("wasi:http/outgoing-handler", "handle", made,
                                     std::optional<Own<RequestOptions>>());
    return result ? std::string("ok") : toText(result.error());
  };
  using Text = std::optional<std::string_view>;
  auto authority = [&](Borrow<OutgoingRequest> of, Text text) {
    EXPECT_TRUE(call<Void>("[method]outgoing-request.set-authority", of, text));
  };
  auto scheme = [&](Borrow<OutgoingRequest> of, WitScheme value) {
    EXPECT_TRUE(call<Void>("[method]outgoing-request.set-scheme", of,
                           std::optional<WitScheme>(std::move(value))));
  };
  EXPECT_EQ(handle([&](auto) {}), "HTTP-request-URI-invalid");
  EXPECT_EQ(handle([&](auto of) { scheme(of, WitScheme(std::in_place_index<0>)); }),
            "HTTP-request-URI-invalid");
  EXPECT_EQ(handle([&](auto of) { authority(of, "user@example.com"); }),
            "HTTP-request-URI-invalid");
  EXPECT_EQ(handle([&](auto of) {
              authority(of, "example.com");
              scheme(of, WitScheme(std::in_place_index<2>, "gopher"));
            }),
            "HTTP-protocol-error");
  EXPECT_EQ(
      handle([&](auto of) {
        authority(of, "example.com");
        EXPECT_TRUE(call<Void>("[method]outgoing-request.set-method", of, toMethod("CONNECT")));
      }),
      "HTTP-request-method-invalid");
  // Nothing is wrong with it; it may not be made.
  EXPECT_EQ(handle([&](auto of) { authority(of, "example.com"); }), "HTTP-request-denied");
}

using Body = Expected<Own<OutgoingBody>, void>;
using Stream = Expected<Own<OutputStream>, void>;
using Finished = Expected<void, ErrorCode>;

TEST_F(HttpText, ABodyIsGivenOnceAndSoIsItsStream) {
  auto response = call<Own<OutgoingResponse>>("[constructor]outgoing-response", fields({}));
  Borrow<OutgoingResponse> self{response.rep};
  auto body = call<Body>("[method]outgoing-response.body", self);
  ASSERT_TRUE(body);
  EXPECT_FALSE(call<Body>("[method]outgoing-response.body", self));
  EXPECT_FALSE(call<Body>("[method]outgoing-response.body", self));
  Borrow<OutgoingBody> lent{body->rep};
  auto stream = call<Stream>("[method]outgoing-body.write", lent);
  ASSERT_TRUE(stream);
  EXPECT_FALSE(call<Stream>("[method]outgoing-body.write", lent));
  EXPECT_FALSE(call<Stream>("[method]outgoing-body.write", lent));
}

TEST_F(HttpText, ABodyOfAnotherLengthThanWasSaidFails) {
  for (std::string_view content : {"", "abc", "abcde", "abcdef"}) {
    for (bool isRequest : {false, true}) {
      std::vector<Entry> said = {{"Content-Length", bytesOf("5")}};
      Body body = Unexpected<void>{};
      if (isRequest) {
        auto made = call<Own<OutgoingRequest>>("[constructor]outgoing-request", fields(said));
        body = call<Body>("[method]outgoing-request.body", Borrow<OutgoingRequest>{made.rep});
      } else {
        auto made = call<Own<OutgoingResponse>>("[constructor]outgoing-response", fields(said));
        body = call<Body>("[method]outgoing-response.body", Borrow<OutgoingResponse>{made.rep});
      }
      auto stream = call<Stream>("[method]outgoing-body.write", Borrow<OutgoingBody>{body->rep});
      using Permit = Expected<uint64_t, StreamError>;
      Borrow<OutputStream> out{stream->rep};
      EXPECT_TRUE(guest.call<Permit>("wasi:io/streams", "[method]output-stream.check-write", out));
      (void)guest.call<Expected<void, StreamError>>(
          "wasi:io/streams", "[method]output-stream.write", out, bytesOf(content));
      guest.trap.clear();
      guest.objects.drop(out.rep);
      auto finished =
          call<Finished>("[static]outgoing-body.finish", *body, std::optional<Own<Fields>>());
      EXPECT_EQ(guest.trap, "");
      EXPECT_EQ(finished.hasValue(), content == "abcde") << content;
    }
  }
}

TEST_F(HttpText, ABodyThatIsDroppedUnfinishedIsBroken) {
  auto response = call<Own<OutgoingResponse>>("[constructor]outgoing-response", fields({}));
  auto body = call<Body>("[method]outgoing-response.body", Borrow<OutgoingResponse>{response.rep});
  auto writer = guest.objects.find<OutgoingBody>(body->rep)->writer;
  EXPECT_FALSE(writer->broken());
  EXPECT_TRUE(guest.objects.drop(body->rep));
  EXPECT_TRUE(writer->broken());
  EXPECT_FALSE(writer->finished());
}

// -- Children
// ----------------------------------------------------------------------------------------

TEST_F(HttpText, HeadersAreChildrenOfTheIncomingRequest) {
  auto incoming = request();
  auto headers = [&] {
    return call<Own<Fields>>("[method]incoming-request.headers",
                             Borrow<IncomingRequest>{incoming.rep});
  };
  auto one = headers(), other = headers();
  EXPECT_TRUE(guest.objects.hasChildren(incoming.rep));
  guest.objects.drop(one.rep);
  EXPECT_TRUE(guest.objects.hasChildren(incoming.rep));
  auto clone = call<Own<Fields>>("[method]fields.clone", lend(other));
  guest.objects.drop(other.rep);
  EXPECT_FALSE(guest.objects.hasChildren(incoming.rep));
  // Given away, they are not there any more either.
  auto given = headers();
  call<Own<OutgoingResponse>>("[constructor]outgoing-response", given);
  EXPECT_FALSE(guest.objects.hasChildren(incoming.rep));
  guest.objects.drop(incoming.rep);
  EXPECT_EQ(entries(clone), (std::vector<Entry>{{"X-Y", bytesOf("z")}}));
}

// The text makes it a duty of the guest to drop them first, and does not say that this traps.
TEST_F(HttpText, OtherHeadersOutliveTheirMessage) {
  auto sent = fields({{"A", bytesOf("b")}});
  auto outgoing = call<Own<OutgoingRequest>>("[constructor]outgoing-request", sent);
  auto outgoingHeaders =
      call<Own<Fields>>("[method]outgoing-request.headers", Borrow<OutgoingRequest>{outgoing.rep});
  using Result = Expected<Own<FutureIncomingResponse>, ErrorCode>;
  guest.call<Result>("wasi:http/outgoing-handler", "handle", outgoing,
                     std::optional<Own<RequestOptions>>());
  EXPECT_EQ(guest.trap, "");
  EXPECT_EQ(get(outgoingHeaders, "a"), std::vector<std::string>{"b"});

  auto answer =
      call<Own<OutgoingResponse>>("[constructor]outgoing-response", fields({{"C", bytesOf("d")}}));
  auto answerHeaders =
      call<Own<Fields>>("[method]outgoing-response.headers", Borrow<OutgoingResponse>{answer.rep});
  auto exchange = std::make_shared<Exchange>();
  Own<ResponseOutparam> outparam{guest.objects.add(std::make_unique<ResponseOutparam>(exchange))};
  using Answered = Expected<Own<OutgoingResponse>, ErrorCode>;
  call<void>("[static]response-outparam.set", outparam, Answered(answer));
  EXPECT_EQ(guest.trap, "");
  EXPECT_TRUE(exchange->answer());
  EXPECT_EQ(get(answerHeaders, "c"), std::vector<std::string>{"d"});

  Own<IncomingResponse> response{guest.objects.add(std::make_unique<IncomingResponse>(
      Response{uint16_t{200}, std::make_shared<FieldList>(FieldList{{"E", "f"}}), nullptr}))};
  auto responseHeaders = call<Own<Fields>>("[method]incoming-response.headers",
                                           Borrow<IncomingResponse>{response.rep});
  EXPECT_FALSE(guest.objects.hasChildren(response.rep));
  guest.objects.drop(response.rep);
  EXPECT_EQ(get(responseHeaders, "e"), std::vector<std::string>{"f"});
}

TEST_F(HttpText, StreamsAreChildrenOfTheirBody) {
  Own<IncomingBody> body{guest.objects.add(std::make_unique<IncomingBody>(arriving("0\r\n\r\n")))};
  auto in = call<Expected<Own<InputStream>, void>>("[method]incoming-body.stream",
                                                   Borrow<IncomingBody>{body.rep});
  EXPECT_TRUE(guest.objects.hasChildren(body.rep));
  call<Own<FutureTrailers>>("[static]incoming-body.finish", body);
  EXPECT_EQ(guest.trap, "the handle is no incoming-body whose children were dropped before");
  guest.objects.drop(in->rep);
  EXPECT_FALSE(guest.objects.hasChildren(body.rep));
  call<Own<FutureTrailers>>("[static]incoming-body.finish", body);
  EXPECT_EQ(guest.trap, "");

  auto response = call<Own<OutgoingResponse>>("[constructor]outgoing-response", fields({}));
  auto outgoing =
      call<Body>("[method]outgoing-response.body", Borrow<OutgoingResponse>{response.rep});
  auto out = call<Stream>("[method]outgoing-body.write", Borrow<OutgoingBody>{outgoing->rep});
  EXPECT_TRUE(guest.objects.hasChildren(outgoing->rep));
  call<Finished>("[static]outgoing-body.finish", *outgoing, std::optional<Own<Fields>>());
  EXPECT_EQ(guest.trap, "the handle is no outgoing-body whose children were dropped before");
  guest.objects.drop(out->rep);
  EXPECT_FALSE(guest.objects.hasChildren(outgoing->rep));
  EXPECT_TRUE(
      call<Finished>("[static]outgoing-body.finish", *outgoing, std::optional<Own<Fields>>()));
}

TEST_F(HttpText, OnlyHttpErrorsHaveHttpCodes) {
  auto code = [&](std::unique_ptr<net::IoError> error) {
    uint32_t rep = guest.objects.add<net::IoError>(std::move(error));
    return call<std::optional<ErrorCode>>("http-error-code", Borrow<net::IoError>{rep});
  };
  EXPECT_EQ(code(std::make_unique<net::IoError>("broken", 5)), std::nullopt);
  auto http = code(std::make_unique<HttpError>(makeError<ErrorKind::HTTP_RESPONSE_TIMEOUT>()));
  ASSERT_TRUE(http);
  EXPECT_EQ(toText(*http), "HTTP-response-timeout");
}

}  // namespace
}  // namespace tenon::wasi::http
