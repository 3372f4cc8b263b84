// Runs one script of the Component Model's official suite: the JSON that `wasm-tools
// json-from-wast` makes of a .wast file, with one binary per module beside it.
//
//     tenon_run_suite SCRIPT.json [--expected FILE] [--no-rewriting] [--decode-only]
//                     [--features LIST] [--row FILE] [--outcomes FILE]
//
// Every command is a check. `--expected` names the checked-in list of commands that may fail, a
// line each: "script:line reason"; one that passes all the same fails the run. `--decode-only`
// checks decoding and validation, and leaves what would run alone (for features that Tenon does not
// run yet).
//
// `--features` is for the scripts of wasm-tools itself: gated features are let through as
// wasm-tools is told for that script ("cm-async,cm64", after its defaults). A valid component that
// is refused because it needs a feature that Tenon lacks counts as gated, and the refusal must say
// so; core modules are left out. `--row` appends the counts to a file, for the table. `--outcomes`
// writes what happened, a line for each command, for tests/differential: "line TAB kind TAB text".

#include "component/abi/dynamic.h"
#include "component/binary/binary_testing.h"
#include "component/validate/validator.h"
#include "component/wit/wave.h"
#include "run/dynamic_call.h"
#include "run/executable.h"
#include "run/handles.h"
#include "run/instance.h"
#include "run/linked.h"
#include "script.h"

#include <tenon/value.h>

#include <nlohmann/json.hpp>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>

