#include "net/workers.h"
#include "wasi/sockets/sockets_testing.h"

#include <memory>
#include <mutex>
#include <thread>

namespace tenon::wasi::sockets {
namespace {

using Found = SocketResult<Own<AnyStream>>;
using Next = SocketResult<std::optional<IpAddress>>;

class LookupTest : public SocketGuest {
 protected:
  LookupTest()
      : SocketGuest({.connect = {"localhost:1-100", "no-such-name.invalid:*"}, .listen = {}}) {}

  Found begin(const std::string& name) {
    return guest.call<Found>("wasi:sockets/ip-name-lookup", "resolve-addresses", network, name);
  }
  Next next(Borrow<AnyStream> lookup) {
    return guest.call<Next>("wasi:sockets/ip-name-lookup",
                            "[method]resolve-address-stream.resolve-next-address", lookup);
  }
  // All addresses, after waiting.
  SocketResult<std::vector<IpAddress>> resolve(const std::string& name) {
    Found found = begin(name);
    if (!found) return Unexpected{found.error()};
    Borrow<AnyStream> lookup{found->rep};
    block("wasi:sockets/ip-name-lookup", "resolve-address-stream", lookup);
    std::vector<IpAddress> addresses;
    while (true) {
      Next address = next(lookup);
      if (!address) return Unexpected{address.error()};
      if (!*address) return addresses;
      addresses.push_back(**address);
    }
  }
  ErrorCode connect(const IpSocketAddress& to) {
    auto started = method<Void>("tcp", "start-connect", create("tcp"), network, to);
    return started ? ErrorCode::UNKNOWN : started.error();
  }
};

// Keeps all threads that look names up busy, as long as it lives.
class BusyResolvers {
 public:
  BusyResolvers() {
    for (int i = 0; i < 64; i++) {  // more than there are
      (void)net::Workers::forNames().run(kj::Function<bool()>([held = held_]() {
        std::lock_guard lock(*held);
        return true;
      }));
    }
  }
  ~BusyResolvers() { held_->unlock(); }
  BusyResolvers(const BusyResolvers&) = delete;
  BusyResolvers& operator=(const BusyResolvers&) = delete;

 private:
  static std::shared_ptr<std::mutex> newLocked() {
    auto held = std::make_shared<std::mutex>();
    held->lock();
    return held;
  }
  std::shared_ptr<std::mutex> held_ = newLocked();
};

TEST_F(LookupTest, AnAddressIsItselfWithoutAGrant) {
  EXPECT_EQ(resolve("10.1.2.3").value(), std::vector<IpAddress>{(Ipv4Address{10, 1, 2, 3})});
  EXPECT_EQ(resolve("::1").value(), (std::vector<IpAddress>{Ipv6Address{0, 0, 0, 0, 0, 0, 0, 1}}));
  EXPECT_EQ(resolve("[::1]").value().size(), 1u);
  EXPECT_EQ(resolve("::ffff:1.2.3.4").value(), std::vector<IpAddress>{(Ipv4Address{1, 2, 3, 4})});
  EXPECT_EQ(connect(Ipv4SocketAddress{80, {10, 1, 2, 3}}), ErrorCode::ACCESS_DENIED);
}

TEST_F(LookupTest, WhatIsNoNameIsRefusedAtOnce) {
  for (const char* name : {"", "a b", "127.1", "0x7f.1", "2130706433", "a..b", "localhost:80",
                           "[1.2.3.4]", "%", "1.2.3.4/8"}) {
    EXPECT_EQ(begin(name).error(), ErrorCode::INVALID_ARGUMENT) << name;
  }
}

TEST_F(LookupTest, AUnicodeNameIsItsAsciiForm) {
  // Of other width and case; a full stop of another script at the end.
  auto ascii = resolve("localhost");
  ASSERT_TRUE(ascii);
  for (const char* name : {"ｌｏｃａｌｈｏｓｔ", "LOCALHOST。", "ⓛocalhost"}) {
    auto unicode = resolve(name);
    ASSERT_TRUE(unicode) << name << int(unicode.error());
    EXPECT_EQ(*unicode, *ascii) << name;
  }
  EXPECT_EQ(begin("bücher.example").error(), ErrorCode::ACCESS_DENIED);
  EXPECT_EQ(begin("☃️.example").error(), ErrorCode::INVALID_ARGUMENT);
}

TEST_F(LookupTest, OnlyNamesThatAreGrantedAreLookedUp) {
  EXPECT_EQ(begin("example.com").error(), ErrorCode::ACCESS_DENIED);
  EXPECT_TRUE(begin("LOCALHOST."));
}

TEST_F(LookupTest, AGrantedNameOpensTheAddressesThatWereFoundWithItsPorts) {
  EXPECT_EQ(connect(withPort(LOOPBACK, 80)), ErrorCode::ACCESS_DENIED);
  auto addresses = resolve("localhost").value();
  ASSERT_FALSE(addresses.empty());
  for (const IpAddress& address : addresses) EXPECT_TRUE(net::isLoopback(ipOf(address)));
  EXPECT_EQ(connect(withPort(LOOPBACK, 80)), ErrorCode::UNKNOWN);
  EXPECT_EQ(connect(withPort(LOOPBACK, 101)), ErrorCode::ACCESS_DENIED);
  EXPECT_EQ(connect(Ipv4SocketAddress{80, {127, 0, 0, 9}}), ErrorCode::ACCESS_DENIED);
}

TEST_F(LookupTest, AnAnswerIsWaitedForAndANameThatIsNoneIsToldThen) {
  Found found = begin("no-such-name.invalid");
  ASSERT_TRUE(found);
  EXPECT_EQ(next({found->rep}).error(), ErrorCode::WOULD_BLOCK);
  auto result = resolve("no-such-name.invalid");
  ASSERT_FALSE(result);
  // Without a name server it is for now.
  EXPECT_TRUE(result.error() == ErrorCode::NAME_UNRESOLVABLE ||
              result.error() == ErrorCode::TEMPORARY_RESOLVER_FAILURE);
}

TEST_F(LookupTest, TooManyLookUpsAtOnceAreRefusedForNow) {
  BusyResolvers busy;
  for (uint32_t i = 0; i < NetworkAccess::MAX_LOOKUPS; i++) ASSERT_TRUE(begin("localhost"));
  EXPECT_EQ(begin("localhost").error(), ErrorCode::TEMPORARY_RESOLVER_FAILURE);
}

TEST_F(LookupTest, DroppedLookUpsCountUntilTheyAreDone) {
  {
    BusyResolvers busy;
    for (uint32_t i = 0; i < NetworkAccess::MAX_LOOKUPS; i++) {
      guest.objects.drop(begin("localhost").value().rep);
    }
    EXPECT_EQ(begin("localhost").error(), ErrorCode::TEMPORARY_RESOLVER_FAILURE);
  }
  Found found = begin("localhost");
  while (!found) {  // until a thread has passed by
    EXPECT_EQ(found.error(), ErrorCode::TEMPORARY_RESOLVER_FAILURE);
    std::this_thread::yield();
    found = begin("localhost");
  }
}

}  // namespace
}  // namespace tenon::wasi::sockets
