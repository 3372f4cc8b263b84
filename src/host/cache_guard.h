#pragma once

// Keeps guests from the compile cache: who can write there can have native code run by the next
// start of any component.

#include "host/engine.h"

#include <tenon/instance.h>
#include <tenon/result.h>

#include <string>
#include <vector>

namespace tenon::host {

// Errors: INVALID_ARGUMENT for a directory that is granted for writing and that one must pass to
// get to a compile cache, or that lies in one; names both. Caches are the engine's, and the one
// that this user's other processes use when nothing else is said, whether or not it is there yet.
// Paths are followed through symbolic links, and directories are compared by what they are.
Result<void> keepFromCache(const EngineState& engine, const std::vector<DirectoryGrant>& grants);

// The same for one folder.
Result<void> keepFrom(const std::string& cache, const DirectoryGrant& grant);

}  // namespace tenon::host