namespace tenon {
namespace {

using conformance::readBytes;
using conformance::valuesFrom;
using nlohmann::json;

// -- Running --------------------------------------------------------------------------------------

struct Options {
  std::string script;
  std::string expected;
  std::string row;
  std::string outcomes;
  bool decodeOnly = false;
  bool scriptOfWasmTools = false;
  component::Features features;
  component::Rewriting rewriting = component::Rewriting::ON;
};

struct Outcome {
  bool passed = true;
  std::string why = {};
  enum class Kind : uint8_t { CHECKED, GATED, SKIPPED } kind = Kind::CHECKED;
  // What happened: "accepted", "refused", "instantiated", "not instantiated", "returned" or
  // "trapped", and the values or the reason. Empty: nothing ran.
  std::string observed = {}, detail = {};
};

Outcome fail(std::string why) { return {false, std::move(why)}; }

// `names` as wasm-tools takes them, besides its defaults. What Tenon has no name for is left out.
component::Features featuresOf(const std::string& names) {
  component::Features features;
  features.maps = true;
  auto has = [&](const char* name) {
    return ("," + names + ",").find("," + std::string(name) + ",") != std::string::npos;
  };
  if (has("all")) return component::testing::EVERY_FEATURE;
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

class Runner {
 public:
  explicit Runner(Options options) : options_(std::move(options)) {
    engine::EngineOptions settings;
    settings.allocation = engine::Allocation::ON_DEMAND;
    engine_ = engine::Engine::create(settings).value();
    folder_ = options_.script.substr(0, options_.script.rfind('/') + 1);
  }

  Outcome run(const json& command) {
    const std::string type = command.at("type");
    if (options_.scriptOfWasmTools && isCoreModule(command)) {
      return {true, "", Outcome::Kind::SKIPPED};
    }
    if (type == "module") return instantiate(command, /*named=*/"");
    if (type == "module_definition") return define(command);
    if (type == "module_instance") return instantiateDefinition(command);
    if (type == "assert_invalid" || type == "assert_malformed") {
      Outcome outcome = refuse(command);
      if (outcome.kind == Outcome::Kind::SKIPPED) return outcome;
      bool accepted = !outcome.passed;
      return observe(std::move(outcome), accepted);
    }
    if (type == "assert_uninstantiable") {
      if (options_.decodeOnly) return validateOnly(bytesOf(command));
      Outcome outcome = instantiate(command, "");
      return outcome.passed ? observe(fail("it was instantiated"), "instantiated", "")
                            : observe({}, "not instantiated", outcome.why);
    }
    if (type == "action" || type == "assert_return" || type == "assert_trap") {
      return options_.decodeOnly ? Outcome{} : invoke(command, type);
    }
    return fail("unknown command " + type);
  }

 private:
  static Outcome observe(Outcome outcome, std::string what, std::string detail) {
    outcome.observed = std::move(what);
    outcome.detail = std::move(detail);
    return outcome;
  }
  // For a binary that was decoded and validated.
  static Outcome observe(Outcome outcome, bool accepted) {
    outcome.observed = accepted ? "accepted" : "refused";
    outcome.detail = outcome.why;
    return outcome;
  }

  bool isCoreModule(const json& command) const {
    if (!command.contains("filename") || command.value("module_type", "") == "text") return false;
    auto layer = component::readLayer(bytesOf(command));
    return layer && *layer == component::Layer::CORE_MODULE;
  }

  std::vector<std::byte> bytesOf(const json& command) const {
    return readBytes(folder_ + command.at("filename").get<std::string>());
  }

  Outcome validateOnly(const std::vector<std::byte>& bytes) {
    auto layer = component::readLayer(bytes);
    if (!layer) return fail(layer.error().text());
    if (*layer == component::Layer::CORE_MODULE) {
      auto module = engine::Module::compile(engine_, bytes);
      return module ? Outcome{} : fail(module.error().text());
    }
    auto decoded = component::decode(bytes, options_.features);
    if (!decoded) return refused(decoded.error());
    auto valid = component::validate(**decoded, options_.features);
    return valid ? Outcome{} : refused(valid.error());
  }

  Outcome refused(const Error& error) const {
    Outcome outcome = fail(error.text());
    if (options_.scriptOfWasmTools && error.code == ErrorCode::UNSUPPORTED) {
      outcome.kind = Outcome::Kind::GATED;
    }
    return outcome;
  }

  // Invalid and malformed: refused by the decoder, the validator, or, for core code, the engine.
  Outcome refuse(const json& command) {
    // The text format is not Tenon's.
    if (command.at("module_type") == "text") return {true, "", Outcome::Kind::SKIPPED};
    std::vector<std::byte> bytes = bytesOf(command);
    Outcome accepted = validateOnly(bytes);
    if (!accepted.passed) return {};
    auto executable =
        run::Executable::link(std::move(bytes), "test", options_.rewriting, options_.features);
    if (executable && (*executable)->compile(engine_, nullptr)) {
      return fail("it was accepted; expected: " + command.value("text", ""));
    }
    return executable ? Outcome{} : fail("valid, but not linked: " + executable.error().text());
  }

  Outcome define(const json& command) {
    std::vector<std::byte> bytes = bytesOf(command);
    std::string name = command.value("name", "");
    Outcome outcome = validateOnly(bytes);
    if (outcome.passed) definitions_[name] = std::move(bytes);
    bool accepted = outcome.passed;
    return observe(std::move(outcome), accepted);
  }

  Outcome instantiateDefinition(const json& command) {
    auto found = definitions_.find(command.value("module", ""));
    if (found == definitions_.end()) return fail("no definition " + command.value("module", ""));
    return instantiateBytes(found->second, command.value("instance", ""));
  }

  Outcome instantiate(const json& command, const std::string& named) {
    return instantiateBytes(bytesOf(command), command.value("name", named));
  }

  Outcome instantiateBytes(const std::vector<std::byte>& bytes, const std::string& name) {
    current_ = nullptr;
    Outcome valid = validateOnly(bytes);
    if (!valid.passed || options_.decodeOnly) {
      bool accepted = valid.passed;
      return observe(std::move(valid), accepted);
    }
    if (*component::readLayer(bytes) == component::Layer::CORE_MODULE) return {};
    auto executable = run::Executable::link(bytes, name.empty() ? "test" : name, options_.rewriting,
                                            options_.features);
    if (!executable) return fail(executable.error().text());
    auto compiled = (*executable)->compile(engine_, nullptr);
    if (!compiled) return fail(compiled.error().text());
    auto linked = run::Linked::link(engine_, *executable, registry_);
    if (!linked) return fail(linked.error().text() + "\n" + linked.error().details);
    auto instance = run::Instance::create(*linked);
    if (!instance) {
      return observe(fail(instance.error().text()), "not instantiated", instance.error().text());
    }
    current_ = instance->get();
    instances_.push_back(*std::move(instance));
    return observe({}, "instantiated", "");
  }

  // The export of the current instance; `field` may be a path "instance.function".
  const component::LiftedFunction* find(const std::string& field) {
    const auto* exports = &current_->program().exports;
    for (const component::ProgramExport& item : *exports) {
      if (item.name != field) continue;
      if (auto* lifted = std::get_if<component::LiftedFunction>(&item.item)) return lifted;
    }
    return nullptr;
  }

  Outcome invoke(const json& command, const std::string& type) {
    if (!current_) return fail("there is no instance");
    const json& action = command.at("action");
    const component::LiftedFunction* lifted = find(action.at("field"));
    if (!lifted) return fail("no export " + action.at("field").get<std::string>());
    auto resolved = current_->resolve(*lifted);
    if (!resolved) return fail(resolved.error().text());
    std::vector<Value> arguments = valuesFrom(action.at("args"));
    auto fits = abi::checkArguments(lifted->type, arguments, &current_->handles());
    if (!fits) return fail(fits.error().text());
    run::DynamicCall call{.type = lifted->type, .arguments = arguments, .results = {}};
    current_->beginCall();
    bool returned = current_->execute(*resolved, call.codec());
    if (type == "assert_trap") {
      if (returned) {
        return observe(fail("it returned; expected a trap: " + command.value("text", "")),
                       "returned", "");
      }
      engine::Trap trap = current_->store().takeTrap();
      if (std::getenv("TENON_SHOW_TRAPS")) {
        std::printf("    line %d: expected '%s', got '%s'\n", command.at("line").get<int>(),
                    command.value("text", "").c_str(), trap.message.c_str());
      }
      return observe({}, "trapped", trap.message);
    }
    if (!returned) {
      std::string reason = current_->store().takeTrap().message;
      return observe(fail("trapped: " + reason), "trapped", reason);
    }
    std::string results;
    for (const Value& value : call.results) results += component::printWave(value);
    if (type == "action") return observe({}, "returned", results);
    std::vector<Value> expected = valuesFrom(command.at("expected"));
    if (call.results == expected) return observe({}, "returned", results);
    std::string text = "expected";
    for (const Value& value : expected) text += " " + component::printWave(value);
    text += ", found";
    for (const Value& value : call.results) text += " " + component::printWave(value);
    return fail(text);
  }

  Options options_;
  std::string folder_;
  std::shared_ptr<engine::Engine> engine_;
  call::Registry registry_;
  std::map<std::string, std::vector<std::byte>> definitions_;
  std::vector<std::unique_ptr<run::Instance>> instances_;
  run::Instance* current_ = nullptr;
};

std::map<std::string, std::string> readExpected(const std::string& path) {
  std::map<std::string, std::string> expected;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    size_t space = line.find(' ');
    expected[line.substr(0, space)] = space == std::string::npos ? "" : line.substr(space + 1);
  }
  return expected;
}

int main(int argc, char** argv) {
  Options options;
  options.features = component::testing::EVERY_FEATURE;
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    if (word == "--expected" && i + 1 < argc)
      options.expected = argv[++i];
    else if (word == "--no-rewriting")
      options.rewriting = component::Rewriting::OFF;
    else if (word == "--decode-only")
      options.decodeOnly = true;
    else if (word == "--outcomes" && i + 1 < argc)
      options.outcomes = argv[++i];
    else if (word == "--row" && i + 1 < argc)
      options.row = argv[++i];
    else if (word == "--features" && i + 1 < argc) {
      options.features = featuresOf(argv[++i]);
      options.scriptOfWasmTools = options.decodeOnly = true;
    } else
      options.script = word;
  }
  std::ifstream in(options.script);
  if (!in) {
    std::fprintf(stderr, "cannot read '%s'\n", options.script.c_str());
    return 2;
  }
  json script = json::parse(in);
  std::string name = options.script.substr(options.script.rfind('/') + 1);
  name = name.substr(0, name.rfind(".json"));
  std::map<std::string, std::string> expected = readExpected(options.expected);
  Runner runner(options);
  int passed = 0, failed = 0, expectedFailures = 0, gated = 0, skipped = 0;
  for (const json& command : script.at("commands")) {
    int line = command.at("line");
    std::string key = name + ":" + std::to_string(line);
    Outcome outcome = runner.run(command);
    if (!options.outcomes.empty() && !outcome.observed.empty()) {
      std::string detail = outcome.detail.substr(0, outcome.detail.find('\n'));
      std::ofstream(options.outcomes, std::ios::app)
          << line << '\t' << outcome.observed << '\t' << detail << '\n';
    }
    bool mayFail = expected.contains(key);
    if (outcome.kind == Outcome::Kind::SKIPPED)
      ++skipped;
    else if (outcome.kind == Outcome::Kind::GATED && !mayFail)
      std::printf("  %s gated: %s\n", key.c_str(), outcome.why.c_str()), ++gated;
    else if (outcome.passed && !mayFail)
      ++passed;
    else if (!outcome.passed && mayFail)
      ++expectedFailures;
    else {
      ++failed;
      std::printf(
          "  %s %s: %s\n", key.c_str(), command.at("type").get<std::string>().c_str(),
          outcome.passed ? "passes, but is listed as an expected failure" : outcome.why.c_str());
    }
  }
  std::printf("%-48s %5d passed %4d failed %4d expected failures %4d gated %4d text or core\n",
              name.c_str(), passed, failed, expectedFailures, gated, skipped);
  if (!options.row.empty()) {
    std::ofstream(options.row, std::ios::app)
        << name << ' ' << passed << ' ' << failed << ' ' << expectedFailures << ' ' << gated << ' '
        << skipped << '\n';
  }
  return failed == 0 && passed + expectedFailures + gated + skipped > 0 ? 0 : 1;
}

}  // namespace
}  // namespace tenon

int main(int argc, char** argv) { return tenon::main(argc, argv); }
