#include "http/policy.h"

#include <gtest/gtest.h>

namespace tenon::http {
namespace {

bool allows(std::vector<std::string> grants, std::string_view authority, bool secure = false) {
  auto target = parseAuthority(authority, secure);
  EXPECT_TRUE(target) << authority;
  return target && Allowed::parse(grants).value().allows(*target);
}

TEST(HttpPolicy, AllowsNothingByDefault) { EXPECT_FALSE(allows({}, "example.com")); }

TEST(HttpPolicy, AllowsAHostOnThePortsOfItsSchemes) {
  EXPECT_TRUE(allows({"example.com"}, "EXAMPLE.com"));
  EXPECT_TRUE(allows({"Example.com"}, "example.com", true));
  EXPECT_TRUE(allows({"example.com"}, "example.com:443", true));
  EXPECT_FALSE(allows({"example.com"}, "example.com:8080"));
  EXPECT_FALSE(allows({"example.com"}, "www.example.com"));
  EXPECT_FALSE(allows({"example.com"}, "example.com.evil.org"));
}

TEST(HttpPolicy, AllowsSchemesAndPorts) {
  EXPECT_TRUE(allows({"https://example.com"}, "example.com", true));
  EXPECT_FALSE(allows({"https://example.com"}, "example.com"));
  EXPECT_TRUE(allows({"example.com:8080"}, "example.com:8080"));
  EXPECT_FALSE(allows({"example.com:8080"}, "example.com"));
  EXPECT_TRUE(allows({"example.com:*"}, "example.com:1234"));
  EXPECT_TRUE(allows({"[::1]:80"}, "[::1]"));
}

TEST(HttpPolicy, WildcardsStandForNamesBelow) {
  EXPECT_TRUE(allows({"*.example.com"}, "a.b.example.com"));
  EXPECT_FALSE(allows({"*.example.com"}, "example.com"));
  EXPECT_FALSE(allows({"*.example.com"}, "badexample.com"));
  EXPECT_TRUE(allows({"*"}, "anything.org"));
  EXPECT_TRUE(allows({"*"}, "anything.org", true));
  EXPECT_FALSE(allows({"*"}, "anything.org:99"));
  EXPECT_FALSE(allows({"*"}, "anything.org:80", true));
  EXPECT_TRUE(allows({"*:*"}, "anything.org:99"));
}

TEST(HttpPolicy, PrivateAddressesCountOnlyWhereTheyAreNamed) {
  auto names = [](std::string_view grant, std::string_view authority) {
    return Allowed::parse({std::string(grant)})
        .value()
        .namesPrivate(*parseAuthority(authority, false));
  };
  EXPECT_TRUE(names("127.0.0.1:80", "127.0.0.1"));
  EXPECT_TRUE(names("localhost:*", "localhost:81"));
  EXPECT_FALSE(names("*", "127.0.0.1"));
  EXPECT_FALSE(names("rebound.example.com", "rebound.example.com"));
}

TEST(HttpPolicy, RefusesAuthoritiesThatAreNone) {
  for (std::string_view text :
       {"", ":80", "a:", "a:0", "a:65536", "a:b", "unix:80", "unix", "unix-abstract:1", "a b",
        "a@b", "[::1", "[::1]80", "[x]", "*", "::1", "a/b"}) {
    EXPECT_FALSE(parseAuthority(text, false)) << text;
  }
}

TEST(HttpPolicy, NamesBeyondAsciiAreComparedAsTheyAreLookedUp) {
  auto allowed = Allowed::parse({"https://Bücher.example", "*.例え.テスト:8080"});
  ASSERT_TRUE(allowed);
  EXPECT_TRUE(allowed->allows(*parseAuthority("xn--bcher-kva.example", true)));
  EXPECT_TRUE(allowed->allows(*parseAuthority("a.xn--r8jz45g.xn--zckzah:8080", false)));
  EXPECT_FALSE(allowed->allows(*parseAuthority("bucher.example", true)));
  EXPECT_FALSE(Allowed::parse({"ü b"}));
}

TEST(HttpPolicy, RefusesGrantsThatAreNone) {
  for (std::string text : {"", "ftp://a", "a:99999", "http://", "a*", "*.", "a/b", "a:x"}) {
    EXPECT_FALSE(Allowed::parse({text})) << text;
  }
}

}  // namespace
}  // namespace tenon::http
