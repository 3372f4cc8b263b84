#include "wasi/sockets/sockets.h"

#include "wasi/wasi_testing.h"

#include <kj/async-io.h>

#include <netdb.h>

#include <cerrno>
#include <utility>

namespace tenon::wasi::sockets {
namespace {

// The functions name their resources by classes of their own; to the ABI any class will do.
struct Socket;
using Void = SocketResult<void>;

const IpSocketAddress PEER = Ipv4SocketAddress{80, {127, 0, 0, 1}};
const IpSocketAddress PEER6 = Ipv6SocketAddress{80, 0, {0, 0, 0, 0, 0, 0, 0, 1}, 0};

class SocketsTest : public testing::Test {
 protected:
  Borrow<Socket> create(const char* interface, const char* name, IpAddressFamily family) {
    return {guest.call<SocketResult<Own<Socket>>>(interface, name, family).value().rep};
  }
  Borrow<Socket> createTcp() {
    return create("wasi:sockets/tcp-create-socket", "create-tcp-socket", IpAddressFamily::IPV4);
  }
  Void connect(Borrow<Socket> socket, const IpSocketAddress& address) {
    return guest.call<Void>(TCP, "[method]tcp-socket.start-connect", socket, network, address);
  }
  Void bind(Borrow<Socket> socket, const IpSocketAddress& address) {
    return guest.call<Void>(TCP, "[method]tcp-socket.start-bind", socket, network, address);
  }

  // Something is granted, so that there are sockets; nothing of what the tests ask for.
  std::unique_ptr<ContextImpl> newContext() {
    auto context = loop.newContext();
    auto grants = net::Grants::parse({.connect = {}, .listen = {"192.0.2.1:9"}}).value();
    context->network =
        std::make_shared<NetworkAccess>(std::move(grants), nullptr, *context->lingering);
    return context;
  }

