#include "engine/cache.h"

#include "base/temp_folder_testing.h"
#include "engine/engine_testing.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace tenon::engine {
namespace {

namespace fs = std::filesystem;
using testing::compile;
using testing::Guest;
using testing::testEngine;

std::string readFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void writeFile(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(text.data(), static_cast<std::streamsize>(text.size()));
}

std::vector<std::byte> toBytes(std::string_view text) {
  auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

// A component of two modules: the second is larger, so that their order differs from the one in the
// file.
Artifact sample() {
  Artifact artifact;
  artifact.modules.push_back(compile("(module (func (export \"f\") (result i32) i32.const 1))"));
  artifact.modules.push_back(
      compile("(module (memory 2) (data (i32.const 0) \"" + std::string(100'000, 'x') +
              "\") "
              "(func (export \"f\") (result i32) (i32.load8_u (i32.const 99999))))"));
  artifact.extra = toBytes("the plan");
  return artifact;
}

void expectSample(const Artifact& artifact) {
  ASSERT_EQ(artifact.modules.size(), 2u);
  EXPECT_EQ(*Guest(artifact.modules[0]).call("f"), 1u);
  EXPECT_EQ(*Guest(artifact.modules[1]).call("f"), static_cast<uint32_t>('x'));
  EXPECT_EQ(artifact.extra, toBytes("the plan"));
}

class Cache : public ::testing::Test {
 protected:
  ArtifactCache open(uint64_t maxBytes = uint64_t{1} << 30) {
    return ArtifactCache::open(testEngine(), root / "artifacts", {maxBytes}).value();
  }
  ArtifactKey keyOf(std::string_view text) {
    return artifactKey(*testEngine(), toBytes(text), "test");
  }
  size_t files(const ArtifactCache& cache) {
    return static_cast<size_t>(std::distance(fs::directory_iterator(cache.folder()), {}));
  }

  TempFolder root;
  ArtifactKey key = keyOf("component");
};

TEST_F(Cache, GivesBackWhatWasStored) {
  ArtifactCache cache = open();
  EXPECT_EQ(cache.load(key), std::nullopt);
  ASSERT_TRUE(cache.store(key, sample()).ok());
  std::string warning;
  auto artifact = cache.load(key, &warning);
  ASSERT_TRUE(artifact.has_value()) << warning;
  expectSample(*artifact);
  EXPECT_EQ(warning, "");
  EXPECT_EQ(files(cache), 1u);
}

TEST_F(Cache, KeepsComponentsWithoutAnyModule) {
  ArtifactCache cache = open();
  ASSERT_TRUE(cache.store(key, {}).ok());
  auto artifact = cache.load(key);
  ASSERT_TRUE(artifact.has_value());
  EXPECT_TRUE(artifact->modules.empty());
}

TEST_F(Cache, KeepsAModuleOnceHoweverManyPartsItIsIn) {
  ArtifactCache cache = open();
  Artifact artifact = sample();
  cache.store(key, artifact).value();
  auto once = fs::file_size(cache.pathOf(key));
  for (int i = 0; i < 3; ++i) artifact.modules.push_back(artifact.modules[1]);
  artifact.modules.push_back(artifact.modules[0]);
  cache.store(key, artifact).value();
  EXPECT_LT(fs::file_size(cache.pathOf(key)), once + 200);
  auto loaded = cache.load(key);
  ASSERT_TRUE(loaded);
  ASSERT_EQ(loaded->modules.size(), 6u);
  EXPECT_EQ(loaded->modules[1].raw(), loaded->modules[4].raw());
  EXPECT_EQ(loaded->modules[0].raw(), loaded->modules[5].raw());
  EXPECT_EQ(*Guest(loaded->modules[4]).call("f"), static_cast<uint32_t>('x'));
}

TEST_F(Cache, LoadsInAPooledEngineWhatAnUnpooledOneStored) {
  ASSERT_TRUE(open().store(key, sample()).ok());
  auto cache =
      ArtifactCache::open(testing::engineFor(Allocation::POOLING), root / "artifacts").value();
  auto artifact = cache.load(key);
  ASSERT_TRUE(artifact.has_value());
  expectSample(*artifact);
}

TEST_F(Cache, KeepsModulesUsableAfterTheirEntryIsGone) {
  ArtifactCache cache = open();
  ASSERT_TRUE(cache.store(key, sample()).ok());
  auto artifact = cache.load(key);
  fs::remove(cache.pathOf(key));
  ASSERT_TRUE(artifact.has_value());
  expectSample(*artifact);
}

TEST_F(Cache, KeyChangesWithBytesSettingsAndEngine) {
  EXPECT_EQ(keyOf("a").hex(), keyOf("a").hex());
  EXPECT_EQ(keyOf("a").hex().size(), 64u);
  EXPECT_NE(keyOf("a").hex(), keyOf("b").hex());
  EXPECT_NE(artifactKey(*testEngine(), toBytes("a"), "x").hex(), keyOf("a").hex());
  EXPECT_NE(artifactKey(*testEngine(), toBytes("sta"), "te").hex(),
            artifactKey(*testEngine(), toBytes("a"), "test").hex());
}

TEST_F(Cache, MakesItsFolderForItsOwnerOnly) {
  auto cache = ArtifactCache::open(testEngine(), root / "a/b/c/").value();
  struct stat info;
  ASSERT_EQ(stat(cache.folder().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
}

// -- Damage --------------------------------------------------------------------------------------

TEST_F(Cache, NoticesAFlippedBitAnywhereAndRemovesTheEntry) {
  ArtifactCache cache = open();
  ASSERT_TRUE(cache.store(key, sample()).ok());
  std::string path = cache.pathOf(key), good = readFile(path);
  for (size_t at = 0; at < good.size(); at += at + 200 < good.size() ? 997 : 1) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 4);
    writeFile(path, bad);
    std::string warning;
    EXPECT_EQ(cache.load(key, &warning), std::nullopt) << at;
    EXPECT_NE(warning, "") << at;
    EXPECT_FALSE(fs::exists(path)) << at;
  }
  ASSERT_TRUE(cache.store(key, sample()).ok());
  EXPECT_TRUE(cache.load(key).has_value());
}

TEST_F(Cache, NoticesAnEntryThatWasCutOrContinued) {
  ArtifactCache cache = open();
  ASSERT_TRUE(cache.store(key, sample()).ok());
  std::string path = cache.pathOf(key), good = readFile(path);
  for (size_t size : {size_t{0}, size_t{1}, size_t{127}, size_t{128}, good.size() / 2,
                      good.size() - 128, good.size() - 1}) {
    writeFile(path, std::string_view(good).substr(0, size));
    EXPECT_EQ(cache.load(key), std::nullopt) << size;
  }
  writeFile(path, good + "x");
  EXPECT_EQ(cache.load(key), std::nullopt);
}

TEST_F(Cache, DoesNotGiveOutAnEntryUnderAnotherName) {
  ArtifactCache cache = open();
  ASSERT_TRUE(cache.store(key, sample()).ok());
  ArtifactKey other = keyOf("another component");
  fs::copy(cache.pathOf(key), cache.pathOf(other));
  EXPECT_EQ(cache.load(other), std::nullopt);
  EXPECT_TRUE(cache.load(key).has_value());
}

// -- Trust ---------------------------------------------------------------------------------------

TEST_F(Cache, RefusesAnEntryThatOthersMayWriteTo) {
  ArtifactCache cache = open();
  for (mode_t mode : {0664u, 0646u, 0620u}) {
    ASSERT_TRUE(cache.store(key, sample()).ok());
    ASSERT_EQ(chmod(cache.pathOf(key).c_str(), mode), 0);
    std::string warning;
    EXPECT_EQ(cache.load(key, &warning), std::nullopt);
    EXPECT_NE(warning.find("can be written by other users"), std::string::npos) << warning;
  }
  // What is stored anew replaces it.
  ASSERT_TRUE(cache.store(key, sample()).ok());
  EXPECT_TRUE(cache.load(key).has_value());
}

TEST_F(Cache, RefusesAnEntryOrFolderOfAnotherUser) {
  if (geteuid() != 0) GTEST_SKIP() << "needs to be root to give files away";
  ArtifactCache cache = open();
  ASSERT_TRUE(cache.store(key, sample()).ok());
  ASSERT_EQ(chown(cache.pathOf(key).c_str(), 12345, 12345), 0);
  std::string warning;
  EXPECT_EQ(cache.load(key, &warning), std::nullopt);
  EXPECT_NE(warning.find("belongs to another user"), std::string::npos) << warning;
  ASSERT_EQ(chown(cache.folder().c_str(), 12345, 12345), 0);
  auto again = ArtifactCache::open(testEngine(), cache.folder());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::PERMISSION);
}

TEST_F(Cache, RefusesAFolderThatOthersMayWriteTo) {
  std::string folder = root / "shared";
  fs::create_directory(folder);
  for (mode_t mode : {0777u, 0770u, 01777u}) {
    ASSERT_EQ(chmod(folder.c_str(), mode), 0);
    auto cache = ArtifactCache::open(testEngine(), folder);
    ASSERT_FALSE(cache);
    EXPECT_EQ(cache.error().code, ErrorCode::PERMISSION);
  }
}

TEST_F(Cache, RefusesSymbolicLinks) {
  ArtifactCache cache = open();
  ASSERT_TRUE(cache.store(key, sample()).ok());
  std::string elsewhere = root / "elsewhere";
  fs::rename(cache.pathOf(key), elsewhere);
  fs::create_symlink(elsewhere, cache.pathOf(key));
  std::string warning;
  EXPECT_EQ(cache.load(key, &warning), std::nullopt);
  EXPECT_NE(warning.find("symbolic link"), std::string::npos);
  fs::create_directory_symlink(cache.folder(), root / "link");
  EXPECT_EQ(ArtifactCache::open(testEngine(), root / "link").error().code, ErrorCode::PERMISSION);
}

TEST_F(Cache, RefusesPipesAndFoldersWithoutWaiting) {
  ArtifactCache cache = open();
  ASSERT_EQ(mkfifo(cache.pathOf(key).c_str(), 0600), 0);
  EXPECT_EQ(cache.load(key), std::nullopt);
  fs::remove(cache.pathOf(key));
  fs::create_directory(cache.pathOf(key));
  EXPECT_EQ(cache.load(key), std::nullopt);
}

TEST_F(Cache, ReportsAFolderThatCannotBeMade) {
  writeFile(root / "file", "x");
  auto cache = ArtifactCache::open(testEngine(), root / "file/folder");
  ASSERT_FALSE(cache);
  EXPECT_EQ(cache.error().code, ErrorCode::IO);
  EXPECT_EQ(ArtifactCache::open(testEngine(), root / "file").error().code, ErrorCode::PERMISSION);
}

TEST_F(Cache, ReportsAFolderThatIsGone) {
  ArtifactCache cache = open();
  fs::remove_all(cache.folder());
  EXPECT_EQ(cache.load(key), std::nullopt);
  EXPECT_EQ(cache.store(key, sample()).error().code, ErrorCode::NOT_FOUND);
}

// -- Size and other processes --------------------------------------------------------------------

TEST_F(Cache, GivesUpTheLeastRecentlyUsedEntriesFirst) {
  ArtifactCache cache = open();
  Artifact artifact = sample();
  std::vector<ArtifactKey> keys;
  for (int i = 0; i < 4; ++i) {
    keys.push_back(keyOf(std::to_string(i)));
    ASSERT_TRUE(cache.store(keys.back(), artifact).ok());
    // Used some days ago, the first one longest.
    fs::last_write_time(cache.pathOf(keys.back()),
                        fs::file_time_type::clock::now() - std::chrono::hours(24 * (9 - i)));
  }
  EXPECT_TRUE(cache.load(keys[0]).has_value());  // makes it the most recently used
  uint64_t size = fs::file_size(cache.pathOf(keys[0]));
  ArtifactCache small = open(size * 3);
  ASSERT_TRUE(small.store(key, artifact).ok());
  EXPECT_TRUE(small.load(keys[0]).has_value());
  EXPECT_FALSE(small.load(keys[1]).has_value());
  EXPECT_FALSE(small.load(keys[2]).has_value());
  EXPECT_TRUE(small.load(keys[3]).has_value());
  EXPECT_TRUE(small.load(key).has_value());
}

TEST_F(Cache, KeepsOfAFileThatIsEditedWhatItWasLastOnly) {
  ArtifactCache cache = open();
  std::string file = root / "edited.wasm", other = root / "other.wasm";
  writeFile(file, "x");
  writeFile(other, "x");
  auto store = [&](const std::string& name, int revision) {
    Artifact artifact = sample();
    artifact.name = name;
    ArtifactKey revised = keyOf(name + std::to_string(revision));
    cache.store(revised, std::move(artifact)).value();
    fs::last_write_time(cache.pathOf(revised),
                        fs::file_time_type::clock::now() - std::chrono::hours(24 * (9 - revision)));
    return revised;
  };
  ArtifactKey untouched = store(other, 0);
  // No file of that name: nobody knows whether they are the same.
  for (int i = 0; i < 6; ++i) store("bytes", i);
  std::vector<ArtifactKey> keys;
  for (int i = 0; i < 6; ++i) keys.push_back(store(file, i));
  for (size_t i = 0; i < keys.size(); ++i) {
    EXPECT_EQ(cache.load(keys[i]).has_value(), i >= keys.size() - CachePolicy().maxOfOneFile) << i;
  }
  EXPECT_TRUE(cache.load(untouched).has_value());
  EXPECT_EQ(files(cache), 1 + 6 + CachePolicy().maxOfOneFile);
}

TEST_F(Cache, ListsItsEntriesTheLastUsedFirstAndRemovesThem) {
  EXPECT_TRUE(ArtifactCache::list(root / "nowhere").value().empty());
  ArtifactCache cache = open();
  std::string file = root / "shop.wasm";
  writeFile(file, "x");
  Artifact artifact = sample();
  artifact.name = file;
  cache.store(key, artifact).value();
  fs::last_write_time(cache.pathOf(key), fs::file_time_type::clock::now() - std::chrono::hours(24));
  cache.store(keyOf("later"), sample()).value();
  writeFile(cache.pathOf(key) + ".tmp-1-0", "half-written");
  writeFile(cache.folder() + "/README", "not the cache's");
  auto entries = ArtifactCache::list(cache.folder()).value();
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].path, cache.pathOf(keyOf("later")));
  EXPECT_EQ(entries[0].name, "");
  EXPECT_EQ(entries[1].name, fs::canonical(file).string());
  EXPECT_EQ(entries[1].size, fs::file_size(cache.pathOf(key)));
  EXPECT_EQ(ArtifactCache::clear(cache.folder()).value().size(), 2u);
  EXPECT_EQ(files(cache), 1u);
  EXPECT_TRUE(fs::exists(cache.folder() + "/README"));
}

