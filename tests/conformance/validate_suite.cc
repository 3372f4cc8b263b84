// Development runner: checks decoding and validation against scripts that `wasm-tools
// json-from-wast` has turned into JSON. Walks a folder for *.json; each names its binaries, which
// lie beside it.
//
//   validate_suite [--gated] [--verbose] FOLDER...
//
// Gated features are let through with --gated, or one by one: a file `features` beside a script
// names them as wasm-tools does ("cm-async,cm64"). With such a file, the features that wasm-tools
// has by default are on as well.
//
// Valid components must pass; what `assert_invalid` and `assert_malformed` name must be refused.
// Core modules and text are left out. Prints a table (file, passed, failed, gated) and every
// failure. A component that is refused because it needs a gated feature counts as gated, not as
// failed.

#include "component/binary/decoder.h"
#include "component/validate/validator.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace tenon::component {
namespace {

struct Tally {
  int passed = 0, failed = 0, gated = 0, skipped = 0;

  void operator+=(const Tally& other) {
    passed += other.passed;
    failed += other.failed;
    gated += other.gated;
    skipped += other.skipped;
  }
};

struct Options {
  Features features;
  bool verbose = false;
};

constexpr Features ALL{.values = true,
                       .fixedLists = true,
                       .maps = true,
                       .threads = true,
                       .errorContext = true,
                       .attributes = true,
                       .getters = true,
                       .memory64 = true,
                       .stackful = true,
                       .moreAsync = true,
                       .forward = true,
                       .canonicalNames = true};

// `names` as wasm-tools takes them, besides its defaults.
Features featuresOf(const std::string& names) {
  Features features;
  features.maps = true;
  auto has = [&](const char* name) {
    return ("," + names + ",").find("," + std::string(name) + ",") != std::string::npos;
  };
  if (has("all")) features = ALL;
  features.values |= has("cm-values");
  features.fixedLists |= has("cm-fixed-length-lists");
  features.threads |= has("cm-threading");
  features.errorContext |= has("cm-error-context");
  features.getters |= has("cm-accessors");
  features.memory64 |= has("cm64");
  features.stackful |= has("cm-async-stackful");
  features.moreAsync |= has("cm-more-async-builtins");
  features.forward |= has("cm-forward");
  features.canonicalNames |= has("cm-canon-names");
  return features;
}

std::vector<std::byte> readFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  std::vector<std::byte> bytes(text.size());
  if (!text.empty()) std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

Result<void> check(std::span<const std::byte> bytes, const Options& options) {
  TENON_TRY(auto component, decode(bytes, options.features));
  return validate(*component, options.features);
}

bool isCoreModule(std::span<const std::byte> bytes) {
  auto layer = readLayer(bytes);
  return layer && *layer == Layer::CORE_MODULE;
}

void runCommand(const nlohmann::json& command, const std::filesystem::path& script,
                const Options& options, Tally& tally) {
  std::string type = command["type"];
  bool valid = type == "module" || type == "module_definition" || type == "assert_uninstantiable";
  bool invalid = type == "assert_invalid" || type == "assert_malformed";
  if (!valid && !invalid) return;
  if (!command.contains("filename") || command.value("module_type", "binary") == "text") {
    ++tally.skipped;
    return;
  }
  auto bytes = readFile(script.parent_path() / std::string(command["filename"]));
  if (isCoreModule(bytes)) {
    ++tally.skipped;
    return;
  }
  auto result = check(bytes, options);
  std::string source = script.parent_path().string() + ":" + std::to_string(int(command["line"]));
  if (valid && !result && result.error().code == ErrorCode::UNSUPPORTED) {
    ++tally.gated;
    if (options.verbose) {
      std::printf("gated  %s %s: %s\n", source.c_str(), type.c_str(),
                  result.error().text().c_str());
    }
    return;
  }
  bool good = result.ok() == valid;
  ++(good ? tally.passed : tally.failed);
  std::string expected = command.value("text", "");
  std::string found = result ? "accepted" : result.error().text();
  if (!good || (options.verbose && !result)) {
    std::printf("%s %s %s %s: expected `%s`, found: %s\n", good ? "ok    " : "FAILED",
                source.c_str(), type.c_str(), std::string(command.value("filename", "")).c_str(),
                expected.c_str(), found.c_str());
  }
}

Tally runScript(const std::filesystem::path& script, Options options) {
  Tally tally;
  if (std::ifstream list(script.parent_path() / "features"); list) {
    std::string names;
    list >> names;
    options.features = featuresOf(names);
  }
  std::ifstream in(script);
  auto json = nlohmann::json::parse(in, nullptr, false);
  if (json.is_discarded()) {
    std::printf("FAILED %s: not JSON\n", script.c_str());
    ++tally.failed;
    return tally;
  }
  for (const auto& command : json["commands"]) runCommand(command, script, options, tally);
  return tally;
}

int run(int argc, char** argv) {
  Options options;
  std::vector<std::filesystem::path> scripts;
  for (int i = 1; i < argc; ++i) {
    std::string argument = argv[i];
    if (argument == "--gated") {
      options.features = ALL;
    } else if (argument == "--verbose") {
      options.verbose = true;
    } else {
      for (const auto& entry : std::filesystem::recursive_directory_iterator(argument)) {
        if (entry.path().extension() == ".json") scripts.push_back(entry.path());
      }
    }
  }
  std::sort(scripts.begin(), scripts.end());
  std::vector<std::pair<std::string, Tally>> rows;
  Tally total;
  for (const auto& script : scripts) {
    Tally tally = runScript(script, options);
    total += tally;
    rows.emplace_back(script.parent_path().string(), tally);
  }
  rows.emplace_back("total", total);
  std::printf("%-90s %7s %7s %7s %7s\n", "file", "passed", "failed", "gated", "skipped");
  for (const auto& [name, tally] : rows) {
    std::printf("%-90s %7d %7d %7d %7d\n", name.c_str(), tally.passed, tally.failed, tally.gated,
                tally.skipped);
  }
  return total.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace tenon::component

int main(int argc, char** argv) { return tenon::component::run(argc, argv); }
