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

}  // namespace tenon::bench
