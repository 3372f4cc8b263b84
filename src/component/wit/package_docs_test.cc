#include "component/wit/package_docs.h"

#include "base/cpu_time_testing.h"
#include "component/wit/model.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace tenon::component::wit {
namespace {

TEST(PackageDocs, OfOneTypeAgainAndAgainTakeNoSquareTime) {
  constexpr int MEMBERS = 10'000;
  std::vector<std::string> labels;
  for (int i = 0; i < MEMBERS; ++i) labels.push_back("m-" + std::to_string(i));
  Model model;
  TypeDef& type = model.types.emplace_back();
  for (const std::string& label : labels) type.members.push_back({label, {}, {}});
  Interface& interface = model.interfaces.emplace_back();
  interface.types.insert("t", 0);
  Package& package = model.packages.emplace_back();
  package.interfaces.insert("i", 0);
  std::string text = "\x01{\"interfaces\":{\"i\":{\"types\":{";
  for (int i = 0; i < MEMBERS; ++i) {
    text += "\"t\":{\"items\":{\"m-" + std::to_string(i) + "\":\"d\"}},";
  }
  text.back() = '}';
  text += "}}}";
  auto took = cpuTimeOf([&] {
    auto added = addPackageDocs(std::as_bytes(std::span(text)), model);
    ASSERT_TRUE(added) << added.error().text();
  });
  EXPECT_EQ(type.members.back().docs, "d");
  EXPECT_LT(took, std::chrono::seconds(5));
}

}  // namespace
}  // namespace tenon::component::wit
