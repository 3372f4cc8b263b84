#include "component/wit/extern_name.h"

#include <gtest/gtest.h>

namespace tenon::component::wit {
namespace {

TEST(ParseExternName, TellsTheFormsOfFunctionsApart) {
  const auto plain = [](std::string_view name) {
    return std::get<PlainName>(parseExternName(name).value());
  };
  EXPECT_TRUE(plain("run-it").isBare());
  EXPECT_EQ(plain("run-it").name, "run-it");
  const PlainName method = plain("[method]counter.next");
  EXPECT_EQ(method.form, FuncForm::METHOD);
  EXPECT_EQ(method.resource, "counter");
  EXPECT_EQ(method.name, "next");
  EXPECT_EQ(plain("[static]counter.merge").form, FuncForm::STATIC);
  const PlainName constructor = plain("[constructor]counter");
  EXPECT_EQ(constructor.form, FuncForm::CONSTRUCTOR);
  EXPECT_EQ(constructor.resource, "counter");
  EXPECT_EQ(constructor.name, "constructor");
  EXPECT_EQ(plain("[method][get]counter.size").accessor, Accessor::GET);
  EXPECT_EQ(plain("[set]size").accessor, Accessor::SET);
  EXPECT_FALSE(plain("[set]size").isBare());
}

TEST(ParseExternName, TakesInterfaceNamesApart) {
  const auto name = std::get<InterfaceName>(parseExternName("wasi:io/streams@0.2.0").value());
  EXPECT_EQ(name.ns, "wasi");
  EXPECT_EQ(name.package, "io");
  EXPECT_EQ(name.interface, "streams");
  EXPECT_EQ(name.version, "0.2.0");
  const auto nested = std::get<InterfaceName>(parseExternName("a:b:c/d/e").value());
  EXPECT_EQ(nested.ns, "a:b");
  EXPECT_EQ(nested.package, "c");
  EXPECT_EQ(nested.interface, "d");
  EXPECT_FALSE(nested.version);
}

TEST(ParseExternName, RefusesOtherNames) {
  for (const char* name :
       {"", "a b", "a:b", "a:/c", ":b/c", "a:b/", "a/b:c", "[method]a", "[method].a", "[x]a",
        "[constructor]", "[constructor]a.b", "url=<x>", "a\n", "a:b/c d", "a;b:c/d"}) {
    EXPECT_FALSE(parseExternName(name)) << name;
  }
}

TEST(FullVersion, PutsTheSuffixBehindTheName) {
  const auto version = [](std::optional<std::string_view> inName,
                          std::optional<std::string_view> suffix) {
    return fullVersion(InterfaceName{"a", "b", "c", inName}, suffix);
  };
  EXPECT_EQ(version(std::nullopt, std::nullopt).value(), std::nullopt);
  EXPECT_EQ(version("0.2.1", std::nullopt).value(), "0.2.1");
  EXPECT_EQ(version("0.2", ".1").value(), "0.2.1");
  EXPECT_EQ(version("1.0.0-rc.1+x.5", std::nullopt).value(), "1.0.0-rc.1+x.5");
  for (const char* bad : {"", "1", "1.2", "1.2.3.4", "01.2.3", "a.b.c", "1.2.3-", "1.2.3+\n"}) {
    EXPECT_FALSE(version(bad, std::nullopt)) << bad;
  }
  EXPECT_FALSE(version(std::nullopt, ".1"));
}

}  // namespace
}  // namespace tenon::component::wit
