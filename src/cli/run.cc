#include "cli/commands.h"
#include "cli/guest.h"
#include "cli/options.h"
#include "cli/parse.h"
#include "cli/report.h"

#include <tenon/component.h>
#include <tenon/instance.h>

#include <utility>

namespace tenon::cli {
namespace {

Result<int> run(const std::string& file, const Words& arguments, const GuestOptions& guest) {
  Words all = {file};
  all.insert(all.end(), arguments.begin(), arguments.end());
  TENON_TRY(InstanceOptions options, guest.instanceOptions(std::move(all)));
  TENON_TRY(Component component, load(file, guest));
  Loop loop;
  auto instance = instantiate(component, loop, options);
  if (!instance) return explain(std::move(instance).error(), file, guest, nullptr);
  auto code = instance->run();
  if (!code && code.error().code == ErrorCode::MISSING_EXPORT) {
    code.error().message += "; 'tenon call' calls its functions";
  }
  if (!code) return explain(std::move(code).error(), file, guest, &*instance);
  return *code;
}

}  // namespace

int runCommand(const Words& words) {
  CLI::App command("Runs a component that exports wasi:cli/run.", "tenon run");
  std::string file;
  GuestOptions guest;
  command.add_option("FILE", file, "The component")->required();
  guest.addTo(command);
  command.footer(
      "Words behind FILE are the program's arguments.\n"
      "Exit code: the program's own; 124 when its time was up, 134 when it trapped, 125 to 127 "
      "when\n"
      "it did not start.\n"
      "Example: tenon run --env LOG=info hello.wasm first second");
  SplitWords split = splitBehindFile(words, guestOptionsWithValue());
  if (auto exit = parse(command, split.own)) return *exit;
  auto code = run(file, split.rest, guest);
  if (code) return *code;
  const Error& error = code.error();
  if (error.code == ErrorCode::EXITED) return error.exitCode.value_or(0);  // while it was started
  int exit = report(error);
  // A component without wasi:cli/run is a file that cannot be run.
  return error.code == ErrorCode::MISSING_EXPORT ? static_cast<int>(ExitCode::CANNOT_RUN) : exit;
}

}  // namespace tenon::cli
