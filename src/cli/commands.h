#pragma once

// The commands. Each gets the words behind its name and returns what to exit with.

#include <tenon/result.h>
#include <tenon/workload.h>

#include <string>
#include <vector>

namespace tenon::cli {

using Words = std::vector<std::string>;

int runCommand(const Words& words);
int callCommand(const Words& words);
int inspectCommand(const Words& words);
int planCommand(const Words& words);
int compileCommand(const Words& words);
int cacheCommand(const Words& words);
int serveCommand(const Words& words);

// What `serve` does not take of what a manifest says in [serve], each with its place.
std::vector<Error> checkServeSettings(const WorkloadSettings& settings);

}  // namespace tenon::cli
