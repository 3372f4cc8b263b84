#include "cli/guest.h"

#include "cli/progress.h"
#include "cli/report.h"

#include <tenon/engine.h>
#include <tenon/linker.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <utility>

namespace tenon::cli {
namespace {

// A guest that cannot get memory ends itself, with any trap. So say when it had nearly all that it
// may have.
std::string memoryHint(const GuestOptions& guest, uint64_t used) {
  auto options = guest.instanceOptions({});
  if (!options) return "";
  if (used < options->maxMemory - options->maxMemory / 8) return "";
  std::string text = "; it had " + sizeText(used) + " of memory";
  if (guest.maxMemory.empty()) return text + ", which is all that it can have";
  return text + " of " + sizeText(options->maxMemory) + ", allow more with --max-memory";
}

// `memoryUsed`: of the instance; 0 when there is none.
Error explainWith(Error error, std::string_view file, const GuestOptions& guest,
                  uint64_t memoryUsed) {
  std::string name(file);
  switch (error.code) {
    case ErrorCode::TRAPPED:
      error.message = name + " trapped: " + error.message;
      if (error.message.ends_with("call stack exhausted")) {
        error.message += "; if this is no endless recursion, allow more with --max-stack";
      } else {
        error.message += memoryHint(guest, memoryUsed);
      }
      break;
    case ErrorCode::DEADLINE:
      if (error.message.starts_with("compiling")) {
        bool isTheGuests = !guest.timeout.empty() && guest.compileTimeout.empty();
        std::string what =
            isTheGuests ? "compiling was not done after " + guest.timeout : error.message;
        error.message = name + ": " + what + "; allow more time with " +
                        (isTheGuests ? "--timeout" : "--compile-timeout");
        break;
      }
      error.message = name + " was not done after " + guest.timeout +
                      " and was stopped; allow more time with --timeout";
      break;
    case ErrorCode::MISSING_IMPORT:
      error.message = name + ": " + error.message;
      // Not where a slip of a name is likely, or where nobody could.
      if ((error.message + error.details).find("(provided: ") == std::string::npos &&
          !error.message.starts_with(name + ": WASI 0.3")) {
        error.message +=
            "; join it with a component that exports what it needs, in a manifest (tenon.toml, "
            "docs/manifest.md) or by composing them";
      }
      break;
    case ErrorCode::LIMIT_EXCEEDED:
      error.message = name + ": " + error.message;
      if (error.message.find("compiling takes more memory") != std::string::npos) {
        error.message += "; allow more with --compile-memory";
      }
      if (!guest.maxMemory.empty() && error.message.find("memory limits") != std::string::npos) {
        error.message += "; allow more with --max-memory";
      }
      break;
    case ErrorCode::NOT_FOUND:
    case ErrorCode::PERMISSION:
    case ErrorCode::IO:
      // The file is loaded, so this is about a directory or an output: exit code 125.
      error.code = ErrorCode::INVALID_ARGUMENT;
      break;
    default:
      if (!error.message.starts_with(name)) error.message = name + ": " + error.message;
      break;
  }
  return error;
}

// Without a cache where none can be had, with a warning.
Result<Engine> newEngine(const GuestOptions& guest) {
  TENON_TRY(EngineOptions options, guest.engineOptions());
  if (!guest.timeout.empty()) {
    TENON_TRY(std::chrono::nanoseconds timeout, parseDuration(guest.timeout));
    options.compileTimeout = std::min(timeout, *options.compileTimeout);
  }
  TENON_TRY(Engine engine, Engine::create(options));
  if (!engine.warning().empty()) warn(engine.warning() + "; --no-cache goes without asking");
  return engine;
}

// Compiling is part of the time that the guest has.
class Compiling {
 public:
  void takeFrom(std::optional<std::chrono::nanoseconds>& timeout) const {
    if (!timeout) return;
    timeout = std::max(*timeout - (std::chrono::steady_clock::now() - begin_),
                       std::chrono::nanoseconds(1));
  }

