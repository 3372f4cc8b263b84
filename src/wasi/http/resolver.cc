#include "wasi/http/resolver.h"

#include <kj/common.h>

#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

namespace tenon::wasi::http {

Addresses resolveWithSystem(const std::string& name) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;  // else each address comes once a type
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* list = nullptr;
  if (::getaddrinfo(name.c_str(), nullptr, &hints, &list) != 0) {
    return dnsError("address not available");
  }
  KJ_DEFER(::freeaddrinfo(list));
  std::vector<sockets::AddressBytes> addresses;
  for (const addrinfo* item = list; item; item = item->ai_next) {
    if (item->ai_family != AF_INET && item->ai_family != AF_INET6) continue;
    sockets::SystemAddress copy;
    std::memcpy(&copy.storage, item->ai_addr,
                std::min<size_t>(item->ai_addrlen, sizeof(copy.storage)));
    auto address = sockets::ipOf(sockets::fromSystem(copy));
    if (std::ranges::find(addresses, address) == addresses.end()) addresses.push_back(address);
  }
  if (addresses.empty()) return dnsError("address not available");
  return addresses;
}

}  // namespace tenon::wasi::http
