#include "engine/digest.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace tenon::engine {
namespace {

static_assert(std::endian::native == std::endian::little);

uint64_t load64(const std::byte* at) {
  uint64_t value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

uint32_t load32(const std::byte* at) {
  uint32_t value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

constexpr std::array<uint64_t, 8> IV = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
                                        0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
                                        0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};

constexpr uint8_t SIGMA[10][16] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                                   {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
                                   {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
                                   {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
                                   {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
                                   {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
                                   {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
                                   {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
                                   {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
                                   {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

}  // namespace

Digest::Digest() : state_(IV) {
  state_[0] ^= 0x01010000 ^ sizeof(Value);  // no key, one leaf, this many bytes of output
}

void Digest::compress(const std::byte* block, bool last) {
  uint64_t m[16];
  for (int i = 0; i < 16; ++i) m[i] = load64(block + 8 * i);
  uint64_t v[16];
  for (int i = 0; i < 8; ++i) {
    v[i] = state_[i];
    v[i + 8] = IV[i];
  }
  v[12] ^= length_;
  if (last) v[14] = ~v[14];
  auto mix = [&](int a, int b, int c, int d, uint64_t x, uint64_t y) {
    v[a] += v[b] + x;
    v[d] = std::rotr(v[d] ^ v[a], 32);
    v[c] += v[d];
    v[b] = std::rotr(v[b] ^ v[c], 24);
    v[a] += v[b] + y;
    v[d] = std::rotr(v[d] ^ v[a], 16);
    v[c] += v[d];
    v[b] = std::rotr(v[b] ^ v[c], 63);
  };
#pragma clang loop unroll(full)
  for (int round = 0; round < 12; ++round) {
    const uint8_t* s = SIGMA[round % 10];
    mix(0, 4, 8, 12, m[s[0]], m[s[1]]);
    mix(1, 5, 9, 13, m[s[2]], m[s[3]]);
    mix(2, 6, 10, 14, m[s[4]], m[s[5]]);
    mix(3, 7, 11, 15, m[s[6]], m[s[7]]);
    mix(0, 5, 10, 15, m[s[8]], m[s[9]]);
    mix(1, 6, 11, 12, m[s[10]], m[s[11]]);
    mix(2, 7, 8, 13, m[s[12]], m[s[13]]);
    mix(3, 4, 9, 14, m[s[14]], m[s[15]]);
  }
  for (int i = 0; i < 8; ++i) state_[i] ^= v[i] ^ v[i + 8];
}

void Digest::add(std::span<const std::byte> bytes) {
  // The last block is special, so a full one waits until more comes.
  while (!bytes.empty()) {
    if (buffered_ == 0 && bytes.size() > buffer_.size()) {
      length_ += buffer_.size();
      compress(bytes.data(), false);
      bytes = bytes.subspan(buffer_.size());
      continue;
    }
    if (buffered_ == buffer_.size()) {
      length_ += buffer_.size();
      compress(buffer_.data(), false);
      buffered_ = 0;
      continue;
    }
    size_t count = std::min(bytes.size(), buffer_.size() - buffered_);
    std::memcpy(buffer_.data() + buffered_, bytes.data(), count);
    buffered_ += count;
    bytes = bytes.subspan(count);
  }
}

void Digest::add(std::string_view text) { add(std::as_bytes(std::span(text))); }

void Digest::addPart(std::span<const std::byte> bytes) {
  uint64_t size = bytes.size();
  add(std::as_bytes(std::span(&size, 1)));
  add(bytes);
}

void Digest::addPart(std::string_view text) { addPart(std::as_bytes(std::span(text))); }

Digest::Value Digest::finish() {
  length_ += buffered_;
  std::fill(buffer_.begin() + static_cast<ptrdiff_t>(buffered_), buffer_.end(), std::byte{0});
  compress(buffer_.data(), true);
  Value value;
  std::memcpy(value.data(), state_.data(), value.size());
  return value;
}

uint64_t checksum(std::span<const std::byte> bytes) {
  constexpr uint64_t P1 = 0x9e3779b185ebca87, P2 = 0xc2b2ae3d27d4eb4f, P3 = 0x165667b19e3779f9,
                     P4 = 0x85ebca77c2b2ae63, P5 = 0x27d4eb2f165667c5;
  auto round = [](uint64_t lane, uint64_t input) { return std::rotl(lane + input * P2, 31) * P1; };
  const std::byte* at = bytes.data();
  size_t left = bytes.size();
  uint64_t hash;
  if (left >= 32) {
    uint64_t a = P1 + P2, b = P2, c = 0, d = 0 - P1;
    for (; left >= 32; at += 32, left -= 32) {
      a = round(a, load64(at));
      b = round(b, load64(at + 8));
      c = round(c, load64(at + 16));
      d = round(d, load64(at + 24));
    }
    hash = std::rotl(a, 1) + std::rotl(b, 7) + std::rotl(c, 12) + std::rotl(d, 18);
    for (uint64_t lane : {a, b, c, d}) hash = (hash ^ round(0, lane)) * P1 + P4;
  } else {
    hash = P5;
  }
  hash += bytes.size();
  for (; left >= 8; at += 8, left -= 8) {
    hash = std::rotl(hash ^ round(0, load64(at)), 27) * P1 + P4;
  }
  if (left >= 4) {
    hash = std::rotl(hash ^ (load32(at) * P1), 23) * P2 + P3;
    at += 4;
    left -= 4;
  }
  for (; left > 0; ++at, --left) {
    hash = std::rotl(hash ^ (static_cast<uint64_t>(*at) * P5), 11) * P1;
  }
  hash = (hash ^ (hash >> 33)) * P2;
  hash = (hash ^ (hash >> 29)) * P3;
  return hash ^ (hash >> 32);
}

}  // namespace tenon::engine
