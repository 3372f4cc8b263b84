#pragma once

// The network as one component has it: what it may do, and what it has open. Shared by the
// instances of the component on one loop. Bound to the loop's thread.

#include "net/grants.h"
#include "net/lingering.h"
#include "net/observed_fd.h"
#include "wasi/sockets/address.h"

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

namespace tenon::wasi::sockets {

class NetworkAccess {
 public:
  // `port` null: nothing can be waited for. `lingering` outlives this.
  NetworkAccess(net::Grants grants, kj::UnixEventPort* port, net::Lingering& lingering)
      : lingering(lingering), grants(std::move(grants)), port_(port) {}

  net::Lingering& lingering;
  const net::Grants grants;

  // By a grant of the address, or of a name that was resolved to it.
  bool mayConnect(const IpSocketAddress& address) const;

  // Remembers what a name that may be looked up was resolved to.
  void learn(std::string_view name, const std::vector<net::AddressBytes>& addresses);

  // A socket with O_NONBLOCK. Counted until it is gone. Errors: ACCESS_DENIED where nothing at all
  // is granted, so that no socket is made; NEW_SOCKET_LIMIT, NOT_SUPPORTED, as `toErrorCode`.
  // `type`: SOCK_STREAM or SOCK_DGRAM.
  SocketResult<std::shared_ptr<net::ObservedFd>> newSocket(IpAddressFamily family, int type);
  // A place for a socket that is not there yet; none: there may be no more.
  net::DescriptorPlace takePlace() const;
  // As `newSocket`, of a descriptor that there is already and its place. Null: it cannot be waited
  // for.
  std::shared_ptr<net::ObservedFd> adopt(net::OwnedFd fd, net::DescriptorPlace place);

  // Holds one of the look-ups that may go on at the same time; null: there are too many.
  std::shared_ptr<void> beginLookup();

  static constexpr uint32_t MAX_SOCKETS = 16'384;
  static constexpr uint32_t MAX_LOOKUPS = 16;
  static constexpr size_t MAX_LEARNED = 4096;  // addresses; the oldest are forgotten

 private:
  kj::UnixEventPort* port_;
  std::map<net::AddressBytes, std::vector<net::PortRange>> learned_;
  std::deque<net::AddressBytes> learnedOrder_;
  // Counts, shared with what they count, which may be gone later than this.
  std::shared_ptr<uint32_t> open_ = std::make_shared<uint32_t>(0);
  std::shared_ptr<std::atomic<uint32_t>> lookups_ = std::make_shared<std::atomic<uint32_t>>(0);
};

}  // namespace tenon::wasi::sockets
