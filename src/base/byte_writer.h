#pragma once

// Writes the primitive encodings of WebAssembly's binary format: for generated modules and for test
// inputs. The opposite of byte_reader.h; integers come out in their shortest form.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace tenon {

// A growing buffer. A plain value.
class ByteWriter {
 public:
  void u8(uint8_t value) { bytes_.push_back(static_cast<std::byte>(value)); }

  // LEB128.
  void u32(uint32_t value) { u64(value); }
  void u64(uint64_t value);
  void s32(int32_t value) { s64(value); }
  void s33(int64_t value) { s64(value); }
  void s64(int64_t value);

  // Four or eight bytes, little endian. Floats are given as their bits.
  void fixed32(uint32_t value);
  void fixed64(uint64_t value);

  void bytes(std::span<const std::byte> data) {
    bytes_.insert(bytes_.end(), data.begin(), data.end());
  }
  // The characters alone, without a length.
  void text(std::string_view data);
  // A length in bytes and the characters.
  void name(std::string_view data);

  // What `body()` writes to this writer, preceded by its size in bytes. May be nested.
  template <typename Body>
  void sized(Body&& body) {
    size_t start = bytes_.size();
    std::forward<Body>(body)();
    insertSize(start);
  }

  // A section: its id, and what `body()` writes, with its size.
  template <typename Body>
  void section(uint8_t id, Body&& body) {
    u8(id);
    sized(std::forward<Body>(body));
  }

  // Makes room for so many bytes in all.
  void reserve(size_t size) { bytes_.reserve(size); }

  size_t size() const { return bytes_.size(); }
  std::span<const std::byte> view() const { return bytes_; }
  std::vector<std::byte> take() && { return std::move(bytes_); }

 private:
  // Puts the size of everything from `start` on in front of it.
  void insertSize(size_t start);

  std::vector<std::byte> bytes_;
};

}  // namespace tenon
