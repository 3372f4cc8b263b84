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
  FakeGuest next(loop.waitScope, std::move(first->owned));
  first = nullptr;
  EXPECT_NE(seed(next), before);
}

}  // namespace
}  // namespace tenon::wasi
