#include "wasi/sockets/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <cerrno>
#include <cstring>

namespace tenon::wasi::sockets {
namespace {

net::AddressBytes fromV4(const Ipv4Address& address) {
  auto [a, b, c, d] = address;
  net::AddressBytes bytes{IpAddressFamily::IPV4, {a, b, c, d}};
  return bytes;
}

net::AddressBytes fromV6(const Ipv6Address& address) {
  net::AddressBytes bytes{IpAddressFamily::IPV6, {}};
  auto segments =
      std::apply([](auto... parts) { return std::array<uint16_t, 8>{parts...}; }, address);
  for (size_t i = 0; i < segments.size(); i++) {
    bytes.bytes[2 * i] = static_cast<uint8_t>(segments[i] >> 8);
    bytes.bytes[2 * i + 1] = static_cast<uint8_t>(segments[i] & 0xff);
  }
  return bytes;
}

Ipv6Address toV6(const std::array<uint8_t, 16>& bytes) {
  auto part = [&bytes](size_t i) {
    return static_cast<uint16_t>(bytes[2 * i] << 8 | bytes[2 * i + 1]);
  };
  return {part(0), part(1), part(2), part(3), part(4), part(5), part(6), part(7)};
}

}  // namespace

net::AddressBytes ipOf(const IpAddress& address) {
  if (auto* v4 = std::get_if<Ipv4Address>(&address)) return fromV4(*v4);
  return fromV6(std::get<Ipv6Address>(address));
}

net::AddressBytes ipOf(const IpSocketAddress& address) {
  if (auto* v4 = std::get_if<Ipv4SocketAddress>(&address)) return fromV4(v4->address);
  return fromV6(std::get<Ipv6SocketAddress>(address).address);
}

IpAddress toIpAddress(const net::AddressBytes& address) {
  const auto& bytes = address.bytes;
  if (address.family == IpAddressFamily::IPV4) {
    return Ipv4Address{bytes[0], bytes[1], bytes[2], bytes[3]};
  }
  return toV6(bytes);
}

std::string toText(const IpSocketAddress& address) {
  net::AddressBytes ip = ipOf(address);
  bool v6 = ip.family == IpAddressFamily::IPV6;
  char text[INET6_ADDRSTRLEN] = "";
  ::inet_ntop(v6 ? AF_INET6 : AF_INET, ip.bytes.data(), text, sizeof(text));
  std::string host = v6 ? "[" + std::string(text) + "]" : text;
  return host + ":" + std::to_string(portOf(address));
}

uint16_t portOf(const IpSocketAddress& address) {
  return std::visit([](const auto& form) { return form.port; }, address);
}

bool isSameEndpoint(const IpSocketAddress& a, const IpSocketAddress& b) {
  return portOf(a) == portOf(b) && ipOf(a) == ipOf(b);
}

net::SystemAddress toSystem(const IpSocketAddress& address) {
  if (auto* v6 = std::get_if<Ipv6SocketAddress>(&address)) {
    return net::toSystem(ipOf(address), v6->port, v6->flowInfo, v6->scopeId);
  }
  return net::toSystem(ipOf(address), portOf(address));
}

IpSocketAddress fromSystem(const net::SystemAddress& address) {
  IpAddress ip = toIpAddress(net::ipOf(address));
  if (auto* v6 = std::get_if<Ipv6Address>(&ip)) {
    sockaddr_in6 form;
    std::memcpy(&form, &address.storage, sizeof(form));
    return Ipv6SocketAddress{ntohs(form.sin6_port), ntohl(form.sin6_flowinfo), *v6,
                             form.sin6_scope_id};
  }
  sockaddr_in form;
  std::memcpy(&form, &address.storage, sizeof(form));
  return Ipv4SocketAddress{ntohs(form.sin_port), std::get<Ipv4Address>(ip)};
}

ErrorCode toErrorCode(int systemError) {
  switch (systemError) {
    case EACCES:
    case EPERM:
      return ErrorCode::ACCESS_DENIED;
    case EOPNOTSUPP:
    case ENOPROTOOPT:
    case EPFNOSUPPORT:
    case EPROTONOSUPPORT:
    case EPROTOTYPE:
    case ESOCKTNOSUPPORT:
    case EAFNOSUPPORT:
      return ErrorCode::NOT_SUPPORTED;
    case EINVAL:
      return ErrorCode::INVALID_ARGUMENT;
    case ENOMEM:
    case ENOBUFS:
      return ErrorCode::OUT_OF_MEMORY;
    case ETIMEDOUT:
      return ErrorCode::TIMEOUT;
    case EALREADY:
      return ErrorCode::CONCURRENCY_CONFLICT;
    case EAGAIN:
      return ErrorCode::WOULD_BLOCK;
    case EISCONN:
    case ENOTCONN:
    case EDESTADDRREQ:
      return ErrorCode::INVALID_STATE;
    case EMFILE:
    case ENFILE:
      return ErrorCode::NEW_SOCKET_LIMIT;
    case EADDRNOTAVAIL:
      return ErrorCode::ADDRESS_NOT_BINDABLE;
    case EADDRINUSE:
      return ErrorCode::ADDRESS_IN_USE;
    case EHOSTUNREACH:
    case EHOSTDOWN:
    case ENETUNREACH:
    case ENETDOWN:
    case ENONET:
      return ErrorCode::REMOTE_UNREACHABLE;
    case ECONNREFUSED:
      return ErrorCode::CONNECTION_REFUSED;
    case ECONNRESET:
    case EPIPE:
      return ErrorCode::CONNECTION_RESET;
    case ECONNABORTED:
      return ErrorCode::CONNECTION_ABORTED;
    case EMSGSIZE:
      return ErrorCode::DATAGRAM_TOO_LARGE;
    default:
      return ErrorCode::UNKNOWN;
  }
}

ErrorCode fromResolver(int problem, int systemError) {
  switch (problem) {
    case EAI_NONAME:
    case EAI_NODATA:
    case EAI_ADDRFAMILY:
      return ErrorCode::NAME_UNRESOLVABLE;
    case EAI_AGAIN:
      return ErrorCode::TEMPORARY_RESOLVER_FAILURE;
    case EAI_MEMORY:
      return ErrorCode::OUT_OF_MEMORY;
    case EAI_SYSTEM: {
      ErrorCode code = toErrorCode(systemError);
      return code == ErrorCode::UNKNOWN ? ErrorCode::PERMANENT_RESOLVER_FAILURE : code;
    }
    default:
      return ErrorCode::PERMANENT_RESOLVER_FAILURE;
  }
}

}  // namespace tenon::wasi::sockets
