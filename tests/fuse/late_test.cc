// Callers that get their adapters only after they were instantiated, so that there is no shim
// between them.

#include "base/cpu_time_testing.h"
#include "component/binary/decoder.h"
#include "component/flatten/flatten.h"
#include "component/fuse/fuse.h"
#include "component/relink/late_imports.h"
#include "test_runtime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace tenon::component::testing {
namespace {

using ::testing::HasSubstr;

// A component with `len` of a string and `add` of numbers, and one that calls them as what
// wit-component makes does: by a shim and a fixup, as `len` needs the memory of its main module.
struct Pair {
  std::string main;              // more fields of the main module
  std::string between;           // definitions between the main module's instance and the fixup's
  std::string after;             // definitions after the fixup's instance
  std::string withHost = "yes";  // whether the main module imports functions of the host
  uint32_t count = 1;            // pairs

  std::string text() const {
    std::string host, hostLower, hostCore, hostGiven, given;
    for (const char* name : {"a", "b", "c", "d"}) {
      if (withHost != "yes") break;
      std::string n = name;
      host += "(import \"host-" + n + "\" (func $h" + n + " (result u32)))\n";
      hostLower += "(core func $" + n + " (canon lower (func $h" + n + ")))\n";
      hostCore += "(import \"i\" \"" + n + "\" (func $" + n + " (result i32)))\n";
      hostGiven += "(export \"" + n + "\" (func $" + n + "))";
      given += " (with \"host-" + n + "\" (func $h" + n + "))";
    }
    std::string out = "(component " + host + R"(
      (component $callee
        (core module $m (memory (export "memory") 1)
          (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64))
          (func (export "len") (param i32 i32) (result i32) (local.get 1))
          (func (export "add") (param i32 i32) (result i32)
            (i32.add (local.get 0) (local.get 1))))
        (core instance $i (instantiate $m))
        (func (export "len") (param "s" string) (result u32) (canon lift (core func $i "len")
          (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
        (func (export "add") (param "a" u32) (param "b" u32) (result u32)
          (canon lift (core func $i "add"))))
      (component $caller
        (import "len" (func $len (param "s" string) (result u32)))
        (import "add" (func $add (param "a" u32) (param "b" u32) (result u32)))
        )" + host + hostLower +
                      R"(
        (core module $shim (type $t (func (param i32 i32) (result i32)))
          (table (export "$imports") 1 1 funcref)
          (func (export "0") (type $t)
            local.get 0 local.get 1 i32.const 0 call_indirect (type $t)))
        (core instance $shim (instantiate $shim))
        (core func $add' (canon lower (func $add)))
        (core module $main
          (import "i" "len" (func $len (param i32 i32) (result i32)))
          (import "i" "add" (func $add (param i32 i32) (result i32)))
          )" + hostCore +
                      R"((memory (export "memory") 1) (data (i32.const 8) "hello")
          (func $run (export "run") (result i32)
            (drop (call $len (i32.const 8) (i32.const 2)))
            (call $len (i32.const 8) (i32.const 5)))
          (func (export "sum") (result i32) (return_call $add (i32.const 40) (i32.const 2)))
          )" + main + R"()
        (core instance $main (instantiate $main (with "i" (instance
          (export "len" (func $shim "0")) (export "add" (func $add')) )" +
                      hostGiven + R"())))
        (core func $len' (canon lower (func $len) (memory (core memory $main "memory"))))
        )" + between + R"(
        (core module $fixup (type $t (func (param i32 i32) (result i32)))
          (import "" "0" (func (type $t))) (import "" "$imports" (table 1 1 funcref))
          (elem (i32.const 0) func 0))
        (core instance (instantiate $fixup (with "" (instance
          (export "0" (func $len')) (export "$imports" (table $shim "$imports"))))))
        )" + after + R"(
        (func (export "run") (result u32) (canon lift (core func $main "run")))
        (func (export "sum") (result u32) (canon lift (core func $main "sum")))))";
    for (uint32_t i = 0; i < count; ++i) {
      std::string n = std::to_string(i);
      out += "(instance $callee" + n + " (instantiate $callee))\n";
      out += "(instance $caller" + n + " (instantiate $caller (with \"len\" (func $callee" + n +
             " \"len\")) (with \"add\" (func $callee" + n + " \"add\"))" + given + "))\n";
      out += "(export \"run" + n + "\" (func $caller" + n + " \"run\"))\n";
      out += "(export \"sum" + n + "\" (func $caller" + n + " \"sum\"))\n";
    }
    return out + ")";
  }
};

class LateTest : public ::testing::Test {
 protected:
  void load(const Pair& pair) {
    bytes = assemble(pair.text());
    definitions = decode(bytes).value();
    Program program = flatten(*definitions, "test").value();
    Result<void> fused = fuse(program, Rewriting::ON);
    ASSERT_TRUE(fused.ok()) << fused.error().text();
    for (const ModuleBytes& module : program.modules) {
      if (module.generated) EXPECT_EQ(validateBytes(module.bytes), "");
    }
    runtime = std::make_unique<TestRuntime>(std::move(program),
                                            std::map<std::string, TestRuntime::HostFunction>{});
  }
  void expectWorks(const Pair& pair) {
    load(pair);
    ASSERT_FALSE(runtime->instantiation().trapped) << runtime->instantiation().message;
    for (uint32_t i = 0; i < pair.count; ++i) {
      for (auto [name, expected] : {std::pair("run", 5u), std::pair("sum", 42u)}) {
        Outcome outcome = runtime->call(name + std::to_string(i));
        ASSERT_FALSE(outcome.trapped) << name << i << ": " << outcome.message;
        EXPECT_EQ(outcome.i32(), expected);
      }
    }
  }
  size_t steps() const { return runtime->program().steps.size(); }
  // Of the main module, which is the step after the callee and what comes with the shim.
  size_t hostImports(size_t step) const {
    size_t count = 0;
    for (const CoreArg& arg : runtime->program().steps[step].args) {
      count += arg.item.kind == CoreItem::Kind::TRAMPOLINE ? 1 : 0;
    }
    return count;
  }

  std::vector<std::byte> bytes;
  std::unique_ptr<Component> definitions;
  std::unique_ptr<TestRuntime> runtime;
};

TEST_F(LateTest, ACallerImportsNothingButHostFunctionsAndThereIsNoShim) {
  expectWorks({});
  EXPECT_EQ(steps(), 3u);  // callee, caller, adapter
  EXPECT_EQ(hostImports(1), 6u);
}

TEST_F(LateTest, ACallerWithoutHostFunctionsKeepsTheCalleesOwnFunctions) {
  expectWorks({.withHost = "no"});
  EXPECT_EQ(steps(), 3u);
  EXPECT_EQ(hostImports(1), 1u);  // `len`; `add` is the callee's
}

TEST_F(LateTest, InstancesOfOneComponentShareTheModuleAndTheAdapters) {
  expectWorks({.count = 3});
  EXPECT_EQ(steps(), 7u);
  EXPECT_EQ(runtime->program().modules.size(), 3u);
}

TEST_F(LateTest, MoreMemoriesThanAModuleTakesAreSplit) {
  expectWorks({.count = 70});
  EXPECT_EQ(steps(), 140u + 3u);
}

TEST_F(LateTest, AStartFunctionKeepsTheShim) {
  expectWorks({.main = "(func $s) (start $s)"});
  EXPECT_GT(steps(), 3u);
  load({.main = "(func $s (drop (call $run))) (start $s)"});
  EXPECT_TRUE(runtime->instantiation().trapped);
  EXPECT_THAT(runtime->instantiation().message, HasSubstr("uninitialized element"));
}

constexpr const char* RUNNER =
    R"((core module $runner (import "main" "run" (func $run (result i32)))
  (func $s (if (i32.ne (call $run) (i32.const 5)) (then unreachable))) (start $s))
  (core instance (instantiate $runner (with "main" (instance $main)))))";

TEST_F(LateTest, AStartFunctionBeforeTheFixupTrapsAsItDoesWithTheShim) {
  load({.between = RUNNER});
  EXPECT_GT(steps(), 4u);
  EXPECT_TRUE(runtime->instantiation().trapped);
  EXPECT_THAT(runtime->instantiation().message, HasSubstr("uninitialized element"));
}

TEST_F(LateTest, AStartFunctionAfterTheFixupCanCall) {
  expectWorks({.after = RUNNER});
  EXPECT_EQ(steps(), 4u);
  expectWorks({.after = RUNNER, .count = 2});
}

TEST_F(LateTest, OtherUsesOfAnImportThanCallsKeepTheShim) {
  for (const char* use : {
           "(table 1 funcref) (elem (i32.const 0) $len)",
           "(elem declare func $len) (func (export \"f\") (result funcref) (ref.func $len))",
           "(export \"f\" (func $len))",
           "(global funcref (ref.func $len))",
           "(table 1 funcref) (elem (i32.const 0) funcref (ref.func $len))",
       }) {
    expectWorks({.main = use});
    EXPECT_GT(steps(), 3u) << use;
  }
}

TEST_F(LateTest, AnotherUseOfAnImportOfNumbersKeepsThatOne) {
  expectWorks({.main = "(export \"f\" (func $add))"});
  EXPECT_EQ(steps(), 3u);
  EXPECT_EQ(hostImports(1), 5u);
}

TEST_F(LateTest, AnImportThatIsATablesInitialValueIsStillCalled) {
  expectWorks({.main = R"((table $own 2 funcref (ref.func $len))
    (func (export "f") (result i32)
      (call_indirect $own (param i32 i32) (result i32)
        (i32.const 0) (i32.const 5) (i32.const 1))))"});
}

TEST_F(LateTest, TablesOfTheModuleStayWhatTheyAre) {
  expectWorks({.main = R"((table $own (export "tenon:late") 2 funcref) (table $other 1 funcref)
    (elem (table $own) (i32.const 1) func $one) (func $one (result i32) (i32.const 1))
    (func (export "f") (result i32)
      (i32.add (table.size $other) (call_indirect $own (result i32) (i32.const 1)))))"});
  EXPECT_EQ(steps(), 3u);
}

// Without names, so that there is no section of them to compare.
TEST(BindLate, ChangesCallsOnly) {
  auto module = assemble(R"((module
    (import "" "f" (func (param i32) (result i32))) (import "" "g" (func))
    (import "" "t" (table 1 funcref))
    (func (export "run") (param i32) (result i32) (local i64)
      (call 1) (block (br_if 0 (local.get 0)) (call 1))
      (return_call 0 (call 0 (local.get 0))))
    (@custom "metadata.x" "at some place")))");
  std::vector<uint32_t> positions = {0};
  auto bound = bindLate(module, positions);
  ASSERT_TRUE(bound);
  EXPECT_EQ(bound->table, "tenon:late");
  EXPECT_EQ(validateBytes(bound->bytes), "");
  auto expected = assemble(R"((module
    (import "" "f" (func (param i32) (result i32))) (import "" "g" (func))
    (import "" "t" (table 1 funcref))
    (table 1 1 funcref)
    (export "run" (func 2)) (export "tenon:late" (table 1))
    (func (param i32) (result i32) (local i64)
      (call 1) (block (br_if 0 (local.get 0)) (call 1))
      (return_call_indirect 1 (type 0)
        (call_indirect 1 (type 0) (local.get 0) (i32.const 0))
        (i32.const 0)))))");
  EXPECT_TRUE(bound->bytes == expected);
}

TEST(BindLate, RefusesWhatItDoesNotFollow) {
  auto refuses = [](const std::string& text, std::vector<uint32_t> positions) {
    return !bindLate(assemble("(module (import \"\" \"f\" (func $f)) " + text + ")"), positions);
  };
  EXPECT_FALSE(refuses("(func (export \"g\") (call $f))", {0}));
  EXPECT_TRUE(refuses("(func (export \"g\") (call $f))", {}));
  EXPECT_TRUE(refuses("(func (export \"g\") (call $f))", {1}));
  EXPECT_TRUE(refuses("(func (call $f))", {0}));
  EXPECT_TRUE(refuses("(import \"\" \"m\" (memory 1)) (func (export \"g\") (call $f))", {1}));
  EXPECT_TRUE(refuses("(func $g (export \"g\") (call $f)) (start $g)", {0}));
  EXPECT_TRUE(refuses("(type (struct)) (func (export \"g\") (call $f))", {0}));
  EXPECT_TRUE(refuses("(table 1 funcref (ref.func $f)) (func (export \"g\") (call $f))", {0}));
  EXPECT_FALSE(refuses("(table 1 funcref (ref.func $g)) (func $g (export \"g\") (call $f))", {0}));
  EXPECT_TRUE(refuses("(func (export \"g\") (drop (ref.i31 (i32.const 1))))", {0}));
}

TEST(BindLate, FindsManyPositionsAmongManyImports) {
  std::string text = "(module (type (func))";
  for (int i = 0; i < 150'000; ++i) text += "(import \"\" \"\" (func (type 0)))";
  auto module = assemble(text + "(func (export \"run\") (call 149999)))");
  auto timeOf = [&](uint32_t count) {
    std::vector<uint32_t> positions;
    for (uint32_t i = 0; i < count; ++i) positions.push_back(i);
    return cpuTimeOf([&] { EXPECT_TRUE(bindLate(module, positions)); });
  };
  auto one = timeOf(1);
  EXPECT_LT(timeOf(150'000), 10 * one + std::chrono::milliseconds(500));
}

TEST(BindLate, GivesAModuleOrNothingForEveryChangedByte) {
  auto module = assemble(R"((module (import "" "f" (func $f (param i32) (result i32)))
    (table 2 funcref) (elem (i32.const 0) $g) (global i32 (i32.const 7))
    (func $g (export "run") (param i32) (result i32)
      (block (br_table 0 0 (local.get 0))) (return_call $f (call $f (local.get 0))))))");
  std::vector<uint32_t> positions = {0};
  ASSERT_TRUE(bindLate(module, positions));
  for (size_t i = 8; i < module.size(); ++i) {
    std::byte original = module[i];
    for (int change = 1; change < 256; change += 3) {
      module[i] = original ^ static_cast<std::byte>(change);
      (void)bindLate(module, positions);
    }
    module[i] = original;
    (void)bindLate(std::span(module).first(i), positions);
  }
}

}  // namespace
}  // namespace tenon::component::testing
