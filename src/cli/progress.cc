#include "cli/progress.h"

#include "cli/report.h"

#include <tenon/text.h>

#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>
#include <utility>

namespace tenon::cli {

std::string sizeText(uint64_t bytes) {
  constexpr uint64_t MIB = 1024 * 1024;
  char text[32];
  if (bytes >= MIB) {
    std::snprintf(text, sizeof(text), "%.4g MiB",
                  static_cast<double>(bytes) / static_cast<double>(MIB));
  } else {
    std::snprintf(text, sizeof(text), "%.4g KiB", static_cast<double>(bytes) / 1024);
  }
  return text;
}

std::string compilingText(const std::string& file) {
  std::string text = "compiling " + printable(file, Lines::ONE, MOST_OF_A_NAME);
  struct stat info;
  if (::stat(file.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return text;
  return text + " (" + sizeText(static_cast<uint64_t>(info.st_size)) + ")";
}

std::string compilingText(const Workload& workload) {
  uint64_t bytes = 0;
  for (const WorkloadComponent& component : workload.components()) {
    struct stat info;
    if (::stat(component.component.name().c_str(), &info) == 0 && S_ISREG(info.st_mode)) {
      bytes += static_cast<uint64_t>(info.st_size);
    }
  }
  size_t count = workload.components().size();
  return "compiling " + printable(workload.name(), Lines::ONE, MOST_OF_A_NAME) + " (" +
         std::to_string(count) + (count == 1 ? " component, " : " components, ") + sizeText(bytes) +
         ")";
}

namespace {

// Of what is compiled now; 0: nothing can be said.
std::atomic<uint32_t> percent = 0;

}  // namespace

void showCompiled(uint64_t done, uint64_t all) {
  percent = all == 0
                ? 0
                : static_cast<uint32_t>(static_cast<double>(done) * 100 / static_cast<double>(all));
}

struct Progress::State {
  explicit State(std::string what) : what(std::move(what)), thread([this]() { run(); }) {}
  ~State() {
    {
      std::lock_guard lock(mutex);
      done = true;
    }
    changed.notify_one();
    thread.join();
  }

  void run() {
    // Most of what is compiled takes less, and then nothing flickers.
    constexpr auto STEP = std::chrono::seconds(1);
    std::unique_lock lock(mutex);
    for (int seconds = 1; !changed.wait_for(lock, STEP, [this]() { return done; }); ++seconds) {
      std::string share = percent == 0 ? "" : ", " + std::to_string(percent) + " %";
      show(what + ", " + std::to_string(seconds) + " s" + share);
      isShown = true;
    }
    if (isShown) show("");
  }

  // In one line of the terminal, over what was there. Empty: nothing.
  static void show(std::string text) {
    winsize size{};
    size_t columns = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
    constexpr std::string_view NAME = "tenon: ";
    if (!text.empty()) text.insert(0, NAME);
    // Of what is too long the middle goes: a file's name and the time are at the end.
    constexpr std::string_view GAP = "...";
    constexpr size_t HEAD = 17;  // "tenon: compiling "
    if (columns > HEAD + GAP.size() && text.size() >= columns) {
      size_t tail = columns - 1 - HEAD - GAP.size();
      text = text.substr(0, HEAD) + std::string(GAP) + text.substr(text.size() - tail);
    } else if (columns > 0 && text.size() >= columns) {
      text.resize(columns - 1);
    }
    std::string line = "\r" + text + "\x1b[K";
    (void)!::write(STDERR_FILENO, line.data(), line.size());
  }

  const std::string what;
  std::mutex mutex;
  std::condition_variable changed;
  bool done = false;     // guarded by mutex
  bool isShown = false;  // the thread's
  std::thread thread;    // last: uses everything above
};

// A dumb terminal cannot take a line back.
Progress::Progress(const std::string& what) {
  percent = 0;
  if (canMove(STDERR_FILENO)) state_ = std::make_unique<State>(what);
}
Progress::~Progress() = default;

}  // namespace tenon::cli
