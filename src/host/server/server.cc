#include "host/server/worker.h"

#include <tenon/server.h>

#include <fcntl.h>
#include <netdb.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <future>
#include <mutex>
#include <thread>
#include <utility>

namespace tenon {
namespace host {

struct ServerState {
  ServerShared shared;
  uint16_t port = 0;
  std::string url;
  std::vector<kj::AutoCloseFd> stopFds;  // a worker each, which has a copy
  std::mutex joining;
  std::vector<std::thread> threads;  // guarded by `joining`

  ~ServerState() {
    stop();
    stop();
    wait();
  }
  void stop() noexcept {
    uint64_t one = 1;
    for (const kj::AutoCloseFd& fd : stopFds) (void)!::write(fd.get(), &one, sizeof(one));
  }
  void wait() {
    std::lock_guard lock(joining);
    for (std::thread& thread : threads) thread.join();
    threads.clear();
  }
};

namespace {

struct Listening {
  kj::AutoCloseFd fd;
  uint16_t port = 0;
  std::string host;  // as a URL has it
};

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
    return Error(ErrorCode::INVALID_ARGUMENT,
                 "'" + address + "' is no address: write HOST:PORT, for example 127.0.0.1:8080");
  }
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string::npos) {
    return Error(ErrorCode::INVALID_ARGUMENT,
                 "'" + address + "' is no address: IPv6 addresses need brackets, [::1]:8080");
  }
  return std::pair(host, port);
}

