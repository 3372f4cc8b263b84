// wasi:sockets/udp and udp-create-socket. Source: the WIT text, UdpSocketOperationalSemantics.md of
// wasi-sockets.

#include "wasi/binder.h"
#include "wasi/context.h"
#include "wasi/io/io.h"
#include "wasi/sockets/options.h"
#include "wasi/sockets/sockets.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <deque>
#include <optional>
#include <set>
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

constexpr uint64_t MAX_RECEIVED = 64;  // datagrams in one call
constexpr size_t MAX_RECEIVED_BYTES = 1 << 20;
constexpr int MAX_DROPPED = 256;  // datagrams from strangers in one call
constexpr uint64_t SEND_PERMIT = 64;
constexpr uint64_t HEARD_COST = 128;
constexpr size_t MAX_HEARD = 4096;  // peers that may be answered; the oldest are forgotten

enum class Phase : uint8_t { UNBOUND, BIND_IN_PROGRESS, BOUND };

// A socket, shared by its handle, its streams and their pollables.
struct Udp {
  Udp(std::shared_ptr<NetworkAccess> access, IpAddressFamily family,
      std::shared_ptr<net::ObservedFd> fd, std::shared_ptr<call::MemoryBudget> budget)
      : access(std::move(access)), family(family), fd(std::move(fd)), charge(std::move(budget)) {}

  std::shared_ptr<NetworkAccess> access;
  const IpAddressFamily family;
  const std::shared_ptr<net::ObservedFd> fd;
  Phase phase = Phase::UNBOUND;
  bool mayListen = false;
  std::optional<IpSocketAddress> bound;
  std::optional<IpSocketAddress> remote;
  uint64_t generation = 0;  // of the streams that work

  // Whether datagrams may go to `address`: to peers that were granted, and to those who wrote first
  // to a socket that may wait for strangers.
  bool maySend(const IpSocketAddress& address) const {
    return access->mayConnect(address) || heard.contains({ipOf(address), portOf(address)});
  }

  bool mayReceive(const IpSocketAddress& address) {
    if (access->mayConnect(address)) return true;
    if (!mayListen) return false;
    std::pair peer{ipOf(address), portOf(address)};
    if (heard.insert(peer).second) heardOrder.push_back(peer);
    if (heardOrder.size() > MAX_HEARD) {
      heard.erase(heardOrder.front());
      heardOrder.pop_front();
    }
    charge.force(heard.size() * HEARD_COST);
    return true;
  }

 private:
  using Peer = std::pair<net::AddressBytes, uint16_t>;
  call::MemoryCharge charge;  // for these
  std::set<Peer> heard;
  std::deque<Peer> heardOrder;
};

struct UdpSocket final : call::HostObject {
  explicit UdpSocket(std::shared_ptr<Udp> udp) : udp(std::move(udp)) {}
  std::shared_ptr<Udp> udp;
};

enum class Direction : uint8_t { IN, OUT };

// One end of what `stream` gives. Works until `stream` is called again.
struct Datagrams final : call::Waitable {
  Datagrams(std::shared_ptr<Udp> udp, Direction direction)
      : udp(std::move(udp)), direction(direction), generation(this->udp->generation) {}

  std::shared_ptr<Udp> udp;
  const Direction direction;
  const uint64_t generation;

  bool stale() const { return udp->generation != generation; }

  bool ready() override {
    if (stale()) return true;
    return direction == Direction::IN ? udp->fd->readable() : udp->fd->writable();
  }
  kj::Promise<void> whenReady() override {
    if (ready()) return kj::READY_NOW;
    return direction == Direction::IN ? udp->fd->whenReadable() : udp->fd->whenWritable();
  }
};

struct IncomingDatagramStream final : call::HostObject {
  explicit IncomingDatagramStream(const std::shared_ptr<Udp>& udp)
      : datagrams(std::make_shared<Datagrams>(udp, Direction::IN)) {}
  std::shared_ptr<Datagrams> datagrams;
};
struct OutgoingDatagramStream final : call::HostObject {
  explicit OutgoingDatagramStream(const std::shared_ptr<Udp>& udp)
      : datagrams(std::make_shared<Datagrams>(udp, Direction::OUT)) {}
  std::shared_ptr<Datagrams> datagrams;
  uint64_t permitted = 0;  // datagrams that the next `send` may have
};

