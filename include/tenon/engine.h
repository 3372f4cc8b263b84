#pragma once

// The machine that compiles and runs WebAssembly, and the event loop that instances live on. Start
// here:
//
//   auto engine = tenon::Engine::create().value();
//   auto component = tenon::Component::load(engine, "types.wasm").value();
//   tenon::Linker linker;
//   linker.wasi();
//   tenon::Loop loop;
//   auto instance = linker.instantiate(component, loop).value();
//   auto greet = instance.function<std::string(std::string_view)>("", "greet").value();
//   std::string text = greet("you").value();
//
// docs/embedding.md goes on.

#include <tenon/result.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace tenon {

namespace host {
struct EngineState;
struct LoopState;
}  // namespace host

struct EngineOptions {
  // Keep instances' memories in a pool that is reserved once: instances come and go in
  // microseconds. Where the machine cannot reserve the address space, memories are made one by one
  // instead.
  bool pooling = true;
  // Where compiled code is kept between processes. Empty: `$XDG_CACHE_HOME/tenon/artifacts`, or
  // `~/.cache/tenon/artifacts`. Code is read back only from a directory and files that nobody else
  // may write.
  std::string cacheDirectory;
  bool cache = true;
  // Read components' code, and write it anew, where that makes them faster and nothing else
  // different: leave out the indirection modules that toolchains add, have one component call
  // another's function itself. Without it every core module runs as it was shipped.
  bool rewriting = true;
  // Whether a guest can be stopped while it runs: by a timeout, or when its call is dropped; and
  // whether calls that run at once on one loop take turns. That costs a check in every function and
  // loop of a guest, about a quarter of the time of small functions. Without it instances with a
  // timeout are refused, and a guest that never returns never does: for components that are
  // trusted to.
  bool interruptible = true;
  // Bytes of native stack that guests may use, per nested call into a guest.
  uint64_t maxWasmStack = 512 * 1024;

  // -- What compiling one component or workload may take, when it is not in the cache. A few
  // kilobytes can be made to take minutes and gigabytes, and compiling cannot be interrupted, so
  // the limits hold only where it happens in a process of its own.

  // A program that calls `compileWorker` first of all in its main function: the command `tenon`, or
  // "/proc/self/exe" for a program that does so itself. Empty: everything is compiled in this
  // process, and only functions of shapes that no toolchain makes are refused.
  std::string compiler;
  std::optional<std::chrono::nanoseconds> compileTimeout = std::chrono::minutes(10);
  uint64_t compileMemory = uint64_t{2} << 30;  // bytes; 0: no limit
  // How far that is, of the bytes of all modules together: twice a second, in the thread that
  // compiles. A large module takes long and is told when it is done. May be empty.
  std::function<void(uint64_t done, uint64_t all)> onCompiling;
};

// See EngineOptions::compiler. When the command line says that this process is to compile, does so
// and returns the exit code. Before the process has other threads, and before it writes anything:
//     if (auto code = tenon::compileWorker(argc, argv)) return *code;
std::optional<int> compileWorker(int argc, char** argv);

// Compiles and runs. A handle that is cheap to copy; shared freely between threads. One per process
// is enough.
class Engine {
 public:
  // Errors: INVALID_ARGUMENT for options that cannot work.
  static Result<Engine> create(const EngineOptions& options = {});

  // Whether instances come from the pool; false when pooling was off or could not be had.
  bool pooled() const;
  // Why compiled code is not cached although it should be; empty when all is well.
  const std::string& warning() const;

 private:
  friend struct host::EngineState;
  explicit Engine(std::shared_ptr<host::EngineState> state) : state_(std::move(state)) {}
  std::shared_ptr<host::EngineState> state_;
};

// The event loop of one thread. Instances are bound to the loop they were made on and must be used,
// and destroyed, on its thread, before it. One per thread.
class Loop {
 public:
  // Throws std::logic_error if this thread has one already.
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Lets everything that was started on this loop go on for so long.
  void runFor(std::chrono::nanoseconds duration);

 private:
  friend struct host::LoopState;
  std::unique_ptr<host::LoopState> state_;
};

}  // namespace tenon
