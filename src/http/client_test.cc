#include "http/client.h"

#include <kj/async-io.h>
#include <kj/timer.h>

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace tenon::http {
namespace {

// The machine's own network, with a clock that the test moves.
class Provider final : public kj::AsyncIoProvider {
 public:
  explicit Provider(kj::AsyncIoProvider& inner) : inner_(inner) {}
  kj::OneWayPipe newOneWayPipe() override { return inner_.newOneWayPipe(); }
  kj::TwoWayPipe newTwoWayPipe() override { return inner_.newTwoWayPipe(); }
  kj::CapabilityPipe newCapabilityPipe() override { return inner_.newCapabilityPipe(); }
  kj::Network& getNetwork() override { return inner_.getNetwork(); }
  PipeThread newPipeThread(
      kj::Function<void(kj::AsyncIoProvider&, kj::AsyncIoStream&, kj::WaitScope&)> start) override {
    return inner_.newPipeThread(kj::mv(start));
  }
  kj::Timer& getTimer() override { return timer; }

  kj::TimerImpl timer{kj::origin<kj::TimePoint>() + 1000 * kj::SECONDS};

 private:
  kj::AsyncIoProvider& inner_;
};

class HttpClient : public testing::Test {
 public:
  ~HttpClient() noexcept override {}

 protected:
  std::shared_ptr<Client> client(HttpOptions options, Resolver resolver = resolveWithSystem) {
    return newClient(io, options, std::move(resolver)).value();
  }
  // To the server of this test, unless `authority` is another.
  ClientRequest request(const std::string& authority = "") {
    std::string whom = authority.empty() ? "127.0.0.1:" + std::to_string(port) : authority;
    return {.method = "GET",
            .target = parseAuthority(whom, false).value(),
            .authority = whom,
            .path = "/",
            .fields = std::make_shared<FieldList>()};
  }
  HttpOptions here() { return {.allow = {"127.0.0.1:*"}}; }

  // Gives everything that is under way the time to happen.
  void turn() { real.provider->getTimer().afterDelay(20 * kj::MILLISECONDS).wait(waitScope); }
  // False: not within ten seconds.
  bool happens(kj::Promise<void> promise) {
    bool late = false;
    promise
        .exclusiveJoin(
            real.provider->getTimer().afterDelay(10 * kj::SECONDS).then([&late]() { late = true; }))
        .wait(waitScope);
    return !late;
  }
  // What came of it: "200", or the error.
  std::string outcome(PendingResponse& pending) {
    if (!happens(pending.whenReady())) return "nothing";
    if (!*pending.outcome) return toText(pending.outcome->error());
    return std::to_string(pending.outcome->value().status);
  }
  kj::Own<kj::AsyncIoStream> accept() { return receiver->accept().wait(waitScope); }
  std::string hear(kj::AsyncIoStream& stream) {
    std::string head;
    while (head.find("\r\n\r\n") == std::string::npos) {
      char buffer[1024];
      size_t count = stream.tryRead(buffer, 1, sizeof(buffer)).wait(waitScope);
      if (count == 0) break;
      head.append(buffer, count);
    }
    return head;
  }
  void say(kj::AsyncIoStream& stream, std::string_view text) {
    stream.write(text.data(), text.size()).wait(waitScope);
  }
  // Whether the client closes the connection.
  bool ends(kj::AsyncIoStream& stream) {
    char buffer[1];
    size_t count = 1;
    bool ended = happens(stream.tryRead(buffer, 1, 1)
                             .then([&count](size_t read) { count = read; },
                                   [&count](kj::Exception&&) { count = 0; }));
    return ended && count == 0;
  }

  kj::AsyncIoContext real = kj::setupAsyncIo();
  kj::WaitScope& waitScope = real.waitScope;
  kj::AsyncIoContext io{kj::Own<kj::LowLevelAsyncIoProvider>(), kj::heap<Provider>(*real.provider),
                        real.waitScope, real.unixEventPort};
  kj::TimerImpl& timer = static_cast<Provider&>(*io.provider).timer;
  kj::Own<kj::ConnectionReceiver> receiver =
      real.provider->getNetwork().parseAddress("127.0.0.1", 0).wait(waitScope)->listen();
  kj::uint port = receiver->getPort();
};

TEST_F(HttpClient, ANameThatTakesLongStopsNobodyAndIsLookedUpOnce) {
  std::promise<void> release;
  auto released = release.get_future().share();
  std::atomic<int> asked = 0;
  auto slow = client({.allow = {"*:*"}}, [released, &asked](const std::string&) -> Addresses {
    ++asked;
    released.wait();
    return dnsError("nobody knows");
  });
  PendingResponse first;
  PendingResponse second;
  {
    PendingResponse dropped;
    EXPECT_TRUE(slow->send(request("slow.example"), dropped));
  }
  EXPECT_TRUE(slow->send(request("slow.example"), first));
  EXPECT_TRUE(slow->send(request("slow.example:81"), second));
  turn();
  EXPECT_FALSE(first.ready());
  release.set_value();
  EXPECT_NE(outcome(first).find("DNS-error"), std::string::npos);
  EXPECT_NE(outcome(second).find("DNS-error"), std::string::npos);
  EXPECT_EQ(asked, 1);
}

TEST_F(HttpClient, ALookUpEndsWithTheTimeToConnect) {
  std::promise<void> release;
  auto released = release.get_future().share();
  auto slow = client({.allow = {"*:*"}}, [released](const std::string&) -> Addresses {
    released.wait();
    return dnsError("too late");
  });
  PendingResponse pending;
  EXPECT_TRUE(slow->send(request("slow.example"), pending));
  turn();
  timer.advanceTo(timer.now() + 31 * kj::SECONDS);
  EXPECT_EQ(outcome(pending), "DNS-timeout");
  release.set_value();
}

TEST_F(HttpClient, FewNamesAreLookedUpAtTheSameTime) {
  std::promise<void> release;
  auto released = release.get_future().share();
  auto slow = client({.allow = {"*:*"}}, [released](const std::string&) -> Addresses {
    released.wait();
    return dnsError("x");
  });
  for (int i = 0; i < 32; ++i) {
    PendingResponse dropped;
    EXPECT_TRUE(slow->send(request("a" + std::to_string(i) + ".example"), dropped));
    turn();
  }
  PendingResponse pending;
  EXPECT_TRUE(slow->send(request("b.example"), pending));
  EXPECT_EQ(outcome(pending), "connection-limit-reached");
  release.set_value();
}

TEST_F(HttpClient, ANameMayNotLeadToAnAddressThatStandsForAnInnerOne) {
  for (const char* text : {"127.0.0.1", "10.0.0.1", "192.0.2.1", "192.0.0.8", "198.18.0.1", "::1",
                           "::127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1",
                           "2002:7f00:1::", "fec0::1", "fe80::1", "fd00::1"}) {
    auto known = client({.allow = {"*:*"}}, [text](const std::string&) -> Addresses {
      net::AddressBytes address;
      EXPECT_TRUE(net::parseAddress(text, address)) << text;
      return std::vector{address};
    });
    PendingResponse named;
    EXPECT_TRUE(known->send(request("rebound.example:" + std::to_string(port)), named));
    EXPECT_EQ(outcome(named), "destination-IP-prohibited") << text;
    bool v6 = std::string_view(text).find(':') != std::string_view::npos;
    PendingResponse literal;
    EXPECT_TRUE(known->send(request(v6 ? "[" + std::string(text) + "]" : text), literal));
    EXPECT_EQ(outcome(literal), "destination-IP-prohibited") << text;
  }
}

TEST_F(HttpClient, TheNextAddressIsTriedWhenOneDoesNotAnswer) {
  auto known =
      client({.allow = {"*:*"}, .allowPrivate = true}, [](const std::string&) -> Addresses {
        std::vector<net::AddressBytes> both(2);
        net::parseAddress("127.255.255.254", both[0]);  // nobody listens there
        net::parseAddress("127.0.0.1", both[1]);
        return both;
      });
  PendingResponse pending;
  EXPECT_TRUE(known->send(request("two.example:" + std::to_string(port)), pending));
  auto stream = accept();
  hear(*stream);
  say(*stream, "HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(outcome(pending), "204");
}

TEST_F(HttpClient, InformationalResponsesWithoutEndAreAnError) {
  auto one = client(here());
  PendingResponse pending;
  EXPECT_TRUE(one->send(request(), pending));
  auto stream = accept();
  hear(*stream);
  std::string flood;
  for (int i = 0; i < 10'000; ++i) flood += "HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n";
  auto flooding = stream->write(flood.data(), flood.size()).eagerlyEvaluate([](kj::Exception&&) {});
  EXPECT_EQ(outcome(pending), "HTTP-protocol-error");
}

TEST_F(HttpClient, InformationalResponsesDoNotMoveTheDeadline) {
  auto one = client(here());
  PendingResponse pending;
  ClientRequest wanted = request();
  wanted.firstByteTimeout = 1'000'000'000;
  EXPECT_TRUE(one->send(std::move(wanted), pending));
  auto stream = accept();
  hear(*stream);
  for (int i = 0; i < 4; ++i) {
    say(*stream, "HTTP/1.1 102 Processing\r\n\r\n");
    turn();
    timer.advanceTo(timer.now() + 300 * kj::MILLISECONDS);
  }
  EXPECT_EQ(outcome(pending), "connection-read-timeout");
}

TEST_F(HttpClient, AnIdleConnectionGoesWhenItsServerClosesIt) {
  auto one = client(here());
  PendingResponse pending;
  EXPECT_TRUE(one->send(request(), pending));
  auto stream = accept();
  hear(*stream);
  say(*stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(outcome(pending), "200");
  turn();
  stream->shutdownWrite();
  EXPECT_TRUE(ends(*stream));
}

TEST_F(HttpClient, AnIdleConnectionIsUsedAgainAndGoesAfterAWhile) {
  auto one = client(here());
  kj::Own<kj::AsyncIoStream> stream;
  for (int i = 0; i < 2; ++i) {
    PendingResponse pending;
    EXPECT_TRUE(one->send(request(), pending));
    if (i == 0) stream = accept();
    hear(*stream);
    say(*stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(outcome(pending), "200");
    turn();
    timer.advanceTo(timer.now() + 10 * kj::SECONDS);
    turn();
  }
  timer.advanceTo(timer.now() + 6 * kj::SECONDS);
  EXPECT_TRUE(ends(*stream));
}

TEST_F(HttpClient, ALengthIsSentOnce) {
  auto one = client(here());
  PendingResponse pending;
  ClientRequest wanted = request();
  wanted.method = "POST";
  *wanted.fields = {{"Content-length", "3"}, {"content-length", "3"}, {"a", "b"}};
  wanted.body = std::make_shared<BodyWriter>(Side::REQUEST);
  wanted.body->declare(3);
  EXPECT_TRUE(one->send(std::move(wanted), pending));
  auto stream = accept();
  EXPECT_EQ(hear(*stream), "POST / HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) +
                               "\r\nContent-length: 3\r\na: b\r\n\r\n");
}

TEST_F(HttpClient, ARequestThatBreaksOffEndsAtOnce) {
  auto one = client(here());
  for (bool declared : {false, true}) {
    PendingResponse pending;
    ClientRequest wanted = request();
    wanted.method = "POST";
    if (declared) *wanted.fields = {{"content-length", "6"}};
    auto body = std::make_shared<BodyWriter>(Side::REQUEST);
    if (declared) body->declare(6);
    wanted.body = body;
    EXPECT_TRUE(one->send(std::move(wanted), pending));
    auto stream = accept();  // keeps its side open
    EXPECT_TRUE(body->write(std::as_bytes(std::span("hello", 5))));
    hear(*stream);
    EXPECT_FALSE(pending.ready());
    if (declared) {
      EXPECT_FALSE(body->finish(nullptr));
    } else {
      body->abandon();
    }
    EXPECT_EQ(outcome(pending), declared ? "HTTP-request-body-size: 5" : "HTTP-protocol-error");
  }
}

TEST_F(HttpClient, AHeadWithBareLineFeedsIsAnErrorAtOnce) {
  auto one = client(here());
  PendingResponse pending;
  EXPECT_TRUE(one->send(request(), pending));
  auto stream = accept();
  hear(*stream);
  say(*stream, "HTTP/1.1 200 OK\nContent-Length: 2\n\nok");
  EXPECT_EQ(outcome(pending), "HTTP-protocol-error");
}

TEST_F(HttpClient, OnlyWhatCanBeKeptIsAskedFor) {
  auto one = client(here());
  PendingResponse pending;
  ClientRequest wanted = request();
  *wanted.fields = {{"te", "gzip, Trailers"}, {"expect", "100-continue"}, {"a", "b"}};
  EXPECT_TRUE(one->send(std::move(wanted), pending));
  auto stream = accept();
  EXPECT_EQ(hear(*stream), "GET / HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) +
                               "\r\na: b\r\nTE: trailers\r\nConnection: TE\r\n\r\n");
}

TEST_F(HttpClient, ATraceHasNoContent) {
  auto one = client(here());
  PendingResponse pending;
  ClientRequest wanted = request();
  wanted.method = "TRACE";
  auto body = std::make_shared<BodyWriter>(Side::REQUEST);
  wanted.body = body;
  EXPECT_TRUE(one->send(std::move(wanted), pending));
  auto stream = accept();
  EXPECT_EQ(hear(*stream),
            "TRACE / HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) + "\r\n\r\n");
  EXPECT_FALSE(body->write(std::as_bytes(std::span("x", 1))));
}

TEST_F(HttpClient, AServerThatRefusesABodyGetsNoMoreOfIt) {
  auto one = client(here());
  PendingResponse pending;
  ClientRequest wanted = request();
  wanted.method = "POST";
  auto body = std::make_shared<BodyWriter>(Side::REQUEST);
  wanted.body = body;
  EXPECT_TRUE(one->send(std::move(wanted), pending));
  auto stream = accept();
  hear(*stream);
  say(*stream, "HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno");
  EXPECT_EQ(outcome(pending), "413");
  EXPECT_FALSE(body->write(std::as_bytes(std::span("x", 1))));
}

}  // namespace
}  // namespace tenon::http
