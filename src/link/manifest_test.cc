#include "link/manifest.h"

#include <gtest/gtest.h>

#include <chrono>

namespace tenon::link {
namespace {

std::string errorOf(std::string_view text) {
  auto manifest = parseManifest(text, "tenon.toml");
  if (manifest) return "accepted";
  return manifest.error().message + (manifest.error().details.empty() ? "" : "\n") +
         manifest.error().details;
}

TEST(Manifest, ReadsComponentsInTheOrderOfTheFile) {
  auto manifest = parseManifest(R"(
name = "shop"
[components.web]
source = "web.wasm"
args = ["--fast", "x"]
env = { LOG = "info" }
dirs = [{ host = "./data", guest = "/data", access = "read" }]
[components.web.links]
"shop:cart/cart@1.0.0" = "cart"
"shop:pricing/quote" = { to = "pricing", instance = "own" }
[components.cart]
source = "cart.wasm"
)",
                                "tenon.toml");
  ASSERT_TRUE(manifest) << manifest.error().message;
  EXPECT_EQ(manifest->name, "shop");
  ASSERT_EQ(manifest->components.size(), 2u);
  const ManifestComponent& web = manifest->components[0];
  EXPECT_EQ(web.name, "web");
  EXPECT_EQ(web.source, "web.wasm");
  EXPECT_EQ(web.arguments, (std::vector<std::string>{"--fast", "x"}));
  EXPECT_EQ(web.environment[0], (std::pair<std::string, std::string>{"LOG", "info"}));
  EXPECT_EQ(web.directories[0].guest, "/data");
  EXPECT_TRUE(web.directories[0].readOnly);
  EXPECT_EQ(web.links.at("shop:cart/cart@1.0.0").to, "cart");
  EXPECT_EQ(web.links.at("shop:cart/cart@1.0.0").place, "tenon.toml:9:26");
  EXPECT_FALSE(web.links.at("shop:cart/cart@1.0.0").own);
  EXPECT_EQ(web.links.at("shop:pricing/quote").to, "pricing");
  EXPECT_TRUE(web.links.at("shop:pricing/quote").own);
  EXPECT_EQ(web.sourcePlace, "tenon.toml:4:10");
  EXPECT_EQ(manifest->components[1].name, "cart");
}

TEST(Manifest, NamesTheNearestKeyOfOneThatIsUnknown) {
  EXPECT_EQ(errorOf("[components.a]\nsource = \"a.wasm\"\nenvv = {}\n"),
            "tenon.toml:3:1: unknown key 'envv'; did you mean 'env'?");
  EXPECT_EQ(errorOf("[components.a]\nsource = \"a.wasm\"\n[other]\n"),
            "tenon.toml:3:2: unknown key 'other'; there are: name, components, http");
}

TEST(Manifest, SaysWhereAValueHasAnotherType) {
  EXPECT_EQ(errorOf("[components.a]\nsource = 7\n"),
            "tenon.toml:2:10: source is a string, not a number");
  EXPECT_EQ(errorOf("[components.a]\nsource = \"a\"\nargs = \"x\"\n"),
            "tenon.toml:3:8: args is an array of strings, not a string");
}

TEST(Manifest, ReadsWhatAComponentMayDoAndItsConfiguration) {
  auto manifest = parseManifest(R"(
[components.a]
source = "a.wasm"
config = { rate = "2" }
allow-net = ["10.0.0.0/8:5432", "db:5432"]
allow-listen = ["127.0.0.1:0"]
allow-http = ["example.com"]
)",
                                "tenon.toml");
  ASSERT_TRUE(manifest) << manifest.error().message;
  const ManifestComponent& a = manifest->components[0];
  EXPECT_EQ(a.configuration[0], (std::pair<std::string, std::string>{"rate", "2"}));
  EXPECT_EQ(a.connect, (std::vector<std::string>{"10.0.0.0/8:5432", "db:5432"}));
  EXPECT_EQ(a.listen, (std::vector<std::string>{"127.0.0.1:0"}));
  EXPECT_EQ(a.httpServers, (std::vector<std::string>{"example.com"}));
  EXPECT_EQ(errorOf("[components.a]\nsource = \"a\"\nallow-net = [1]\n"),
            "tenon.toml:3:14: an entry of allow-net is a string, not a number");
}

