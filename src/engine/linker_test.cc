#include "engine/linker.h"

#include "engine/engine_testing.h"

#include <string>
#include <vector>

namespace tenon::engine {
namespace {

using testing::compile;
using testing::exportedFunction;
using testing::Guest;
using testing::newHostFunction;
using testing::signature;
using testing::testEngine;

wasm_trap_t* addOne(void*, wasmtime_caller_t*, wasmtime_val_raw_t* values, size_t) {
  values[0].i32 += 1;
  return nullptr;
}

wasm_trap_t* addEnvironment(void* environment, wasmtime_caller_t*, wasmtime_val_raw_t* values,
                            size_t) {
  values[0].i32 += *static_cast<int*>(environment);
  return nullptr;
}

TEST(HostLinker, GivesAModuleItsHostFunctions) {
  int two = 2;
  Guest guest(compile(R"((module
      (import "host" "a" (func $a (param i32) (result i32)))
      (import "host" "b" (func $b (param i32) (result i32)))
      (func (export "f") (param i32) (result i32) (call $a (call $b (local.get 0))))))"),
              {{"a", signature(1, 1), addOne}, {"b", signature(1, 1), addEnvironment}}, &two);
  EXPECT_EQ(*guest.call("f", 39), 42u);
}

TEST(HostLinker, PassesEveryCoreTypeBothWays) {
  HostLinker linker(testEngine());
  CoreSignature type{{CoreType::I64, CoreType::F32, CoreType::F64},
                     {CoreType::F64, CoreType::F32, CoreType::I64}};
  ASSERT_TRUE(linker
                  .define(
                      "host", "swap", type,
                      [](void*, wasmtime_caller_t*, wasmtime_val_raw_t* values,
                         size_t count) -> wasm_trap_t* {
                        EXPECT_EQ(count, 3u);
                        std::swap(values[0], values[2]);
                        return nullptr;
                      },
                      nullptr)
                  .ok());
  Store store(testEngine(), nullptr);
  auto instance = linker
                      .prepare(compile(R"((module
      (import "host" "swap" (func $s (param i64 f32 f64) (result f64 f32 i64)))
      (export "swap" (func $s))))"))
                      .value()
                      .instantiate(store)
                      .value();
  auto swap = exportedFunction(store, instance, "swap", type).value();
  RawValue values[3]{};
  values[0].i64 = 0x1122334455667788;
  values[1].f32 = 1.5f;
  values[2].f64 = -2.25;
  ASSERT_TRUE(callCore(store, swap, values));
  EXPECT_EQ(values[0].f64, -2.25);
  EXPECT_EQ(values[1].f32, 1.5f);
  EXPECT_EQ(values[2].i64, 0x1122334455667788u);
}

TEST(HostLinker, NamesTheImportThatIsMissing) {
  HostLinker linker(testEngine());
  auto pre = linker.prepare(compile("(module (import \"wasi\" \"now\" (func)))"));
  ASSERT_FALSE(pre);
  EXPECT_EQ(pre.error().code, ErrorCode::MISSING_IMPORT);
  EXPECT_EQ(pre.error().message, "nothing provides the core import \"wasi\" \"now\", a function");
}

TEST(HostLinker, ShowsBothTypesOfAnImportThatDoesNotFit) {
  HostLinker linker(testEngine());
  ASSERT_TRUE(linker.define("a", "f", signature(1, 0), addOne, nullptr).ok());
  auto pre = linker.prepare(compile("(module (import \"a\" \"f\" (func (param i64))))"));
  ASSERT_FALSE(pre);
  EXPECT_EQ(pre.error().code, ErrorCode::TYPE_MISMATCH);
  EXPECT_NE(pre.error().message.find("i64"), std::string::npos);
  EXPECT_NE(pre.error().message.find("i32"), std::string::npos);
}

TEST(HostLinker, RefusesAMemoryImport) {
  HostLinker linker(testEngine());
  EXPECT_EQ(linker.prepare(compile("(module (import \"a\" \"m\" (memory 1)))")).error().code,
            ErrorCode::MISSING_IMPORT);
}

TEST(HostLinker, RefusesTheSameNameTwice) {
  HostLinker linker(testEngine());
  ASSERT_TRUE(linker.define("a", "f", signature(0, 0), addOne, nullptr).ok());
  EXPECT_EQ(linker.define("a", "f", signature(1, 1), addOne, nullptr).error().code,
            ErrorCode::INVALID_ARGUMENT);
}

TEST(HostLinker, HasNothingThatGuestsCouldUseToReachTheFiberFunctions) {
  HostLinker linker(testEngine());
  EXPECT_EQ(
      linker.prepare(compile("(module (import \"tenon:engine/fiber\" \"1\" (func)))")).error().code,
      ErrorCode::MISSING_IMPORT);
}

TEST(HostLinker, MakesItemsForPositionalInstantiation) {
  HostLinker linker(testEngine());
  ASSERT_TRUE(linker.define("a", "f", signature(1, 1), addOne, nullptr).ok());
  Store store(testEngine(), nullptr);
  EXPECT_EQ(linker.find(store, "a", "g"), std::nullopt);
  wasmtime_extern_t item{};
  item.kind = WASMTIME_EXTERN_FUNC;
  item.of.func = linker.find(store, "a", "f").value();
  Module module = compile(R"((module (import "x" "y" (func $f (param i32) (result i32)))
                             (func (export "f") (result i32) (call $f (i32.const 4)))))");
  auto instance = instantiate(store, module, {&item, 1}).value();
  auto function = exportedFunction(store, instance, "f", signature(0, 1)).value();
  RawValue value{};
  ASSERT_TRUE(callCore(store, function, {&value, 1}));
  EXPECT_EQ(value.i32, 5u);
}

