#include "host/component.h"
#include "host/prepared.h"
#include "host/server/listen.h"
#include "host/server/worker.h"
#include "host/workload.h"

#include <tenon/linker.h>
#include <tenon/prepared.h>
#include <tenon/server.h>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/random.h>
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
  std::vector<std::string> places;
  std::deque<SocketFile> files;
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

Error systemError(const std::string& what, int code) {
  ErrorCode kind = code == EACCES ? ErrorCode::PERMISSION : ErrorCode::IO;
  return Error(kind, what + ": " + std::strerror(code));
}

Result<void> checkOptions(const ServerOptions& options) {
  auto refuse = [](const char* why) { return Error(ErrorCode::INVALID_ARGUMENT, why); };
  if (options.threads == 0 || options.threads > 256) return refuse("threads must be 1 to 256");
  if (options.reuse == 0) return refuse("reuse must be at least 1");
  if (options.maxHandshakes == 0) return refuse("there must be room for a TLS handshake");
  if (options.maxHeaderBytes < 256 || options.maxHeaderBytes > http::Wire::ROOM) {
    return refuse("the largest head of a request must be 256 bytes to 64 KiB");
  }
  if (options.tlsCertificate.empty() != options.tlsKey.empty()) {
    return refuse("a TLS certificate needs its key, and a key its certificate");
  }
  return {};
}

// Who answers which requests. Errors: as Server::start, also when nobody does.
Result<std::vector<HttpRoute>> chooseRoutes(const WorkloadPlan& plan,
                                            const ServerOptions& options) {
  if (!options.component.empty()) {
    TENON_TRY(const PlannedComponent* chosen, plan.find(options.component));
    if (chosen->answers) return std::vector<HttpRoute>{{"/", chosen->name}};
    return noHandler("component '" + chosen->name + "' does not export");
  }
  if (!plan.routes.empty()) return plan.routes;
  // A component by itself has no name; HttpHandler::of says what it lacks.
  if (plan.components.front().name.empty()) return std::vector<HttpRoute>{{"/", ""}};
  TENON_TRY(std::string only, findHttpHandler(plan));
  return std::vector<HttpRoute>{{"/", std::move(only)}};
}

// Sets who answers which requests.
Result<void> addHandlers(ServerShared& shared, const Prepared& prepared) {
  const ServerOptions& options = shared.options;
  TENON_TRY(std::vector<HttpRoute> routes, chooseRoutes(prepared.plan(), options));
  std::vector<std::string> names;  // in the order of the handlers
  for (const HttpRoute& route : routes) {
    TENON_TRY(auto pattern, link::parseRoute(route.match));
    auto at = std::ranges::find(names, route.component);
    shared.routes.add(std::move(pattern), static_cast<size_t>(at - names.begin()));
    if (at != names.end()) continue;
    TENON_TRY(auto handler,
              HttpHandler::of(PreparedState::shared(prepared), route.component, options));
    shared.handlers.push_back(std::move(handler));
    names.push_back(route.component);
  }
  return {};
}

// `files`: gets those that are made.
Result<std::vector<Listening>> listenAll(const ServerOptions& options,
                                         std::deque<SocketFile>& files) {
  std::vector<Listening> all;
  for (int fd : options.sockets) {
    TENON_TRY(Listening taken, takeListening(fd));
    all.push_back(std::move(taken));
  }
  std::vector<std::string> addresses = options.moreAddresses;
  if (!options.address.empty()) addresses.insert(addresses.begin(), options.address);
  for (const std::string& address : addresses) {
    TENON_TRY(Listening made, listenOn(address));
    if (made.isFile()) files.emplace_back(made.place.substr(made.place.find(':') + 1));
    all.push_back(std::move(made));
  }
  if (all.empty()) return Error(ErrorCode::INVALID_ARGUMENT, "there is no address to listen on");
  for (int fd : options.sockets) ::close(fd);
  return all;
}

