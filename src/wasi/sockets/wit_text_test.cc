// What the WIT text of wasi:sockets says sentence by sentence, as far as the other tests do not
// show it: tests/wasi-text.

#include "wasi/sockets/sockets_testing.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <string>
#include <vector>

namespace tenon::wasi::sockets {

enum class Shut : uint8_t { RECEIVE, SEND, BOTH };

}  // namespace tenon::wasi::sockets

TENON_ENUM(tenon::wasi::sockets::Shut, RECEIVE, SEND, BOTH)

namespace tenon::wasi::sockets {
namespace {

using Pair = std::tuple<Own<InputStream>, Own<OutputStream>>;
using Accepted = std::tuple<Own<Socket>, Own<InputStream>, Own<OutputStream>>;
using Streams = std::tuple<Own<AnyStream>, Own<AnyStream>>;

IpSocketAddress v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t port) {
  return Ipv4SocketAddress{port, {a, b, c, d}};
}
IpSocketAddress v6(const Ipv6Address& address, uint16_t port) {
  return Ipv6SocketAddress{port, 0, address, 0};
}
const Ipv6Address MAPPED{0, 0, 0, 0, 0, 0xffff, 0x7f00, 1};
const IpSocketAddress ANY = v4(0, 0, 0, 0, 0);
const IpSocketAddress ANY6 = v6({}, 0);

// Everything is granted.
class SocketText : public SocketGuest {
 protected:
  SocketText() : SocketGuest({.connect = {"*:*"}, .listen = {"*:*"}}) {}

