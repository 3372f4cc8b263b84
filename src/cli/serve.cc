#include "cli/access_log.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/guest.h"
#include "cli/options.h"
#include "cli/parse.h"
#include "cli/process.h"
#include "cli/progress.h"
#include "cli/refusals.h"
#include "cli/report.h"

#include <tenon/component.h>
#include <tenon/linker.h>
#include <tenon/server.h>
#include <tenon/text.h>
#include <tenon/workload.h>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

namespace tenon::cli {
namespace {

Result<std::string> readText(const std::string& path) {
  TENON_TRY(std::string text, readSmallFile(path));
  if (!text.empty()) return text;
  return Error(ErrorCode::INVALID_ARGUMENT, path + " cannot be read: it is empty");
}

Result<std::chrono::milliseconds> parseTime(const std::string& text) {
  TENON_TRY(auto duration, parseDuration(text));
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration);
}

// A count: CLI11's own message for what is none says little.
Result<uint32_t> parseCount(const std::string& text) {
  uint32_t count = 0;
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (problem != std::errc() || end != text.data() + text.size()) {
    return Error(ErrorCode::INVALID_ARGUMENT, "'" + text + "' is not a number");
  }
  return count;
}

// With none, the server would answer nothing.
Result<uint32_t> parsePositive(const std::string& text) {
  TENON_TRY(uint32_t count, parseCount(text));
  if (count == 0) return Error(ErrorCode::INVALID_ARGUMENT, "must be 1 or more");
  return count;
}

Result<uint32_t> parseSmallSize(const std::string& text) {
  TENON_TRY(uint64_t size, parseSize(text));
  return static_cast<uint32_t>(std::min<uint64_t>(size, UINT32_MAX));
}

// An option that sets `value` to what `parse`, a function that returns a Result, makes of its text.
template <typename Value, typename Parse>
CLI::Option* addParsed(CLI::App& command, const std::string& name, Value& value, Parse parse,
                       const std::string& description) {
  auto set = [&value, parse, name](const std::string& text) {
    auto parsed = parse(text);
    if (!parsed) throw CLI::ValidationError(name, parsed.error().text());
    value = *std::move(parsed);
  };
  return command.add_option_function<std::string>(name, set, description);
}

struct ServeOptions {
  std::string file;
  ServerOptions server;
  std::vector<std::string> addresses;
  LogFormat log = LogFormat::TEXT;
  std::string logFile = "-";
  bool plainLines = false;  // of guests
  const CLI::Option* certificate = nullptr;
  const CLI::Option* key = nullptr;

  // Lives as long as `command`.
  void addTo(CLI::App& command) {
    auto add = [&](const char* name, auto& value, const char* description) {
      return command.add_option(name, value, description);
    };
    auto addCount = [&](const char* name, uint32_t& value, const char* description) {
      addParsed(command, name, value, parsePositive, description)
          ->type_name("N")
          ->default_str(std::to_string(value));
    };
    auto addTime = [&](const char* name, std::chrono::milliseconds& value,
                       const char* description) {
      addParsed(command, name, value, parseTime, description)
          ->type_name("TIME")
          ->default_str(std::to_string(value.count() / 1000) + "s");
    };
    add("FILE", file, "The component, or a workload")->required();
    add("--addr", addresses,
        "Where to listen, any number of times; port 0: any; *:PORT: on all addresses")
        ->type_name("HOST:PORT|unix:/PATH")
        ->allow_extra_args(false)
        ->default_str(server.address);
    server.threads = usableProcessors();
    addCount("--threads", server.threads,
             "How many threads serve; default: the processors that it may use");
    addCount("--reuse", server.reuse, "How many requests an instance answers; 1: fresh ones");
    certificate = addParsed(command, "--tls-cert", server.tlsCertificate, readText,
                            "PEM file with the certificate chain: HTTPS")
                      ->type_name("FILE");
    key = addParsed(command, "--tls-key", server.tlsKey, readText, "PEM file with its key")
              ->type_name("FILE");
    add("--component", server.component, "Workloads: the component that answers")
        ->type_name("NAME");
    addParsed(command, "--max-body", server.maxBody, parseSize, "Largest body of a request: 1M, 1G")
        ->type_name("SIZE");
    addParsed(command, "--max-head", server.maxHeaderBytes, parseSmallSize,
              "Largest head of a request: 256 to 64K")
        ->type_name("SIZE")
        ->default_str(std::to_string(server.maxHeaderBytes / 1024) + "K");
    addCount("--max-headers", server.maxHeaders, "Most header fields of a request");
    addCount("--max-connections", server.maxConnections, "Most connections; then 503");
    addCount("--max-handshakes", server.maxHandshakes, "Most TLS handshakes at once; others wait");
    addCount("--max-requests", server.maxRequests, "Most requests in flight; then 503");
    addTime("--header-timeout", server.headerTimeout, "For a request's head; then 408");
    addTime("--idle-timeout", server.idleTimeout, "Between the requests of a connection");
    addTime("--stall-timeout", server.stallTimeout, "Without a byte of a body, either way");
    addTime("--shutdown-timeout", server.shutdownTimeout, "For requests after SIGTERM");
    addParsed(command, "--log", log, parseLogFormat, "The access log: text, json or none")
        ->type_name("FORMAT")
        ->default_str("text");
    add("--log-file", logFile, "Where it goes; default: standard error")->type_name("FILE");
    command.add_flag("--no-prefix", plainLines,
                     "Put no time, id or component in front of what guests write");
    group(command, "Listening", {"--addr", "--threads", "--tls-cert", "--tls-key"});
    group(command, "Serving", {"--component", "--reuse"});
    group(command, "Limits of requests and connections",
          {"--max-body", "--max-head", "--max-headers", "--max-connections", "--max-handshakes",
           "--max-requests"});
    group(command, "Patience",
          {"--header-timeout", "--idle-timeout", "--stall-timeout", "--shutdown-timeout"});
    group(command, "Log", {"--log", "--log-file", "--no-prefix"});
  }

