#pragma once

// Files of the system, as the engine's parts read and write them.

#include <tenon/result.h>

#include <cstddef>
#include <span>
#include <string>

namespace tenon::engine {

// "cannot WHAT PATH: ..." for a number of errno. NOT_FOUND when there is no such file, else IO.
Error ioError(const std::string& what, const std::string& path, int code);

// Writes all; what the system reports, or 0.
int writeAll(int descriptor, std::span<const std::byte> bytes);

// A descriptor that is closed with it.
class File {
 public:
  // Negative: none.
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  int get() const { return descriptor_; }
  // In the place of one that is none.
  void reset(int descriptor) { descriptor_ = descriptor; }
  // Closes it early; what the system reports, or 0.
  int close();

 private:
  int descriptor_;
};

}  // namespace tenon::engine
