#pragma once

// Addresses between WASI's form and the system's. Plain values.

#include "net/address.h"
#include "wasi/sockets/types.h"

#include <cstdint>
#include <string>

namespace tenon::wasi::sockets {

net::AddressBytes ipOf(const IpAddress& address);
net::AddressBytes ipOf(const IpSocketAddress& address);
IpAddress toIpAddress(const net::AddressBytes& bytes);
uint16_t portOf(const IpSocketAddress& address);
// "10.0.0.7:5432", "[::1]:80".
std::string toText(const IpSocketAddress& address);
// The same address and port; what else IPv6 has may differ.
bool isSameEndpoint(const IpSocketAddress& a, const IpSocketAddress& b);

net::SystemAddress toSystem(const IpSocketAddress& address);
// `address` is of AF_INET or AF_INET6.
IpSocketAddress fromSystem(const net::SystemAddress& address);

// For an `errno` of a socket's system call.
ErrorCode toErrorCode(int systemError);
inline Unexpected<ErrorCode> systemFailure(int systemError) { return {toErrorCode(systemError)}; }

// For what `getaddrinfo` returned; `systemError` is its errno. Source: ip-name-lookup's WIT text.
ErrorCode fromResolver(int problem, int systemError);

}  // namespace tenon::wasi::sockets
