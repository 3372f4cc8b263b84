#include "wasi/filesystem/types.h"
#include "wasi/sockets/sockets_testing.h"

#include <sys/socket.h>

namespace tenon::wasi::sockets {
namespace {

enum class Shutdown : uint8_t { RECEIVE, SEND, BOTH };

}  // namespace
}  // namespace tenon::wasi::sockets

TENON_ENUM(tenon::wasi::sockets::Shutdown, RECEIVE, SEND, BOTH)

namespace tenon::wasi::sockets {
namespace {

struct Connection {
  Borrow<Socket> socket;
  Borrow<InputStream> input;
  Borrow<OutputStream> output;
};
using Connected = SocketResult<std::tuple<Own<InputStream>, Own<OutputStream>>>;
using Accepted = SocketResult<std::tuple<Own<Socket>, Own<InputStream>, Own<OutputStream>>>;

class TcpTest : public SocketGuest {
 protected:
  using SocketGuest::SocketGuest;

  template <typename R, typename... As>
  R tcp(const std::string& name, Borrow<Socket> self, const As&... arguments) {
    return method<R>("tcp", name, self, arguments...);
  }
  void wait(Borrow<Socket> socket) { block("wasi:sockets/tcp", "tcp-socket", socket); }

  // A listening socket, and where.
  std::pair<Borrow<Socket>, IpSocketAddress> listen(const IpSocketAddress& at = LOOPBACK) {
    auto family = at.index() == 0 ? IpAddressFamily::IPV4 : IpAddressFamily::IPV6;
    Borrow<Socket> socket = create("tcp", family);
    EXPECT_TRUE(bind("tcp", socket, at));
    EXPECT_TRUE(tcp<Void>("start-listen", socket));
    EXPECT_TRUE(tcp<Void>("finish-listen", socket));
    return {socket, localAddress("tcp", socket).value()};
  }
  Void startConnect(Borrow<Socket> socket, const IpSocketAddress& to) {
    return tcp<Void>("start-connect", socket, network, to);
  }
  Connected finishConnect(Borrow<Socket> socket) {
    Connected result = tcp<Connected>("finish-connect", socket);
    if (result || result.error() != ErrorCode::WOULD_BLOCK) return result;
    wait(socket);
    return tcp<Connected>("finish-connect", socket);
  }
  Connection connect(const IpSocketAddress& to) {
    auto family = to.index() == 0 ? IpAddressFamily::IPV4 : IpAddressFamily::IPV6;
    Borrow<Socket> socket = create("tcp", family);
    EXPECT_TRUE(startConnect(socket, to));
    auto [input, output] = finishConnect(socket).value();
    return {socket, {input.rep}, {output.rep}};
  }
  Connection accept(Borrow<Socket> listener) {
    wait(listener);
    auto [socket, input, output] = tcp<Accepted>("accept", listener).value();
    return {{socket.rep}, {input.rep}, {output.rep}};
  }
  // Both ends of a connection.
  std::pair<Connection, Connection> pair(const IpSocketAddress& at = LOOPBACK) {
    auto [listener, address] = listen(at);
    Connection client = connect(address);
    return {client, accept(listener)};
  }

