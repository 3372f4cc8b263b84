#pragma once

// What the process was given by whoever started it.

#include <tenon/result.h>

#include <cstdint>
#include <vector>

namespace tenon::cli {

// How many processors this process may use: its affinity, and the quota of its control groups,
// rounded up. At least 1.
uint32_t usableProcessors();

// The sockets that a service manager handed over (LISTEN_FDS, for this process only), once: they
// are not inherited any more, and the variables are gone. Errors: INVALID_ARGUMENT.
Result<std::vector<int>> takeHandedSockets();

}  // namespace tenon::cli