TEST_F(Cache, RemovesWhatKilledProcessesLeftAndNothingElse) {
  ArtifactCache cache = open();
  std::string old = cache.pathOf(key) + ".tmp-1-0", fresh = cache.pathOf(key) + ".tmp-1-1",
              foreign = cache.folder() + "/README";
  for (const std::string& path : {old, fresh, foreign}) {
    writeFile(path, "x");
    if (path != fresh) {
      fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::hours(100));
    }
  }
  ASSERT_TRUE(cache.store(key, sample()).ok());
  EXPECT_FALSE(fs::exists(old));
  EXPECT_TRUE(fs::exists(fresh));
  EXPECT_TRUE(fs::exists(foreign));
}

TEST_F(Cache, MayBeUsedBySeveralProcessesAtTheSameTime) {
  ArtifactCache cache = open();
  Artifact artifact = sample();
  std::vector<pid_t> children;
  for (int process = 0; process < 6; ++process) {
    pid_t child = fork();
    if (child == 0) {
      int failures = 0;
      for (int round = 0; round < 40; ++round) {
        ArtifactKey mine = keyOf(std::to_string((process + round) % 3));
        if (!cache.store(mine, artifact).ok()) ++failures;
        std::string warning;
        auto loaded = cache.load(mine, &warning);
        // Whoever looks finds a whole entry.
        if (!loaded || !warning.empty() || loaded->modules.size() != 2) ++failures;
      }
      _exit(failures == 0 ? 0 : 1);
    }
    children.push_back(child);
  }
  for (pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  EXPECT_EQ(files(cache), 3u);
}

// -- Files that the user names -------------------------------------------------------------------

TEST_F(Cache, ArtifactFilesWorkWithoutAKey) {
  std::string path = root / "out";
  ASSERT_TRUE(writeArtifact(path, key, sample(), *testEngine(), Placement::USER).ok());
  auto artifact = readArtifact(testEngine(), path, nullptr);
  ASSERT_TRUE(artifact.ok()) << artifact.error().message;
  expectSample(*artifact);
  EXPECT_EQ(artifactInfoOf(path)->key, key);
  EXPECT_TRUE(looksLikeArtifact(toBytes(readFile(path))));
  struct stat info;
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0022, 0u);
}

