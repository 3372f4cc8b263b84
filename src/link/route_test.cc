#include "link/route.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <utility>

namespace tenon::link {
namespace {

RouteTable tableOf(std::initializer_list<const char*> routes) {
  RouteTable table;
  size_t index = 0;
  for (const char* route : routes) table.add(parseRoute(route).value(), index++);
  return table;
}

TEST(Route, IsAHostOrAPathOrBoth) {
  EXPECT_EQ(parseRoute("/").value(), (RoutePattern{"", false, ""}));
  EXPECT_EQ(parseRoute("/api/").value(), (RoutePattern{"", false, "/api"}));
  EXPECT_EQ(parseRoute("Shop.Example.com").value(), (RoutePattern{"shop.example.com", false, ""}));
  EXPECT_EQ(parseRoute("*.example.com/a/b").value(), (RoutePattern{"example.com", true, "/a/b"}));
  EXPECT_EQ(parseRoute("[::1]/x").value(), (RoutePattern{"::1", false, "/x"}));
}

TEST(Route, RefusesWhatCanMatchNothing) {
  for (const char* text : {"", "http://a/", "a:80/", "*", "*.", "a*b/", "::1/", "[x]/", "/a?b",
                           "/a#b", "/a b", "/\xc3\xa4", ".a", "a..b", "*.[::1]/"}) {
    auto pattern = parseRoute(text);
    EXPECT_FALSE(pattern) << text;
    if (!pattern) EXPECT_NE(pattern.error().message.find("is no route"), std::string::npos);
  }
}

TEST(Route, LongestPathWinsAndSegmentsAreWhole) {
  RouteTable table = tableOf({"/", "/api", "/api/v2"});
  const std::pair<const char*, size_t> expected[] = {
      {"/", 0},        {"/apis", 0}, {"/api", 1}, {"/api?x=/y", 1}, {"/api/v2/things", 2},
      {"/api/v20", 1}, {"*", 0}};
  for (auto [target, route] : expected) EXPECT_EQ(table.find("a", target), route) << target;
}

TEST(Route, WithoutOneThatFitsThereIsNone) {
  RouteTable table = tableOf({"/api", "example.com/x"});
  EXPECT_FALSE(table.find("a", "/"));
  EXPECT_FALSE(table.find("example.com", "/y"));
  EXPECT_TRUE(table.find("example.com", "/x"));
  EXPECT_FALSE(RouteTable().find("a", "/"));
}

TEST(Route, TheHostThatSaysMostWins) {
  RouteTable table = tableOf(
      {"/long/path", "*.com/", "*.example.com", "shop.example.com", "shop.example.com/api"});
  EXPECT_EQ(table.find("other.org", "/long/path"), 0u);
  EXPECT_EQ(table.find("example.com", "/long/path"), 1u);
  EXPECT_EQ(table.find("a.b.example.com", "/long/path"), 2u);
  EXPECT_EQ(table.find("SHOP.example.com:8080", "/long/path"), 3u);
  EXPECT_EQ(table.find("shop.example.com.", "/api"), 4u);
  EXPECT_EQ(table.find("user@shop.example.com:1", "/api/"), 4u);
  EXPECT_EQ(table.find("badexample.com", "/"), 1u);
}

TEST(Route, AddressesMatchWithoutTheirBrackets) {
  RouteTable table = tableOf({"[::1]", "127.0.0.1"});
  EXPECT_EQ(table.find("[::1]:80", "/"), 0u);
  EXPECT_EQ(table.find("[::1", "/"), 0u);  // whatever a client sends
  EXPECT_EQ(table.find("127.0.0.1:80", "/"), 1u);
  EXPECT_FALSE(table.find("", "/"));
}

}  // namespace
}  // namespace tenon::link
