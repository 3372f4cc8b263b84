// wasi:sockets/tcp and tcp-create-socket. Source: the WIT text, TcpSocketOperationalSemantics.md of
// wasi-sockets.

#include "net/fd_streams.h"
#include "wasi/binder.h"
#include "wasi/context.h"
#include "wasi/io/io.h"
#include "wasi/sockets/options.h"
#include "wasi/sockets/sockets.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <optional>
#include <tuple>

namespace tenon::wasi::sockets {

enum class ShutdownType : uint8_t { RECEIVE, SEND, BOTH };

}  // namespace tenon::wasi::sockets

TENON_ENUM(tenon::wasi::sockets::ShutdownType, RECEIVE, SEND, BOTH)

namespace tenon::wasi::sockets {
namespace {

constexpr uint64_t NANOSECONDS_PER_SECOND = 1'000'000'000;
// Linux takes no more.
constexpr uint64_t MAX_KEEP_ALIVE_SECONDS = 32767;
constexpr uint32_t MAX_KEEP_ALIVE_COUNT = 127;
constexpr int DEFAULT_BACKLOG = 128;

enum class Phase : uint8_t {
  UNBOUND,
  BIND_IN_PROGRESS,
  BOUND,
  LISTEN_IN_PROGRESS,
  LISTENING,
  CONNECT_IN_PROGRESS,
  CONNECTED,
  CLOSED,  // a connection failed
};

// A socket, shared by its handle and its pollables.
struct Tcp final : call::Waitable {
  Tcp(std::shared_ptr<NetworkAccess> access, IpAddressFamily family,
      std::shared_ptr<net::ObservedFd> fd, Phase phase)
      : access(std::move(access)), family(family), fd(std::move(fd)), phase(phase) {}

  std::shared_ptr<NetworkAccess> access;
  const IpAddressFamily family;
  const std::shared_ptr<net::ObservedFd> fd;
  Phase phase;
  bool mayListen = false;
  int backlog = DEFAULT_BACKLOG;
  // CONNECT_IN_PROGRESS: why it failed already.
  std::optional<ErrorCode> failure;
  // CONNECTED.
  std::shared_ptr<net::FdSource> source;
  std::shared_ptr<net::FdSink> sink;

  bool inProgress() const {
    return phase == Phase::BIND_IN_PROGRESS || phase == Phase::LISTEN_IN_PROGRESS ||
           phase == Phase::CONNECT_IN_PROGRESS;
  }

  // Of what is in progress, or of the next connection to accept.
  bool ready() override {
    if (phase == Phase::CONNECT_IN_PROGRESS) return failure || fd->writable();
    return phase != Phase::LISTENING || fd->readable();
  }
  kj::Promise<void> whenReady() override {
    if (ready()) return kj::READY_NOW;
    return phase == Phase::LISTENING ? fd->whenReadable() : fd->whenWritable();
  }

