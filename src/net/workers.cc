#include "net/workers.h"

#include <pthread.h>
#include <signal.h>

#include <system_error>
#include <thread>
#include <utility>

namespace tenon::net {
namespace {

constexpr uint32_t FILE_THREADS = 16;
constexpr uint32_t NAME_THREADS = 8;

}  // namespace

Workers& Workers::forFiles() {
  static Workers* const WORKERS = new Workers(FILE_THREADS);  // never destroyed
  return *WORKERS;
}

Workers& Workers::forNames() {
  static Workers* const WORKERS = new Workers(NAME_THREADS);
  return *WORKERS;
}

void Workers::submit(kj::Function<void()> work) {
  std::unique_lock lock(state_->mutex);
  state_->work.push_back(kj::mv(work));
  bool needed = state_->work.size() > state_->idle;
  if (needed && state_->threads < state_->maxThreads) {
    // Signals are the main thread's.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, &before);
    try {
      std::thread(serve, state_).detach();
      state_->threads++;
    } catch (const std::system_error&) {
      // Those that are there have to do; without any the work cannot be done.
      if (state_->threads == 0) state_->work.pop_back();
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  state_->ready.notify_one();
}

void Workers::serve(std::shared_ptr<State> state) {
  std::unique_lock lock(state->mutex);
  while (true) {
    while (state->work.empty()) {
      state->idle++;
      state->ready.wait(lock);
      state->idle--;
    }
    auto work = kj::mv(state->work.front());
    state->work.pop_front();
    lock.unlock();
    work();
    {
      auto done = kj::mv(work);
    }  // what it owns goes before the next is taken
    lock.lock();
  }
}

}  // namespace tenon::net
