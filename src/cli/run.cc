#include "cli/commands.h"
#include "cli/guest.h"
#include "cli/options.h"
#include "cli/parse.h"
#include "cli/report.h"

#include <tenon/instance.h>
#include <tenon/workload.h>

#include <utility>

namespace tenon::cli {
namespace {

// The component to run: the one that was named, else the only program. A single component is asked
// when it is there.
Result<std::string> chooseProgram(const Guest& guest, const std::string& named) {
  if (!guest.isWorkload()) return std::string();
  auto program = guest.plan().findProgram(named);
  if (program) return (*program)->name;
  Error error = std::move(program).error();
  if (error.code == ErrorCode::AMBIGUOUS) {
    error.message += "; choose one with --component";
    error.details.clear();
    for (const PlannedComponent& component : guest.plan().components) {
      if (component.program) error.details += "  --component " + component.name + "\n";
    }
  }
  if (error.code != ErrorCode::MISSING_EXPORT) return error;
  std::string other;  // what the first that has another use is for
  for (const PlannedComponent& component : guest.plan().components) {
    if (!named.empty() && component.name != named) continue;
    std::string use = guest.otherUse(component);
    if (other.empty() || use.find("'tenon call'") == std::string::npos) other = std::move(use);
  }
  error.message += other;
  return error;
}

Result<int> run(const std::string& file, const std::string& named, const Words& arguments,
                GuestOptions options) {
  TENON_TRY(Guest guest, Guest::load(file, std::move(options)));
  auto program = chooseProgram(guest, named);
  if (!program) return guest.explain(std::move(program).error());
  Loop loop;
  auto instance = guest.instantiate(loop, {*program}, arguments);
  if (!instance) return guest.explain(std::move(instance).error());
  auto code = instance->run(*program);
  if (code) return *code;
  if (code.error().code == ErrorCode::MISSING_EXPORT) {
    code.error().message += guest.otherUse(guest.plan().components.front());
  }
  return guest.explain(std::move(code).error(), &*instance);
}

}  // namespace

int runCommand(const Words& words) {
  CLI::App command("Runs a component that exports wasi:cli/run, or a workload.", "tenon run");
  std::string file;
  std::string component;
  GuestOptions guest;
  command.add_option("FILE", file, "The component, a workload's folder or its tenon.toml")
      ->required();
  command.add_option("--component", component, "Workloads: the component to run")
      ->type_name("NAME");
  guest.addTo(command);
  guest.addPrefixOptionsTo(command);
  command.footer(
      "Words behind FILE are the program's arguments. Of a workload, the only component that "
      "exports\nwasi:cli/run is run; --env, --config, --dir and standard input are for that one.\n"
      "Exit code: the program's own; 124 when its time was up, 134 when it trapped, 125 to 127 "
      "when\n"
      "it did not start.\n"
      "Example: tenon run --env LOG=info hello.wasm first second");
  SplitWords split = splitBehindFile(words, guestOptionsWithValue());
  if (auto exit = parse(command, split.own, "[ARG...]")) return *exit;
  if (!Workload::isManifest(file) && !component.empty()) {
    return report(Error(ErrorCode::INVALID_ARGUMENT,
                        "--component is for workloads, and " + file + " is no manifest"));
  }
  auto code = run(file, component, split.rest, guest);
  if (code) return *code;
  const Error& error = code.error();
  if (error.code == ErrorCode::EXITED) return error.exitCode.value_or(0);  // while it was started
  printError(error);
  // A component without wasi:cli/run is a file that cannot be run.
  return error.code == ErrorCode::MISSING_EXPORT ? static_cast<int>(ExitCode::CANNOT_RUN)
                                                 : exitCodeOf(error, file);
}

}  // namespace tenon::cli
