#include "wasi/filesystem/sandbox.h"

#include "wasi/filesystem/filesystem_testing.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <atomic>
#include <cerrno>
#include <random>
#include <thread>
#include <vector>

namespace tenon::wasi::filesystem {
namespace {

// Both ways to resolve a path must come to the same.
class SandboxTest : public testing::TestWithParam<Resolver> {
 protected:
  // 0, or why not.
  int open(const std::string& path, int flags = O_RDONLY) {
    return openBeneath(folder.root, path, flags, 0600, GetParam()).error;
  }
  // The content of the file that a path leads to, or the error's number.
  std::string content(const std::string& path) {
    Opened opened = openBeneath(folder.root, path, O_RDONLY, 0, GetParam());
    if (opened.error) return std::to_string(opened.error);
    char buffer[100];
    ssize_t count = ::read(opened.fd, buffer, sizeof(buffer));
    return {buffer, static_cast<size_t>(std::max<ssize_t>(count, 0))};
  }

  TestFolder folder;
};

TEST_P(SandboxTest, FindsWhatIsInside) {
  EXPECT_EQ(content("file"), "inside");
  EXPECT_EQ(content("./sub//./file"), "in sub");
  EXPECT_EQ(content("sub/deep/../../file"), "inside");
  EXPECT_EQ(open("."), 0);
  EXPECT_EQ(open("sub/"), 0);
  EXPECT_EQ(open("sub/.."), 0);
  EXPECT_EQ(open("nothing"), ENOENT);
  EXPECT_EQ(open(""), ENOENT);
  EXPECT_EQ(open("file/x"), ENOTDIR);
  EXPECT_EQ(open("file/"), ENOTDIR);
  EXPECT_EQ(open("file", O_DIRECTORY), ENOTDIR);
  EXPECT_EQ(open(std::string("file\0x", 6)), EINVAL);
  EXPECT_EQ(open(std::string(300, 'x')), ENAMETOOLONG);
}

TEST_P(SandboxTest, NothingOutsideCanBeNamed) {
  for (const char* path :
       {"..", "../", "../outside/secret", "sub/../../outside/secret", "/", "/etc/passwd", "//etc",
        "sub/../..", "./..", "sub/deep/../../..", "../inside/file"}) {
    EXPECT_EQ(open(path), EPERM) << path;
    EXPECT_EQ(open(path, O_PATH), EPERM) << path;
  }
  EXPECT_EQ(open("../new", O_CREAT | O_WRONLY), EPERM);
}

TEST_P(SandboxTest, LinksInsideAreFollowed) {
  folder.link("file", "to-file");
  folder.link("../file", "sub/up");
  folder.link("to-file", "to-link");
  folder.link("sub", "to-sub");
  folder.link("./sub/deep/", "to-deep");
  EXPECT_EQ(content("to-file"), "inside");
  EXPECT_EQ(content("sub/up"), "inside");
  EXPECT_EQ(content("to-link"), "inside");
  EXPECT_EQ(content("to-sub/file"), "in sub");
  EXPECT_EQ(content("to-deep/../file"), "in sub");
  EXPECT_EQ(open("to-file", O_NOFOLLOW), ELOOP);
  EXPECT_EQ(open("to-file", O_NOFOLLOW | O_PATH), 0);
  EXPECT_EQ(open("to-sub", O_NOFOLLOW | O_DIRECTORY), ENOTDIR);
  EXPECT_EQ(open("to-sub/", O_NOFOLLOW | O_DIRECTORY), 0);
  EXPECT_EQ(open("to-sub", O_DIRECTORY | O_PATH), 0);
}

TEST_P(SandboxTest, LinksToTheOutsideAreNot) {
  folder.link("/etc/passwd", "absolute");
  folder.link("../outside/secret", "relative");
  folder.link("../outside", "folder");
  folder.link("..", "parent");
  folder.link("sub/parent-of-sub", "chain");
  folder.link("../..", "sub/parent-of-sub");
  folder.link("/proc/self/root", "magic");
  folder.link("../outside/new", "dangling");
  for (const char* path :
       {"absolute", "relative", "folder", "folder/", "folder/secret", "parent/outside/secret",
        "chain", "chain/outside", "magic/etc", "dangling", "sub/../relative"}) {
    EXPECT_EQ(open(path), EPERM) << path;
  }
  EXPECT_EQ(open("dangling", O_CREAT | O_WRONLY), EPERM);
  EXPECT_EQ(open("dangling", O_CREAT | O_EXCL | O_WRONLY), EEXIST);
  EXPECT_FALSE(folder.existsOutside("new"));
}

TEST_P(SandboxTest, LinksInCirclesEnd) {
  folder.link("b", "a");
  folder.link("a", "b");
  folder.link("self/x", "self");
  EXPECT_EQ(open("a"), ELOOP);
  EXPECT_EQ(open("self"), ELOOP);
}

TEST_P(SandboxTest, CreatesOnlyInside) {
  EXPECT_EQ(open("sub/new", O_CREAT | O_WRONLY), 0);
  EXPECT_EQ(open("sub/new", O_CREAT | O_EXCL | O_WRONLY), EEXIST);
  folder.link("sub/made", "creates");
  EXPECT_EQ(open("creates", O_CREAT | O_WRONLY), 0);
  EXPECT_EQ(open("sub/made"), 0);
  EXPECT_EQ(open("sub", O_CREAT | O_WRONLY), EISDIR);
  EXPECT_EQ(open("fresh/", O_CREAT | O_WRONLY), EISDIR);
}

TEST_P(SandboxTest, AnEntryIsNeverOutside) {
  folder.link("../outside", "folder");
  auto error = [&](const std::string& path) {
    return findEntry(folder.root, path, GetParam()).error;
  };
  EXPECT_EQ(error("x"), 0);
  EXPECT_EQ(error("sub/x"), 0);
  EXPECT_EQ(error("folder"), 0);  // the link itself
  for (const char* path :
       {"..", "../x", "/", "/x", "folder/x", "sub/../../x", "folder/.", "sub/../.."}) {
    EXPECT_EQ(error(path), EPERM) << path;
  }
  EXPECT_EQ(error(""), ENOENT);
  Entry entry = findEntry(folder.root, "sub/name//", GetParam());
  EXPECT_EQ(entry.name, "name/");
}

// Somebody swaps a folder for a link to the outside, all the time.
TEST_P(SandboxTest, RenamingMeanwhileLetsNobodyOut) {
  folder.write("sub/secret", "public");
  folder.link("../outside", "swap");
  std::atomic<bool> stop = false;
  std::thread attacker([&] {
    while (!stop) {
      ::syscall(SYS_renameat2, folder.root.get(), "sub", folder.root.get(), "swap",
                2 /* RENAME_EXCHANGE */);
    }
  });
  int found = 0;
  for (int i = 0; i < 500; i++) {
    for (const char* path : {"sub/secret", "swap/secret", "sub/deep/../secret"}) {
      std::string text = content(path);
      EXPECT_NE(text, "secret") << path;
      if (text == "public") found++;
    }
  }
  stop = true;
  attacker.join();
  EXPECT_GT(found, 0);
}

INSTANTIATE_TEST_SUITE_P(Resolvers, SandboxTest, testing::Values(Resolver::KERNEL, Resolver::WALK),
                         [](const auto& info) {
                           return info.param == Resolver::KERNEL ? "Kernel" : "Walk";
                         });

TEST(Sandbox, TheWalkAgreesWithTheKernelOnRandomPaths) {
  if (bestResolver() != Resolver::KERNEL) GTEST_SKIP() << "this kernel resolves nothing";
  std::mt19937 random(20260101);
  auto pick = [&](auto& list) -> auto& { return list[random() % std::size(list)]; };
  const char* parts[] = {".", "..", "a", "b", "c", "sub", "file", "deep", ""};
  const int flags[] = {O_RDONLY,
                       O_PATH,
                       O_PATH | O_NOFOLLOW,
                       O_RDONLY | O_NOFOLLOW,
                       O_DIRECTORY,
                       O_WRONLY,
                       O_PATH | O_DIRECTORY | O_NOFOLLOW};
  auto path = [&] {
    std::string text = random() % 20 == 0 ? "/" : "";
    for (size_t i = 0, count = 1 + random() % 4; i < count; i++)
      text += std::string(i ? "/" : "") + pick(parts);
    return text.empty() ? "." : text;
  };
  for (int round = 0; round < 40; round++) {
    TestFolder folder;
    for (const char* name : {"a", "b", "sub/c", "sub/a"}) folder.link(path(), name);
    for (int i = 0; i < 100; i++) {
      std::string text = path();
      int flag = pick(flags);
      Opened kernel = openBeneath(folder.root, text, flag, 0, Resolver::KERNEL);
      Opened walk = openBeneath(folder.root, text, flag, 0, Resolver::WALK);
      ASSERT_EQ(kernel.error, walk.error) << text << " with flags " << flag;
      if (kernel.error) continue;
      struct stat one, other;
      ::fstat(kernel.fd, &one);
      ::fstat(walk.fd, &other);
      ASSERT_EQ(one.st_ino, other.st_ino) << text << " with flags " << flag;
    }
  }
}

}  // namespace
}  // namespace tenon::wasi::filesystem