  static constexpr std::string_view TCP = "wasi:sockets/tcp";
  static constexpr std::string_view UDP = "wasi:sockets/udp";
  TimedLoop loop;
  FakeGuest guest{loop.waitScope, newContext()};
  Borrow<Network> network{
      guest.call<Own<Network>>("wasi:sockets/instance-network", "instance-network").rep};
};

TEST(NoGrant, MakesNoSocket) {
  TimedLoop loop;
  FakeGuest guest(loop.waitScope, loop.newContext());
  std::vector<Refusal::Kind> told;
  guest.context.refusals = std::make_shared<call::Refusals>(
      [&](const Refusal& refusal) { told.push_back(refusal.kind); });
  for (int i = 0; i < 3; ++i) {
    auto tcp = guest.call<SocketResult<Own<Socket>>>("wasi:sockets/tcp-create-socket",
                                                     "create-tcp-socket", IpAddressFamily::IPV4);
    EXPECT_EQ(tcp.error(), ErrorCode::ACCESS_DENIED);
    auto udp = guest.call<SocketResult<Own<Socket>>>("wasi:sockets/udp-create-socket",
                                                     "create-udp-socket", IpAddressFamily::IPV6);
    EXPECT_EQ(udp.error(), ErrorCode::ACCESS_DENIED);
  }
  EXPECT_EQ(told, std::vector{Refusal::Kind::SOCKET});
}

TEST_F(SocketsTest, ConnectingAndBindingAreDenied) {
  auto socket = createTcp();
  EXPECT_EQ(bind(socket, PEER).error(), ErrorCode::ACCESS_DENIED);
  EXPECT_EQ(connect(socket, PEER).error(), ErrorCode::ACCESS_DENIED);
  // A socket that failed to connect is closed.
  EXPECT_EQ(connect(socket, PEER).error(), ErrorCode::INVALID_STATE);
  auto udp = create("wasi:sockets/udp-create-socket", "create-udp-socket", IpAddressFamily::IPV6);
  EXPECT_EQ(guest.call<Void>(UDP, "[method]udp-socket.start-bind", udp, network, PEER6).error(),
            ErrorCode::ACCESS_DENIED);
}

TEST_F(SocketsTest, ArgumentsAreLookedAtBeforePermissions) {
  auto socket = createTcp();
  for (const IpSocketAddress& address :
       {PEER6, IpSocketAddress(Ipv4SocketAddress{0, {127, 0, 0, 1}}),
        IpSocketAddress(Ipv4SocketAddress{80, {0, 0, 0, 0}}),
        IpSocketAddress(Ipv4SocketAddress{80, {224, 0, 0, 1}}),
        IpSocketAddress(Ipv4SocketAddress{80, {255, 255, 255, 255}})}) {
    EXPECT_EQ(connect(socket, address).error(), ErrorCode::INVALID_ARGUMENT);
  }
  EXPECT_EQ(bind(socket, Ipv4SocketAddress{0, {0, 0, 0, 0}}).error(), ErrorCode::ACCESS_DENIED);
}

TEST_F(SocketsTest, ASocketThatIsNotBoundDoesNothing) {
  auto socket = createTcp();
  EXPECT_EQ(guest.call<Void>(TCP, "[method]tcp-socket.start-listen", socket).error(),
            ErrorCode::INVALID_STATE);
  EXPECT_EQ(guest.call<Void>(TCP, "[method]tcp-socket.finish-bind", socket).error(),
            ErrorCode::NOT_IN_PROGRESS);
  EXPECT_EQ(
      guest.call<SocketResult<IpSocketAddress>>(TCP, "[method]tcp-socket.local-address", socket)
          .error(),
      ErrorCode::INVALID_STATE);
  EXPECT_FALSE(guest.call<bool>(TCP, "[method]tcp-socket.is-listening", socket));
  EXPECT_EQ(guest.call<IpAddressFamily>(TCP, "[method]tcp-socket.address-family", socket),
            IpAddressFamily::IPV4);
  auto pollable = guest.call<Own<Pollable>>(TCP, "[method]tcp-socket.subscribe", socket);
  EXPECT_TRUE(
      guest.call<bool>("wasi:io/poll", "[method]pollable.ready", Borrow<Pollable>{pollable.rep}));
}

TEST_F(SocketsTest, OptionsKeepTheirValuesAndRefuseZero) {
  auto socket = createTcp();
  EXPECT_TRUE(guest.call<Void>(TCP, "[method]tcp-socket.set-hop-limit", socket, uint8_t{9}));
  EXPECT_EQ(guest.call<SocketResult<uint8_t>>(TCP, "[method]tcp-socket.hop-limit", socket).value(),
            9);
  EXPECT_EQ(guest.call<Void>(TCP, "[method]tcp-socket.set-hop-limit", socket, uint8_t{0}).error(),
            ErrorCode::INVALID_ARGUMENT);
  EXPECT_TRUE(guest.call<Void>(TCP, "[method]tcp-socket.set-keep-alive-enabled", socket, true));
  EXPECT_TRUE(guest.call<Void>(TCP, "[method]tcp-socket.set-keep-alive-enabled", socket, false));
  EXPECT_EQ(guest.call<Void>(TCP, "[method]tcp-socket.set-listen-backlog-size", socket, uint64_t{0})
                .error(),
            ErrorCode::INVALID_ARGUMENT);
}

TEST_F(SocketsTest, NoNameIsEverResolved) {
  auto result = guest.call<SocketResult<Own<Socket>>>(
      "wasi:sockets/ip-name-lookup", "resolve-addresses", network, std::string("localhost"));
  EXPECT_EQ(result.error(), ErrorCode::ACCESS_DENIED);
}

TEST(NetworkGrant, ThatIsNoneIsRefusedWithTheContext) {
  auto io = kj::setupAsyncIo();
  WasiOptions options;
  options.network.listen = {"example.com:80"};
  auto context = newContext(io, options);
  ASSERT_FALSE(context);
  EXPECT_EQ(context.error().code, tenon::ErrorCode::INVALID_ARGUMENT);
}

TEST(SocketErrorCode, EveryErrnoThatWasiNamesHasItsCode) {
  const std::pair<int, ErrorCode> codes[] = {{EACCES, ErrorCode::ACCESS_DENIED},
                                             {EPERM, ErrorCode::ACCESS_DENIED},
                                             {EOPNOTSUPP, ErrorCode::NOT_SUPPORTED},
                                             {EINVAL, ErrorCode::INVALID_ARGUMENT},
                                             {ENOMEM, ErrorCode::OUT_OF_MEMORY},
                                             {ENOBUFS, ErrorCode::OUT_OF_MEMORY},
                                             {ETIMEDOUT, ErrorCode::TIMEOUT},
                                             {EALREADY, ErrorCode::CONCURRENCY_CONFLICT},
                                             {EAGAIN, ErrorCode::WOULD_BLOCK},
                                             {EISCONN, ErrorCode::INVALID_STATE},
                                             {ENOTCONN, ErrorCode::INVALID_STATE},
                                             {EMFILE, ErrorCode::NEW_SOCKET_LIMIT},
                                             {ENFILE, ErrorCode::NEW_SOCKET_LIMIT},
                                             {EADDRNOTAVAIL, ErrorCode::ADDRESS_NOT_BINDABLE},
                                             {EADDRINUSE, ErrorCode::ADDRESS_IN_USE},
                                             {EHOSTUNREACH, ErrorCode::REMOTE_UNREACHABLE},
                                             {EHOSTDOWN, ErrorCode::REMOTE_UNREACHABLE},
                                             {ENETUNREACH, ErrorCode::REMOTE_UNREACHABLE},
                                             {ENETDOWN, ErrorCode::REMOTE_UNREACHABLE},
                                             {ENONET, ErrorCode::REMOTE_UNREACHABLE},
                                             {ECONNREFUSED, ErrorCode::CONNECTION_REFUSED},
                                             {ECONNRESET, ErrorCode::CONNECTION_RESET},
                                             {ECONNABORTED, ErrorCode::CONNECTION_ABORTED},
                                             {EMSGSIZE, ErrorCode::DATAGRAM_TOO_LARGE},
                                             {EIO, ErrorCode::UNKNOWN}};
  for (auto [number, code] : codes) EXPECT_EQ(toErrorCode(number), code) << number;
}

TEST(SocketErrorCode, EveryAnswerOfTheResolverHasItsCode) {
  for (int problem : {EAI_NONAME, EAI_NODATA, EAI_ADDRFAMILY}) {
    EXPECT_EQ(fromResolver(problem, 0), ErrorCode::NAME_UNRESOLVABLE);
  }
  EXPECT_EQ(fromResolver(EAI_AGAIN, 0), ErrorCode::TEMPORARY_RESOLVER_FAILURE);
  EXPECT_EQ(fromResolver(EAI_FAIL, 0), ErrorCode::PERMANENT_RESOLVER_FAILURE);
  EXPECT_EQ(fromResolver(EAI_MEMORY, 0), ErrorCode::OUT_OF_MEMORY);
  EXPECT_EQ(fromResolver(EAI_SYSTEM, ENOMEM), ErrorCode::OUT_OF_MEMORY);
  EXPECT_EQ(fromResolver(EAI_SYSTEM, EIO), ErrorCode::PERMANENT_RESOLVER_FAILURE);
}

TEST(SocketAddress, MappedAndCompatibleAddressesFitNoFamily) {
  auto v6 = [](Ipv6Address address) {
    return IpSocketAddress(Ipv6SocketAddress{1, 0, address, 0});
  };
  EXPECT_TRUE(fitsFamily(v6({0, 0, 0, 0, 0, 0, 0, 0}), IpAddressFamily::IPV6));
  EXPECT_TRUE(fitsFamily(v6({0, 0, 0, 0, 0, 0, 0, 1}), IpAddressFamily::IPV6));
  EXPECT_TRUE(fitsFamily(v6({0x2001, 0xdb8, 0, 0, 0, 0, 0, 1}), IpAddressFamily::IPV6));
  EXPECT_FALSE(fitsFamily(v6({0, 0, 0, 0, 0, 0xffff, 0x7f00, 1}), IpAddressFamily::IPV6));
  EXPECT_FALSE(fitsFamily(v6({0, 0, 0, 0, 0, 0, 0x7f00, 1}), IpAddressFamily::IPV6));
  EXPECT_FALSE(isUnicast(v6({0xff02, 0, 0, 0, 0, 0, 0, 1})));
}

}  // namespace
}  // namespace tenon::wasi::sockets
