#include "wasi/sockets/sockets_testing.h"

#include <kj/io.h>

#include <sys/socket.h>

namespace tenon::wasi::sockets {

struct TestIncoming {
  Bytes data;
  IpSocketAddress remoteAddress;
};
struct TestOutgoing {
  Bytes data;
  std::optional<IpSocketAddress> remoteAddress;
};

}  // namespace tenon::wasi::sockets

TENON_RECORD(tenon::wasi::sockets::TestIncoming, data, remoteAddress)
TENON_RECORD(tenon::wasi::sockets::TestOutgoing, data, remoteAddress)

namespace tenon::wasi::sockets {
namespace {

using Streams = SocketResult<std::tuple<Own<AnyStream>, Own<AnyStream>>>;

struct Peer {
  Borrow<Socket> socket;
  Borrow<AnyStream> in;
  Borrow<AnyStream> out;
  IpSocketAddress address;
};

class UdpTest : public SocketGuest {
 protected:
  using SocketGuest::SocketGuest;

  template <typename R, typename... As>
  R udp(const std::string& name, Borrow<Socket> self, const As&... arguments) {
    return method<R>("udp", name, self, arguments...);
  }
  Streams stream(Borrow<Socket> socket, std::optional<IpSocketAddress> remote = {}) {
    return udp<Streams>("stream", socket, remote);
  }
  Peer peer(const IpSocketAddress& at = LOOPBACK, std::optional<IpSocketAddress> remote = {}) {
    auto family = at.index() == 0 ? IpAddressFamily::IPV4 : IpAddressFamily::IPV6;
    Borrow<Socket> socket = create("udp", family);
    EXPECT_TRUE(bind("udp", socket, at));
    auto [in, out] = stream(socket, remote).value();
    return {socket, {in.rep}, {out.rep}, localAddress("udp", socket).value()};
  }
  SocketResult<uint64_t> permit(const Peer& from) {
    return guest.call<SocketResult<uint64_t>>(
        "wasi:sockets/udp", "[method]outgoing-datagram-stream.check-send", from.out);
  }
  SocketResult<uint64_t> sendAll(const Peer& from, const std::vector<TestOutgoing>& datagrams) {
    return guest.call<SocketResult<uint64_t>>(
        "wasi:sockets/udp", "[method]outgoing-datagram-stream.send", from.out, datagrams);
  }
  SocketResult<uint64_t> send(const Peer& from, std::string_view text,
                              std::optional<IpSocketAddress> to) {
    EXPECT_GT(permit(from).value(), 0u);
    return sendAll(from, {{bytesOf(text), to}});
  }
  SocketResult<std::vector<TestIncoming>> take(const Peer& at, uint64_t most = 100) {
    return guest.call<SocketResult<std::vector<TestIncoming>>>(
        "wasi:sockets/udp", "[method]incoming-datagram-stream.receive", at.in, most);
  }
  // The texts that came, after waiting for one.
  std::vector<std::string> receive(const Peer& at, uint64_t most = 100) {
    block("wasi:sockets/udp", "incoming-datagram-stream", at.in);
    std::vector<std::string> texts;
    auto came = take(at, most);
    for (const TestIncoming& datagram : came.value()) {
      texts.push_back(textOf(datagram.data));
    }
    return texts;
  }
};

using Texts = std::vector<std::string>;

class UdpFamilyTest : public UdpTest, public testing::WithParamInterface<IpSocketAddress> {};

TEST_P(UdpFamilyTest, DatagramsTellWhoSentThem) {
  Peer one = peer(GetParam());
  Peer other = peer(GetParam());
  EXPECT_EQ(send(one, "hello", other.address).value(), 1u);
  block("wasi:sockets/udp", "incoming-datagram-stream", other.in);
  auto came = take(other).value();
  ASSERT_EQ(came.size(), 1u);
  EXPECT_EQ(textOf(came[0].data), "hello");
  EXPECT_EQ(came[0].remoteAddress, one.address);
  EXPECT_EQ(send(other, "", came[0].remoteAddress).value(), 1u);
  EXPECT_EQ(receive(one), Texts{""});
}

INSTANTIATE_TEST_SUITE_P(Families, UdpFamilyTest, testing::Values(LOOPBACK, LOOPBACK6),
                         [](const auto& info) {
                           return info.param.index() == 0 ? "Ipv4" : "Ipv6";
                         });

TEST_F(UdpTest, StepsOutOfOrderAreRefused) {
  auto socket = create("udp");
  EXPECT_EQ(udp<Void>("finish-bind", socket).error(), ErrorCode::NOT_IN_PROGRESS);
  EXPECT_EQ(stream(socket).error(), ErrorCode::INVALID_STATE);
  EXPECT_EQ(localAddress("udp", socket).error(), ErrorCode::INVALID_STATE);
  EXPECT_EQ(udp<SocketResult<IpSocketAddress>>("remote-address", socket).error(),
            ErrorCode::INVALID_STATE);
  EXPECT_EQ(bind("udp", socket, LOOPBACK6).error(), ErrorCode::INVALID_ARGUMENT);
  EXPECT_TRUE(udp<Void>("start-bind", socket, network, LOOPBACK));
  EXPECT_EQ(udp<Void>("start-bind", socket, network, LOOPBACK).error(),
            ErrorCode::CONCURRENCY_CONFLICT);
  EXPECT_EQ(stream(socket).error(), ErrorCode::INVALID_STATE);
  EXPECT_TRUE(udp<Void>("finish-bind", socket));
  EXPECT_EQ(bind("udp", socket, LOOPBACK).error(), ErrorCode::INVALID_STATE);
  EXPECT_TRUE(ready("wasi:sockets/udp", "udp-socket", socket));
  for (const IpSocketAddress& bad : {LOOPBACK, LOOPBACK6, withPort(LOOPBACK6, 9),
                                     IpSocketAddress(Ipv4SocketAddress{9, {0, 0, 0, 0}})}) {
    EXPECT_EQ(stream(socket, bad).error(), ErrorCode::INVALID_ARGUMENT);
  }
}

TEST_F(UdpTest, AnAddressInUseIsTold) {
  Peer one = peer();
  EXPECT_EQ(bind("udp", create("udp"), one.address).error(), ErrorCode::ADDRESS_IN_USE);
}

TEST_F(UdpTest, AConnectedSocketHearsItsPeerOnly) {
  Peer friendly = peer();
  Peer stranger = peer();
  Peer self = peer();
  // Already there when the peer is chosen.
  EXPECT_EQ(send(stranger, "early", self.address).value(), 1u);
  auto [in, out] = stream(self.socket, friendly.address).value();
  self.in = {in.rep};
  self.out = {out.rep};
  EXPECT_EQ(udp<SocketResult<IpSocketAddress>>("remote-address", self.socket).value(),
            friendly.address);
  EXPECT_EQ(send(stranger, "late", self.address).value(), 1u);
  EXPECT_EQ(send(friendly, "welcome", self.address).value(), 1u);
  EXPECT_EQ(receive(self), Texts{"welcome"});

  EXPECT_EQ(send(self, "by default", {}).value(), 1u);
  EXPECT_EQ(send(self, "by name", friendly.address).value(), 1u);
  EXPECT_EQ(send(self, "to another", stranger.address).error(), ErrorCode::INVALID_ARGUMENT);
  EXPECT_EQ(receive(friendly), (Texts{"by default", "by name"}));
}

TEST_F(UdpTest, StreamsEndWhenOthersAreMade) {
  Peer before = peer();
  IpSocketAddress address = before.address;
  auto [in, out] = stream(before.socket, withPort(LOOPBACK, 9)).value();
  EXPECT_EQ(take(before).error(), ErrorCode::INVALID_STATE);
  EXPECT_EQ(permit(before).error(), ErrorCode::INVALID_STATE);
  EXPECT_TRUE(ready("wasi:sockets/udp", "incoming-datagram-stream", before.in));
  // Without a peer again: the same port, and everybody.
  auto [in2, out2] = stream(before.socket).value();
  EXPECT_EQ(portOf(localAddress("udp", before.socket).value()), portOf(address));
  EXPECT_EQ(udp<SocketResult<IpSocketAddress>>("remote-address", before.socket).error(),
            ErrorCode::INVALID_STATE);
  Peer after{before.socket, {in2.rep}, {out2.rep}, address};
  Peer other = peer();
  EXPECT_EQ(send(other, "found", address).value(), 1u);
  EXPECT_EQ(receive(after), Texts{"found"});
}

TEST_F(UdpTest, ReceivingGivesNoMoreThanAskedForAndNeverBlocks) {
  Peer one = peer();
  Peer other = peer();
  EXPECT_TRUE(take(other)->empty());
  EXPECT_FALSE(ready("wasi:sockets/udp", "incoming-datagram-stream", other.in));
  for (const char* text : {"a", "b", "c"}) EXPECT_EQ(send(one, text, other.address).value(), 1u);
  EXPECT_TRUE(take(other, 0)->empty());
  EXPECT_EQ(receive(other, 2), (Texts{"a", "b"}));
  EXPECT_EQ(receive(other), Texts{"c"});
}

TEST_F(UdpTest, SendingNeedsAPermit) {
  Peer one = peer();
  std::vector<TestOutgoing> two(2, {bytesOf("x"), one.address});
  sendAll(one, two);
  EXPECT_EQ(guest.trap, "send was called with more datagrams than check-send permitted");
  EXPECT_EQ(sendAll(one, {}).value(), 0u);
  uint64_t most = permit(one).value();
  EXPECT_EQ(sendAll(one, two).value(), 2u);
  // A permit is for one `send`.
  sendAll(one, two);
  EXPECT_NE(guest.trap, "");
  EXPECT_EQ(permit(one).value(), most);
  sendAll(one, std::vector<TestOutgoing>(most + 1, {bytesOf("x"), one.address}));
  EXPECT_NE(guest.trap, "");
}

TEST_F(UdpTest, TheFirstFailureEndsASend) {
  Peer one = peer();
  Peer other = peer();
  std::string large(70'000, 'x');
  EXPECT_EQ(send(one, large, other.address).error(), ErrorCode::DATAGRAM_TOO_LARGE);
  EXPECT_EQ(send(one, "x", {}).error(), ErrorCode::INVALID_ARGUMENT);
  EXPECT_EQ(send(one, "x", withPort(LOOPBACK, 0)).error(), ErrorCode::INVALID_ARGUMENT);
  EXPECT_GT(permit(one).value(), 2u);
  EXPECT_EQ(sendAll(one, {{bytesOf("first"), other.address},
                          {bytesOf(large), other.address},
                          {bytesOf("third"), other.address}})
                .value(),
            1u);
  EXPECT_EQ(receive(other), Texts{"first"});
}

TEST_F(UdpTest, APeerThatIsNotThereIsAnError) {
  IpSocketAddress nobody;
  {
    Peer gone = peer();
    nobody = gone.address;
    for (uint32_t rep : {gone.in.rep, gone.out.rep, gone.socket.rep}) guest.objects.drop(rep);
  }
  Peer self = peer(LOOPBACK, nobody);
  EXPECT_EQ(send(self, "anybody?", {}).value(), 1u);
  block("wasi:sockets/udp", "incoming-datagram-stream", self.in);
  EXPECT_EQ(take(self).error(), ErrorCode::CONNECTION_REFUSED);
}

TEST_F(UdpTest, OptionsAreTheSystems) {
  auto socket = create("udp", IpAddressFamily::IPV6);
  EXPECT_TRUE(udp<Void>("set-unicast-hop-limit", socket, uint8_t{3}));
  EXPECT_EQ(udp<SocketResult<uint8_t>>("unicast-hop-limit", socket).value(), 3);
  EXPECT_EQ(udp<Void>("set-unicast-hop-limit", socket, uint8_t{0}).error(),
            ErrorCode::INVALID_ARGUMENT);
  EXPECT_TRUE(udp<Void>("set-receive-buffer-size", socket, uint64_t{40'000}));
  EXPECT_EQ(udp<SocketResult<uint64_t>>("receive-buffer-size", socket).value(), 40'000u);
  EXPECT_EQ(udp<Void>("set-send-buffer-size", socket, uint64_t{0}).error(),
            ErrorCode::INVALID_ARGUMENT);
}

TEST_F(UdpTest, TheLargestDatagramPassesWhole) {
  Peer one = peer();
  Peer other = peer();
  EXPECT_TRUE(ready("wasi:sockets/udp", "outgoing-datagram-stream", one.out));
  std::string large(65'507, 'x');
  EXPECT_EQ(send(one, large, other.address).value(), 1u);
  EXPECT_EQ(receive(other), Texts{large});
  EXPECT_EQ(send(one, large + "x", other.address).error(), ErrorCode::DATAGRAM_TOO_LARGE);
  EXPECT_EQ(send(one, "x", LOOPBACK6).error(), ErrorCode::INVALID_ARGUMENT);
  EXPECT_EQ(send(one, "x", withPort(Ipv4SocketAddress{0, {0, 0, 0, 0}}, 9)).error(),
            ErrorCode::INVALID_ARGUMENT);
}

TEST_F(UdpTest, ChoosingAPeerSendsNothing) {
  Peer other = peer();
  Peer one = peer(LOOPBACK, other.address);
  EXPECT_EQ(send(one, "first", {}).value(), 1u);
  EXPECT_EQ(receive(other), Texts{"first"});
  EXPECT_TRUE(take(other)->empty());
}

// May send to one port of this machine, and wait for strangers at one address.
class GrantedUdpTest : public UdpTest {
 protected:
  GrantedUdpTest() : UdpTest({.connect = {"127.0.0.3:*"}, .listen = {"127.0.0.2:*"}}) {}
};

TEST_F(GrantedUdpTest, OnlyWhatIsGrantedIsReached) {
  Peer self = peer(Ipv4SocketAddress{0, {0, 0, 0, 0}});
  EXPECT_EQ(send(self, "x", Ipv4SocketAddress{9, {127, 0, 0, 1}}).error(),
            ErrorCode::ACCESS_DENIED);
  EXPECT_EQ(send(self, "x", Ipv4SocketAddress{9, {127, 0, 0, 3}}).value(), 1u);
  EXPECT_EQ(stream(self.socket, Ipv4SocketAddress{9, {127, 0, 0, 1}}).error(),
            ErrorCode::ACCESS_DENIED);
  EXPECT_EQ(bind("udp", create("udp"), Ipv4SocketAddress{5353, {0, 0, 0, 0}}).error(),
            ErrorCode::ACCESS_DENIED);
}

TEST_F(GrantedUdpTest, StrangersAreHeardWhereListeningIsGrantedAndAnsweredOnly) {
  Peer server = peer(Ipv4SocketAddress{0, {127, 0, 0, 2}});
  Peer client = peer(Ipv4SocketAddress{0, {0, 0, 0, 0}});
  // Sockets of the test itself, whom nobody granted anything to.
  kj::AutoCloseFd stranger(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  net::SystemAddress at = toSystem(LOOPBACK);
  ASSERT_EQ(::bind(stranger, at.get(), at.length), 0);
  at.length = sizeof(at.storage);
  ASSERT_EQ(::getsockname(stranger, at.get(), &at.length), 0);
  IpSocketAddress address = fromSystem(at);
  EXPECT_EQ(send(server, "x", address).error(), ErrorCode::ACCESS_DENIED);

  auto sendTo = [&](const IpSocketAddress& to) {
    net::SystemAddress target = toSystem(to);
    ASSERT_EQ(::sendto(stranger, "hi", 2, 0, target.get(), target.length), 2);
  };
  sendTo(server.address);
  EXPECT_EQ(receive(server), Texts{"hi"});
  EXPECT_EQ(send(server, "answer", address).value(), 1u);
  // A socket that only sends hears nobody whom it may not reach.
  sendTo(withPort(LOOPBACK, portOf(client.address)));
  block("wasi:sockets/udp", "incoming-datagram-stream", client.in);
  EXPECT_TRUE(take(client)->empty());
  EXPECT_FALSE(ready("wasi:sockets/udp", "incoming-datagram-stream", client.in));
}

}  // namespace
}  // namespace tenon::wasi::sockets
