#pragma once

// Two ways to sum up bytes. `Digest` names content: nobody can make two inputs with the same one.
// `checksum` only notices damage, at the speed of memory.
//
// BLAKE2b and not SHA-256 of libcrypto: without the processor's SHA instructions it is five times
// as fast, and merely starting libcrypto takes 3 ms, more than everything else that `tenon run`
// does for a small program.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace tenon::engine {

// BLAKE2b with 32 bytes of output, no key. Source: RFC 7693.
class Digest {
 public:
  using Value = std::array<std::byte, 32>;

  Digest();
  void add(std::span<const std::byte> bytes);
  void add(std::string_view text);
  // Adds the length first, so that the borders between several parts count too.
  void addPart(std::span<const std::byte> bytes);
  void addPart(std::string_view text);
  // Ends it; nothing may be added after.
  Value finish();

 private:
  void compress(const std::byte* block, bool last);

  std::array<uint64_t, 8> state_;
  std::array<std::byte, 128> buffer_;
  size_t buffered_ = 0;
  uint64_t length_ = 0;  // bytes that were compressed, or are being
};

// XXH64 with seed 0. Source: xxHash's "XXH64 algorithm description".
uint64_t checksum(std::span<const std::byte> bytes);

}  // namespace tenon::engine