  // A heading of the help.
  static void group(CLI::App& command, const char* heading,
                    std::initializer_list<const char*> names) {
    for (const char* name : names) command.get_option(name)->group(heading);
  }

  // Shows what holds without these options, which `guest` has added.
  void addDefaults(CLI::App& command) const {
    auto seconds = std::chrono::duration_cast<std::chrono::seconds>(*server.timeout).count();
    command.get_option("--timeout")->default_str(std::to_string(seconds) + "s");
    command.get_option("--max-memory")->default_str(std::to_string(server.maxMemory >> 30) + "G");
  }

  // Takes from a manifest what was not said: the command line beats it. `command`: whose options
  // these are. All that is wrong with it: INVALID, with the place.
  static std::vector<Error> fillFrom(const WorkloadSettings& settings, CLI::App& command) {
    std::vector<Error> problems;
    for (const WorkloadSettings::ServeOption& said : settings.serve) {
      CLI::Option* option = command.get_option_no_throw("--" + said.name);
      if (!option) {
        problems.emplace_back(ErrorCode::INTERNAL, "there is no option --" + said.name);
        continue;
      }
      if (option->count() > 0) continue;
      try {
        for (const std::string& value : said.values) option->add_result(value);
        option->run_callback();
      } catch (const CLI::ParseError& error) {
        std::string what = error.what();
        if (what.starts_with("--")) what.erase(0, 2);
        problems.emplace_back(ErrorCode::INVALID, said.place + ": " + what);
      }
    }
    return problems;
  }

