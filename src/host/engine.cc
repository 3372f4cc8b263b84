#include "host/engine.h"

#include <tenon/engine.h>

#include <utility>

namespace tenon {

Result<Engine> Engine::create(const EngineOptions& options) {
  auto state = std::make_shared<host::EngineState>();
  state->options = options;
  engine::EngineOptions settings;
  settings.allocation =
      options.pooling ? engine::Allocation::POOLING_IF_POSSIBLE : engine::Allocation::ON_DEMAND;
  settings.maxWasmStack = options.maxWasmStack;
  settings.interruptible = options.interruptible;
  TENON_TRY(state->engine, engine::Engine::create(settings));
  if (options.cache) {
    std::string folder = options.cacheDirectory.empty() ? engine::ArtifactCache::defaultFolder()
                                                        : options.cacheDirectory;
    if (!folder.empty()) {
      auto cache = engine::ArtifactCache::open(state->engine, folder);
      if (cache) {
        state->cache = *std::move(cache);
      } else {
        state->cacheWarning = "compiled code is not cached: " + cache.error().text();
      }
    }
  }
  return host::EngineState::wrap(std::move(state));
}

std::optional<int> compileWorker(int argc, char** argv) {
  return engine::compileWorker(argc, argv);
}

bool Engine::pooled() const { return state_->engine->pooled(); }
const std::string& Engine::warning() const { return state_->cacheWarning; }

}  // namespace tenon
