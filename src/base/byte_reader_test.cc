#include "base/byte_reader.h"

#include "base/byte_writer.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <vector>

namespace tenon {
namespace {

std::vector<std::byte> bytes(std::initializer_list<int> values) {
  std::vector<std::byte> out;
  for (int value : values) out.push_back(static_cast<std::byte>(value));
  return out;
}

TEST(ByteReader, ReportsTheOffsetOfATruncatedLeb128) {
  auto input = bytes({0x01, 0x80});
  ByteReader in(input);
  ASSERT_TRUE(in.u32());
  auto cut = in.u32();
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().message, "truncated LEB128 at byte 2");
  EXPECT_EQ(cut.error().code, ErrorCode::MALFORMED);
  EXPECT_EQ(cut.error().offset, 2);
}

TEST(ByteReader, CountsOffsetsFromItsBase) {
  auto input = bytes({0x05, 0x80});
  ByteReader in(input, 100);
  ASSERT_TRUE(in.u8());
  EXPECT_EQ(in.offset(), 101);
  EXPECT_EQ(in.u64().error().offset, 102);
}

TEST(ByteReader, RefusesToReadBehindTheEnd) {
  ByteReader in({});
  EXPECT_TRUE(in.atEnd());
  EXPECT_FALSE(in.peek());
  EXPECT_EQ(in.u8().error().message, "truncated input at byte 0");
  EXPECT_FALSE(in.u32());
  EXPECT_FALSE(in.s33());
  EXPECT_FALSE(in.name());
  EXPECT_FALSE(in.take(1, "thing"));
  EXPECT_TRUE(in.take(0, "thing"));
}

TEST(ByteReader, AcceptsPaddedIntegersWithinTheirLength) {
  auto u32 = bytes({0x81, 0x80, 0x80, 0x80, 0x00});
  EXPECT_EQ(ByteReader(u32).u32().value(), 1);
  auto negative = bytes({0xff, 0xff, 0xff, 0xff, 0x7f});
  EXPECT_EQ(ByteReader(negative).s33().value(), -1);
  EXPECT_EQ(ByteReader(negative).s32().value(), -1);
  auto u64 = bytes({0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01});
  EXPECT_EQ(ByteReader(u64).u64().value(), uint64_t{1} << 63);
}

TEST(ByteReader, RefusesBitsThatDoNotFit) {
  auto large = bytes({0x81, 0x80, 0x80, 0x80, 0x70});
  EXPECT_EQ(ByteReader(large).u32().error().message, "LEB128 does not fit in 32 bits at byte 0");
  auto tooLong = bytes({0x81, 0x80, 0x80, 0x80, 0x80, 0x00});
  EXPECT_EQ(ByteReader(tooLong).u32().error().message,
            "LEB128 of 32 bits is longer than 5 bytes at byte 0");
  auto u64 = bytes({0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02});
  EXPECT_FALSE(ByteReader(u64).u64());
  // The sign and the bits above it differ.
  auto s32 = bytes({0x80, 0x80, 0x80, 0x80, 0x08});
  EXPECT_FALSE(ByteReader(s32).s32());
  EXPECT_EQ(ByteReader(s32).s33().value(), int64_t{1} << 31);
  auto s33 = bytes({0x80, 0x80, 0x80, 0x80, 0x10});
  EXPECT_FALSE(ByteReader(s33).s33());
  auto s64 = bytes({0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01});
  EXPECT_FALSE(ByteReader(s64).s64());
}

TEST(ByteReader, ReadsBackWhatTheWriterWrote) {
  std::vector<int64_t> values = {0, 1, -1, 63, 64, -64, -65, 127, 128, 1 << 20, -(1 << 20)};
  for (int shift = 31; shift < 64; shift += 8) {
    values.push_back(int64_t{1} << (shift - 1));
    values.push_back(-(int64_t{1} << (shift - 1)));
  }
  values.push_back(std::numeric_limits<int64_t>::max());
  values.push_back(std::numeric_limits<int64_t>::min());
  for (int64_t value : values) {
    ByteWriter out;
    out.s64(value);
    out.u64(static_cast<uint64_t>(value));
    ByteReader in(out.view());
    EXPECT_EQ(in.s64().value(), value);
    EXPECT_EQ(in.u64().value(), static_cast<uint64_t>(value));
    EXPECT_TRUE(in.atEnd());
    auto narrow = static_cast<int32_t>(value);
    ByteWriter small;
    small.s32(narrow);
    small.u32(static_cast<uint32_t>(narrow));
    ByteReader reader(small.view());
    EXPECT_EQ(reader.s32().value(), narrow);
    EXPECT_EQ(reader.u32().value(), static_cast<uint32_t>(narrow));
  }
}

TEST(ByteReader, RefusesACountThatCannotFit) {
  auto input = bytes({0xbf, 0x84, 0x3d, 0x73});
  auto refused = ByteReader(input).count("types", 10);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "999999 types cannot be in the remaining 1 bytes");
  auto three = bytes({0x03, 1, 2, 3});
  EXPECT_EQ(ByteReader(three).count("types", 3).value(), 3);
  EXPECT_EQ(ByteReader(three).count("types", 2).error().code, ErrorCode::LIMIT_EXCEEDED);
  EXPECT_EQ(ByteReader(three).count("types", 3, 2).error().code, ErrorCode::MALFORMED);
}

