#include "cli/report.h"

#include <unistd.h>

#include <cstdio>

namespace tenon::cli {

ExitCode exitCodeFor(ErrorCode code) {
  switch (code) {
    case ErrorCode::DEADLINE:
      return ExitCode::DEADLINE;
    case ErrorCode::TRAPPED:
      return ExitCode::TRAPPED;
    case ErrorCode::NOT_FOUND:
      return ExitCode::NOT_FOUND;
    case ErrorCode::MALFORMED:
    case ErrorCode::INVALID:
    case ErrorCode::UNSUPPORTED:
    case ErrorCode::PERMISSION:
    case ErrorCode::IO:
      return ExitCode::CANNOT_RUN;
    default:
      return ExitCode::REFUSED;
  }
}

int report(const Error& error) {
  bool colour = ::isatty(STDERR_FILENO) == 1;
  std::string text = colour ? "\x1b[1;31mtenon:\x1b[0m " : "tenon: ";
  text += error.text();
  text += '\n';
  if (!error.details.empty()) {
    text += error.details;
    text += '\n';
  }
  std::fputs(text.c_str(), stderr);
  return static_cast<int>(exitCodeFor(error.code));
}

}  // namespace tenon::cli