  // Adds what the options of all commands that run guests say.
  Result<void> add(const GuestOptions& guest) {
    // Components of a workload have arguments of their own.
    Words arguments = Workload::isManifest(file) ? Words() : Words{file};
    TENON_TRY(InstanceOptions instance, guest.instanceOptions(std::move(arguments)));
    server.wasi = std::move(instance.wasi);
    server.wasi.input.kind = InputStream::Kind::EMPTY;
    if (instance.timeout) server.timeout = instance.timeout;
    server.maxMemory = instance.maxMemory;
    TENON_TRY(server.sockets, takeHandedSockets());
    if (!addresses.empty()) {
      server.address = addresses.front();
      server.moreAddresses.assign(addresses.begin() + 1, addresses.end());
    } else if (!server.sockets.empty()) {
      server.address.clear();
    }
    return {};
  }
};

// An error of Server::start as a person wants to read it.
Error explainStart(Error error, const ServeOptions& serve) {
  // The port is in use, there is no such component: the words of the command are to blame.
  if (error.code == ErrorCode::IO || error.code == ErrorCode::NOT_FOUND) {
    error.code = ErrorCode::INVALID_ARGUMENT;
  }
  if (error.code == ErrorCode::AMBIGUOUS) {
    error.message += ", with --component NAME or with [http.routes] in the manifest";
  }
  if (error.code == ErrorCode::MISSING_EXPORT || error.code == ErrorCode::AMBIGUOUS) {
    error.message = serve.file + ": " + error.message;
  }
  if (error.message.find("TLS") != std::string::npos && *serve.certificate && *serve.key) {
    error.details = "  certificate: " + serve.certificate->as<std::string>() +
                    "\n  key: " + serve.key->as<std::string>();
  }
  return error;
}

Result<Engine> newServerEngine(const GuestOptions& guest) {
  TENON_TRY(EngineOptions engineOptions, guest.engineOptions());
  engineOptions.pooling = true;
  return Engine::create(engineOptions);
}

// `what`: the file, as Progress shows it while it is compiled.
template <typename Served>
Result<Server> startWith(const Served& served, const std::string& what, const ServeOptions& serve,
                         AccessLog& log) {
  auto server = [&]() {
    Progress progress(what);
    return Server::start(served, serve.server);
  }();
  if (!served.warning().empty()) log.warn(served.warning());
  if (!server) return explainStart(std::move(server).error(), serve);
  return server;
}

// `workload`: absent where the file is a component.
Result<Server> startServer(const ServeOptions& serve, const Engine& engine,
                           const std::optional<Workload>& workload, AccessLog& log) {
  if (!engine.warning().empty()) {
    log.warn(engine.warning() + "; --no-cache goes without asking");
  }
  if (!engine.pooled()) log.warn("instances cannot be pooled here, each costs more");
  if (workload) return startWith(*workload, compilingText(*workload), serve, log);
  if (!serve.server.component.empty()) {
    return Error(ErrorCode::INVALID_ARGUMENT,
                 "--component is for workloads, and " + serve.file + " is no manifest");
  }
  TENON_TRY(Component component, Component::load(engine, serve.file));
  return startWith(component, compilingText(serve.file), serve, log);
}

// -- Signals --------------------------------------------------------------------------------------

// What the signal handler stops.
std::atomic<Server*> running = nullptr;
// Where it says which signal came; 0 says that the server has ended.
int signalsIn = -1;

void tell(char what) { (void)!::write(signalsIn, &what, 1); }

void onSignal(int number) {
  int before = errno;
  Server* server = running.load();
  if (server && number != SIGHUP) server->stop();
  tell(static_cast<char>(number));
  errno = before;
}

std::string countText(uint32_t count, std::string_view what) {
  return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

// Says what the server waits for; nothing when that is nothing.
void sayWhatIsLeft(const Server& server, AccessLog& log, std::string_view begin,
                   std::string_view end) {
  uint32_t requests = server.requests();
  if (requests == 0) return;
  log.say(std::string(begin) + " " + countText(requests, "request") + " on " +
          countText(server.connections(), "connection") + std::string(end));
}

// Until the server has ended: does what signals ask for, and says what it waits for meanwhile.
void obeySignals(Server& server, const ServerOptions& options, AccessLog& log, int signals) {
  constexpr int REMIND_MILLISECONDS = 5000;
  int stops = 0;
  while (true) {
    pollfd arrived{.fd = signals, .events = POLLIN, .revents = 0};
    if (::poll(&arrived, 1, stops != 0 ? REMIND_MILLISECONDS : -1) == 0) {
      sayWhatIsLeft(server, log, "still waiting for", "");
      continue;
    }
    char what = 0;
    if (::read(signals, &what, 1) != 1) continue;  // interrupted
    if (what == 0) return;
    if (what == SIGHUP) {
      log.reopen();
    } else if (++stops == 1) {
      auto seconds = std::chrono::duration<double>(options.shutdownTimeout).count();
      char patience[32];
      std::snprintf(patience, sizeof(patience), "%.4g", seconds);
      sayWhatIsLeft(server, log, "stopping: waiting for",
                    ", for at most " + std::string(patience) + "s; another signal cuts them off");
    } else {
      sayWhatIsLeft(server, log, "stopping: cutting off", "");
    }
  }
}

// `problems`: of the workload's settings, which are told with those of its links.
Result<void> allFine(const Workload& workload, std::vector<Error> problems) {
  if (problems.empty()) return {};
  Linker linker;
  linker.wasi();
  WorkloadPlan plan = workload.plan(linker);
  std::ranges::move(problems, std::back_inserter(plan.problems));
  return plan.error();
}

// `command` has the options. `opened`: gets the log.
Result<void> serveUntilStopped(CLI::App& command, ServeOptions& serve, GuestOptions& guest,
                               std::unique_ptr<AccessLog>& opened) {
  TENON_TRY(Engine engine, newServerEngine(guest));
  std::optional<Workload> workload;
  if (Workload::isManifest(serve.file)) {
    auto fill = [&command](const WorkloadSettings& settings) {
      return ServeOptions::fillFrom(settings, command);
    };
    TENON_TRY(workload, Workload::load(engine, serve.file, fill));
    TENON_CHECK(allFine(*workload, fill(workload->settings())));
    guest.fillFrom(workload->settings());
  }
  TENON_CHECK(serve.add(guest));
  auto made =
      AccessLog::open({.path = serve.logFile, .format = serve.log, .prefixes = !serve.plainLines});
  // The words of the command are to blame, not the file it serves.
  if (!made) return Error(ErrorCode::INVALID_ARGUMENT, made.error().message);
  opened = *std::move(made);
  AccessLog& log = *opened;
  if (serve.log != LogFormat::NONE) {
    serve.server.onRequest = [&log](const RequestRecord& record) { log.request(record); };
  }
  serve.server.onLine = [&log](const GuestLine& line) { return log.line(line); };
  serve.server.onWarning = [&log](const std::string& text) { log.warn(text); };
  serve.server.wasi.onRefusal = newRefusalReport(serve.server.onWarning);
  serve.server.onTick = [&log]() { log.tick(); };
  auto server = startServer(serve, engine, workload, log);
  if (!server) return std::move(server).error();
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) {
    return Error(ErrorCode::IO, std::string("signals cannot be told: ") + std::strerror(errno));
  }
  // The handler must not wait.
  (void)::fcntl(pipe[1], F_SETFL, O_NONBLOCK);
  signalsIn = pipe[1];
  running = &*server;
  for (int number : {SIGTERM, SIGINT}) std::signal(number, onSignal);
  if (serve.logFile != "-") std::signal(SIGHUP, onSignal);
  std::string places;
  for (const std::string& place : server->places()) {
    places += (places.empty() ? "" : ", ") + place;
  }
  log.say("serving " + printable(serve.file) + " on " + places);
  std::thread waiting([&server]() {
    server->wait();
    tell(0);
  });
  obeySignals(*server, serve.server, log, pipe[0]);
  waiting.join();
  running = nullptr;
  return {};
}

}  // namespace

