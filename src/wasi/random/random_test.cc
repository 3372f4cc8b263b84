#include "wasi/random/random.h"

#include "wasi/wasi_testing.h"

namespace tenon::wasi {
namespace {

using Bytes = std::vector<std::byte>;

TEST(Random, GivesAsManyBytesAsAskedAndOthersEachTime) {
  TimedLoop loop;
  FakeGuest guest(loop.waitScope, loop.newContext());
  for (auto [interface, name] : {std::pair{"wasi:random/random", "get-random-bytes"},
                                 std::pair{"wasi:random/insecure", "get-insecure-random-bytes"}}) {
    EXPECT_TRUE(guest.call<Bytes>(interface, name, uint64_t{0}).empty());
    auto first = guest.call<Bytes>(interface, name, uint64_t{1000});
    auto second = guest.call<Bytes>(interface, name, uint64_t{1000});
    EXPECT_EQ(first.size(), 1000u);
    EXPECT_NE(first, second);
  }
  EXPECT_NE(guest.call<uint64_t>("wasi:random/random", "get-random-u64"),
            guest.call<uint64_t>("wasi:random/insecure", "get-insecure-random-u64"));
  auto seed =
      guest.call<std::tuple<uint64_t, uint64_t>>("wasi:random/insecure-seed", "insecure-seed");
  EXPECT_NE(std::get<0>(seed), std::get<1>(seed));
}

TEST(Random, TrapsForMoreBytesThanItMakesInOneCall) {
  TimedLoop loop;
  FakeGuest guest(loop.waitScope, loop.newContext());
  guest.memory.resize(24 * 1024 * 1024);
  constexpr uint64_t MOST = 16 * 1024 * 1024;
  for (auto [interface, name] : {std::pair{"wasi:random/random", "get-random-bytes"},
                                 std::pair{"wasi:random/insecure", "get-insecure-random-bytes"}}) {
    EXPECT_EQ(guest.call<Bytes>(interface, name, MOST).size(), MOST) << guest.trap;
    for (uint64_t length : {MOST + 1, uint64_t{250'000'000}, ~uint64_t{0}}) {
      guest.call<Bytes>(interface, name, length);
      EXPECT_EQ(guest.trap, "more than 16 MiB of random bytes were asked for in one call");
    }
  }
}

using Seed = std::tuple<uint64_t, uint64_t>;

TEST(Random, TheSeedForHashesIsOneForEachInstance) {
  TimedLoop loop;
  auto seed = [](FakeGuest& guest) {
    return guest.call<Seed>("wasi:random/insecure-seed", "insecure-seed");
  };
  auto first = std::make_unique<FakeGuest>(loop.waitScope, loop.newContext());
  Seed before = seed(*first);
  EXPECT_EQ(seed(*first), before);
  FakeGuest second(loop.waitScope, loop.newContext());
  EXPECT_NE(seed(second), before);
  // As a server does: the context of an instance that is gone serves the next one.
  FakeGuest next(loop.waitScope, std::move(first->part));
  first = nullptr;
  EXPECT_NE(seed(next), before);
}

TEST(Random, NumbersAndBytesAreSpreadOverAllValues) {
  TimedLoop loop;
  FakeGuest guest(loop.waitScope, loop.newContext());
  for (const char* interface : {"wasi:random/random", "wasi:random/insecure"}) {
    std::string name = interface == std::string("wasi:random/random") ? "" : "insecure-";
    auto bytes = guest.call<Bytes>(interface, "get-" + name + "random-bytes", uint64_t{100'000});
    int counts[256] = {};
    for (std::byte byte : bytes) counts[static_cast<uint8_t>(byte)]++;
    // 390 of each on average; 17 standard deviations away.
    for (int count : counts) EXPECT_NEAR(count, 390, 340);
    uint64_t all = 0, none = ~uint64_t{0};
    for (int i = 0; i < 200; i++) {
      uint64_t value = guest.call<uint64_t>(interface, "get-" + name + "random-u64");
      all |= value;
      none &= value;
    }
    EXPECT_EQ(all, ~uint64_t{0});
    EXPECT_EQ(none, 0u);
  }
  EXPECT_EQ(guest.suspensions, 0);
}

TEST(Random, OtherGuestsGetOtherNumbers) {
  TimedLoop loop;
  FakeGuest one(loop.waitScope, loop.newContext());
  FakeGuest other(loop.waitScope, loop.newContext());
  using Seed = std::tuple<uint64_t, uint64_t>;
  EXPECT_NE(one.call<Seed>("wasi:random/insecure-seed", "insecure-seed"),
            other.call<Seed>("wasi:random/insecure-seed", "insecure-seed"));
  EXPECT_NE(one.call<uint64_t>("wasi:random/random", "get-random-u64"),
            other.call<uint64_t>("wasi:random/random", "get-random-u64"));
}

}  // namespace
}  // namespace tenon::wasi
