#include "engine/engine_testing.h"
#include "host/host_testing.h"

#include <tenon/linker.h>
#include <tenon/prepared.h>
#include <tenon/server.h>
#include <tenon/workload.h>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tenon::host {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;

Result<Workload> site(std::vector<HttpRoute> routes) {
  return Workload::fromComponents(testEngine(), "site",
                                  {{.name = "web", .component = guest("http_web")},
                                   {.name = "hello", .component = guest("http_hello")},
                                   {.name = "cli", .component = guest("cli")}},
                                  std::move(routes));
}

ServerOptions quiet() {
  ServerOptions options;
  options.address = "127.0.0.1:0";
  return options;
}

// All that the server sends to one request that ends its connection.
std::string ask(const Server& server, const std::string& target, const std::string& host) {
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(server.port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) {
    std::string request =
        "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n";
    (void)!::write(fd, request.data(), request.size());
    char buffer[4096];
    ssize_t count = 0;
    while ((count = ::read(fd, buffer, sizeof(buffer))) > 0) {
      answer.append(buffer, static_cast<size_t>(count));
    }
  }
  ::close(fd);
  return answer;
}

TEST(Servers, RouteRequestsToTheComponentsOfAWorkload) {
  auto workload = site({{"/", "web"}, {"/hello", "hello"}, {"*.test/x", "hello"}});
  ASSERT_TRUE(workload) << textOf(workload.error());
  EXPECT_EQ(workload->routes().size(), 3u);
  auto server = Server::start(*workload, quiet());
  ASSERT_TRUE(server) << textOf(server.error());
  EXPECT_THAT(ask(*server, "/", "a"), HasSubstr("Hello from the web"));
  EXPECT_THAT(ask(*server, "/hello?q", "a"), HasSubstr("Hello, world!"));
  EXPECT_THAT(ask(*server, "/x/y", "shop.test:80"), HasSubstr("Hello, world!"));
  EXPECT_THAT(ask(*server, "/x/y", "test"), HasSubstr("404"));
  server->stop();
  server->wait();
  EXPECT_EQ(server->requests(), 0u);
  EXPECT_EQ(server->connections(), 0u);
}

TEST(Servers, SendAllRequestsToOneComponentThatIsNamed) {
  auto workload = site({{"/x", "web"}});
  ASSERT_TRUE(workload) << textOf(workload.error());
  ServerOptions options = quiet();
  options.component = "hello";
  auto server = Server::start(*workload, options);
  ASSERT_TRUE(server) << textOf(server.error());
  EXPECT_THAT(ask(*server, "/", "a"), HasSubstr("Hello, world!"));
}

TEST(Servers, RefuseAComponentThatCannotAnswerBeforeTheyCompile) {
  // Its core module is not valid, which compiling finds.
  Component broken =
      Component::fromBytes(testEngine(),
                           engine::testing::wasm("(component (core module (func (result i32))))"))
          .value();
  Workload workload = Workload::fromComponents(testEngine(), "site",
                                               {{.name = "web", .component = guest("http_hello")},
                                                {.name = "broken", .component = broken}})
                          .value();
  auto errorOf = [&](const std::string& component) {
    ServerOptions options = quiet();
    options.component = component;
    auto server = Server::start(workload, options);
    return server ? std::string("it started") : textOf(server.error());
  };
  EXPECT_EQ(errorOf("wep"), "there is no component 'wep'; did you mean 'web'?\n  web\n  broken");
  EXPECT_THAT(errorOf("broken"), HasSubstr("component 'broken' does not export wasi:http/"));
  EXPECT_THAT(errorOf("web"), HasSubstr("type mismatch"));
}

TEST(Servers, RefuseRoutesToComponentsThatAnswerNoRequests) {
  auto workload = site({{"/", "web"}, {"/run", "cli"}});
  ASSERT_TRUE(workload) << textOf(workload.error());
  auto server = Server::start(*workload, quiet());
  ASSERT_FALSE(server);
  EXPECT_THAT(server.error().message, HasSubstr("route '/run': component 'cli' answers no"));
}

