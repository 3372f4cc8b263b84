#include "net/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

namespace tenon::net {
namespace {

AddressRange range(std::string_view text, uint8_t bits) {
  AddressRange result;
  parseAddress(text, result.base);
  result.bits = bits;
  return result;
}

}  // namespace

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

SystemAddress toSystem(const AddressBytes& address, uint16_t port, uint32_t flowInfo,
                       uint32_t scope) {
  SystemAddress result;
  if (address.family == IpAddressFamily::IPV6) {
    sockaddr_in6 form{};
    form.sin6_family = AF_INET6;
    form.sin6_port = htons(port);
    form.sin6_flowinfo = htonl(flowInfo);
    std::memcpy(&form.sin6_addr, address.bytes.data(), 16);
    form.sin6_scope_id = scope;
    std::memcpy(&result.storage, &form, sizeof(form));
    result.length = sizeof(form);
  } else {
    sockaddr_in form{};
    form.sin_family = AF_INET;
    form.sin_port = htons(port);
    std::memcpy(&form.sin_addr, address.bytes.data(), 4);
    std::memcpy(&result.storage, &form, sizeof(form));
    result.length = sizeof(form);
  }
  return result;
}

AddressBytes ipOf(const SystemAddress& address) {
  AddressBytes bytes;
  if (address.storage.ss_family == AF_INET6) {
    sockaddr_in6 form;
    std::memcpy(&form, &address.storage, sizeof(form));
    bytes.family = IpAddressFamily::IPV6;
    std::memcpy(bytes.bytes.data(), &form.sin6_addr, 16);
  } else {
    sockaddr_in form;
    std::memcpy(&form, &address.storage, sizeof(form));
    std::memcpy(bytes.bytes.data(), &form.sin_addr, 4);
  }
  return bytes;
}

std::vector<AddressBytes> addressesOf(const addrinfo* list) {
  std::vector<AddressBytes> all;
  for (const addrinfo* item = list; item; item = item->ai_next) {
    if (item->ai_family != AF_INET && item->ai_family != AF_INET6) continue;
    SystemAddress copy;
    std::memcpy(&copy.storage, item->ai_addr,
                std::min<size_t>(item->ai_addrlen, sizeof(copy.storage)));
    AddressBytes address = ipOf(copy);
    if (std::ranges::find(all, address) == all.end()) all.push_back(address);
  }
  return all;
}

}  // namespace tenon::net
