#include "call/slots.h"

#include "call/host_objects.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <new>

namespace {

// Allocations of more bytes fail, on this thread.
thread_local size_t mostBytes = SIZE_MAX;

class Scarce {
 public:
  explicit Scarce(size_t bytes) { mostBytes = bytes; }
  ~Scarce() { mostBytes = SIZE_MAX; }
  Scarce(const Scarce&) = delete;
  Scarce& operator=(const Scarce&) = delete;
};

}  // namespace

void* operator new(size_t size) {
  void* memory = size <= mostBytes ? std::malloc(size) : nullptr;
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace tenon::call {
namespace {

struct Entry {
  uint32_t number = 0;
  bool isFree() const { return number == 0; }
};

TEST(Slots, GiveNumbersFromOneAndTheLastFreedFirst) {
  Slots<Entry> slots(100, nullptr);
  for (uint32_t i = 1; i <= 3; ++i) EXPECT_EQ(slots.add({i}), i);
  EXPECT_EQ(slots.take(1).number, 1u);
  EXPECT_EQ(slots.take(3).number, 3u);
  EXPECT_EQ(slots.find(3), nullptr);
  EXPECT_EQ(slots.add({7}), 3u);
  EXPECT_EQ(slots.add({8}), 1u);
  EXPECT_EQ(slots.find(1)->number, 8u);
  EXPECT_EQ(slots.size(), 3u);
}

TEST(Slots, AreRefusedBeyondTheirLimitAndBudget) {
  Slots<Entry> few(2, nullptr);
  EXPECT_NE(few.add({1}), 0u);
  EXPECT_NE(few.add({1}), 0u);
  EXPECT_EQ(few.add({1}), 0u);
  auto budget = std::make_shared<MemoryBudget>(1000);
  Slots<Entry> poor(1'000'000, budget);
  while (poor.add({1}) != 0) {
  }
  EXPECT_GT(poor.size(), 16u);
  EXPECT_LE(poor.size() * sizeof(Entry), 1000u);
}

TEST(Slots, AreRefusedWhenTheHostHasNoMemoryAndStayUsable) {
  Slots<Entry> slots(1'000'000, nullptr);
  while (slots.size() < 1000) slots.add({1});
  uint32_t before = slots.size();
  {
    Scarce scarce(1024);
    while (slots.add({2}) != 0) {
    }
    EXPECT_GE(slots.size(), before);
    // Freeing takes none.
    for (uint32_t i = 1; i <= 1000; ++i) slots.take(i);
    EXPECT_NE(slots.add({3}), 0u);
  }
  EXPECT_NE(slots.add({4}), 0u);
}

struct Apple : HostObject {};

TEST(HostObjects, AreRefusedWhenTheHostHasNoMemoryForTheirTable) {
  HostObjects objects;
  while (objects.size() < 1000) objects.add(std::make_unique<Apple>());
  Scarce scarce(1024);
  uint32_t rep = 0;
  for (int i = 0; i < 2000; ++i) {
    rep = objects.add(std::make_unique<Apple>());
    if (rep == 0) break;
  }
  EXPECT_EQ(rep, 0u);
  EXPECT_TRUE(objects.drop(1));
  EXPECT_EQ(objects.add(std::make_unique<Apple>()), 1u);
}

TEST(HostObjects, ChargeTheirTableToTheBudget) {
  HostObjects objects(1'000'000, 1'000'000);
  while (objects.add(std::make_unique<Apple>()) != 0) {
  }
  EXPECT_GT(objects.size(), 1000u);
  EXPECT_LT(objects.size(), 1'000'000u / HostObjects::OBJECT_COST);
  EXPECT_LE(objects.budget()->used(), 1'000'000u);
}

}  // namespace
}  // namespace tenon::call
