#include "call/memory_budget.h"

#include <gtest/gtest.h>

namespace tenon::call {
namespace {

TEST(MemoryBudget, GivesOutNoMoreThanItHas) {
  auto budget = std::make_shared<MemoryBudget>(100);
  MemoryCharge first(budget), second(budget);
  EXPECT_TRUE(first.set(60));
  EXPECT_FALSE(second.set(41));
  EXPECT_EQ(budget->used(), 60u);
  EXPECT_TRUE(second.set(40));
  EXPECT_FALSE(second.set(UINT64_MAX));
  EXPECT_EQ(budget->used(), 100u);
}

TEST(MemoryBudget, GetsBackWhatIsNotNeededAnyMore) {
  auto budget = std::make_shared<MemoryBudget>(100);
  {
    MemoryCharge charge(budget);
    EXPECT_TRUE(charge.set(100));
    EXPECT_TRUE(charge.set(30));
    EXPECT_EQ(budget->used(), 30u);
    EXPECT_TRUE(charge.set(100));
  }
  EXPECT_EQ(budget->used(), 0u);
}

TEST(MemoryBudget, ChargesMayOutliveIt) {
  auto budget = std::make_shared<MemoryBudget>(100);
  MemoryCharge charge(budget);
  EXPECT_TRUE(charge.set(50));
  budget = nullptr;
  EXPECT_TRUE(charge.set(100));
  EXPECT_FALSE(charge.set(101));
}

TEST(MemoryBudget, WhatIsThereAlreadyIsTakenBeyondIt) {
  auto budget = std::make_shared<MemoryBudget>(100);
  MemoryCharge first(budget), second(budget);
  first.force(150);
  EXPECT_TRUE(budget->overdrawn());
  EXPECT_FALSE(second.set(1));
  EXPECT_TRUE(first.set(120));  // less than before
  EXPECT_TRUE(budget->overdrawn());
  first.force(90);
  EXPECT_FALSE(budget->overdrawn());
  EXPECT_TRUE(second.set(10));
}

TEST(MemoryBudget, WithoutOneEverythingFits) { EXPECT_TRUE(MemoryCharge().set(UINT64_MAX)); }

}  // namespace
}  // namespace tenon::call
