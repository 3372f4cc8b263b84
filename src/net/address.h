#pragma once

// IP addresses: as bytes, as text, as the system has them, and ranges of them. Plain values.

#include <sys/socket.h>

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

struct addrinfo;  // of <netdb.h>

namespace tenon::net {

enum class IpAddressFamily : uint8_t { IPV4, IPV6 };

// An IP address as bytes in network order; of IPv4 the first four.
struct AddressBytes {
  IpAddressFamily family = IpAddressFamily::IPV4;
  std::array<uint8_t, 16> bytes{};

  size_t size() const { return family == IpAddressFamily::IPV4 ? 4 : 16; }
  auto operator<=>(const AddressBytes&) const = default;
};

// "1.2.3.4" or "::1", nothing else that the system would take for an address. False: neither.
bool parseAddress(std::string_view text, AddressBytes& into);

// All addresses that agree with `base` in the first `bits` bits.
struct AddressRange {
  AddressBytes base;
  uint8_t bits = 0;

  bool contains(const AddressBytes& address) const;
};

// IPv4 out of an IPv4-mapped IPv6 address; any other is itself.
AddressBytes unmapped(const AddressBytes& address);

// Loopback: 127.0.0.0/8, ::1.
bool isLoopback(const AddressBytes& address);
// Whether an address is not of the public internet: loopback, private, link-local, shared,
// reserved, multicast, unspecified, and forms of IPv6 that carry such an IPv4 address.
bool isInternal(const AddressBytes& address);

// For system calls.
struct SystemAddress {
  sockaddr_storage storage{};
  socklen_t length = sizeof(sockaddr_storage);

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};
// `flowInfo` and `scope` are of IPv6 only.
SystemAddress toSystem(const AddressBytes& address, uint16_t port, uint32_t flowInfo = 0,
                       uint32_t scope = 0);
// `address` is of AF_INET or AF_INET6.
AddressBytes ipOf(const SystemAddress& address);

// The IP addresses of a resolver's list, each once, in its order.
std::vector<AddressBytes> addressesOf(const addrinfo* list);

}  // namespace tenon::net