TEST(HostLinker, FindsAllFunctionsThatHaveNumbers) {
  HostLinker linker(testEngine());
  int one = 1, ten = 10;
  ASSERT_TRUE(linker.define("", "0", signature(1, 1), addEnvironment, &one).ok());
  ASSERT_TRUE(linker.define("", "2", signature(1, 1), addEnvironment, &ten).ok());
  ASSERT_TRUE(linker.define("", "9", signature(1, 1), addOne, nullptr).ok());
  ASSERT_TRUE(linker.define("", "f", signature(1, 1), addOne, nullptr).ok());
  Store store(testEngine(), nullptr);
  wasmtime_func_t functions[3]{};
  linker.findNumbered(store, functions);
  RawValue value{};
  ASSERT_TRUE(callCore(store, functions[0], {&value, 1}));
  ASSERT_TRUE(callCore(store, functions[2], {&value, 1}));
  EXPECT_EQ(value.i32, 11u);
  EXPECT_EQ(functions[1].store_id, 0u);
}

TEST(Instantiate, BindsOneNameToDifferentThingsByPosition) {
  Store store(testEngine(), nullptr);
  int one = 1, ten = 10;
  wasmtime_extern_t items[2];
  items[0].kind = items[1].kind = WASMTIME_EXTERN_FUNC;
  FuncType type(signature(1, 1));
  items[0].of.func = newHostFunction(store, type, addEnvironment, &one);
  items[1].of.func = newHostFunction(store, type, addEnvironment, &ten);
  Module module = compile(R"((module
      (import "" "x" (func $a (param i32) (result i32)))
      (import "" "x" (func $b (param i32) (result i32)))
      (func (export "f") (result i32) (call $a (call $b (i32.const 100))))))");
  auto instance = instantiate(store, module, items).value();
  RawValue value{};
  ASSERT_TRUE(callCore(store, exportedFunction(store, instance, "f", signature(0, 1)).value(),
                       {&value, 1}));
  EXPECT_EQ(value.i32, 111u);
}

TEST(Instantiate, RefusesItemsOfAnotherTypeOrNumber) {
  Store store(testEngine(), nullptr);
  Module module = compile("(module (import \"a\" \"f\" (func (param i64))))");
  wasmtime_extern_t item{};
  item.kind = WASMTIME_EXTERN_FUNC;
  item.of.func = newHostFunction(store, FuncType(signature(1, 1)), addOne, nullptr);
  EXPECT_EQ(instantiate(store, module, {&item, 1}).error().code, ErrorCode::TYPE_MISMATCH);
  EXPECT_EQ(instantiate(store, module, {}).error().code, ErrorCode::TYPE_MISMATCH);
  EXPECT_FALSE(store.poisoned());
}

TEST(Instantiate, ReportsATrapOfTheStartFunctionAndPoisons) {
  Store store(testEngine(), nullptr);
  auto instance = instantiate(store, compile("(module (func $go unreachable) (start $go))"), {});
  ASSERT_FALSE(instance);
  EXPECT_EQ(instance.error().code, ErrorCode::TRAPPED);
  EXPECT_NE(instance.error().details.find("go"), std::string::npos);
  EXPECT_TRUE(store.poisoned());
}

TEST(Instantiate, ReportsASegmentThatDoesNotFit) {
  Store store(testEngine(), nullptr);
  auto instance =
      instantiate(store, compile("(module (memory 1) (data (i32.const 65536) \"x\"))"), {});
  ASSERT_FALSE(instance);
  EXPECT_EQ(instance.error().code, ErrorCode::TRAPPED) << instance.error().message;
}

