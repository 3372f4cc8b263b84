#include "component/validate/validator.h"

#include "base/byte_writer.h"
#include "component/binary/binary_testing.h"
#include "component/validate/validator_cases_testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tenon::component {
namespace {

using testing::componentOf;
using ::testing::HasSubstr;

Result<void> check(std::span<const std::byte> bytes) {
  Features features{.fixedLists = true, .maps = true};
  TENON_TRY(auto component, decode(bytes, features));
  return validate(*component, features);
}

// What the case says of `bytes`: accepted, or refused with its words and a place inside.
void expectVerdict(const ValidatorCase& rule, std::span<const std::byte> bytes,
                   const Result<void>& result) {
  if (rule.error == nullptr) {
    EXPECT_TRUE(result.ok()) << result.error().text();
    return;
  }
  ASSERT_FALSE(result.ok());
  EXPECT_THAT(result.error().message, HasSubstr(rule.error));
  ASSERT_TRUE(result.error().offset.has_value());
  EXPECT_LE(*result.error().offset, bytes.size());
}

class ValidatorRules : public ::testing::TestWithParam<ValidatorCase> {};

TEST_P(ValidatorRules, Hold) {
  const ValidatorCase& rule = GetParam();
  SCOPED_TRACE(rule.text);
  auto bytes = componentOf(rule.hex);
  auto result = check(bytes);
  expectVerdict(rule, bytes, result);
}

class GatedRules : public ::testing::TestWithParam<ValidatorCase> {};

TEST_P(GatedRules, HoldWithEveryFeature) {
  const ValidatorCase& rule = GetParam();
  SCOPED_TRACE(rule.text);
  auto bytes = componentOf(rule.hex);
  auto decoded = decode(bytes, testing::EVERY_FEATURE);
  ASSERT_TRUE(decoded.ok()) << decoded.error().text();
  auto result = validate(**decoded, testing::EVERY_FEATURE);
  expectVerdict(rule, bytes, result);
}

INSTANTIATE_TEST_SUITE_P(Specification, GatedRules, ::testing::ValuesIn(gatedCases()),
                         [](const auto& info) {
                           return std::string(info.param.group) + "_" + info.param.name;
                         });

INSTANTIATE_TEST_SUITE_P(Specification, ValidatorRules, ::testing::ValuesIn(validatorCases()),
                         [](const auto& info) {
                           return std::string(info.param.group) + "_" + info.param.name;
                         });

// -- Limits, with components too large to be written down -----------------------------------------

struct Sections : ByteWriter {
  Sections() {
    for (uint8_t byte : {0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00}) u8(byte);
  }
};

constexpr uint8_t TYPE_SECTION = 7;
constexpr uint8_t COMPONENT_SECTION = 4;
constexpr uint8_t LIST = 0x70;
constexpr uint8_t TUPLE = 0x6f;
constexpr uint8_t U8 = 0x7d;

// (type u8-list) and then lists of lists.
std::vector<std::byte> nestedLists(uint32_t levels) {
  Sections out;
  out.section(TYPE_SECTION, [&] {
    out.u32(levels);
    for (uint32_t i = 0; i < levels; ++i) {
      out.u8(LIST);
      if (i == 0) {
        out.u8(U8);
      } else {
        out.s33(i - 1);
      }
    }
  });
  return std::move(out).take();
}

TEST(ValidatorLimits, TypesNestAHundredLevelsDeep) {
  EXPECT_TRUE(check(nestedLists(99)).ok());
  auto deeper = check(nestedLists(100));
  ASSERT_FALSE(deeper.ok());
  EXPECT_EQ(deeper.error().code, ErrorCode::LIMIT_EXCEEDED);
  EXPECT_THAT(deeper.error().message, HasSubstr("type nesting is too deep"));
}

TEST(ValidatorLimits, ATypeThatDoublesItselfIsNotWalked) {
  constexpr uint32_t DOUBLINGS = 64;
  Sections out;
  out.section(TYPE_SECTION, [&] {
    out.u32(DOUBLINGS);
    for (uint32_t i = 0; i < DOUBLINGS; ++i) {
      out.u8(TUPLE);
      out.u32(2);
      for (int member = 0; member < 2; ++member) {
        if (i == 0) {
          out.u8(U8);
        } else {
          out.s33(i - 1);
        }
      }
    }
  });
  auto result = check(out.view());
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::LIMIT_EXCEEDED);
  EXPECT_THAT(result.error().message, HasSubstr("effective type size"));
}

