// wasi:sockets/tcp and tcp-create-socket. Source: the WIT text, TcpSocketOperationalSemantics.md of
// wasi-sockets.

#include "wasi/binder.h"
#include "wasi/io/io.h"
#include "wasi/sockets/sockets.h"

#include <tuple>

namespace tenon::wasi::sockets {

enum class ShutdownType : uint8_t { RECEIVE, SEND, BOTH };

}  // namespace tenon::wasi::sockets

TENON_ENUM(tenon::wasi::sockets::ShutdownType, RECEIVE, SEND, BOTH)

namespace tenon::wasi::sockets {
namespace {

// A socket that nobody allowed to do anything: unbound until a connection was tried and refused,
// then closed.
struct TcpSocket final : call::HostObject {
  explicit TcpSocket(IpAddressFamily family) : family(family) {}
  IpAddressFamily family;
  bool closed = false;
  bool keepAlive = false;
  uint64_t keepAliveIdleTime = uint64_t{7200} * 1'000'000'000;  // Linux' defaults
  uint64_t keepAliveInterval = uint64_t{75} * 1'000'000'000;
  uint32_t keepAliveCount = 9;
  uint8_t hopLimit = 64;
  uint64_t receiveBufferSize = 65536;
  uint64_t sendBufferSize = 8192;
};

template <auto MEMBER>
using Option = std::remove_reference_t<decltype(std::declval<TcpSocket>().*MEMBER)>;

template <auto MEMBER>
SocketResult<Option<MEMBER>> get(call::HostCall&, TcpSocket& self) {
  if (self.closed) return Unexpected{ErrorCode::INVALID_STATE};
  return self.*MEMBER;
}

template <auto MEMBER>
SocketResult<void> set(call::HostCall&, TcpSocket& self, Option<MEMBER> value) {
  if constexpr (!std::is_same_v<Option<MEMBER>, bool>) {
    if (value == 0) return Unexpected{ErrorCode::INVALID_ARGUMENT};
  }
  if (self.closed) return Unexpected{ErrorCode::INVALID_STATE};
  self.*MEMBER = value;
  return {};
}

SocketResult<Own<TcpSocket>> create(call::HostCall& call, IpAddressFamily family) {
  return give(call, std::make_unique<TcpSocket>(family));
}

SocketResult<void> startBind(call::HostCall&, TcpSocket& self, Network&,
                             const IpSocketAddress& local) {
  if (self.closed) return Unexpected{ErrorCode::INVALID_STATE};
  if (!fitsFamily(local, self.family) || !isUnicast(local)) {
    return Unexpected{ErrorCode::INVALID_ARGUMENT};
  }
  return Unexpected{ErrorCode::ACCESS_DENIED};
}

SocketResult<void> startConnect(call::HostCall&, TcpSocket& self, Network&,
                                const IpSocketAddress& remote) {
  if (self.closed) return Unexpected{ErrorCode::INVALID_STATE};
  if (!fitsFamily(remote, self.family) || !isUnicast(remote) || !isRemote(remote)) {
    return Unexpected{ErrorCode::INVALID_ARGUMENT};
  }
  self.closed = true;
  return Unexpected{ErrorCode::ACCESS_DENIED};
}

// Nothing that was started could succeed.
SocketResult<void> finish(call::HostCall&, TcpSocket&) {
  return Unexpected{ErrorCode::NOT_IN_PROGRESS};
}

SocketResult<std::tuple<Own<InputStream>, Own<OutputStream>>> finishConnect(call::HostCall&,
                                                                            TcpSocket&) {
  return Unexpected{ErrorCode::NOT_IN_PROGRESS};
}

// A socket that is not bound can neither listen, nor accept, nor be shut down.
SocketResult<void> startListen(call::HostCall&, TcpSocket&) {
  return Unexpected{ErrorCode::INVALID_STATE};
}

SocketResult<std::tuple<Own<TcpSocket>, Own<InputStream>, Own<OutputStream>>> accept(
    call::HostCall&, TcpSocket&) {
  return Unexpected{ErrorCode::INVALID_STATE};
}

SocketResult<void> shutdown(call::HostCall&, TcpSocket&, ShutdownType) {
  return Unexpected{ErrorCode::INVALID_STATE};
}

SocketResult<IpSocketAddress> address(call::HostCall&, TcpSocket&) {
  return Unexpected{ErrorCode::INVALID_STATE};
}

bool isListening(call::HostCall&, TcpSocket&) { return false; }

IpAddressFamily addressFamily(call::HostCall&, TcpSocket& self) { return self.family; }

SocketResult<void> setListenBacklogSize(call::HostCall&, TcpSocket& self, uint64_t value) {
  if (value == 0) return Unexpected{ErrorCode::INVALID_ARGUMENT};
  if (self.closed) return Unexpected{ErrorCode::INVALID_STATE};
  return {};
}

Own<Pollable> subscribe(call::HostCall& call, TcpSocket&) {
  return givePollable(call, std::make_shared<AlwaysReady>());
}

}  // namespace

void provideTcp(call::Registry& registry) {
  Binder(registry, "wasi:sockets/tcp@0.2.12")
      .resource("tcp-socket")
      .function<startBind>("[method]tcp-socket.start-bind")
      .function<finish>("[method]tcp-socket.finish-bind")
      .function<startConnect>("[method]tcp-socket.start-connect")
      .function<finishConnect>("[method]tcp-socket.finish-connect")
      .function<startListen>("[method]tcp-socket.start-listen")
      .function<finish>("[method]tcp-socket.finish-listen")
      .function<accept>("[method]tcp-socket.accept")
      .function<address>("[method]tcp-socket.local-address")
      .function<address>("[method]tcp-socket.remote-address")
      .function<isListening>("[method]tcp-socket.is-listening")
      .function<addressFamily>("[method]tcp-socket.address-family")
      .function<setListenBacklogSize>("[method]tcp-socket.set-listen-backlog-size")
      .function<get<&TcpSocket::keepAlive>>("[method]tcp-socket.keep-alive-enabled")
      .function<set<&TcpSocket::keepAlive>>("[method]tcp-socket.set-keep-alive-enabled")
      .function<get<&TcpSocket::keepAliveIdleTime>>("[method]tcp-socket.keep-alive-idle-time")
      .function<set<&TcpSocket::keepAliveIdleTime>>("[method]tcp-socket.set-keep-alive-idle-time")
      .function<get<&TcpSocket::keepAliveInterval>>("[method]tcp-socket.keep-alive-interval")
      .function<set<&TcpSocket::keepAliveInterval>>("[method]tcp-socket.set-keep-alive-interval")
      .function<get<&TcpSocket::keepAliveCount>>("[method]tcp-socket.keep-alive-count")
      .function<set<&TcpSocket::keepAliveCount>>("[method]tcp-socket.set-keep-alive-count")
      .function<get<&TcpSocket::hopLimit>>("[method]tcp-socket.hop-limit")
      .function<set<&TcpSocket::hopLimit>>("[method]tcp-socket.set-hop-limit")
      .function<get<&TcpSocket::receiveBufferSize>>("[method]tcp-socket.receive-buffer-size")
      .function<set<&TcpSocket::receiveBufferSize>>("[method]tcp-socket.set-receive-buffer-size")
      .function<get<&TcpSocket::sendBufferSize>>("[method]tcp-socket.send-buffer-size")
      .function<set<&TcpSocket::sendBufferSize>>("[method]tcp-socket.set-send-buffer-size")
      .function<subscribe>("[method]tcp-socket.subscribe")
      .function<shutdown>("[method]tcp-socket.shutdown");
  Binder(registry, "wasi:sockets/tcp-create-socket@0.2.12").function<create>("create-tcp-socket");
}

}  // namespace tenon::wasi::sockets
