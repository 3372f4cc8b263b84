// Small files whose parts are many: linking them takes time that grows as their number does, not as
// its square.

#include "base/cpu_time_testing.h"
#include "engine/engine_testing.h"
#include "run/executable.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace tenon::broken {
namespace {

using engine::testing::testEngine;
using engine::testing::wasm;
using std::chrono::milliseconds;

std::chrono::nanoseconds timeToLink(const std::string& text) {
  std::vector<std::byte> bytes = wasm(text);
  return cpuTimeOf([&] {
    auto linked = run::Executable::link(bytes, "many", component::Rewriting::ON);
    EXPECT_TRUE(linked) << linked.error().text();
  });
}

TEST(ManyParts, ChainsOfAdaptersAreWalkedOnce) {
  auto chainOf = [](int links) {
    std::string text = R"((component (core module $m (func (export "f")))
      (core instance $m (instantiate $m)) (type (func))
      (alias core export $m "f" (core func)) (canon lift (core func 0) (func (type 0))))";
    for (int i = 0; i < links; ++i) {
      std::string lifted = std::to_string(i), lowered = std::to_string(i + 1);
      text += "(canon lower (func " + lifted + ") (core func))";
      text += "(canon lift (core func " + lowered + ") (func (type 0)))";
    }
    return text + ")";
  };
  auto some = timeToLink(chainOf(4000));
  EXPECT_LT(timeToLink(chainOf(40'000)), 25 * some + milliseconds(500));
}

TEST(ManyParts, ShimsAreNotLookedForInAllArguments) {
  auto withShims = [](int shims) {
    std::string imports, exports;
    for (int i = 0; i < 10'000; ++i) {
      std::string name = "\"" + std::to_string(i) + "\" (func";
      imports += "(import \"\" " + name + "))";
      exports += "(export " + name + " $f))";
    }
    std::string text = "(component (core module $m (func (export \"f\")))" +
                       std::string("(core instance $m (instantiate $m))") +
                       "(alias core export $m \"f\" (core func $f))(core instance $many " +
                       exports + ")(core module $user " + imports + R"()
      (core module $s (type $t (func))
        (func (export "0") (call_indirect (type $t) (i32.const 0)))
        (table (export "$imports") 1 1 funcref)))";
    for (int i = 0; i < 40; ++i) {
      text += "(core instance (instantiate $user (with \"\" (instance $many))))";
    }
    for (int i = 0; i < shims; ++i) text += "(core instance (instantiate $s))";
    return text + ")";
  };
  auto one = timeToLink(withShims(1));
  EXPECT_LT(timeToLink(withShims(4000)), 3 * one + milliseconds(500));
}

TEST(ManyParts, CodeThatManyInstancesShareIsNotFollowedForEach) {
  auto withBody = [](int instructions) {
    std::string body;
    for (int i = 0; i < instructions; ++i) body += " nop";
    std::string text = R"((component
      (core module $f (func (export "f"))) (core instance $f (instantiate $f))
      (func $f (canon lift (core func $f "f")))
      (component $user
        (import "f" (func $f))
        (core func $f' (canon lower (func $f)))
        (core module $m (import "" "f" (func)) (memory (export "memory") 1)
          (func (export "realloc") (param i32 i32 i32 i32) (result i32))" +
                       body + R"( (i32.const 0)))
        (core instance $m (instantiate $m (with "" (instance (export "f" (func $f'))))))
        (core func (canon lower (func $f) (memory (core memory $m "memory"))
          (realloc (core func $m "realloc"))))))";
    for (int i = 0; i < 1500; ++i) text += "(instance (instantiate $user (with \"f\" (func $f))))";
    return text + ")";
  };
  auto little = timeToLink(withBody(1));
  // It took ten seconds when each followed it; what may be read takes one.
  EXPECT_LT(timeToLink(withBody(500'000)), 4 * little + milliseconds(4000));
}

TEST(ManyParts, SlotsAreFoundByNameAmongManyExports) {
  auto timeOf = [](int exports) {
    std::string module = "(core module $m (memory $memory 1)", lowered;
    for (int i = 0; i < exports; ++i) {
      std::string name = "\"memory " + std::to_string(100'000 + i) + "\"";
      module += "(export " + name + " (memory $memory))";
      lowered += "(alias core export $m " + name + " (core memory))";
      lowered += "(canon lower (func $f) (memory " + std::to_string(i) + ") (core func))";
    }
    std::vector<std::byte> bytes =
        wasm("(component (import \"f\" (func $f (param \"s\" string)))" + module +
             ")(core instance $m (instantiate $m))" + lowered + ")");
    return cpuTimeOf([&] {
      auto linked = run::Executable::link(bytes, "many", component::Rewriting::ON);
      EXPECT_TRUE(linked) << linked.error().text();
      auto compiled = (*linked)->compile(testEngine(), nullptr);
      EXPECT_TRUE(compiled) << compiled.error().text();
    });
  };
  auto some = timeOf(3000);
  EXPECT_LT(timeOf(30'000), 25 * some + milliseconds(500));
}

}  // namespace
}  // namespace tenon::broken
