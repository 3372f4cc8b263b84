// A closed-loop HTTP client: so many connections, one request at a time on each, for so long.
//   tenon_http_load PORT [--connections N] [--seconds S] [--path PATH] [--idle N] [--echo BYTES]
// Prints one line of JSON: requests per second, latency percentiles in microseconds, errors. With
// --idle it opens so many connections instead, sends a request on each and leaves them open. With
// --echo it sends one request with so many bytes, takes as many from the response at the same time,
// and prints the seconds. That takes the client little time: it copies none of the content.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  uint16_t port = 0;
  int connections = 32;
  int idle = 0;
  uint64_t echo = 0;
  double seconds = 5;
  std::string path = "/";
};

struct Connection {
  int fd = -1;
  std::string response;
  Clock::time_point sent;
};

int connectTo(uint16_t port) {
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    std::perror("connect");
    std::exit(1);
  }
  int one = 1;
  (void)::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  return fd;
}

// How long the response in `text` is; 0: not all is there yet.
size_t responseSize(std::string_view text) {
  size_t end = text.find("\r\n\r\n");
  if (end == std::string_view::npos) return 0;
  std::string head(text.substr(0, end + 2));
  std::transform(head.begin(), head.end(), head.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  });
  size_t length = head.find("\r\ncontent-length: ");
  if (length != std::string::npos) {
    size_t size = end + 4 + std::strtoull(head.c_str() + length + 18, nullptr, 10);
    return text.size() >= size ? size : 0;
  }
  // Chunked: the bodies here are one chunk or a few, and hold no "0\r\n\r\n" themselves.
  size_t last = text.find("0\r\n\r\n", end + 4);
  return last == std::string_view::npos ? 0 : last + 5;
}

// Sends on one connection and reads the response to its end; false when it failed.
bool exchange(int fd, const std::string& request) {
  std::string response;
  char buffer[4096];
  if (::write(fd, request.data(), request.size()) != static_cast<ssize_t>(request.size())) {
    return false;
  }
  while (responseSize(response) == 0) {
    ssize_t count = ::read(fd, buffer, sizeof(buffer));
    if (count <= 0) return false;
    response.append(buffer, static_cast<size_t>(count));
  }
  return true;
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    std::string_view word = argv[i];
    const char* value = i + 1 < argc ? argv[i + 1] : "";
    if (word == "--connections") {
      options.connections = std::atoi(value);
    } else if (word == "--idle") {
      options.idle = std::atoi(value);
    } else if (word == "--echo") {
      options.echo = std::strtoull(value, nullptr, 10);
    } else if (word == "--seconds") {
      options.seconds = std::atof(value);
    } else if (word == "--path") {
      options.path = value;
    } else {
      options.port = static_cast<uint16_t>(std::atoi(argv[i]));
      continue;
    }
    ++i;
  }
  return options;
}

// So many bytes are read where a chunk's size is expected.
constexpr size_t SIZE_LINE = 16;

// Takes a response apart while it arrives, and counts the bytes of its body.
class BodyCounter {
 public:
  // False: this is no good response.
  bool take(std::string_view bytes) {
    while (!bytes.empty() && !done_) {
      if (left_ > 0) {
        uint64_t count = std::min<uint64_t>(left_, bytes.size());
        left_ -= count;
        total_ += count;
        bytes.remove_prefix(count);
        if (left_ == 0 && !chunked_) done_ = true;
        continue;
      }
      line_ += bytes.front();
      bytes.remove_prefix(1);
      if (inHead_ ? line_.ends_with("\r\n\r\n") : line_.size() > 2 && line_.ends_with("\r\n")) {
        if (!takeLine()) return false;
      }
    }
    return true;
  }
  bool done() const { return done_; }
  uint64_t total() const { return total_; }
  // How many of the next bytes are content and nothing else; `skip` counts those that were not
  // looked at.
  uint64_t left() const { return left_; }
  void skip(uint64_t count) {
    left_ -= count;
    total_ += count;
    if (left_ == 0 && !chunked_) done_ = true;
  }

 private:
  // A head, or the size of a chunk.
  bool takeLine() {
    std::string line = std::exchange(line_, {});
    if (!inHead_) {
      left_ = std::strtoull(line.c_str() + (line.starts_with("\r\n") ? 2 : 0), nullptr, 16);
      done_ = left_ == 0;  // what follows is of no interest
      return true;
    }
    inHead_ = false;
    if (!line.starts_with("HTTP/1.1 200")) return false;
    std::transform(line.begin(), line.end(), line.begin(), [](unsigned char c) {
      return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    });
    size_t length = line.find("\r\ncontent-length: ");
    chunked_ = length == std::string::npos;
    if (!chunked_) left_ = std::strtoull(line.c_str() + length + 18, nullptr, 10);
    return true;
  }

  std::string line_;
  bool inHead_ = true;
  bool chunked_ = false;
  bool done_ = false;
  uint64_t left_ = 0;  // of the body, or of the chunk
  uint64_t total_ = 0;
};

