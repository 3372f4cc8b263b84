#include "component/validate/interface.h"

#include "component/binary/binary_testing.h"
#include "component/binary/decoder.h"

#include <gtest/gtest.h>

#include <list>

namespace tenon::component {
namespace {

using testing::componentOf;

// Exports "shop:cart/cart@1.2.0": a record `item` of a string `name` and an f64 `price`, and
// add: func(item: item).
constexpr const char* CART =
    "013e0061736d01000000010f0260047f7f7f7f017f60037f7f7c0003030200010503010001070f03016d02000172"
    "00000361646400010a08020300000b02000b020401000000071a027202046e616d65730570726963657540010469"
    "74656d000100061503000001000361646400020100016d000001000172080a010000000203000401010512010102"
    "00046974656d0300000361646401000b1a01001473686f703a636172742f6361727440312e322e30050000";

// Imports the same as "shop:cart/cart@1.0.0".
constexpr const char* WEB =
    "0730014204017202046e616d6573057072696365750400046974656d030000014001046974656d01010004000361"
    "646401020a1901001473686f703a636172742f6361727440312e302e300500";

// The same but for the price, a u64.
constexpr const char* WEB_OF_INTEGERS =
    "0730014204017202046e616d6573057072696365770400046974656d030000014001046974656d01010004000361"
    "646401020a1901001473686f703a636172742f6361727440312e302e300500";

// Defines a resource; exports "a:b/pool": r, make: func() -> own<r>.
constexpr const char* POOL =
    "01240061736d010000000105016000017f03020100070801046d616b6500000a05010300000b020401000000070a"
    "033f7f00690040000001060a0100000100046d616b6508060100000000020510010102000172030000046d616b65"
    "01000b0e010008613a622f706f6f6c050000";

// Imports "a:b/pool" with r; exports "a:b/user": r, take: func(x: own<r>).
constexpr const char* USER =
    "07090142010400017203010a0d010008613a622f706f6f6c0500060601030000017201230061736d010000000105"
    "0160017f00030201000708010474616b6500000a040102000b020401000000070a02690140010178020100060a01"
    "000001000474616b65080601000000000305100101020001720301000474616b6501000b0e010008613a622f7573"
    "6572050100";

// Imports "a:b/pool" with r and make, and "a:b/user" with the same r and take.
constexpr const char* MAIN =
    "071a01420404000172030101690001400000010400046d616b6501020a0d010008613a622f706f6f6c0500060601"
    "03000001720723014205020302010104000172030000016901014001017802010004000474616b6501030a0d0100"
    "08613a622f757365720502";

class InterfaceTest : public ::testing::Test {
 protected:
  ComponentInterface describe(const char* hex) {
    bytes.push_back(componentOf(hex));
    components.push_back(decode(bytes.back()).value());
    return interfaces.describe(*components.back()).value();
  }

