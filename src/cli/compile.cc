#include <tenon/component.h>
#include <tenon/engine.h>

#include "cli/commands.h"
#include "cli/parse.h"
#include "cli/report.h"

namespace tenon::cli {
namespace {

Result<void> compile(const std::string& file, const std::string& output) {
  EngineOptions options;
  options.pooling = false;
  TENON_TRY(Engine engine, Engine::create(options));
  TENON_TRY(Component component, Component::load(engine, file));
  return component.save(output);
}

}  // namespace

int compileCommand(const Words& words) {
  CLI::App command("Compiles a component ahead of time, to a file that run and call take in its place.",
                   "tenon compile");
  std::string file;
  std::string output;
  command.add_option("FILE", file, "The component")->required();
  command.add_option("-o,--output", output, "Where to write")->type_name("OUT")->required();
  command.footer("Example: tenon compile hello.wasm -o hello.tenon && tenon run hello.tenon");
  if (auto exit = parse(command, words)) return *exit;
  auto outcome = compile(file, output);
  return outcome ? 0 : report(outcome.error());
}

}  // namespace tenon::cli