  // `budget`: of the instance.
  void openStreams(std::shared_ptr<call::MemoryBudget> budget) {
    source = std::make_shared<net::FdSource>(fd, net::FdKind::SOCKET);
    sink = std::make_shared<net::FdSink>(fd, net::FdKind::SOCKET, access->lingering,
                                         std::move(budget));
    // A guest cannot say it, and its streams gather what belongs together.
    (void)setOption(fd->get(), IPPROTO_TCP, TCP_NODELAY, 1);
  }
};

struct TcpSocket final : call::HostObject {
  explicit TcpSocket(std::shared_ptr<Tcp> tcp) : tcp(std::move(tcp)) {}
  std::shared_ptr<Tcp> tcp;
};

using Void = SocketResult<void>;
using Streams = std::tuple<Own<InputStream>, Own<OutputStream>>;

Streams giveStreams(call::HostCall& call, const Tcp& tcp) {
  return {give(call, std::make_unique<InputStream>(tcp.source)),
          give(call, std::make_unique<OutputStream>(tcp.sink))};
}

SocketResult<Own<TcpSocket>> create(call::HostCall& call, IpAddressFamily family) {
  auto access = contextOf(call).network;
  auto fd = access->newSocket(family, SOCK_STREAM);
  if (!fd) {
    if (fd.error() == ErrorCode::ACCESS_DENIED) tellNoSocket(call);
    return Unexpected{fd.error()};
  }
  auto tcp = std::make_shared<Tcp>(std::move(access), family, *std::move(fd), Phase::UNBOUND);
  return give(call, std::make_unique<TcpSocket>(std::move(tcp)));
}

// -- Binding and listening ------------------------------------------------------------------------

// What stands in the way of starting something in one of `phases`.
Void checkPhase(const Tcp& tcp, std::initializer_list<Phase> phases) {
  if (tcp.inProgress()) return Unexpected{ErrorCode::CONCURRENCY_CONFLICT};
  if (std::find(phases.begin(), phases.end(), tcp.phase) == phases.end()) {
    return Unexpected{ErrorCode::INVALID_STATE};
  }
  return {};
}

Void bindSocket(Tcp& tcp, const IpSocketAddress& local) {
  if (Void possible = checkPhase(tcp, {Phase::UNBOUND}); !possible) return possible;
  if (!fitsFamily(local, tcp.family) || !isUnicast(local)) {
    return Unexpected{ErrorCode::INVALID_ARGUMENT};
  }
  // So that connections that ended a moment ago do not hold the port.
  (void)setOption(tcp.fd->get(), SOL_SOCKET, SO_REUSEADDR, 1);
  auto bound = bindTo(*tcp.access, tcp.fd->get(), local);
  if (!bound) return Unexpected{bound.error()};
  tcp.mayListen = bound->mayListen;
  tcp.phase = Phase::BIND_IN_PROGRESS;
  return {};
}

Void startBind(call::HostCall& call, TcpSocket& self, Network&, const IpSocketAddress& local) {
  Void started = bindSocket(*self.tcp, local);
  tellIfDenied(call, started, Refusal::Kind::LISTEN, local);
  return started;
}

Void startListen(call::HostCall& call, TcpSocket& self) {
  Tcp& tcp = *self.tcp;
  if (Void possible = checkPhase(tcp, {Phase::BOUND}); !possible) return possible;
  if (!tcp.mayListen) {
    Void denied = Unexpected{ErrorCode::ACCESS_DENIED};
    if (auto local = localAddress(tcp.fd->get())) {
      tellIfDenied(call, denied, Refusal::Kind::LISTEN, *local);
    }
    return denied;
  }
  if (::listen(tcp.fd->get(), tcp.backlog) != 0) return systemFailure(errno);
  tcp.phase = Phase::LISTEN_IN_PROGRESS;
  return {};
}

template <Phase FROM, Phase TO>
Void finish(call::HostCall&, TcpSocket& self) {
  if (self.tcp->phase != FROM) return Unexpected{ErrorCode::NOT_IN_PROGRESS};
  self.tcp->phase = TO;
  return {};
}

Void setListenBacklogSize(call::HostCall&, TcpSocket& self, uint64_t value) {
  Tcp& tcp = *self.tcp;
  if (value == 0) return Unexpected{ErrorCode::INVALID_ARGUMENT};
  if (tcp.phase == Phase::CONNECT_IN_PROGRESS || tcp.phase == Phase::CONNECTED ||
      tcp.phase == Phase::CLOSED) {
    return Unexpected{ErrorCode::INVALID_STATE};
  }
  constexpr uint64_t LARGEST = std::numeric_limits<int>::max();
  tcp.backlog = static_cast<int>(std::min(value, LARGEST));
  bool listening = tcp.phase == Phase::LISTEN_IN_PROGRESS || tcp.phase == Phase::LISTENING;
  if (listening && ::listen(tcp.fd->get(), tcp.backlog) != 0) {
    return Unexpected{ErrorCode::NOT_SUPPORTED};
  }
  return {};
}

using Accepted = std::tuple<Own<TcpSocket>, Own<InputStream>, Own<OutputStream>>;

SocketResult<Accepted> accept(call::HostCall& call, TcpSocket& self) {
  Tcp& listener = *self.tcp;
  if (listener.phase != Phase::LISTENING) return Unexpected{ErrorCode::INVALID_STATE};
  net::DescriptorPlace place = listener.access->takePlace();
  if (!place) return Unexpected{ErrorCode::NEW_SOCKET_LIMIT};
  int fd;
  do {
    fd = ::accept4(listener.fd->get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) {
    switch (errno) {
      // Linux tells here what happened to the new connection's network.
      case ENETDOWN:
      case EPROTO:
      case ENOPROTOOPT:
      case EHOSTDOWN:
      case ENONET:
      case EHOSTUNREACH:
      case EOPNOTSUPP:
      case ENETUNREACH:
      case ECONNABORTED:
        return Unexpected{ErrorCode::CONNECTION_ABORTED};
      default:
        return systemFailure(errno);
    }
  }
  // Options are inherited from the listener by Linux.
  auto observed = listener.access->adopt(net::OwnedFd(fd), std::move(place));
  if (!observed) return Unexpected{ErrorCode::NEW_SOCKET_LIMIT};
  auto tcp = std::make_shared<Tcp>(listener.access, listener.family, std::move(observed),
                                   Phase::CONNECTED);
  tcp->openStreams(call.objects.budget());
  auto [input, output] = giveStreams(call, *tcp);
  return Accepted{give(call, std::make_unique<TcpSocket>(std::move(tcp))), input, output};
}

// -- Connecting -----------------------------------------------------------------------------------

ErrorCode fromConnect(int systemError) {
  // Linux' way to say that there is no free port.
  if (systemError == EADDRNOTAVAIL) return ErrorCode::ADDRESS_IN_USE;
  if (systemError == EAGAIN) return ErrorCode::ADDRESS_IN_USE;
  if (systemError == EPERM || systemError == EACCES) return ErrorCode::ACCESS_DENIED;
  return toErrorCode(systemError);
}

Void startConnect(call::HostCall& call, TcpSocket& self, Network&, const IpSocketAddress& remote) {
  Tcp& tcp = *self.tcp;
  if (Void possible = checkPhase(tcp, {Phase::UNBOUND, Phase::BOUND}); !possible) return possible;
  if (!fitsFamily(remote, tcp.family) || !isUnicast(remote) || !isRemote(remote)) {
    return Unexpected{ErrorCode::INVALID_ARGUMENT};
  }
  if (!tcp.access->mayConnect(remote)) {
    tcp.phase = Phase::CLOSED;
    Void denied = Unexpected{ErrorCode::ACCESS_DENIED};
    tellIfDenied(call, denied, Refusal::Kind::CONNECT, remote);
    return denied;
  }
  net::SystemAddress address = toSystem(remote);
  int result = ::connect(tcp.fd->get(), address.get(), address.length);
  tcp.phase = Phase::CONNECT_IN_PROGRESS;
  // EINTR: it goes on, as with EINPROGRESS.
  if (result != 0 && errno != EINPROGRESS && errno != EINTR) tcp.failure = fromConnect(errno);
  return {};
}

SocketResult<Streams> finishConnect(call::HostCall& call, TcpSocket& self) {
  Tcp& tcp = *self.tcp;
  if (tcp.phase != Phase::CONNECT_IN_PROGRESS) return Unexpected{ErrorCode::NOT_IN_PROGRESS};
  if (!tcp.ready()) return Unexpected{ErrorCode::WOULD_BLOCK};
  if (!tcp.failure) {
    auto problem = getOption(tcp.fd->get(), SOL_SOCKET, SO_ERROR);
    if (!problem) {
      tcp.failure = problem.error();
    } else if (*problem != 0) {
      tcp.failure = fromConnect(*problem);
    }
  }
  if (tcp.failure) {
    tcp.phase = Phase::CLOSED;
    return Unexpected{*tcp.failure};
  }
  tcp.phase = Phase::CONNECTED;
  tcp.openStreams(call.objects.budget());
  return giveStreams(call, tcp);
}

Void shutdown(call::HostCall&, TcpSocket& self, ShutdownType type) {
  Tcp& tcp = *self.tcp;
  if (tcp.phase != Phase::CONNECTED) return Unexpected{ErrorCode::INVALID_STATE};
  if (type != ShutdownType::SEND) {
    tcp.source->close();
    // ENOTCONN: the peer is gone already.
    (void)::shutdown(tcp.fd->get(), SHUT_RD);
  }
  if (type != ShutdownType::RECEIVE) tcp.sink->finish();
  return {};
}

// -- What is known of it --------------------------------------------------------------------------

SocketResult<IpSocketAddress> getLocalAddress(call::HostCall&, TcpSocket& self) {
  const Tcp& tcp = *self.tcp;
  if (tcp.phase == Phase::UNBOUND || tcp.phase == Phase::BIND_IN_PROGRESS ||
      tcp.phase == Phase::CLOSED) {
    return Unexpected{ErrorCode::INVALID_STATE};
  }
  return localAddress(tcp.fd->get());
}

SocketResult<IpSocketAddress> getRemoteAddress(call::HostCall&, TcpSocket& self) {
  if (self.tcp->phase != Phase::CONNECTED) return Unexpected{ErrorCode::INVALID_STATE};
  return peerAddress(self.tcp->fd->get());
}

bool isListening(call::HostCall&, TcpSocket& self) { return self.tcp->phase == Phase::LISTENING; }

IpAddressFamily addressFamily(call::HostCall&, TcpSocket& self) { return self.tcp->family; }

Own<Pollable> subscribe(call::HostCall& call, TcpSocket& self) {
  return givePollable(call, self.tcp);
}

// -- Options --------------------------------------------------------------------------------------

SocketResult<bool> keepAliveEnabled(const Tcp& tcp) {
  auto value = getOption(tcp.fd->get(), SOL_SOCKET, SO_KEEPALIVE);
  if (!value) return Unexpected{value.error()};
  return *value != 0;
}

Void setKeepAliveEnabled(const Tcp& tcp, bool value) {
  return setOption(tcp.fd->get(), SOL_SOCKET, SO_KEEPALIVE, value ? 1 : 0);
}

template <int OPTION>
SocketResult<uint64_t> keepAliveTime(const Tcp& tcp) {
  auto value = getOption(tcp.fd->get(), IPPROTO_TCP, OPTION);
  if (!value) return Unexpected{value.error()};
  return static_cast<uint64_t>(*value) * NANOSECONDS_PER_SECOND;
}

// Whole seconds, rounded up.
template <int OPTION>
Void setKeepAliveTime(const Tcp& tcp, uint64_t value) {
  if (value == 0) return Unexpected{ErrorCode::INVALID_ARGUMENT};
  uint64_t seconds = (value - 1) / NANOSECONDS_PER_SECOND + 1;
  return setOption(tcp.fd->get(), IPPROTO_TCP, OPTION,
                   static_cast<int>(std::min(seconds, MAX_KEEP_ALIVE_SECONDS)));
}

SocketResult<uint32_t> keepAliveCount(const Tcp& tcp) {
  auto value = getOption(tcp.fd->get(), IPPROTO_TCP, TCP_KEEPCNT);
  if (!value) return Unexpected{value.error()};
  return static_cast<uint32_t>(*value);
}

Void setKeepAliveCount(const Tcp& tcp, uint32_t value) {
  if (value == 0) return Unexpected{ErrorCode::INVALID_ARGUMENT};
  return setOption(tcp.fd->get(), IPPROTO_TCP, TCP_KEEPCNT,
                   static_cast<int>(std::min(value, MAX_KEEP_ALIVE_COUNT)));
}

SocketResult<uint8_t> getHopLimit(const Tcp& tcp) { return hopLimit(tcp.fd->get(), tcp.family); }
Void setSocketHopLimit(const Tcp& tcp, uint8_t value) {
  return setHopLimit(tcp.fd->get(), tcp.family, value);
}

template <int OPTION>
SocketResult<uint64_t> getBufferSize(const Tcp& tcp) {
  return bufferSize(tcp.fd->get(), OPTION);
}
template <int OPTION>
Void setSocketBufferSize(const Tcp& tcp, uint64_t value) {
  return setBufferSize(tcp.fd->get(), OPTION, value);
}

// Of a socket that is not closed.
template <auto FUNCTION>
auto get(call::HostCall&, TcpSocket& self) -> decltype(FUNCTION(*self.tcp)) {
  if (self.tcp->phase == Phase::CLOSED) return Unexpected{ErrorCode::INVALID_STATE};
  return FUNCTION(*self.tcp);
}
template <auto FUNCTION, typename T>
Void set(call::HostCall&, TcpSocket& self, T value) {
  if (self.tcp->phase == Phase::CLOSED) return Unexpected{ErrorCode::INVALID_STATE};
  return FUNCTION(*self.tcp, value);
}

}  // namespace

void provideTcp(call::Registry& registry) {
  Binder(registry, "wasi:sockets/tcp@0.2.12")
      .resource("tcp-socket")
      .function<startBind>("[method]tcp-socket.start-bind")
      .function<finish<Phase::BIND_IN_PROGRESS, Phase::BOUND>>("[method]tcp-socket.finish-bind")
      .function<startConnect>("[method]tcp-socket.start-connect")
      .function<finishConnect>("[method]tcp-socket.finish-connect")
      .function<startListen>("[method]tcp-socket.start-listen")
      .function<finish<Phase::LISTEN_IN_PROGRESS, Phase::LISTENING>>(
          "[method]tcp-socket.finish-listen")
      .function<accept>("[method]tcp-socket.accept")
      .function<getLocalAddress>("[method]tcp-socket.local-address")
      .function<getRemoteAddress>("[method]tcp-socket.remote-address")
      .function<isListening>("[method]tcp-socket.is-listening")
      .function<addressFamily>("[method]tcp-socket.address-family")
      .function<setListenBacklogSize>("[method]tcp-socket.set-listen-backlog-size")
      .function<get<keepAliveEnabled>>("[method]tcp-socket.keep-alive-enabled")
      .function<set<setKeepAliveEnabled, bool>>("[method]tcp-socket.set-keep-alive-enabled")
      .function<get<keepAliveTime<TCP_KEEPIDLE>>>("[method]tcp-socket.keep-alive-idle-time")
      .function<set<setKeepAliveTime<TCP_KEEPIDLE>, uint64_t>>(
          "[method]tcp-socket.set-keep-alive-idle-time")
      .function<get<keepAliveTime<TCP_KEEPINTVL>>>("[method]tcp-socket.keep-alive-interval")
      .function<set<setKeepAliveTime<TCP_KEEPINTVL>, uint64_t>>(
          "[method]tcp-socket.set-keep-alive-interval")
      .function<get<keepAliveCount>>("[method]tcp-socket.keep-alive-count")
      .function<set<setKeepAliveCount, uint32_t>>("[method]tcp-socket.set-keep-alive-count")
      .function<get<getHopLimit>>("[method]tcp-socket.hop-limit")
      .function<set<setSocketHopLimit, uint8_t>>("[method]tcp-socket.set-hop-limit")
      .function<get<getBufferSize<SO_RCVBUF>>>("[method]tcp-socket.receive-buffer-size")
      .function<set<setSocketBufferSize<SO_RCVBUF>, uint64_t>>(
          "[method]tcp-socket.set-receive-buffer-size")
      .function<get<getBufferSize<SO_SNDBUF>>>("[method]tcp-socket.send-buffer-size")
      .function<set<setSocketBufferSize<SO_SNDBUF>, uint64_t>>(
          "[method]tcp-socket.set-send-buffer-size")
      .function<subscribe>("[method]tcp-socket.subscribe")
      .function<shutdown>("[method]tcp-socket.shutdown");
  Binder(registry, "wasi:sockets/tcp-create-socket@0.2.12").function<create>("create-tcp-socket");
}

}  // namespace tenon::wasi::sockets
