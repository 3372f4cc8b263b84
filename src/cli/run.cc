#include <tenon/component.h>
#include <tenon/engine.h>
#include <tenon/instance.h>
#include <tenon/linker.h>

#include <utility>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/parse.h"
#include "cli/report.h"

namespace tenon::cli {
namespace {

Result<int> run(const std::string& file, const Words& arguments, const GuestOptions& guest) {
  Words all = {file};
  all.insert(all.end(), arguments.begin(), arguments.end());
  TENON_TRY(InstanceOptions options, guest.instanceOptions(std::move(all)));
  TENON_TRY(Engine engine, Engine::create(guest.engineOptions()));
  TENON_TRY(Component component, Component::load(engine, file));
  Linker linker;
  linker.wasi();
  Loop loop;
  TENON_TRY(Instance instance, linker.instantiate(component, loop, options));
  return instance.run();
}

}  // namespace

int runCommand(const Words& words) {
  CLI::App command("Runs a component that exports wasi:cli/run.", "tenon run");
  std::string file;
  GuestOptions guest;
  command.add_option("FILE", file, "The component")->required();
  guest.addTo(command);
  command.footer("Words behind FILE are the program's arguments.\n"
                 "Example: tenon run --env LOG=info hello.wasm first second");
  SplitWords split = splitBehindFile(words, guestOptionsWithValue());
  if (auto exit = parse(command, split.own)) return *exit;
  auto code = run(file, split.rest, guest);
  if (code) return *code;
  int exit = report(code.error());
  // A component without wasi:cli/run is a file that cannot be run.
  return code.error().code == ErrorCode::MISSING_EXPORT ? static_cast<int>(ExitCode::CANNOT_RUN) : exit;
}

}  // namespace tenon::cli
