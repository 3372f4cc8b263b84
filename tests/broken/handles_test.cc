// Handles: a maker defines a resource, and somebody misuses it.

#include "tests/broken/broken_workload.h"

#include <gtest/gtest.h>

namespace tenon::broken {
namespace {

// Exports the resource thing: make gives one, look borrows it, both also takes one.
constexpr const char* MAKER = R"((component
  (type $thing' (resource (rep i32)))
  (core func $new (canon resource.new $thing'))
  (core module $M
    (import "own" "new" (func $new (param i32) (result i32)))
    (func (export "make") (result i32) (call $new (i32.const 77)))
    (func (export "look") (param i32) (result i32) (local.get 0))
    (func (export "both") (param i32 i32)))
  (core instance $m (instantiate $M (with "own" (instance (export "new" (func $new))))))
  (func $make (result (own $thing')) (canon lift (core func $m "make")))
  (func $look (param "t" (borrow $thing')) (result u32) (canon lift (core func $m "look")))
  (func $both (param "a" (borrow $thing')) (param "b" (own $thing')) (canon lift (core func $m "both")))
  (instance $api
    (export "thing" (type $thing'))
    (export "make" (func $make)) (export "look" (func $look)) (export "both" (func $both)))
  (export "t:t/things" (instance $api)))
)";

// Imports all of it and runs `body`.
std::string user(const std::string& body) {
  return R"((component
  (import "t:t/things" (instance $things
    (export "thing" (type $thing (sub resource)))
    (export "make" (func (result (own $thing))))
    (export "look" (func (param "t" (borrow $thing)) (result u32)))
    (export "both" (func (param "a" (borrow $thing)) (param "b" (own $thing))))))
  (alias export $things "thing" (type $thing))
  (core func $make (canon lower (func $things "make")))
  (core func $look (canon lower (func $things "look")))
  (core func $both (canon lower (func $things "both")))
  (core func $drop (canon resource.drop $thing))
  (core module $M
    (import "things" "make" (func $make (result i32)))
    (import "things" "look" (func $look (param i32) (result i32)))
    (import "things" "both" (func $both (param i32 i32)))
    (import "things" "drop" (func $drop (param i32)))
    (func (export "go") (result i32) (local $h i32)
      (local.set $h (call $make))
      )" +
         body + R"())
  (core instance $m (instantiate $M (with "things" (instance
    (export "make" (func $make)) (export "look" (func $look))
    (export "both" (func $both)) (export "drop" (func $drop))))))
  (func (export "go") (result u32) (canon lift (core func $m "go"))))
)";
}

class BrokenHandle : public testing::Test {
 protected:
  void SetUp() override {
    workload.add("bystander", bystander());
    workload.add("maker", MAKER);
  }
  void expectBlame(const std::string& body, const std::string& reason) {
    workload.add("bad", user(body));
    workload.expectBlame("bad", "bad", {reason});
  }
  Workload workload;
};

TEST_F(BrokenHandle, GoodUseIsFine) {
  workload.add("user", user("(call $look (local.get $h)) (call $drop (local.get $h))"));
  workload.expectFine("user", 77);
}

TEST_F(BrokenHandle, ADroppedHandleCannotBeLent) {
  expectBlame("(call $drop (local.get $h)) (call $look (local.get $h))", "unknown handle index");
}

TEST_F(BrokenHandle, ADroppedHandleCannotBeGivenAway) {
  expectBlame("(call $drop (local.get $h)) (call $both (call $make) (i32.const 2)) (i32.const 0)",
              "unknown handle index");
}

TEST_F(BrokenHandle, ADroppedHandleCannotBeDropped) {
  expectBlame("(call $drop (local.get $h)) (call $drop (local.get $h)) (i32.const 0)",
              "unknown handle index");
}

TEST_F(BrokenHandle, AMadeUpHandleIsNone) {
  for (const char* index : {"0", "2", "1000", "0x7fffffff", "-1"}) {
    Workload another;
    another.add("bystander", bystander());
    another.add("maker", MAKER);
    another.add("bad", user("(call $look (i32.const " + std::string(index) + "))"));
    another.expectBlame("bad", "bad", {"unknown handle index"});
  }
}

TEST_F(BrokenHandle, WhatIsLentInACallCannotBeGivenAwayInIt) {
  expectBlame("(call $both (local.get $h) (local.get $h)) (i32.const 0)",
              "cannot remove owned resource while borrowed");
}

TEST_F(BrokenHandle, AHandleOfAnotherResourceIsRefused) {
  // Its own resource's handle, where a thing is wanted.
  std::string text = user("(call $look (call $own (i32.const 5)))");
  auto replace = [&](const std::string& from, const std::string& to) {
    text.replace(text.find(from), from.size(), to);
  };
  replace("(core module $M",
          "(type $mine (resource (rep i32))) (core func $own (canon resource.new $mine))\n"
          "  (core module $M\n"
          "    (import \"things\" \"own\" (func $own (param i32) (result i32)))");
  replace("(export \"both\" (func $both)) (export \"drop\"",
          "(export \"own\" (func $own)) (export \"both\" (func $both)) (export \"drop\"");
  workload.add("bad", text);
  workload.expectBlame("bad", "bad", {"the handle is of another resource type"});
}

// Borrows a thing from the one that calls it, and ends with `body`.
std::string keeper(const std::string& body) {
  return R"((component
  (import "t:t/things" (instance $things (export "thing" (type $thing (sub resource)))))
  (alias export $things "thing" (type $thing))
  (core func $drop (canon resource.drop $thing))
  (core module $M
    (import "things" "drop" (func $drop (param i32)))
    (func (export "keep") (param i32) )" +
         body + R"())
  (core instance $m (instantiate $M (with "things" (instance (export "drop" (func $drop))))))
  (func $keep (param "t" (borrow $thing)) (canon lift (core func $m "keep")))
  (instance $api (export "keep" (func $keep)))
  (export "t:t/keep" (instance $api)))
)";
}

constexpr const char* LENDER = R"((component
  (import "t:t/things" (instance $things
    (export "thing" (type $thing (sub resource)))
    (export "make" (func (result (own $thing))))))
  (alias export $things "thing" (type $thing))
  (import "t:t/keep" (instance $keep
    (alias outer 1 $thing (type $t))
    (export "keep" (func (param "t" (borrow $t))))))
  (core func $make (canon lower (func $things "make")))
  (core func $k (canon lower (func $keep "keep")))
  (core module $M
    (import "things" "make" (func $make (result i32)))
    (import "things" "keep" (func $keep (param i32)))
    (func (export "go") (result i32) (call $keep (call $make)) (i32.const 9)))
  (core instance $m (instantiate $M (with "things" (instance
    (export "make" (func $make)) (export "keep" (func $k))))))
  (func (export "go") (result u32) (canon lift (core func $m "go"))))
)";

TEST_F(BrokenHandle, ABorrowThatIsGivenBackIsFine) {
  workload.add("keeper", keeper("(call $drop (local.get 0))"));
  workload.add("lender", LENDER);
  workload.expectFine("lender", 9);
}

TEST_F(BrokenHandle, ABorrowThatIsKeptIsTheCalleesFault) {
  workload.add("bad", keeper(""));
  workload.add("lender", LENDER);
  workload.expectBlame("lender", "bad", {"borrow handles still remain at the end of the call"});
}

TEST_F(BrokenHandle, ABorrowThatIsDroppedTwiceIsTheCalleesFault) {
  workload.add("bad", keeper("(call $drop (local.get 0)) (call $drop (local.get 0))"));
  workload.add("lender", LENDER);
  workload.expectBlame("lender", "bad", {"unknown handle index"});
}

}  // namespace
}  // namespace tenon::broken
