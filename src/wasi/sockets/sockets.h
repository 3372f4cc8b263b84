#pragma once

// Package wasi:sockets for guests without permission to use the network, which is all guests so
// far: sockets can be made and configured, and every attempt to reach or listen to anybody is
// refused with `access-denied`. No socket of the operating system is behind them.

#include "call/registry.h"
#include "wasi/io/waitable.h"
#include "wasi/sockets/types.h"

namespace tenon::wasi {

void provideSockets(call::Registry& registry);

namespace sockets {

// That a guest has a handle to the network says nothing about what it may reach.
struct Network final : call::HostObject {};

// Nothing of a refused socket is ever in progress, so there is nothing to wait for.
class AlwaysReady final : public Waitable {
 public:
  bool ready() override { return true; }
  kj::Promise<void> whenReady() override { return kj::READY_NOW; }
};

void provideTcp(call::Registry& registry);
void provideUdp(call::Registry& registry);

}  // namespace sockets
}  // namespace tenon::wasi
