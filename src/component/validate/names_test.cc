#include "component/validate/names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tenon::component {
namespace {

using ::testing::HasSubstr;

constexpr NameRules ACCESSORS{.accessors = true};

std::string keyOf(std::string_view name) {
  return uniqueKey(parseName(name, ACCESSORS, 0).value());
}

std::string errorOf(std::string_view name) {
  auto parsed = parseName(name, {}, 0);
  return parsed ? "accepted" : parsed.error().message;
}

TEST(Label, IsWordsAndAcronymsWithHyphens) {
  for (const char* label :
       {"a", "a-b-c", "a1-2-3", "A", "A-B-C", "A1-2-3", "a11-w0rds", "is-XML", "m1x3d-4CR0NYMS"}) {
    EXPECT_TRUE(isLabel(label)) << label;
  }
  for (const char* label : {"", "1", "1-2-3", "-a", "a-", "a--b", "aB", "Ab", "a_b", "a.b", "ä"}) {
    EXPECT_FALSE(isLabel(label)) << label;
  }
}

TEST(Label, ConflictsWithOneThatDiffersInCaseOrHyphensOnly) {
  const char* labels[] = {"a", "b", "ab", "a-b", "A-B", "ab-c", "a-bc", "abc", "ABC-D", "abcd-e"};
  for (const char* a : labels) {
    for (const char* b : labels) {
      EXPECT_EQ(sameLabel(a, b), labelKey(a) == labelKey(b)) << a << " " << b;
    }
  }
}

TEST(PlainName, IsTakenApart) {
  auto parsed = parseName("[method]my-resource.get-it", {}, 0).value();
  const auto& name = std::get<PlainName>(parsed);
  EXPECT_EQ(name.membership, Membership::METHOD);
  EXPECT_EQ(name.resource, "my-resource");
  EXPECT_EQ(name.label, "get-it");
  EXPECT_FALSE(name.isBare());
}

TEST(PlainName, OfAConstructorIsItsResource) {
  auto parsed = parseName("[constructor]r", {}, 0).value();
  const auto& name = std::get<PlainName>(parsed);
  EXPECT_EQ(name.membership, Membership::CONSTRUCTOR);
  EXPECT_EQ(name.resource, "r");
}

TEST(PlainName, MayBeAnAccessorIfLetThrough) {
  auto parsed = parseName("[static][set]r.p", ACCESSORS, 0).value();
  const auto& name = std::get<PlainName>(parsed);
  EXPECT_EQ(name.membership, Membership::STATIC);
  EXPECT_EQ(name.accessor, Accessor::SET);
  EXPECT_THAT(errorOf("[get]p"), HasSubstr("gated feature"));
  EXPECT_FALSE(parseName("[constructor][get]r", ACCESSORS, 0).ok());
}

TEST(InterfaceName, IsTakenApart) {
  auto parsed = parseName("wasi:http/types@0.2.6-rc+1", {}, 0).value();
  const auto& name = std::get<InterfaceName>(parsed);
  EXPECT_EQ(name.nameSpace, "wasi");
  EXPECT_EQ(name.package, "http");
  EXPECT_EQ(name.interface, "types");
  EXPECT_EQ(name.version, "0.2.6-rc+1");
}

TEST(Names, AreRefusedWithAReason) {
  EXPECT_EQ(errorOf("aBc"), "`aBc` is not in kebab case");
  EXPECT_THAT(errorOf("[method]a"), HasSubstr("has no `.`"));
  EXPECT_THAT(errorOf("[method]a.b.c"), HasSubstr("`b.c` is not in kebab case"));
  EXPECT_THAT(errorOf("wasi:http"), HasSubstr("expected `/`"));
  EXPECT_THAT(errorOf("WASI:http/types"), HasSubstr("not lower case"));
  EXPECT_THAT(errorOf("a:b:c/d"), HasSubstr("gated feature"));
  EXPECT_THAT(errorOf("a:b/c/d"), HasSubstr("gated feature"));
  EXPECT_THAT(errorOf("a:b/c.d"), HasSubstr("trailing characters"));
}

TEST(Names, AreLimitedInLength) {
  auto parsed = parseName(std::string(MAX_NAME_BYTES + 1, 'a'), {}, 5);
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.error().code, ErrorCode::LIMIT_EXCEEDED);
  EXPECT_EQ(parsed.error().offset, 5u);
}

// The list of Explainer.md, "Name Uniqueness".
TEST(Names, OfTheExplainersListAreStronglyUnique) {
  std::vector<std::string> names = {"foo",
                                    "foo-bar",
                                    "[constructor]foo",
                                    "[method]foo.bar",
                                    "[static]foo.baz",
                                    "foo:bar/baz",
                                    "[get]prop",
                                    "[set]prop",
                                    "[method][get]foo.prop",
                                    "[method][set]foo.prop",
                                    "[static][get]foo.prop-2",
                                    "[static][set]foo.prop-2",
                                    "[method]foo.get-prop",
                                    "[method]foo.set-prop"};
  for (size_t i = 0; i < names.size(); ++i) {
    for (size_t j = 0; j < i; ++j) EXPECT_NE(keyOf(names[i]), keyOf(names[j])) << names[i];
  }
}

