#pragma once

// Compiling under limits. How long the compiler takes, and how much memory, is decided by the
// guest: some kilobytes of nested loops take it minutes and gigabytes. It cannot be interrupted, so
// it is stopped by ending the process that it runs in: one of its own, which gets the modules and
// gives back compiled code. Besides, functions of shapes that no toolchain makes are refused at
// once, in any process; see docs/SECURITY-DESIGN.md, "Compiling".

#include "engine/engine.h"
#include "engine/module.h"

#include <tenon/result.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tenon::engine {

struct CompileLimits {
  // A program that calls `compileWorker` first of all. Empty: what is compiled is compiled here,
  // and the limits below do not hold.
  std::string program;
  std::optional<std::chrono::nanoseconds> timeout;  // for all modules together
  uint64_t memory = 0;                              // bytes; 0: no limit
  // Of the modules' bytes, those that are compiled: twice a second in the caller's thread, while
  // the process works. May be empty.
  std::function<void(uint64_t done, uint64_t all)> onProgress;
};

using ModuleCode = std::span<const std::byte>;

// Compiles all, in the caller's thread or the program's process. `failed` gets the number of the
// module that an error is about; unchanged when it is about none. Errors: as Module::compile;
// LIMIT_EXCEEDED for the memory and for shapes that are refused; DEADLINE for the time; IO when
// there can be no process.
Result<std::vector<Module>> compileModules(const std::shared_ptr<Engine>& engine,
                                           std::span<const ModuleCode> modules,
                                           const CompileLimits& limits, size_t& failed);

// The other end: if the command line says so, compiles what is on standard input and returns the
// exit code. Must be called before the process has other threads.
std::optional<int> compileWorker(int argc, char** argv);

}  // namespace tenon::engine
