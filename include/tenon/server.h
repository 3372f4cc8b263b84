#pragma once

// An HTTP server whose requests a component answers: it exports `wasi:http/incoming-handler`.
//
//   tenon::ServerOptions options;
//   options.address = "127.0.0.1:8080";
//   auto server = tenon::Server::start(component, options).value();
//   ...
//   server.stop();
//   server.wait();
//
// Each request gets an instance of its own, unless `reuse` says otherwise, on the thread that
// accepted its connection. HTTP/1.1 and 1.0.

#include <tenon/component.h>
#include <tenon/engine.h>
#include <tenon/instance.h>
#include <tenon/prepared.h>
#include <tenon/result.h>
#include <tenon/workload.h>

#include <any>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tenon {

namespace host {
struct ServerState;
}  // namespace host

// One request, when it is over. Views live during the call that gets it.
struct RequestRecord {
  std::chrono::system_clock::time_point begin;
  std::chrono::nanoseconds duration{};
  std::string_view client;  // "127.0.0.1:53124"
  std::string_view method;  // empty when no request could be read
  std::string_view target;
  std::string_view host;
  int minorVersion = 1;
  // What was answered; 499 when the client had gone before.
  uint16_t status = 0;
  uint64_t received = 0;  // bytes of the request's body that the guest read
  uint64_t sent = 0;      // bytes of the response's body
  // Names the request: in the lines that its guest writes (GuestLine), and in the response when
  // something went wrong. Empty when no guest was asked and nothing else needed one.
  std::string_view id;
  // What went wrong, for the operator; empty when nothing did. `details` are further lines: a
  // guest's backtrace.
  std::string_view error;
  std::string_view details;
};

// What a guest wrote to a standard stream while it answered a request, up to the end of a line.
// Views live during the call that gets it.
struct GuestLine {
  enum class Stream : uint8_t { OUTPUT, ERROR };
  std::string_view id;         // of the request, as in its record
  std::string_view component;  // in a workload of several; else empty
  Stream stream = Stream::OUTPUT;
  std::string_view text;  // without the line's end; what is longer than 16 KiB comes in parts
  // It is not offered again when it is refused.
  bool last = false;
};

struct ServerOptions {
  // "127.0.0.1:8080", "[::1]:8080", "localhost:0", "*:80" or ":80" for every address of the
  // machine, "unix:/PATH" for a socket in the file system, which takes the place of one that nobody
  // listens on and goes when the server ends. Port 0: any free one. Empty: none, if there are
  // others.
  std::string address = "127.0.0.1:8080";
  std::vector<std::string> moreAddresses;
  // Sockets that listen already, as a service manager hands them over. The server takes them,
  // unless it does not start.
  std::vector<int> sockets;
  // Each accepts connections and runs the guests of its connections.
  uint32_t threads = 1;

  // PEM texts; both or none. With them the server speaks HTTPS only.
  std::string tlsCertificate;  // the chain, the server's own first
  std::string tlsKey;

  // -- What a request may take
  // Wall-clock time of the guest, its waiting included. Beyond: 504, or the end of the connection
  // when the response has begun.
  std::optional<std::chrono::nanoseconds> timeout = std::chrono::seconds(60);
  uint64_t maxMemory = uint64_t{4} << 30;  // bytes of an instance, as InstanceOptions
  uint64_t maxBody = UINT64_MAX;           // bytes; beyond: 413
  uint32_t maxHeaderBytes = 32 * 1024;     // beyond: 431
  uint32_t maxHeaders = 128;

  // -- What the server may take
  uint32_t maxConnections = 20'000;  // beyond: 503 with Retry-After, and the connection closes
  // TLS handshakes in progress, over all threads: each takes 64 KiB before anything is known of the
  // client. Beyond: clients wait, at most 10 s, and for them those who take longer than 2 s go.
  uint32_t maxHandshakes = 256;
  uint32_t maxRequests = 512;  // in flight; beyond: 503 with Retry-After

  // How many requests one instance answers, one after the other. 1: a fresh one for each.
  uint32_t reuse = 1;

  // -- Patience with clients
  std::chrono::milliseconds headerTimeout{15'000};  // for a whole head; then 408
  std::chrono::milliseconds idleTimeout{75'000};    // between requests
  std::chrono::milliseconds stallTimeout{30'000};   // without a byte of a body, either way
  std::chrono::milliseconds shutdownTimeout{30'000};

  // Of a single component. In a workload each component has its own; standard output and error are
  // these, and the component that answers a request gets the rest besides: see `give`.
  WasiOptions wasi;
  // For host functions that ask who calls (see Caller): each instance has a copy.
  std::any userData;
  // In a workload: the component that answers, whatever its routes say. Empty: the routes decide;
  // without any, the only component that exports the handler and that no other is linked to.
  std::string component;

  // These are called on the threads that serve, for which everybody waits: they must not block.
  //
  // Once per request. May be empty.
  std::function<void(const RequestRecord&)> onRequest;
  // For each line that a guest writes to its standard output or error. False: there is no room for
  // it now; the guest waits, and the line is offered again, for a second. Empty: they go where
  // `wasi` says; those for streams that are inherited line by line, each with its component's name
  // in a workload of several, and what nobody reads within a second is lost and counted.
  std::function<bool(const GuestLine&)> onLine;
  // On each thread some times a second and when it ends: to flush a log. May be empty.
  std::function<void()> onTick;
  // What the operator should know besides: connections cannot be accepted, for example. Clients can
  // cause many. May be empty.
  std::function<void(const std::string&)> onWarning;
};

// Runs on threads of its own, from `start` until it was stopped.
class Server {
 public:
  // Binds the address and starts the threads. Host functions of an embedder's own are called on
  // these threads, several at once. Errors: MISSING_EXPORT when there is no incoming-handler;
  // AMBIGUOUS when several components of a workload have one; as Prepared::instantiate;
  // INVALID_ARGUMENT for the address, certificate or key; IO when the address is in use.
  static Result<Server> start(const Prepared& prepared, const ServerOptions& options);
  // The same with WASI alone, prepared here. Errors: also as Linker::prepare.
  static Result<Server> start(const Component& component, const ServerOptions& options);
  static Result<Server> start(const Workload& workload, const ServerOptions& options);

  Server(Server&&) noexcept;
  Server& operator=(Server&&) noexcept;
  // Stops at once and waits.
  ~Server();

  // The port that is listened on: of the first address that has one, else 0.
  uint16_t port() const;
  // "http://127.0.0.1:8080": how the first address is asked from this machine; "unix:/PATH".
  const std::string& url() const;
  // All that is listened on, for people: "http://127.0.0.1:8080", "http://[::]:80 (all addresses)",
  // "unix:/PATH".
  const std::vector<std::string>& places() const;

  // Accepts no more connections, lets requests finish, then ends; requests that take longer than
  // `shutdownTimeout` are cut off. A second call cuts them off at once. Safe in signal handlers and
  // on any thread.
  void stop() noexcept;
  // Returns when it has ended.
  void wait();

  // Right now, over all threads.
  uint32_t connections() const;
  uint32_t requests() const;

 private:
  explicit Server(std::unique_ptr<host::ServerState> state);
  std::unique_ptr<host::ServerState> state_;
};

}  // namespace tenon
