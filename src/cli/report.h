#pragma once

// How the command ends: exit codes, what goes to standard output, and errors as a person reads
// them.

#include <tenon/result.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tenon::cli {

// Exit codes that keep out of the guest's way, by the conventions of timeout, docker run and
// wasmtime.
enum class ExitCode : int {
  SUCCESS = 0,
  DEADLINE = 124,  // a deadline passed
  REFUSED = 125,   // Tenon refused or failed: usage, a link, a limit at deployment
  CANNOT_RUN = 126,
  NOT_FOUND = 127,
  TRAPPED = 134,
};

// The exit code for an error that concerns the file on the command line.
ExitCode exitCodeFor(ErrorCode code);

// The same for an error of a folder or a manifest: what is wrong in it is refused.
int exitCodeOfWorkload(const Error& error);

// Says that the caller has closed standard output: to print is an error then.
void setOutputClosed();

// Whether text to this descriptor may have colours: it is a terminal, and neither NO_COLOR
// (no-color.org) nor TERM=dumb says that it should not.
bool hasColours(int descriptor);
// Whether it is a terminal that can show something else in a line that was written.
bool canMove(int descriptor);

// Prints "tenon: <message>" and the details, indented, to standard error. Nothing once the reader
// of standard output has left: who pipes into `head` has seen enough. All of it is made printable,
// and cut where it is very long: names and errors are of whoever made the component.
void printError(const Error& error);
// The same; returns what to exit with.
int report(const Error& error);
// "tenon: warning: <text>" to standard error.
void warn(std::string_view text);

// Writes to standard output, at once. Errors: IO.
Result<void> print(std::string_view text);
// The same; returns what to exit with, and has reported what went wrong.
int show(std::string_view text);

// What a text that a component had a part in is.
enum class Foreign : uint8_t { TEXT, JSON };
// Shows it: on a terminal made printable, elsewhere as it is. Errors: IO.
Result<void> printForeign(std::string_view text, Foreign kind);
// The same; returns what to exit with, and has reported what went wrong.
int showForeign(std::string_view text, Foreign kind);

// The candidate that `word` is most likely a slip of; empty when none comes close.
std::string_view closest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace tenon::cli