TEST(Instantiate, ReportsAnExitFromAStartFunction) {
  HostLinker linker(testEngine());
  ASSERT_TRUE(linker
                  .define(
                      "a", "exit", signature(0, 0),
                      [](void*, wasmtime_caller_t* caller, wasmtime_val_raw_t*, size_t) {
                        return Store::from(caller).raise(Trap::exit(3));
                      },
                      nullptr)
                  .ok());
  Store store(testEngine(), nullptr);
  auto instance = linker.prepare(compile("(module (import \"a\" \"exit\" (func $e)) (start $e))"))
                      .value()
                      .instantiate(store);
  ASSERT_FALSE(instance);
  EXPECT_EQ(instance.error().code, ErrorCode::EXITED);
  EXPECT_EQ(instance.error().exitCode, 3);
}

TEST(Exports, AreCheckedAgainstTheExactSignature) {
  Guest guest(compile(
      R"((module (memory (export "m") 1) (func (export "f") (param i32) (result i64) i64.const 0)))"));
  CoreSignature right{{CoreType::I32}, {CoreType::I64}};
  EXPECT_TRUE(exportedFunction(guest.store, guest.instance, "f", right).ok());
  for (const CoreSignature& wrong :
       {CoreSignature{{CoreType::I32}, {}}, CoreSignature{{}, {CoreType::I64}},
        CoreSignature{{CoreType::I32, CoreType::I32}, {CoreType::I64}},
        CoreSignature{{CoreType::F32}, {CoreType::I64}}}) {
    EXPECT_EQ(exportedFunction(guest.store, guest.instance, "f", wrong).error().code,
              ErrorCode::TYPE_MISMATCH);
  }
  EXPECT_EQ(exportedFunction(guest.store, guest.instance, "g", right).error().code,
            ErrorCode::NOT_FOUND);
  EXPECT_EQ(exportedFunction(guest.store, guest.instance, "m", right).error().code,
            ErrorCode::TYPE_MISMATCH);
  EXPECT_EQ(exportedMemory(guest.store, guest.instance, "f").error().code,
            ErrorCode::TYPE_MISMATCH);
  EXPECT_EQ(exportedMemory(guest.store, guest.instance, "x").error().code, ErrorCode::NOT_FOUND);
}

TEST(Exports, AreFoundByKeyInEveryInstanceOfTheirModule) {
  Module module = compile(R"((module (memory (export "m") 1) (global $g (mut i32) (i32.const 0))
      (func (export "f") (result i32) (global.set $g (i32.add (global.get $g) (i32.const 1)))
        (global.get $g))))");
  ExportKey function(module, "f");
  ExportKey memory(module, "m");
  ASSERT_TRUE(function && memory);
  EXPECT_FALSE(ExportKey(module, "x"));
  EXPECT_FALSE(ExportKey());
  for (int round = 0; round < 2; ++round) {
    Guest guest(module);
    auto item = function.find(guest.store, guest.instance);
    ASSERT_TRUE(item && item->kind == WASMTIME_EXTERN_FUNC);
    RawValue value{};
    ASSERT_TRUE(callCore(guest.store, item->of.func, {&value, 1}));
    EXPECT_EQ(value.i32, 1u);
    EXPECT_EQ(exportedMemory(guest.store, guest.instance, memory)->view().size(), 65536u);
    EXPECT_EQ(exportedMemory(guest.store, guest.instance, function).error().code,
              ErrorCode::TYPE_MISMATCH);
    EXPECT_FALSE(ExportKey().find(guest.store, guest.instance).has_value());
  }
  // Another module, of the same shape: not its key.
  Guest other(compile(R"((module (memory (export "m") 1) (func (export "f"))))"));
  EXPECT_FALSE(function.find(other.store, other.instance).has_value());
  EXPECT_EQ(exportedMemory(other.store, other.instance, memory).error().code, ErrorCode::NOT_FOUND);
}

TEST(Exports, GiveAMemoryAViewOfItsPresentSize) {
  Guest guest(compile(
      R"((module (memory (export "m") 1) (func (export "grow") (result i32) (memory.grow (i32.const 1)))))"));
  Memory memory = exportedMemory(guest.store, guest.instance, "m").value();
  EXPECT_EQ(memory.view().size(), 65536u);
  EXPECT_EQ(*guest.call("grow"), 1u);
  EXPECT_EQ(memory.view().size(), 131072u);
  EXPECT_EQ(Memory().view().size(), 0u);
}

}  // namespace
}  // namespace tenon::engine