 private:
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

void warnOfCache(const std::string& warning) {
  if (!warning.empty()) warn("compiled code is not taken from the cache: " + warning);
}

}  // namespace

Result<Component> load(const std::string& file, const GuestOptions& guest) {
  TENON_TRY(Engine engine, newEngine(guest));
  return Component::load(engine, file);
}

Result<void> compile(const Component& component) {
  Progress progress(compilingText(component.name()));
  return component.compile();
}

Result<void> compile(const Workload& workload, const Linker& linker) {
  Progress progress(compilingText(workload));
  return workload.compile(linker);
}

Result<Instance> instantiate(const Component& component, Loop& loop,
                             const InstanceOptions& options) {
  Compiling compiling;
  TENON_CHECK(compile(component));
  InstanceOptions left = options;
  compiling.takeFrom(left.timeout);
  warnOfCache(component.warning());
  Linker linker;
  linker.wasi();
  return linker.instantiate(component, loop, left);
}

Error explain(Error error, std::string_view file, const GuestOptions& guest,
              const Instance* instance) {
  return explainWith(std::move(error), file, guest, instance ? instance->memorySize() : 0);
}

Result<Workload> loadWorkload(const std::string& path, const GuestOptions& guest,
                              const Workload::CheckSettings& check) {
  TENON_TRY(Engine engine, newEngine(guest));
  return Workload::load(engine, path, check);
}

Result<WorkloadInstance> instantiate(const Workload& workload, Linker& linker, Loop& loop,
                                     const GuestOptions& guest,
                                     const std::vector<std::string>& chosen,
                                     const std::vector<std::string>& arguments) {
  TENON_TRY(InstanceOptions given, guest.instanceOptions(arguments));
  Compiling compiling;
  TENON_CHECK(compile(workload, linker));
  compiling.takeFrom(given.timeout);
  warnOfCache(workload.warning());
  WorkloadOptions options;
  options.timeout = given.timeout;
  options.maxMemory = given.maxMemory;
  using Prefix = WorkloadOptions::Prefix;
  options.prefix = guest.noPrefix ? Prefix::NEVER : guest.prefix ? Prefix::ALWAYS : Prefix::AUTO;
  options.adjust = [&](const PlannedComponent& component, WasiOptions& wasi) {
    wasi.arguments.insert(wasi.arguments.begin(), component.name);
    wasi.output.kind = OutputStream::Kind::INHERIT;
    wasi.error.kind = OutputStream::Kind::INHERIT;
    wasi.onRefusal = given.wasi.onRefusal;
    if (std::ranges::find(chosen, component.name) == chosen.end()) return;
    wasi.input = given.wasi.input;
    wasi.arguments.insert(wasi.arguments.end(), given.wasi.arguments.begin(),
                          given.wasi.arguments.end());
    grant(wasi, given.wasi);
  };
  return workload.instantiate(linker, loop, options);
}

std::string otherUse(const Component& component, std::string_view file) {
  bool answers = false;
  for (const FunctionInfo& function : component.exports()) {
    // `wasi:cli/run` of WASI 0.3, in any of its candidates.
    if (function.interface.starts_with("wasi:cli/run@0.3.")) {
      return "; its wasi:cli/run is that of WASI 0.3, which is not supported: Tenon runs WASI 0.2";
    }
    answers = answers || function.interface.starts_with("wasi:http/incoming-handler@0.2.");
  }
  if (answers) return "; it answers HTTP requests: 'tenon serve " + std::string(file) + "'";
  return "; 'tenon call' calls its functions";
}

Result<const PlannedComponent*> findComponent(const WorkloadPlan& plan, const std::string& name) {
  std::vector<std::string_view> names;
  for (const PlannedComponent& component : plan.components) {
    if (component.name == name) return &component;
    names.push_back(component.name);
  }
  Error error(ErrorCode::NOT_FOUND, "there is no component '" + name + "'");
  std::string_view suggestion = closest(name, names);
  if (!suggestion.empty()) error.message += "; did you mean '" + std::string(suggestion) + "'?";
  for (std::string_view known : names) error.details += "  " + std::string(known) + "\n";
  return error;
}

const Component& componentOf(const Workload& workload, const PlannedComponent& planned) {
  return std::ranges::find(workload.components(), planned.component, &WorkloadComponent::name)
      ->component;
}

Error explainWorkload(Error error, std::string_view path, const GuestOptions& guest,
                      const WorkloadInstance* instance) {
  switch (error.code) {
    case ErrorCode::EXITED:
      return error;
    case ErrorCode::TRAPPED:
    case ErrorCode::DEADLINE:
    case ErrorCode::LIMIT_EXCEEDED:
      return explainWith(std::move(error), path, guest, instance ? instance->memorySize() : 0);
    default:
      // The manifest is read, so this is a refusal: exit code 125.
      error.code = ErrorCode::INVALID_ARGUMENT;
      error.message = std::string(path) + ": " + error.message;
      return error;
  }
}

}  // namespace tenon::cli
