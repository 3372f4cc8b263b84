#pragma once

// What stands behind tenon::Engine.

#include "engine/cache.h"
#include "engine/compiler.h"
#include "engine/engine.h"

#include <tenon/engine.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace tenon::host {

// Immutable, shared freely.
struct EngineState {
  EngineOptions options;
  std::shared_ptr<engine::Engine> engine;
  std::optional<engine::ArtifactCache> cache;
  std::string cacheWarning;  // why there is no cache although one was wanted

  engine::CompileLimits compileLimits() const {
    return {.program = options.compiler,
            .timeout = options.compileTimeout,
            .memory = options.compileMemory,
            .onProgress = options.onCompiling};
  }

  static EngineState& of(const Engine& engine) { return *engine.state_; }
  static Engine wrap(std::shared_ptr<EngineState> state) { return Engine(std::move(state)); }
};

}  // namespace tenon::host
