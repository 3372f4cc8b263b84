#include "cli/commands.h"
#include "cli/parse.h"
#include "cli/report.h"

#include <tenon/component.h>

namespace tenon::cli {

int inspectCommand(const Words& words) {
  CLI::App command("Prints what a component imports and exports, as WIT.", "tenon inspect");
  std::string file;
  bool json = false;
  command.add_option("FILE", file, "The component")->required();
  command.add_flag("--json", json, "Print JSON");
  command.footer("Example: tenon inspect hello.wasm");
  if (auto exit = parse(command, words)) return *exit;
  auto text = Component::inspect(file, json ? InspectFormat::JSON : InspectFormat::WIT);
  if (!text) return report(text.error());
  auto printed = print(*text);
  if (printed) return 0;
  report(printed.error());
  return static_cast<int>(ExitCode::REFUSED);
}

}  // namespace tenon::cli
