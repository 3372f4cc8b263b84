#include "call/refusals.h"

#include <gtest/gtest.h>

#include <vector>

namespace tenon::call {
namespace {

TEST(Refusals, EachThingIsToldOnce) {
  std::vector<Refusal> told;
  Refusals refusals([&](const Refusal& refusal) { told.push_back(refusal); });
  for (int i = 0; i < 3; ++i) {
    refusals.tell("web", Refusal::Kind::CONNECT, "10.0.0.1:80");
    refusals.tell("web", Refusal::Kind::LISTEN, "10.0.0.1:80");
  }
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].component, "web");
  EXPECT_EQ(told[0].target, "10.0.0.1:80");
  EXPECT_EQ(told[1].kind, Refusal::Kind::LISTEN);
}

TEST(Refusals, WhatIsAskedForByHabitIsToldWhenTheProgramFailedForNothingElse) {
  std::vector<Refusal> told;
  auto tell = [&](const Refusal& refusal) { told.push_back(refusal); };
  Refusals some(tell);
  some.tellRemembered("");
  some.remember(Refusal::Kind::DIRECTORIES);
  EXPECT_TRUE(told.empty());
  some.tellRemembered("");
  some.tellRemembered("");
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].kind, Refusal::Kind::DIRECTORIES);
  Refusals others(tell);
  others.remember(Refusal::Kind::DIRECTORIES);
  others.tell("", Refusal::Kind::SOCKET, "");
  others.tellRemembered("");
  EXPECT_EQ(told.size(), 2u);
}

TEST(Refusals, AreFewAndShort) {
  std::vector<Refusal> told;
  Refusals refusals([&](const Refusal& refusal) { told.push_back(refusal); });
  std::string large(1'000'000, 'x');
  for (int i = 0; i < 1000; ++i) {
    refusals.tell("", Refusal::Kind::LOOK_UP, std::to_string(i) + large);
  }
  ASSERT_EQ(told.size(), Refusals::MOST);
  EXPECT_EQ(told[0].target.size(), 256u);
  EXPECT_FALSE(told[0].last);
  EXPECT_TRUE(told.back().last);
}

}  // namespace
}  // namespace tenon::call
