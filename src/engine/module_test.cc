#include "engine/module.h"

#include "base/temp_folder_testing.h"
#include "engine/engine_testing.h"

#include <fstream>

namespace tenon::engine {
namespace {

using testing::compile;
using testing::Guest;
using testing::testEngine;
using testing::wasm;

TEST(Module, ListsImportsInOrderWithTheirTypes) {
  auto imports = compile(R"((module
      (import "a" "f" (func (param i32 i64) (result f64)))
      (import "a" "m" (memory 1))
      (import "b" "t" (table 1 funcref))
      (import "b" "g" (global i32))
      (import "b" "r" (func (param externref)))))")
                     .imports();
  ASSERT_EQ(imports.size(), 5u);
  EXPECT_EQ(imports[0].module, "a");
  EXPECT_EQ(imports[0].name, "f");
  EXPECT_EQ(imports[0].signature, (CoreSignature{{CoreType::I32, CoreType::I64}, {CoreType::F64}}));
  EXPECT_EQ(imports[1].kind, ExternKind::MEMORY);
  EXPECT_EQ(imports[2].kind, ExternKind::TABLE);
  EXPECT_EQ(imports[3].kind, ExternKind::GLOBAL);
  EXPECT_EQ(imports[4].kind, ExternKind::FUNC);
  EXPECT_EQ(imports[4].signature, std::nullopt);
}

TEST(Module, ListsExportsInOrderWithTheirTypes) {
  auto exports = compile(R"((module (memory (export "m") 1) (tag (export "e"))
      (func (export "f") (param f32))))")
                     .exports();
  ASSERT_EQ(exports.size(), 3u);
  EXPECT_EQ(exports[0].name, "m");
  EXPECT_EQ(exports[0].kind, ExternKind::MEMORY);
  EXPECT_EQ(exports[1].kind, ExternKind::TAG);
  EXPECT_EQ(exports[2].signature, (CoreSignature{{CoreType::F32}, {}}));
}

TEST(Module, ReportsInvalidCodeWithItsOffset) {
  auto bytes = wasm("(module (func (result i32) i32.const 1))");
  bytes[bytes.size() - 2] = std::byte{0xff};
  auto module = Module::compile(testEngine(), bytes);
  ASSERT_FALSE(module);
  EXPECT_EQ(module.error().code, ErrorCode::INVALID);
  EXPECT_TRUE(module.error().offset.has_value()) << module.error().message;
  EXPECT_EQ(module.error().message.find("offset"), std::string::npos) << module.error().message;
  EXPECT_EQ(module.error().message.find('\n'), std::string::npos);
}

TEST(Module, RefusesEveryPrefixOfAModule) {
  auto bytes = wasm("(module (memory 1) (func (export \"f\") (result i32) i32.const 1))");
  for (size_t size = 0; size < bytes.size(); ++size) {
    if (size == 8) continue;  // the preamble alone is an empty module
    auto module = Module::compile(testEngine(), std::span(bytes).first(size));
    // A cut between two sections is a module again, only a smaller one.
    if (!module) EXPECT_EQ(module.error().code, ErrorCode::INVALID) << size;
  }
}

TEST(Module, SaysLimitWhenAValidModuleDoesNotFitThePool) {
  auto bytes = wasm("(module (table 40000 funcref))");
  EXPECT_TRUE(Module::compile(testEngine(), bytes).ok());
  auto module = Module::compile(testing::engineFor(Allocation::POOLING), bytes);
  ASSERT_FALSE(module);
  EXPECT_EQ(module.error().code, ErrorCode::LIMIT_EXCEEDED);
}

TEST(Module, RunsTheSameAfterItWasSerialized) {
  Module module = compile(
      "(module (func (export \"f\") (param i32) (result i32) "
      "(i32.mul (local.get 0) (i32.const 3))))");
  auto bytes = module.serialize().value();
  Guest again(Module::deserialize(testEngine(), bytes).value());
  EXPECT_EQ(*again.call("f", 14), 42u);
}

TEST(Module, LoadsInPooledAndUnpooledEnginesAlike) {
  auto bytes =
      compile("(module (memory 1) (func (export \"f\") (result i32) i32.const 5))").serialize();
  Guest pooled(Module::deserialize(testing::engineFor(Allocation::POOLING), *bytes).value());
  EXPECT_EQ(*pooled.call("f"), 5u);
}

TEST(Module, LoadsFromAFileThatHasMoreAtItsEnd) {
  auto bytes =
      compile(
          "(module (memory 1) (data (i32.const 0) \"\\07\") (func (export \"f\") (result i32) "
          "(i32.load8_u (i32.const 0))))")
          .serialize()
          .value();
  bytes.resize(bytes.size() + 12345, std::byte{0xaa});
  TempFolder folder;
  std::ofstream(folder / "module", std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<ssize_t>(bytes.size()));
  auto module = Module::deserializeFile(testEngine(), (folder / "module").c_str());
  ASSERT_TRUE(module.ok()) << module.error().message;
  Guest guest(*module);
  EXPECT_EQ(*guest.call("f"), 7u);
}

TEST(Module, RefusesWhatIsNoSerializedModule) {
  auto module = Module::deserialize(testEngine(), wasm("(module)"));
  ASSERT_FALSE(module);
  EXPECT_EQ(module.error().code, ErrorCode::UNSUPPORTED);
  EXPECT_EQ(Module::deserializeFile(testEngine(), "/nonexistent/file").error().code,
            ErrorCode::UNSUPPORTED);
}

TEST(FuncType, KeepsParametersAndResults) {
  CoreSignature type{{CoreType::I32, CoreType::I64, CoreType::F32, CoreType::F64},
                     {CoreType::F64, CoreType::I64}};
  EXPECT_EQ(signatureOf(FuncType(type).raw()), type);
  EXPECT_EQ(signatureOf(FuncType({}).raw()), CoreSignature{});
}

}  // namespace
}  // namespace tenon::engine
