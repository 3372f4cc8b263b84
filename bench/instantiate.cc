// instantiate/...: a fresh store and instance, with everything compiled and linked before.

#include "sides.h"

namespace tenon::bench {

void benchInstantiate(const Wanted& wanted, std::vector<Row>& rows) {
  if (!wanted("instantiate/rust-command")) return;
  Side& side = Side::get();
  Component component = side.load("hello");
  Linker linker;
  linker.wasi();
  raceInstances(rows, "instantiate/rust-command", "ratio <= 0.5", guestBytes("hello"),
                [&] { orFail(linker.instantiate(component, side.loop)); });
}

}  // namespace tenon::bench
