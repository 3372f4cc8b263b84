#include "wasi/sockets/access.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace tenon::wasi::sockets {

bool NetworkAccess::mayConnect(const IpSocketAddress& address) const {
  net::AddressBytes bytes = ipOf(address);
  uint16_t port = portOf(address);
  if (grants.mayConnect(bytes, port)) return true;
  auto found = learned_.find(bytes);
  if (found == learned_.end()) return false;
  return std::any_of(found->second.begin(), found->second.end(),
                     [port](const net::PortRange& range) { return range.contains(port); });
}

void NetworkAccess::learn(std::string_view name, const std::vector<net::AddressBytes>& addresses) {
  for (const net::AddressBytes& address : addresses) {
    std::vector<net::PortRange> ports = grants.portsOf(name, address);
    if (ports.empty()) continue;
    auto [entry, fresh] = learned_.try_emplace(address);
    if (fresh) learnedOrder_.push_back(address);
    // Another name may have the same address.
    for (const net::PortRange& range : ports) {
      auto same = [&range](const net::PortRange& known) {
        return known.first == range.first && known.last == range.last;
      };
      auto& known = entry->second;
      if (std::none_of(known.begin(), known.end(), same)) known.push_back(range);
    }
  }
  while (learnedOrder_.size() > MAX_LEARNED) {
    learned_.erase(learnedOrder_.front());
    learnedOrder_.pop_front();
  }
}

SocketResult<std::shared_ptr<net::ObservedFd>> NetworkAccess::newSocket(IpAddressFamily family,
                                                                        int type) {
  if (grants.none()) return Unexpected{ErrorCode::ACCESS_DENIED};
  net::DescriptorPlace place = takePlace();
  if (!place) return Unexpected{ErrorCode::NEW_SOCKET_LIMIT};
  int domain = family == IpAddressFamily::IPV4 ? AF_INET : AF_INET6;
  net::OwnedFd fd(::socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd == nullptr) return systemFailure(errno);
  int on = 1;
  if (domain == AF_INET6 && ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) != 0) {
    return systemFailure(errno);
  }
  auto observed = adopt(std::move(fd), std::move(place));
  if (!observed) return Unexpected{ErrorCode::NEW_SOCKET_LIMIT};
  return observed;
}

net::DescriptorPlace NetworkAccess::takePlace() const {
  return *open_ < MAX_SOCKETS ? net::DescriptorPlace::take() : net::DescriptorPlace();
}

std::shared_ptr<net::ObservedFd> NetworkAccess::adopt(net::OwnedFd fd, net::DescriptorPlace place) {
  auto observed = net::ObservedFd::make(port_, std::move(fd), std::move(place));
  if (!observed) return nullptr;
  ++*open_;
  net::ObservedFd* socket = observed.get();
  return {socket, [open = open_, observed = std::move(observed)](net::ObservedFd*) mutable {
            observed = nullptr;
            --*open;
          }};
}

std::shared_ptr<void> NetworkAccess::beginLookup() {
  if (lookups_->fetch_add(1) >= MAX_LOOKUPS) {
    --*lookups_;
    return nullptr;
  }
  return {lookups_.get(), [lookups = lookups_](void*) { --*lookups; }};
}

}  // namespace tenon::wasi::sockets
