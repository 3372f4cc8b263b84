#include "cli/commands.h"
#include "cli/report.h"

#include <tenon/engine.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace {

using tenon::cli::Words;

struct Command {
  std::string_view name;
  std::string_view usage;
  std::string_view summary;
  int (*function)(const Words& words);
};

constexpr Command COMMANDS[] = {
    {"run", "FILE [ARG...]", "run a component that exports wasi:cli/run", tenon::cli::runCommand},
    {"call", "FILE FUNC [VALUE...]", "call exports, with values in WAVE", tenon::cli::callCommand},
    {"serve", "FILE", "serve HTTP with a component that answers requests",
     tenon::cli::serveCommand},
    {"inspect", "FILE", "print the world as WIT or JSON", tenon::cli::inspectCommand},
    {"plan", "FILE", "show what satisfies each import", tenon::cli::planCommand},
    {"compile", "FILE [-o OUT]", "compile ahead of time", tenon::cli::compileCommand},
    {"cache", "[list|size|clear]", "show what is kept of compiled code, or remove it",
     tenon::cli::cacheCommand},
};

std::string helpText() {
  std::string text = "tenon: a host for WebAssembly components\n\n";
  for (const Command& command : COMMANDS) {
    std::string line = "  tenon " + std::string(command.name) + " " + std::string(command.usage);
    line.resize(std::max<size_t>(line.size() + 2, 36), ' ');
    text += line + std::string(command.summary) + "\n";
  }
  text +=
      "\n'tenon COMMAND --help' says more. Example:\n"
      "  tenon run hello.wasm\n";
  return text;
}

int dispatch(Words words) {
  if (words.empty()) {
    std::fputs(helpText().c_str(), stderr);
    return static_cast<int>(tenon::cli::ExitCode::REFUSED);
  }
  if (words[0] == "help" && words.size() > 1) words = {words[1], "--help"};
  const std::string name = words[0];
  if (name == "--help" || name == "-h" || name == "help") return tenon::cli::show(helpText());
  if (name == "--version" || name == "-V") return tenon::cli::show("tenon " TENON_VERSION "\n");
  words.erase(words.begin());
  std::vector<std::string_view> names;
  for (const Command& command : COMMANDS) {
    if (command.name == name) return command.function(words);
    names.push_back(command.name);
  }
  std::string text = "there is no command '" + name + "'; ";
  std::string_view suggestion = tenon::cli::closest(name, names);
  if (!suggestion.empty()) {
    text += "did you mean 'tenon " + std::string(suggestion) + "'?";
  } else if (::access(name.c_str(), F_OK) == 0) {
    text += "to run a file, write 'tenon run " + name + "'";
  } else {
    text += "'tenon --help' lists them";
  }
  return tenon::cli::report(tenon::Error(tenon::ErrorCode::INVALID_ARGUMENT, text));
}

// A standard stream that the caller has closed becomes the null device, or the next file to be
// opened would take its place. What a guest writes there is lost; what this command has to say is
// an error.
void openStandardStreams() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    (void)::open("/dev/null", O_RDWR);  // takes the lowest free number
    if (fd == STDOUT_FILENO) tenon::cli::setOutputClosed();
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (auto code = tenon::compileWorker(argc, argv)) return *code;
  openStandardStreams();
  // A closed pipe and a file that may not grow are errors of the write, for guests too.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    return dispatch(Words(argv + 1, argv + argc));
  } catch (const std::exception& exception) {
    return tenon::cli::report(tenon::Error(tenon::ErrorCode::INTERNAL, exception.what()));
  }
}
