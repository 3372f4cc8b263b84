// Workloads that were linked before: programs as bytes, and their entries in the compile cache.

#include "run/linked_programs.h"

#include "base/temp_folder_testing.h"
#include "component/program/dump.h"
#include "component/program/program_bytes.h"
#include "engine/engine_testing.h"
#include "run/executable.h"
#include "run/source.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

namespace tenon::run {
namespace {

namespace fs = std::filesystem;
using component::Program;
using component::Rewriting;

constexpr const char* API = "tenon:bench/api@0.1.0";

std::shared_ptr<const Source> guest(const std::string& name) {
  std::ifstream in(std::string(TENON_GUESTS_DIR) + "/" + name + ".wasm", std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  auto bytes = std::as_bytes(std::span(text));
  return Source::read({bytes.begin(), bytes.end()}).value();
}

class LinkedPrograms : public ::testing::Test {
 protected:
  void SetUp() override {
    engine::EngineOptions options;
    options.allocation = engine::Allocation::ON_DEMAND;
    engine = engine::Engine::create(options).value();
  }

  std::vector<Executable::Part> parts(const std::string& caller = "caller") const {
    return {{.name = "callee", .bytes = {}, .wires = {}, .source = callees},
            {.name = caller, .bytes = {}, .wires = {{API, 0, API}}, .source = callers}};
  }
  std::vector<LinkedPart> linkedParts(const std::vector<Executable::Part>& parts) const {
    std::vector<LinkedPart> linked;
    for (const auto& part : parts) linked.push_back({part.name, part.source.get(), part.wires});
    return linked;
  }
  std::vector<std::span<const std::byte>> sources() const {
    return {callees->bytes(), callers->bytes()};
  }
  engine::ArtifactKey key(const std::string& caller = "caller",
                          Rewriting rewriting = Rewriting::ON) const {
    auto these = parts(caller);
    return programKey(*engine, "pair", linkedParts(these), rewriting);
  }
  engine::ArtifactCache open() const {
    return engine::ArtifactCache::open(engine, root.path()).value();
  }
  std::shared_ptr<Executable> link(const engine::ArtifactCache& cache,
                                   std::string* warning = nullptr) {
    return Executable::link(parts(), "pair", Rewriting::ON, Executable::Programs(*engine, cache),
                            warning)
        .value();
  }

  TempFolder root;
  std::shared_ptr<engine::Engine> engine;
  std::shared_ptr<const Source> callers = guest("caller"), callees = guest("callee");
};

TEST_F(LinkedPrograms, AProgramIsTheSameAfterItWasWrittenAndRead) {
  for (Rewriting rewriting : {Rewriting::ON, Rewriting::OFF}) {
    auto linked = Executable::link(parts(), "pair", rewriting).value();
    const Program& program = linked->program();
    auto bytes = component::writeProgram(program, sources()).value();
    Program read = component::readProgram(bytes, sources()).value();
    EXPECT_EQ(component::dump(read), component::dump(program));
    EXPECT_EQ(component::writeProgram(read, sources()).value(), bytes);
    ASSERT_EQ(read.modules.size(), program.modules.size());
    for (size_t i = 0; i < read.modules.size(); ++i) {
      EXPECT_TRUE(std::ranges::equal(read.modules[i].bytes, program.modules[i].bytes));
      EXPECT_EQ(read.modules[i].offset, program.modules[i].offset);
    }
  }
}

TEST_F(LinkedPrograms, ACutOrChangedProgramIsRefusedOrStaysInItsTables) {
  auto linked = Executable::link(parts(), "pair", Rewriting::ON).value();
  auto bytes = component::writeProgram(linked->program(), sources()).value();
  for (size_t size = 0; size < bytes.size(); size += 1 + bytes.size() / 997) {
    EXPECT_FALSE(component::readProgram(std::span(bytes).first(size), sources())) << size;
  }
  for (size_t at = 0; at < bytes.size(); at += 1 + bytes.size() / 1999) {
    for (uint8_t with : {0x00, 0x01, 0x7f, 0xff}) {
      auto changed = bytes;
      changed[at] = static_cast<std::byte>(with);
      auto read = component::readProgram(changed, sources());
      if (read) (void)component::dump(*read);  // follows every number
    }
  }
  bytes.push_back(std::byte{0});
  EXPECT_FALSE(component::readProgram(bytes, sources())) << "something follows";
}

TEST_F(LinkedPrograms, AWorkloadThatWasLinkedBeforeIsNotLinkedAgain) {
  engine::ArtifactCache cache = open();
  auto first = link(cache);
  ASSERT_TRUE(fs::exists(cache.pathOf(key())));
  EXPECT_EQ(component::dump(link(cache)->program()), component::dump(first->program()));

  // What is in the entry is what is taken.
  auto bytes = component::writeProgram(first->program(), sources()).value();
  Program marked = component::readProgram(bytes, sources()).value();
  marked.instances[0].name = "from the cache";
  auto these = parts();
  storeProgram(cache, key(), linkedParts(these), marked).value();
  auto again = link(cache);
  EXPECT_EQ(again->program().instances[0].name, "from the cache");
  EXPECT_TRUE(again->compile(engine, &cache));
}

TEST_F(LinkedPrograms, ADamagedEntryIsMadeAgain) {
  engine::ArtifactCache cache = open();
  std::string expected = component::dump(link(cache)->program());
  std::fstream file(cache.pathOf(key()), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(200);
  file.put('\x55');
  file.close();
  std::string warning;
  EXPECT_EQ(component::dump(link(cache, &warning)->program()), expected);
  EXPECT_NE(warning.find("is damaged"), std::string::npos) << warning;
  warning.clear();
  EXPECT_EQ(component::dump(link(cache, &warning)->program()), expected);
  EXPECT_EQ(warning, "");
}

TEST_F(LinkedPrograms, AnEntryThatOthersMayWriteToIsNotTaken) {
  engine::ArtifactCache cache = open();
  std::string expected = component::dump(link(cache)->program());
  ASSERT_EQ(::chmod(cache.pathOf(key()).c_str(), 0666), 0);
  std::string warning;
  EXPECT_EQ(component::dump(link(cache, &warning)->program()), expected);
  EXPECT_NE(warning.find("can be written by other users"), std::string::npos) << warning;
}

TEST_F(LinkedPrograms, AnEntryOfOtherContentIsMadeAgain) {
  engine::ArtifactCache cache = open();
  std::string expected = component::dump(link(cache)->program());
  cache.store(key(), {.modules = {}, .extra = std::vector<std::byte>(100)}).value();
  std::string warning;
  EXPECT_EQ(component::dump(link(cache, &warning)->program()), expected);
  EXPECT_NE(warning.find("not a program"), std::string::npos) << warning;
}

TEST_F(LinkedPrograms, NamesWiresComponentsAndSettingsHaveKeysOfTheirOwn) {
  EXPECT_EQ(key(), key());
  EXPECT_NE(key(), key("other"));
  EXPECT_NE(key(), key("caller", Rewriting::OFF));
  auto these = parts();
  EXPECT_NE(key(), programKey(*engine, "other", linkedParts(these), Rewriting::ON));
  these[1].wires.clear();
  EXPECT_NE(key(), programKey(*engine, "pair", linkedParts(these), Rewriting::ON));
  these = parts();
  these[0].source = guest("callee_std");
  EXPECT_NE(key(), programKey(*engine, "pair", linkedParts(these), Rewriting::ON));
}

TEST_F(LinkedPrograms, CompiledCodeHasAKeyOfItsOwnForEveryWireToo) {
  auto source = [](std::string_view text) {
    return Source::read(engine::testing::wasm(text)).value();
  };
  // Only numbers cross, so no module is generated that would tell the two apart.
  auto callee = source(R"((component
    (core module $m (func (export "f") (result i32) (i32.const 1)))
    (core instance $i (instantiate $m))
    (func $f (result u32) (canon lift (core func $i "f")))
    (instance $api (export "f" (func $f)))
    (export "t:t/api" (instance $api))))");
  auto caller = source(R"((component
    (import "t:t/api" (instance $api (export "f" (func (result u32)))))
    (core func $f (canon lower (func $api "f")))
    (core module $m (import "" "f" (func $f (result i32))))
    (core instance (instantiate $m (with "" (instance (export "f" (func $f))))))))");
  auto keyWith = [&](size_t wired) {
    std::vector<Executable::Part> parts(3);
    parts[0] = {.name = "callee", .bytes = {}, .wires = {}, .source = callee};
    parts[1] = {.name = "one", .bytes = {}, .wires = {}, .source = caller};
    parts[2] = {.name = "two", .bytes = {}, .wires = {}, .source = caller};
    parts[wired].wires.push_back({"t:t/api", 0, "t:t/api"});
    auto linked = Executable::link(std::move(parts), "three", Rewriting::ON).value();
    return linked->key(*engine);
  };
  EXPECT_EQ(keyWith(1), keyWith(1));
  EXPECT_NE(keyWith(1), keyWith(2));
}

}  // namespace
}  // namespace tenon::run
