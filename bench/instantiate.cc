// instantiate/...: a fresh store and instance, with everything compiled and linked before.

#include "sides.h"

namespace tenon::bench {
namespace {

// More than the slots that the pool prefers to leave to the modules that were in them.
constexpr int MANY_SLOTS = 150;

// Leaves slots of the pool behind whose guests wrote all that is kept of a memory.
void writeMuchInManySlots() {
  Side& side = Side::get();
  Component component = side.load("bench_guest");
  Linker linker;
  linker.wasi();
  std::vector<uint8_t> data(400 * 1024, 7);
  std::vector<Instance> instances;
  for (int i = 0; i < MANY_SLOTS; ++i) {
    instances.push_back(orFail(linker.instantiate(component, side.loop)));
    auto echo = orFail(instances.back().function<std::vector<uint8_t>(std::span<const uint8_t>)>(
        "tenon:bench/guest", "echo-bytes"));
    if (orFail(echo(data)).size() != data.size()) fail("echo-bytes");
  }
}

}  // namespace

void benchInstantiate(const Wanted& wanted, std::vector<Row>& rows) {
  constexpr const char* AFTER = "instantiate/rust-command-after-large-guests";
  if (!wanted("instantiate/rust-command") && !wanted(AFTER)) return;
  Side& side = Side::get();
  Component component = side.load("hello");
  Linker linker;
  linker.wasi();
  auto race = [&](const char* name) {
    raceInstances(rows, name, "ratio <= 0.5", guestBytes("hello"),
                  [&] { orFail(linker.instantiate(component, side.loop)); });
  };
  if (wanted("instantiate/rust-command")) race("instantiate/rust-command");
  if (!wanted(AFTER)) return;
  writeMuchInManySlots();
  // A module that was not in any slot yet: the one above has its own.
  component = side.load("hello");
  race(AFTER);
}

}  // namespace tenon::bench