// Nothing of a UDP socket itself takes time.
class AlwaysReady final : public call::Waitable {
 public:
  bool ready() override { return true; }
  kj::Promise<void> whenReady() override { return kj::READY_NOW; }
};

using Void = SocketResult<void>;

SocketResult<Own<UdpSocket>> create(call::HostCall& call, IpAddressFamily family) {
  auto access = contextOf(call).network;
  auto fd = access->newSocket(family, SOCK_DGRAM);
  if (!fd) {
    if (fd.error() == ErrorCode::ACCESS_DENIED) tellNoSocket(call);
    return Unexpected{fd.error()};
  }
  auto udp =
      std::make_shared<Udp>(std::move(access), family, *std::move(fd), call.objects.budget());
  return give(call, std::make_unique<UdpSocket>(std::move(udp)));
}

// -- Binding, and choosing a peer -----------------------------------------------------------------

Void bindSocket(Udp& udp, const IpSocketAddress& local) {
  if (udp.phase == Phase::BIND_IN_PROGRESS) return Unexpected{ErrorCode::CONCURRENCY_CONFLICT};
  if (udp.phase == Phase::BOUND) return Unexpected{ErrorCode::INVALID_STATE};
  if (!fitsFamily(local, udp.family)) return Unexpected{ErrorCode::INVALID_ARGUMENT};
  auto bound = bindTo(*udp.access, udp.fd->get(), local);
  if (!bound) return Unexpected{bound.error()};
  udp.mayListen = bound->mayListen;
  udp.phase = Phase::BIND_IN_PROGRESS;
  return {};
}

Void startBind(call::HostCall& call, UdpSocket& self, Network&, const IpSocketAddress& local) {
  Void started = bindSocket(*self.udp, local);
  tellIfDenied(call, started, Refusal::Kind::LISTEN, local);
  return started;
}

Void finishBind(call::HostCall&, UdpSocket& self) {
  Udp& udp = *self.udp;
  if (udp.phase != Phase::BIND_IN_PROGRESS) return Unexpected{ErrorCode::NOT_IN_PROGRESS};
  auto bound = localAddress(udp.fd->get());
  if (!bound) return Unexpected{bound.error()};
  udp.bound = *bound;
  udp.phase = Phase::BOUND;
  return {};
}

Void disconnect(Udp& udp) {
  udp.remote = std::nullopt;
  sockaddr none{};
  none.sa_family = AF_UNSPEC;
  if (::connect(udp.fd->get(), &none, sizeof(none)) != 0) return systemFailure(errno);
  // With its peer Linux takes a port away that was not asked for by number.
  auto now = localAddress(udp.fd->get());
  if (!now) return Unexpected{now.error()};
  if (portOf(*now) == portOf(*udp.bound)) return {};
  net::SystemAddress before = toSystem(*udp.bound);
  if (::bind(udp.fd->get(), before.get(), before.length) != 0) return systemFailure(errno);
  return {};
}

Void connect(Udp& udp, const IpSocketAddress& remote) {
  net::SystemAddress address = toSystem(remote);
  if (::connect(udp.fd->get(), address.get(), address.length) != 0) {
    if (errno == EADDRNOTAVAIL || errno == EAGAIN) return Unexpected{ErrorCode::ADDRESS_IN_USE};
    return systemFailure(errno);
  }
  udp.remote = remote;
  return {};
}

using Streams = std::tuple<Own<IncomingDatagramStream>, Own<OutgoingDatagramStream>>;

