#include "engine/file.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace tenon::engine {

Error ioError(const std::string& what, const std::string& path, int code) {
  return Error(code == ENOENT ? ErrorCode::NOT_FOUND : ErrorCode::IO,
               "cannot " + what + " " + path + ": " + std::strerror(code));
}

int writeAll(int descriptor, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    if (count == 0) return EIO;
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
  return 0;
}

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

int File::close() { return ::close(std::exchange(descriptor_, -1)) == 0 ? 0 : errno; }

}  // namespace tenon::engine
