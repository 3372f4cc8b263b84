#include "host/server/listen.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace tenon::host {
namespace {

constexpr std::string_view UNIX = "unix:";

Error systemError(const std::string& what, int code) {
  ErrorCode kind = code == EACCES ? ErrorCode::PERMISSION : ErrorCode::IO;
  return Error(kind, what + ": " + std::strerror(code));
}

// "host:port", "[host]:port", "*:port", ":port".
Result<std::pair<std::string, std::string>> splitAddress(const std::string& address) {
  size_t colon = address.rfind(':');
  std::string host = colon == std::string::npos ? address : address.substr(0, colon);
  std::string port = colon == std::string::npos ? "" : address.substr(colon + 1);
  bool digits = !port.empty() && port.size() <= 5 &&
                port.find_first_not_of("0123456789") == std::string::npos;
  if (!digits || std::stoul(port) > 65535) {
    return Error(ErrorCode::INVALID_ARGUMENT, "'" + address +
                                                  "' is no address: write HOST:PORT, for example "
                                                  "127.0.0.1:8080, or unix:/PATH");
  }
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string::npos) {
    return Error(ErrorCode::INVALID_ARGUMENT,
                 "'" + address + "' is no address: IPv6 addresses need brackets, [::1]:8080");
  }
  return std::pair(host, port);
}

uint16_t portOf(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  }
  if (address.ss_family == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  }
  return 0;
}

bool isEverywhere(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    return reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr == htonl(INADDR_ANY);
  }
  return address.ss_family == AF_INET6 &&
         IN6_IS_ADDR_UNSPECIFIED(&reinterpret_cast<const sockaddr_in6&>(address).sin6_addr);
}

// What the socket says of itself.
Result<void> describe(Listening& listening) {
  sockaddr_storage bound{};
  socklen_t size = sizeof(bound);
  if (::getsockname(listening.fd.get(), reinterpret_cast<sockaddr*>(&bound), &size) != 0) {
    return systemError("cannot listen", errno);
  }
  if (bound.ss_family == AF_UNIX) {
    auto& name = reinterpret_cast<const sockaddr_un&>(bound);
    size_t length =
        size > offsetof(sockaddr_un, sun_path) ? size - offsetof(sockaddr_un, sun_path) : 0;
    std::string path(name.sun_path, ::strnlen(name.sun_path, length));
    listening.authority = listening.place = std::string(UNIX) + path;
    return {};
  }
  listening.port = portOf(bound);
  listening.everywhere = isEverywhere(bound);
  listening.place = addressText(reinterpret_cast<const sockaddr&>(bound));
  listening.authority =
      listening.everywhere ? "localhost:" + std::to_string(listening.port) : listening.place;
  return {};
}

Result<Listening> listenInFiles(const std::string& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(name.sun_path)) {
    return Error(ErrorCode::INVALID_ARGUMENT,
                 "'unix:" + path + "' is no address: a path has 1 to " +
                     std::to_string(sizeof(name.sun_path) - 1) + " bytes");
  }
  std::memcpy(name.sun_path, path.data(), path.size());
  std::string what = "cannot listen on unix:" + path;
  auto newSocket = []() {
    return kj::AutoCloseFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  };
  auto* address = reinterpret_cast<const sockaddr*>(&name);
  Listening result;
  result.fd = newSocket();
  if (result.fd.get() < 0) return systemError(what, errno);
  int problem = ::bind(result.fd.get(), address, sizeof(name)) == 0 ? 0 : errno;
  if (problem == EADDRINUSE) {
    // One that nobody listens on any more goes; nothing else does.
    struct stat status;
    kj::AutoCloseFd probe = newSocket();
    bool left = ::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode) &&
                ::connect(probe.get(), address, sizeof(name)) != 0 && errno == ECONNREFUSED;
    if (left && ::unlink(path.c_str()) == 0) {
      problem = ::bind(result.fd.get(), address, sizeof(name)) == 0 ? 0 : errno;
    }
  }
  if (problem == 0 && ::listen(result.fd.get(), SOMAXCONN) != 0) problem = errno;
  if (problem != 0) return systemError(what, problem);
  TENON_CHECK(describe(result));
  return result;
}