SocketResult<Streams> stream(call::HostCall& call, UdpSocket& self,
                             const std::optional<IpSocketAddress>& remote) {
  Udp& udp = *self.udp;
  if (udp.phase != Phase::BOUND) return Unexpected{ErrorCode::INVALID_STATE};
  if (remote) {
    if (!fitsFamily(*remote, udp.family) || !isRemote(*remote)) {
      return Unexpected{ErrorCode::INVALID_ARGUMENT};
    }
    if (!udp.maySend(*remote)) {
      Void denied = Unexpected{ErrorCode::ACCESS_DENIED};
      tellIfDenied(call, denied, Refusal::Kind::CONNECT, *remote);
      return Unexpected{denied.error()};
    }
  }
  // From here on the streams before are of no use.
  udp.generation++;
  if (udp.remote) {
    if (Void done = disconnect(udp); !done) return Unexpected{done.error()};
  }
  if (remote) {
    if (Void done = connect(udp, *remote); !done) return Unexpected{done.error()};
  }
  return Streams{give(call, std::make_unique<IncomingDatagramStream>(self.udp)),
                 give(call, std::make_unique<OutgoingDatagramStream>(self.udp))};
}

// -- Datagrams ------------------------------------------------------------------------------------

SocketResult<std::vector<IncomingDatagram>> receive(call::HostCall& call,
                                                    IncomingDatagramStream& self,
                                                    uint64_t maxResults) {
  if (self.datagrams->stale()) return Unexpected{ErrorCode::INVALID_STATE};
  Udp& udp = *self.datagrams->udp;
  std::vector<IncomingDatagram> received;
  std::span<std::byte> buffer = contextOf(call).scratch();
  size_t bytes = 0;
  int dropped = 0;
  while (received.size() < std::min(maxResults, MAX_RECEIVED) && bytes < MAX_RECEIVED_BYTES &&
         dropped < MAX_DROPPED) {
    net::SystemAddress from;
    ssize_t count =
        ::recvfrom(udp.fd->get(), buffer.data(), buffer.size(), 0, from.get(), &from.length);
    if (count < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK || !received.empty()) break;
      return systemFailure(errno);
    }
    IpSocketAddress peer = fromSystem(from);
    // What came before there was a peer may be from anybody.
    bool wanted = !udp.remote || isSameEndpoint(*udp.remote, peer);
    if (!wanted || !udp.mayReceive(peer)) {
      dropped++;
      continue;
    }
    auto content = buffer.first(static_cast<size_t>(count));
    bytes += content.size();
    received.push_back({{content.begin(), content.end()}, peer});
  }
  return received;
}

SocketResult<uint64_t> checkSend(call::HostCall&, OutgoingDatagramStream& self) {
  if (self.datagrams->stale()) return Unexpected{ErrorCode::INVALID_STATE};
  self.permitted = self.datagrams->ready() ? SEND_PERMIT : 0;
  return self.permitted;
}

// 0, or why not. EAGAIN: not now.
SocketResult<int> sendOne(Udp& udp, const OutgoingDatagram& datagram) {
  const auto& to = datagram.remoteAddress;
  if (!to && !udp.remote) return Unexpected{ErrorCode::INVALID_ARGUMENT};
  if (to) {
    if (!fitsFamily(*to, udp.family) || !isRemote(*to)) {
      return Unexpected{ErrorCode::INVALID_ARGUMENT};
    }
    if (udp.remote && !isSameEndpoint(*udp.remote, *to)) {
      return Unexpected{ErrorCode::INVALID_ARGUMENT};
    }
    if (!udp.maySend(*to)) return Unexpected{ErrorCode::ACCESS_DENIED};
  }
  net::SystemAddress address;
  bool named = to && !udp.remote;
  if (named) address = toSystem(*to);
  while (true) {
    ssize_t count =
        ::sendto(udp.fd->get(), datagram.data.data(), datagram.data.size(), MSG_NOSIGNAL,
                 named ? address.get() : nullptr, named ? address.length : 0);
    if (count >= 0) return 0;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return EAGAIN;
    if (errno != EINTR) return systemFailure(errno);
  }
}

