#include "tests/mutants/verdict.h"

#include "component/binary/binary_testing.h"
#include "component/validate/validator.h"

#include <wasmtime.h>

#include <fstream>
#include <memory>
#include <stdexcept>
#include <utility>

extern "C" int32_t tenon_oracle_validate(const void* bytes, size_t length, int32_t allFeatures,
                                         uint64_t* offset, char* message, size_t messageLength);

namespace tenon::mutants {
namespace {

using component::Component;
using component::CoreModule;

component::Features featuresOf(FeatureSet set) {
  if (set == FeatureSet::ALL) return component::testing::EVERY_FEATURE;
  return {.maps = true};  // as the defaults of wasm-tools
}

// The core module that contains the offset.
std::span<const std::byte> moduleAt(const Component& component, uint64_t offset,
                                    std::span<const std::byte> file) {
  for (const auto& definition : component.definitions) {
    if (const auto* module = std::get_if<CoreModule>(&definition.def)) {
      auto begin = static_cast<uint64_t>(module->bytes.data() - file.data());
      // An error at the end of a module is the module's.
      if (offset >= begin && offset <= begin + module->bytes.size()) return module->bytes;
    } else if (const auto* nested = std::get_if<std::unique_ptr<Component>>(&definition.def)) {
      auto inside = moduleAt(**nested, offset, file);
      if (!inside.empty()) return inside;
    }
  }
  return {};
}

bool engineAccepts(std::span<const std::byte> module) {
  static wasm_engine_t* const engine = wasm_engine_new();
  wasmtime_error_t* error = wasmtime_module_validate(
      engine, reinterpret_cast<const uint8_t*>(module.data()), module.size());
  if (error == nullptr) return true;
  wasmtime_error_delete(error);
  return false;
}

}  // namespace

bool accepts(std::span<const std::byte> bytes, FeatureSet set) {
  auto features = featuresOf(set);
  auto decoded = component::decode(bytes, features);
  return decoded && component::validate(**decoded, features);
}

Verdict judge(std::span<const std::byte> bytes, FeatureSet set) {
  auto features = featuresOf(set);
  auto decoded = component::decode(bytes, features);
  Result<void> done;
  if (decoded) {
    done = component::validate(**decoded, features);
  } else {
    done = decoded.error();
  }
  Verdict verdict;
  if (!done) {
    verdict.tenon = done.error().text();
    verdict.offsetInside = done.error().offset && *done.error().offset <= bytes.size();
  }
  uint64_t offset = 0;
  char message[512] = "";
  if (tenon_oracle_validate(bytes.data(), bytes.size(), set == FeatureSet::ALL ? 1 : 0, &offset,
                            message, sizeof(message)) != 0) {
    verdict.oracle = std::string(message) + " (at byte " + std::to_string(offset) + ")";
  }
  if (done && !verdict.oracle.empty()) {
    auto module = moduleAt(**decoded, offset, bytes);
    verdict.byEngine = !module.empty() && !engineAccepts(module);
  }
  return verdict;
}

KnownDifferences::KnownDifferences(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw std::runtime_error("cannot read " + path);
  std::string text;
  for (int number = 1; std::getline(in, text); ++number) {
    if (text.empty() || text.front() == '#') continue;
    size_t space = text.find(' '), reason = text.find(" -- ");
    std::string side = text.substr(0, space);
    if (space == std::string::npos || reason == std::string::npos || reason <= space ||
        (side != "tenon" && side != "oracle")) {
      throw std::runtime_error(path + ":" + std::to_string(number) +
                               ": expected `tenon|oracle TEXT -- REASON`");
    }
    lines_.push_back({number, side == "tenon", text.substr(space + 1, reason - space - 1)});
  }
}

std::optional<int> KnownDifferences::find(const Verdict& verdict) const {
  for (const Line& line : lines_) {
    const std::string& message = line.byTenon ? verdict.tenon : verdict.oracle;
    const std::string& other = line.byTenon ? verdict.oracle : verdict.tenon;
    if (other.empty() && message.find(line.text) != std::string::npos) return line.number;
  }
  return std::nullopt;
}

}  // namespace tenon::mutants
