#include "host/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

namespace tenon::host {
namespace {

Error fileError(const std::string& path, int code) {
  ErrorCode kind = code == ENOENT || code == ENOTDIR ? ErrorCode::NOT_FOUND
                   : code == EACCES || code == EPERM ? ErrorCode::PERMISSION
                                                     : ErrorCode::IO;
  return Error(kind, path + ": " + std::strerror(code));
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

bool namesDescriptor(std::string_view path) {
  return path == "/dev/stdin" || path.starts_with("/dev/fd/") || path.starts_with("/proc/self/fd/");
}

const char* kindOf(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

}  // namespace

Result<std::vector<std::byte>> readFile(const std::string& path, Pipes pipes, uint64_t most) {
  // A pipe that nobody writes to would hold the opening, too.
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (file.get() < 0) return fileError(path, errno);
  struct stat info;
  if (::fstat(file.get(), &info) != 0) return fileError(path, errno);
  if (S_ISFIFO(info.st_mode) && pipes == Pipes::BY_DESCRIPTOR && namesDescriptor(path)) {
    if (::fcntl(file.get(), F_SETFL, 0) != 0) return fileError(path, errno);
  } else if (!S_ISREG(info.st_mode)) {
    return Error(ErrorCode::IO, path + ": this is " + kindOf(info.st_mode) + ", not a file");
  }
  auto tooLarge = [&] {
    uint64_t mebibytes = most >> 20;
    return Error(ErrorCode::LIMIT_EXCEEDED,
                 path + ": larger than " +
                     (mebibytes >= 1024 ? std::to_string(mebibytes >> 10) + " GiB"
                                        : std::to_string(mebibytes) + " MiB"));
  };
  if (static_cast<uint64_t>(info.st_size) > most) return tooLarge();
  std::vector<std::byte> bytes(static_cast<size_t>(info.st_size));
  size_t have = 0;
  while (true) {
    // One byte more than expected shows whether a pipe, or a file that grows, has more.
    if (have == bytes.size()) {
      if (have > most) return tooLarge();
      bytes.resize(have + (have == static_cast<size_t>(info.st_size) ? 1 : 65536));
    }
    ssize_t count = ::read(file.get(), bytes.data() + have, bytes.size() - have);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fileError(path, errno);
    if (count == 0) break;
    have += static_cast<size_t>(count);
  }
  bytes.resize(have);
  return bytes;
}

}  // namespace tenon::host
