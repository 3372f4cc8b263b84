// What every reader of this part must do with damaged input: give an error with an offset inside
// the input, and neither crash nor read outside of it. Runs over inputs that use every production,
// and over the guests that the tests have when they are built.

#include "base/byte_reader.h"
#include "component/binary/binary_testing.h"
#include "component/binary/core_module.h"
#include "component/binary/decoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <set>
#include <variant>
#include <vector>

namespace tenon::component {
namespace {

using testing::Builder;
using testing::Bytes;
using testing::bytesOf;
using testing::EVERY_FEATURE;

// A core module with every section and most kinds of types and constants.
Bytes richModule() {
  return Builder::module()
      .section(1, 5, 0x60, 1, 0x7f, 0, 0x60, 0, 1, 0x7e, 0x5f, 2, 0x78, 1, 0x63, 2, 0, 0x5e, 0x7f,
               1, 0x4e, 2, 0x50, 0, 0x60, 0, 0, 0x4f, 1, 4, 0x60, 0, 0)
      .section(2, 5, "a", "f", 0x00, 1, "a", "t", 0x01, 0x70, 0x01, 1, 2, "a", "m", 0x02, 0x03, 1,
               2, "a", "g", 0x03, 0x7e, 1, "a", "x", 0x04, 0x00, 0)
      .section(3, 1, 0)
      .section(4, 2, 0x6f, 0x04, 0x80, 0x01, 0x40, 0x00, 0x70, 0x00, 1, 0xd2, 0, 0x0b)
      .section(5, 1, 0x0c, 3, 0)
      .section(13, 1, 0x00, 0)
      .section(6, 4, 0x7f, 0, 0x41, 5, 0x0b, 0x7b, 0, 0xfd, 12, Bytes(16), 0x0b, 0x63, 3, 0, 0x41,
               1, 0xfb, 8, 3, 1, 0x0b, 0x7c, 0, 0x44, Bytes(8), 0x0b)
      .section(7, 5, "f", 0, 1, "t", 1, 1, "m", 2, 1, "g", 3, 1, "x", 4, 1)
      .section(8, 1)
      .section(9, 1, 0, 0x41, 0, 0x0b, 1, 0)
      .section(12, 0)
      .section(10, 1, 2, 0, 0x0b)
      .section(11, 0)
      .section(0, "producers", 0)
      .bytes();
}

// A component with every section and nearly every production of the grammar.
Bytes richComponent() {
  Bytes nested =
      Builder::component().section(7, 2, 0x40, 1, "p", 0x73, 0x00, 0x79, 0x66, 0).bytes();
  return Builder::component()
      .section(0, "custom", 1, 2, 3)
      .section(1, richModule())
      .section(2, 2, 0, 0, 1, "env", 0x12, 0, 1, 2, "f", 0, 0, "m", 2, 0)
      .section(3, 3, 0x60, 1, 0x7f, 0, 0x00, 0x50, 0, 0x60, 0, 0, 0x50, 5, 0x01, 0x60, 0, 0, 0x00,
               "a", "b", 0x00, 0, 0x02, 0x10, 0x01, 1, 1, 0x03, "t", 0x01, 0x70, 0x01, 1, 2, 0x03,
               "x", 0x04, 0x00, 0)
      .section(4, nested)
      .section(5, 2, 0, 0, 1, "a", 0x01, 0, 1, 1, 0x00, "g", 0x05, 0)
      .section(6, 4, 0x03, 0x00, 0, "t", 0x00, 0x00, 0x01, 0, "f", 0x03, 0x02, 0, 0, 0x00, 0x11,
               0x02, 0, 0)
      .section(7, 17, 0x7f, 0x72, 2, "a", 0x7f, "b", 0x01, 0x71, 2, "x", 1, 0x7e, 0, "y", 0, 0,
               0x70, 0x7b, 0x6f, 2, 0x7c, 0x79, 0x6e, 1, "f", 0x6d, 1, "e", 0x6b, 0x7a, 0x6a, 1,
               0x76, 1, 0x75, 0x69, 0, 0x68, 0, 0x66, 1, 0x7d, 0x65, 0, 0x3f, 0x7f, 1, 0, 0x43, 1,
               "p", 0x7f, 0x01, 0x00, 0x67, 0x7d, 3, 0x63, 0x73, 0x79)
      .section(7, 1, 0x41, 5, 0x01, 0x42, 1, 0x04, 0x00, "r", 0x03, 0x01, 0x03, 0x00, "i", 0x05, 0,
               0x02, 0x03, 0x02, 1, 0, 0x00, 0x50, 0, 0x04, 0x01, "e", 0x01, 1)
      .section(8, 10, 0x00, 0x00, 0, 5, 0x00, 0x03, 0, 0x04, 0, 0x05, 0, 0x06, 0, 0x01, 0x00, 0, 1,
               0x02, 0x02, 0, 0x09, 0x00, 0x73, 0, 0x0a, 0x7f, 0, 0x0f, 1, 0, 0x11, 1, 1, 0x20, 0,
               0, 0x27, 0, 0, 0x41, 1, 0, 0)
      .section(9, 0, 1, 0, 1)
      .section(10, 4, 0x00, "m", 0x00, 0x11, 0, 0x02, "n", 3, 0x00, "a:b/c", 0x01, "1", 0x02, "x",
               0x05, 0, 0x00, "t", 0x03, 0x00, 0, 0x00, "v", 0x02, 0x01, 0x73)
      .section(11, 2, 0x00, "e", 0x01, 0, 0x00, 0x00, "f", 0x03, 0, 0x01, 0x03, 0x00, 0)
      .section(12, 1, 0x73, 2, 1, 'x')
      .bytes();
}

Bytes readFile(const std::filesystem::path& path) {
  Bytes bytes(std::filesystem::file_size(path));
  std::ifstream in(path, std::ios::binary);
  in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  return bytes;
}

// Guest components of at most `limit` bytes, those that are built.
std::vector<Bytes> guests(uintmax_t limit) {
  std::vector<Bytes> found;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(TENON_GUESTS_DIR, failed)) {
    if (entry.path().extension() == ".wasm" && entry.file_size() <= limit) {
      found.push_back(readFile(entry.path()));
    }
  }
  return found;
}

// Where sections begin and the file ends: cut there, a component or module is whole again.
std::set<size_t> boundaries(const Bytes& bytes) {
  std::set<size_t> found{8, bytes.size()};
  ByteReader in(std::span(bytes).subspan(8), 8);
  while (!in.atEnd()) {
    EXPECT_TRUE(in.u8());
    uint32_t size = in.u32().value();
    EXPECT_TRUE(in.take(size, "section"));
    found.insert(in.offset());
  }
  return found;
}

// A copy of exactly `size` bytes on the heap, so that AddressSanitizer sees a read behind it.
std::vector<std::byte> prefix(const Bytes& bytes, size_t size) {
  return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)};
}

