#include "host/cache_guard.h"

#include "base/temp_folder_testing.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace tenon::host {
namespace {

namespace fs = std::filesystem;

class CacheGuard : public testing::Test {
 protected:
  CacheGuard() {
    fs::create_directories(root + "/home/.cache/tenon/artifacts/deep");
    fs::create_directories(root + "/home/data");
    fs::create_directories(root + "/elsewhere");
  }

  bool refused(const std::string& cache, const std::string& granted, bool readOnly = false) {
    auto kept = keepFrom(root + cache, {.host = granted, .guest = "/", .readOnly = readOnly});
    if (kept) return false;
    EXPECT_EQ(kept.error().code, ErrorCode::INVALID_ARGUMENT);
    EXPECT_NE(kept.error().message.find("'" + granted + "'"), std::string::npos);
    EXPECT_NE(kept.error().message.find(root + cache), std::string::npos);
    return true;
  }

  const TempFolder folder;
  const std::string root = folder.path();
  const std::string cache = "/home/.cache/tenon/artifacts";
};

TEST_F(CacheGuard, ADirectoryThatHoldsTheCacheIsNotGivenForWriting) {
  for (std::string granted : {"/home", "/home/.cache", "/home/.cache/tenon", "/home/data/..",
                              "/home/.cache/tenon/artifacts", "/"}) {
    EXPECT_TRUE(refused(cache, root + granted)) << granted;
    EXPECT_FALSE(refused(cache, root + granted, true)) << granted;
  }
  EXPECT_TRUE(refused(cache, "/"));
  for (std::string granted : {"/home/data", "/elsewhere"}) {
    EXPECT_FALSE(refused(cache, root + granted)) << granted;
  }
}

TEST_F(CacheGuard, ADirectoryInsideTheCacheIsNotGivenForWriting) {
  EXPECT_TRUE(refused(cache, root + "/home/.cache/tenon/artifacts/deep"));
}

TEST_F(CacheGuard, SymbolicLinksAreFollowedOnBothSides) {
  fs::create_directory_symlink(root + "/home", root + "/elsewhere/link");
  EXPECT_TRUE(refused(cache, root + "/elsewhere/link"));
  EXPECT_TRUE(refused(cache, root + "/elsewhere/link/.cache"));
  // The cache is elsewhere; who may write to either end of the link decides what is found there.
  fs::create_directory_symlink("../elsewhere", root + "/home/.link");
  EXPECT_TRUE(refused("/home/.link/tenon", root + "/home"));
  EXPECT_TRUE(refused("/home/.link/tenon", root + "/elsewhere"));
  EXPECT_FALSE(refused("/home/.link/tenon", root + "/home/data"));
}

TEST_F(CacheGuard, ACacheThatIsNotThereYetIsKeptToo) {
  EXPECT_TRUE(refused("/home/data/not/yet", root + "/home/data"));
  EXPECT_TRUE(refused("/home/data/not/yet", root + "/home"));
  EXPECT_FALSE(refused("/home/data/not/yet", root + "/elsewhere"));
}

}  // namespace
}  // namespace tenon::host