// Whether an address of IPv6 that is none stands for those of IPv4 too.
enum class Reach : uint8_t { ONE, ALL };

// One that listens; none, and `failure` is the system's error.
kj::AutoCloseFd openSocket(const addrinfo& where, Reach reach, int& failure) {
  kj::AutoCloseFd fd(::socket(where.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  int one = 1, zero = 0;
  if (fd.get() >= 0) {
    (void)::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (reach == Reach::ALL)
      (void)::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
    if (::bind(fd.get(), where.ai_addr, where.ai_addrlen) == 0 &&
        ::listen(fd.get(), SOMAXCONN) == 0) {
      return fd;
    }
  }
  failure = errno;
  return nullptr;
}

}  // namespace

std::string addressText(const sockaddr& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.sa_family == AF_INET) {
    auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
    return std::string(text) + ":" + std::to_string(ntohs(v4.sin_port));
  }
  if (address.sa_family == AF_INET6) {
    auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    std::string port = ":" + std::to_string(ntohs(v6.sin6_port));
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
      ::inet_ntop(AF_INET, v6.sin6_addr.s6_addr + 12, text, sizeof(text));
      return text + port;
    }
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
    return "[" + std::string(text) + "]" + port;
  }
  return address.sa_family == AF_UNIX ? "unix" : "";
}

SocketFile::SocketFile(std::string path) : path_(std::move(path)) {
  struct stat status;
  if (!path_.empty() && ::lstat(path_.c_str(), &status) == 0) {
    device_ = status.st_dev;
    number_ = status.st_ino;
  } else {
    path_.clear();
  }
}

SocketFile::~SocketFile() {
  struct stat status;
  if (path_.empty() || ::lstat(path_.c_str(), &status) != 0) return;
  if (status.st_dev == device_ && status.st_ino == number_) (void)::unlink(path_.c_str());
}

Result<Listening> listenOn(const std::string& address) {
  if (address.starts_with(UNIX)) return listenInFiles(address.substr(UNIX.size()));
  TENON_TRY(auto parts, splitAddress(address));
  auto& [host, port] = parts;
  bool any = host.empty() || host == "*";
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  int failure = 0;
  // For all addresses one of IPv6 takes IPv4 as well; a machine may have none.
  for (int family : any ? std::vector{AF_INET6, AF_INET} : std::vector{AF_UNSPEC}) {
    hints.ai_family = family;
    addrinfo* found = nullptr;
    int code = ::getaddrinfo(any ? nullptr : host.c_str(), port.c_str(), &hints, &found);
    if (code != 0 && family == AF_INET6) continue;
    if (code != 0) {
      return Error(ErrorCode::INVALID_ARGUMENT,
                   "cannot listen on " + address + ": " + ::gai_strerror(code));
    }
    std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, ::freeaddrinfo);
    for (addrinfo* item = found; item; item = item->ai_next) {
      Listening result;
      result.fd = openSocket(*item, any ? Reach::ALL : Reach::ONE, failure);
      if (result.fd.get() < 0) continue;
      TENON_CHECK(describe(result));
      // A name is left as it was said.
      if (!any && host.find(':') == std::string::npos) {
        result.authority = result.place = host + ":" + std::to_string(result.port);
      }
      return result;
    }
    if (failure == EADDRINUSE || failure == EACCES) break;
  }
  return systemError("cannot listen on " + address, failure);
}

Result<Listening> takeListening(int fd) {
  int listens = 0;
  socklen_t size = sizeof(listens);
  std::string what = "descriptor " + std::to_string(fd) + ", which was handed over, ";
  if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || listens == 0) {
    return Error(ErrorCode::INVALID_ARGUMENT, what + "is no socket that listens");
  }
  int own = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (own < 0) return systemError(what + "cannot be used", errno);
  Listening result;
  result.fd = kj::AutoCloseFd(own);
  int flags = ::fcntl(own, F_GETFL);
  if (flags < 0 || ::fcntl(own, F_SETFL, flags | O_NONBLOCK) != 0) {
    return systemError(what + "cannot be used", errno);
  }
  TENON_CHECK(describe(result));
  return result;
}

}  // namespace tenon::host