Result<std::unique_ptr<ServerState>> startServer(const Prepared& prepared,
                                                 const ServerOptions& options) {
  auto state = std::make_unique<ServerState>();
  state->shared.options = options;
  TENON_CHECK(addHandlers(state->shared, prepared));
  if (::getrandom(&state->shared.idSeed, sizeof(state->shared.idSeed), 0) < 0) {
    return systemError("getrandom", errno);
  }
  TENON_TRY(std::vector<Listening> listening, listenAll(options, state->files));
  std::string scheme = options.tlsKey.empty() ? "http://" : "https://";
  for (const Listening& one : listening) {
    std::string prefix = one.isFile() ? "" : scheme;
    if (state->url.empty()) state->url = prefix + one.authority;
    if (state->port == 0) state->port = one.port;
    state->places.push_back(prefix + one.place + (one.everywhere ? " (all addresses)" : ""));
  }

  auto duplicate = [](int fd) { return kj::AutoCloseFd(::fcntl(fd, F_DUPFD_CLOEXEC, 0)); };
  std::deque<std::vector<kj::AutoCloseFd>> listeners(options.threads);
  std::deque<kj::AutoCloseFd> workerStops;
  for (auto& ofWorker : listeners) {
    for (const Listening& one : listening) {
      ofWorker.push_back(duplicate(one.fd.get()));
      if (ofWorker.back().get() < 0) return systemError("cannot start the server", errno);
    }
    kj::AutoCloseFd stop(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (stop.get() < 0) return systemError("cannot start the server", errno);
    workerStops.push_back(duplicate(stop.get()));
    if (workerStops.back().get() < 0) return systemError("cannot start the server", errno);
    state->stopFds.push_back(kj::mv(stop));
  }
  std::deque<std::promise<Result<void>>> readiness(options.threads);
  std::deque<std::promise<bool>> go(options.threads);
  for (uint32_t i = 0; i < options.threads; ++i) {
    std::vector<int> sockets;
    for (kj::AutoCloseFd& fd : listeners[i]) sockets.push_back(fd.release());
    state->threads.emplace_back([&shared = state->shared, sockets = std::move(sockets),
                                 stop = workerStops[i].release(), &ready = readiness[i],
                                 begin = go[i].get_future()]() mutable {
      std::vector<kj::AutoCloseFd> owned;
      for (int fd : sockets) owned.emplace_back(fd);
      Worker worker(shared, std::move(owned), kj::AutoCloseFd(stop));
      auto result = worker.prepare();
      bool ok = result.ok();
      ready.set_value(std::move(result));
      if (begin.get() && ok) worker.run();
    });
  }
  Result<void> failure;
  for (auto& one : readiness) {
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

Result<Server> Server::start(const Prepared& prepared, const ServerOptions& options) {
  TENON_CHECK(host::checkOptions(options));
  TENON_TRY(auto state, host::startServer(prepared, options));
  return Server(std::move(state));
}

Result<Server> Server::start(const Component& component, const ServerOptions& options) {
  TENON_CHECK(host::checkOptions(options));
  TENON_CHECK(host::checkHandles(component));  // what cannot serve need not be compiled
  Linker linker;
  linker.wasi();
  TENON_TRY(Prepared prepared, linker.prepare(component));
  return start(prepared, options);
}

Result<Server> Server::start(const Workload& workload, const ServerOptions& options) {
  TENON_CHECK(host::checkOptions(options));
  Linker linker;
  linker.wasi();
  WorkloadPlan plan = workload.plan(linker);
  if (!plan.ok()) return plan.error();
  TENON_TRY([[maybe_unused]] auto routes, host::chooseRoutes(plan, options));
  TENON_TRY(Prepared prepared, linker.prepare(workload));
  return start(prepared, options);
}

uint16_t Server::port() const { return state_->port; }
const std::string& Server::url() const { return state_->url; }
const std::vector<std::string>& Server::places() const { return state_->places; }
void Server::stop() noexcept { state_->stop(); }
void Server::wait() { state_->wait(); }
uint32_t Server::connections() const { return state_->shared.connections.load(); }
uint32_t Server::requests() const { return state_->shared.requests.load(); }

}  // namespace tenon