TEST(Names, OfTheExplainersListConflict) {
  std::vector<std::pair<std::string, std::vector<std::string>>> conflicts = {
      {"foo",
       {"FOO", "[method]foo.foo", "[get]foo", "[method][get]foo.foo", "[static][set]foo.FOO"}},
      {"foo-bar",
       {"foo-BAR", "foobar", "foob-ar", "[static]foobar.FOOBAR", "[static]foo-BAR.FOO-bar"}},
      {"[constructor]foo", {"[constructor]FOO"}},
      {"[method]foo.bar", {"[method]foo.BAR", "[static]foo.bar"}},
      {"[static]foo.baz", {"[method]foo.baz"}},
      {"foo:bar/baz", {"foo:bar/BAZ"}},
      {"[get]prop", {"prop"}},
      {"[set]prop", {"[set]PROP"}},
      {"[method][get]foo.prop", {"[method]foo.prop", "[static]foo.PROP", "[static][get]foo.prop"}},
      {"[method][set]foo.prop", {"[method][set]foo.PROP", "[static][set]foo.prop"}}};
  for (const auto& [name, others] : conflicts) {
    for (const std::string& other : others) EXPECT_EQ(keyOf(name), keyOf(other)) << other;
  }
}

TEST(SemVer, IsRead) {
  auto version = parseSemVer("1.2.3-alpha.1+sha.5").value();
  EXPECT_EQ(version.major, 1u);
  EXPECT_EQ(version.minor, 2u);
  EXPECT_EQ(version.patch, 3u);
  EXPECT_EQ(version.pre, "alpha.1");
  EXPECT_EQ(version.build, "sha.5");
}

TEST(SemVer, IsRefusedWhenMalformed) {
  for (const char* text :
       {"", "1", "1.2", "1.2.", "1.2.x", "01.2.3", "1.2.3-", "1.2.3+", "1.2.3-01", "1.2.3-a..b",
        "1.2.3 ", "1.2.3.4", "18446744073709551616.0.0"}) {
    EXPECT_FALSE(parseSemVer(text).ok()) << text;
  }
  EXPECT_TRUE(parseSemVer("1.2.3+01").ok());
}

TEST(SemVer, IsOrderedAsTheStandardSays) {
  std::vector<std::string> ascending = {
      "0.9.0",      "1.0.0-alpha",  "1.0.0-alpha.1", "1.0.0-alpha.beta",
      "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1",
      "1.0.0",      "1.0.1",        "1.2.0",         "2.0.0"};
  for (size_t i = 0; i < ascending.size(); ++i) {
    for (size_t j = 0; j < ascending.size(); ++j) {
      int order =
          compareVersions(parseSemVer(ascending[i]).value(), parseSemVer(ascending[j]).value());
      EXPECT_EQ(order < 0, i < j) << ascending[i] << " " << ascending[j];
      EXPECT_EQ(order > 0, i > j) << ascending[i] << " " << ascending[j];
    }
  }
}

// The table of Explainer.md, "Canonical Interface Name".
TEST(SplitVersion, IsAsTheExplainerHasIt) {
  struct {
    const char *version, *track, *suffix;
  } cases[] = {{"0.0.1+sha.5114f85", "0.0.1", "+sha.5114f85"},
               {"0.0.1-alpha", "0.0.1-alpha", ""},
               {"0.0.1-alpha+sha.5114f85", "0.0.1-alpha", "+sha.5114f85"},
               {"1.2.3", "1", ".2.3"},
               {"1.2.3+sha.5114f85", "1", ".2.3+sha.5114f85"},
               {"0.2.6", "0.2", ".6"},
               {"0.2.6+sha.5114f85", "0.2", ".6+sha.5114f85"},
               {"0.0.1", "0.0.1", ""}};
  for (const auto& each : cases) {
    auto split = splitVersion(each.version);
    ASSERT_TRUE(split.has_value()) << each.version;
    EXPECT_EQ(split->track, each.track);
    EXPECT_EQ(split->suffix, each.suffix);
  }
  EXPECT_FALSE(splitVersion("1.2").has_value());
}

TEST(FullVersion, PutsNameAndSuffixTogether) {
  InterfaceName name;
  name.version = "0.2";
  EXPECT_EQ(fullVersion(name, ".6").value(), "0.2.6");
  EXPECT_FALSE(fullVersion(name, std::nullopt).ok());
  name.version = "1.2";
  EXPECT_FALSE(fullVersion(name, ".3").ok());
  name.version.reset();
  EXPECT_EQ(fullVersion(name, std::nullopt).value(), "");
  EXPECT_FALSE(fullVersion(name, ".1").ok());
}

TEST(CanonicalName, IsTheSameForCompatibleVersions) {
  EXPECT_EQ(canonicalName("wasi:http/types@0.2.6"), "wasi:http/types@0.2");
  EXPECT_EQ(canonicalName("wasi:http/types@0.2.1"), canonicalName("wasi:http/types@0.2.6"));
  EXPECT_NE(canonicalName("a:b/c@0.2.0"), canonicalName("a:b/c@0.3.0"));
  EXPECT_EQ(canonicalName("a:b/c@0.2"), "a:b/c@0.2");
  EXPECT_EQ(canonicalName("plain"), "plain");
}

}  // namespace
}  // namespace tenon::component
