#include "cli/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace tenon::cli {

Result<std::string> readSmallFile(const std::string& path, uint64_t most) {
  auto refuse = [&](const std::string& why) {
    return Error(ErrorCode::INVALID_ARGUMENT, path + " cannot be read: " + why);
  };
  // A pipe with a name of its own may have nobody who writes to it: then it is empty.
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0) return refuse(std::strerror(errno));
  std::string text;
  auto read = [&]() -> Result<void> {
    struct stat info;
    if (::fstat(fd, &info) != 0) return refuse(std::strerror(errno));
    if (!S_ISREG(info.st_mode) && !S_ISFIFO(info.st_mode)) return refuse("it is no file");
    if (::fcntl(fd, F_SETFL, 0) != 0) return refuse(std::strerror(errno));
    char buffer[16384];
    while (true) {
      ssize_t count = ::read(fd, buffer, sizeof(buffer));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return refuse(std::strerror(errno));
      if (count == 0) return {};
      text.append(buffer, static_cast<size_t>(count));
      if (text.size() > most) {
        return refuse("it is larger than " + std::to_string(most >> 20) + " MiB");
      }
    }
  };
  auto done = read();
  ::close(fd);
  if (!done) return std::move(done).error();
  return text;
}

}  // namespace tenon::cli