TEST(Manifest, RefusesNamesThatAComponentCannotHave) {
  EXPECT_EQ(
      errorOf("[components.\"a/b\"]\nsource = \"a\"\n"),
      "tenon.toml:1:13: 'a/b' is no component's name: write letters, digits, '.', '_' and '-'");
}

TEST(Manifest, RefusesLinksThatLeadNowhereOrToUnknownInstances) {
  EXPECT_EQ(errorOf("[components.a]\nsource = \"a\"\nlinks = { \"x:y/z\" = {} }\n"),
            "tenon.toml:3:21: a link needs to = \"COMPONENT\"");
  EXPECT_EQ(errorOf("[components.a]\nsource = \"a\"\n"
                    "links = { \"x:y/z\" = { to = \"b\", instance = \"mine\" } }\n"),
            "tenon.toml:3:44: instance is \"shared\" or \"own\"");
}

TEST(Manifest, ShowsEveryProblem) {
  EXPECT_EQ(errorOf("nam = \"x\"\n[components.a]\nargs = 1\n"),
            "tenon.toml:1:1: unknown key 'nam'; did you mean 'name'?\n"
            "  tenon.toml:2:1: component 'a' has no source\n"
            "  tenon.toml:3:8: args is an array of strings, not a number");
}

TEST(Manifest, RefusesWhatIsNoTomlWithItsPlace) {
  EXPECT_TRUE(errorOf("name = \n").starts_with("tenon.toml:1:8: ")) << errorOf("name = \n");
}

// A library's test for white space had undefined behaviour for some of them.
TEST(Manifest, RefusesCharactersBeyondAsciiOutsideOfQuotes) {
  const std::string refusal = ": characters beyond ASCII must be in quotes";
  EXPECT_EQ(errorOf("name = { \xef\xbb\xaf x = 1 }"), "tenon.toml:1:10" + refusal);
  EXPECT_EQ(errorOf("\xc3\xa9"), "tenon.toml:1:1" + refusal);
  EXPECT_EQ(errorOf("# \xc3\xa9\nname = \"\xc3\xa9\" \xc2\xa0"), "tenon.toml:2:12" + refusal);
  EXPECT_EQ(errorOf("name = '''\xc3\xa9\n'' \" \xc3\xa9''' \xc3\xa9"), "tenon.toml:2:11" + refusal);
  EXPECT_EQ(errorOf("name = \"\\\"\xc3\xa9\\\\\" \xc3\xa9"), "tenon.toml:1:16" + refusal);
  EXPECT_EQ(errorOf("a = 6'8\xd0\xbe'"), "tenon.toml:1:6: expected the end of the line, found '''");
}

TEST(Manifest, RefusesABackslashBeforeAnyCharacterThatIsNoEscape) {
  const std::string refusal = ": a backslash is followed by b, t, n, f, r, u, U, \" or \\";
  EXPECT_EQ(errorOf("name = \"\"\"a\\\xef\xb8\x8f\"\"\""), "tenon.toml:1:12" + refusal);
  EXPECT_EQ(errorOf("name = \"\"\"a\\  \xef\xb8\x8f\"\"\""), "tenon.toml:1:12" + refusal);
  EXPECT_EQ(errorOf("name = \"\"\"a\\\n  \xef\xb8\x8f\"\"\""),
            "tenon.toml:1:1: a manifest needs at least one [components.NAME]");
}

