#pragma once

// What several commands have in common on their command lines.

#include <tenon/engine.h>
#include <tenon/instance.h>
#include <tenon/result.h>
#include <tenon/units.h>
#include <tenon/workload.h>

#include <CLI/CLI.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tenon::cli {

// Environment variables, names and values.
using Variables = std::vector<std::pair<std::string, std::string>>;

// Options of commands that run guests.
struct GuestOptions {
  std::vector<std::string> environment;    // NAME=VALUE, or NAME to pass on the command's own
  std::vector<std::string> directories;    // HOST[::GUEST][:ro]
  std::vector<std::string> configuration;  // NAME=VALUE, for wasi:config/store
  std::vector<std::string> allowNet;       // HOST:PORT
  std::vector<std::string> allowListen;    // ADDRESS:PORT
  std::vector<std::string> allowHttp;      // [SCHEME://]HOST[:PORT]
  bool allowHttpPrivate = false;
  std::string httpRoots;  // a PEM file
  std::string timeout;
  std::string maxMemory;
  std::string maxStack;
  std::string compileTimeout;
  std::string compileMemory;
  bool noCache = false;
  bool noRewriting = false;
  bool noPrefix = false;  // workloads
  bool prefix = false;    // workloads

  void addTo(CLI::App& command);
  // Of commands that run workloads and are no servers.
  void addPrefixOptionsTo(CLI::App& command);
  // Those of them that say how to compile.
  void addCompileOptionsTo(CLI::App& command);
  // Takes from a manifest what was not said: the command line beats it.
  void fillFrom(const WorkloadSettings& settings);
  // Errors: INVALID_ARGUMENT.
  Result<EngineOptions> engineOptions() const;
  // `arguments`: the program's name first. Errors: INVALID_ARGUMENT.
  Result<InstanceOptions> instanceOptions(std::vector<std::string> arguments) const;
  // Sets what these say of time and memory. Errors: INVALID_ARGUMENT.
  Result<void> addLimits(InstanceOptions& options) const;
};

// Splits a command line `[OPTION...] FILE [WORD...]` behind FILE: what follows belongs to the
// guest, even when it looks like an option. `withValue` are the options that take a separate value.
// The result's first part has FILE as its last word, if there is one.
struct SplitWords {
  std::vector<std::string> own;
  std::vector<std::string> rest;
};
SplitWords splitBehindFile(const std::vector<std::string>& words,
                           const std::vector<std::string_view>& withValue);

// Options of GuestOptions that take a value.
const std::vector<std::string_view>& guestOptionsWithValue();

}  // namespace tenon::cli