TEST(ValidatorLimits, AComponentHasAThousandComponentsAtMost) {
  auto withComponents = [](uint32_t count) {
    Sections out;
    Sections empty;
    for (uint32_t i = 0; i < count; ++i) {
      out.section(COMPONENT_SECTION, [&] { out.bytes(empty.view()); });
    }
    return std::move(out).take();
  };
  EXPECT_TRUE(check(withComponents(999)).ok());
  auto more = check(withComponents(1000));
  ASSERT_FALSE(more.ok());
  EXPECT_THAT(more.error().message, HasSubstr("exceeds the limit of 1000"));
}

// A component that imports an instance type of many exports again and again: few bytes a copy.
TEST(ValidatorLimits, CopiesOfTypesAreCounted) {
  constexpr uint32_t EXPORTS = 3000;
  constexpr uint32_t IMPORTS = 1500;
  Sections out;
  out.section(TYPE_SECTION, [&] {
    out.u32(1);
    out.u8(0x42);  // instance type: a resource, and functions that take it
    out.u32(EXPORTS + 3);
    out.u8(0x04);
    out.u8(0x00);
    out.name("r");
    out.u8(0x03);
    out.u8(0x01);
    out.u8(0x01);  // type 1: own<r>
    out.u8(0x69);
    out.u32(0);
    out.u8(0x01);  // type 2: func(x: own<r>)
    out.u8(0x40);
    out.u32(1);
    out.name("x");
    out.s33(1);
    out.u8(0x01);
    out.u8(0x00);
    for (uint32_t i = 0; i < EXPORTS; ++i) {
      out.u8(0x04);
      out.u8(0x00);
      out.name("f" + std::to_string(i));
      out.u8(0x01);
      out.u32(2);
    }
  });
  out.section(10, [&] {
    out.u32(IMPORTS);
    for (uint32_t i = 0; i < IMPORTS; ++i) {
      out.u8(0x00);
      out.name("i" + std::to_string(i));
      out.u8(0x05);
      out.u32(0);
    }
  });
  auto result = check(out.view());
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::LIMIT_EXCEEDED) << result.error().text();
}

// Few labels are compared one by one, many are looked up.
TEST(Validator, FindsALabelThatConflictsAmongFewAndMany) {
  auto withLabels = [](const std::vector<std::string>& labels) {
    Sections out;
    out.section(TYPE_SECTION, [&] {
      out.u32(1);
      out.u8(0x6d);
      out.u32(static_cast<uint32_t>(labels.size()));
      for (const std::string& label : labels) out.name(label);
    });
    return check(out.view());
  };
  for (size_t count : {1u, 2u, 11u, 12u, 13u, 14u, 100u}) {
    std::vector<std::string> labels;
    for (size_t i = 0; i < count; ++i) labels.push_back("tag-" + std::to_string(i));
    EXPECT_TRUE(withLabels(labels)) << count;
    for (size_t of : {size_t{0}, count / 2, count - 1}) {
      auto more = labels;
      more.push_back("TAG-" + std::to_string(of));
      auto refused = withLabels(more);
      ASSERT_FALSE(refused) << count << " " << of;
      EXPECT_EQ(refused.error().message, "enum tag name `" + more.back() +
                                             "` conflicts with previous enum tag name `" +
                                             labels[of] + "`");
      EXPECT_EQ(refused.error().offset, 11u + (count >= 100 ? 1 : 0));
    }
  }
}

TEST(Validator, NamesTheOffsetOfTheDefinition) {
  // (component (type u8) (type (list 7)))
  auto bytes = componentOf(
      "0702017d"
      "07030170"
      "07");
  auto result = check(bytes);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().offset, 15u);
}

TEST(Validator, RefusesValuesByName) {
  // (component (import "a" (value string))), in the specification's encoding.
  auto bytes = componentOf(
      "0a07010001610201"
      "73");
  auto result = check(bytes);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::UNSUPPORTED);
}

}  // namespace
}  // namespace tenon::component
