#include "engine/compiler.h"

#include "base/byte_reader.h"
#include "engine/complexity.h"
#include "engine/file.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <new>
#include <string_view>
#include <utility>

namespace tenon::engine {
namespace {

using Clock = std::chrono::steady_clock;

// The first word of the command line.
constexpr std::string_view WORKER = "tenon:compile";

// What the two processes say to each other: numbers as they are in memory, sizes before bytes.
constexpr uint8_t COMPILED = 1, REFUSED = 2, DONE = 3;

Error systemError(const char* what) {
  return {ErrorCode::IO, std::string("compiling needs a process of its own: ") + what + ": " +
                             std::strerror(errno)};
}

template <typename T>
bool writeNumber(int fd, T number) {
  return writeAll(fd, std::as_bytes(std::span(&number, 1))) == 0;
}

bool writeSized(int fd, std::span<const std::byte> bytes) {
  return writeNumber(fd, uint64_t{bytes.size()}) && writeAll(fd, bytes) == 0;
}

// A whole file, mapped.
class Mapped {
 public:
  explicit Mapped(int fd) {
    struct stat status{};
    if (::fstat(fd, &status) != 0 || status.st_size == 0) return;
    size_ = static_cast<size_t>(status.st_size);
    data_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data_ == MAP_FAILED) size_ = 0;
  }
  Mapped(const Mapped&) = delete;
  Mapped& operator=(const Mapped&) = delete;
  ~Mapped() {
    if (size_ != 0) ::munmap(data_, size_);
  }
  std::span<const std::byte> bytes() const { return {static_cast<const std::byte*>(data_), size_}; }

 private:
  void* data_ = nullptr;
  size_t size_ = 0;
};

// Reads what `write...` wrote. Nothing to be trusted less than the process itself: it is cut when
// the process was ended.
class Message {
 public:
  explicit Message(std::span<const std::byte> bytes) : left_(bytes) {}

  template <typename T>
  bool number(T& number) {
    if (left_.size() < sizeof(T)) return false;
    std::memcpy(&number, left_.data(), sizeof(T));
    left_ = left_.subspan(sizeof(T));
    return true;
  }
  bool sized(std::span<const std::byte>& bytes) {
    uint64_t size = 0;
    if (!number(size) || size > left_.size()) return false;
    bytes = left_.first(size);
    left_ = left_.subspan(size);
    return true;
  }

 private:
  std::span<const std::byte> left_;
};

// What a process has written so far, read from the side.
class Progress {
 public:
  Progress(int output, std::span<const ModuleCode> modules, const CompileLimits& limits)
      : output_(output), modules_(modules), limits_(limits) {
    for (const ModuleCode& module : modules) all_ += module.size();
  }

  bool isWanted() const { return limits_.onProgress != nullptr; }
  void tell() {
    struct stat status{};
    if (!isWanted() || ::fstat(output_, &status) != 0) return;
    while (count_ < modules_.size()) {
      // COMPILED, and a size.
      std::array<std::byte, 1 + sizeof(uint64_t)> head{};
      if (::pread(output_, head.data(), head.size(), at_) != ssize_t{head.size()}) break;
      uint64_t size = 0;
      std::memcpy(&size, head.data() + 1, sizeof(size));
      auto left = static_cast<uint64_t>(status.st_size - at_) - head.size();
      if (head[0] != std::byte{COMPILED} || size > left) break;
      at_ += static_cast<off_t>(head.size() + size);
      done_ += modules_[count_++].size();
    }
    limits_.onProgress(done_, all_);
  }

