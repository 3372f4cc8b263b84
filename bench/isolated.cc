// isolated/...: one component calls another in a store of its own. The caller's loop runs inside
// one call of its export, as for fused/...; Wasmtime has nothing to compare. Measured elsewhere, on
// another machine: wasmCloud 2 calls in process in 9 us warm and 53 us cold.

#include "sides.h"

#include <tenon/prepared.h>
#include <tenon/workload.h>

namespace tenon::bench {
namespace {

constexpr const char* STEP = "tenon:bench/step@0.1.0";
constexpr const char* RUN = "tenon:bench/run-step@0.1.0";

// "front", whose `run-inc` calls "back" so many times, by this link.
Instance pairBy(const WorkloadLink& link) {
  Side& side = Side::get();
  Linker linker;
  Workload workload = orFail(Workload::fromComponents(
      side.engine, "isolated",
      {{.name = "front", .component = side.load("chain"), .links = {{STEP, link}}},
       {.name = "back", .component = side.load("callee")}}));
  return orFail(workload.instantiate(linker, side.loop));
}

double callsBy(const WorkloadLink& link) {
  Instance instance = pairBy(link);
  auto loop = orFail(instance.function<uint32_t(uint32_t)>("front", RUN, "run-inc"));
  return bestOf([&](uint64_t count) { orFail(loop(static_cast<uint32_t>(count))); });
}

}  // namespace

void benchIsolated(const Wanted& wanted, std::vector<Row>& rows) {
  using Via = WorkloadLink::Via;
  using Life = InstancePolicy::Life;
  if (wanted("isolated/u32-warm")) {
    double warm = callsBy(
        {.to = "back", .via = Via::ISOLATED, .instances = InstancePolicy{.life = Life::REUSED}});
    rows.push_back({.name = "isolated/u32-warm",
                    .tenon = warm,
                    .wasmtime = std::nullopt,
                    .more = {{"fused", callsBy({.to = "back"})}},
                    .goal = "<= 500 ns"});
  }
  if (wanted("isolated/u32-fresh")) {
    Side& side = Side::get();
    Linker linker;
    Prepared alone = orFail(linker.prepare(side.load("callee")));
    double bare = bestOf([&](uint64_t count) {
      for (uint64_t i = 0; i < count; ++i) {
        Instance instance = orFail(alone.instantiate(side.loop, InstanceOptions()));
      }
    });
    rows.push_back({.name = "isolated/u32-fresh",
                    .tenon = callsBy({.to = "back", .via = Via::ISOLATED}),
                    .wasmtime = std::nullopt,
                    .more = {{"bare-instance", bare}},
                    .goal = "<= 6 us, <= 1.3 times a bare instance"});
  }
}

}  // namespace tenon::bench
