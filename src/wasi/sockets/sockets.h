#pragma once

// Package wasi:sockets on the system's own sockets, which never block. What a guest may do with
// them is asked of its NetworkAccess: without any grant no socket is made, and every attempt to
// reach or listen to anybody who was not granted is `access-denied`.

#include "call/registry.h"
#include "wasi/context.h"
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
// Tells people, if `result` is ACCESS_DENIED, that the component may not do this at `address`.
void tellIfDenied(call::HostCall& call, const SocketResult<void>& result, Refusal::Kind kind,
                  const IpSocketAddress& address);
// The same of a socket that was not made.
void tellNoSocket(call::HostCall& call);

SocketResult<Bound> bindTo(const NetworkAccess& access, int fd, const IpSocketAddress& local);

}  // namespace sockets
}  // namespace tenon::wasi
