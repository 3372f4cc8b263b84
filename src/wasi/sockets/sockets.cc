#include "wasi/sockets/sockets.h"

#include "wasi/binder.h"
#include "wasi/io/io.h"

#include <optional>
#include <string_view>

namespace tenon::wasi {
namespace sockets {
namespace {

// Made by a successful look-up only, so there is none yet.
struct ResolveAddressStream final : call::HostObject {};

Own<Network> instanceNetwork(call::HostCall& call) {
  return give(call, std::make_unique<Network>());
}

std::optional<ErrorCode> networkErrorCode(call::HostCall&, IoError&) { return std::nullopt; }

SocketResult<Own<ResolveAddressStream>> resolveAddresses(call::HostCall&, Network&,
                                                         std::string_view) {
  return Unexpected{ErrorCode::PERMANENT_RESOLVER_FAILURE};
}

SocketResult<std::optional<IpAddress>> resolveNextAddress(call::HostCall&, ResolveAddressStream&) {
  return Unexpected{ErrorCode::PERMANENT_RESOLVER_FAILURE};
}

Own<Pollable> subscribeResolve(call::HostCall& call, ResolveAddressStream&) {
  return givePollable(call, std::make_shared<AlwaysReady>());
}

}  // namespace
}  // namespace sockets

void provideSockets(call::Registry& registry) {
  using namespace sockets;
  Binder(registry, "wasi:sockets/network@0.2.12")
      .resource("network")
      .function<networkErrorCode>("network-error-code");
  Binder(registry, "wasi:sockets/instance-network@0.2.12")
      .function<instanceNetwork>("instance-network");
  Binder(registry, "wasi:sockets/ip-name-lookup@0.2.12")
      .resource("resolve-address-stream")
      .function<resolveAddresses>("resolve-addresses")
      .function<resolveNextAddress>("[method]resolve-address-stream.resolve-next-address")
      .function<subscribeResolve>("[method]resolve-address-stream.subscribe");
  provideTcp(registry);
  provideUdp(registry);
}

}  // namespace tenon::wasi
