#pragma once

// How many files and directories guests may have open: all of them together, because descriptors
// are the process's. Some stay for the host's own connections and files. Any thread.

#include <cstdint>
#include <utility>

namespace tenon::wasi::filesystem {

// A place for one open file, given back when it goes.
class FilePlace {
 public:
  // No place.
  FilePlace() = default;
  // A free one, or none when guests have as many files open as they may.
  static FilePlace take();
  // How many there are: of the descriptors that this process may have, all but a quarter, or 64 to
  // 1024 where that is less or more; at least half.
  static int64_t all();

  FilePlace(FilePlace&& other) noexcept : taken_(std::exchange(other.taken_, false)) {}
  FilePlace& operator=(FilePlace&& other) noexcept {
    std::swap(taken_, other.taken_);
    return *this;
  }
  ~FilePlace();

  explicit operator bool() const { return taken_; }

 private:
  bool taken_ = false;
};

}  // namespace tenon::wasi::filesystem
