#pragma once

// The types of wasi:sockets/network, and the address rules that every socket shares. Plain values.

#include "call/host_call.h"
#include "net/address.h"
#include "wasi/error_of.h"

#include <tenon/typed.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <variant>

namespace tenon::wasi::sockets {

enum class ErrorCode : uint8_t {
  UNKNOWN,
  ACCESS_DENIED,
  NOT_SUPPORTED,
  INVALID_ARGUMENT,
  OUT_OF_MEMORY,
  TIMEOUT,
  CONCURRENCY_CONFLICT,
  NOT_IN_PROGRESS,
  WOULD_BLOCK,
  INVALID_STATE,
  NEW_SOCKET_LIMIT,
  ADDRESS_NOT_BINDABLE,
  ADDRESS_IN_USE,
  REMOTE_UNREACHABLE,
  CONNECTION_REFUSED,
  CONNECTION_RESET,
  CONNECTION_ABORTED,
  DATAGRAM_TOO_LARGE,
  NAME_UNRESOLVABLE,
  TEMPORARY_RESOLVER_FAILURE,
  PERMANENT_RESOLVER_FAILURE,
};

using net::IpAddressFamily;
using Ipv4Address = std::tuple<uint8_t, uint8_t, uint8_t, uint8_t>;
using Ipv6Address =
    std::tuple<uint16_t, uint16_t, uint16_t, uint16_t, uint16_t, uint16_t, uint16_t, uint16_t>;
using IpAddress = std::variant<Ipv4Address, Ipv6Address>;

struct Ipv4SocketAddress {
  uint16_t port = 0;
  Ipv4Address address;
  bool operator==(const Ipv4SocketAddress&) const = default;
};
struct Ipv6SocketAddress {
  uint16_t port = 0;
  uint32_t flowInfo = 0;
  Ipv6Address address;
  uint32_t scopeId = 0;
  bool operator==(const Ipv6SocketAddress&) const = default;
};
using IpSocketAddress = std::variant<Ipv4SocketAddress, Ipv6SocketAddress>;

template <typename T>
using SocketResult = Expected<T, ErrorCode>;

// The error of a function in which a library threw.
inline ErrorCode errorOf(call::HostCall&, const std::string&, ErrorOf<ErrorCode>) {
  return ErrorCode::UNKNOWN;
}

// Whether an address is of the family and of a kind that sockets take: not IPv4-mapped, nor the
// long abandoned "compatible" form.
bool fitsFamily(const IpSocketAddress& address, IpAddressFamily family);
// Neither multicast nor broadcast.
bool isUnicast(const IpSocketAddress& address);
// Neither the unspecified address nor port 0.
bool isRemote(const IpSocketAddress& address);

}  // namespace tenon::wasi::sockets

TENON_ENUM(tenon::wasi::sockets::ErrorCode, UNKNOWN, ACCESS_DENIED, NOT_SUPPORTED, INVALID_ARGUMENT,
           OUT_OF_MEMORY, TIMEOUT, CONCURRENCY_CONFLICT, NOT_IN_PROGRESS, WOULD_BLOCK,
           INVALID_STATE, NEW_SOCKET_LIMIT, ADDRESS_NOT_BINDABLE, ADDRESS_IN_USE,
           REMOTE_UNREACHABLE, CONNECTION_REFUSED, CONNECTION_RESET, CONNECTION_ABORTED,
           DATAGRAM_TOO_LARGE, NAME_UNRESOLVABLE, TEMPORARY_RESOLVER_FAILURE,
           PERMANENT_RESOLVER_FAILURE)
TENON_ENUM(tenon::net::IpAddressFamily, IPV4, IPV6)
TENON_RECORD(tenon::wasi::sockets::Ipv4SocketAddress, port, address)
TENON_RECORD(tenon::wasi::sockets::Ipv6SocketAddress, port, flowInfo, address, scopeId)
