#pragma once

// Parsing one command's words with CLI11, and ending where they ask for help or are off.

#include <CLI/CLI.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::cli {

// Parses `words`. Empty: go on. Otherwise what to exit with: help was printed, or a usage error.
// `behindFile`: what the help's usage line has behind FILE, which CLI11 does not see.
std::optional<int> parse(CLI::App& command, std::vector<std::string> words,
                         std::string_view behindFile = {});

}  // namespace tenon::cli
