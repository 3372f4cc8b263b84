#include "wasi/sockets/types.h"

namespace tenon::wasi::sockets {
namespace {

std::array<uint16_t, 8> segments(const Ipv6Address& address) {
  return std::apply([](auto... parts) { return std::array<uint16_t, 8>{parts...}; }, address);
}

bool allZero(const std::array<uint16_t, 8>& parts, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (parts[i] != 0) return false;
  }
  return true;
}

}  // namespace

bool fitsFamily(const IpSocketAddress& address, IpAddressFamily family) {
  auto* v6 = std::get_if<Ipv6SocketAddress>(&address);
  if (!v6) return family == IpAddressFamily::IPV4;
  if (family != IpAddressFamily::IPV6) return false;
  auto parts = segments(v6->address);
  bool mapped = allZero(parts, 5) && parts[5] == 0xffff;
  bool special = parts[6] == 0 && parts[7] <= 1;  // :: and ::1
  bool compatible = allZero(parts, 6) && !special;
  return !mapped && !compatible;
}

bool isUnicast(const IpSocketAddress& address) {
  if (auto* v6 = std::get_if<Ipv6SocketAddress>(&address)) {
    return std::get<0>(v6->address) >> 8 != 0xff;
  }
  const Ipv4Address& v4 = std::get<Ipv4SocketAddress>(address).address;
  return std::get<0>(v4) >> 4 != 0xe && v4 != Ipv4Address(255, 255, 255, 255);
}

bool isRemote(const IpSocketAddress& address) {
  if (auto* v6 = std::get_if<Ipv6SocketAddress>(&address)) {
    return v6->port != 0 && v6->address != Ipv6Address();
  }
  const auto& v4 = std::get<Ipv4SocketAddress>(address);
  return v4.port != 0 && v4.address != Ipv4Address();
}

}  // namespace tenon::wasi::sockets
