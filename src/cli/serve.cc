#include "cli/access_log.h"
#include "cli/commands.h"
#include "cli/guest.h"
#include "cli/options.h"
#include "cli/parse.h"
#include "cli/report.h"

#include <tenon/component.h>
#include <tenon/server.h>
#include <tenon/workload.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <utility>

namespace tenon::cli {
namespace {

struct ServeOptions {
  std::string file;
  std::string address = "127.0.0.1:8080";
  uint32_t threads = 1;
  uint32_t reuse = 1;
  std::string certificate;
  std::string key;
  std::string component;
  std::string maxBody;
  std::string maxHeaderBytes;
  uint32_t maxHeaders = 128;
  uint32_t maxConnections = 20'000;
  uint32_t maxRequests = 512;
  std::string headerTimeout;
  std::string idleTimeout;
  std::string stallTimeout;
  std::string shutdownTimeout;
  std::string log = "text";
  std::string logFile = "-";

  void addTo(CLI::App& command) {
    command.add_option("FILE", file, "The component, or a workload")->required();
    command.add_option("--addr", address, "Where to listen; port 0: any")->type_name("HOST:PORT");
    command.add_option("--threads", threads, "How many threads serve")->type_name("N");
    command.add_option("--reuse", reuse, "How many requests an instance answers (1: fresh ones)")
        ->type_name("N");
    command.add_option("--tls-cert", certificate, "PEM file with the certificate chain: HTTPS")
        ->type_name("FILE");
    command.add_option("--tls-key", key, "PEM file with its key")->type_name("FILE");
    command.add_option("--component", component, "Workloads: the component that answers")
        ->type_name("NAME");
    command.add_option("--max-body", maxBody, "Largest body of a request: 1M, 1G")
        ->type_name("SIZE");
    command.add_option("--max-head", maxHeaderBytes, "Largest head of a request: 8K to 64K")
        ->type_name("SIZE");
    command.add_option("--max-headers", maxHeaders, "Most header fields of a request")
        ->type_name("N");
    command.add_option("--max-connections", maxConnections, "Most connections; then 503")
        ->type_name("N");
    command.add_option("--max-requests", maxRequests, "Most requests in flight; then 503")
        ->type_name("N");
    command.add_option("--header-timeout", headerTimeout, "For a request's head; then 408")
        ->type_name("TIME");
    command.add_option("--idle-timeout", idleTimeout, "Between the requests of a connection")
        ->type_name("TIME");
    command.add_option("--stall-timeout", stallTimeout, "Without a byte of a body, either way")
        ->type_name("TIME");
    command.add_option("--shutdown-timeout", shutdownTimeout, "For requests after SIGTERM")
        ->type_name("TIME");
    command.add_option("--log", log, "The access log: text, json or none")->type_name("FORMAT");
    command.add_option("--log-file", logFile, "Where it goes; default: standard error")
        ->type_name("FILE");
  }
};

Result<std::string> readText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), {});
  if (!file) return Error(ErrorCode::INVALID_ARGUMENT, path + " cannot be read");
  return text;
}

Result<void> setTime(std::chrono::milliseconds& time, const std::string& text) {
  if (text.empty()) return {};
  TENON_TRY(auto duration, parseDuration(text));
  time = std::chrono::duration_cast<std::chrono::milliseconds>(duration);
  return {};
}

