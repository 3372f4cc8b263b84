#include "engine/write_file.h"

#include "base/temp_folder_testing.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <thread>

namespace tenon::engine {
namespace {

namespace fs = std::filesystem;

std::string contentOf(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::span<const std::byte> bytesOf(std::string_view text) { return std::as_bytes(std::span(text)); }

mode_t modeOf(const std::string& path) {
  struct stat info;
  return lstat(path.c_str(), &info) == 0 ? info.st_mode : 0;
}

size_t countOf(const std::string& folder) {
  return static_cast<size_t>(std::distance(fs::directory_iterator(folder), {}));
}

struct WriteFile : ::testing::Test {
  void write(const std::string& name, std::string_view text) {
    std::ofstream(root / name, std::ios::binary) << text;
  }
  std::string saved(const std::string& name, std::string_view text = "new") {
    auto written = writeFile(root / name, bytesOf(text));
    return written ? "" : written.error().message;
  }
  TempFolder root;
};

TEST_F(WriteFile, MakesAFileThatIsNotThere) {
  EXPECT_EQ(saved("file"), "");
  EXPECT_EQ(contentOf(root / "file"), "new");
  EXPECT_EQ(modeOf(root / "file") & 0133, 0u);
  EXPECT_EQ(countOf(root.path()), 1u);
}

TEST_F(WriteFile, ReplacesAFileAtOnceAndKeepsItsMode) {
  write("file", "old");
  ASSERT_EQ(chmod((root / "file").c_str(), 0760), 0);
  int old = open((root / "file").c_str(), O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(saved("file"), "");
  EXPECT_EQ(contentOf(root / "file"), "new");
  EXPECT_EQ(modeOf(root / "file"), S_IFREG | 0740u);
  char text[4] = {};
  EXPECT_EQ(read(old, text, sizeof(text)), 3);  // who runs the old one keeps it
  EXPECT_EQ(std::string(text), "old");
  close(old);
}

TEST_F(WriteFile, FollowsLinksAlsoToNothing) {
  fs::create_directory(root / "folder");
  fs::create_symlink("folder/second", root / "link");
  fs::create_symlink("../file", root / "folder/second");
  EXPECT_EQ(saved("link", "first"), "");
  EXPECT_EQ(contentOf(root / "file"), "first");
  EXPECT_EQ(saved("link", "second"), "");
  EXPECT_EQ(contentOf(root / "file"), "second");
  EXPECT_TRUE(S_ISLNK(modeOf(root / "link")) && S_ISLNK(modeOf(root / "folder/second")));
  EXPECT_TRUE(S_ISREG(modeOf(root / "file")));
}

TEST_F(WriteFile, LinksInACircleAreRefused) {
  fs::create_symlink("b", root / "a");
  fs::create_symlink("a", root / "b");
  EXPECT_NE(saved("a").find("symbolic links"), std::string::npos) << saved("a");
  EXPECT_TRUE(S_ISLNK(modeOf(root / "a")) && S_ISLNK(modeOf(root / "b")));
}

TEST_F(WriteFile, WritesThroughEveryNameOfAFile) {
  write("file", "older than the new one");
  fs::create_hard_link(root / "file", root / "other");
  EXPECT_EQ(saved("file"), "");
  EXPECT_EQ(contentOf(root / "other"), "new");
  EXPECT_EQ(fs::hard_link_count(root / "file"), 2u);
}

TEST_F(WriteFile, AFifoStaysAndItsReaderGetsTheBytes) {
  ASSERT_EQ(mkfifo((root / "pipe").c_str(), 0600), 0);
  std::string large(300'000, 'x');
  std::string got;
  std::thread reader([&] { got = contentOf(root / "pipe"); });
  EXPECT_EQ(saved("pipe", large), "");
  reader.join();
  EXPECT_EQ(got, large);
  EXPECT_TRUE(S_ISFIFO(modeOf(root / "pipe")));
}

TEST_F(WriteFile, ADeviceStaysAndItsErrorIsTold) {
  fs::create_symlink("/dev/full", root / "link");  // by a link of ours: a fault spares the device
  EXPECT_NE(saved("link").find("No space left"), std::string::npos);
  EXPECT_TRUE(S_ISLNK(modeOf(root / "link")));
  EXPECT_TRUE(S_ISCHR(modeOf("/dev/full")));
}

TEST_F(WriteFile, DescriptorsByNameAreWrittenTo) {
  int fd = open((root / "file").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  fs::create_symlink("/proc/self/fd/" + std::to_string(fd), root / "link");
  EXPECT_EQ(saved("link"), "");
  char text[4] = {};
  EXPECT_EQ(pread(fd, text, sizeof(text), 0), 3);
  EXPECT_EQ(std::string(text), "new");
  close(fd);
}

TEST_F(WriteFile, FoldersAndMissingOnesAreRefused) {
  fs::create_directory(root / "folder");
  EXPECT_NE(saved("folder").find("folder: Is a directory"), std::string::npos);
  EXPECT_NE(saved("none/file").find("none/file: No such file"), std::string::npos);
  EXPECT_NE(saved("file/").find("file/"), std::string::npos);
  EXPECT_EQ(countOf(root.path()), 1u);
}

TEST_F(WriteFile, ReplaceFileReplacesWhateverHasTheName) {
  write("file", "old");
  fs::create_symlink("file", root / "link");
  EXPECT_TRUE(replaceFile(root / "link", bytesOf("new")).ok());
  EXPECT_EQ(contentOf(root / "file"), "old");
  EXPECT_EQ(contentOf(root / "link"), "new");
  EXPECT_TRUE(S_ISREG(modeOf(root / "link")));
}

// What root may do anyway is tried as somebody else, in a child process.
TEST_F(WriteFile, AFileInAClosedFolderIsWrittenAndAClosedFileIsNot) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
  fs::create_directory(root / "folder");
  ASSERT_EQ(chmod(root.path().c_str(), 0755), 0);
  write("folder/open", "old");
  write("closed", "old");
  ASSERT_EQ(chmod((root / "folder/open").c_str(), 0666), 0);
  ASSERT_EQ(chown(root.path().c_str(), 12345, 12345), 0);
  ASSERT_EQ(chown((root / "closed").c_str(), 12345, 12345), 0);
  ASSERT_EQ(chmod((root / "closed").c_str(), 0444), 0);
  EXPECT_EXIT(
      {
        if (setgid(12345) != 0 || setuid(12345) != 0) _exit(2);
        bool written = saved("folder/open").empty();
        bool refused = saved("closed").find("Permission denied") != std::string::npos;
        _exit(written && refused ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
  EXPECT_EQ(contentOf(root / "folder/open"), "new");
  EXPECT_EQ(contentOf(root / "closed"), "old");
}

}  // namespace
}  // namespace tenon::engine
