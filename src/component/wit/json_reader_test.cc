#include "component/wit/json_reader.h"

#include <gtest/gtest.h>

namespace tenon::component::wit {
namespace {

TEST(ReadJson, ReadsEveryKindOfValue) {
  const Result<JsonValue> value =
      readJson(R"( {"a": [null, true, false, -1.5e+3, 0], "b": {"c": ""}} )");
  ASSERT_TRUE(value) << value.error().text();
  const JsonValue* items = value->find("a");
  ASSERT_NE(items, nullptr);
  const auto& array = std::get<JsonArray>(items->content).items;
  ASSERT_EQ(array.size(), 5U);
  EXPECT_TRUE(array[0].isNull());
  EXPECT_TRUE(std::get<bool>(array[1].content));
  EXPECT_EQ(std::get<JsonNumber>(array[3].content).text, "-1.5e+3");
  ASSERT_NE(value->find("b"), nullptr);
  EXPECT_EQ(*value->find("b")->find("c")->string(), "");
  EXPECT_EQ(value->find("c"), nullptr);
  EXPECT_EQ(items->find("c"), nullptr);
}

TEST(ReadJson, ReplacesEscapes) {
  const Result<JsonValue> value = readJson(R"("\"\\\/\b\f\n\r\t\u00e4\ud83d\ude00 ä")");
  ASSERT_TRUE(value) << value.error().text();
  EXPECT_EQ(*value->string(), "\"\\/\b\f\n\r\t\u00e4\U0001f600 ä");
}

TEST(ReadJson, RefusesWhatIsNoJson) {
  for (const char* text : {"",
                           "nul",
                           "[1,]",
                           "[1",
                           "{\"a\"}",
                           "{\"a\":1,}",
                           "{a:1}",
                           "01",
                           "1.",
                           "1e",
                           "-",
                           "\"\\x\"",
                           "\"\\u12\"",
                           "\"\\ud800\"",
                           "\"\\ud800\\u0041\"",
                           "\"\\udc00\"",
                           "\"a\nb\"",
                           "\"\xff\"",
                           "\"",
                           "1 2",
                           "\"\\"}) {
    const Result<JsonValue> value = readJson(text);
    ASSERT_FALSE(value) << text;
    EXPECT_EQ(value.error().code, ErrorCode::MALFORMED);
    EXPECT_LE(value.error().offset.value_or(1000), std::string(text).size());
  }
}

TEST(ReadJson, RefusesNestingWithoutEnd) {
  const Result<JsonValue> value = readJson(std::string(100'000, '['));
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().code, ErrorCode::LIMIT_EXCEEDED);
}

}  // namespace
}  // namespace tenon::component::wit