std::vector<Error> checkServeSettings(const WorkloadSettings& settings) {
  CLI::App command;
  ServeOptions serve;
  serve.addTo(command);
  return ServeOptions::fillFrom(settings, command);
}

int serveCommand(const Words& words) {
  CLI::App command("Serves HTTP with a component that exports wasi:http/incoming-handler.",
                   "tenon serve");
  ServeOptions serve;
  GuestOptions guest;
  serve.addTo(command);
  guest.addTo(command);
  serve.addDefaults(command);
  command.footer(
      "Each request gets a fresh instance. SIGTERM and SIGINT end it: requests may finish, a "
      "second signal\ncuts them off. SIGHUP opens the log file anew. Sockets that systemd hands "
      "over are served,\nwithout --addr alone.\n"
      "Example: tenon serve --addr 127.0.0.1:8080 app.wasm");
  if (auto exit = parse(command, words)) return *exit;
  std::unique_ptr<AccessLog> log;
  auto served = serveUntilStopped(command, serve, guest, log);
  if (served) return 0;
  const Error& error = served.error();
  if (serve.log == LogFormat::JSON && !log) {
    if (auto bare = AccessLog::open({.format = LogFormat::JSON})) log = *std::move(bare);
  }
  if (serve.log == LogFormat::JSON && log) {
    log->fail(error);
  } else {
    log.reset();  // what it has to say goes first
    printError(error);
  }
  if (error.code == ErrorCode::MISSING_EXPORT) return static_cast<int>(ExitCode::CANNOT_RUN);
  return exitCodeOf(error, serve.file);
}

}  // namespace tenon::cli