TEST(Servers, RefuseRoutesThatCannotBe) {
  auto errorOf = [](std::vector<HttpRoute> routes) {
    auto workload = site(std::move(routes));
    return workload ? std::string() : workload.error().message;
  };
  EXPECT_THAT(errorOf({{"a:80", "web"}}), HasSubstr("is no route"));
  EXPECT_THAT(errorOf({{"/a", "web"}, {"/a/", "hello"}}), HasSubstr("two routes '/a/'"));
  EXPECT_THAT(errorOf({{"/a", "wep"}}), HasSubstr("there is no component 'wep'"));
}

// -- Where guests' lines go

// This process's standard error, until the end of it.
class ErrorPipe {
 public:
  ErrorPipe() : before_(::dup(STDERR_FILENO)) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    read_ = ends[0];
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[1]);
  }
  ~ErrorPipe() {
    end();
    ::close(read_);
  }
  ErrorPipe(const ErrorPipe&) = delete;
  ErrorPipe& operator=(const ErrorPipe&) = delete;

  // All that was written to it; nothing more is.
  std::string end() {
    if (before_ < 0) return {};
    ::dup2(before_, STDERR_FILENO);
    ::close(std::exchange(before_, -1));
    std::string text;
    char buffer[4096];
    ssize_t count = 0;
    while ((count = ::read(read_, buffer, sizeof(buffer))) > 0) {
      text.append(buffer, static_cast<size_t>(count));
    }
    return text;
  }

 private:
  int before_;
  int read_ = -1;
};

TEST(Servers, WriteLinesOfGuestsWhoseStreamsAreInherited) {
  auto workload = site({{"/", "web"}});
  ASSERT_TRUE(workload) << textOf(workload.error());
  ServerOptions options = quiet();
  options.wasi.error.kind = OutputStream::Kind::INHERIT;
  std::string captured;
  options.wasi.output.kind = OutputStream::Kind::CAPTURE;
  options.wasi.output.capture = [&](std::span<const std::byte> bytes) {
    captured.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  ErrorPipe error;
  {
    auto server = Server::start(*workload, options);
    ASSERT_TRUE(server) << textOf(server.error());
    EXPECT_THAT(ask(*server, "/stdout", "a"), HasSubstr("written"));
  }
  EXPECT_THAT(error.end(), HasSubstr("web | to stderr\n"));
  EXPECT_THAT(captured, HasSubstr("web | to stdout\n"));
}

TEST(Servers, DoNotWaitForWhoReadsLinesOfGuests) {
  ServerOptions options = quiet();
  options.wasi.error.kind = OutputStream::Kind::INHERIT;
  options.timeout = std::chrono::seconds(20);
  ErrorPipe error;
  {
    auto server = Server::start(guest("http_web"), options);
    ASSERT_TRUE(server) << textOf(server.error());
    // Some ten times of what a pipe holds; the second finds it full.
    for (int i = 0; i < 2; ++i) {
      EXPECT_THAT(ask(*server, "/print?n=10000", "a"), HasSubstr("200 OK"));
    }
  }
  EXPECT_THAT(error.end(), ::testing::StartsWith("line 0 x"));
}

// -- With functions and resources of an embedder's own

// Exports tenon:greeter/greeting, whose answer is the number of a new ticket.
constexpr std::string_view COUNTER = R"((component
  (import "demo:host/tickets" (instance $tickets
    (export "ticket" (type $ticket (sub resource)))
    (export "[constructor]ticket" (func (result (own $ticket))))
    (export "[method]ticket.number" (func (param "self" (borrow $ticket)) (result u32)))))
  (alias export $tickets "ticket" (type $ticket))
  (core module $Memory
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
  (core instance $memory (instantiate $Memory))
  (core func $new (canon lower (func $tickets "[constructor]ticket")))
  (core func $number (canon lower (func $tickets "[method]ticket.number")))
  (core func $drop (canon resource.drop $ticket))
  (core module $Main
    (import "own" "memory" (memory 1))
    (import "host" "new" (func $new (result i32)))
    (import "host" "number" (func $number (param i32) (result i32)))
    (import "host" "drop" (func $drop (param i32)))
    (func (export "get") (param i32 i32) (result i32)
      (local $ticket i32)
      (local.set $ticket (call $new))
      (i32.store8 (i32.const 16) (i32.add (i32.const 0x30) (call $number (local.get $ticket))))
      (call $drop (local.get $ticket))
      (i32.store (i32.const 8) (i32.const 16))
      (i32.store (i32.const 12) (i32.const 1))
      (i32.const 8)))
  (core instance $main (instantiate $Main
    (with "own" (instance $memory))
    (with "host" (instance
      (export "new" (func $new)) (export "number" (func $number)) (export "drop" (func $drop))))))
  (func $get (param "path" string) (result string)
    (canon lift (core func $main "get") (memory (core memory $memory "memory"))
      (realloc (core func $memory "realloc"))))
  (instance $greeting (export "get" (func $get)))
  (export "tenon:greeter/greeting@0.1.0" (instance $greeting))))";

