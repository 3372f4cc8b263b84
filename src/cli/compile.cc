#include "cli/commands.h"
#include "cli/guest.h"
#include "cli/options.h"
#include "cli/parse.h"
#include "cli/report.h"

#include <tenon/component.h>
#include <tenon/workload.h>

#include <sys/stat.h>

#include <utility>

namespace tenon::cli {
namespace {

bool isSameFile(const std::string& a, const std::string& b) {
  struct stat first;
  struct stat second;
  return ::stat(a.c_str(), &first) == 0 && ::stat(b.c_str(), &second) == 0 &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

// Into a file, or without one into the cache.
Result<void> compile(const std::string& file, const std::string& output,
                     const GuestOptions& options) {
  if (!output.empty() && Workload::isManifest(file)) {
    return Error(ErrorCode::INVALID_ARGUMENT,
                 "-o is for components: what a workload may use and how it is joined stays in its "
                 "tenon.toml; it is compiled into the cache, where run, call and serve find it");
  }
  if (!output.empty() && isSameFile(file, output)) {
    return Error(ErrorCode::INVALID_ARGUMENT,
                 output + ": this would replace the component, give another name with -o");
  }
  TENON_TRY(Guest guest, Guest::load(file, options));
  auto compiled = guest.compile();
  if (!compiled) return guest.explain(std::move(compiled).error());
  if (!output.empty()) return guest.codeOf(guest.plan().components.front()).save(output);
  if (guest.warning().empty()) return {};
  return Error(ErrorCode::INVALID_ARGUMENT, "it is compiled, but not kept: " + guest.warning());
}

}  // namespace

int compileCommand(const Words& words) {
  CLI::App command(
      "Compiles a component ahead of time, to a file that run, call and serve take in its place; "
      "or\na component or a workload into the cache, where they find it.",
      "tenon compile");
  std::string file;
  std::string output;
  GuestOptions options;
  command.add_option("FILE", file, "The component, a workload's folder or its tenon.toml")
      ->required();
  command
      .add_option(
          "-o,--output", output,
          "Where to write a component; as with the shell's >, links are followed. Without: into "
          "the cache, where workloads always go")
      ->type_name("OUT");
  options.addCompileOptionsTo(command);
  command.footer(
      "'tenon cache' shows the cache. Example:\n"
      "tenon compile hello.wasm -o hello.tenon && tenon run hello.tenon");
  if (auto exit = parse(command, words)) return *exit;
  auto done = compile(file, output, options);
  if (done) return 0;
  Error error = std::move(done).error();
  bool isNamed = error.message.starts_with(file) || error.message.starts_with("-o ") ||
                 (!output.empty() && error.message.find(output) != std::string::npos);
  if (!isNamed) error.message = file + ": " + error.message;
  printError(error);
  // What could not be written is nothing that is wrong with the file.
  if (error.message.starts_with("cannot write")) {
    return static_cast<int>(ExitCode::REFUSED);
  }
  return exitCodeOf(error, file);
}

}  // namespace tenon::cli
