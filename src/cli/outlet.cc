#include "cli/outlet.h"

#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>
#include <utility>

namespace tenon::cli {
namespace {

using std::chrono::milliseconds;

// So long lines are collected, so that not each of them costs a write, unless there are many.
constexpr milliseconds COLLECTED{20};
constexpr size_t MANY = 32 * 1024;
// How long the end waits for a reader.
constexpr milliseconds LAST_PATIENCE{1000};
// For a descriptor that does not block: how often it is looked whether the end has come.
constexpr int LOOK_MILLISECONDS = 100;

}  // namespace

bool isSameFile(int one, int other) {
  if (one == other) return true;
  struct stat first, second;
  return ::fstat(one, &first) == 0 && ::fstat(other, &second) == 0 &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino &&
         first.st_rdev == second.st_rdev;
}

struct Outlet::State {
  State(int fd, Options options) : options(std::move(options)), fd(fd) {}

  void run();
  // Writes all of it, unless that fails or the end has come. Without the lock.
  void write(std::string_view text);
  void openAnew();
  void fail(int problem);

  const Options options;
  mutable std::mutex mutex;
  std::condition_variable work;
  std::condition_variable done;
  std::string waiting;     // guarded by mutex
  size_t writing = 0;      // guarded by mutex: bytes that the thread has taken
  uint64_t lost = 0;       // guarded by mutex: lines, since it was last said
  bool wantsAnew = false;  // guarded by mutex
  std::string behind;      // guarded by mutex: what is for the file that is opened anew
  bool ending = false;     // guarded by mutex
  bool ended = false;      // guarded by mutex
  bool abandoned = false;  // guarded by mutex: nothing of `options` may be called any more
  std::thread thread;

  // Of the thread alone.
  int fd;
  bool failing = false;
};

Outlet::Outlet(int fd, Options options) : state_(std::make_shared<State>(fd, std::move(options))) {
  // Signals are for the others.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  state_->thread = std::thread([state = state_]() { state->run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Outlet::~Outlet() {
  std::unique_lock lock(state_->mutex);
  state_->ending = true;
  state_->work.notify_all();
  bool ended = state_->done.wait_for(lock, LAST_PATIENCE, [this]() { return state_->ended; });
  state_->abandoned = !ended;
  lock.unlock();
  if (ended) {
    state_->thread.join();
    if (state_->options.open) ::close(state_->fd);
  } else {
    state_->thread.detach();  // it is in a write that does not end
  }
}

bool Outlet::add(std::string_view lines, Lines kind) {
  State& state = *state_;
  std::lock_guard lock(state.mutex);
  std::string& to = state.wantsAnew ? state.behind : state.waiting;
  size_t room = kind == Lines::RARE ? ROOM_FOR_RARE : ROOM;
  if (state.waiting.size() + state.behind.size() + state.writing + lines.size() > room) {
    state.lost += static_cast<uint64_t>(std::max<ptrdiff_t>(1, std::ranges::count(lines, '\n')));
    return false;
  }
  size_t before = to.size();
  if (state.lost != 0) to += state.options.describeLoss(std::exchange(state.lost, 0));
  to += lines;
  if (before == 0 || (before < MANY && to.size() >= MANY)) state.work.notify_one();
  return true;
}

bool Outlet::hasRoom() const {
  std::lock_guard lock(state_->mutex);
  return state_->waiting.size() + state_->behind.size() + state_->writing < ROOM / 2;
}

void Outlet::reopen() {
  if (!state_->options.open) return;
  std::lock_guard lock(state_->mutex);
  state_->wantsAnew = true;
  state_->work.notify_one();
}

void Outlet::State::run() {
  std::unique_lock lock(mutex);
  while (true) {
    auto hasWork = [this]() { return !waiting.empty() || wantsAnew || ending; };
    work.wait(lock, hasWork);
    work.wait_for(lock, COLLECTED,
                  [this]() { return waiting.size() >= MANY || wantsAnew || ending; });
    if (waiting.empty() && lost != 0) waiting = options.describeLoss(std::exchange(lost, 0));
    if (!waiting.empty()) {
      std::string text = std::exchange(waiting, {});
      writing = text.size();
      lock.unlock();
      write(text);
      lock.lock();
      writing = 0;
      if (abandoned) return;
      continue;
    }
    if (wantsAnew) {
      lock.unlock();
      openAnew();
      lock.lock();
      wantsAnew = false;
      waiting = std::exchange(behind, {});
      continue;
    }
    if (ending) break;
  }
  ended = true;
  done.notify_all();
}

void Outlet::State::write(std::string_view text) {
  while (!text.empty()) {
    // What several processes write to one pipe stays whole up to PIPE_BUF bytes.
    size_t size = std::min<size_t>(text.size(), PIPE_BUF);
    size_t end = text.substr(0, size).rfind('\n');
    if (end != std::string_view::npos) size = end + 1;
    ssize_t count = ::write(fd, text.data(), size);
    if (count > 0) {
      failing = false;
      text.remove_prefix(static_cast<size_t>(count));
      continue;
    }
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      // Somebody made the file behind it one that does not block.
      pollfd room{.fd = fd, .events = POLLOUT, .revents = 0};
      int ready = ::poll(&room, 1, LOOK_MILLISECONDS);
      std::lock_guard lock(mutex);
      if (ready == 0 && ending) return;
      continue;
    }
    fail(errno);
    return;
  }
}

void Outlet::State::fail(int problem) {
  std::lock_guard lock(mutex);
  if (std::exchange(failing, true) || abandoned || !options.onFailure) return;
  options.onFailure(problem);
}

void Outlet::State::openAnew() {
  int opened = options.open();
  if (opened < 0) return fail(errno);
  ::close(std::exchange(fd, opened));
  failing = false;
}

}  // namespace tenon::cli
