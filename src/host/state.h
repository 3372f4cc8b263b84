#pragma once

// What stands behind the handles of include/tenon: one struct per public class.

#include <tenon/component.h>
#include <tenon/engine.h>
#include <tenon/instance.h>
#include <tenon/linker.h>

#include <kj/async-io.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "call/registry.h"
#include "engine/cache.h"
#include "engine/engine.h"
#include "engine/executable.h"
#include "engine/fiber.h"
#include "engine/instance.h"
#include "engine/linked.h"
#include "wasi/wasi.h"

namespace tenon::host {

// Immutable, shared freely.
struct EngineState {
  EngineOptions options;
  std::shared_ptr<engine::Engine> engine;
  std::optional<engine::ArtifactCache> cache;
  std::string cacheWarning;  // why there is no cache although one was wanted

  static EngineState& of(const Engine& engine) { return *engine.state_; }
  static Engine wrap(std::shared_ptr<EngineState> state) { return Engine(std::move(state)); }
};

// Shared freely; `compile` happens once, under the lock.
struct ComponentState {
  Engine engine;
  std::shared_ptr<engine::Executable> executable;
  mutable std::mutex compiling;
  bool compiled = false;  // guarded by `compiling`

  explicit ComponentState(Engine engine) : engine(std::move(engine)) {}
  static ComponentState& of(const Component& component) { return *component.state_; }
  static Component wrap(std::shared_ptr<ComponentState> state) {
    return Component(std::move(state));
  }
  Result<void> compile();
};

struct LoopState {
  kj::AsyncIoContext io = kj::setupAsyncIo();

  static LoopState& of(Loop& loop) { return *loop.state_; }
};

struct LinkerState {
  call::Registry registry;

  // The last component that was linked, so that instantiating again costs no look-ups. Dropped when the
  // registry changes.
  std::shared_ptr<const engine::Executable> linkedExecutable;
  std::shared_ptr<const engine::Linked> linked;
};

struct InstanceState {
  InstanceState(Component component, LoopState& loop) : component(std::move(component)), loop(loop) {}

  Component component;
  LoopState& loop;
  std::unique_ptr<wasi::Context> wasi;
  std::unique_ptr<engine::Instance> instance;  // uses `wasi`
};

// One resolved export.
struct FunctionState {
  InstanceState* instance = nullptr;
  FunctionInfo info;
  engine::Instance::Export function;
};

// Runs one call to its end: directly when it cannot wait, else on a fiber, driven by the instance's loop.
// Lives at one address until it is done.
class RunningCall {
 public:
  // `codec` and what it points to outlive this.
  RunningCall(InstanceState& instance, const engine::Instance::Export& function,
              const engine::CallCodec& codec);
  ~RunningCall();
  RunningCall(const RunningCall&) = delete;
  RunningCall& operator=(const RunningCall&) = delete;

  // Runs until the call is done or waits. Errors: UNUSABLE.
  Result<void> start();
  bool done() const { return done_; }
  // Runs the loop until the call is done.
  void wait();
  // After it is done. Errors: as DynamicFunction::call.
  Result<void> outcome();

 private:
  kj::Promise<void> drive();
  static bool body(void* context, engine::Store& store);
  static void onReady(void* context, engine::Fiber& fiber);

  InstanceState& instance_;
  const engine::Instance::Export& function_;
  engine::CallCodec codec_;
  engine::Fiber fiber_;
  bool done_ = false;
  bool succeeded_ = false;
  kj::Maybe<kj::Own<kj::PromiseFulfiller<void>>> ready_;
  kj::ForkedPromise<void> driving_ = nullptr;  // last: uses everything above
};

}  // namespace tenon::host
