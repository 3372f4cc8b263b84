#pragma once

// Text out of files that a command line or a manifest names.

#include <tenon/result.h>

#include <cstdint>
#include <string>

namespace tenon::cli {

// The text of a small file: a key, certificates. A pipe is taken as well, since shells make one of
// <(...); it is read to its end. Errors: INVALID_ARGUMENT, with the path, also for devices and for
// what is larger than `most` bytes.
Result<std::string> readSmallFile(const std::string& path, uint64_t most = uint64_t{8} << 20);

}  // namespace tenon::cli
