// instantiate/...: a fresh store and instance, with everything compiled and linked before.

#include "sides.h"

namespace tenon::bench {

void benchInstantiate(const Wanted& wanted, std::vector<Row>& rows) {
  if (!wanted("instantiate/rust-command")) return;
  std::vector<std::byte> bytes = guestBytes("hello");
  Peer peerDefault(bytes, Concurrency::ON);
  Peer peerPlain(bytes, Concurrency::OFF);
  peerDefault.trapOtherImports();
  peerPlain.trapOtherImports();
  Side& side = Side::get();
  Component component = side.load("hello");
  Linker linker;
  linker.wasi();
  race(
      rows, "instantiate/rust-command", "ratio <= 0.5",
      [&](uint64_t count) {
        for (uint64_t i = 0; i < count; ++i) orFail(linker.instantiate(component, side.loop));
      },
      [&](uint64_t count) {
        for (uint64_t i = 0; i < count; ++i) Peer::Instance instance(peerDefault);
      },
      [&](uint64_t count) {
        for (uint64_t i = 0; i < count; ++i) Peer::Instance instance(peerPlain);
      });
}

}  // namespace tenon::bench
