#include "cli/commands.h"
#include "cli/guest.h"
#include "cli/options.h"
#include "cli/parse.h"
#include "cli/report.h"

#include <tenon/component.h>
#include <tenon/instance.h>
#include <tenon/linker.h>
#include <tenon/workload.h>

#include <utility>

namespace tenon::cli {
namespace {

Result<int> runFile(const std::string& file, const Words& arguments, const GuestOptions& guest) {
  Words all = {file};
  all.insert(all.end(), arguments.begin(), arguments.end());
  TENON_TRY(InstanceOptions options, guest.instanceOptions(std::move(all)));
  TENON_TRY(Component component, load(file, guest));
  Loop loop;
  auto instance = instantiate(component, loop, options);
  if (!instance) return explain(std::move(instance).error(), file, guest, nullptr);
  auto code = instance->run();
  if (!code && code.error().code == ErrorCode::MISSING_EXPORT) {
    code.error().message += otherUse(component, file);
  }
  if (!code) return explain(std::move(code).error(), file, guest, &*instance);
  return *code;
}

// The component to run: the one that was named, else the only program. `path`: of the workload.
Result<std::string> chooseProgram(const Workload& workload, const WorkloadPlan& plan,
                                  const std::string& path, const std::string& named) {
  if (!named.empty()) {
    TENON_TRY(const PlannedComponent* component, findComponent(plan, named));
    if (component->program) return component->name;
    return Error(ErrorCode::MISSING_EXPORT, "component '" + named +
                                                "' does not export wasi:cli/run: it is no program" +
                                                otherUse(componentOf(workload, *component), path));
  }
  Words programs;
  std::string other;  // what the first that has another use is for
  for (const PlannedComponent& component : plan.components) {
    if (component.program) programs.push_back(component.name);
    std::string use = otherUse(componentOf(workload, component), path);
    if (other.empty() || use.find("'tenon call'") == std::string::npos) other = std::move(use);
  }
  if (programs.size() == 1) return programs.front();
  if (programs.empty()) {
    return Error(ErrorCode::MISSING_EXPORT,
                 "no component exports wasi:cli/run: there is no program" + other);
  }
  Error error(ErrorCode::AMBIGUOUS, std::to_string(programs.size()) +
                                        " components are programs; choose one with --component");
  for (const std::string& program : programs) error.details += "  --component " + program + "\n";
  return error;
}

Result<int> runWorkload(const std::string& path, const std::string& named, const Words& arguments,
                        GuestOptions guest) {
  TENON_TRY(Workload workload, loadWorkload(path, guest));
  guest.fillFrom(workload.settings());
  Linker linker;
  linker.wasi();
  WorkloadPlan plan = workload.plan(linker);
  if (!plan.ok()) return explainWorkload(plan.error(), path, guest, nullptr);
  auto program = chooseProgram(workload, plan, path, named);
  if (!program) return explainWorkload(std::move(program).error(), path, guest, nullptr);
  Loop loop;
  auto instance = instantiate(workload, linker, loop, guest, {*program}, arguments);
  if (!instance) return explainWorkload(std::move(instance).error(), path, guest, nullptr);
  auto code = instance->run(*program);
  if (!code) return explainWorkload(std::move(code).error(), path, guest, &*instance);
  return *code;
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
  bool workload = Workload::isManifest(file);
  if (!workload && !component.empty()) {
    return report(Error(ErrorCode::INVALID_ARGUMENT,
                        "--component is for workloads, and " + file + " is no manifest"));
  }
  auto code =
      workload ? runWorkload(file, component, split.rest, guest) : runFile(file, split.rest, guest);
  if (code) return *code;
  const Error& error = code.error();
  if (error.code == ErrorCode::EXITED) return error.exitCode.value_or(0);  // while it was started
  int exit = report(error);
  if (workload) return exitCodeOfWorkload(error);
  // A component without wasi:cli/run is a file that cannot be run.
  return error.code == ErrorCode::MISSING_EXPORT ? static_cast<int>(ExitCode::CANNOT_RUN) : exit;
}

}  // namespace tenon::cli
