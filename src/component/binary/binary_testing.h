#pragma once

// Small binaries for the tests of this part, put together by hand.

#include "base/byte_writer.h"
#include "component/binary/decoder.h"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace tenon::component::testing {

using Bytes = std::vector<std::byte>;

inline Bytes bytesOf(std::initializer_list<int> values) {
  Bytes out;
  for (int value : values) out.push_back(static_cast<std::byte>(value));
  return out;
}

// With every gated feature let through.
inline constexpr Features EVERY_FEATURE{.values = true,
                                        .fixedLists = true,
                                        .maps = true,
                                        .threads = true,
                                        .errorContext = true,
                                        .attributes = true,
                                        .getters = true,
                                        .memory64 = true,
                                        .stackful = true,
                                        .moreAsync = true,
                                        .forward = true,
                                        .canonicalNames = true};

// Writes a binary piece by piece. Numbers are single bytes, text is a name with its length, bytes
// are copied.
class Builder {
 public:
  static Builder component() { return Builder({0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00}); }
  static Builder module() { return Builder({0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00}); }

  // A section of `parts`.
  template <typename... Parts>
  Builder& section(uint8_t id, const Parts&... parts) {
    out_.section(id, [&] { (put(parts), ...); });
    return *this;
  }
  // `parts` as they are.
  template <typename... Parts>
  Builder& raw(const Parts&... parts) {
    (put(parts), ...);
    return *this;
  }

  Bytes bytes() const { return {out_.view().begin(), out_.view().end()}; }

 private:
  Builder(std::initializer_list<int> preamble) { out_.bytes(bytesOf(preamble)); }

  void put(int value) { out_.u8(static_cast<uint8_t>(value)); }
  void put(std::string_view name) { out_.name(name); }
  void put(const char* name) { out_.name(name); }
  void put(const Bytes& bytes) { out_.bytes(bytes); }

  ByteWriter out_;
};

// The bytes of a component of which `hex` is everything but the preamble.
inline Bytes componentOf(std::string_view hex) {
  auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  Bytes bytes = Builder::component().bytes();
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(digit(hex[i]) * 16 + digit(hex[i + 1])));
  }
  return bytes;
}

}  // namespace tenon::component::testing
