#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "cli/commands.h"
#include "cli/report.h"

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
    {"inspect", "FILE", "print the world as WIT or JSON", tenon::cli::inspectCommand},
    {"compile", "FILE -o OUT", "compile ahead of time", tenon::cli::compileCommand},
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

int dispatch(int argc, char** argv) {
  if (argc < 2) {
    std::fputs(helpText().c_str(), stderr);
    return static_cast<int>(tenon::cli::ExitCode::REFUSED);
  }
  std::string_view name = argv[1];
  if (name == "--help" || name == "-h" || name == "help") {
    std::fputs(helpText().c_str(), stdout);
    return 0;
  }
  if (name == "--version") {
    std::puts("tenon " TENON_VERSION);
    return 0;
  }
  for (const Command& command : COMMANDS) {
    if (command.name == name) return command.function(Words(argv + 2, argv + argc));
  }
  tenon::Error error(tenon::ErrorCode::INVALID_ARGUMENT,
                     "there is no command '" + std::string(name) + "'; 'tenon --help' lists them");
  return tenon::cli::report(error);
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error of the write, for guests too
  try {
    return dispatch(argc, argv);
  } catch (const std::exception& exception) {
    return tenon::cli::report(tenon::Error(tenon::ErrorCode::INTERNAL, exception.what()));
  }
}