 private:
  const int output_;
  const std::span<const ModuleCode> modules_;
  const CompileLimits& limits_;
  off_t at_ = 0;
  size_t count_ = 0;
  uint64_t done_ = 0, all_ = 0;
};

// Waits for the process to end; false: it had to be ended.
bool awaitEnd(pid_t process, std::optional<Clock::time_point> end, Progress& progress,
              int& status) {
  File descriptor(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
  bool inTime = true;
  const int64_t most = progress.isWanted() ? 500 : 60'000;
  while (descriptor.get() >= 0 && (end || progress.isWanted())) {
    int64_t left = most;
    if (end) left = std::chrono::ceil<std::chrono::milliseconds>(*end - Clock::now()).count();
    pollfd wait{.fd = descriptor.get(), .events = POLLIN, .revents = 0};
    int ready = ::poll(&wait, 1, static_cast<int>(std::clamp<int64_t>(left, 0, most)));
    if (ready > 0) break;
    progress.tell();
    if (ready == 0 && left <= 0) {
      ::kill(process, SIGKILL);
      inTime = false;
      break;
    }
  }
  while (::waitpid(process, &status, 0) < 0) {
    if (errno == EINTR) continue;
    status = 0;  // somebody else waits for all processes; what it wrote says how it went
    break;
  }
  return inTime;
}

std::string inUnits(uint64_t bytes) {
  constexpr uint64_t MIB = 1024 * 1024;
  return bytes >= MIB ? std::to_string(bytes / MIB) + " MiB" : std::to_string(bytes) + " bytes";
}

std::string inUnits(std::chrono::nanoseconds time) {
  double seconds = std::chrono::duration<double>(time).count();
  char text[32];
  std::snprintf(text, sizeof(text), "%.3g s", seconds);
  return text;
}

// Why the process ended early.
Error explainEnd(int status, std::string_view said, const CompileLimits& limits) {
  bool memory = said.find("memory allocation of") != std::string_view::npos ||
                said.find("bad_alloc") != std::string_view::npos ||
                said.find("Cannot allocate memory") != std::string_view::npos;
  if (limits.memory != 0 && memory) {
    return {ErrorCode::LIMIT_EXCEEDED,
            "compiling takes more memory than " + inUnits(limits.memory)};
  }
  std::string how = WIFSIGNALED(status) ? std::string("signal ") + ::strsignal(WTERMSIG(status))
                                        : "exit code " + std::to_string(WEXITSTATUS(status));
  std::string line(said.substr(0, said.find('\n')));
  return {ErrorCode::INTERNAL,
          "the compiler ended with " + how + (line.empty() ? "" : ": " + line)};
}

Result<std::vector<Module>> takeModules(const std::shared_ptr<Engine>& engine, Message output,
                                        size_t count, size_t& failed, bool& whole) {
  std::vector<Module> modules;
  whole = false;
  uint8_t kind = 0;
  while (output.number(kind)) {
    std::span<const std::byte> bytes;
    if (kind == DONE) {
      whole = modules.size() == count;
      return modules;
    }
    if (kind == COMPILED) {
      if (!output.sized(bytes)) break;
      auto module = Module::deserialize(engine, bytes);
      whole = true;
      failed = modules.size();
      // Version and settings are the same, so it does not fit the pool.
      if (!module) return Error(ErrorCode::LIMIT_EXCEEDED, module.error().message);
      whole = false;
      modules.push_back(*std::move(module));
      continue;
    }
    uint32_t code = 0;
    uint64_t hasOffset = 0, offset = 0;
    if (kind != REFUSED || !output.number(code) || !output.number(hasOffset) ||
        !output.number(offset) || !output.sized(bytes)) {
      break;
    }
    whole = true;
    failed = modules.size();
    Error error(static_cast<ErrorCode>(code),
                std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
    if (hasOffset) error.offset = offset;
    return error;
  }
  return modules;
}

Result<std::vector<Module>> compileElsewhere(const std::shared_ptr<Engine>& engine,
                                             std::span<const ModuleCode> modules,
                                             const CompileLimits& limits, size_t& failed) {
  std::optional<Clock::time_point> end;
  if (limits.timeout) end = Clock::now() + *limits.timeout;
  File input(::memfd_create("tenon-modules", MFD_CLOEXEC));
  File output(::memfd_create("tenon-code", MFD_CLOEXEC));
  File messages(::memfd_create("tenon-messages", MFD_CLOEXEC));
  if (input.get() < 0 || output.get() < 0 || messages.get() < 0) return systemError("memory");
  bool written = writeNumber(input.get(), uint64_t{modules.size()});
  for (const ModuleCode& module : modules) {
    written = written && writeSized(input.get(), module);
  }
  if (!written || ::lseek(input.get(), 0, SEEK_SET) != 0) return systemError("memory");

  std::array<std::string, 6> words = {"tenon",
                                      std::string(WORKER),
                                      engine->options().interruptible ? "1" : "0",
                                      engine->options().parallelCompilation ? "1" : "0",
                                      std::to_string(limits.memory),
                                      std::to_string(::getpid())};
  std::array<char*, words.size() + 1> arguments{};
  std::ranges::transform(words, arguments.begin(), [](std::string& word) { return word.data(); });
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, input.get(), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, output.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, messages.get(), STDERR_FILENO);
  pid_t process = 0;
  errno =
      ::posix_spawn(&process, limits.program.c_str(), &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (errno != 0) return systemError(limits.program.c_str());

  int status = 0;
  Progress progress(output.get(), modules, limits);
  if (!awaitEnd(process, end, progress, status)) {
    return Error(ErrorCode::DEADLINE, "compiling takes longer than " + inUnits(*limits.timeout));
  }
  Mapped code(output.get());
  bool whole = false;
  auto compiled = takeModules(engine, Message(code.bytes()), modules.size(), failed, whole);
  if (whole) return compiled;
  Mapped said(messages.get());
  std::string_view text(reinterpret_cast<const char*>(said.bytes().data()), said.bytes().size());
  return explainEnd(status, text, limits);
}

Result<std::vector<Module>> compileHere(const std::shared_ptr<Engine>& engine,
                                        std::span<const ModuleCode> modules, size_t& failed) {
  std::vector<Module> compiled;
  for (const ModuleCode& module : modules) {
    auto made = Module::compile(engine, module);
    if (!made) {
      failed = compiled.size();
      return std::move(made).error();
    }
    compiled.push_back(*std::move(made));
  }
  return compiled;
}

// Bytes of private memory that can be written, as RLIMIT_DATA counts them.
uint64_t dataNow() {
  std::ifstream file("/proc/self/statm");
  uint64_t pages = 0;
  for (int field = 0; field < 6; ++field) file >> pages;
  return pages * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

// A number of the command line; 0 for what is none.
uint64_t numberOf(std::string_view text) {
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// `asker`: the process that waits for it.
int work(bool interruptible, bool parallel, uint64_t memory, uint64_t asker) {
  // Nobody waits any more when whoever asked has ended, be it before this is said.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (static_cast<uint64_t>(::getppid()) != asker) return 1;
  ::signal(SIGXFSZ, SIG_DFL);
  Mapped input(STDIN_FILENO);
  EngineOptions options;
  options.allocation = Allocation::ON_DEMAND;
  options.interruptible = interruptible;
  options.parallelCompilation = parallel;
  auto engine = Engine::create(options);
  if (!engine) return 1;
  if (memory != 0) {
    rlimit most{.rlim_cur = dataNow() + memory, .rlim_max = dataNow() + memory};
    ::setrlimit(RLIMIT_DATA, &most);
    rlimit file{.rlim_cur = memory, .rlim_max = memory};
    ::setrlimit(RLIMIT_FSIZE, &file);
  }
  Message modules(input.bytes());
  uint64_t count = 0;
  if (!modules.number(count)) return 1;
  for (uint64_t i = 0; i < count; ++i) {
    std::span<const std::byte> bytes;
    if (!modules.sized(bytes)) return 1;
    auto code = [&]() -> Result<std::vector<std::byte>> {
      TENON_TRY(Module module, Module::compile(*engine, bytes));
      return module.serialize();
    }();
    bool written = false;
    if (code) {
      written = writeNumber(STDOUT_FILENO, COMPILED) && writeSized(STDOUT_FILENO, *code);
    } else {
      const Error& error = code.error();
      written = writeNumber(STDOUT_FILENO, REFUSED) &&
                writeNumber(STDOUT_FILENO, static_cast<uint32_t>(error.code)) &&
                writeNumber(STDOUT_FILENO, uint64_t{error.offset.has_value()}) &&
                writeNumber(STDOUT_FILENO, error.offset.value_or(0)) &&
                writeSized(STDOUT_FILENO, std::as_bytes(std::span(error.message)));
    }
    if (!written) return 1;
    if (!code) return 0;
  }
  return writeNumber(STDOUT_FILENO, DONE) ? 0 : 1;
}

}  // namespace

Result<std::vector<Module>> compileModules(const std::shared_ptr<Engine>& engine,
                                           std::span<const ModuleCode> modules,
                                           const CompileLimits& limits, size_t& failed) {
  for (size_t i = 0; i < modules.size(); ++i) {
    auto fine = checkComplexity(modules[i]);
    if (fine) continue;
    failed = i;
    return fine.error();
  }
  if (limits.program.empty() || modules.empty()) return compileHere(engine, modules, failed);
  return compileElsewhere(engine, modules, limits, failed);
}

std::optional<int> compileWorker(int argc, char** argv) {
  if (argc != 6 || argv[1] != WORKER) return std::nullopt;
  return work(std::string_view(argv[2]) == "1", std::string_view(argv[3]) == "1", numberOf(argv[4]),
              numberOf(argv[5]));
}

}  // namespace tenon::engine