Result<ServerOptions> serverOptions(const ServeOptions& serve, const GuestOptions& guest) {
  ServerOptions options;
  TENON_TRY(InstanceOptions instance, guest.instanceOptions({serve.file}));
  options.wasi = std::move(instance.wasi);
  options.wasi.input.kind = InputStream::Kind::EMPTY;
  if (instance.timeout) options.timeout = instance.timeout;
  options.maxMemory = instance.maxMemory;
  options.address = serve.address;
  options.threads = serve.threads;
  options.reuse = serve.reuse;
  options.component = serve.component;
  options.maxHeaders = serve.maxHeaders;
  options.maxConnections = serve.maxConnections;
  options.maxRequests = serve.maxRequests;
  if (!serve.certificate.empty()) {
    TENON_TRY(options.tlsCertificate, readText(serve.certificate));
  }
  if (!serve.key.empty()) {
    TENON_TRY(options.tlsKey, readText(serve.key));
  }
  if (!serve.maxBody.empty()) {
    TENON_TRY(options.maxBody, parseSize(serve.maxBody));
  }
  if (!serve.maxHeaderBytes.empty()) {
    TENON_TRY(uint64_t size, parseSize(serve.maxHeaderBytes));
    options.maxHeaderBytes = static_cast<uint32_t>(std::min<uint64_t>(size, UINT32_MAX));
  }
  TENON_CHECK(setTime(options.headerTimeout, serve.headerTimeout));
  TENON_CHECK(setTime(options.idleTimeout, serve.idleTimeout));
  TENON_CHECK(setTime(options.stallTimeout, serve.stallTimeout));
  TENON_CHECK(setTime(options.shutdownTimeout, serve.shutdownTimeout));
  return options;
}

Result<Server> startServer(const ServeOptions& serve, const GuestOptions& guest,
                           const ServerOptions& options) {
  TENON_TRY(EngineOptions engineOptions, guest.engineOptions());
  engineOptions.pooling = true;
  TENON_TRY(Engine engine, Engine::create(engineOptions));
  if (!engine.warning().empty()) warn(engine.warning() + "; --no-cache goes without asking");
  if (!engine.pooled()) warn("instances cannot be pooled here, each costs more");
  if (!Workload::isManifest(serve.file)) {
    TENON_TRY(Component component, Component::load(engine, serve.file));
    return Server::start(component, options);
  }
  TENON_TRY(Workload workload, Workload::load(engine, serve.file));
  return Server::start(workload, options);
}

// What the signal handler stops.
std::atomic<Server*> running = nullptr;

void onSignal(int) {
  if (Server* server = running.load()) server->stop();
}

Result<void> serveUntilStopped(const ServeOptions& serve, const GuestOptions& guest) {
  TENON_TRY(ServerOptions options, serverOptions(serve, guest));
  TENON_TRY(LogFormat format, parseLogFormat(serve.log));
  TENON_TRY(auto log, AccessLog::open(serve.logFile, format));
  if (format != LogFormat::NONE) {
    options.onRequest = [&log](const RequestRecord& record) { log->add(record); };
    options.onTick = [&log]() { log->flush(); };
  }
  options.onWarning = [](const std::string& text) { warn(text); };
  auto server = startServer(serve, guest, options);
  if (!server) {
    Error error = std::move(server).error();
    if (error.code == ErrorCode::IO) error.code = ErrorCode::INVALID_ARGUMENT;  // 125
    return error;
  }
  running = &*server;
  std::signal(SIGTERM, onSignal);
  std::signal(SIGINT, onSignal);
  std::fprintf(stderr, "tenon: serving %s on %s\n", serve.file.c_str(), server->url().c_str());
  server->wait();
  running = nullptr;
  return {};
}

}  // namespace

int serveCommand(const Words& words) {
  CLI::App command("Serves HTTP with a component that exports wasi:http/incoming-handler.",
                   "tenon serve");
  ServeOptions serve;
  GuestOptions guest;
  serve.addTo(command);
  guest.addTo(command);
  command.footer(
      "Each request gets a fresh instance. SIGTERM and SIGINT end it: requests may finish, a "
      "second "
      "signal\ncuts them off.\n"
      "Example: tenon serve --addr 127.0.0.1:8080 app.wasm");
  if (auto exit = parse(command, words)) return *exit;
  auto served = serveUntilStopped(serve, guest);
  if (served) return 0;
  int exit = report(served.error());
  return served.error().code == ErrorCode::MISSING_EXPORT ? static_cast<int>(ExitCode::CANNOT_RUN)
                                                          : exit;
}

}  // namespace tenon::cli
