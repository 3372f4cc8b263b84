#include "net/kernel_pipe.h"

#include <fcntl.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

namespace tenon::net {
namespace {

constexpr unsigned HOW = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;

// Less room than this is not worth a system call.
constexpr size_t LEAST_ROOM = 64 * 1024;

ssize_t splice(int from, int to, size_t size, unsigned how) {
  while (true) {
    ssize_t count = ::splice(from, nullptr, to, nullptr, size, how);
    if (count >= 0 || errno != EINTR) return count;
  }
}

}  // namespace

bool KernelPipe::open() {
  if (in_.get() >= 0) return true;
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return false;
  out_ = OwnedFd(ends[0]);
  in_ = OwnedFd(ends[1]);
  // Where that is refused it moves less at once.
  (void)::fcntl(in_.get(), F_SETPIPE_SZ, static_cast<int>(ROOM));
  return true;
}

void KernelPipe::clear() {
  if (size_ == 0) return;
  size_ = 0;
  in_ = nullptr;
  out_ = nullptr;
}

size_t KernelPipe::fill(int socket, size_t most) {
  clear();  // nobody gets bytes that were meant for another
  if (!open()) return 0;
  ssize_t count = splice(socket, in_.get(), std::min(most, ROOM), HOW);
  if (count > 0) size_ = static_cast<size_t>(count);
  return size_;
}

void KernelPipe::drain(int socket, bool more) {
  while (size_ > 0) {
    ssize_t count = splice(out_.get(), socket, size_, more ? HOW | SPLICE_F_MORE : HOW);
    if (count <= 0) return;
    size_ -= static_cast<size_t>(count);
  }
}

void KernelPipe::drain(std::string& to) {
  size_t begin = to.size();
  to.resize(begin + size_);
  while (size_ > 0) {
    ssize_t count = ::read(out_.get(), to.data() + (to.size() - size_), size_);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;  // cannot happen: so much was moved in
    size_ -= static_cast<size_t>(count);
  }
  to.resize(to.size() - size_);
  clear();
}

size_t roomOf(int socket) {
  uint32_t memory[SK_MEMINFO_VARS] = {};
  socklen_t size = sizeof(memory);
  if (::getsockopt(socket, SOL_SOCKET, SO_MEMINFO, memory, &size) != 0) return 0;
  uint32_t all = memory[SK_MEMINFO_SNDBUF];
  uint32_t used = memory[SK_MEMINFO_WMEM_QUEUED];
  if (used >= all || all - used < LEAST_ROOM) return 0;
  return all - used;
}

}  // namespace tenon::net
