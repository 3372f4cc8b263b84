#pragma once

// Scripts as `wasm-tools json-from-wast` writes them.

#include <tenon/value.h>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace tenon::conformance {

// All of a file; empty when it cannot be read.
std::vector<std::byte> readBytes(const std::string& path);

// The arguments or expected results of a command. Throws for what is no value.
std::vector<Value> valuesFrom(const nlohmann::json& items);

}  // namespace tenon::conformance
