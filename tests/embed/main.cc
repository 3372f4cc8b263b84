// Uses the installed library and command: runs a program in this process that waits, drops it, and
// starts the installed `tenon`, and the program beside it that has no exceptions. What a larger
// embedder does is in examples/embed.

#include <tenon/component.h>
#include <tenon/engine.h>
#include <tenon/instance.h>
#include <tenon/linker.h>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>

namespace {

// Compiling that takes longer than it may is stopped.
tenon::Result<void> checkCompileTimeout(const std::string& program) {
  tenon::EngineOptions settings;
  settings.cache = false;
  settings.compiler = "/proc/self/exe";
  settings.compileTimeout = std::chrono::milliseconds(1);
  TENON_TRY(tenon::Engine engine, tenon::Engine::create(settings));
  TENON_TRY(tenon::Component component, tenon::Component::load(engine, program));
  auto compiled = component.compile();
  if (!compiled && compiled.error().code == tenon::ErrorCode::DEADLINE) return {};
  return tenon::Error(tenon::ErrorCode::INTERNAL, "compiling was not stopped");
}

tenon::Result<void> check(const std::string& program) {
  TENON_CHECK(checkCompileTimeout(program));
  tenon::EngineOptions settings;
  settings.cache = false;
  settings.compiler = "/proc/self/exe";
  TENON_TRY(tenon::Engine engine, tenon::Engine::create(settings));
  TENON_TRY(tenon::Component component, tenon::Component::load(engine, program));
  tenon::Linker linker;
  linker.wasi();
  tenon::Loop loop;

  tenon::InstanceOptions options;
  options.wasi.arguments = {program, "sleep", "3600000"};
  TENON_TRY(tenon::Instance sleeper, linker.instantiate(component, loop, options));
  TENON_TRY(tenon::PendingCall pending, sleeper.startRun());

  std::string output;
  options.wasi.arguments = {program, "args", "hello"};
  options.wasi.output.kind = tenon::OutputStream::Kind::CAPTURE;
  options.wasi.output.capture = [&output](std::span<const std::byte> bytes) {
    output.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  TENON_TRY(tenon::Instance worker, linker.instantiate(component, loop, options));
  TENON_TRY(int code, worker.run());
  if (code != 0 || output != "hello\n" || pending.done()) {
    return tenon::Error(tenon::ErrorCode::INTERNAL, "the programs did not do what they should");
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (auto code = tenon::compileWorker(argc, argv)) return *code;
  if (argc != 3) return 2;
  tenon::Result<void> done = check(argv[1]);
  if (!done) {
    std::fprintf(stderr, "%s\n", done.error().text().c_str());
    return 1;
  }
  std::string command =
      std::string("'") + argv[2] + "' run '" + argv[1] + "' args from-the-command";
  if (std::system(command.c_str()) != 0) return 1;
  std::string self = argv[0];
  std::string beside = self.substr(0, self.rfind('/') + 1) + "without_exceptions";
  if (std::system(("'" + beside + "' '" + argv[1] + "'").c_str()) != 0) return 1;
  std::puts("the package is complete");
  return 0;
}
