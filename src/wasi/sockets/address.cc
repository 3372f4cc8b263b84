#include "wasi/sockets/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace tenon::wasi::sockets {
namespace {

AddressBytes fromV4(const Ipv4Address& address) {
  auto [a, b, c, d] = address;
  AddressBytes bytes{IpAddressFamily::IPV4, {a, b, c, d}};
  return bytes;
}

AddressBytes fromV6(const Ipv6Address& address) {
  AddressBytes bytes{IpAddressFamily::IPV6, {}};
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

AddressRange range(std::string_view text, uint8_t bits) {
  AddressRange result;
  parseAddress(text, result.base);
  result.bits = bits;
  return result;
}

}  // namespace

AddressBytes ipOf(const IpAddress& address) {
  if (auto* v4 = std::get_if<Ipv4Address>(&address)) return fromV4(*v4);
  return fromV6(std::get<Ipv6Address>(address));
}

AddressBytes ipOf(const IpSocketAddress& address) {
  if (auto* v4 = std::get_if<Ipv4SocketAddress>(&address)) return fromV4(v4->address);
  return fromV6(std::get<Ipv6SocketAddress>(address).address);
}

IpAddress toIpAddress(const AddressBytes& address) {
  const auto& bytes = address.bytes;
  if (address.family == IpAddressFamily::IPV4) {
    return Ipv4Address{bytes[0], bytes[1], bytes[2], bytes[3]};
  }
  return toV6(bytes);
}

std::string toText(const IpSocketAddress& address) {
  AddressBytes ip = ipOf(address);
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

bool parseAddress(std::string_view text, AddressBytes& into) {
  std::string terminated(text);
  if (terminated.find('\0') != std::string::npos) return false;
  into = {};
  if (::inet_pton(AF_INET, terminated.c_str(), into.bytes.data()) == 1) return true;
  into.family = IpAddressFamily::IPV6;
  return ::inet_pton(AF_INET6, terminated.c_str(), into.bytes.data()) == 1;
}

bool AddressRange::contains(const AddressBytes& address) const {
  if (address.family != base.family) return false;
  for (size_t i = 0; i < address.size(); i++) {
    int left = bits - static_cast<int>(i) * 8;
    if (left <= 0) return true;
    auto mask = static_cast<uint8_t>(left >= 8 ? 0xff : 0xff << (8 - left));
    if ((address.bytes[i] & mask) != (base.bytes[i] & mask)) return false;
  }
  return true;
}

AddressBytes unmapped(const AddressBytes& address) {
  static const AddressRange MAPPED = range("::ffff:0:0", 96);
  if (!MAPPED.contains(address)) return address;
  AddressBytes inner;
  std::memcpy(inner.bytes.data(), address.bytes.data() + 12, 4);
  return inner;
}

bool isLoopback(const AddressBytes& address) {
  static const AddressRange V4 = range("127.0.0.0", 8);
  static const AddressRange V6 = range("::1", 128);
  return V4.contains(address) || V6.contains(address);
}

bool isInternal(const AddressBytes& address) {
  // IANA's registries of special-purpose addresses: what is not globally reachable.
  static const AddressRange RANGES[] = {
      range("0.0.0.0", 8),     range("10.0.0.0", 8),      range("100.64.0.0", 10),
      range("127.0.0.0", 8),   range("169.254.0.0", 16),  range("172.16.0.0", 12),
      range("192.0.0.0", 24),  range("192.0.2.0", 24),    range("192.168.0.0", 16),
      range("198.18.0.0", 15), range("198.51.100.0", 24), range("203.0.113.0", 24),
      range("224.0.0.0", 3),   range("::", 127),          range("100::", 64),
      range("2001:db8::", 32), range("fc00::", 7),        range("fe80::", 10),
      range("fec0::", 10),     range("ff00::", 8),        range("64:ff9b:1::", 48),
  };
  for (const AddressRange& internal : RANGES) {
    if (internal.contains(unmapped(address))) return true;
  }
  // Forms that carry an IPv4 address, and where.
  static const struct {
    AddressRange range;
    size_t offset;
  } CARRIERS[] = {{range("::", 96), 12}, {range("64:ff9b::", 96), 12}, {range("2002::", 16), 2}};
  for (const auto& carrier : CARRIERS) {
    if (!carrier.range.contains(address)) continue;
    AddressBytes inner;
    std::memcpy(inner.bytes.data(), address.bytes.data() + carrier.offset, 4);
    return isInternal(inner);
  }
  return false;
}

SystemAddress toSystem(const IpSocketAddress& address) {
  SystemAddress result;
  AddressBytes bytes = ipOf(address);
  if (auto* v6 = std::get_if<Ipv6SocketAddress>(&address)) {
    sockaddr_in6 form{};
    form.sin6_family = AF_INET6;
    form.sin6_port = htons(v6->port);
    form.sin6_flowinfo = htonl(v6->flowInfo);
    std::memcpy(&form.sin6_addr, bytes.bytes.data(), 16);
    form.sin6_scope_id = v6->scopeId;
    std::memcpy(&result.storage, &form, sizeof(form));
    result.length = sizeof(form);
  } else {
    sockaddr_in form{};
    form.sin_family = AF_INET;
    form.sin_port = htons(portOf(address));
    std::memcpy(&form.sin_addr, bytes.bytes.data(), 4);
    std::memcpy(&result.storage, &form, sizeof(form));
    result.length = sizeof(form);
  }
  return result;
}

IpSocketAddress fromSystem(const SystemAddress& address) {
  AddressBytes bytes;
  if (address.storage.ss_family == AF_INET6) {
    sockaddr_in6 form;
    std::memcpy(&form, &address.storage, sizeof(form));
    bytes.family = IpAddressFamily::IPV6;
    std::memcpy(bytes.bytes.data(), &form.sin6_addr, 16);
    return Ipv6SocketAddress{ntohs(form.sin6_port), ntohl(form.sin6_flowinfo), toV6(bytes.bytes),
                             form.sin6_scope_id};
  }
  sockaddr_in form;
  std::memcpy(&form, &address.storage, sizeof(form));
  std::memcpy(bytes.bytes.data(), &form.sin_addr, 4);
  return Ipv4SocketAddress{ntohs(form.sin_port), std::get<Ipv4Address>(toIpAddress(bytes))};
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

std::vector<AddressBytes> addressesOf(const addrinfo* list) {
  std::vector<AddressBytes> all;
  for (const addrinfo* item = list; item; item = item->ai_next) {
    if (item->ai_family != AF_INET && item->ai_family != AF_INET6) continue;
    SystemAddress copy;
    std::memcpy(&copy.storage, item->ai_addr,
                std::min<size_t>(item->ai_addrlen, sizeof(copy.storage)));
    AddressBytes address = ipOf(fromSystem(copy));
    if (std::ranges::find(all, address) == all.end()) all.push_back(address);
  }
  return all;
}

}  // namespace tenon::wasi::sockets
