#include "net/grants.h"

#include <gtest/gtest.h>

namespace tenon::net {
namespace {

AddressBytes ip(std::string_view text) {
  AddressBytes address;
  EXPECT_TRUE(parseAddress(text, address)) << text;
  return address;
}

Grants connecting(std::vector<std::string> texts) {
  return Grants::parse({.connect = std::move(texts), .listen = {}}).value();
}
Grants listening(std::vector<std::string> texts) {
  return Grants::parse({.connect = {}, .listen = std::move(texts)}).value();
}
std::string refusal(std::string text, bool listen = false) {
  NetworkOptions options;
  (listen ? options.listen : options.connect).push_back(std::move(text));
  auto grants = Grants::parse(options);
  return grants ? "" : grants.error().message;
}

TEST(Grants, NothingIsGrantedThatIsNotSaid) {
  Grants grants;
  EXPECT_FALSE(grants.mayConnect(ip("1.2.3.4"), 80));
  EXPECT_FALSE(grants.mayListen(ip("127.0.0.1"), 80));
  EXPECT_FALSE(grants.mayLookUp("localhost"));
  EXPECT_FALSE(grants.mayConnectAnywhere());
}

TEST(Grants, AnAddressIsGrantedWithItsPort) {
  Grants grants = connecting({"10.1.2.3:80", "[::1]:443"});
  EXPECT_TRUE(grants.mayConnect(ip("10.1.2.3"), 80));
  EXPECT_FALSE(grants.mayConnect(ip("10.1.2.3"), 81));
  EXPECT_FALSE(grants.mayConnect(ip("10.1.2.4"), 80));
  EXPECT_TRUE(grants.mayConnect(ip("::1"), 443));
  EXPECT_FALSE(grants.mayConnect(ip("::2"), 443));
  EXPECT_FALSE(grants.mayListen(ip("10.1.2.3"), 80));
}

TEST(Grants, RangesOfAddressesAndPorts) {
  Grants grants = connecting({"10.0.0.0/9:8000-8999", "[fd00::/8]:*", "192.168.1.128/25:1-2"});
  EXPECT_TRUE(grants.mayConnect(ip("10.127.255.255"), 8000));
  EXPECT_TRUE(grants.mayConnect(ip("10.0.0.1"), 8999));
  EXPECT_FALSE(grants.mayConnect(ip("10.128.0.0"), 8000));
  EXPECT_FALSE(grants.mayConnect(ip("10.0.0.1"), 9000));
  EXPECT_TRUE(grants.mayConnect(ip("fd12::9"), 1));
  EXPECT_FALSE(grants.mayConnect(ip("fe12::9"), 1));
  EXPECT_TRUE(grants.mayConnect(ip("192.168.1.200"), 2));
  EXPECT_FALSE(grants.mayConnect(ip("192.168.1.100"), 2));
}

TEST(Grants, AStarIsEveryAddressAndEveryName) {
  Grants grants = connecting({"*:53"});
  EXPECT_TRUE(grants.mayConnect(ip("8.8.8.8"), 53));
  EXPECT_TRUE(grants.mayConnect(ip("::1"), 53));
  EXPECT_FALSE(grants.mayConnect(ip("8.8.8.8"), 54));
  EXPECT_TRUE(grants.mayLookUp("whatever.example"));
}

TEST(Grants, ANameGrantsItsLookUpAndTheAddressesFound) {
  Grants grants = connecting({"API.Example.com.:443", "api.example.com:80", "10.0.0.0/8:1"});
  EXPECT_TRUE(grants.mayLookUp("api.example.com"));
  EXPECT_FALSE(grants.mayLookUp("example.com"));
  EXPECT_FALSE(grants.mayLookUp("x.api.example.com"));
  EXPECT_FALSE(grants.mayConnect(ip("93.184.216.34"), 443));
  auto ports = grants.portsOf("api.example.com", ip("93.184.216.34"));
  ASSERT_EQ(ports.size(), 2u);
  EXPECT_TRUE(ports[0].contains(443));
  EXPECT_TRUE(ports[1].contains(80));
}

TEST(Grants, AStarBeforeANameIsEveryNameBelowIt) {
  Grants grants = connecting({"*.example.com:443"});
  EXPECT_TRUE(grants.mayLookUp("a.example.com"));
  EXPECT_TRUE(grants.mayLookUp("b.a.example.com"));
  EXPECT_FALSE(grants.mayLookUp("example.com"));
  EXPECT_FALSE(grants.mayLookUp("badexample.com"));
  EXPECT_FALSE(grants.mayLookUp("example.com.evil.org"));
}

TEST(Grants, ANameOpensNoInnerAddress) {
  Grants grants = connecting({"example.com:*", "localhost:80"});
  for (const char* inner :
       {"127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fd00::1", "ff02::1",
        "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::"}) {
    EXPECT_TRUE(grants.portsOf("example.com", ip(inner)).empty()) << inner;
  }
  for (const char* outer : {"8.8.8.8", "172.32.0.1", "2001:4860:4860::8888", "2002:808:808::"}) {
    EXPECT_FALSE(grants.portsOf("example.com", ip(outer)).empty()) << outer;
  }
  EXPECT_FALSE(grants.portsOf("localhost", ip("127.0.0.1")).empty());
  EXPECT_FALSE(grants.portsOf("localhost", ip("::1")).empty());
  EXPECT_TRUE(grants.portsOf("localhost", ip("10.0.0.1")).empty());
}

TEST(Grants, NamesAreComparedAsTheyAreLookedUp) {
  Grants grants = connecting({"bücher.example:1-9", "*.例え.テスト:80"});
  for (const char* name : {"bücher.example", "BÜCHER.example.", "xn--bcher-kva.example"}) {
    EXPECT_TRUE(grants.mayLookUp(normalName(name))) << name;
  }
  EXPECT_TRUE(grants.mayLookUp(normalName("www.例え.テスト")));
  EXPECT_FALSE(grants.mayLookUp(normalName("bucher.example")));
}

TEST(Grants, ListeningIsGrantedByAddress) {
  Grants grants = listening({"127.0.0.1:8080", "[::1]:0", "0.0.0.0:9000-9001"});
  EXPECT_TRUE(grants.mayListen(ip("127.0.0.1"), 8080));
  EXPECT_FALSE(grants.mayListen(ip("0.0.0.0"), 8080));
  EXPECT_TRUE(grants.mayListen(ip("::1"), 0));
  EXPECT_FALSE(grants.mayListen(ip("::1"), 1));
  // Who may listen at every address may do so at one.
  EXPECT_TRUE(grants.mayListen(ip("0.0.0.0"), 9000));
  EXPECT_TRUE(grants.mayListen(ip("127.0.0.1"), 9001));
  EXPECT_FALSE(grants.mayListen(ip("::"), 9000));
  EXPECT_FALSE(grants.mayConnect(ip("127.0.0.1"), 8080));
}

TEST(Grants, WhatIsNoGrantIsRefusedWithTheReason) {
  EXPECT_EQ(refusal("example.com"),
            "'example.com' is no network grant: there is no ':PORT'; write for example "
            "example.com:443, 10.0.0.0/8:5432, [::1]:80 or *:8000-8999");
  EXPECT_NE(refusal("::1:80").find("an IPv6 address stands in brackets"), std::string::npos);
  EXPECT_NE(refusal("[::1]").find("there is no ']:PORT'"), std::string::npos);
  EXPECT_NE(refusal("[1.2.3.4]:1").find("only IPv6"), std::string::npos);
  EXPECT_NE(refusal("a:65536").find("'65536' is no port"), std::string::npos);
  EXPECT_NE(refusal("a:9-8").find("'9-8' is no port"), std::string::npos);
  EXPECT_NE(refusal("a:").find("'' is no port"), std::string::npos);
  EXPECT_NE(refusal("10.0.0.1/8:80").find("bits outside of its range"), std::string::npos);
  EXPECT_NE(refusal("10.0.0.0/33:80").find("neither an address nor a name"), std::string::npos);
  EXPECT_NE(refusal("127.1:80").find("neither an address nor a name"), std::string::npos);
  EXPECT_NE(refusal("a b:80").find("neither an address nor a name"), std::string::npos);
  EXPECT_NE(refusal("a.*.com:80").find("neither an address nor a name"), std::string::npos);
  EXPECT_NE(refusal("localhost:80", true).find("'localhost' is no IP address"), std::string::npos);
  EXPECT_EQ(refusal("*:*", true), "");
}

TEST(NormalName, IsLowerCaseWithoutADotAtItsEnd) {
  std::string large;
  for (int i = 0; i < 1'000'000; ++i) large += "ä";
  EXPECT_EQ(normalName(large), "");
  EXPECT_EQ(normalName("WWW.Example.COM."), "www.example.com");
  EXPECT_EQ(normalName("_srv.x"), "_srv.x");
  EXPECT_EQ(normalName("3com.com"), "3com.com");
}

// Source: wasi:sockets/ip-name-lookup, "automatically converted to ASCII using IDNA encoding".
TEST(NormalName, WhatIsNotAsciiIsConvertedByIdna) {
  EXPECT_EQ(normalName("bücher.example"), "xn--bcher-kva.example");
  EXPECT_EQ(normalName("BÜCHER.Example."), "xn--bcher-kva.example");
  EXPECT_EQ(normalName("bu\u0308cher.example"), "xn--bcher-kva.example");  // two code points
  EXPECT_EQ(normalName("faß.de"), "xn--fa-hia.de");
  EXPECT_EQ(normalName("例え。テスト"), "xn--r8jz45g.xn--zckzah");
  EXPECT_EQ(normalName("παράδειγμα.δοκιμή"), "xn--hxajbheg2az3al.xn--jxalpdlp");
  EXPECT_EQ(normalName("xn--bcher-kva.example"), "xn--bcher-kva.example");
  for (std::string name :
       {"\xc3", "\xff.example", "☃️.example", "a\u200bb..ü", "ü b", "-ü", "ü/x", "ü:80", "a..ü",
        "１２７.０.０.１", "ü.１", "localhost\u3002１", "\u00ad", "ü\xed\xa0\x80"}) {
    EXPECT_EQ(normalName(name), "") << name;
  }
  EXPECT_EQ(normalName(std::string("a\0ü", 4)), "");
  std::string label;
  for (int i = 0; i < 70; i++) label += "ü";
  EXPECT_EQ(normalName(label), "");
  std::string endless;
  for (int i = 0; i < 100'000; i++) endless += "ü.";
  EXPECT_EQ(normalName(endless), "");
}

TEST(NormalName, WhatSystemsTakeForAnAddressIsNoName) {
  for (const char* name : {"127.1", "2130706433", "0x7f.1", "0x7f000001", "1.2.3.4.5", "a.1"}) {
    EXPECT_EQ(normalName(name), "") << name;
  }
}

TEST(NormalName, WhatCannotBeANameIsNone) {
  for (const std::string& name :
       {std::string(), std::string("."), std::string("a..b"), std::string(".a"), std::string("-a"),
        std::string("a-.b"), std::string("a b"), std::string("a/b"), std::string("a\0b", 3),
        std::string(64, 'a'), std::string(254, 'a'), std::string("a:80"), std::string("a%b")}) {
    EXPECT_EQ(normalName(name), "") << name;
  }
}

}  // namespace
}  // namespace tenon::net
