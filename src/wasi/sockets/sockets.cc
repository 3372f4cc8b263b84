#include "wasi/sockets/sockets.h"

#include "net/error.h"
#include "wasi/binder.h"

#include <sys/socket.h>

#include <cerrno>
#include <optional>

namespace tenon::wasi {
namespace sockets {
namespace {

Own<Network> instanceNetwork(call::HostCall& call) {
  return give(call, std::make_unique<Network>());
}

std::optional<ErrorCode> networkErrorCode(call::HostCall&, net::IoError& error) {
  if (error.systemError == 0 || error.of != net::IoError::Of::SOCKET) return std::nullopt;
  return toErrorCode(error.systemError);
}

}  // namespace

void tellIfDenied(call::HostCall& call, const SocketResult<void>& result, Refusal::Kind kind,
                  const IpSocketAddress& address) {
  if (result || result.error() != ErrorCode::ACCESS_DENIED) return;
  contextOf(call).refused(kind, toText(address));
}

void tellNoSocket(call::HostCall& call) { contextOf(call).refused(Refusal::Kind::SOCKET); }

SocketResult<Bound> bindTo(const NetworkAccess& access, int fd, const IpSocketAddress& local) {
  Bound bound{access.grants.mayListen(ipOf(local), portOf(local))};
  bool connecting = portOf(local) == 0 && access.grants.mayConnectAnywhere();
  if (!bound.mayListen && !connecting) return Unexpected{ErrorCode::ACCESS_DENIED};
  net::SystemAddress address = toSystem(local);
  if (::bind(fd, address.get(), address.length) == 0) return bound;
  switch (errno) {
    case EAFNOSUPPORT:
      return Unexpected{ErrorCode::INVALID_ARGUMENT};
    case EINVAL:
      return Unexpected{ErrorCode::INVALID_STATE};
    default:
      return systemFailure(errno);
  }
}

}  // namespace sockets

void provideSockets(call::Registry& registry) {
  using namespace sockets;
  Binder(registry, "wasi:sockets/network@0.2.12")
      .resource("network")
      .function<networkErrorCode>("network-error-code");
  Binder(registry, "wasi:sockets/instance-network@0.2.12")
      .function<instanceNetwork>("instance-network");
  provideLookup(registry);
  provideTcp(registry);
  provideUdp(registry);
}

}  // namespace tenon::wasi
