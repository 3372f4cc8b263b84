#pragma once

// Where a file's bytes are, and how long that takes. An operation that would keep the loop, and
// with it every other guest, goes to a thread of Workers::forFiles; the guest is suspended
// meanwhile. As a thread costs more than most operations, only those go there that may take long:
// * all on a file system that another machine or process answers for (NFS, SMB, FUSE ...);
// * reads of what is not in memory (RWF_NOWAIT tells), and everything that waits for the disk
//   (sync, files opened for synchronous writing) or gives much back to it;
// * for a while all on a disk that just took long over something.

#include "call/host_call.h"
#include "call/waitable.h"
#include "net/workers.h"

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace tenon::wasi::filesystem {

// One file system of the host. Safe to use on any thread.
class Disk {
 public:
  enum class Kind : uint8_t { LOCAL, REMOTE };
  using Clock = std::chrono::steady_clock;

  explicit Disk(Kind kind) : kind_(kind) {}

  // That of an open file; `device` is its st_dev. One for each device, never destroyed.
  static Disk& of(int fd, dev_t device);

  // Whether operations go to a thread.
  bool isSlow() const {
    if (kind_ == Kind::REMOTE) return true;
    int64_t until = slowUntil_.load(std::memory_order_relaxed);
    return until != 0 && Clock::now().time_since_epoch().count() < until;
  }

  // An operation that lasted from `begin` until now.
  void report(Clock::time_point begin) {
    auto end = Clock::now();
    if (end - begin > LONG) slowUntil_ = (end + SLOW_FOR).time_since_epoch().count();
  }

  // Longer than a busy machine keeps a thread from running.
  static constexpr std::chrono::milliseconds LONG{100};
  static constexpr std::chrono::seconds SLOW_FOR{10};

 private:
  const Kind kind_;
  std::atomic<int64_t> slowUntil_ = 0;  // on `Clock`
};

// Runs `work` and tells `disk` how long it took.
template <typename Work>
auto timed(Disk& disk, Work& work) {
  auto begin = Disk::Clock::now();
  auto result = work();
  disk.report(begin);
  return result;
}

// Runs `work` on a thread while the guest is suspended. `work` owns all that it uses and returns a
// `FileResult`. When the call was cancelled, its result is dropped and the host function's is of no
// matter.
template <typename R, typename Work>
R onThread(call::HostCall& call, Disk& disk, Work work) {
  auto result = std::make_shared<std::optional<R>>();
  kj::Function<bool()> job = [&disk, result, work = std::move(work)]() mutable {
    *result = timed(disk, work);
    return true;
  };
  if (!wait(call, net::Workers::forFiles().run(kj::mv(job)).ignoreResult())) return R();
  if (!*result) {
    call.fail("no thread could be made for a file operation");
    return R();
  }
  return **std::move(result);
}

// The same, on the loop's own thread if the disk is not known to be slow.
template <typename R, typename Work>
R onDisk(call::HostCall& call, Disk& disk, Work work) {
  if (disk.isSlow()) return onThread<R>(call, disk, std::move(work));
  return timed(disk, work);
}

}  // namespace tenon::wasi::filesystem
