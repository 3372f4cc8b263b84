#include "base/temp_folder_testing.h"
#include "host/host_testing.h"

#include <tenon/component.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace tenon::host {
namespace {

using ::testing::HasSubstr;

std::string pathOf(const std::string& guestName) {
  return std::string(TENON_GUESTS_DIR) + "/" + guestName + ".wasm";
}

TEST(Components, ListTheirExportsInTheOrderOfTheBinary) {
  auto exports = guest("types").exports();
  ASSERT_GT(exports.size(), 70u);
  EXPECT_EQ(exports[0].path(), "add");
  EXPECT_EQ(toString(exports[0].type), "func(a: u32, b: u32) -> u32");
  EXPECT_EQ(exports[1].path(), "greet");
  EXPECT_EQ(exports.back().path(), "tenon:types/faults@1.0.0.load");
}

TEST(Components, ListTheirImports) {
  EXPECT_TRUE(guest("types").imports().empty());
  auto imports = guest("relay").imports();
  ASSERT_EQ(imports.size(), 1u);
  EXPECT_EQ(imports[0].interface, "tenon:bench/step@0.1.0");
}

TEST(Components, FindExportsByShortNames) {
  const Component& types = guest("types");
  for (const char* name :
       {"tenon:types/faults@1.0.0.trap", "tenon:types/faults.trap", "faults.trap", "trap"}) {
    auto found = types.findExport(name);
    ASSERT_TRUE(found) << name;
    EXPECT_EQ(found->path(), "tenon:types/faults@1.0.0.trap");
  }
  auto method = types.findExport("counter.increment");
  ASSERT_TRUE(method);
  EXPECT_EQ(method->name, "[method]counter.increment");
}

TEST(Components, SayWhatAnAmbiguousNameCouldBe) {
  auto found = guest("types").findExport("echo-bool");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::AMBIGUOUS);
  EXPECT_THAT(found.error().details,
              HasSubstr("tenon:types/echo@1.0.0.echo-bool: func(v: bool) -> bool"));
  EXPECT_THAT(found.error().details, HasSubstr("tenon:types/basic@1.0.0.echo-bool"));
}

TEST(Components, ListWhatThereIsWhenAnExportIsMissing) {
  auto found = guest("types").findExport("greed");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::MISSING_EXPORT);
  EXPECT_EQ(found.error().message, "there is no export 'greed'; did you mean 'greet'?");
  EXPECT_THAT(found.error().details, HasSubstr("  add: func(a: u32, b: u32) -> u32\n"));
}

TEST(Components, PrintTheirWorld) {
  EXPECT_THAT(guest("hello").wit().value(), HasSubstr("export wasi:cli/run@0.2.0;"));
  EXPECT_THAT(guest("hello").witJson().value(), HasSubstr("\"name\": \"wasi:cli/run@0.2.0\""));
  EXPECT_EQ(Component::inspect(pathOf("hello"), InspectFormat::WIT).value(),
            guest("hello").wit().value());
}

TEST(Components, SayWhyAFileCannotBeLoaded) {
  auto code = [](const std::string& path) {
    return Component::load(testEngine(), path).error().code;
  };
  TempFolder folder;
  EXPECT_EQ(code(folder / "nowhere.wasm"), ErrorCode::NOT_FOUND);
  EXPECT_EQ(code("/tmp"), ErrorCode::IO);
  std::ofstream(folder / "text.wasm") << "no wasm at all";
  auto text = Component::load(testEngine(), folder / "text.wasm");
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, ErrorCode::MALFORMED);
  EXPECT_THAT(text.error().message, HasSubstr("text.wasm: not a WebAssembly binary"));
  EXPECT_EQ(text.error().offset, 0u);
}

TEST(Components, ComeBackFromTheFileThatTheySaved) {
  TempFolder folder;
  ASSERT_TRUE(guest("types").save(folder / "types.tenon"));
  auto loaded = Component::load(testEngine(), folder / "types.tenon");
  ASSERT_TRUE(loaded) << textOf(loaded.error());
  EXPECT_EQ(loaded->exports().size(), guest("types").exports().size());
  Loop loop;
  Linker linker;
  auto instance = linker.instantiate(*loaded, loop);
  ASSERT_TRUE(instance) << textOf(instance.error());
  EXPECT_EQ(instance->function<uint32_t(uint32_t, uint32_t)>("", "add").value()(2, 3).value(), 5u);
}

TEST(Components, AreNotLoadedFromCompiledCodeThatOthersMayWriteTo) {
  TempFolder folder;
  ASSERT_TRUE(guest("types").save(folder / "types.tenon"));
  ASSERT_EQ(::chmod((folder / "types.tenon").c_str(), 0664), 0);
  auto loaded = Component::load(testEngine(), folder / "types.tenon");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, ErrorCode::PERMISSION);
}

TEST(Components, AreNotLoadedFromCompiledCodeThatIsCalledAComponent) {
  TempFolder folder;
  EXPECT_EQ(guest("types").save(folder / "types.wasm").error().code, ErrorCode::INVALID_ARGUMENT);
  ASSERT_TRUE(guest("types").save(folder / "types.tenon"));
  std::filesystem::rename(folder / "types.tenon", folder / "types.wasm");
  auto loaded = Component::load(testEngine(), folder / "types.wasm");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, ErrorCode::PERMISSION);
  EXPECT_THAT(loaded.error().message, HasSubstr("compiled code under the name of a component"));
}

TEST(Components, AreCompiledOnceForEveryEngineThatSharesTheCache) {
  TempFolder folder;
  EngineOptions options;
  options.pooling = false;
  options.cacheDirectory = folder / "cache";
  Engine engine = Engine::create(options).value();
  EXPECT_EQ(engine.warning(), "");
  Component component = Component::load(engine, pathOf("types")).value();
  ASSERT_TRUE(component.compile());
  EXPECT_EQ(component.warning(), "");
  // A folder that others may write to is not trusted.
  ASSERT_EQ(::chmod((folder / "cache").c_str(), 0777), 0);
  EXPECT_THAT(Engine::create(options).value().warning(),
              HasSubstr("can be written by other users"));
}

TEST(Components, AreMadeFromMemoryToo) {
  std::ifstream file(pathOf("types"), std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(file)), {});
  auto component = Component::fromBytes(testEngine(), std::as_bytes(std::span(bytes)), "mine");
  ASSERT_TRUE(component);
  EXPECT_EQ(component->name(), "mine");
  bytes.resize(bytes.size() / 2);
  auto cut = Component::fromBytes(testEngine(), std::as_bytes(std::span(bytes)));
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, ErrorCode::MALFORMED);
  EXPECT_TRUE(cut.error().offset);
}

TEST(Engines, RefuseOptionsThatCannotWork) {
  EngineOptions options;
  options.cache = false;
  options.maxWasmStack = 1;
  auto engine = Engine::create(options);
  ASSERT_FALSE(engine);
  EXPECT_EQ(engine.error().code, ErrorCode::INVALID_ARGUMENT);
}

TEST(Loops, AreOneToAThread) {
  Loop loop;
  EXPECT_THROW(Loop(), std::logic_error);
}

}  // namespace
}  // namespace tenon::host