  Void tcp(const std::string& name, Borrow<Socket> self) { return method<Void>("tcp", name, self); }
  Void start(const std::string& kind, const std::string& name, Borrow<Socket> socket,
             const IpSocketAddress& address) {
    return method<Void>(kind, name, socket, network, address);
  }
  IpSocketAddress listen(Borrow<Socket> socket, const IpSocketAddress& at) {
    EXPECT_TRUE(bind("tcp", socket, at));
    EXPECT_TRUE(tcp("start-listen", socket));
    EXPECT_TRUE(tcp("finish-listen", socket));
    return localAddress("tcp", socket).value();
  }
  Pair connect(Borrow<Socket> socket, const IpSocketAddress& to) {
    EXPECT_TRUE(start("tcp", "start-connect", socket, to));
    block("wasi:sockets/tcp", "tcp-socket", socket);
    return method<SocketResult<Pair>>("tcp", "finish-connect", socket).value();
  }
  Accepted accept(Borrow<Socket> listener) {
    block("wasi:sockets/tcp", "tcp-socket", listener);
    return method<SocketResult<Accepted>>("tcp", "accept", listener).value();
  }
  // "" when the stream is open and has nothing, "closed", "failed", or what was read.
  std::string read(Own<InputStream> from, const char* name = "[method]input-stream.blocking-read") {
    auto bytes = guest.call<Expected<Bytes, StreamError>>(
        "wasi:io/streams", name, Borrow<InputStream>{from.rep}, uint64_t{100});
    if (bytes) return textOf(*bytes);
    return bytes.error().index() == 1 ? "closed" : "failed";
  }
  bool write(Own<OutputStream> to, std::string_view text) {
    return guest
        .call<Expected<void, StreamError>>("wasi:io/streams",
                                           "[method]output-stream.blocking-write-and-flush",
                                           Borrow<OutputStream>{to.rep}, bytesOf(text))
        .hasValue();
  }
};

TEST_F(SocketText, AddressesKeepAllTheirParts) {
  IpSocketAddress address =
      Ipv6SocketAddress{0x1234, 0x000fedcb, {1, 2, 3, 4, 5, 6, 7, 0x8899}, 42};
  EXPECT_EQ(fromSystem(toSystem(address)), address);
  net::SystemAddress system = toSystem(address);
  auto* in6 = reinterpret_cast<const sockaddr_in6*>(system.get());
  EXPECT_EQ(ntohs(in6->sin6_port), 0x1234);
  EXPECT_EQ(ntohl(in6->sin6_flowinfo), 0x000fedcbu);
  EXPECT_EQ(in6->sin6_scope_id, 42u);
  EXPECT_EQ(in6->sin6_addr.s6_addr[15], 0x99);
  net::SystemAddress small = toSystem(v4(1, 2, 3, 4, 80));
  auto* in = reinterpret_cast<const sockaddr_in*>(small.get());
  EXPECT_EQ(ntohs(in->sin_port), 80);
  EXPECT_EQ(ntohl(in->sin_addr.s_addr), 0x01020304u);
  EXPECT_EQ(fromSystem(small), v4(1, 2, 3, 4, 80));
}

TEST_F(SocketText, TcpBindsToAddressesOfItsFamilyOnly) {
  auto bindError = [&](IpAddressFamily family, const IpSocketAddress& address) {
    return bind("tcp", create("tcp", family), address).error();
  };
  EXPECT_EQ(bindError(IpAddressFamily::IPV4, LOOPBACK6), ErrorCode::INVALID_ARGUMENT);
  EXPECT_EQ(bindError(IpAddressFamily::IPV6, LOOPBACK), ErrorCode::INVALID_ARGUMENT);
  EXPECT_EQ(bindError(IpAddressFamily::IPV4, v4(224, 0, 0, 1, 0)), ErrorCode::INVALID_ARGUMENT);
  EXPECT_EQ(bindError(IpAddressFamily::IPV4, v4(255, 255, 255, 255, 0)),
            ErrorCode::INVALID_ARGUMENT);
  EXPECT_EQ(bindError(IpAddressFamily::IPV6, v6({0xff02, 0, 0, 0, 0, 0, 0, 1}, 0)),
            ErrorCode::INVALID_ARGUMENT);
  EXPECT_EQ(bindError(IpAddressFamily::IPV6, v6(MAPPED, 0)), ErrorCode::INVALID_ARGUMENT);
  EXPECT_EQ(bindError(IpAddressFamily::IPV4, v4(192, 0, 2, 1, 0)), ErrorCode::ADDRESS_NOT_BINDABLE);
  EXPECT_EQ(bindError(IpAddressFamily::IPV6, v6({0x2001, 0xdb8, 0, 0, 0, 0, 0, 1}, 0)),
            ErrorCode::ADDRESS_NOT_BINDABLE);
}

TEST_F(SocketText, TcpConnectsToAddressesOfItsFamilyOnly) {
  auto four = create("tcp"), six = create("tcp", IpAddressFamily::IPV6);
  for (const auto& address :
       {v6({0, 0, 0, 0, 0, 0, 0, 1}, 80), v4(224, 0, 0, 1, 80), v4(255, 255, 255, 255, 80),
        v4(0, 0, 0, 0, 80), v4(127, 0, 0, 1, 0)}) {
    EXPECT_EQ(start("tcp", "start-connect", four, address).error(), ErrorCode::INVALID_ARGUMENT);
  }
  for (const auto& address : {v4(127, 0, 0, 1, 80), v6(MAPPED, 80), v6({}, 80),
                              v6({0xff02, 0, 0, 0, 0, 0, 0, 1}, 80), LOOPBACK6}) {
    EXPECT_EQ(start("tcp", "start-connect", six, address).error(), ErrorCode::INVALID_ARGUMENT);
  }
}

TEST_F(SocketText, APortIsChosenAndEveryAddressIsOne) {
  for (const char* kind : {"tcp", "udp"}) {
    for (const auto& any : {ANY, ANY6}) {
      auto socket = create(kind, any.index() == 0 ? IpAddressFamily::IPV4 : IpAddressFamily::IPV6);
      ASSERT_TRUE(bind(kind, socket, any));
      auto bound = localAddress(kind, socket).value();
      EXPECT_NE(portOf(bound), 0);
      EXPECT_EQ(ipOf(bound), ipOf(any));
    }
  }
}

TEST_F(SocketText, ABindThatFailedMayBeTriedAgainAndOneThatSucceededNot) {
  for (const char* kind : {"tcp", "udp"}) {
    auto other = create(kind);
    ASSERT_TRUE(bind(kind, other, LOOPBACK));
    auto taken = localAddress(kind, other).value();
    if (kind == std::string("tcp")) {
      EXPECT_TRUE(tcp("start-listen", other));
      EXPECT_TRUE(tcp("finish-listen", other));
    }
    auto socket = create(kind);
    EXPECT_EQ(bind(kind, socket, LOOPBACK6).error(), ErrorCode::INVALID_ARGUMENT);
    EXPECT_EQ(bind(kind, socket, v4(192, 0, 2, 1, 0)).error(), ErrorCode::ADDRESS_NOT_BINDABLE);
    EXPECT_EQ(bind(kind, socket, taken).error(), ErrorCode::ADDRESS_IN_USE);
    EXPECT_EQ(localAddress(kind, socket).error(), ErrorCode::INVALID_STATE);
    EXPECT_TRUE(bind(kind, socket, LOOPBACK));
    auto bound = localAddress(kind, socket).value();
    EXPECT_EQ(bind(kind, socket, LOOPBACK).error(), ErrorCode::INVALID_STATE);
    EXPECT_EQ(localAddress(kind, socket).value(), bound);
  }
}

TEST_F(SocketText, ConnectionsThatEndedAMomentAgoDoNotHoldThePort) {
  auto listener = create("tcp");
  auto address = listen(listener, LOOPBACK);
  auto client = create("tcp");
  auto [in, out] = connect(client, address);
  auto [server, serverIn, serverOut] = accept(listener);
  // The side that ends first is in TIME_WAIT afterwards.
  for (uint32_t rep : {serverIn.rep, serverOut.rep, server.rep}) guest.objects.drop(rep);
  EXPECT_EQ(read(in), "closed");
  for (uint32_t rep : {in.rep, out.rep, client.rep, listener.rep}) guest.objects.drop(rep);
  EXPECT_EQ(listen(create("tcp"), address), address);
}

TEST_F(SocketText, SocketsOfIpv6AreOfIpv6Only) {
  for (const char* kind : {"tcp", "udp"}) {
    auto six = create(kind, IpAddressFamily::IPV6);
    ASSERT_TRUE(bind(kind, six, ANY6));
    uint16_t port = portOf(localAddress(kind, six).value());
    // Else this would be in use.
    auto bound = bind(kind, create(kind), v4(0, 0, 0, 0, port));
    EXPECT_TRUE(bound || bound.error() != ErrorCode::ADDRESS_IN_USE);
    EXPECT_EQ(method<IpAddressFamily>(kind, "address-family", six), IpAddressFamily::IPV6);
    EXPECT_EQ(method<IpAddressFamily>(kind, "address-family", create(kind)), IpAddressFamily::IPV4);
  }
}

TEST_F(SocketText, OnePollableServesASocketAllItsLife) {
  auto listener = create("tcp");
  auto pollable =
      guest.call<Own<Pollable>>("wasi:sockets/tcp", "[method]tcp-socket.subscribe", listener);
  auto isReady = [&](Own<Pollable> of) {
    return guest.call<bool>("wasi:io/poll", "[method]pollable.ready", Borrow<Pollable>{of.rep});
  };
  auto waitFor = [&](Own<Pollable> of) {
    guest.call<void>("wasi:io/poll", "[method]pollable.block", Borrow<Pollable>{of.rep});
  };
  EXPECT_TRUE(start("tcp", "start-bind", listener, LOOPBACK));
  waitFor(pollable);
  EXPECT_TRUE(tcp("finish-bind", listener));
  EXPECT_TRUE(tcp("start-listen", listener));
  waitFor(pollable);
  EXPECT_TRUE(tcp("finish-listen", listener));
  EXPECT_FALSE(isReady(pollable));
  EXPECT_EQ(method<SocketResult<Accepted>>("tcp", "accept", listener).error(),
            ErrorCode::WOULD_BLOCK);
  auto client = create("tcp");
  auto clientPollable =
      guest.call<Own<Pollable>>("wasi:sockets/tcp", "[method]tcp-socket.subscribe", client);
  EXPECT_TRUE(start("tcp", "start-connect", client, localAddress("tcp", listener).value()));
  waitFor(clientPollable);
  EXPECT_TRUE(method<SocketResult<Pair>>("tcp", "finish-connect", client));
  waitFor(pollable);
  EXPECT_TRUE(isReady(pollable));
  EXPECT_TRUE(method<SocketResult<Accepted>>("tcp", "accept", listener));
  EXPECT_FALSE(isReady(pollable));
}

TEST_F(SocketText, ShutdownClosesTheStreamsAndNotTheSocket) {
  auto listener = create("tcp");
  auto address = listen(listener, LOOPBACK);
  EXPECT_EQ(method<Void>("tcp", "shutdown", listener, Shut::BOTH).error(),
            ErrorCode::INVALID_STATE);
  auto client = create("tcp");
  auto [in, out] = connect(client, address);
  auto [server, serverIn, serverOut] = accept(listener);
  EXPECT_TRUE(write(serverOut, "in the queue"));
  block("wasi:io/streams", "input-stream", Borrow<InputStream>{in.rep});
  for (int i = 0; i < 2; i++) {
    EXPECT_TRUE(method<Void>("tcp", "shutdown", client, Shut::BOTH));
    EXPECT_EQ(read(in, "[method]input-stream.read"), "closed");
    EXPECT_FALSE(write(out, "x"));
  }
  for (Shut one : {Shut::RECEIVE, Shut::SEND}) {
    EXPECT_TRUE(method<Void>("tcp", "shutdown", client, one));
  }
  EXPECT_EQ(read(serverIn), "closed");
  EXPECT_EQ(method<SocketResult<IpSocketAddress>>("tcp", "remote-address", client).value(),
            address);
  EXPECT_TRUE(method<SocketResult<uint8_t>>("tcp", "hop-limit", client));
}

TEST_F(SocketText, AcceptedSocketsInheritEveryOption) {
  auto listener = create("tcp");
  auto set = [&](const char* name, auto value) {
    EXPECT_TRUE(method<Void>("tcp", name, listener, value)) << name;
  };
  // They may be set while keep-alive is off.
  set("set-keep-alive-idle-time", uint64_t{11'000'000'000});
  set("set-keep-alive-interval", uint64_t{12'000'000'000});
  set("set-keep-alive-count", uint32_t{4});
  set("set-keep-alive-enabled", true);
  set("set-hop-limit", uint8_t{17});
  set("set-receive-buffer-size", uint64_t{33'000});
  set("set-send-buffer-size", uint64_t{44'000});
  auto address = listen(listener, LOOPBACK);
  auto client = create("tcp");
  connect(client, address);
  Borrow<Socket> server{std::get<0>(accept(listener)).rep};
  auto get = [&]<typename T>(const char* name, T expected) {
    EXPECT_EQ(method<SocketResult<T>>("tcp", name, server).value(), expected) << name;
  };
  get("keep-alive-enabled", true);
  get("keep-alive-idle-time", uint64_t{11'000'000'000});
  get("keep-alive-interval", uint64_t{12'000'000'000});
  get("keep-alive-count", uint32_t{4});
  get("hop-limit", uint8_t{17});
  get("receive-buffer-size", uint64_t{33'000});
  get("send-buffer-size", uint64_t{44'000});
  EXPECT_EQ(method<IpAddressFamily>("tcp", "address-family", server), IpAddressFamily::IPV4);
  EXPECT_TRUE(localAddress("tcp", server));
  EXPECT_FALSE(method<bool>("tcp", "is-listening", server));
}

TEST_F(SocketText, AnyOtherValueThanZeroIsTaken) {
  auto tcpSocket = create("tcp"), udpSocket = create("udp");
  for (uint64_t value : {uint64_t{1}, uint64_t{999'999'999}, uint64_t{1} << 32, ~uint64_t{0}}) {
    for (const char* name :
         {"set-listen-backlog-size", "set-keep-alive-idle-time", "set-keep-alive-interval",
          "set-receive-buffer-size", "set-send-buffer-size"}) {
      EXPECT_TRUE(method<Void>("tcp", name, tcpSocket, value)) << name << " " << value;
    }
    for (const char* name : {"set-receive-buffer-size", "set-send-buffer-size"}) {
      EXPECT_TRUE(method<Void>("udp", name, udpSocket, value)) << name << " " << value;
    }
  }
  for (uint32_t value : {1u, 127u, 128u, ~0u}) {
    EXPECT_TRUE(method<Void>("tcp", "set-keep-alive-count", tcpSocket, value)) << value;
  }
  for (int value = 1; value < 256; value++) {
    auto limit = static_cast<uint8_t>(value);
    EXPECT_TRUE(method<Void>("tcp", "set-hop-limit", tcpSocket, limit));
    EXPECT_TRUE(method<Void>("udp", "set-unicast-hop-limit", udpSocket, limit));
    EXPECT_EQ(method<SocketResult<uint8_t>>("udp", "unicast-hop-limit", udpSocket).value(), limit);
  }
  for (const char* name : {"set-receive-buffer-size", "set-send-buffer-size"}) {
    EXPECT_EQ(method<Void>("udp", name, udpSocket, uint64_t{0}).error(),
              ErrorCode::INVALID_ARGUMENT);
  }
}

TEST_F(SocketText, AClosedSocketIsOfNoUse) {
  auto socket = create("tcp");
  // Nobody listens at a port that was just free.
  auto other = create("tcp");
  ASSERT_TRUE(bind("tcp", other, LOOPBACK));
  auto nobody = localAddress("tcp", other).value();
  EXPECT_TRUE(start("tcp", "start-connect", socket, nobody));
  block("wasi:sockets/tcp", "tcp-socket", socket);
  EXPECT_EQ(method<SocketResult<Pair>>("tcp", "finish-connect", socket).error(),
            ErrorCode::CONNECTION_REFUSED);
  EXPECT_EQ(start("tcp", "start-bind", socket, LOOPBACK).error(), ErrorCode::INVALID_STATE);
  EXPECT_EQ(start("tcp", "start-connect", socket, nobody).error(), ErrorCode::INVALID_STATE);
  EXPECT_EQ(tcp("start-listen", socket).error(), ErrorCode::INVALID_STATE);
  EXPECT_EQ(method<SocketResult<Accepted>>("tcp", "accept", socket).error(),
            ErrorCode::INVALID_STATE);
  EXPECT_EQ(localAddress("tcp", socket).error(), ErrorCode::INVALID_STATE);
  EXPECT_EQ(method<SocketResult<IpSocketAddress>>("tcp", "remote-address", socket).error(),
            ErrorCode::INVALID_STATE);
  EXPECT_EQ(method<Void>("tcp", "shutdown", socket, Shut::BOTH).error(), ErrorCode::INVALID_STATE);
  EXPECT_EQ(method<Void>("tcp", "set-keep-alive-enabled", socket, true).error(),
            ErrorCode::INVALID_STATE);
  EXPECT_TRUE(ready("wasi:sockets/tcp", "tcp-socket", socket));
}

TEST_F(SocketText, AListenerHasNoPeer) {
  auto listener = create("tcp");
  auto address = listen(listener, LOOPBACK);
  EXPECT_EQ(method<SocketResult<IpSocketAddress>>("tcp", "remote-address", listener).error(),
            ErrorCode::INVALID_STATE);
  EXPECT_EQ(method<SocketResult<IpSocketAddress>>("tcp", "remote-address", create("tcp")).error(),
            ErrorCode::INVALID_STATE);
  EXPECT_EQ(start("tcp", "start-connect", listener, address).error(), ErrorCode::INVALID_STATE);
  // Its queue may be given another size.
  EXPECT_TRUE(method<Void>("tcp", "set-listen-backlog-size", listener, uint64_t{3}));
}

TEST_F(SocketText, ALookUpGivesEachAddressOnceAndThenNone) {
  auto found = guest.call<SocketResult<Own<AnyStream>>>(
      "wasi:sockets/ip-name-lookup", "resolve-addresses", network, std::string("localhost"));
  ASSERT_TRUE(found);
  EXPECT_EQ(guest.suspensions, 0);
  Borrow<AnyStream> lookup{found->rep};
  auto next = [&] {
    return guest
        .call<SocketResult<std::optional<IpAddress>>>(
            "wasi:sockets/ip-name-lookup", "[method]resolve-address-stream.resolve-next-address",
            lookup)
        .value();
  };
  block("wasi:sockets/ip-name-lookup", "resolve-address-stream", lookup);
  std::vector<IpAddress> addresses;
  while (auto address = next()) {
    EXPECT_EQ(std::find(addresses.begin(), addresses.end(), *address), addresses.end());
    addresses.push_back(*address);
  }
  EXPECT_FALSE(addresses.empty());
  EXPECT_EQ(next(), std::nullopt);
  EXPECT_EQ(next(), std::nullopt);
  EXPECT_TRUE(ready("wasi:sockets/ip-name-lookup", "resolve-address-stream", lookup));
}

}  // namespace
}  // namespace tenon::wasi::sockets
