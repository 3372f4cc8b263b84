// What the binder sees to for all functions: exceptions of libraries, and a budget that is
// overdrawn.

#include "wasi/binder.h"
#include "wasi/wasi_testing.h"

#include <kj/debug.h>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace tenon::wasi {
namespace {

using Read = Expected<std::vector<std::byte>, StreamError>;

class BinderNet : public testing::Test {
 public:
  ~BinderNet() noexcept override {}

 protected:
  TimedLoop loop;
  FakeGuest guest{loop.waitScope, loop.newContext()};
};

// A library that throws where it should give a value.
struct ThrowingSource final : net::InputSource {
  net::StreamResult<size_t> read(std::span<std::byte>) override { KJ_FAIL_REQUIRE("from below"); }
  bool ready() override { KJ_FAIL_REQUIRE("from below"); }
  kj::Promise<void> whenReady() override { KJ_FAIL_REQUIRE("from below"); }
};

TEST_F(BinderNet, AnExceptionOfALibraryIsAnErrorOfTheStream) {
  Borrow<InputStream> stream{
      guest.objects.add(std::make_unique<InputStream>(std::make_shared<ThrowingSource>()))};
  auto result =
      guest.call<Read>("wasi:io/streams", "[method]input-stream.read", stream, uint64_t{10});
  EXPECT_EQ(guest.trap, "");
  ASSERT_EQ(result.error().index(), 0u);
  auto text = guest.call<std::string>("wasi:io/error", "[method]error.to-debug-string",
                                      Borrow<net::IoError>{std::get<0>(result.error()).rep});
  EXPECT_NE(text.find("from below"), std::string::npos) << text;
}

TEST_F(BinderNet, AnExceptionOfALibraryTrapsWhereThereIsNoErrorToTell) {
  Borrow<Pollable> pollable{
      guest.objects.add(std::make_unique<Pollable>(std::make_shared<ThrowingSource>()))};
  guest.call<bool>("wasi:io/poll", "[method]pollable.ready", pollable);
  EXPECT_NE(guest.trap.find("from below"), std::string::npos) << guest.trap;
}

TEST_F(BinderNet, ACallThatLeavesTheBudgetOverdrawnTraps) {
  struct Growing final : net::InputSource {
    explicit Growing(std::shared_ptr<call::MemoryBudget> budget) : charge(std::move(budget)) {}
    net::StreamResult<size_t> read(std::span<std::byte>) override {
      charge.force(call::HostObjects::DEFAULT_MEMORY + 1);
      return size_t{0};
    }
    bool ready() override { return true; }
    kj::Promise<void> whenReady() override { return kj::READY_NOW; }
    call::MemoryCharge charge;
  };
  Borrow<InputStream> stream{guest.objects.add(
      std::make_unique<InputStream>(std::make_shared<Growing>(guest.objects.budget())))};
  guest.call<Read>("wasi:io/streams", "[method]input-stream.read", stream, uint64_t{10});
  EXPECT_EQ(guest.trap, "what the host keeps for the instance takes more memory than it may use");
}

}  // namespace
}  // namespace tenon::wasi