TEST_F(Cache, ArtifactFilesAreAsTrustedAsSharedLibraries) {
  std::string path = root / "out";
  ASSERT_TRUE(writeArtifact(path, key, sample(), *testEngine(), Placement::USER).ok());
  fs::create_symlink(path, root / "link");
  EXPECT_TRUE(readArtifact(testEngine(), root / "link", nullptr).ok());
  ASSERT_EQ(chmod(path.c_str(), 0666), 0);
  EXPECT_EQ(readArtifact(testEngine(), path, nullptr).error().code, ErrorCode::PERMISSION);
}

TEST_F(Cache, OtherFilesAreNoArtifacts) {
  std::string path = root / "component.wasm";
  auto bytes = testing::wasm("(module)");
  writeFile(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  EXPECT_FALSE(looksLikeArtifact(bytes));
  EXPECT_FALSE(artifactInfoOf(path));
  EXPECT_FALSE(artifactInfoOf(root / "nothing"));
  EXPECT_EQ(readArtifact(testEngine(), path, nullptr).error().code, ErrorCode::MALFORMED);
  EXPECT_EQ(readArtifact(testEngine(), root / "nothing", nullptr).error().code,
            ErrorCode::NOT_FOUND);
}

TEST_F(Cache, FindsItsFolderByTheCustomOfTheSystem) {
  setenv("XDG_CACHE_HOME", "/x", 1);
  EXPECT_EQ(ArtifactCache::defaultFolder(), "/x/tenon/artifacts");
  setenv("XDG_CACHE_HOME", "relative", 1);
  setenv("HOME", "/h", 1);
  EXPECT_EQ(ArtifactCache::defaultFolder(), "/h/.cache/tenon/artifacts");
  unsetenv("XDG_CACHE_HOME");
  unsetenv("HOME");
  EXPECT_EQ(ArtifactCache::defaultFolder(), "");
}

}  // namespace
}  // namespace tenon::engine
