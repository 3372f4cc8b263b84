#pragma once

// Times and sizes as people write them, on the command line and in manifests.

#include <tenon/result.h>

#include <chrono>
#include <cstdint>
#include <string_view>

namespace tenon {

// "1500ms", "2s", "5m", "1h", or a number of seconds. Errors: INVALID_ARGUMENT.
Result<std::chrono::nanoseconds> parseDuration(std::string_view text);

// "64M", "1G", "4096", "16MiB": bytes. Errors: INVALID_ARGUMENT.
Result<uint64_t> parseSize(std::string_view text);

}  // namespace tenon