TEST(ByteReader, BorrowsNamesAndRefusesWhatIsNotUtf8) {
  auto good = bytes({0x02, 0xc3, 0xa9, 0x00});
  ByteReader in(good);
  EXPECT_EQ(in.name().value(), "\xc3\xa9");
  EXPECT_EQ(in.name().value(), "");
  auto bad = bytes({0x02, 0xff, 0xfe});
  auto refused = ByteReader(bad, 7).name();
  EXPECT_EQ(refused.error().message, "name is not UTF-8");
  EXPECT_EQ(refused.error().offset, 8);
  auto cut = bytes({0x05, 'a', 'b'});
  EXPECT_EQ(ByteReader(cut).name().error().message,
            "name of 5 bytes is truncated, 2 bytes are left");
}

TEST(ByteReader, GivesSubReadersThatEndWhereTheyShould) {
  auto input = bytes({1, 2, 3, 4});
  ByteReader in(input, 10);
  auto sub = in.sub(2, "part");
  ASSERT_TRUE(sub);
  EXPECT_EQ(sub->u8().value(), 1);
  EXPECT_EQ(sub->offset(), 11);
  EXPECT_EQ(sub->remaining(), 1);
  EXPECT_FALSE(sub->take(2, "part"));
  EXPECT_EQ(in.u8().value(), 3);
  EXPECT_FALSE(in.sub(std::numeric_limits<uint64_t>::max(), "part"));
  EXPECT_EQ(in.rest().size(), 1);
  EXPECT_TRUE(in.atEnd());
}

TEST(IsUtf8, RefusesSurrogatesAndOverlongForms) {
  EXPECT_TRUE(isUtf8(""));
  EXPECT_TRUE(isUtf8(std::string(1000, 'x') + "\xf0\x9f\x8c\x8d"));
  EXPECT_FALSE(isUtf8("\xed\xa0\x80"));
  EXPECT_FALSE(isUtf8("\xc0\x80"));
  EXPECT_FALSE(isUtf8("\xf4\x90\x80\x80"));
  EXPECT_FALSE(isUtf8(std::string(1000, 'x') + "\xe2\x82"));
}

TEST(ByteWriter, PutsTheSizeInFrontOfNestedSections) {
  ByteWriter out;
  out.section(7, [&] {
    out.u8(1);
    out.sized([&] { out.text(std::string(200, 'x')); });
  });
  ByteReader in(out.view());
  EXPECT_EQ(in.u8().value(), 7);
  EXPECT_EQ(in.u32().value(), 203);
  EXPECT_EQ(in.u8().value(), 1);
  EXPECT_EQ(in.name().value(), std::string(200, 'x'));
  EXPECT_TRUE(in.atEnd());
}

TEST(ByteWriter, WritesFixedIntegersInLittleEndian) {
  ByteWriter out;
  out.fixed32(0x04030201);
  out.fixed64(0x0807060504030201);
  EXPECT_EQ(std::move(out).take(), bytes({1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8}));
}

}  // namespace
}  // namespace tenon