  std::list<std::vector<std::byte>> bytes;  // borrowed by the rest
  std::list<std::unique_ptr<Component>> components;
  Interfaces interfaces;
};

using Describe = InterfaceTest;
using Link = InterfaceTest;

TEST_F(Describe, ListsImportsAndExportsByName) {
  ComponentInterface user = describe(USER);
  ASSERT_EQ(user.imports().size(), 1u);
  EXPECT_EQ(user.imports()[0].name.name, "a:b/pool");
  ASSERT_EQ(user.exports().size(), 1u);
  const typed::Item* item = user.exports().find("a:b/user");
  ASSERT_NE(item, nullptr);
  const auto* instance = std::get<const typed::InstanceNode*>(item->entity);
  ASSERT_EQ(instance->exports.size(), 2u);
  EXPECT_EQ(toString(instance->exports[0].entity), "resource");
  EXPECT_EQ(instance->exports[1].name.name, "take");
}

TEST_F(Describe, GivesFunctionsTheirTypes) {
  ComponentInterface cart = describe(CART);
  const auto* instance = std::get<const typed::InstanceNode*>(cart.exports()[0].entity);
  EXPECT_EQ(toString(instance->exports.find("add")->entity),
            "func(item: record { name: string, price: f64 })");
  EXPECT_EQ(toString(instance->exports.find("item")->entity),
            "record { name: string, price: f64 }");
}

TEST_F(Describe, GivesEqualTypesOneAddress) {
  auto itemOf = [](const typed::Items& items) {
    const auto* instance = std::get<const typed::InstanceNode*>(items[0].entity);
    const auto& binding = std::get<typed::TypeBinding>(instance->exports.find("item")->entity);
    return std::get<typed::ValRef>(binding.created).node->type;
  };
  EXPECT_EQ(itemOf(describe(CART).exports()), itemOf(describe(WEB).imports()));
}

TEST_F(Describe, RefusesWhatIsInvalid) {
  bytes.push_back(componentOf("0703017007"));  // (type (list 7))
  auto component = decode(bytes.back()).value();
  EXPECT_FALSE(interfaces.describe(*component).ok());
}

TEST_F(Link, FitsWhereTheTypesAreEqual) {
  Linkage linkage(interfaces);
  ComponentInterface cartType = describe(CART);
  LinkedInstance cart = linkage.instance(cartType);
  LinkedInstance web = linkage.instance(describe(WEB));
  EXPECT_FALSE(linkage.link(web, 0, cart, cartType.exports()[0]).has_value());
}

TEST_F(Link, NamesTheFirstDifferenceByItsPath) {
  Linkage linkage(interfaces);
  ComponentInterface cartType = describe(CART);
  LinkedInstance cart = linkage.instance(cartType);
  LinkedInstance web = linkage.instance(describe(WEB_OF_INTEGERS));
  auto mismatch = linkage.link(web, 0, cart, cartType.exports()[0]);
  ASSERT_TRUE(mismatch.has_value());
  EXPECT_EQ(mismatch->text(), "record cart.item, field price: expected u64, found f64");
}

TEST_F(Link, NamesWhatIsMissing) {
  Linkage linkage(interfaces);
  ComponentInterface poolType = describe(POOL);
  LinkedInstance pool = linkage.instance(poolType);
  LinkedInstance web = linkage.instance(describe(WEB));
  auto mismatch = linkage.link(web, 0, pool, poolType.exports()[0]);
  ASSERT_TRUE(mismatch.has_value());
  EXPECT_EQ(mismatch->text(), "instance shop:cart/cart@1.0.0: missing expected export `item`");
}

TEST_F(Link, SharesAResourceInADiamond) {
  Linkage linkage(interfaces);
  ComponentInterface poolType = describe(POOL);
  ComponentInterface userType = describe(USER);
  LinkedInstance pool = linkage.instance(poolType);
  LinkedInstance user = linkage.instance(userType);
  LinkedInstance main = linkage.instance(describe(MAIN));
  ASSERT_FALSE(linkage.link(user, 0, pool, poolType.exports()[0]).has_value());
  ASSERT_FALSE(linkage.link(main, 0, pool, poolType.exports()[0]).has_value());
  EXPECT_FALSE(linkage.link(main, 1, user, userType.exports()[0]).has_value());
}

TEST_F(Link, KeepsTheResourcesOfTwoInstancesApart) {
  Linkage linkage(interfaces);
  ComponentInterface poolType = describe(POOL);
  ComponentInterface userType = describe(USER);
  LinkedInstance pool = linkage.instance(poolType);
  LinkedInstance otherPool = linkage.instance(poolType);
  LinkedInstance user = linkage.instance(userType);
  LinkedInstance main = linkage.instance(describe(MAIN));
  ASSERT_FALSE(linkage.link(user, 0, otherPool, poolType.exports()[0]).has_value());
  ASSERT_FALSE(linkage.link(main, 0, pool, poolType.exports()[0]).has_value());
  auto mismatch = linkage.link(main, 1, user, userType.exports()[0]);
  ASSERT_TRUE(mismatch.has_value());
  EXPECT_EQ(mismatch->text(), "resource user.r: resource types are not the same");
}

TEST_F(Link, TakesAResourceOfTheHostToBeOneForAll) {
  Linkage linkage(interfaces);
  ComponentInterface userType = describe(USER);
  LinkedInstance user = linkage.instance(userType);
  LinkedInstance main = linkage.instance(describe(MAIN));
  linkage.linkToHost(user, 0);
  linkage.linkToHost(main, 0);
  EXPECT_FALSE(linkage.link(main, 1, user, userType.exports()[0]).has_value());
}

TEST_F(Link, ChangesNothingWhenItFails) {
  Linkage linkage(interfaces);
  ComponentInterface cartType = describe(CART);
  LinkedInstance cart = linkage.instance(cartType);
  LinkedInstance user = linkage.instance(describe(USER));
  ASSERT_TRUE(linkage.link(user, 0, cart, cartType.exports()[0]).has_value());
  EXPECT_TRUE(user.resources.empty());
}

}  // namespace
}  // namespace tenon::component
