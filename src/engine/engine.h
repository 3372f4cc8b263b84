#pragma once

// Wasmtime's engine: the compiler, its settings, and the allocator of instances. Expensive to make
// and meant to be one per process. Also owns the clock that interrupts guests (epochs).

#include <tenon/result.h>

#include <wasm.h>
#include <wasmtime.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

static_assert(std::string_view(WASMTIME_VERSION) == "48.0.8",
              "Tenon relies on behaviour of Wasmtime 48.0.8: see docs and the engine's tests");

namespace tenon::engine {

enum class Allocation : uint8_t {
  POOLING_IF_POSSIBLE,  // the pool when its address space can be reserved, else on demand
  POOLING,              // the pool, or an error
  ON_DEMAND,            // nothing is reserved: starts fastest, one instance costs about 3 us more
};

struct EngineOptions {
  Allocation allocation = Allocation::POOLING_IF_POSSIBLE;

  // The pool, in slots. Counts are per process. 1000 memories take 4 TiB of the 128 TiB of address
  // space that x86-64 has, and no memory.
  uint32_t totalInstances = 4000;  // core instances; a component takes 1 to some dozens
  uint32_t totalMemories = 1000;
  uint32_t totalTables = 2000;
  uint32_t totalStacks = 1000;  // stores that had a fiber; each two mappings of the process
  uint32_t totalGcHeaps = 100;
  uint64_t tableElements = 32768;  // of one table; a module that needs more does not load
  // Bytes of each linear memory that stay mapped between two instances in its slot. So many of the
  // bytes that guests wrote are set back in place; what is more goes back to the system, and costs
  // the next instance a page fault for every 4 KiB. An idle process keeps at most this for each of
  // the memories that it ever had at one time. Needs Linux 6.7; elsewhere nothing is kept.
  size_t keptMemory = 256 * 1024;

  // Bytes of native stack that WebAssembly may take, host functions in between included.
  size_t maxWasmStack = 512 * 1024;
  // Bytes of native stack for host code on a fiber. A fiber's stack has 3 * maxWasmStack +
  // hostReserve.
  size_t hostReserve = 256 * 1024;

  // Whether deadlines and slices (store.h) stop code that runs. Costs a check in every function and
  // loop.
  bool interruptible = true;

  // Compile several functions at a time, on the machine's cores.
  bool parallelCompilation = true;
};

// Immutable after creation, shared freely between threads. Shared ownership because modules,
// linkers and stores on any thread need it, and none of them is last by design.
class Engine : public std::enable_shared_from_this<Engine> {
 public:
  // Errors: LIMIT_EXCEEDED when POOLING was asked for and the address space cannot be reserved;
  // INVALID_ARGUMENT for options that the engine would abort on (stack sizes, zero counts).
  static Result<std::shared_ptr<Engine>> create(const EngineOptions& options = {});
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  wasm_engine_t* raw() const { return engine_; }
  const EngineOptions& options() const { return options_; }
  bool pooled() const { return pooled_; }
  // Why the pool is not used although it was asked for; empty when it is, or was not wanted.
  const std::string& poolingRefusal() const { return poolingRefusal_; }
  // Whether `keptMemory` is kept: there is a pool, and the system can tell which pages were
  // written.
  bool keepsMemory() const { return keepsMemory_; }
  size_t fiberStackSize() const { return fiberStackSize_; }

  // Says everything that decides whether compiled code of one engine runs in another: version,
  // machine, settings. Pooling is not among them. Part of the key of cached artifacts.
  const std::string& compatibility() const { return compatibility_; }

  // The functions `enter` and `suspend` (fiber.h), under a module name that no guest can import.
  const wasmtime_linker_t* fiberLinker() const { return fiberLinker_; }

  // The epoch clock ticks every TICK_MILLISECONDS while anybody holds it, sleeps soon after nobody
  // does, and costs nothing then. Thread-safe; some nanoseconds while it ticks.
  static constexpr int TICK_MILLISECONDS = 5;
  void holdTicker();
  void releaseTicker();
  // Ticks while anybody held it, whether or not a guest was there to notice them. About 1 ns.
  uint64_t ticks() const { return ticks_.load(std::memory_order_relaxed); }
  bool tickerTicks() const { return tickerTicks_.load(); }

 private:
  Engine() = default;
  Result<void> configure(const EngineOptions& options);
  void runTicker();

  EngineOptions options_;
  bool pooled_ = false;
  bool keepsMemory_ = false;
  std::string poolingRefusal_;
  size_t fiberStackSize_ = 0;
  std::string compatibility_;
  wasm_engine_t* engine_ = nullptr;
  wasmtime_linker_t* fiberLinker_ = nullptr;

  std::atomic<uint64_t> ticks_ = 0;
  std::atomic<uint32_t> tickerUsers_ = 0;
  std::atomic<bool> tickerTicks_ = false;  // written under tickerMutex_
  std::mutex tickerMutex_;
  std::condition_variable tickerChanged_;
  bool tickerStop_ = false;  // guarded by tickerMutex_
  std::thread ticker_;       // started by the first holder; last, uses all of the above
};

}  // namespace tenon::engine