TEST(Manifest, NestsNoDeeperThanItsLimit) {
  std::string key = "name";
  for (int i = 0; i < 100'000; ++i) key += ".a";
  const std::string refusal = ": tables and arrays nest more than 32 levels deep";
  EXPECT_EQ(errorOf(key + " = 1"), "tenon.toml:1:68" + refusal);
  EXPECT_EQ(errorOf("[" + key + "]"), "tenon.toml:1:69" + refusal);
}

TEST(Manifest, ManyRoutesTakeNoLongerThanTheirText) {
  std::string text = "[components.a]\nsource = \"a\"\n[http.routes]\n";
  for (int i = 0; i < 40'000; ++i) text += "\"/" + std::to_string(i) + "\" = \"a\"\n";
  auto started = std::chrono::steady_clock::now();
  auto manifest = parseManifest(text, "tenon.toml");
  ASSERT_TRUE(manifest) << manifest.error().message;
  EXPECT_EQ(manifest->routes.size(), 40'000u);
  RouteTable table;
  for (const Route& route : manifest->routes) table.add(route.pattern, 0);
  for (int i = 0; i < 40'000; ++i) table.find("a", "/x/y/z");
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(5));
  EXPECT_EQ(table.find("a", "/39999/x"), 0u);
  EXPECT_EQ(table.find("a", "/40000"), std::nullopt);
}

TEST(Manifest, ManyProblemsAreCounted) {
  std::string text = "[components.a]\nsource = \"a\"\n[http.routes]\n";
  for (int i = 0; i < 1000; ++i) text += "\"/" + std::to_string(i) + "\" = \"bb\"\n";
  std::string problems = errorOf(text);
  EXPECT_TRUE(problems.ends_with("\n  and 950 more")) << problems;
  EXPECT_TRUE(problems.starts_with("tenon.toml:4:8: route '/0': there is no component 'bb'\n"))
      << problems;
}

TEST(Manifest, RefusesMoreComponentsThanAWorkloadHas) {
  std::string text;
  for (int i = 0; i < 2001; ++i) text += "[components.c" + std::to_string(i) + "]\nsource = 'a'\n";
  EXPECT_EQ(errorOf(text), "tenon.toml:1:2: a workload has at most 2000 components, not 2001");
}

TEST(Manifest, TakesAnyCharactersInStringsAndComments) {
  auto manifest = parseManifest(
      "\xef\xbb\xbf# \xe2\x80\x83\nname = \"\"\"caf\xc3\xa9\"\"\"\n"
      "[components.a]  # \xc3\xa9 \" '\nsource = 'caf\xc3\xa9.wasm'\n",
      "tenon.toml");
  ASSERT_TRUE(manifest) << manifest.error().message;
  EXPECT_EQ(manifest->name, "caf\xc3\xa9");
  EXPECT_EQ(manifest->components[0].source, "caf\xc3\xa9.wasm");
}

TEST(Manifest, RefusesLinksThatAreNotSupportedYet) {
  EXPECT_EQ(errorOf("[components.a]\nsource = \"a\"\n[components.a.links]\n"
                    "\"x:y/z\" = { to = \"b\", via = \"isolated\" }\n"),
            "tenon.toml:4:29: links by 'via' are not supported yet");
}

TEST(Manifest, ReadsRoutesInTheOrderOfTheFile) {
  auto manifest = parseManifest(R"(
[components.web]
source = "a"
[components.api]
source = "b"
[http.routes]
"/" = "web"
"Shop.example.com/api/" = "api"
)",
                                "tenon.toml");
  ASSERT_TRUE(manifest) << manifest.error().message;
  ASSERT_EQ(manifest->routes.size(), 2u);
  EXPECT_EQ(manifest->routes[0].to, "web");
  EXPECT_EQ(manifest->routes[1].text, "Shop.example.com/api/");
  EXPECT_EQ(manifest->routes[1].pattern, (RoutePattern{"shop.example.com", false, "/api"}));
  EXPECT_EQ(manifest->routes[1].place, "tenon.toml:8:27");
}

TEST(Manifest, ShowsEveryProblemOfItsRoutes) {
  EXPECT_EQ(
      errorOf("[components.api]\nsource = \"a\"\n[http]\nlimit = 1\n[http.routes]\n"
              "\"/\" = \"apii\"\n\"/x\" = \"api\"\n\"/x/\" = \"api\"\n"
              "\"a:80\" = \"api\"\n\"/y\" = 7\nexample.com = \"api\"\n"),
      "tenon.toml:4:1: unknown key 'limit'; there are: routes\n"
      "  tenon.toml:6:7: route '/': there is no component 'apii'; did you mean 'api'?\n"
      "  tenon.toml:8:9: route '/x/' is there already, as '/x'\n"
      "  tenon.toml:9:10: 'a:80' is no route: its host has no port, and an IPv6 address needs "
      "brackets\n"
      "  tenon.toml:10:8: route '/y' is a string, not a number\n"
      "  tenon.toml:11:1: a route is \"HOST/PATH\" = \"COMPONENT\", in quotes");
  EXPECT_EQ(errorOf("[components.a]\nsource = \"a\"\n[http]\nroutes = []\n"),
            "tenon.toml:4:10: routes is a table, not an array");
}

TEST(Manifest, NeedsAComponent) {
  EXPECT_EQ(errorOf("name = \"empty\"\n"),
            "tenon.toml:1:1: a manifest needs at least one [components.NAME]");
}

}  // namespace
}  // namespace tenon::link
