// What of a component can be written as WIT, and what cannot: whole components, small ones.

#include "component/binary/binary_testing.h"
#include "component/wit/wit.h"
#include "component/wit/wit_cases_testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tenon::component {
namespace {

using testing::Builder;
using testing::Bytes;
using testing::componentOf;
using testing::EVERY_FEATURE;
using ::testing::HasSubstr;

Result<std::string> print(const Bytes& bytes) {
  TENON_TRY(auto component, decode(bytes, EVERY_FEATURE));
  return printWit(*component);
}

Result<std::string> printJson(const Bytes& bytes) {
  TENON_TRY(auto component, decode(bytes, EVERY_FEATURE));
  return printWitJson(*component);
}

void expectRefused(const Bytes& bytes, ErrorCode code, std::string_view message) {
  for (const auto& text : {print(bytes), printJson(bytes)}) {
    ASSERT_FALSE(text) << *text;
    EXPECT_STREQ(toString(text.error().code), toString(code)) << text.error().text();
    EXPECT_THAT(text.error().message, HasSubstr(message));
  }
}

class WitRules : public ::testing::TestWithParam<WitCase> {};

TEST_P(WitRules, Hold) {
  const WitCase& rule = GetParam();
  SCOPED_TRACE(rule.text);
  const Bytes bytes = componentOf(rule.hex);
  if (rule.wit == nullptr) return expectRefused(bytes, ErrorCode::UNSUPPORTED, rule.error);
  const Result<std::string> text = print(bytes);
  ASSERT_TRUE(text) << text.error().text();
  EXPECT_EQ(*text, rule.wit);
  EXPECT_TRUE(printJson(bytes));
}

INSTANTIATE_TEST_SUITE_P(Wit, WitRules, ::testing::ValuesIn(WIT_CASES),
                         [](const auto& info) { return std::string(info.param.name); });

// -- Attributes of names --------------------------------------------------------------------------

Bytes withExternalId(const char* id) {
  return Builder::component()
      .section(7, 1, 0x40, 0, 0x01, 0x00)
      .section(10, 1, 0x02, "f", 1, 0x02, id, 0x01, 0)
      .bytes();
}

TEST(WitAttributes, AnExternalIdIsWrittenSoThatItReadsBackTheSame) {
  const Bytes bytes = withExternalId("a \"b\"\\\n\r\t\x01\xc3\xa9\xff");
  EXPECT_FALSE(print(bytes)) << "it is no UTF-8";
  const Bytes good = withExternalId("a \"b\"\\\n\r\t\x01\xc3\xa9");
  EXPECT_THAT(print(good).value(),
              HasSubstr("@external-id(\"a \\\"b\\\"\\\\\\n\\r\\t\\u{1}\\u{e9}\")\n"));
  EXPECT_THAT(printJson(good).value(),
              HasSubstr("a \\\"b\\\"\\\\\\n\\u000d\\u0009\\u0001\xc3\xa9"));
}

TEST(WitAttributes, AnInterfaceMayHaveALabelOfItsOwn) {
  const Bytes bytes = Builder::component()
                          .section(7, 1, 0x42, 0)
                          .section(10, 1, 0x02, "mine", 1, 0x00, "a:b/c", 0x05, 0)
                          .bytes();
  EXPECT_THAT(print(bytes).value(), HasSubstr("import mine: a:b/c;"));
  EXPECT_THAT(printJson(bytes).value(), HasSubstr("\"implements\""));
  expectRefused(Builder::component()
                    .section(7, 1, 0x42, 0)
                    .section(10, 1, 0x02, "not mine", 1, 0x00, "a:b/c", 0x05, 0)
                    .bytes(),
                ErrorCode::UNSUPPORTED, "\"not mine\" is no label");
}

// -- What the validator refuses is refused here too -----------------------------------------------

TEST(WitOfInvalidComponents, ValuesAreNotSupported) {
  const Bytes cases[] = {Builder::component().section(12, 1, 0x7d, 1, 7).bytes(),
                         Builder::component().section(9, 0, 0, 0).bytes(),
                         Builder::component().section(10, 1, 0x00, "v", 0x02, 0x01, 0x73).bytes(),
                         Builder::component().section(10, 1, 0x00, "v", 0x02, 0x00, 0).bytes(),
                         Builder::component().section(11, 1, 0x00, "v", 0x02, 0, 0x00).bytes()};
  for (const Bytes& bytes : cases) {
    expectRefused(bytes, ErrorCode::UNSUPPORTED, "values in components are not supported");
  }
}

TEST(WitOfInvalidComponents, AnAliasHasTheSortOfWhatItNames) {
  // An instance with a function "f", and an alias of it as a type.
  const Bytes bytes =
      Builder::component()
          .section(7, 1, 0x42, 2, 0x01, 0x40, 0, 0x01, 0x00, 0x04, 0x00, "f", 0x01, 0)
          .section(10, 1, 0x00, "i", 0x05, 0)
          .section(6, 1, 0x03, 0x00, 0, "f")
          .bytes();
  expectRefused(bytes, ErrorCode::INVALID, "export \"f\" of instance 0 is no type");
  const Bytes component =
      Builder::component()
          .section(7, 1, 0x42, 2, 0x01, 0x40, 0, 0x01, 0x00, 0x04, 0x00, "f", 0x01, 0)
          .section(10, 1, 0x00, "i", 0x05, 0)
          .section(6, 1, 0x04, 0x00, 0, "f")
          .bytes();
  expectRefused(component, ErrorCode::INVALID, "export \"f\" of instance 0 is no component");
}

TEST(WitOfInvalidComponents, ExportsOfOneInstanceDiffer) {
  const Bytes bytes = Builder::component()
                          .section(7, 1, 0x40, 0, 0x01, 0x00)
                          .section(10, 1, 0x00, "f", 0x01, 0)
                          .section(5, 1, 0x01, 2, 0x00, "a", 0x01, 0, 0x00, "a", 0x01, 0)
                          .bytes();
  expectRefused(bytes, ErrorCode::INVALID, "two exports are named \"a\"");
}

TEST(WitOfInvalidComponents, OneDocumentationIsEnough) {
  const Bytes type =
      testing::bytesOf({0x41, 2, 0x01, 0x42, 0, 0x04, 0x00, 5, 'a', ':', 'b', '/', 'c', 0x05, 0});
  const Bytes bytes = Builder::component()
                          .section(7, 1, type)
                          .section(11, 1, 0x00, "c", 0x03, 0, 0x00)
                          .section(0, "package-docs", 1, '{', '}')
                          .section(0, "package-docs", 1, '{', '}')
                          .bytes();
  expectRefused(bytes, ErrorCode::MALFORMED, "two package-docs sections");
}

}  // namespace
}  // namespace tenon::component
