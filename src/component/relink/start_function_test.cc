#include "component/relink/start_function.h"

#include "base/byte_writer.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::component {
namespace {

using Bytes = std::vector<std::byte>;
using Names = std::vector<std::string>;

constexpr uint8_t TYPE = 1, FUNCTION = 3, EXPORT = 7, START = 8, CODE = 10;

void writeExports(ByteWriter& out, const Names& names) {
  out.section(EXPORT, [&] {
    out.u32(static_cast<uint32_t>(names.size()));
    for (const std::string& name : names) {
      out.name(name);
      out.u8(0);
      out.u32(0);
    }
  });
}

// A function of no parameters, which starts if `starts`, and `write` before that.
Bytes moduleOf(const std::function<void(ByteWriter&)>& write, bool starts) {
  ByteWriter out;
  out.text(std::string_view("\0asm\1\0\0\0", 8));
  out.section(TYPE, [&] {
    for (uint8_t byte : {1, 0x60, 0, 0}) out.u8(byte);
  });
  out.section(FUNCTION, [&] {
    for (uint8_t byte : {1, 0}) out.u8(byte);
  });
  write(out);
  if (starts) out.section(START, [&] { out.u32(0); });
  out.section(CODE, [&] {
    for (uint8_t byte : {1, 2, 0, 0x0b}) out.u8(byte);
  });
  return std::move(out).take();
}

Bytes withExports(const Names& names, bool starts) {
  return moduleOf(
      [&](ByteWriter& out) {
        if (!names.empty()) writeExports(out, names);
      },
      starts);
}

TEST(StartFunction, IsExportedInstead) {
  for (const Names& names : {Names{}, Names{"a"}, Names(127, "x")}) {
    Bytes module = withExports(names, true);
    auto start = findStart(module);
    ASSERT_TRUE(start);
    EXPECT_EQ(start->name, "tenon:start");
    Names wanted = names;
    wanted.push_back("tenon:start");
    Bytes made = exportStart(module, *start);
    EXPECT_TRUE(made == withExports(wanted, false));
    EXPECT_EQ(static_cast<int64_t>(made.size()) - static_cast<int64_t>(module.size()),
              start->shift());
  }
}

TEST(StartFunction, GetsANameThatNobodyHas) {
  Bytes module = withExports({"tenon:start", "tenon:start0", "tenon:start2"}, true);
  auto start = findStart(module);
  ASSERT_TRUE(start);
  EXPECT_EQ(start->name, "tenon:start1");
}

TEST(StartFunction, IsNotThereInModulesWithoutOrThatAreMalformed) {
  EXPECT_FALSE(findStart(withExports({"a"}, false)));
  EXPECT_FALSE(findStart({}));
  Bytes exportsLast = moduleOf(
      [&](ByteWriter& out) {
        out.section(START, [&] { out.u32(0); });
        writeExports(out, {"a"});
      },
      false);
  EXPECT_FALSE(findStart(exportsLast));
}

TEST(StartFunction, GivesAModuleOrNothingForEveryChangedByte) {
  Bytes module = withExports({"a", "tenon:start"}, true);
  for (size_t i = 0; i < module.size(); ++i) {
    std::byte original = module[i];
    for (int change = 1; change < 256; ++change) {
      module[i] = original ^ static_cast<std::byte>(change);
      if (auto start = findStart(module)) (void)exportStart(module, *start);
    }
    module[i] = original;
    auto cut = std::span(module).first(i);
    if (auto start = findStart(cut)) (void)exportStart(cut, *start);
  }
}

}  // namespace
}  // namespace tenon::component