SocketResult<uint64_t> send(call::HostCall& call, OutgoingDatagramStream& self,
                            const std::vector<OutgoingDatagram>& datagrams) {
  if (self.datagrams->stale()) return Unexpected{ErrorCode::INVALID_STATE};
  if (datagrams.empty()) return uint64_t{0};
  if (datagrams.size() > self.permitted) {
    call.fail("send was called with more datagrams than check-send permitted");
    return {};
  }
  self.permitted = 0;
  uint64_t sent = 0;
  for (const OutgoingDatagram& datagram : datagrams) {
    auto result = sendOne(*self.datagrams->udp, datagram);
    if (!result && datagram.remoteAddress) {
      Void failed = Unexpected{result.error()};
      tellIfDenied(call, failed, Refusal::Kind::CONNECT, *datagram.remoteAddress);
    }
    if (!result && sent == 0) return Unexpected{result.error()};
    if (!result || *result != 0) break;
    sent++;
  }
  return sent;
}

template <typename T>
Own<Pollable> subscribeStream(call::HostCall& call, T& self) {
  return givePollable(call, self.datagrams);
}

// -- What is known of it, options -----------------------------------------------------------------

SocketResult<IpSocketAddress> getLocalAddress(call::HostCall&, UdpSocket& self) {
  if (self.udp->phase != Phase::BOUND) return Unexpected{ErrorCode::INVALID_STATE};
  return localAddress(self.udp->fd->get());
}

SocketResult<IpSocketAddress> getRemoteAddress(call::HostCall&, UdpSocket& self) {
  if (!self.udp->remote) return Unexpected{ErrorCode::INVALID_STATE};
  return *self.udp->remote;
}

IpAddressFamily addressFamily(call::HostCall&, UdpSocket& self) { return self.udp->family; }

Own<Pollable> subscribe(call::HostCall& call, UdpSocket&) {
  return givePollable(call, std::make_shared<AlwaysReady>());
}

SocketResult<uint8_t> getHopLimit(call::HostCall&, UdpSocket& self) {
  return hopLimit(self.udp->fd->get(), self.udp->family);
}
Void setSocketHopLimit(call::HostCall&, UdpSocket& self, uint8_t value) {
  return setHopLimit(self.udp->fd->get(), self.udp->family, value);
}

template <int OPTION>
SocketResult<uint64_t> getBufferSize(call::HostCall&, UdpSocket& self) {
  return bufferSize(self.udp->fd->get(), OPTION);
}
template <int OPTION>
Void setSocketBufferSize(call::HostCall&, UdpSocket& self, uint64_t value) {
  return setBufferSize(self.udp->fd->get(), OPTION, value);
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
      .function<getLocalAddress>("[method]udp-socket.local-address")
      .function<getRemoteAddress>("[method]udp-socket.remote-address")
      .function<addressFamily>("[method]udp-socket.address-family")
      .function<getHopLimit>("[method]udp-socket.unicast-hop-limit")
      .function<setSocketHopLimit>("[method]udp-socket.set-unicast-hop-limit")
      .function<getBufferSize<SO_RCVBUF>>("[method]udp-socket.receive-buffer-size")
      .function<setSocketBufferSize<SO_RCVBUF>>("[method]udp-socket.set-receive-buffer-size")
      .function<getBufferSize<SO_SNDBUF>>("[method]udp-socket.send-buffer-size")
      .function<setSocketBufferSize<SO_SNDBUF>>("[method]udp-socket.set-send-buffer-size")
      .function<subscribe>("[method]udp-socket.subscribe")
      .function<receive>("[method]incoming-datagram-stream.receive")
      .function<subscribeStream<IncomingDatagramStream>>(
          "[method]incoming-datagram-stream.subscribe")
      .function<checkSend>("[method]outgoing-datagram-stream.check-send")
      .function<send>("[method]outgoing-datagram-stream.send")
      .function<subscribeStream<OutgoingDatagramStream>>(
          "[method]outgoing-datagram-stream.subscribe");
  Binder(registry, "wasi:sockets/udp-create-socket@0.2.12").function<create>("create-udp-socket");
}

}  // namespace tenon::wasi::sockets
