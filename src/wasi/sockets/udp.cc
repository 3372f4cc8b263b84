// wasi:sockets/udp and udp-create-socket. Source: the WIT text, UdpSocketOperationalSemantics.md of
// wasi-sockets.

#include "wasi/binder.h"
#include "wasi/io/io.h"
#include "wasi/sockets/sockets.h"

#include <cstddef>
#include <optional>
#include <tuple>
#include <vector>

namespace tenon::wasi::sockets {

struct IncomingDatagram {
  std::vector<std::byte> data;
  IpSocketAddress remoteAddress;
};
struct OutgoingDatagram {
  std::vector<std::byte> data;
  std::optional<IpSocketAddress> remoteAddress;
};

}  // namespace tenon::wasi::sockets

TENON_RECORD(tenon::wasi::sockets::IncomingDatagram, data, remoteAddress)
TENON_RECORD(tenon::wasi::sockets::OutgoingDatagram, data, remoteAddress)

namespace tenon::wasi::sockets {
namespace {

// A socket that nobody allowed to do anything: it stays unbound.
struct UdpSocket final : call::HostObject {
  explicit UdpSocket(IpAddressFamily family) : family(family) {}
  IpAddressFamily family;
  uint8_t hopLimit = 64;
  uint64_t receiveBufferSize = 65536;
  uint64_t sendBufferSize = 65536;
};

// Made from a bound socket only, so there are none.
struct IncomingDatagramStream final : call::HostObject {};
struct OutgoingDatagramStream final : call::HostObject {};

template <auto MEMBER>
using Option = std::remove_reference_t<decltype(std::declval<UdpSocket>().*MEMBER)>;

template <auto MEMBER>
SocketResult<Option<MEMBER>> get(call::HostCall&, UdpSocket& self) {
  return self.*MEMBER;
}

template <auto MEMBER>
SocketResult<void> set(call::HostCall&, UdpSocket& self, Option<MEMBER> value) {
  if (value == 0) return Unexpected{ErrorCode::INVALID_ARGUMENT};
  self.*MEMBER = value;
  return {};
}

SocketResult<Own<UdpSocket>> create(call::HostCall& call, IpAddressFamily family) {
  return give(call, std::make_unique<UdpSocket>(family));
}

SocketResult<void> startBind(call::HostCall&, UdpSocket& self, Network&,
                             const IpSocketAddress& local) {
  if (!fitsFamily(local, self.family)) return Unexpected{ErrorCode::INVALID_ARGUMENT};
  return Unexpected{ErrorCode::ACCESS_DENIED};
}

SocketResult<void> finishBind(call::HostCall&, UdpSocket&) {
  return Unexpected{ErrorCode::NOT_IN_PROGRESS};
}

SocketResult<std::tuple<Own<IncomingDatagramStream>, Own<OutgoingDatagramStream>>> stream(
    call::HostCall&, UdpSocket&, const std::optional<IpSocketAddress>&) {
  return Unexpected{ErrorCode::INVALID_STATE};
}

SocketResult<IpSocketAddress> address(call::HostCall&, UdpSocket&) {
  return Unexpected{ErrorCode::INVALID_STATE};
}

IpAddressFamily addressFamily(call::HostCall&, UdpSocket& self) { return self.family; }

template <typename T>
Own<Pollable> subscribe(call::HostCall& call, T&) {
  return givePollable(call, std::make_shared<AlwaysReady>());
}

SocketResult<std::vector<IncomingDatagram>> receive(call::HostCall&, IncomingDatagramStream&,
                                                    uint64_t) {
  return Unexpected{ErrorCode::INVALID_STATE};
}

SocketResult<uint64_t> checkSend(call::HostCall&, OutgoingDatagramStream&) {
  return Unexpected{ErrorCode::INVALID_STATE};
}

SocketResult<uint64_t> send(call::HostCall&, OutgoingDatagramStream&,
                            const std::vector<OutgoingDatagram>&) {
  return Unexpected{ErrorCode::INVALID_STATE};
}

}  // namespace

void provideUdp(call::Registry& registry) {
  Binder(registry, "wasi:sockets/udp@0.2.12")
      .resource("udp-socket")
      .resource("incoming-datagram-stream")
      .resource("outgoing-datagram-stream")
      .function<startBind>("[method]udp-socket.start-bind")
      .function<finishBind>("[method]udp-socket.finish-bind")
      .function<stream>("[method]udp-socket.stream")
      .function<address>("[method]udp-socket.local-address")
      .function<address>("[method]udp-socket.remote-address")
      .function<addressFamily>("[method]udp-socket.address-family")
      .function<get<&UdpSocket::hopLimit>>("[method]udp-socket.unicast-hop-limit")
      .function<set<&UdpSocket::hopLimit>>("[method]udp-socket.set-unicast-hop-limit")
      .function<get<&UdpSocket::receiveBufferSize>>("[method]udp-socket.receive-buffer-size")
      .function<set<&UdpSocket::receiveBufferSize>>("[method]udp-socket.set-receive-buffer-size")
      .function<get<&UdpSocket::sendBufferSize>>("[method]udp-socket.send-buffer-size")
      .function<set<&UdpSocket::sendBufferSize>>("[method]udp-socket.set-send-buffer-size")
      .function<subscribe<UdpSocket>>("[method]udp-socket.subscribe")
      .function<receive>("[method]incoming-datagram-stream.receive")
      .function<subscribe<IncomingDatagramStream>>("[method]incoming-datagram-stream.subscribe")
      .function<checkSend>("[method]outgoing-datagram-stream.check-send")
      .function<send>("[method]outgoing-datagram-stream.send")
      .function<subscribe<OutgoingDatagramStream>>("[method]outgoing-datagram-stream.subscribe");
  Binder(registry, "wasi:sockets/udp-create-socket@0.2.12").function<create>("create-udp-socket");
}

}  // namespace tenon::wasi::sockets
