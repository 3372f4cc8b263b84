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

TEST(Random, TrapsForMoreBytesThanAListMayHave) {
  TimedLoop loop;
  FakeGuest guest(loop.waitScope, loop.newContext());
  guest.call<Bytes>("wasi:random/random", "get-random-bytes", ~uint64_t{0});
  EXPECT_EQ(guest.trap, "more random bytes were asked for than fit in a list");
}

}  // namespace
}  // namespace tenon::wasi
