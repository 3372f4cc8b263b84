#pragma once

// Package wasi:sockets on the system's own sockets, which never block. What a guest may do with
// them is asked of its NetworkAccess: without a grant sockets can be made and configured, and every
// attempt to reach or listen to anybody is `access-denied`.

#include "call/registry.h"
#include "wasi/sockets/access.h"
#include "wasi/sockets/types.h"

namespace tenon::wasi {

void provideSockets(call::Registry& registry);

namespace sockets {

// That a guest has a handle to the network says nothing about what it may reach.
struct Network final : call::HostObject {};

void provideTcp(call::Registry& registry);
void provideUdp(call::Registry& registry);
void provideLookup(call::Registry& registry);

// Binds a socket that is not bound. Where a guest may listen, it may bind; a free port at any
// address is also bound by who only connects. `mayListen`: whether peers may come. Errors:
// ACCESS_DENIED, ADDRESS_IN_USE, ADDRESS_NOT_BINDABLE ...
struct Bound {
  bool mayListen = false;
};
SocketResult<Bound> bindTo(const NetworkAccess& access, int fd, const IpSocketAddress& local);

}  // namespace sockets
}  // namespace tenon::wasi
