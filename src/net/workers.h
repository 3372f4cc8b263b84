#pragma once

// A small pool of threads for what may block: files on slow disks, name look-ups. Shared by all
// threads; lives as long as the process, because a thread that hangs in the kernel cannot be
// joined.

#include <kj/async.h>
#include <kj/function.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>

namespace tenon::net {

class Workers {
 public:
  // The pools of this process. Apart, so that slow names do not stop files.
  static Workers& forFiles();
  static Workers& forNames();

  // At most so many threads, each made when work would have to wait for one.
  explicit Workers(uint32_t maxThreads) : state_(std::make_shared<State>(maxThreads)) {}

  // Whether less work waits than is worth the memory. Who may give up waiting, as a guest's streams
  // do, asks first: what waits behind threads that hang is not taken back.
  bool hasRoom() const {
    std::lock_guard lock(state_->mutex);
    return state_->work.size() < MAX_WAITING;
  }

  // Runs `work` on a thread of the pool; `work` owns all that it uses. The promise belongs to the
  // caller's loop; dropping it leaves `work` running, and its result is dropped.
  template <typename T>
  kj::Promise<T> run(kj::Function<T()> work) {
    auto paf = kj::newPromiseAndCrossThreadFulfiller<T>();
    submit([work = kj::mv(work), fulfiller = kj::mv(paf.fulfiller)]() mutable {
      fulfiller->rejectIfThrows([&]() { fulfiller->fulfill(work()); });
    });
    return kj::mv(paf.promise);
  }

 private:
  static constexpr size_t MAX_WAITING = 8192;

  struct State {
    explicit State(uint32_t maxThreads) : maxThreads(maxThreads) {}
    const uint32_t maxThreads;
    std::mutex mutex;
    std::condition_variable ready;
    std::deque<kj::Function<void()>> work;
    uint32_t threads = 0;
    uint32_t idle = 0;
  };

  void submit(kj::Function<void()> work);
  static void serve(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;  // shared with the threads, which may outlive this object
};

}  // namespace tenon::net
