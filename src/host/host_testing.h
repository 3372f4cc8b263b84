#pragma once

// What the tests of the library share: engines, guests, and programs whose output is kept.

#include <tenon/component.h>
#include <tenon/engine.h>
#include <tenon/instance.h>
#include <tenon/linker.h>
#include <tenon/workload.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tenon::host {

// One per process and kind, with a cache of the tests' own. Instances on demand unless `pooling`.
const Engine& testEngine(bool pooling = false);

// A component of tests/guests by its name; compiled once per process.
const Component& guest(const std::string& name);

// The same, loaded with `options` by an engine of its own, which has no cache and makes instances
// on demand.
Component guestWith(EngineOptions options, const std::string& name);

// A workload of guests, each with the name of its component in front.
Workload workloadOf(const std::string& name,
                    const std::vector<std::pair<std::string, std::string>>& guests);

// What `chain` imports and `callee` exports, and what `chain` exports.
inline constexpr const char* STEP = "tenon:bench/step@0.1.0";
inline constexpr const char* RUN_STEP = "tenon:bench/run-step@0.1.0";

// Errors as one text: the message, and the details on further lines.
std::string textOf(const Error& error);

// A program with its arguments, whose output lands here. Lives on its test's loop.
struct Program {
  Program(Loop& loop, std::vector<std::string> arguments, InstanceOptions options = {},
          const std::string& guestName = "cli");

  std::shared_ptr<std::string> output = std::make_shared<std::string>();
  std::unique_ptr<Instance> instance;
};

}  // namespace tenon::host
