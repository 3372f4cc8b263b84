#include "cli/process.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

namespace tenon::cli {
namespace {

std::string readAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::optional<uint64_t> number(std::string_view text) {
  uint64_t value = 0;
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// What a cpu.max says, in processors, rounded up; 0: no quota.
uint32_t processorsOfQuota(std::string_view text) {
  text = text.substr(0, text.find('\n'));
  size_t space = text.find(' ');
  if (space == std::string_view::npos) return 0;
  auto most = number(text.substr(0, space));
  auto period = number(text.substr(space + 1));
  if (!most || !period || *period == 0) return 0;  // "max 100000"
  return static_cast<uint32_t>(std::clamp<uint64_t>((*most + *period - 1) / *period, 1, 4096));
}

// Of this process's control group and of those around it; 0: no quota.
uint32_t quota() {
  constexpr std::string_view ROOT = "/sys/fs/cgroup";
  std::string groups = readAll("/proc/self/cgroup");
  size_t begin = groups.find("0::/");
  if (begin == std::string::npos) return 0;  // not version 2
  std::string path = groups.substr(begin + 3, groups.find('\n', begin) - begin - 3);
  uint32_t least = 0;
  while (true) {
    uint32_t here = processorsOfQuota(readAll(std::string(ROOT) + path + "/cpu.max"));
    if (here != 0) least = least == 0 ? here : std::min(least, here);
    size_t slash = path.rfind('/');
    if (slash == std::string::npos) return least;
    path.resize(slash);
  }
}

}  // namespace

uint32_t usableProcessors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  int count = ::sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
  auto processors = static_cast<uint32_t>(std::max(count, 1));
  uint32_t most = quota();
  return most == 0 ? processors : std::min(processors, most);
}

Result<std::vector<int>> takeHandedSockets() {
  constexpr int FIRST = 3;
  const char* whom = std::getenv("LISTEN_PID");
  const char* count = std::getenv("LISTEN_FDS");
  std::vector<int> sockets;
  if (!whom || !count || number(whom) != static_cast<uint64_t>(::getpid())) return sockets;
  auto many = number(count);
  if (!many || *many > 1024) {
    return Error(ErrorCode::INVALID_ARGUMENT,
                 "LISTEN_FDS is '" + std::string(count) + "', which is no number of sockets");
  }
  for (int fd = FIRST; fd < FIRST + static_cast<int>(*many); ++fd) {
    if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
      return Error(ErrorCode::INVALID_ARGUMENT, "LISTEN_FDS says " + std::to_string(*many) +
                                                    ", but descriptor " + std::to_string(fd) +
                                                    " is not open");
    }
    sockets.push_back(fd);
  }
  for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(name);
  return sockets;
}

}  // namespace tenon::cli
