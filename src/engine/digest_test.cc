#include "engine/digest.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tenon::engine {
namespace {

std::string hex(const Digest::Value& value) {
  std::string text;
  for (std::byte item : value) {
    constexpr char DIGITS[] = "0123456789abcdef";
    text += DIGITS[static_cast<uint8_t>(item) >> 4];
    text += DIGITS[static_cast<uint8_t>(item) & 15];
  }
  return text;
}

std::string digestOf(std::string_view text) {
  Digest digest;
  digest.add(text);
  return hex(digest.finish());
}

std::string counting(size_t size) {
  std::string text;
  for (size_t i = 0; i < size; ++i) text += static_cast<char>(i);
  return text;
}

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

// From Python's hashlib.blake2b(..., digest_size=32).
TEST(Digest, AgreesWithOtherImplementationsOfBlake2b) {
  EXPECT_EQ(digestOf(""), "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
  EXPECT_EQ(digestOf("abc"), "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
  EXPECT_EQ(digestOf(counting(127)),
            "f2fe67ff342e21b8f45e8f2e0bcd1d9243245d50ee6c78042e9c491388791c72");
  EXPECT_EQ(digestOf(counting(128)),
            "c3582f71ebb2be66fa5dd750f80baae97554f3b015663c8be377cfcb2488c1d1");
  EXPECT_EQ(digestOf(counting(129)),
            "f7f3c46ba2564ff4c4c162da1f5b605f9f1c4aa6a20652a9f9a337c1a2f5b9c9");
  EXPECT_EQ(digestOf(counting(1000)),
            "c636324d47d89f2b2434dc2c994100663fbbaea880ff020fc5de89dd0f77a1ec");
}

TEST(Digest, IsTheSameHoweverTheBytesArrive) {
  std::string text = counting(1000);
  for (size_t step : {1, 7, 64, 127, 128, 129, 256, 500}) {
    Digest digest;
    for (size_t at = 0; at < text.size(); at += step) {
      digest.add(std::string_view(text).substr(at, step));
    }
    EXPECT_EQ(hex(digest.finish()), digestOf(text)) << step;
  }
}

TEST(Digest, TellsWhereOnePartEndsAndTheNextBegins) {
  Digest one, other;
  one.addPart("ab");
  one.addPart("c");
  other.addPart("a");
  other.addPart("bc");
  EXPECT_NE(hex(one.finish()), hex(other.finish()));
}

// From xxHash's own test vectors and the Python package.
TEST(Checksum, AgreesWithOtherImplementationsOfXxh64) {
  EXPECT_EQ(checksum(bytes("")), 0xef46db3751d8e999u);
  EXPECT_EQ(checksum(bytes("a")), 0xd24ec4f1a98c6e5bu);
  EXPECT_EQ(checksum(bytes("abc")), 0x44bc2cf5ad770999u);
  EXPECT_EQ(checksum(bytes("Nobody inspects the spammish repetition")), 0xfbcea83c8a378bf1u);
}

TEST(Checksum, NoticesEveryFlippedBit) {
  std::string text = counting(77);
  uint64_t sum = checksum(bytes(text));
  for (size_t bit = 0; bit < text.size() * 8; ++bit) {
    std::string damaged = text;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_NE(checksum(bytes(damaged)), sum) << bit;
  }
}

}  // namespace
}  // namespace tenon::engine
