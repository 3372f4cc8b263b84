#include "cli/report.h"

#include <tenon/text.h>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <vector>

namespace tenon::cli {
namespace {

bool outputClosed = false;
bool readerLeft = false;

// The lines behind a message, indented whatever is in them, so that none looks like a message.
// Equal ones one after another, as endless recursion has them, become one and a count; of very many
// the first are shown.
std::string detailText(std::string_view text) {
  constexpr size_t SHOWN = 3;
  constexpr size_t MOST = 64 * 1024;  // bytes
  constexpr std::string_view INDENT = "  ";
  std::string result;
  std::string_view last;
  size_t count = 0;
  auto end = [&]() {
    if (count > SHOWN) result += "  ... (" + std::to_string(count - SHOWN) + " more of these)\n";
  };
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.empty()) continue;
    if (result.size() > MOST) {
      size_t left = 1 + static_cast<size_t>(std::ranges::count(text, '\n'));
      end();
      return result + "  ... (" + std::to_string(left) + " more lines)\n";
    }
    if (line != last) {
      end();
      count = 0;
      last = line;
    }
    if (++count > SHOWN) continue;
    if (!line.starts_with(INDENT)) result += INDENT;
    result += printable(line, Lines::SEVERAL, MOST_OF_A_SENTENCE) + "\n";
  }
  end();
  return result;
}

size_t editDistance(std::string_view a, std::string_view b) {
  constexpr size_t LONGEST = 256;  // beyond, names are made by nobody's hand
  if (a.size() > LONGEST || b.size() > LONGEST) return std::max(a.size(), b.size());
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0]++;
    for (size_t j = 0; j < b.size(); ++j) {
      size_t replaced = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

std::string prefix() { return hasColours(STDERR_FILENO) ? "\x1b[1;31mtenon:\x1b[0m " : "tenon: "; }

}  // namespace

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

int exitCodeOfWorkload(const Error& error) {
  bool content = error.code == ErrorCode::MALFORMED || error.code == ErrorCode::INVALID ||
                 error.code == ErrorCode::UNSUPPORTED;
  return static_cast<int>(content ? ExitCode::REFUSED : exitCodeFor(error.code));
}

bool canMove(int descriptor) {
  const char* terminal = std::getenv("TERM");
  if (terminal != nullptr && std::strcmp(terminal, "dumb") == 0) return false;
  return ::isatty(descriptor) == 1;
}

bool hasColours(int descriptor) {
  const char* never = std::getenv("NO_COLOR");
  return (never == nullptr || *never == '\0') && canMove(descriptor);
}

void setOutputClosed() { outputClosed = true; }

void printError(const Error& error) {
  if (readerLeft) return;
  std::string text = prefix() + printable(error.text(), Lines::ONE, MOST_OF_A_SENTENCE) + "\n" +
                     detailText(error.details);
  std::fputs(text.c_str(), stderr);
}

int report(const Error& error) {
  printError(error);
  return static_cast<int>(exitCodeFor(error.code));
}

void warn(std::string_view text) {
  std::string line =
      prefix() + "warning: " + printable(text, Lines::ONE, MOST_OF_A_SENTENCE) + "\n";
  std::fputs(line.c_str(), stderr);
}

Result<void> print(std::string_view text) {
  if (outputClosed) return Error(ErrorCode::IO, "standard output: it is closed");
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) {
    return {};
  }
  int problem = errno;
  readerLeft = problem == EPIPE;
  return Error(ErrorCode::IO, std::string("standard output: ") + std::strerror(problem));
}

Result<void> printForeign(std::string_view text, Foreign kind) {
  if (::isatty(STDOUT_FILENO) != 1) return print(text);
  return print(kind == Foreign::JSON ? printableJson(text) : printable(text, Lines::SEVERAL));
}

namespace {

int exitCodeOf(const Result<void>& printed) {
  if (printed) return static_cast<int>(ExitCode::SUCCESS);
  printError(printed.error());
  return static_cast<int>(ExitCode::REFUSED);
}

}  // namespace

int show(std::string_view text) { return exitCodeOf(print(text)); }

int showForeign(std::string_view text, Foreign kind) {
  return exitCodeOf(printForeign(text, kind));
}

std::string_view closest(std::string_view word, std::span<const std::string_view> candidates) {
  std::string_view best;
  size_t bestDistance = word.size() / 3 + 2;
  for (std::string_view candidate : candidates) {
    size_t distance = editDistance(word, candidate);
    if (distance < bestDistance && distance < candidate.size()) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

}  // namespace tenon::cli