// Cuts at every byte of the first `dense` ones, and at every 53rd further on.
template <typename Read>
void expectErrorsWhenCut(const Bytes& bytes, size_t dense, Read&& read) {
  std::set<size_t> whole = boundaries(bytes);
  for (size_t size = 0; size < bytes.size(); size += size < dense ? 1 : 53) {
    auto cut = prefix(bytes, size);
    auto result = read(std::span<const std::byte>(cut));
    if (whole.contains(size)) {
      EXPECT_TRUE(result) << "cut at " << size << ": " << result.error().text();
      continue;
    }
    ASSERT_FALSE(result) << "cut at " << size;
    ASSERT_TRUE(result.error().offset) << result.error().message;
    EXPECT_LE(*result.error().offset, size) << result.error().message;
    EXPECT_EQ(result.error().code, ErrorCode::MALFORMED) << result.error().message;
  }
}

TEST(Truncation, OfAComponentIsAnErrorAtEveryByte) {
  Bytes rich = richComponent();
  auto whole = decode(rich, EVERY_FEATURE);
  ASSERT_TRUE(whole) << whole.error().text();
  auto read = [](std::span<const std::byte> bytes) { return decode(bytes, EVERY_FEATURE); };
  expectErrorsWhenCut(rich, rich.size(), read);
  for (const Bytes& guest : guests(100'000)) expectErrorsWhenCut(guest, 1000, read);
}

TEST(Truncation, OfACoreModuleIsAnErrorAtEveryByte) {
  Bytes rich = richModule();
  // Exports name what earlier sections define, so only cuts inside sections are of interest.
  auto whole = readCoreModule(rich, 0);
  ASSERT_TRUE(whole) << whole.error().text();
  expectErrorsWhenCut(rich, rich.size(),
                      [](std::span<const std::byte> bytes) { return readCoreModule(bytes, 0); });
}

void readModules(const Component& component) {
  for (const Definition& definition : component.definitions) {
    if (const auto* module = std::get_if<CoreModule>(&definition.def)) {
      auto read = readCoreModule(module->bytes, definition.offset);
      if (!read) EXPECT_TRUE(read.error().offset) << read.error().message;
      static_cast<void>(readShimModule(module->bytes));
      static_cast<void>(readFixupModule(module->bytes));
    } else if (const auto* nested = std::get_if<std::unique_ptr<Component>>(&definition.def)) {
      readModules(**nested);
    }
  }
}

TEST(Mutation, NeverCrashesAReader) {
  std::vector<Bytes> inputs = guests(100'000);
  inputs.push_back(richComponent());
  std::mt19937 random(20240601);
  auto below = [&](size_t limit) {
    return std::uniform_int_distribution<size_t>(0, limit - 1)(random);
  };
  for (const Bytes& input : inputs) {
    int rounds = input.size() < 2000 ? 3000 : 50;
    for (int round = 0; round < rounds; ++round) {
      Bytes bytes = input;
      size_t changes = 1 + below(4);
      for (size_t i = 0; i < changes; ++i) {
        // Mostly near the start, where a large guest has its types.
        size_t at =
            below(2) == 0 ? below(bytes.size()) : below(std::min<size_t>(bytes.size(), 2000));
        bytes[at] = static_cast<std::byte>(below(256));
      }
      auto decoded = decode(bytes, EVERY_FEATURE);
      if (decoded) {
        readModules(**decoded);
      } else {
        ASSERT_TRUE(decoded.error().offset) << decoded.error().message;
        ASSERT_LE(*decoded.error().offset, bytes.size()) << decoded.error().message;
        ASSERT_FALSE(decoded.error().message.empty());
      }
    }
  }
}

TEST(Guests, DecodeWithEveryModuleRead) {
  for (const Bytes& guest : guests(UINT64_MAX)) {
    auto decoded = decode(guest);
    ASSERT_TRUE(decoded) << decoded.error().text();
    for (const Definition& definition : (*decoded)->definitions) {
      const auto* module = std::get_if<CoreModule>(&definition.def);
      if (module == nullptr) continue;
      auto read = readCoreModule(module->bytes, definition.offset);
      EXPECT_TRUE(read) << read.error().text();
    }
  }
}

}  // namespace
}  // namespace tenon::component
