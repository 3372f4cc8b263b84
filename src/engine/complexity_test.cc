#include "engine/complexity.h"

#include "engine/engine_testing.h"

#include <gtest/gtest.h>

#include <string>

namespace tenon::engine {
namespace {

using testing::wasm;

std::string moduleOf(const std::string& code, uint32_t locals) {
  std::string text = "(module (func (param i32) (local";
  for (uint32_t i = 0; i < locals; ++i) text += " i32";
  return text + ") " + code + "))";
}

std::string nested(uint32_t depth) {
  std::string text;
  for (uint32_t i = 0; i < depth; ++i) text += "(loop ";
  return text + std::string(depth, ')');
}

TEST(Complexity, CountsWhatTheCompilerTakesLongFor) {
  auto shape = complexityOf(wasm(moduleOf(R"(
      (loop (block (br_if 0 (local.get 0)) (loop (br 1))))
      (if (local.get 0) (then (nop)) (else (nop)))
      (block (br_table 0 0 0 0 (local.get 0))))",
                                          3)));
  EXPECT_EQ(shape.locals, 3u);
  EXPECT_EQ(shape.loopDepth, 2u);
  EXPECT_EQ(shape.branches, 2u + 1 + 2 + 2 + 1 + 3);
  EXPECT_EQ(shape.loopProduct, 2u * 3);
  EXPECT_EQ(shape.branchProduct, shape.branches * 3);
}

TEST(Complexity, HasBoundsForDepthAndProducts) {
  auto check = [](const std::string& code, uint32_t locals) {
    return checkComplexity(wasm(moduleOf(code, locals)));
  };
  EXPECT_TRUE(check(nested(100), 10));
  auto deep = check(nested(101), 10);
  ASSERT_FALSE(deep);
  EXPECT_EQ(deep.error().code, ErrorCode::LIMIT_EXCEEDED);
  EXPECT_TRUE(deep.error().offset);
  std::string loops, blocks;
  for (int i = 0; i < 100; ++i) loops += "(loop) ";
  for (int i = 0; i < 2000; ++i) blocks += "(block) ";
  EXPECT_TRUE(check(loops, 10'000));
  EXPECT_FALSE(check(loops, 10'001));
  EXPECT_TRUE(check(blocks, 10'000));
  EXPECT_FALSE(check(blocks, 10'001));
}

TEST(Complexity, IsThatOfTheWorstFunction) {
  std::string text = "(module (func " + nested(3) + ") (func) (func " + nested(101) + "))";
  EXPECT_EQ(complexityOf(wasm(text)).loopDepth, 101u);
  EXPECT_FALSE(checkComplexity(wasm(text)));
}

TEST(Complexity, LeavesWhatIsMalformedToTheValidator) {
  auto module = wasm(moduleOf(nested(5), 3));
  for (size_t i = 0; i < module.size(); ++i) {
    EXPECT_TRUE(checkComplexity(std::span(module).first(i)));
  }
}

}  // namespace
}  // namespace tenon::engine
