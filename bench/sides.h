#pragma once

// Tenon's side of the figures, through the public library.

#include "bench.h"
#include "peer.h"

#include <tenon/component.h>
#include <tenon/engine.h>
#include <tenon/instance.h>
#include <tenon/linker.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

namespace tenon::bench {

template <typename T>
T orFail(Result<T> result) {
  if (!result) fail(result.error().text() + "\n" + result.error().details);
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

// One engine and one loop for all figures.
struct Side {
  Engine engine = orFail(Engine::create());
  Loop loop;

  static Side& get();
  Component load(std::string_view guest) {
    return orFail(Component::load(engine, guestPath(guest)));
  }
};

// Measures Tenon against Wasmtime in both settings, in turns, and adds the row.
void race(std::vector<Row>& rows, std::string name, std::string goal,
          const std::function<void(uint64_t)>& tenon,
          const std::function<void(uint64_t)>& wasmtimeDefault,
          const std::function<void(uint64_t)>& wasmtimeNoConcurrency);

// The same for a fresh store and instance. `instantiate` makes and drops one of Tenon's;
// `component` is what Wasmtime instantiates, with imports that trap.
void raceInstances(std::vector<Row>& rows, std::string name, std::string goal,
                   std::span<const std::byte> component, const std::function<void()>& instantiate);

}  // namespace tenon::bench
