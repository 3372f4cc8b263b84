#pragma once

// A folder on the host for tests: what is granted (`inside`), and what must never be reached
// (`outside/secret`).

#include "base/temp_folder_testing.h"

#include <kj/io.h>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace tenon::wasi::filesystem {

class TestFolder {
 public:
  TestFolder() {
    std::filesystem::create_directories(folder_ / "inside/sub/deep");
    std::filesystem::create_directories(folder_ / "outside");
    std::ofstream(folder_ / "outside/secret") << "secret";
    write("file", "inside");
    write("sub/file", "in sub");
    root = kj::AutoCloseFd(::open(inside().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  ~TestFolder() noexcept {}  // a fixture's must be, and that of `root` is not

  std::string inside() const { return folder_ / "inside"; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(inside() + "/" + name) << text;
  }
  std::string read(const std::string& name) const {
    std::ifstream file(inside() + "/" + name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // `name`, a symbolic link to `target`. Does nothing if there is such a name already.
  void link(const std::string& target, const std::string& name) const {
    (void)!::symlink(target.c_str(), (inside() + "/" + name).c_str());
  }
  bool exists(const std::string& name) const {
    return std::filesystem::symlink_status(inside() + "/" + name).type() !=
           std::filesystem::file_type::not_found;
  }
  bool existsOutside(const std::string& name) const {
    return std::filesystem::exists(folder_ / "outside/" + name);
  }
  // Nothing outside was touched.
  void expectOutsideUntouched() const {
    std::ifstream file(folder_ / "outside/secret");
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "secret");
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_ / "outside"), {}), 1);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path()), {}), 2);
  }

  kj::AutoCloseFd root;

 private:
  TempFolder folder_;
};

}  // namespace tenon::wasi::filesystem
