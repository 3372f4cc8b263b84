#include "wasi/sockets/options.h"

#include "wasi/sockets/address.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <limits>

namespace tenon::wasi::sockets {
namespace {

struct Option {
  int level;
  int name;
};

Option hopLimitOption(IpAddressFamily family) {
  if (family == IpAddressFamily::IPV4) return {IPPROTO_IP, IP_TTL};
  return {IPPROTO_IPV6, IPV6_UNICAST_HOPS};
}

template <int (*FUNCTION)(int, sockaddr*, socklen_t*)>
SocketResult<IpSocketAddress> addressBy(int fd) {
  net::SystemAddress address;
  if (FUNCTION(fd, address.get(), &address.length) != 0) return systemFailure(errno);
  return fromSystem(address);
}

}  // namespace

SocketResult<void> setOption(int fd, int level, int option, int value) {
  if (::setsockopt(fd, level, option, &value, sizeof(value)) != 0) return systemFailure(errno);
  return {};
}

SocketResult<int> getOption(int fd, int level, int option) {
  int value = 0;
  socklen_t length = sizeof(value);
  if (::getsockopt(fd, level, option, &value, &length) != 0) return systemFailure(errno);
  return value;
}

SocketResult<uint8_t> hopLimit(int fd, IpAddressFamily family) {
  Option option = hopLimitOption(family);
  auto value = getOption(fd, option.level, option.name);
  if (!value) return Unexpected{value.error()};
  return static_cast<uint8_t>(*value);
}

SocketResult<void> setHopLimit(int fd, IpAddressFamily family, uint8_t value) {
  if (value == 0) return Unexpected{ErrorCode::INVALID_ARGUMENT};
  Option option = hopLimitOption(family);
  return setOption(fd, option.level, option.name, value);
}

SocketResult<uint64_t> bufferSize(int fd, int option) {
  auto value = getOption(fd, SOL_SOCKET, option);
  if (!value) return Unexpected{value.error()};
  return static_cast<uint64_t>(*value) / 2;
}

SocketResult<void> setBufferSize(int fd, int option, uint64_t value) {
  if (value == 0) return Unexpected{ErrorCode::INVALID_ARGUMENT};
  constexpr uint64_t LARGEST = std::numeric_limits<int>::max() / 2;
  return setOption(fd, SOL_SOCKET, option, static_cast<int>(std::min(value, LARGEST)));
}

SocketResult<IpSocketAddress> localAddress(int fd) { return addressBy<::getsockname>(fd); }

SocketResult<IpSocketAddress> peerAddress(int fd) { return addressBy<::getpeername>(fd); }

}  // namespace tenon::wasi::sockets