  Expected<void, StreamError> send(const Connection& connection, std::string_view text) {
    return guest.call<Expected<void, StreamError>>("wasi:io/streams",
                                                   "[method]output-stream.blocking-write-and-flush",
                                                   connection.output, bytesOf(text));
  }
  // What comes next, or "<closed>", "<error>".
  std::string receive(const Connection& connection, bool blocking = true) {
    auto bytes = guest.call<Expected<Bytes, StreamError>>(
        "wasi:io/streams",
        blocking ? "[method]input-stream.blocking-read" : "[method]input-stream.read",
        connection.input, uint64_t{100'000});
    if (bytes) return textOf(*bytes);
    return bytes.error().index() == 1 ? "<closed>" : "<error>";
  }
  std::string receiveAll(const Connection& connection) {
    std::string all;
    while (true) {
      std::string more = receive(connection);
      if (more.starts_with('<')) return all + more;
      all += more;
    }
  }
  Expected<uint64_t, StreamError> checkWrite(const Connection& connection) {
    return guest.call<Expected<uint64_t, StreamError>>(
        "wasi:io/streams", "[method]output-stream.check-write", connection.output);
  }
  // Writes until the stream takes no more; how much that was.
  size_t fill(const Connection& connection) {
    size_t total = 0;
    while (uint64_t permit = checkWrite(connection).value()) {
      EXPECT_TRUE((guest.call<Expected<void, StreamError>>(
          "wasi:io/streams", "[method]output-stream.write", connection.output,
          Bytes(permit, std::byte{'x'}))));
      total += permit;
      if (total > 100'000'000) return 0;
    }
    return total;
  }
  // Drops everything that a guest has of a connection.
  void drop(const Connection& connection) {
    guest.objects.drop(connection.input.rep);
    guest.objects.drop(connection.output.rep);
    guest.objects.drop(connection.socket.rep);
  }
};

class TcpFamilyTest : public TcpTest, public testing::WithParamInterface<IpSocketAddress> {};

TEST_P(TcpFamilyTest, AConnectionCarriesBytesBothWays) {
  auto [client, server] = pair(GetParam());
  EXPECT_TRUE(send(client, "ping"));
  EXPECT_EQ(receive(server), "ping");
  EXPECT_TRUE(send(server, "pong"));
  EXPECT_EQ(receive(client), "pong");
  EXPECT_EQ(receive(client, false), "");
}

TEST_P(TcpFamilyTest, BothEndsKnowTheAddresses) {
  auto [client, server] = pair(GetParam());
  auto address = [this](const char* name, const Connection& connection) {
    return tcp<SocketResult<IpSocketAddress>>(name, connection.socket).value();
  };
  EXPECT_EQ(address("remote-address", client), address("local-address", server));
  EXPECT_EQ(address("local-address", client), address("remote-address", server));
  EXPECT_TRUE(isSameEndpoint(withPort(address("local-address", client), 0), GetParam()));
  EXPECT_EQ(tcp<IpAddressFamily>("address-family", server.socket),
            GetParam().index() == 0 ? IpAddressFamily::IPV4 : IpAddressFamily::IPV6);
}

INSTANTIATE_TEST_SUITE_P(Families, TcpFamilyTest, testing::Values(LOOPBACK, LOOPBACK6),
                         [](const auto& info) {
                           return info.param.index() == 0 ? "Ipv4" : "Ipv6";
                         });

TEST_F(TcpTest, StepsOutOfOrderAreRefused) {
  auto socket = create("tcp");
  EXPECT_EQ(tcp<Void>("finish-bind", socket).error(), ErrorCode::NOT_IN_PROGRESS);
  EXPECT_EQ(tcp<Void>("finish-listen", socket).error(), ErrorCode::NOT_IN_PROGRESS);
  EXPECT_EQ(tcp<Connected>("finish-connect", socket).error(), ErrorCode::NOT_IN_PROGRESS);
  EXPECT_EQ(tcp<Void>("start-listen", socket).error(), ErrorCode::INVALID_STATE);
  EXPECT_EQ(tcp<Accepted>("accept", socket).error(), ErrorCode::INVALID_STATE);
  EXPECT_EQ(tcp<Void>("shutdown", socket, Shutdown::BOTH).error(), ErrorCode::INVALID_STATE);
  EXPECT_EQ(localAddress("tcp", socket).error(), ErrorCode::INVALID_STATE);

  EXPECT_TRUE(tcp<Void>("start-bind", socket, network, LOOPBACK));
  EXPECT_EQ(tcp<Void>("start-bind", socket, network, LOOPBACK).error(),
            ErrorCode::CONCURRENCY_CONFLICT);
  EXPECT_EQ(tcp<Void>("start-listen", socket).error(), ErrorCode::CONCURRENCY_CONFLICT);
  EXPECT_EQ(startConnect(socket, withPort(LOOPBACK, 9)).error(), ErrorCode::CONCURRENCY_CONFLICT);
  EXPECT_EQ(localAddress("tcp", socket).error(), ErrorCode::INVALID_STATE);
  wait(socket);
  EXPECT_TRUE(tcp<Void>("finish-bind", socket));
  EXPECT_EQ(tcp<Void>("finish-bind", socket).error(), ErrorCode::NOT_IN_PROGRESS);
  EXPECT_EQ(bind("tcp", socket, LOOPBACK).error(), ErrorCode::INVALID_STATE);
  EXPECT_NE(portOf(localAddress("tcp", socket).value()), 0);

  EXPECT_FALSE(tcp<bool>("is-listening", socket));
  EXPECT_TRUE(tcp<Void>("start-listen", socket));
  EXPECT_EQ(tcp<Accepted>("accept", socket).error(), ErrorCode::INVALID_STATE);
  EXPECT_EQ(tcp<Void>("start-listen", socket).error(), ErrorCode::CONCURRENCY_CONFLICT);
  EXPECT_TRUE(tcp<Void>("finish-listen", socket));
  EXPECT_TRUE(tcp<bool>("is-listening", socket));
  EXPECT_EQ(tcp<Void>("start-listen", socket).error(), ErrorCode::INVALID_STATE);
  EXPECT_EQ(startConnect(socket, withPort(LOOPBACK, 9)).error(), ErrorCode::INVALID_STATE);
  EXPECT_EQ(tcp<Accepted>("accept", socket).error(), ErrorCode::WOULD_BLOCK);
}

TEST_F(TcpTest, AConnectedSocketStaysConnected) {
  auto [client, server] = pair();
  EXPECT_EQ(startConnect(client.socket, withPort(LOOPBACK, 9)).error(), ErrorCode::INVALID_STATE);
  EXPECT_EQ(bind("tcp", client.socket, LOOPBACK).error(), ErrorCode::INVALID_STATE);
  EXPECT_EQ(tcp<Void>("start-listen", client.socket).error(), ErrorCode::INVALID_STATE);
  EXPECT_EQ(tcp<Connected>("finish-connect", client.socket).error(), ErrorCode::NOT_IN_PROGRESS);
  EXPECT_EQ(tcp<Void>("set-listen-backlog-size", client.socket, uint64_t{5}).error(),
            ErrorCode::INVALID_STATE);
}

TEST_F(TcpTest, ARefusedConnectionClosesTheSocket) {
  IpSocketAddress nobody;
  {
    auto [listener, address] = listen();
    nobody = address;
    guest.objects.drop(listener.rep);
  }
  auto socket = create("tcp");
  EXPECT_TRUE(startConnect(socket, nobody));
  EXPECT_EQ(finishConnect(socket).error(), ErrorCode::CONNECTION_REFUSED);
  EXPECT_EQ(tcp<Connected>("finish-connect", socket).error(), ErrorCode::NOT_IN_PROGRESS);
  EXPECT_EQ(startConnect(socket, nobody).error(), ErrorCode::INVALID_STATE);
  EXPECT_EQ(tcp<SocketResult<uint8_t>>("hop-limit", socket).error(), ErrorCode::INVALID_STATE);
  EXPECT_EQ(localAddress("tcp", socket).error(), ErrorCode::INVALID_STATE);
}

TEST_F(TcpTest, AnAddressInUseIsTold) {
  auto [listener, address] = listen();
  auto socket = create("tcp");
  EXPECT_EQ(bind("tcp", socket, address).error(), ErrorCode::ADDRESS_IN_USE);
  EXPECT_TRUE(bind("tcp", socket, LOOPBACK));  // a bind that failed may be tried again
}

TEST_F(TcpTest, AListenerIsReadyWhenSomebodyComes) {
  auto [listener, address] = listen();
  EXPECT_FALSE(ready("wasi:sockets/tcp", "tcp-socket", listener));
  Connection client = connect(address);
  Connection server = accept(listener);
  EXPECT_FALSE(ready("wasi:sockets/tcp", "tcp-socket", listener));
  EXPECT_TRUE(send(server, "welcome"));
  EXPECT_EQ(receive(client), "welcome");
}

TEST_F(TcpTest, AReaderWaitsWithoutKeepingTheThread) {
  auto [client, server] = pair();
  bool other = false;
  guest.onSuspend = [&, peer = client] {
    // The loop goes on with others, one of which writes.
    guest.onSuspend = nullptr;
    other = true;
    EXPECT_TRUE(send(peer, "late"));
    return true;
  };
  EXPECT_EQ(receive(server), "late");
  EXPECT_TRUE(other);
}

TEST_F(TcpTest, ShuttingDownOneWayLeavesTheOther) {
  auto [client, server] = pair();
  EXPECT_TRUE(send(client, "last words"));
  EXPECT_TRUE(tcp<Void>("shutdown", client.socket, Shutdown::SEND));
  EXPECT_TRUE(tcp<Void>("shutdown", client.socket, Shutdown::SEND));
  EXPECT_EQ(checkWrite(client).error().index(), 1u);
  EXPECT_EQ(receiveAll(server), "last words<closed>");
  EXPECT_TRUE(send(server, "answer"));
  EXPECT_EQ(receive(client), "answer");

  EXPECT_TRUE(send(server, "unread"));
  EXPECT_TRUE(tcp<Void>("shutdown", client.socket, Shutdown::RECEIVE));
  EXPECT_EQ(receive(client), "<closed>");
  EXPECT_TRUE(tcp<Void>("shutdown", client.socket, Shutdown::BOTH));
}

TEST_F(TcpTest, APeerThatDoesNotReadStopsTheWriterAndNobodyElse) {
  auto [client, server] = pair();
  size_t written = fill(client);
  ASSERT_GT(written, 64u * 1024);
  EXPECT_EQ(checkWrite(client).value(), 0u);
  EXPECT_FALSE(ready("wasi:io/streams", "output-stream", client.output));
  // Dropped with bytes that the kernel did not take: they arrive all the same, and then the end.
  EXPECT_TRUE(tcp<Void>("shutdown", client.socket, Shutdown::SEND));
  drop(client);
  EXPECT_EQ(receiveAll(server), std::string(written, 'x') + "<closed>");
}

TEST_F(TcpTest, TheBudgetComesBackWhenThePeerReads) {
  auto [client, server] = pair();
  size_t written = fill(client);
  size_t read = 0;
  while (read < written) read += receive(server).size();
  block("wasi:io/streams", "output-stream", client.output);
  EXPECT_GT(checkWrite(client).value(), 0u);
  auto flushed = guest.call<Expected<void, StreamError>>(
      "wasi:io/streams", "[method]output-stream.blocking-flush", client.output);
  EXPECT_TRUE(flushed);
}

TEST_F(TcpTest, APeerThatResetsIsAnErrorOnce) {
  auto [client, server] = pair();
  EXPECT_TRUE(send(client, "unread"));
  drop(server);  // with bytes unread: a reset
  auto bytes = guest.call<Expected<Bytes, StreamError>>(
      "wasi:io/streams", "[method]input-stream.blocking-read", client.input, uint64_t{10});
  ASSERT_FALSE(bytes);
  auto* error = std::get_if<Own<net::IoError>>(&bytes.error());
  ASSERT_TRUE(error);
  EXPECT_EQ(guest.call<std::optional<ErrorCode>>("wasi:sockets/network", "network-error-code",
                                                 Borrow<net::IoError>{error->rep}),
            ErrorCode::CONNECTION_RESET);
  EXPECT_EQ(guest.call<std::optional<filesystem::ErrorCode>>(
                "wasi:filesystem/types", "filesystem-error-code", Borrow<net::IoError>{error->rep}),
            std::nullopt);
  EXPECT_EQ(receive(client), "<closed>");
  EXPECT_EQ(tcp<SocketResult<IpSocketAddress>>("remote-address", client.socket).error(),
            ErrorCode::INVALID_STATE);
}

TEST_F(TcpTest, OptionsAreTheSystems) {
  auto socket = create("tcp");
  auto set = [&](const char* name, auto value) { return tcp<Void>(name, socket, value); };
  using U64 = SocketResult<uint64_t>;
  EXPECT_EQ(tcp<SocketResult<bool>>("keep-alive-enabled", socket).value(), false);
  EXPECT_TRUE(set("set-keep-alive-enabled", true));
  EXPECT_EQ(tcp<SocketResult<bool>>("keep-alive-enabled", socket).value(), true);
  EXPECT_TRUE(set("set-keep-alive-idle-time", uint64_t{5'000'000'000}));
  EXPECT_EQ(tcp<U64>("keep-alive-idle-time", socket).value(), 5'000'000'000u);
  EXPECT_TRUE(set("set-keep-alive-interval", uint64_t{1}));  // rounded
  EXPECT_EQ(tcp<U64>("keep-alive-interval", socket).value(), 1'000'000'000u);
  EXPECT_TRUE(set("set-keep-alive-interval", ~uint64_t{0}));  // clamped
  EXPECT_TRUE(set("set-keep-alive-count", uint32_t{7}));
  EXPECT_EQ(tcp<SocketResult<uint32_t>>("keep-alive-count", socket).value(), 7u);
  EXPECT_TRUE(set("set-keep-alive-count", ~uint32_t{0}));
  EXPECT_TRUE(set("set-hop-limit", uint8_t{9}));
  EXPECT_EQ(tcp<SocketResult<uint8_t>>("hop-limit", socket).value(), 9);
  EXPECT_TRUE(set("set-receive-buffer-size", uint64_t{30'000}));
  EXPECT_EQ(tcp<U64>("receive-buffer-size", socket).value(), 30'000u);
  EXPECT_TRUE(set("set-send-buffer-size", ~uint64_t{0}));
  EXPECT_GT(tcp<U64>("send-buffer-size", socket).value(), 30'000u);
  EXPECT_TRUE(set("set-listen-backlog-size", ~uint64_t{0}));
}

TEST_F(TcpTest, NoOptionIsZero) {
  auto socket = create("tcp", IpAddressFamily::IPV6);
  for (const char* name :
       {"set-keep-alive-idle-time", "set-keep-alive-interval", "set-receive-buffer-size",
        "set-send-buffer-size", "set-listen-backlog-size"}) {
    EXPECT_EQ(tcp<Void>(name, socket, uint64_t{0}).error(), ErrorCode::INVALID_ARGUMENT) << name;
  }
  EXPECT_EQ(tcp<Void>("set-keep-alive-count", socket, uint32_t{0}).error(),
            ErrorCode::INVALID_ARGUMENT);
  EXPECT_EQ(tcp<Void>("set-hop-limit", socket, uint8_t{0}).error(), ErrorCode::INVALID_ARGUMENT);
}

TEST_F(TcpTest, AnAcceptedSocketInheritsTheOptions) {
  auto socket = create("tcp");
  EXPECT_TRUE(tcp<Void>("set-keep-alive-enabled", socket, true));
  EXPECT_TRUE(tcp<Void>("set-keep-alive-count", socket, uint32_t{3}));
  EXPECT_TRUE(tcp<Void>("set-hop-limit", socket, uint8_t{42}));
  EXPECT_TRUE(bind("tcp", socket, LOOPBACK));
  EXPECT_TRUE(tcp<Void>("start-listen", socket));
  EXPECT_TRUE(tcp<Void>("finish-listen", socket));
  EXPECT_TRUE(tcp<Void>("set-listen-backlog-size", socket, uint64_t{7}));
  connect(localAddress("tcp", socket).value());
  Connection server = accept(socket);
  EXPECT_EQ(tcp<SocketResult<bool>>("keep-alive-enabled", server.socket).value(), true);
  EXPECT_EQ(tcp<SocketResult<uint32_t>>("keep-alive-count", server.socket).value(), 3u);
  EXPECT_EQ(tcp<SocketResult<uint8_t>>("hop-limit", server.socket).value(), 42);
}

class GrantedTcpTest : public TcpTest {
 protected:
  GrantedTcpTest() : TcpTest({.connect = {"127.0.0.1:1-100"}, .listen = {"127.0.0.2:*"}}) {}
};

TEST_F(GrantedTcpTest, OnlyWhatIsGrantedIsReached) {
  for (const IpSocketAddress& address :
       {withPort(LOOPBACK, 101), IpSocketAddress(Ipv4SocketAddress{80, {127, 0, 0, 3}}),
        IpSocketAddress(Ipv4SocketAddress{80, {10, 0, 0, 1}})}) {
    auto socket = create("tcp");
    EXPECT_EQ(startConnect(socket, address).error(), ErrorCode::ACCESS_DENIED);
    EXPECT_EQ(startConnect(socket, address).error(), ErrorCode::INVALID_STATE);
  }
  auto socket = create("tcp");
  EXPECT_TRUE(startConnect(socket, withPort(LOOPBACK, 100)));
}

TEST_F(GrantedTcpTest, OnlyWhereItIsGrantedItListens) {
  auto socket = create("tcp");
  EXPECT_EQ(bind("tcp", socket, Ipv4SocketAddress{8080, {127, 0, 0, 1}}).error(),
            ErrorCode::ACCESS_DENIED);
  EXPECT_EQ(bind("tcp", socket, Ipv4SocketAddress{8080, {0, 0, 0, 0}}).error(),
            ErrorCode::ACCESS_DENIED);
  // Who connects may choose where from, but nobody comes there.
  EXPECT_TRUE(bind("tcp", socket, LOOPBACK));
  EXPECT_EQ(tcp<Void>("start-listen", socket).error(), ErrorCode::ACCESS_DENIED);
  listen(Ipv4SocketAddress{0, {127, 0, 0, 2}});
}

}  // namespace
}  // namespace tenon::wasi::sockets
