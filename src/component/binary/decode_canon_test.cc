#include "component/binary/binary_testing.h"
#include "component/binary/decoder.h"
#include "component/binary/decoder_testing.h"

#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

namespace tenon::component {
namespace {

using testing::Builder;
using testing::Bytes;
using testing::bytesOf;
using testing::errorOf;
using testing::messageOf;
using testing::Only;

// -- Canonical definitions ------------------------------------------------------------------------

TEST(Decode, ReadsLiftAndLowerWithTheirOptionsInOrder) {
  Only<Canon> lift(
      Builder::component()
          .section(8, 1, 0x00, 0x00, 1, 6, 0x02, 0x03, 7, 0x04, 8, 0x05, 9, 0x06, 0x07, 10, 2)
          .bytes());
  EXPECT_EQ(lift->kind, CanonKind::LIFT);
  EXPECT_EQ(lift->func, 1);
  EXPECT_EQ(lift->type, 2);
  ASSERT_EQ(lift->opts.options.size(), 6);
  EXPECT_EQ(lift->opts.options[1].code, 0x03);
  EXPECT_EQ(lift->opts.options[1].index, 7);
  EXPECT_EQ(lift->opts.encoding, StringEncoding::LATIN1_UTF16);
  EXPECT_EQ(lift->opts.memory, 7);
  EXPECT_EQ(lift->opts.realloc, 8);
  EXPECT_EQ(lift->opts.postReturn, 9);
  EXPECT_TRUE(lift->opts.async);
  EXPECT_EQ(lift->opts.callback, 10);

  Only<Canon> lower(Builder::component().section(8, 1, 0x01, 0x00, 3, 2, 0x00, 0x01).bytes());
  EXPECT_EQ(lower->kind, CanonKind::LOWER);
  EXPECT_EQ(lower->func, 3);
  EXPECT_EQ(lower->opts.encoding, StringEncoding::UTF16);
  EXPECT_EQ(lower->opts.options.size(), 2);
}

TEST(Decode, ReadsEveryBuiltInThatIsNotGated) {
  struct Row {
    const char* name;
    Bytes bytes;
  };
  const Row rows[] = {
      {"resource.new", bytesOf({0x02, 1})},
      {"resource.drop", bytesOf({0x03, 1})},
      {"resource.rep", bytesOf({0x04, 1})},
      {"task.cancel", bytesOf({0x05})},
      {"subtask.cancel", bytesOf({0x06, 1})},
      {"task.return", bytesOf({0x09, 0x00, 0x73, 0})},
      {"task.return", bytesOf({0x09, 0x01, 0x00, 0})},
      {"context.get", bytesOf({0x0a, 0x7f, 0})},
      {"context.set", bytesOf({0x0b, 0x7f, 1})},
      {"thread.yield", bytesOf({0x0c, 0})},
      {"subtask.drop", bytesOf({0x0d})},
      {"stream.new", bytesOf({0x0e, 1})},
      {"stream.read", bytesOf({0x0f, 1, 1, 0x06})},
      {"stream.write", bytesOf({0x10, 1, 0})},
      {"stream.cancel-read", bytesOf({0x11, 1, 0})},
      {"stream.cancel-write", bytesOf({0x12, 1, 1})},
      {"stream.drop-readable", bytesOf({0x13, 1})},
      {"stream.drop-writable", bytesOf({0x14, 1})},
      {"future.new", bytesOf({0x15, 1})},
      {"future.read", bytesOf({0x16, 1, 0})},
      {"future.write", bytesOf({0x17, 1, 0})},
      {"future.cancel-read", bytesOf({0x18, 1, 0})},
      {"future.cancel-write", bytesOf({0x19, 1, 0})},
      {"future.drop-readable", bytesOf({0x1a, 1})},
      {"future.drop-writable", bytesOf({0x1b, 1})},
      {"waitable-set.new", bytesOf({0x1f})},
      {"waitable-set.wait", bytesOf({0x20, 0, 1})},
      {"waitable-set.poll", bytesOf({0x21, 0, 1})},
      {"waitable-set.drop", bytesOf({0x22})},
      {"waitable.join", bytesOf({0x23})},
      {"backpressure.inc", bytesOf({0x24})},
      {"backpressure.dec", bytesOf({0x25})},
      {"stream.forward", bytesOf({0x2e, 1})},
      {"future.forward", bytesOf({0x2f, 1})},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Only<Canon> canon(Builder::component().section(8, 1, row.bytes).bytes());
    EXPECT_STREQ(toString(canon->kind), row.name);
  }
}

TEST(Decode, RefusesUnknownBuiltInsAndOptions) {
  for (int opcode : {0x07, 0x08, 0x30, 0x3f, 0x43, 0xff}) {
    EXPECT_EQ(errorOf(Builder::component().section(8, 1, opcode, 0, 0).bytes()).code,
              ErrorCode::MALFORMED);
  }
  EXPECT_EQ(messageOf(Builder::component().section(8, 1, 0x00, 0x01, 0, 0, 0).bytes()),
            "canon section: lift: expected the sort func after canon lift (0x00), found byte 0x01 "
            "(at byte 12)");
  EXPECT_EQ(messageOf(Builder::component().section(8, 1, 0x01, 0x00, 0, 1, 0x0a).bytes()),
            "canon section: lower: expected a canonical option (0x00 to 0x07), found byte 0x0a "
            "(at byte 15)");
  EXPECT_EQ(messageOf(Builder::component().section(8, 1, 0x0c, 1).bytes()),
            "canon section: thread.yield: expected a reserved byte (0x00), found byte 0x01 "
            "(at byte 12)");
}

// -- Gated features -------------------------------------------------------------------------------

struct Gated {
  const char* feature;
  Bytes bytes;
};

std::vector<Gated> gatedComponents() {
  auto with = [](uint8_t id, auto... parts) {
    return Builder::component().section(id, parts...).bytes();
  };
  return {
      {"values", with(9, 0, 0, 0)},
      {"values", with(12, 1, 0x73, 2, 0x01, 'x')},
      {"values", with(10, 1, 0x00, "v", 0x02, 0x01, 0x73)},
      {"values", with(10, 1, 0x00, "v", 0x02, 0x00, 3)},
      {"values", with(6, 1, 0x02, 0x00, 0, "v")},
      {"fixed-length lists", with(7, 1, 0x67, 0x7d, 3)},
      {"maps", with(7, 1, 0x63, 0x73, 0x79)},
      {"error-context", with(7, 1, 0x64)},
      {"error-context", with(7, 1, 0x70, 0x64)},
      {"error-context", with(8, 1, 0x1c, 0)},
      {"error-context", with(8, 1, 0x1d, 0)},
      {"error-context", with(8, 1, 0x1e)},
      {"threads", with(8, 1, 0x26)},
      {"threads", with(8, 1, 0x27, 0, 0)},
      {"threads", with(8, 1, 0x28)},
      {"threads", with(8, 1, 0x29, 0)},
      {"threads", with(8, 1, 0x2a, 0)},
      {"threads", with(8, 1, 0x2b, 0)},
      {"threads", with(8, 1, 0x2c, 0)},
      {"threads", with(8, 1, 0x2d, 0)},
      {"shared-everything threads", with(8, 1, 0x40, 1, 0)},
      {"shared-everything threads", with(8, 1, 0x41, 0, 0, 0)},
      {"shared-everything threads", with(8, 1, 0x42, 0)},
      {"attributes (implements, versionsuffix, external-id)", with(10, 1, 0x02, "n", 0, 0x05, 5)},
  };
}

TEST(Decode, RefusesGatedFeaturesByName) {
  Features none;
  none.attributes = false;
  for (const Gated& gated : gatedComponents()) {
    Error error = errorOf(gated.bytes, none);
    EXPECT_EQ(error.code, ErrorCode::UNSUPPORTED) << error.message;
    EXPECT_TRUE(error.message.ends_with("needs a feature that is not supported: " +
                                        std::string(gated.feature)))
        << error.message;
  }
}

TEST(Decode, ReadsGatedFeaturesThatAreTurnedOn) {
  for (const Gated& gated : gatedComponents()) {
    auto decoded = decode(gated.bytes, testing::EVERY_FEATURE);
    EXPECT_TRUE(decoded) << gated.feature << ": " << decoded.error().text();
  }
  Only<TypeDef> list(Builder::component().section(7, 1, 0x67, 0x7d, 3).bytes(),
                     testing::EVERY_FEATURE);
  EXPECT_EQ(std::get<DefValType>(list->def).length, 3);
  Only<TypeDef> map(Builder::component().section(7, 1, 0x63, 0x73, 0x79).bytes(),
                    testing::EVERY_FEATURE);
  EXPECT_EQ(std::get<DefValType>(map->def).key->primitive, TypeKind::STRING);
  Only<ValueDef> value(Builder::component().section(12, 1, 0x73, 2, 1, 'x').bytes(),
                       testing::EVERY_FEATURE);
  EXPECT_EQ(value->bytes.size(), 2);
}

TEST(Decode, PrefersToSayThatAGatedFeatureIsMalformed) {
  EXPECT_EQ(errorOf(Builder::component().section(8, 1, 0x29, 1).bytes()).code,
            ErrorCode::MALFORMED);
}

TEST(CanonicalDefinitions, ErrorsNameTheBuiltIn) {
  EXPECT_EQ(messageOf(Builder::component().section(8, 1, 3).bytes()),
            "canon section: resource.drop: truncated LEB128 at byte 12");
}

}  // namespace
}  // namespace tenon::component
