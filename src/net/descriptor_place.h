#pragma once

// How many descriptors there may be for guests, of all of them together, because descriptors are
// the process's: files, directories, listings, sockets, duplicates of FIFOs, connections of HTTP
// clients. Some stay for the host: its own connections and files, standard streams and preopened
// directories, and what is open only while a path is resolved. Any thread.

#include <cstdint>
#include <utility>

namespace tenon::net {

// A place for one descriptor, given back when it goes.
class DescriptorPlace {
 public:
  // No place.
  DescriptorPlace() = default;
  // A free one, or none when guests have as many descriptors as they may.
  static DescriptorPlace take();
  // How many there are: of the descriptors that this process may have, all but a quarter, or 64 to
  // 1024 where that is less or more; at least half.
  static int64_t all();

  DescriptorPlace(DescriptorPlace&& other) noexcept : taken_(std::exchange(other.taken_, false)) {}
  DescriptorPlace& operator=(DescriptorPlace&& other) noexcept {
    std::swap(taken_, other.taken_);
    return *this;
  }
  ~DescriptorPlace();

  explicit operator bool() const { return taken_; }

 private:
  bool taken_ = false;
};

}  // namespace tenon::net
