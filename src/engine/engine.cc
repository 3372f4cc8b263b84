#include "engine/engine.h"

#include "engine/fiber.h"
#include "engine/trap.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <tenon_wasmtime.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <vector>

#ifdef WASMTIME_FEATURE_COMPONENT_MODEL
#error "compile src/engine against the product's headers of Wasmtime"
#endif

// Only the variant of Wasmtime that tests link has these; without them its defaults would differ
// from the product's, and with them its code.
extern "C" {
__attribute__((weak)) void wasmtime_config_concurrency_support_set(wasm_config_t*, bool);
__attribute__((weak)) void wasmtime_config_wasm_component_model_async_set(wasm_config_t*, bool);
}

namespace tenon::engine {
namespace {

constexpr uint64_t GiB = uint64_t{1} << 30;
constexpr uint64_t MiB = uint64_t{1} << 20;
constexpr uint64_t KiB = uint64_t{1} << 10;

// A memory never moves: all 4 GiB that 32-bit addresses reach are reserved, and 32 MiB behind (and
// before), so that most accesses need no bounds check. Generated code depends on both.
constexpr uint64_t MEMORY_RESERVATION = 4 * GiB;
constexpr uint64_t MEMORY_GUARD = 32 * MiB;

constexpr size_t MIN_WASM_STACK = size_t{64} * 1024;
constexpr size_t MAX_WASM_STACK = size_t{256} * 1024 * 1024;
constexpr uint32_t MAX_SLOTS = 1'000'000;

uint64_t roundUp(uint64_t size, uint64_t unit) { return (size + unit - 1) / unit * unit; }

// A WebAssembly proposal, and whether guests may use it. Everything is said explicitly: the
// defaults change between versions of the engine, and they decide whether cached code still fits.
struct Feature {
  const char* name;
  void (*set)(wasm_config_t*, bool);
  bool on;
};
constexpr Feature FEATURES[] = {
    {"threads", wasmtime_config_wasm_threads_set, true},  // atomic instructions; no shared memories
    {"shared-memory", wasmtime_config_shared_memory_set, false},
    {"tail-call", wasmtime_config_wasm_tail_call_set, true},
    {"reference-types", wasmtime_config_wasm_reference_types_set, true},
    {"function-references", wasmtime_config_wasm_function_references_set, true},
    {"gc", wasmtime_config_wasm_gc_set, true},
    {"gc-support", wasmtime_config_gc_support_set, true},
    {"simd", wasmtime_config_wasm_simd_set, true},
    {"relaxed-simd", wasmtime_config_wasm_relaxed_simd_set, true},
    {"relaxed-simd-deterministic", wasmtime_config_wasm_relaxed_simd_deterministic_set, false},
    {"bulk-memory", wasmtime_config_wasm_bulk_memory_set, true},
    {"multi-value", wasmtime_config_wasm_multi_value_set, true},
    {"multi-memory", wasmtime_config_wasm_multi_memory_set, true},  // adapters have up to three
    {"memory64", wasmtime_config_wasm_memory64_set, true},
    {"exceptions", wasmtime_config_wasm_exceptions_set, true},
    {"wide-arithmetic", wasmtime_config_wasm_wide_arithmetic_set, false},
    {"custom-page-sizes", wasmtime_config_wasm_custom_page_sizes_set, false},
    {"stack-switching", wasmtime_config_wasm_stack_switching_set, false},
};

struct ConfigDelete {
  void operator()(wasm_config_t* config) const { wasm_config_delete(config); }
};
struct PoolDelete {
  void operator()(wasmtime_pooling_allocation_config_t* pool) const {
    wasmtime_pooling_allocation_config_delete(pool);
  }
};

// Reserves what the pool would, all at once, and gives it back: the engine ends the process when it
// cannot. Empty, or why it cannot be had.
std::string probePool(const EngineOptions& options, size_t fiberStackSize) {
  struct Region {
    uint64_t size;
    int protection;
    void* at = MAP_FAILED;
  };
  uint64_t page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  uint64_t memories =
      options.totalMemories * (MEMORY_RESERVATION + MEMORY_GUARD) + 4 * MEMORY_GUARD;
  uint64_t tables = options.totalTables * roundUp(options.tableElements * sizeof(void*), page);
  uint64_t stacks = options.totalStacks * (fiberStackSize + page);
  // What one memory and its neighbours in the process take besides, so that the pool is not the
  // last thing that fits.
  uint64_t spare = 256 * MiB;
  std::array<Region, 4> regions{{{memories, PROT_NONE},
                                 {tables, PROT_READ | PROT_WRITE},
                                 {stacks, PROT_READ | PROT_WRITE},
                                 {spare, PROT_NONE}}};
  bool fits = true;
  for (Region& region : regions) {
    region.at = mmap(nullptr, region.size, region.protection,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (region.at == MAP_FAILED) fits = false;
  }
  for (const Region& region : regions) {
    if (region.at != MAP_FAILED) munmap(region.at, region.size);
  }
  if (fits) return {};
  return "cannot reserve " + std::to_string((memories + tables + stacks) / GiB) +
         " GiB of address space for the instance pool (see ulimit -v, vm.overcommit_memory)";
}

Result<void> check(const EngineOptions& options) {
  auto refuse = [](std::string what) {
    return Error(ErrorCode::INVALID_ARGUMENT, std::move(what));
  };
  if (options.maxWasmStack < MIN_WASM_STACK || options.maxWasmStack > MAX_WASM_STACK) {
    return refuse("maxWasmStack must be between 64 KiB and 256 MiB");
  }
  if (options.hostReserve < MIN_WASM_STACK || options.hostReserve > MAX_WASM_STACK) {
    return refuse("hostReserve must be between 64 KiB and 256 MiB");
  }
  for (uint32_t count : {options.totalInstances, options.totalMemories, options.totalTables,
                         options.totalStacks, options.totalGcHeaps}) {
    if (count == 0 || count > MAX_SLOTS) {
      return refuse("every total of the pool must be between 1 and 1,000,000");
    }
  }
  if (options.totalGcHeaps > options.totalMemories) {
    return refuse("totalGcHeaps must not exceed totalMemories");  // a heap takes a memory's slot
  }
  if (options.tableElements == 0 || options.tableElements > 10'000'000) {
    return refuse("tableElements must be between 1 and 10,000,000");
  }
  if (options.keptMemory > MEMORY_RESERVATION) {
    return refuse("keptMemory must not exceed 4 GiB");
  }
  return {};
}

struct Pool {
  std::unique_ptr<wasmtime_pooling_allocation_config_t, PoolDelete> config;
  bool keepsMemory;
};

Pool poolConfig(const EngineOptions& options) {
  std::unique_ptr<wasmtime_pooling_allocation_config_t, PoolDelete> pool(
      wasmtime_pooling_allocation_config_new());
  auto* raw = pool.get();
  wasmtime_pooling_allocation_config_total_core_instances_set(raw, options.totalInstances);
  wasmtime_pooling_allocation_config_total_memories_set(raw, options.totalMemories);
  wasmtime_pooling_allocation_config_total_tables_set(raw, options.totalTables);
  wasmtime_pooling_allocation_config_total_stacks_set(raw, options.totalStacks);
  wasmtime_pooling_allocation_config_total_gc_heaps_set(raw, options.totalGcHeaps);
  wasmtime_pooling_allocation_config_max_memory_size_set(raw, MEMORY_RESERVATION);
  wasmtime_pooling_allocation_config_table_elements_set(raw, options.tableElements);
  // Large modules (interpreters, many tables) have big instances; slots are not made of this, it
  // only bounds.
  wasmtime_pooling_allocation_config_max_core_instance_size_set(raw, 16 * MiB);
  wasmtime_pooling_allocation_config_max_memories_per_module_set(raw, 16);
  wasmtime_pooling_allocation_config_max_tables_per_module_set(raw, 16);
  wasmtime_pooling_allocation_config_max_unused_warm_slots_set(raw, 100);
  // What a table of a usual size had is cleared in place: giving its page back and getting another
  // costs more.
  wasmtime_pooling_allocation_config_table_keep_resident_set(raw, 16 * KiB);
  wasmtime_pooling_allocation_config_async_stack_keep_resident_set(raw, 0);
  // Linear memories the same way, if the system can say which pages a guest wrote. If it cannot,
  // the engine would clear the start of each, which is the end of a stack that is never reached.
  bool keeps = options.keptMemory != 0 && tenon_wasmtime_pool_scan_pages(raw);
  wasmtime_pooling_allocation_config_linear_memory_keep_resident_set(
      raw, keeps ? options.keptMemory : 0);
  // Regions of instances that ended go back to the system together: one call, and one interruption
  // of the other cores. Their slots serve again after that, or when there are no others left. Where
  // most instances give nothing back, the slot that is still in the cache should serve next.
  wasmtime_pooling_allocation_config_decommit_batch_size_set(raw, keeps ? 1 : 16);
  return {std::move(pool), keeps};
}

const char* machine() {
#if defined(__x86_64__)
  return "x86_64";
#elif defined(__aarch64__)
  return "aarch64";
#elif defined(__riscv)
  return "riscv64";
#else
#error "Wasmtime compiles for x86-64, AArch64 and RISC-V 64 here"
#endif
}

}  // namespace

Result<std::shared_ptr<Engine>> Engine::create(const EngineOptions& options) {
  TENON_CHECK(check(options));
  std::shared_ptr<Engine> engine(new Engine());
  TENON_CHECK(engine->configure(options));
  return engine;
}

Result<void> Engine::configure(const EngineOptions& options) {
  options_ = options;
  uint64_t page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  options_.maxWasmStack = roundUp(options.maxWasmStack, page);
  options_.hostReserve = roundUp(options.hostReserve, page);
  fiberStackSize_ = 3 * options_.maxWasmStack + options_.hostReserve;

  std::unique_ptr<wasm_config_t, ConfigDelete> config(wasm_config_new());
  wasm_config_t* raw = config.get();
  wasmtime_config_strategy_set(raw, WASMTIME_STRATEGY_CRANELIFT);
  wasmtime_config_cranelift_opt_level_set(raw, WASMTIME_OPT_LEVEL_SPEED);
  wasmtime_config_cranelift_debug_verifier_set(raw, false);
  wasmtime_config_cranelift_nan_canonicalization_set(raw, false);
  wasmtime_config_parallel_compilation_set(raw, options_.parallelCompilation);
  wasmtime_config_debug_info_set(raw, false);
  wasmtime_config_profiler_set(raw, WASMTIME_PROFILING_STRATEGY_NONE);
  // No C++ exception ever passes WebAssembly frames, and the engine walks them by frame pointers.
  // Without tables there is nothing to register with the C++ runtime, which would sort them at the
  // first `throw`.
  wasmtime_config_native_unwind_info_set(raw, false);
  wasmtime_config_signals_based_traps_set(raw, true);
  wasmtime_config_consume_fuel_set(raw, false);
  wasmtime_config_epoch_interruption_set(raw, options_.interruptible);
  wasmtime_config_memory_may_move_set(raw, false);
  wasmtime_config_memory_reservation_set(raw, MEMORY_RESERVATION);
  wasmtime_config_memory_reservation_for_growth_set(raw, 0);
  wasmtime_config_memory_guard_size_set(raw, MEMORY_GUARD);
  wasmtime_config_memory_init_cow_set(raw, true);
  wasmtime_config_max_wasm_stack_set(raw, options_.maxWasmStack);
  wasmtime_config_async_stack_size_set(raw, fiberStackSize_);
  for (const Feature& feature : FEATURES) feature.set(raw, feature.on);
  bool oracle = wasmtime_config_concurrency_support_set != nullptr &&
                wasmtime_config_wasm_component_model_async_set != nullptr;
  if (oracle) {
    wasmtime_config_wasm_component_model_async_set(raw, false);
    wasmtime_config_concurrency_support_set(raw, false);
  }

  if (options_.allocation != Allocation::ON_DEMAND) {
    poolingRefusal_ = probePool(options_, fiberStackSize_);
    pooled_ = poolingRefusal_.empty();
    if (!pooled_ && options_.allocation == Allocation::POOLING) {
      return Error(ErrorCode::LIMIT_EXCEEDED, poolingRefusal_);
    }
  }
  if (pooled_) {
    Pool pool = poolConfig(options_);
    wasmtime_pooling_allocation_strategy_set(raw, pool.config.get());
    keepsMemory_ = pool.keepsMemory;
  }

  compatibility_ = std::string("wasmtime ") + WASMTIME_VERSION + " " + machine() +
                   " cranelift speed, " + (options_.interruptible ? "" : "no ") +
                   "epochs, no unwind tables, memory " + std::to_string(MEMORY_RESERVATION) + "+" +
                   std::to_string(MEMORY_GUARD) + ":";
  for (const Feature& feature : FEATURES) {
    if (feature.on) compatibility_ += std::string(" ") + feature.name;
  }
  if (oracle) compatibility_ += " (with the component API)";

  engine_ = wasm_engine_new_with_config(config.release());
  fiberLinker_ = newFiberLinker(engine_);
  return {};
}

Engine::~Engine() {
  {
    std::lock_guard lock(tickerMutex_);
    tickerStop_ = true;
  }
  tickerChanged_.notify_all();
  if (ticker_.joinable()) ticker_.join();
  if (fiberLinker_ != nullptr) wasmtime_linker_delete(fiberLinker_);
  if (engine_ != nullptr) wasm_engine_delete(engine_);
}

// The first holder after an idle time wakes the thread, everybody else only counts. The thread and
// a holder each write their own flag before they read the other's, so one of them always notices.
void Engine::holdTicker() {
  tickerUsers_.fetch_add(1);
  if (tickerTicks_.load()) return;
  std::lock_guard lock(tickerMutex_);
  if (!ticker_.joinable()) {
    // Signals are for the threads that the program knows.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    ticker_ = std::thread([this] { runTicker(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  tickerTicks_ = true;
  tickerChanged_.notify_all();
}

void Engine::releaseTicker() { tickerUsers_.fetch_sub(1); }

void Engine::runTicker() {
  // How many ticks without a holder until the thread sleeps: calls that follow each other do not
  // wake it each time.
  constexpr int PATIENCE = 20;
  constexpr auto TICK = std::chrono::milliseconds(TICK_MILLISECONDS);
  std::unique_lock lock(tickerMutex_);
  int idle = 0;
  auto next = std::chrono::steady_clock::now() + TICK;
  while (!tickerStop_) {
    if (!tickerTicks_) {
      tickerChanged_.wait(lock, [this] { return tickerStop_ || tickerTicks_; });
      idle = 0;
      next = std::chrono::steady_clock::now() + TICK;
      continue;
    }
    tickerChanged_.wait_until(lock, next, [this] { return tickerStop_; });
    auto now = std::chrono::steady_clock::now();
    if (now < next) continue;
    // A thread that was kept waiting for a core counts what it missed.
    ticks_.fetch_add(1 + static_cast<uint64_t>((now - next) / TICK), std::memory_order_relaxed);
    next = now + TICK;
    wasmtime_engine_increment_epoch(engine_);
    idle = tickerUsers_.load() == 0 ? idle + 1 : 0;
    if (idle >= PATIENCE) {
      tickerTicks_ = false;
      if (tickerUsers_.load() != 0) tickerTicks_ = true;
    }
  }
}

}  // namespace tenon::engine
