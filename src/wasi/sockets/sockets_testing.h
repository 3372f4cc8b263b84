#pragma once

// A guest with grants and the machine's own loop, for the tests of sockets.

#include "wasi/sockets/sockets.h"
#include "wasi/wasi_testing.h"

#include <kj/async-io.h>

#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace tenon::wasi::sockets {

// The functions name their resources by classes of their own; to the ABI any class will do.
struct Socket;
struct AnyStream;
using Void = SocketResult<void>;
using Bytes = std::vector<std::byte>;

inline const IpSocketAddress LOOPBACK = Ipv4SocketAddress{0, {127, 0, 0, 1}};
inline const IpSocketAddress LOOPBACK6 = Ipv6SocketAddress{0, 0, {0, 0, 0, 0, 0, 0, 0, 1}, 0};

inline IpSocketAddress withPort(IpSocketAddress address, uint16_t port) {
  std::visit([port](auto& form) { form.port = port; }, address);
  return address;
}

class SocketGuest : public testing::Test {
 public:
  ~SocketGuest() noexcept override {}

 protected:
  // By default everything on this machine.
  explicit SocketGuest(NetworkOptions network = {.connect = {"127.0.0.0/8:*", "[::1]:*"},
                                                 .listen = {"127.0.0.1:*", "[::1]:*"}})
      : guest(io.waitScope, newContext(network)) {}

  std::unique_ptr<Context> newContext(const NetworkOptions& network) {
    WasiOptions options;
    options.network = network;
    return tenon::wasi::newContext(io, options).value();
  }

  // -- Sockets of either kind: "tcp" or "udp"
  template <typename R, typename... As>
  R method(std::string kind, const std::string& name, Borrow<Socket> self, const As&... arguments) {
    return guest.call<R>("wasi:sockets/" + kind, "[method]" + kind + "-socket." + name, self,
                         arguments...);
  }
  Borrow<Socket> create(const std::string& kind, IpAddressFamily family = IpAddressFamily::IPV4) {
    auto socket = guest.call<SocketResult<Own<Socket>>>("wasi:sockets/" + kind + "-create-socket",
                                                        "create-" + kind + "-socket", family);
    return {socket.value().rep};
  }
  Void bind(const std::string& kind, Borrow<Socket> socket, const IpSocketAddress& address) {
    if (Void started = method<Void>(kind, "start-bind", socket, network, address); !started) {
      return started;
    }
    return method<Void>(kind, "finish-bind", socket);
  }
  SocketResult<IpSocketAddress> localAddress(const std::string& kind, Borrow<Socket> socket) {
    return method<SocketResult<IpSocketAddress>>(kind, "local-address", socket);
  }

  // -- Waiting
  template <typename T>
  void block(const std::string& interface, const std::string& resource, Borrow<T> self) {
    auto pollable =
        guest.call<Own<Pollable>>(interface, "[method]" + resource + ".subscribe", self);
    guest.call<void>("wasi:io/poll", "[method]pollable.block", Borrow<Pollable>{pollable.rep});
    guest.objects.drop(pollable.rep);  // it would keep the socket
  }
  template <typename T>
  bool ready(const std::string& interface, const std::string& resource, Borrow<T> self) {
    auto pollable =
        guest.call<Own<Pollable>>(interface, "[method]" + resource + ".subscribe", self);
    bool result =
        guest.call<bool>("wasi:io/poll", "[method]pollable.ready", Borrow<Pollable>{pollable.rep});
    guest.objects.drop(pollable.rep);
    return result;
  }

  kj::AsyncIoContext io = kj::setupAsyncIo();
  FakeGuest guest;
  Borrow<Network> network{
      guest.call<Own<Network>>("wasi:sockets/instance-network", "instance-network").rep};
};

}  // namespace tenon::wasi::sockets
