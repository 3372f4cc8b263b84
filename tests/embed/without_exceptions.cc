// Built with -fno-exceptions and -fno-rtti: typed and dynamic host functions, user data, errors as
// values, and `value()` of an Error, which ends the process.

#include <tenon/tenon.h>

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#if defined(__cpp_exceptions) || defined(__cpp_rtti)
#error "this program shows that the headers need neither"
#endif

namespace {

tenon::Error wrong(const std::string& what) {
  return tenon::Error(tenon::ErrorCode::INTERNAL, what);
}

tenon::Result<void> check(const std::string& path) {
  TENON_TRY(tenon::Engine engine, tenon::Engine::create());
  TENON_TRY(tenon::Component component, tenon::Component::load(engine, path));
  tenon::Linker linker;
  linker.wasi();
  linker.function("demo:host/api", "log", [](const tenon::Caller& caller, std::string_view text) {
    if (auto* log = caller.userData<std::string>()) *log += text;
  });
  tenon::Loop loop;
  std::string output;
  tenon::InstanceOptions options;
  options.userData = std::string("a log");
  options.wasi.arguments = {path, "args", "hello"};
  options.wasi.output.kind = tenon::OutputStream::Kind::CAPTURE;
  options.wasi.output.capture = [&output](std::span<const std::byte> bytes) {
    output.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  TENON_TRY(tenon::Instance instance, linker.instantiate(component, loop, options));
  TENON_TRY(int code, instance.run({.timeout = std::chrono::minutes(1)}));
  if (code != 0 || output != "hello\n") return wrong("the program did not do what it should");
  auto missing = instance.function<void()>("", "not-there");
  if (missing.ok() || missing.error().code != tenon::ErrorCode::MISSING_EXPORT) {
    return wrong("an error did not come as a value");
  }
  return {};
}

// The way out that throws ends a process that has no exceptions.
bool valueOfAnErrorEndsTheProcess() {
  pid_t child = ::fork();
  if (child == 0) {
    (void)std::freopen("/dev/null", "w", stderr);
    tenon::Result<int> none = wrong("there is no value");
    ::_exit(none.value());
  }
  int status = 0;
  return ::waitpid(child, &status, 0) == child && WIFSIGNALED(status) &&
         WTERMSIG(status) == SIGABRT;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  if (!valueOfAnErrorEndsTheProcess()) return 3;
  tenon::Result<void> done = check(argv[1]);
  if (done) return 0;
  std::fprintf(stderr, "without exceptions: %s\n", done.error().text().c_str());
  return 1;
}
