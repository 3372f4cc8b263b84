#include "wasi/cli/cli.h"

#include "net/streams.h"
#include "wasi/binder.h"
#include "wasi/context.h"

#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace tenon::wasi {
namespace {

// wasi:cli/terminal-input and terminal-output: that one has a handle is all that it says.
struct TerminalInput final : call::HostObject {};
struct TerminalOutput final : call::HostObject {};

std::vector<std::tuple<std::string_view, std::string_view>> getEnvironment(call::HostCall& call) {
  std::vector<std::tuple<std::string_view, std::string_view>> variables;
  for (const auto& [name, value] : contextOf(call).environment) variables.emplace_back(name, value);
  return variables;
}

std::vector<std::string_view> getArguments(call::HostCall& call) {
  const auto& arguments = contextOf(call).arguments;
  return {arguments.begin(), arguments.end()};
}

// A guest has directories, not a place among the host's.
std::optional<std::string> initialCwd(call::HostCall&) { return std::nullopt; }

// Ends the guest once all that it wrote is out.
void end(call::HostCall& call, int code) {
  ContextImpl& context = contextOf(call);
  if (!context.isDrained() && !wait(call, context.drained())) return;
  call.exit(code);
}

void exitWithStatus(call::HostCall& call, Expected<void, void> status) {
  end(call, status.hasValue() ? 0 : 1);
}

void exitWithCode(call::HostCall& call, uint8_t code) { end(call, code); }

Own<InputStream> getStdin(call::HostCall& call) {
  return give(call, std::make_unique<InputStream>(contextOf(call).input));
}

Own<OutputStream> getStdout(call::HostCall& call) {
  return give(call, std::make_unique<OutputStream>(contextOf(call).output));
}

Own<OutputStream> getStderr(call::HostCall& call) {
  return give(call, std::make_unique<OutputStream>(contextOf(call).error));
}

template <typename T>
std::optional<Own<T>> giveIf(call::HostCall& call, bool terminal) {
  if (!terminal) return std::nullopt;
  return give(call, std::make_unique<T>());
}

std::optional<Own<TerminalInput>> getTerminalStdin(call::HostCall& call) {
  return giveIf<TerminalInput>(call, contextOf(call).inputIsTerminal);
}

std::optional<Own<TerminalOutput>> getTerminalStdout(call::HostCall& call) {
  return giveIf<TerminalOutput>(call, contextOf(call).outputIsTerminal);
}

std::optional<Own<TerminalOutput>> getTerminalStderr(call::HostCall& call) {
  return giveIf<TerminalOutput>(call, contextOf(call).errorIsTerminal);
}

}  // namespace

void provideCli(call::Registry& registry) {
  Binder(registry, "wasi:cli/environment@0.2.12")
      .function<getEnvironment>("get-environment")
      .function<getArguments>("get-arguments")
      .function<initialCwd>("initial-cwd");
  Binder(registry, "wasi:cli/exit@0.2.12")
      .blocking<exitWithStatus>("exit")
      .blocking<exitWithCode>("exit-with-code");
  Binder(registry, "wasi:cli/stdin@0.2.12").function<getStdin>("get-stdin");
  Binder(registry, "wasi:cli/stdout@0.2.12").function<getStdout>("get-stdout");
  Binder(registry, "wasi:cli/stderr@0.2.12").function<getStderr>("get-stderr");
  Binder(registry, "wasi:cli/terminal-input@0.2.12").resource("terminal-input");
  Binder(registry, "wasi:cli/terminal-output@0.2.12").resource("terminal-output");
  Binder(registry, "wasi:cli/terminal-stdin@0.2.12")
      .function<getTerminalStdin>("get-terminal-stdin");
  Binder(registry, "wasi:cli/terminal-stdout@0.2.12")
      .function<getTerminalStdout>("get-terminal-stdout");
  Binder(registry, "wasi:cli/terminal-stderr@0.2.12")
      .function<getTerminalStderr>("get-terminal-stderr");
}

}  // namespace tenon::wasi
