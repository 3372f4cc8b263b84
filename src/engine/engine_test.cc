#include "engine/engine.h"

#include "engine/engine_testing.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <thread>

namespace tenon::engine {
namespace {

using testing::compile;
using testing::Guest;
using testing::testEngine;

// Runs `body` in a process of its own and gives its exit code, or -1 when it died otherwise.
template <typename Body>
int inChild(Body&& body) {
  pid_t child = fork();
  if (child == 0) {
    try {
      _exit(body());
    } catch (...) {
      _exit(99);
    }
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// To `bytes` more than there are.
void limitAddressSpace(uint64_t bytes) {
  uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  bytes += pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  rlimit limit{bytes, bytes};
  setrlimit(RLIMIT_AS, &limit);
}

// Without threads that compile: a child made by fork has none of its parent's.
EngineOptions with(Allocation allocation) {
  EngineOptions options;
  options.parallelCompilation = false;
  options.allocation = allocation;
  return options;
}

#if defined(TENON_ENGINE_ASAN)
#define SKIP_UNDER_ASAN() GTEST_SKIP() << "AddressSanitizer needs the address space itself"
#else
#define SKIP_UNDER_ASAN() static_cast<void>(0)
#endif

TEST(Engine, UsesThePoolWhenItsAddressSpaceCanBeReserved) {
  SKIP_UNDER_TSAN();
  auto engine = Engine::create(with(Allocation::POOLING_IF_POSSIBLE)).value();
  EXPECT_TRUE(engine->pooled());
  EXPECT_EQ(engine->poolingRefusal(), "");
}

TEST(Engine, FallsBackToAllocationOnDemandWhenAddressSpaceIsLimited) {
  SKIP_UNDER_ASAN();
  EXPECT_EQ(inChild([] {
              limitAddressSpace(uint64_t{64} << 30);
              auto engine = Engine::create(with(Allocation::POOLING_IF_POSSIBLE));
              if (!engine || (*engine)->pooled() || (*engine)->poolingRefusal().empty()) return 1;
              Guest guest(compile(
                  "(module (memory 1) (func (export \"f\") (result i32) i32.const 7))", *engine));
              return *guest.call("f") == 7 ? 0 : 2;
            }),
            0);
}

TEST(Engine, RefusesThePoolWithAnErrorWhenItIsInsistedOn) {
  SKIP_UNDER_ASAN();
  EXPECT_EQ(inChild([] {
              limitAddressSpace(uint64_t{64} << 30);
              auto engine = Engine::create(with(Allocation::POOLING));
              return !engine && engine.error().code == ErrorCode::LIMIT_EXCEEDED &&
                             engine.error().message.find("ulimit -v") != std::string::npos
                         ? 0
                         : 1;
            }),
            0);
}

TEST(Engine, ReportsAMemoryThatCannotBeReservedAsALimit) {
  SKIP_UNDER_ASAN();
  EXPECT_EQ(inChild([] {
              auto engine = Engine::create(with(Allocation::ON_DEMAND)).value();
              Module module = compile("(module (memory 1))", engine);
              limitAddressSpace(uint64_t{2} << 30);
              Store store(engine, nullptr);
              auto instance = instantiate(store, module, {});
              return !instance && instance.error().code == ErrorCode::LIMIT_EXCEEDED ? 0 : 1;
            }),
            0);
}

TEST(Engine, RefusesOptionsOnWhichWasmtimeWouldAbort) {
  auto refuses = [](auto&& change) {
    EngineOptions options;
    change(options);
    auto engine = Engine::create(options);
    return !engine && engine.error().code == ErrorCode::INVALID_ARGUMENT;
  };
  EXPECT_TRUE(refuses([](EngineOptions& o) { o.maxWasmStack = 0; }));
  EXPECT_TRUE(refuses([](EngineOptions& o) { o.maxWasmStack = SIZE_MAX; }));
  EXPECT_TRUE(refuses([](EngineOptions& o) { o.hostReserve = 0; }));
  EXPECT_TRUE(refuses([](EngineOptions& o) { o.totalMemories = 0; }));
  EXPECT_TRUE(refuses([](EngineOptions& o) { o.totalStacks = UINT32_MAX; }));
  EXPECT_TRUE(refuses([](EngineOptions& o) { o.tableElements = 0; }));
  EXPECT_TRUE(refuses([](EngineOptions& o) { o.totalGcHeaps = 2000; }));
}

TEST(Engine, GivesAFiberRoomForThreeNestedCalls) {
  EngineOptions options = with(Allocation::ON_DEMAND);
  options.maxWasmStack = 1 << 20;
  auto engine = Engine::create(options).value();
  EXPECT_EQ(engine->fiberStackSize(), 3 * (size_t{1} << 20) + options.hostReserve);
}

TEST(Engine, IsCompatibleWithPooledAndUnpooledEnginesAlike) {
  EXPECT_EQ(testing::engineFor(Allocation::POOLING)->compatibility(),
            testing::engineFor(Allocation::ON_DEMAND)->compatibility());
  EXPECT_NE(testEngine()->compatibility().find("48.0.8"), std::string::npos);
}

TEST(Engine, IsIncompatibleWithOneWhoseGuestsCannotBeInterrupted) {
  EngineOptions options;
  options.allocation = Allocation::ON_DEMAND;
  options.interruptible = false;
  EXPECT_NE(Engine::create(options).value()->compatibility(),
            testing::testEngine()->compatibility());
}

TEST(Engine, TicksOnlyWhileSomebodyHoldsTheClock) {
  auto engine = Engine::create(with(Allocation::ON_DEMAND)).value();
  EXPECT_FALSE(engine->tickerTicks());
  engine->holdTicker();
  engine->holdTicker();
  EXPECT_TRUE(engine->tickerTicks());
  engine->releaseTicker();
  engine->releaseTicker();
  // It ends on its own; a bound only so that a bug fails instead of hanging.
  auto giveUp = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (engine->tickerTicks() && std::chrono::steady_clock::now() < giveUp)
    std::this_thread::yield();
  EXPECT_FALSE(engine->tickerTicks());
  engine->holdTicker();
  EXPECT_TRUE(engine->tickerTicks());
  engine->releaseTicker();
}

TEST(Engine, EndsWhileItsClockTicks) {
  auto engine = Engine::create(with(Allocation::ON_DEMAND)).value();
  engine->holdTicker();
  engine.reset();
}

TEST(Engine, CompilesWhatToolchainsUse) {
  for (const char* wat : {
           "(module (memory 1) (memory 1) (func (memory.copy 0 1 (i32.const 0) (i32.const 0) "
           "(i32.const 1))))",
           "(module (func (result v128) v128.const i64x2 1 2))",
           "(module (func (result i32 i32) i32.const 1 i32.const 2))",
           "(module (func $f (return_call $f)))",
           "(module (global i32 (i32.add (i32.const 1) (i32.const 2))))",
           "(module (table 1 externref) (func (param externref)))",
           "(module (tag (param i32)) (func (throw 0 (i32.const 1))))",
           "(module (type (struct (field i32))) (func (drop (struct.new_default 0))))",
           "(module (memory i64 1))",
           "(module (memory 1) (func (drop (i32.atomic.load (i32.const 0)))))",
       }) {
    auto module = Module::compile(testEngine(), testing::wasm(wat));
    EXPECT_TRUE(module.ok()) << wat << ": " << module.error().message;
  }
}

TEST(Engine, MakesNoSharedMemories) {
  Store store(testEngine(), nullptr);
  auto instance = instantiate(store, compile("(module (memory 1 1 shared))"), {});
  ASSERT_FALSE(instance);
  EXPECT_EQ(instance.error().code, ErrorCode::UNSUPPORTED) << instance.error().message;
}

TEST(Engine, RefusesProposalsThatNobodyNeeds) {
  for (const char* wat : {
           "(module (func (param i64 i64) (result i64 i64) local.get 0 local.get 1 "
           "i64.mul_wide_s))",
           "(module (memory 1 (pagesize 1)))",
       }) {
    EXPECT_FALSE(Module::compile(testEngine(), testing::wasm(wat)).ok()) << wat;
  }
}

}  // namespace
}  // namespace tenon::engine
