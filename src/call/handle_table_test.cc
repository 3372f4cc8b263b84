#include "call/handle_table.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace tenon::call {
namespace {

Handle own(uint32_t rep) { return {.kind = HandleKind::OWN, .resource = 0, .rep = rep}; }

TEST(HandleTable, GivesIndicesFromOneAndReusesTheLastFreedFirst) {
  HandleTable table;
  EXPECT_EQ(table.add(own(10)), 1u);
  EXPECT_EQ(table.add(own(11)), 2u);
  EXPECT_EQ(table.add(own(12)), 3u);
  table.remove(1);
  table.remove(3);
  EXPECT_EQ(table.add(own(13)), 3u);
  EXPECT_EQ(table.add(own(14)), 1u);
  EXPECT_EQ(table.add(own(15)), 4u);
  EXPECT_EQ(table.size(), 4u);
}

TEST(HandleTable, FindsNothingAtZeroBeyondTheEndOrWhereItWasFreed) {
  HandleTable table;
  EXPECT_EQ(table.find(0), nullptr);
  EXPECT_EQ(table.find(1), nullptr);
  uint32_t index = table.add(own(7));
  ASSERT_NE(table.find(index), nullptr);
  EXPECT_EQ(table.find(index)->rep, 7u);
  table.remove(index);
  EXPECT_EQ(table.find(index), nullptr);
  EXPECT_EQ(table.find(0xffffffff), nullptr);
}

TEST(HandleTable, RefusesMoreThanItsLimit) {
  HandleTable table(2);
  EXPECT_EQ(table.add(own(1)), 1u);
  EXPECT_EQ(table.add(own(2)), 2u);
  EXPECT_EQ(table.add(own(3)), 0u);
  table.remove(1);
  EXPECT_EQ(table.add(own(3)), 1u);
}

TEST(HandleTable, CountsWhatAllCallsAreLentTogether) {
  HandleTable table(6);
  uint32_t index = table.add(own(1));
  Lends first, second;
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(first.add(table, index));
  EXPECT_TRUE(second.add(table, index));
  EXPECT_FALSE(second.add(table, index));
  EXPECT_FALSE(first.add(table, index));
  EXPECT_EQ(table.find(index)->lends, 6u);
  first.release(table);
  EXPECT_EQ(table.find(index)->lends, 1u);
  EXPECT_TRUE(second.add(table, index));
  second.release(table);
  EXPECT_EQ(table.find(index)->lends, 0u);
}

TEST(HandleTable, ShowsEachEntryOnce) {
  HandleTable table;
  table.add(own(1));
  uint32_t removed = table.add(own(2));
  table.add(own(3));
  table.remove(removed);
  std::vector<uint32_t> reps;
  table.forEach([&](const Handle& handle) { reps.push_back(handle.rep); });
  EXPECT_EQ(reps, (std::vector<uint32_t>{1, 3}));
}

TEST(HandleTable, ChargesWhatItTakesToABudgetOfManyTables) {
  auto budget = std::make_shared<MemoryBudget>(100'000);
  auto fill = [](HandleTable& table) {
    uint32_t count = 0;
    while (table.add(own(1)) != 0) ++count;
    return count;
  };
  {
    HandleTable one(HandleTable::MAX_LENGTH, budget);
    uint32_t most = fill(one);
    EXPECT_GT(most, 1000u);
    EXPECT_LT(most, 100'000 / sizeof(Handle));
    HandleTable two(HandleTable::MAX_LENGTH, budget);
    EXPECT_LT(fill(two), most);
    one.remove(1);
    EXPECT_NE(one.add(own(2)), 0u);  // there is room
  }
  EXPECT_EQ(budget->used(), 0u);
}

}  // namespace
}  // namespace tenon::call
