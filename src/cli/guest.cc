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

}  // namespace

Result<Guest> Guest::load(const std::string& path, GuestOptions options) {
  TENON_TRY(InstanceOptions given, options.instanceOptions({}));
  Guest guest(path, std::move(options));
  guest.given_ = std::move(given);
  guest.linker_.wasi();
  if (!Workload::isManifest(path)) {
    TENON_TRY(Engine engine, newEngine(guest.options_));
    TENON_TRY(guest.component_, Component::load(engine, path));
    guest.plan_.components.push_back({.source = path});
    return guest;
  }
  TENON_TRY(guest.workload_, loadWorkload(path, guest.options_));
  guest.options_.fillFrom(guest.workload_->settings());
  TENON_CHECK(guest.options_.addLimits(guest.given_));
  guest.plan_ = guest.workload_->plan(guest.linker_);
  if (!guest.plan_.ok()) return guest.explain(guest.plan_.error());
  return guest;
}

const Component& Guest::codeOf(const PlannedComponent& planned) const {
  if (component_) return *component_;
  return std::ranges::find(workload_->components(), planned.component, &WorkloadComponent::name)
      ->component;
}

std::string Guest::compilingText() const {
  return workload_ ? cli::compilingText(*workload_) : cli::compilingText(component_->name());
}

Result<void> Guest::compile() {
  Progress progress(compilingText());
  return workload_ ? workload_->compile(linker_) : component_->compile();
}

std::string Guest::warning() const {
  return workload_ ? workload_->warning() : component_->warning();
}

Result<Instance> Guest::instantiate(Loop& loop, const std::vector<std::string>& chosen,
                                    const std::vector<std::string>& arguments) {
  WorkloadOptions options;
  options.timeout = given_.timeout;
  options.maxMemory = given_.maxMemory;
  using Prefix = WorkloadOptions::Prefix;
  options.prefix = options_.noPrefix ? Prefix::NEVER
                   : options_.prefix ? Prefix::ALWAYS
                                     : Prefix::AUTO;
  WasiOptions given = given_.wasi;
  given.arguments = arguments;
  options.adjust = [&](const PlannedComponent& component, WasiOptions& wasi) {
    wasi.arguments.insert(wasi.arguments.begin(), isWorkload() ? component.name : path_);
    bool isChosen = std::ranges::find(chosen, component.name) != chosen.end();
    give(wasi, given, isChosen ? Share::EVERYTHING : Share::OUTPUT);
  };
  Compiling compiling;
  // Compiles, too.
  auto prepared = [&] {
    Progress progress(compilingText());
    return workload_ ? linker_.prepare(*workload_) : linker_.prepare(*component_);
  }();
  compiling.takeFrom(options.timeout);
  if (std::string text = warning(); !text.empty()) {
    warn("compiled code is not taken from the cache: " + text);
  }
  if (!prepared) return std::move(prepared).error();
  return prepared->instantiate(loop, options);
}

// A guest that cannot get memory ends itself, with any trap. So say when it had nearly all that it
// may have.
std::string Guest::memoryHint(uint64_t used) const {
  if (used < given_.maxMemory - given_.maxMemory / 8) return "";
  std::string text = "; it had " + sizeText(used) + " of memory";
  if (options_.maxMemory.empty()) return text + ", which is all that it can have";
  return text + " of " + sizeText(given_.maxMemory) + ", allow more with --max-memory";
}

// `memoryUsed`: of the instance; 0 when there is none.
Error Guest::explainFailure(Error error, uint64_t memoryUsed) const {
  const std::string& name = path_;
  switch (error.code) {
    case ErrorCode::TRAPPED:
      error.message = name + " trapped: " + error.message;
      if (error.message.ends_with("call stack exhausted")) {
        error.message += "; if this is no endless recursion, allow more with --max-stack";
      } else {
        error.message += memoryHint(memoryUsed);
      }
      break;
    case ErrorCode::DEADLINE:
      if (error.message.starts_with("compiling")) {
        bool isTheGuests = !options_.timeout.empty() && options_.compileTimeout.empty();
        std::string what =
            isTheGuests ? "compiling was not done after " + options_.timeout : error.message;
        error.message = name + ": " + what + "; allow more time with " +
                        (isTheGuests ? "--timeout" : "--compile-timeout");
        break;
      }
      error.message = name + " was not done after " + options_.timeout +
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
      if (!options_.maxMemory.empty() && error.message.find("memory limits") != std::string::npos) {
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

Error Guest::explain(Error error, const Instance* instance) const {
  uint64_t memoryUsed = instance ? instance->memorySize() : 0;
  if (!workload_) return explainFailure(std::move(error), memoryUsed);
  switch (error.code) {
    case ErrorCode::EXITED:
      return error;
    case ErrorCode::TRAPPED:
    case ErrorCode::DEADLINE:
    case ErrorCode::LIMIT_EXCEEDED:
      return explainFailure(std::move(error), memoryUsed);
    default:
      // The manifest is read, so this is a refusal: exit code 125.
      error.code = ErrorCode::INVALID_ARGUMENT;
      error.message = path_ + ": " + error.message;
      return error;
  }
}

std::string Guest::otherUse(const PlannedComponent& planned) const {
  bool answers = false;
  for (const FunctionInfo& function : codeOf(planned).exports()) {
    // `wasi:cli/run` of WASI 0.3, in any of its candidates.
    if (function.interface.starts_with("wasi:cli/run@0.3.")) {
      return "; its wasi:cli/run is that of WASI 0.3, which is not supported: Tenon runs WASI 0.2";
    }
    answers = answers || function.interface.starts_with("wasi:http/incoming-handler@0.2.");
  }
  if (answers) return "; it answers HTTP requests: 'tenon serve " + path_ + "'";
  return "; 'tenon call' calls its functions";
}

Result<Workload> loadWorkload(const std::string& path, const GuestOptions& guest,
                              const Workload::CheckSettings& check) {
  TENON_TRY(Engine engine, newEngine(guest));
  return Workload::load(engine, path, check);
}

int exitCodeOf(const Error& error, const std::string& file) {
  return Workload::isManifest(file) ? exitCodeOfWorkload(error)
                                    : static_cast<int>(exitCodeFor(error.code));
}

}  // namespace tenon::cli