constexpr const char* GREETING = "tenon:greeter/greeting@0.1.0";

// A server of `http_front`, which answers with the greeting that `linker` provides.
Server serveFront(Linker& linker, const ServerOptions& options) {
  return Server::start(linker.prepare(guest("http_front")).value(), options).value();
}

TEST(Servers, AnswerWithFunctionsOfTheEmbedders) {
  Linker linker;
  linker.wasi();
  std::atomic<int> calls = 0;
  linker.function(GREETING, "get", [&calls](std::string_view path) {
    ++calls;
    return "the embedder says " + std::string(path);
  });
  ServerOptions options = quiet();
  options.threads = 2;
  Server server = serveFront(linker, options);
  for (int i = 1; i <= 4; ++i) {
    EXPECT_THAT(ask(server, "/", "a"), HasSubstr("the embedder says /"));
    EXPECT_EQ(calls, i);
  }
}

TEST(Servers, GiveEachInstanceACopyOfTheUserData) {
  Linker linker;
  linker.wasi();
  linker.function(GREETING, "get", [](const Caller& caller, std::string_view) {
    int* data = caller.userData<int>();
    return data ? "number " + std::to_string((*data)++) : std::string("no data");
  });
  ServerOptions options = quiet();
  options.userData = 7;
  Server server = serveFront(linker, options);
  EXPECT_THAT(ask(server, "/", "a"), HasSubstr("number 7"));
  EXPECT_THAT(ask(server, "/", "a"), HasSubstr("number 7"));
}

TEST(Servers, AnswerWithResourcesOfTheEmbedders) {
  constexpr const char* TICKETS = "demo:host/tickets";
  class Ticket;
  Linker linker;
  linker.wasi();
  std::atomic<uint32_t> made = 0, dropped = 0;
  std::mutex asking;
  std::set<std::string> callers;
  linker.resource(TICKETS, "ticket", [&dropped](uint32_t) { ++dropped; });
  linker.function(TICKETS, "[constructor]ticket", [&](const Caller& caller) {
    std::lock_guard lock(asking);
    callers.emplace(caller.component());
    return Own<Ticket>{++made};
  });
  linker.function(TICKETS, "[method]ticket.number",
                  [](Borrow<Ticket> ticket) { return ticket.rep; });
  Component counter = Component::fromBytes(testEngine(), engine::testing::wasm(COUNTER)).value();
  Workload workload = Workload::fromComponents(testEngine(), "tickets",
                                               {{.name = "web", .component = guest("http_front")},
                                                {.name = "counter", .component = counter}})
                          .value();
  auto prepared = linker.prepare(workload);
  ASSERT_TRUE(prepared) << textOf(prepared.error());
  ServerOptions options = quiet();
  options.threads = 2;
  auto server = Server::start(*prepared, options);
  ASSERT_TRUE(server) << textOf(server.error());
  for (int i = 1; i <= 4; ++i) {
    EXPECT_THAT(ask(*server, "/", "a"), EndsWith("\r\n" + std::to_string(i)));
  }
  server->stop();
  server->wait();
  EXPECT_EQ(dropped, 4u);
  EXPECT_THAT(callers, ElementsAre("counter"));
}

TEST(Servers, RefusePreparedComponentsThatAnswerNoRequests) {
  Linker linker;
  linker.wasi();
  auto server = Server::start(linker.prepare(guest("cli")).value(), quiet());
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().code, ErrorCode::MISSING_EXPORT);
  EXPECT_THAT(server.error().message, HasSubstr("the component does not export wasi:http/"));
}

}  // namespace
}  // namespace tenon::host