// One request with so many bytes, whose response has them again. The program's exit code.
int echo(const Options& options) {
  int fd = connectTo(options.port);
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
  std::string head = "POST " + options.path + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " +
                     std::to_string(options.echo) + "\r\n\r\n";
  if (::write(fd, head.data(), head.size()) != static_cast<ssize_t>(head.size())) return 1;
  // Neither side's content is copied here: what goes out is one file's pages, of what comes only
  // heads and sizes are looked at. The server should be what is measured.
  constexpr size_t MOST = size_t{1} << 20;
  int block = ::memfd_create("block", MFD_CLOEXEC);
  std::vector<char> buffer(MOST, 'x');
  if (::write(block, buffer.data(), MOST) != static_cast<ssize_t>(MOST)) return 1;
  BodyCounter counter;
  uint64_t left = options.echo;
  auto begin = Clock::now();
  while (!counter.done()) {
    pollfd ready{.fd = fd, .events = static_cast<short>(POLLIN | (left > 0 ? POLLOUT : 0))};
    if (::poll(&ready, 1, 30'000) <= 0) {
      std::printf("nothing came for 30 s\n");
      return 1;
    }
    if ((ready.revents & POLLOUT) != 0) {
      off_t from = 0;
      ssize_t count = ::sendfile(fd, block, &from, std::min<uint64_t>(left, MOST));
      if (count > 0) left -= static_cast<uint64_t>(count);
    }
    if ((ready.revents & ~POLLOUT) == 0) continue;
    while (!counter.done()) {
      bool content = counter.left() > 0;
      size_t wanted = content ? std::min<uint64_t>(counter.left(), MOST) : SIZE_LINE;
      ssize_t count = ::recv(fd, buffer.data(), wanted, content ? MSG_TRUNC : 0);
      if (count < 0 && errno == EAGAIN) break;
      bool good = count > 0;
      if (good && content) {
        counter.skip(static_cast<uint64_t>(count));
      } else if (good) {
        good = counter.take({buffer.data(), static_cast<size_t>(count)});
      }
      if (!good) {
        std::printf("the response broke off\n");
        return 1;
      }
    }
  }
  if (counter.total() != options.echo) {
    std::printf("the response has %llu bytes\n", static_cast<unsigned long long>(counter.total()));
    return 1;
  }
  double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  std::printf("{\"seconds\": %.4f}\n", seconds);
  return 0;
}

double percentile(const std::vector<float>& sorted, double part) {
  if (sorted.empty()) return 0;
  auto index = static_cast<size_t>(part * static_cast<double>(sorted.size() - 1));
  return sorted[index];
}

}  // namespace

int main(int argc, char** argv) {
  Options options = parse(argc, argv);
  if (options.port == 0) {
    std::fprintf(stderr, "usage: tenon_http_load PORT [--connections N] [--seconds S]\n");
    return 2;
  }
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &files);

  if (options.echo > 0) return echo(options);
  std::string request =
      "GET " + options.path + " HTTP/1.1\r\nHost: localhost\r\nUser-Agent: load\r\n\r\n";
  for (int i = 0; i < options.idle; ++i) {
    if (!exchange(connectTo(options.port), request)) {
      std::fprintf(stderr, "connection %d failed\n", i);
      return 1;
    }
  }
  if (options.idle > 0) {
    std::printf("{\"idle\": %d}\n", options.idle);
    std::fflush(stdout);
    (void)std::getchar();  // until the caller has looked
    return 0;
  }

  int poll = ::epoll_create1(EPOLL_CLOEXEC);
  std::vector<Connection> connections(static_cast<size_t>(options.connections));
  auto send = [&](Connection& connection) {
    connection.sent = Clock::now();
    connection.response.clear();
    return ::write(connection.fd, request.data(), request.size()) ==
           static_cast<ssize_t>(request.size());
  };
  for (Connection& connection : connections) {
    connection.fd = connectTo(options.port);
    ::fcntl(connection.fd, F_SETFL, O_NONBLOCK);
    epoll_event event{.events = EPOLLIN, .data = {.ptr = &connection}};
    ::epoll_ctl(poll, EPOLL_CTL_ADD, connection.fd, &event);
  }
  std::vector<float> latencies;
  latencies.reserve(4'000'000);
  uint64_t errors = 0;
  for (Connection& connection : connections) errors += send(connection) ? 0 : 1;
  auto warm = Clock::now() + std::chrono::milliseconds(300);
  auto begin = warm;
  auto end = warm + std::chrono::duration_cast<Clock::duration>(
                        std::chrono::duration<double>(options.seconds));
  char buffer[65536];
  epoll_event events[256];
  while (true) {
    int count = ::epoll_wait(poll, events, 256, 100);
    auto now = Clock::now();
    if (now >= end) break;
    for (int i = 0; i < count; ++i) {
      auto& connection = *static_cast<Connection*>(events[i].data.ptr);
      ssize_t size = ::read(connection.fd, buffer, sizeof(buffer));
      if (size < 0 && errno == EAGAIN) continue;
      if (size <= 0) {
        ++errors;
        ::epoll_ctl(poll, EPOLL_CTL_DEL, connection.fd, nullptr);
        ::close(connection.fd);
        continue;
      }
      connection.response.append(buffer, static_cast<size_t>(size));
      if (responseSize(connection.response) == 0) continue;
      if (!connection.response.starts_with("HTTP/1.1 200")) ++errors;
      auto done = Clock::now();
      if (done >= begin) {
        latencies.push_back(
            std::chrono::duration<float, std::micro>(done - connection.sent).count());
      }
      errors += send(connection) ? 0 : 1;
    }
  }
  double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  std::sort(latencies.begin(), latencies.end());
  std::printf(
      "{\"requests_per_second\": %.0f, \"p50_us\": %.0f, \"p99_us\": %.0f, \"errors\": %llu}\n",
      static_cast<double>(latencies.size()) / seconds, percentile(latencies, 0.5),
      percentile(latencies, 0.99), static_cast<unsigned long long>(errors));
  return errors == 0 ? 0 : 1;
}