Result<Listening> listenOn(const std::string& address) {
  TENON_TRY(auto parts, splitAddress(address));
  auto& [host, port] = parts;
  bool any = host.empty() || host == "*";
  addrinfo hints{};
  hints.ai_family = any ? AF_INET6 : AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  int code = ::getaddrinfo(any ? nullptr : host.c_str(), port.c_str(), &hints, &found);
  if (code != 0 && any) {  // a machine without IPv6
    hints.ai_family = AF_INET;
    code = ::getaddrinfo(nullptr, port.c_str(), &hints, &found);
  }
  if (code != 0) {
    return Error(ErrorCode::INVALID_ARGUMENT,
                 "cannot listen on " + address + ": " + ::gai_strerror(code));
  }
  std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, ::freeaddrinfo);
  int failure = 0;
  for (addrinfo* item = found; item; item = item->ai_next) {
    int raw = ::socket(item->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (raw < 0) {
      failure = errno;
      continue;
    }
    kj::AutoCloseFd fd(raw);
    int one = 1, zero = 0;
    (void)::setsockopt(raw, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (any) (void)::setsockopt(raw, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
    if (::bind(raw, item->ai_addr, item->ai_addrlen) != 0 || ::listen(raw, SOMAXCONN) != 0) {
      failure = errno;
      continue;
    }
    sockaddr_storage bound{};
    socklen_t size = sizeof(bound);
    if (::getsockname(raw, reinterpret_cast<sockaddr*>(&bound), &size) != 0) {
      failure = errno;
      continue;
    }
    char number[8] = "";
    (void)::getnameinfo(reinterpret_cast<sockaddr*>(&bound), size, nullptr, 0, number,
                        sizeof(number), NI_NUMERICSERV);
    Listening result;
    result.fd = kj::mv(fd);
    result.port = static_cast<uint16_t>(std::stoul(number));
    result.host = any ? "localhost" : host.find(':') == std::string::npos ? host : "[" + host + "]";
    return result;
  }
  return systemError("cannot listen on " + address, failure);
}

Result<void> checkOptions(const ServerOptions& options) {
  auto refuse = [](const char* why) { return Error(ErrorCode::INVALID_ARGUMENT, why); };
  if (options.threads == 0 || options.threads > 256) return refuse("threads must be 1 to 256");
  if (options.reuse == 0) return refuse("reuse must be at least 1");
  if (options.maxHeaderBytes < 256 || options.maxHeaderBytes > wasi::http::Wire::ROOM) {
    return refuse("the largest head of a request must be 256 bytes to 64 KiB");
  }
  if (options.tlsCertificate.empty() != options.tlsKey.empty()) {
    return refuse("a TLS certificate needs its key, and a key its certificate");
  }
  return {};
}

// What answers, and which requests.
struct Fronts {
  std::vector<std::shared_ptr<const Blueprint>> blueprints;
  link::RouteTable routes;
};

Result<Fronts> frontsOf(const Component& component, const ServerOptions& options) {
  Fronts fronts;
  TENON_TRY(auto blueprint, Blueprint::of(component, options));
  fronts.blueprints.push_back(std::move(blueprint));
  fronts.routes.add({}, 0);
  return fronts;
}

Result<Fronts> frontsOf(const Workload& workload, const ServerOptions& options) {
  Fronts fronts;
  std::vector<std::string> names;  // in the order of the blueprints
  if (!options.component.empty()) names.push_back(options.component);
  if (!options.component.empty() || workload.routes().empty()) {
    fronts.routes.add({}, 0);
  } else {
    for (const HttpRoute& route : workload.routes()) {
      auto at = std::ranges::find(names, route.component);
      TENON_TRY(auto pattern, link::parseRoute(route.match));
      fronts.routes.add(std::move(pattern), static_cast<size_t>(at - names.begin()));
      if (at == names.end()) names.push_back(route.component);
    }
  }
  TENON_TRY(fronts.blueprints, Blueprint::of(workload, options, std::move(names)));
  return fronts;
}

Result<std::unique_ptr<ServerState>> startServer(Fronts fronts, const ServerOptions& options) {
  TENON_TRY(Listening listening, listenOn(options.address));
  auto state = std::make_unique<ServerState>();
  state->shared.options = options;
  state->shared.fronts = std::move(fronts.blueprints);
  state->shared.routes = std::move(fronts.routes);
  if (::getrandom(&state->shared.idSeed, sizeof(state->shared.idSeed), 0) < 0) {
    return systemError("getrandom", errno);
  }
  state->port = listening.port;
  state->url = (options.tlsKey.empty() ? "http://" : "https://") + listening.host + ":" +
               std::to_string(listening.port);

  std::deque<kj::AutoCloseFd> listeners, workerStops;
  for (uint32_t i = 0; i < options.threads; ++i) {
    int listener = ::fcntl(listening.fd.get(), F_DUPFD_CLOEXEC, 0);
    if (listener < 0) return systemError("cannot start the server", errno);
    listeners.emplace_back(listener);
    int stop = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (stop < 0) return systemError("cannot start the server", errno);
    state->stopFds.emplace_back(stop);
    int workerStop = ::fcntl(stop, F_DUPFD_CLOEXEC, 0);
    if (workerStop < 0) return systemError("cannot start the server", errno);
    workerStops.emplace_back(workerStop);
  }
  std::deque<std::promise<Result<void>>> prepared(options.threads);
  std::deque<std::promise<bool>> go(options.threads);
  for (uint32_t i = 0; i < options.threads; ++i) {
    state->threads.emplace_back([&shared = state->shared, listener = listeners[i].release(),
                                 stop = workerStops[i].release(), &ready = prepared[i],
                                 begin = go[i].get_future()]() mutable {
      Worker worker(shared, kj::AutoCloseFd(listener), kj::AutoCloseFd(stop));
      auto result = worker.prepare();
      bool ok = result.ok();
      ready.set_value(std::move(result));
      if (begin.get() && ok) worker.run();
    });
  }
  Result<void> failure;
  for (auto& one : prepared) {
    auto result = one.get_future().get();
    if (!result && failure) failure = std::move(result);
  }
  for (auto& one : go) one.set_value(failure.ok());
  if (!failure) return std::move(failure).error();
  return state;
}

}  // namespace
}  // namespace host

Server::Server(std::unique_ptr<host::ServerState> state) : state_(std::move(state)) {}
Server::Server(Server&&) noexcept = default;
Server& Server::operator=(Server&&) noexcept = default;
Server::~Server() = default;

Result<Server> Server::start(const Component& component, const ServerOptions& options) {
  TENON_CHECK(host::checkOptions(options));
  TENON_TRY(auto fronts, host::frontsOf(component, options));
  TENON_TRY(auto state, host::startServer(std::move(fronts), options));
  return Server(std::move(state));
}

Result<Server> Server::start(const Workload& workload, const ServerOptions& options) {
  TENON_CHECK(host::checkOptions(options));
  TENON_TRY(auto fronts, host::frontsOf(workload, options));
  TENON_TRY(auto state, host::startServer(std::move(fronts), options));
  return Server(std::move(state));
}

uint16_t Server::port() const { return state_->port; }
const std::string& Server::url() const { return state_->url; }
void Server::stop() noexcept { state_->stop(); }
void Server::wait() { state_->wait(); }
uint32_t Server::connections() const { return state_->shared.connections.load(); }
uint32_t Server::requests() const { return state_->shared.requests.load(); }

}  // namespace tenon
