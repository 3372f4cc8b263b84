#include "cli/commands.h"
#include "cli/guest.h"
#include "cli/options.h"
#include "cli/parse.h"
#include "cli/report.h"

#include <tenon/component.h>

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

Result<Component> compile(const std::string& file, const std::string& output,
                          const GuestOptions& options) {
  if (isSameFile(file, output)) {
    return Error(ErrorCode::INVALID_ARGUMENT,
                 output + ": this would replace the component, give another name with -o");
  }
  TENON_TRY(Component component, load(file, options));
  TENON_CHECK(component.compile());
  return component;
}

}  // namespace

int compileCommand(const Words& words) {
  CLI::App command(
      "Compiles a component ahead of time, to a file that run, call and serve take in its place.",
      "tenon compile");
  std::string file;
  std::string output;
  GuestOptions options;
  command.add_option("FILE", file, "The component")->required();
  command
      .add_option("-o,--output", output,
                  "Where to write; as with the shell's >, links are followed")
      ->type_name("OUT")
      ->required();
  options.addCompileOptionsTo(command);
  command.footer("Example: tenon compile hello.wasm -o hello.tenon && tenon run hello.tenon");
  if (auto exit = parse(command, words)) return *exit;
  auto component = compile(file, output, options);
  if (!component) {
    Error error = std::move(component).error();
    if (!error.message.starts_with(file) && !error.message.starts_with(output)) {
      error.message = file + ": " + error.message;
    }
    return report(error);
  }
  auto saved = component->save(output);
  if (saved) return 0;
  report(saved.error());
  return static_cast<int>(ExitCode::REFUSED);
}

}  // namespace tenon::cli
