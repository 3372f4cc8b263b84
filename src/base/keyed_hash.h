#pragma once

// Hashes of what comes from a file, under a key that every process makes anew. With a fixed hash
// function somebody could prepare a million names that all fall into one bucket, and a look-up
// would walk through all of them.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace tenon {

// SipHash-1-3 over words. Text is a word for its length, then its bytes, eight to a word.
class KeyedHash {
 public:
  struct Key {
    uint64_t low = 0, high = 0;
  };
  // This process's key: random, and the same from the first call on.
  static const Key& processKey();

  explicit KeyedHash(const Key& key = processKey())
      : v0_(key.low ^ 0x736f6d6570736575),
        v1_(key.high ^ 0x646f72616e646f6d),
        v2_(key.low ^ 0x6c7967656e657261),
        v3_(key.high ^ 0x7465646279746573) {}

  KeyedHash& add(uint64_t word) {
    v3_ ^= word;
    round();
    v0_ ^= word;
    return *this;
  }
  KeyedHash& addAddress(const void* address) {
    return add(static_cast<uint64_t>(reinterpret_cast<uintptr_t>(address)));
  }
  KeyedHash& add(std::string_view text) {
    add(uint64_t{text.size()});
    for (; text.size() >= 8; text.remove_prefix(8)) add(load(text.data(), 8));
    if (!text.empty()) add(load(text.data(), text.size()));
    return *this;
  }

  // The hash of all that was added.
  size_t finish() const {
    KeyedHash end = *this;
    end.v2_ ^= 0xff;
    for (int i = 0; i < 3; ++i) end.round();
    return static_cast<size_t>(end.v0_ ^ end.v1_ ^ end.v2_ ^ end.v3_);
  }

 private:
  static uint64_t load(const char* bytes, size_t size) {
    uint64_t word = 0;
    std::memcpy(&word, bytes, size);
    return word;
  }

  void round() {
    v0_ += v1_;
    v1_ = std::rotl(v1_, 13) ^ v0_;
    v0_ = std::rotl(v0_, 32);
    v2_ += v3_;
    v3_ = std::rotl(v3_, 16) ^ v2_;
    v0_ += v3_;
    v3_ = std::rotl(v3_, 21) ^ v0_;
    v2_ += v1_;
    v1_ = std::rotl(v1_, 17) ^ v2_;
    v2_ = std::rotl(v2_, 32);
  }

  uint64_t v0_, v1_, v2_, v3_;
};

struct TextHash {
  size_t operator()(std::string_view text) const { return KeyedHash().add(text).finish(); }
};

// Maps by names that an input chose. The keys of the first two are borrowed.
template <typename Value>
using TextMap = std::unordered_map<std::string_view, Value, TextHash>;
using TextSet = std::unordered_set<std::string_view, TextHash>;
template <typename Value>
using OwnedTextMap = std::unordered_map<std::string, Value, TextHash>;

}  // namespace tenon
