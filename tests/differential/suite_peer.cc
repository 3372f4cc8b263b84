// Runs one script of the official suite under Wasmtime's component API and compares with what Tenon
// did.
//
//     tenon_suite_peer SCRIPT.json --outcomes FILE --known FILE [--decode-only]
//
// `--outcomes`: what tenon_run_suite wrote. `--known`: the checked-in list of differences, a line
// each: "script:line reason", or "script:* reason" for a whole script. One that is listed and
// agrees fails the run. "!script:line reason": Wasmtime aborts there, so it is left out.

#include "component/binary/decoder.h"
#include "component/wit/wave.h"
#include "conformance/script.h"
#include "convert.h"
#include "sides.h"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

namespace tenon::differential {
namespace {

using nlohmann::json;

struct Observed {
  std::string what, detail;
};

wasm_engine_t* newEngineWithAllGates() {
  wasm_config_t* config = wasm_config_new();
  wasmtime_config_wasm_component_model_set(config, true);
  wasmtime_config_wasm_component_model_map_set(config, true);
  wasmtime_config_wasm_component_model_async_set(config, true);
  wasmtime_config_wasm_component_model_more_async_builtins_set(config, true);
  wasmtime_config_wasm_component_model_async_stackful_set(config, true);
  wasmtime_config_wasm_memory64_set(config, true);
  wasmtime_config_wasm_exceptions_set(config, true);
  wasmtime_config_wasm_function_references_set(config, true);
  wasmtime_config_wasm_gc_set(config, true);
  wasmtime_config_cranelift_opt_level_set(config, WASMTIME_OPT_LEVEL_NONE);
  return wasm_engine_new_with_config(config);
}

class Peer {
 public:
  Peer(std::string folder, bool decodeOnly)
      : folder_(std::move(folder)), decodeOnly_(decodeOnly), engine_(newEngineWithAllGates()) {}
  ~Peer() {
    for (wasmtime_store_t* store : stores_) wasmtime_store_delete(store);
    for (wasmtime_component_t* component : components_) wasmtime_component_delete(component);
    wasm_engine_delete(engine_);
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  Observed run(const json& command) {
    const std::string type = command.at("type");
    if (type == "action" || type == "assert_return" || type == "assert_trap") {
      return invoke(command.at("action"));
    }
    if (type == "module_instance") {
      auto found = definitions_.find(command.value("module", ""));
      if (found == definitions_.end()) return {"refused", "no such definition"};
      return decodeOnly_ ? Observed{"accepted", ""} : instantiate(found->second);
    }
    auto bytes = conformance::readBytes(folder_ + command.at("filename").get<std::string>());
    wasmtime_component_t* component = nullptr;
    wasmtime_error_t* error = wasmtime_component_new(
        engine_, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), &component);
    current_ = nullptr;
    if (error) return {"refused", takeMessage(error)};
    components_.push_back(component);
    if (type == "module_definition") definitions_[command.value("name", "")] = component;
    bool instantiates = type == "module" || type == "assert_uninstantiable";
    return instantiates && !decodeOnly_ ? instantiate(component) : Observed{"accepted", ""};
  }

 private:
  Observed instantiate(wasmtime_component_t* component) {
    stores_.push_back(wasmtime_store_new(engine_, nullptr, nullptr));
    wasmtime_context_t* context = wasmtime_store_context(stores_.back());
    wasmtime_component_linker_t* linker = wasmtime_component_linker_new(engine_);
    wasmtime_error_t* error =
        wasmtime_component_linker_instantiate(linker, context, component, &instance_);
    wasmtime_component_linker_delete(linker);
    current_ = error ? nullptr : context;
    if (error) return {"not instantiated", takeMessage(error)};
    return {"instantiated", ""};
  }

  Observed invoke(const json& action) {
    if (!current_) return {"trapped", "there is no instance"};
    std::string name = action.at("field");
    wasmtime_component_export_index_t* index = wasmtime_component_instance_get_export_index(
        &instance_, current_, nullptr, name.data(), name.size());
    wasmtime_component_func_t function;
    if (!index || !wasmtime_component_instance_get_func(&instance_, current_, index, &function)) {
      return {"trapped", "no such export"};
    }
    wasmtime_component_export_index_delete(index);
    std::vector<wasmtime_component_val_t> arguments;
    for (const Value& value : conformance::valuesFrom(action.at("args"))) {
      arguments.push_back(toWasmtime(current_, value, nullptr));
    }
    wasmtime_component_func_type_t* type = wasmtime_component_func_type(&function, current_);
    wasmtime_component_valtype_t resultType;
    bool hasResult = wasmtime_component_func_type_result(type, &resultType);
    if (hasResult) wasmtime_component_valtype_delete(&resultType);
    wasmtime_component_func_type_delete(type);
    std::vector<wasmtime_component_val_t> results(hasResult ? 1 : 0);
    wasmtime_error_t* error = wasmtime_component_func_call(
        &function, current_, arguments.data(), arguments.size(), results.data(), results.size());
    for (wasmtime_component_val_t& val : arguments) wasmtime_component_val_delete(&val);
    if (error) return {"trapped", takeMessage(error)};
    Observed observed{"returned", ""};
    for (wasmtime_component_val_t& val : results) {
      observed.detail += component::printWave(fromWasmtime(current_, val));
      wasmtime_component_val_delete(&val);
    }
    return observed;
  }

