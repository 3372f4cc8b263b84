#pragma once

// The only way to touch a guest's linear memory. Every access is checked in 64 bits against the
// memory's size, and where the ABI asks for it against the alignment. A GuestMemory is a
// short-lived view: it and everything taken from it die before the guest runs again (a call of
// `realloc` included), because the memory may have grown or changed. Bound to the thread that runs
// the instance. Source: CanonicalABI.md "Loading", "Storing".

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

namespace tenon {

class GuestMemory {
 public:
  GuestMemory() = default;  // empty: every access of one byte or more fails
  GuestMemory(std::byte* base, uint64_t size) : base_(base), size_(size) {}

  uint64_t size() const { return size_; }

  // Whether `length` bytes from `offset` lie inside. True for no bytes at the very end.
  bool contains(uint64_t offset, uint64_t length) const {
    return length <= size_ && offset <= size_ - length;
  }

  // Reads an integer or float, little-endian, at any alignment. False when out of bounds.
  template <typename T>
    requires(std::is_arithmetic_v<T>)
  [[nodiscard]] bool load(uint64_t offset, T& out) const {
    if (!contains(offset, sizeof(T))) return false;
    std::memcpy(&out, base_ + offset, sizeof(T));
    return true;
  }

  template <typename T>
    requires(std::is_arithmetic_v<T>)
  [[nodiscard]] bool store(uint64_t offset, T value) {
    if (!contains(offset, sizeof(T))) return false;
    std::memcpy(base_ + offset, &value, sizeof(T));
    return true;
  }

  // Borrows `length` bytes. A default span with a null pointer when out of bounds, so check
  // `contains` first where an empty range is possible.
  std::span<const std::byte> bytes(uint64_t offset, uint64_t length) const {
    if (!contains(offset, length)) return {};
    return {base_ + offset, static_cast<size_t>(length)};
  }
  std::span<std::byte> mutableBytes(uint64_t offset, uint64_t length) {
    if (!contains(offset, length)) return {};
    return {base_ + offset, static_cast<size_t>(length)};
  }

 private:
  std::byte* base_ = nullptr;
  uint64_t size_ = 0;
};

}  // namespace tenon
