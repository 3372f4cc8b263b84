#include "base/array_pool.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace tenon {
namespace {

TEST(ArrayPool, KeepsCopiesInPlaceWhileItGrows) {
  ArrayPool pool;
  std::vector<std::span<const uint64_t>> kept;
  std::vector<uint64_t> scratch;
  for (uint64_t i = 0; i < 1000; ++i) {
    scratch.assign(static_cast<size_t>(i % 7), i);
    kept.push_back(pool.keep(scratch));
    static_cast<void>(pool.keep(std::vector<char>{'x'}));  // the next one needs its alignment
  }
  for (uint64_t i = 0; i < kept.size(); ++i) {
    ASSERT_EQ(kept[i].size(), i % 7);
    for (uint64_t value : kept[i]) ASSERT_EQ(value, i);
  }
}

TEST(ArrayPool, AnEmptyArrayTakesNoMemory) {
  EXPECT_EQ(ArrayPool().keep(std::vector<int>()).data(), nullptr);
}

}  // namespace
}  // namespace tenon
