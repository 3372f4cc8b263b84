#pragma once

// What the tests of the library share: engines, guests, and programs whose output is kept.

#include <tenon/component.h>
#include <tenon/engine.h>
#include <tenon/instance.h>
#include <tenon/linker.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tenon::host {

// One per process and kind, with a cache of the tests' own. Instances on demand unless `pooling`.
const Engine& testEngine(bool pooling = false);

// A component of tests/guests by its name; compiled once per process.
const Component& guest(const std::string& name);

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
