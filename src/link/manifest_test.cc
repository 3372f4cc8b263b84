#include "link/manifest.h"

#include "base/cpu_time_testing.h"
#include "link/route.h"

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
  EXPECT_EQ(web.links.at("shop:cart/cart@1.0.0").instance, WorkloadLink::Instance::SHARED);
  EXPECT_EQ(web.links.at("shop:pricing/quote").to, "pricing");
  EXPECT_EQ(web.links.at("shop:pricing/quote").instance, WorkloadLink::Instance::OWN);
  EXPECT_EQ(web.sourcePlace, "tenon.toml:4:10");
  EXPECT_EQ(manifest->components[1].name, "cart");
}

TEST(Manifest, NamesTheNearestKeyOfOneThatIsUnknown) {
  EXPECT_EQ(errorOf("[components.a]\nsource = \"a.wasm\"\nenvv = {}\n"),
            "tenon.toml:3:1: unknown key 'envv'; did you mean 'env'?");
  EXPECT_EQ(errorOf("[components.a]\nsource = \"a.wasm\"\n[other]\n"),
            "tenon.toml:3:2: unknown key 'other'; there are: version, name, timeout, max-memory, "
            "components, http, serve");
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
  ASSERT_EQ(a.connect.size(), 2u);
  EXPECT_EQ(a.connect[0].text, "10.0.0.0/8:5432");
  EXPECT_EQ(a.connect[1].text, "db:5432");
  EXPECT_EQ(a.connect[1].place, "tenon.toml:5:33");
  EXPECT_EQ(a.listen.at(0).text, "127.0.0.1:0");
  EXPECT_EQ(a.httpServers.at(0).text, "example.com");
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
  RouteTable table;
  auto took = cpuTimeOf([&] {
    auto manifest = parseManifest(text, "tenon.toml");
    ASSERT_TRUE(manifest) << manifest.error().message;
    EXPECT_EQ(manifest->routes.size(), 40'000u);
    for (const HttpRoute& route : manifest->routes) table.add(parseRoute(route.match).value(), 0);
    for (int i = 0; i < 40'000; ++i) table.find("a", "/x/y/z");
  });
  EXPECT_LT(took, std::chrono::seconds(5));
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

// What is wrong with one link; "ok" when nothing is.
std::string linkProblem(const std::string& link) {
  auto manifest = parseManifest(
      "[components.a]\nsource = \"a\"\n[components.a.links]\n\"x:y/z\" = " + link + "\n",
      "tenon.toml");
  return manifest ? "ok" : manifest.error().message;
}

TEST(Manifest, ReadsIsolatedLinks) {
  auto manifest = parseManifest(R"(
[components.a]
source = "a"
[components.a.links]
"x:y/plain" = { to = "b", via = "isolated" }
"x:y/said" = { to = "b", via = "isolated", timeout = "50ms", max-memory = "16M", instances = "reused" }
"x:y/pool" = { to = "b", via = "isolated", instances = { policy = "pooled", max = 4, max-calls = 9, idle = "2s" } }
"x:y/fused" = { to = "b", via = "fused" }
)",
                                "tenon.toml");
  ASSERT_TRUE(manifest) << manifest.error().message;
  const auto& links = manifest->components[0].links;
  using Via = WorkloadLink::Via;
  using Life = InstancePolicy::Life;
  EXPECT_EQ(links.at("x:y/plain").via, Via::ISOLATED);
  EXPECT_FALSE(links.at("x:y/plain").instances);
  EXPECT_EQ(links.at("x:y/fused").via, Via::FUSED);
  const WorkloadLink& said = links.at("x:y/said");
  EXPECT_EQ(said.to, "b");
  EXPECT_EQ(said.timeout, std::chrono::milliseconds(50));
  EXPECT_EQ(said.maxMemory, uint64_t{16} << 20);
  EXPECT_EQ(said.instances, InstancePolicy{.life = Life::REUSED});
  EXPECT_EQ(links.at("x:y/pool").instances,
            (InstancePolicy{
                .life = Life::POOLED, .max = 4, .maxCalls = 9, .idle = std::chrono::seconds(2)}));
}

TEST(Manifest, RefusesWhatAPolicyCannotBe) {
  auto isolated = [](const std::string& more) {
    return linkProblem("{ to = \"b\", via = \"isolated\", " + more + " }");
  };
  EXPECT_EQ(isolated("instances = \"reusd\""),
            "tenon.toml:4:53: instances are \"fresh\", \"reused\" or \"pooled\", not 'reusd'; did "
            "you mean 'reused'?");
  EXPECT_EQ(isolated("instances = { max = 3 }"),
            "tenon.toml:4:53: instances needs policy = \"fresh\", \"reused\" or \"pooled\"");
  EXPECT_EQ(isolated("instances = 3"), "tenon.toml:4:53: instances is a string, not a number");
  EXPECT_EQ(isolated("instances = { policy = \"pooled\", max = 0 }"),
            "tenon.toml:4:80: max is a whole number from 1 to 1000000");
  EXPECT_EQ(isolated("instances = { policy = \"pooled\", max = \"many\" }"),
            "tenon.toml:4:80: max is a whole number from 1 to 1000000");
  EXPECT_EQ(isolated("instances = { policy = \"pooled\", idle = \"soon\" }").substr(0, 23),
            "tenon.toml:4:81: idle: ");
  EXPECT_EQ(isolated("timeout = true"), "tenon.toml:4:51: timeout is a string, not a boolean");
  EXPECT_EQ(isolated("timeot = \"1s\""),
            "tenon.toml:4:41: unknown key 'timeot'; did you mean 'timeout'?");
}

TEST(Manifest, RefusesLinksThatAreNotSupportedYet) {
  auto via = [](const std::string& via) {
    return linkProblem("{ to = \"b\", via = \"" + via + "\" }");
  };
  EXPECT_EQ(via("isolated"), "ok");
  EXPECT_EQ(via("duplex"), "tenon.toml:4:29: links by via = \"duplex\" are not supported yet");
  EXPECT_EQ(via("channel"), "tenon.toml:4:29: links by via = \"channel\" are not supported yet");
  EXPECT_EQ(via("nearest"), "tenon.toml:4:29: links by via = \"nearest\" are not supported yet");
  EXPECT_EQ(via("wrpc+tcp://127.0.0.1:7761"),
            "tenon.toml:4:29: links by a remote address are not supported yet");
  EXPECT_EQ(linkProblem("{ via = \"wrpc+unix:/run/x\" }"),
            "tenon.toml:4:19: links by a remote address are not supported yet");
  EXPECT_EQ(linkProblem("{ to = \"b\", remote = \"wrpc+tcp://a:1\" }"),
            "tenon.toml:4:32: links by 'remote' are not supported yet");
  EXPECT_EQ(via("isolatd"),
            "tenon.toml:4:29: via is \"fused\" or \"isolated\", not 'isolatd'; did you mean "
            "'isolated'?");
  EXPECT_EQ(via("tcp://a:1"), "tenon.toml:4:29: via is \"fused\" or \"isolated\", not 'tcp://a:1'");
  EXPECT_EQ(linkProblem("{ to = \"b\", via = 3 }"),
            "tenon.toml:4:29: via is a string, not a number");
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
  EXPECT_EQ(manifest->routes[0].component, "web");
  EXPECT_EQ(manifest->routes[1].match, "Shop.example.com/api/");
  EXPECT_EQ(parseRoute(manifest->routes[1].match).value(),
            (RoutePattern{"shop.example.com", false, "/api"}));
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

TEST(Manifest, ReadsLimitsAndWhatIsServed) {
  auto manifest = parseManifest(R"(
version = 1
timeout = "1500ms"
max-memory = "64M"
[components.a]
source = "a.wasm"
[serve]
addr = ["127.0.0.1:80", "[::1]:80"]
threads = 4
max-body = "1M"
idle-timeout = 2.5
)",
                                "tenon.toml");
  ASSERT_TRUE(manifest) << manifest.error().message;
  EXPECT_EQ(manifest->timeout, std::chrono::milliseconds(1500));
  EXPECT_EQ(manifest->maxMemory, 64u << 20);
  ASSERT_EQ(manifest->serve.size(), 4u);
  EXPECT_EQ(manifest->serve[0].values, (std::vector<std::string>{"127.0.0.1:80", "[::1]:80"}));
  EXPECT_EQ(manifest->serve[1].name, "threads");
  EXPECT_EQ(manifest->serve[1].values, std::vector<std::string>{"4"});
  EXPECT_EQ(manifest->serve[1].place, "tenon.toml:9:11");
  EXPECT_EQ(manifest->serve[3].values, std::vector<std::string>{"2.5"});
}

TEST(Manifest, RefusesLimitsThatAreNone) {
  const std::string component = "[components.a]\nsource = \"a\"\n";
  EXPECT_EQ(errorOf("timeout = \"soon\"\nmax-memory = []\n" + component),
            "tenon.toml:1:11: timeout: 'soon' is not a duration: write 500ms, 10s, 5m, 1h, or a "
            "number of seconds\n"
            "  tenon.toml:2:14: max-memory is a string, not an array");
  EXPECT_EQ(errorOf(component + "[serve]\nthread = 1\naddr = []\nmax-body = true\n"),
            "tenon.toml:4:1: unknown key 'thread'; did you mean 'threads'?\n"
            "  tenon.toml:5:8: addr has no address\n"
            "  tenon.toml:6:12: max-body is a string, not a boolean");
}

TEST(Manifest, HasAVersionThatItKnows) {
  EXPECT_EQ(errorOf("version = 2\nwhatever = 1\n"),
            "tenon.toml:1:11: this manifest is of version 2, and this Tenon reads version 1");
  EXPECT_EQ(errorOf("version = \"1\"\n[components.a]\nsource = \"a\"\n"),
            "tenon.toml:1:11: version is a whole number, not a string");
}

std::optional<std::string> findVariable(const std::string& name) {
  if (name == "HOME") return "/home/me";
  if (name == "EMPTY") return "";
  if (name == "LONG") return std::string(1000, 'x');
  if (name == "LATIN") return "\xe9";
  return std::nullopt;
}

TEST(Manifest, TakesVariablesOfTheEnvironmentIntoTexts) {
  auto manifest = parseManifest(
      "[components.a]\nsource = \"${HOME}/a.wasm\"\n"
      "args = ['x${EMPTY}y', '$${HOME}', '$HOME', '${HOME}${HOME}', '$$${HOME}']\n"
      "env = { H = '${HOME}' }\n",
      "tenon.toml", findVariable);
  ASSERT_TRUE(manifest) << manifest.error().message;
  const ManifestComponent& a = manifest->components[0];
  EXPECT_EQ(a.source, "/home/me/a.wasm");
  EXPECT_EQ(a.arguments,
            (std::vector<std::string>{"xy", "${HOME}", "$HOME", "/home/me/home/me", "$${HOME}"}));
  EXPECT_EQ(a.environment[0].second, "/home/me");
  EXPECT_EQ(manifest->variables, (std::set<std::string>{"EMPTY", "HOME"}));
}

TEST(Manifest, RefusesVariablesThatAreNotThere) {
  auto errorWith = [](const std::string& text) {
    auto manifest =
        parseManifest("[components.a]\nsource = '" + text + "'\n", "tenon.toml", findVariable);
    return manifest ? "accepted" : manifest.error().message;
  };
  const std::string form =
      "tenon.toml:2:10: write ${NAME} for a variable of the environment, $${ for the characters ${";
  EXPECT_EQ(errorWith("${NONE}"), "tenon.toml:2:10: the environment has no variable NONE");
  EXPECT_EQ(errorWith("${}"), form);
  EXPECT_EQ(errorWith("${HOME"), form);
  EXPECT_EQ(errorWith("${A-B}"), form);
  EXPECT_EQ(errorWith("${LATIN}"), "tenon.toml:2:10: the variable LATIN is not UTF-8");
  std::string many;
  for (int i = 0; i < 2000; ++i) many += "${LONG}";
  EXPECT_EQ(errorWith(many),
            "tenon.toml:2:10: variables of the environment make more than 1 MiB of text");
}

TEST(Manifest, NeedsAComponent) {
  EXPECT_EQ(errorOf("name = \"empty\"\n"),
            "tenon.toml:1:1: a manifest needs at least one [components.NAME]");
}

}  // namespace
}  // namespace tenon::link
