#pragma once

// Writing files whole. What belongs to Tenon, an entry of the cache, is replaced by name. What the
// user names is written as the shell's `>` would: a link, a pipe, a device stays what it is.

#include <tenon/result.h>

#include <cstddef>
#include <span>
#include <string>

namespace tenon::engine {

// In the names of files that are being written: "<folder>/.tenon.tmp-<process>-<number>".
inline constexpr const char* TEMPORARY_MARK = ".tmp-";

// Makes `path` a new regular file with these bytes, at once and whatever had that name, by way of a
// temporary name in the same folder; mode 0644 without the umask's bits. Where the file system has
// files without a name, the bytes get one when they are whole, so that a process that is killed
// leaves nothing. Errors: IO.
Result<void> replaceFile(const std::string& path, std::span<const std::byte> bytes);

// Puts the bytes where the user's `path` leads. Links are followed, also one to nothing. A regular
// file is replaced at once, so that programs which run the old code go on with it, and keeps its
// mode but for others' right to write. It is written in place, which they may not survive, when
// it has other names or another owner, or its folder takes no new files. Anything else, a FIFO, a
// device, /dev/stdout, is opened and written to; a FIFO waits for its reader. Errors: as
// replaceFile's.
Result<void> writeFile(const std::string& path, std::span<const std::byte> bytes);

}  // namespace tenon::engine
