#include "cli/guest.h"

#include "cli/report.h"

#include <tenon/engine.h>
#include <tenon/linker.h>

#include <cstdint>
#include <cstdio>
#include <utility>

namespace tenon::cli {
namespace {

std::string sizeText(uint64_t bytes) {
  constexpr uint64_t MIB = 1024 * 1024;
  char text[32];
  if (bytes >= MIB) {
    std::snprintf(text, sizeof(text), "%.4g MiB",
                  static_cast<double>(bytes) / static_cast<double>(MIB));
  } else {
    std::snprintf(text, sizeof(text), "%.4g KiB", static_cast<double>(bytes) / 1024);
  }
  return text;
}

// A guest that cannot get memory ends itself, with any trap. So say when it had nearly all that it
// may have.
std::string memoryHint(const GuestOptions& guest, const Instance* instance) {
  auto options = guest.instanceOptions({});
  if (!instance || !options) return "";
  uint64_t used = instance->memorySize();
  if (used < options->maxMemory - options->maxMemory / 8) return "";
  std::string text = "; it had " + sizeText(used) + " of memory";
  if (guest.maxMemory.empty()) return text + ", which is all that it can have";
  return text + " of " + sizeText(options->maxMemory) + ", allow more with --max-memory";
}

}  // namespace

Result<Component> load(const std::string& file, const GuestOptions& guest) {
  TENON_TRY(EngineOptions options, guest.engineOptions());
  TENON_TRY(Engine engine, Engine::create(options));
  if (!engine.warning().empty()) warn(engine.warning() + "; --no-cache goes without asking");
  return Component::load(engine, file);
}

Result<Instance> instantiate(const Component& component, Loop& loop,
                             const InstanceOptions& options) {
  TENON_CHECK(component.compile());
  if (std::string warning = component.warning(); !warning.empty()) {
    warn("compiled code is not taken from the cache: " + warning);
  }
  Linker linker;
  linker.wasi();
  return linker.instantiate(component, loop, options);
}

Error explain(Error error, std::string_view file, const GuestOptions& guest,
              const Instance* instance) {
  std::string name(file);
  switch (error.code) {
    case ErrorCode::TRAPPED:
      error.message = name + " trapped: " + error.message;
      if (error.message.ends_with("call stack exhausted")) {
        error.message += "; if this is no endless recursion, allow more with --max-stack";
      } else {
        error.message += memoryHint(guest, instance);
      }
      break;
    case ErrorCode::DEADLINE:
      error.message = name + " was not done after " + guest.timeout +
                      " and was stopped; allow more time with --timeout";
      break;
    case ErrorCode::MISSING_IMPORT:
      error.message = name + ": " + error.message;
      if ((error.message + error.details).find("(provided: ") == std::string::npos) {
        error.message += "; compose it with a component that exports what it needs";
      }
      break;
    case ErrorCode::LIMIT_EXCEEDED:
      error.message = name + ": " + error.message;
      if (!guest.maxMemory.empty() && error.message.find("memory") != std::string::npos) {
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

}  // namespace tenon::cli