  std::string folder_;
  bool decodeOnly_;
  wasm_engine_t* engine_;
  std::vector<wasmtime_store_t*> stores_;
  std::vector<wasmtime_component_t*> components_;
  std::map<std::string, wasmtime_component_t*> definitions_;
  wasmtime_context_t* current_ = nullptr;
  wasmtime_component_instance_t instance_{};
};

// Empty when they agree.
std::string difference(const Observed& tenon, const Observed& wasmtime) {
  std::string both = "Tenon " + tenon.what + " " + tenon.detail + "; Wasmtime " + wasmtime.what +
                     " " + wasmtime.detail;
  if (tenon.what != wasmtime.what) return both;
  if (tenon.what == "returned") return tenon.detail == wasmtime.detail ? "" : both;
  if (tenon.what == "trapped") return sameTrap(tenon.detail, wasmtime.detail) ? "" : both;
  return "";
}

// By line; a line's commands follow each other.
std::map<int, std::vector<Observed>> readOutcomes(const std::string& path) {
  std::map<int, std::vector<Observed>> outcomes;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields(line);
    std::string number;
    Observed observed;
    std::getline(fields, number, '\t');
    std::getline(fields, observed.what, '\t');
    std::getline(fields, observed.detail);
    outcomes[std::stoi(number)].push_back(std::move(observed));
  }
  return outcomes;
}

int main(int argc, char** argv) {
  std::string script, outcomesPath, knownPath;
  bool decodeOnly = false;
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    if (word == "--outcomes" && i + 1 < argc) {
      outcomesPath = argv[++i];
    } else if (word == "--known" && i + 1 < argc) {
      knownPath = argv[++i];
    } else if (word == "--decode-only") {
      decodeOnly = true;
    } else {
      script = word;
    }
  }
  std::ifstream in(script);
  json commands = json::parse(in).at("commands");
  std::string name = script.substr(script.rfind('/') + 1);
  name = name.substr(0, name.rfind(".json"));
  std::set<std::string> known, leftOut;
  std::ifstream list(knownPath);
  for (std::string line; std::getline(list, line);) {
    std::string key = line.substr(0, line.find(' '));
    if (key.starts_with(name + ":")) known.insert(key);
    if (key.starts_with("!" + name + ":")) leftOut.insert(key.substr(1));
  }
  auto outcomes = readOutcomes(outcomesPath);
  Peer peer(script.substr(0, script.rfind('/') + 1), decodeOnly);
  std::set<std::string> met;
  int compared = 0, differences = 0;
  std::string whole = name + ":*";
  for (const json& command : commands) {
    int line = command.at("line");
    auto& seen = outcomes[line];
    if (seen.empty()) continue;
    Observed tenon = seen.front();
    seen.erase(seen.begin());
    if (command.contains("filename")) {
      auto bytes = conformance::readBytes(script.substr(0, script.rfind('/') + 1) +
                                          command.at("filename").get<std::string>());
      auto layer = component::readLayer(bytes);
      if (layer && *layer == component::Layer::CORE_MODULE) continue;
    }
    std::string key = name + ":" + std::to_string(line);
    if (leftOut.contains(key)) continue;
    ++compared;
    std::string what = difference(tenon, peer.run(command));
    if (what.empty()) continue;
    if (known.contains(key)) {
      met.insert(key);
    } else if (known.contains(whole)) {
      met.insert(whole);
    } else {
      ++differences;
      std::printf("  %s %s\n", key.c_str(), what.c_str());
    }
  }
  for (const std::string& key : known) {
    if (met.contains(key)) continue;
    ++differences;
    std::printf("  %s agrees, but is listed as a difference\n", key.c_str());
  }
  std::printf("%-48s %5d compared %4d differences %4zu known\n", name.c_str(), compared,
              differences, met.size());
  return differences == 0 ? 0 : 1;
}

}  // namespace
}  // namespace tenon::differential

int main(int argc, char** argv) { return tenon::differential::main(argc, argv); }
