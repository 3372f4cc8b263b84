#pragma once

// Files that components and manifests are read from.

#include <tenon/result.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tenon::host {

// Whether a pipe is taken for a file where the path names a descriptor of this process, as
// /dev/stdin and the shell's <(...) do. A pipe with a name of its own never is: nobody may ever
// write to it.
enum class Pipes : uint8_t { NEVER, BY_DESCRIPTOR };

// A file's bytes. Devices and other things without an end are refused before a byte is read.
// Errors: NOT_FOUND, PERMISSION, IO, LIMIT_EXCEEDED, with the path.
Result<std::vector<std::byte>> readFile(const std::string& path, Pipes pipes,
                                        uint64_t most = uint64_t{1} << 30);

}  // namespace tenon::host
