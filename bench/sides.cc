#include "sides.h"

namespace tenon::bench {

Side& Side::get() {
  static Side side;
  return side;
}

void race(std::vector<Row>& rows, std::string name, std::string goal,
          const std::function<void(uint64_t)>& tenon,
          const std::function<void(uint64_t)>& wasmtimeDefault,
          const std::function<void(uint64_t)>& wasmtimeNoConcurrency) {
  std::vector<double> best = bestOf({tenon, wasmtimeDefault, wasmtimeNoConcurrency});
  rows.push_back({.name = std::move(name),
                  .tenon = best[0],
                  .wasmtime = std::min(best[1], best[2]),
                  .more = {{"wasmtime-default", best[1]}, {"wasmtime-no-concurrency", best[2]}},
                  .goal = std::move(goal)});
}

void raceInstances(std::vector<Row>& rows, std::string name, std::string goal,
                   std::span<const std::byte> component, const std::function<void()>& instantiate) {
  Peer peerDefault(component, Concurrency::ON);
  Peer peerPlain(component, Concurrency::OFF);
  peerDefault.trapOtherImports();
  peerPlain.trapOtherImports();
  auto times = [](const std::function<void()>& once) {
    return [once](uint64_t count) {
      for (uint64_t i = 0; i < count; ++i) once();
    };
  };
  race(rows, std::move(name), std::move(goal), times(instantiate),
       times([&] { Peer::Instance instance(peerDefault); }),
       times([&] { Peer::Instance instance(peerPlain); }));
}

}  // namespace tenon::bench
