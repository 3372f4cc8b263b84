#include "host/host_testing.h"

#include <tenon/server.h>
#include <tenon/workload.h>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

namespace tenon::host {
namespace {

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

}  // namespace
}  // namespace tenon::host
