#pragma once

// How the command ends: exit codes, and errors as a person reads them.

#include <tenon/result.h>

#include <string>
#include <string_view>

namespace tenon::cli {

// Exit codes that keep out of the guest's way, by the conventions of timeout, docker run and wasmtime.
enum class ExitCode : int {
  SUCCESS = 0,
  DEADLINE = 124,  // a deadline passed
  REFUSED = 125,   // Tenon refused or failed: usage, a link, a limit at deployment
  CANNOT_RUN = 126,
  NOT_FOUND = 127,
  TRAPPED = 134,
};

// Prints "tenon: <message>" and the details to standard error, and says what to exit with.
int report(const Error& error);

// The exit code alone.
ExitCode exitCodeFor(ErrorCode code);

}  // namespace tenon::cli
