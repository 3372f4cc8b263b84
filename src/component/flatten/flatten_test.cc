// The program of a component is tested by what it does (tests/fuse, tests/conformance). Here: what
// is refused, and that nothing but an error comes of a component that was not validated.

#include "component/flatten/flatten.h"

#include "component/binary/binary_testing.h"
#include "component/relink/elide.h"
#include "component/validate/validator_cases_testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace tenon::component {
namespace {

using testing::Builder;
using testing::Bytes;
using testing::componentOf;
using testing::EVERY_FEATURE;
using ::testing::HasSubstr;

// Keeps what the program borrows.
struct Decoded {
  explicit Decoded(Bytes of) : bytes(std::move(of)) {
    component = decode(bytes, EVERY_FEATURE).value();
  }
  Bytes bytes;
  std::unique_ptr<Component> component;
};

Error errorOf(const Bytes& bytes, const FlattenLimits& limits = {}) {
  Decoded decoded(bytes);
  auto program = flatten(*decoded.component, "test", limits);
  return program ? Error(ErrorCode::INTERNAL, "accepted") : program.error();
}

// -- Components that were not validated -----------------------------------------------------------

void expectProgramOrError(const Bytes& bytes, const char* text) {
  auto decoded = decode(bytes, EVERY_FEATURE);
  if (!decoded) return;
  auto program = flatten(**decoded, "test");
  if (program) {
    elideShims(*program);
  } else {
    EXPECT_FALSE(program.error().message.empty()) << text;
    ASSERT_NE(program.error().code, ErrorCode::TRAPPED) << text;
  }
  WorkloadPart part{.name = "part", .component = decoded->get(), .wires = {}};
  (void)flatten({&part, 1}, "workload");
}

TEST(FlattenWithoutValidation, GivesAProgramOrAnErrorForEveryChangedByte) {
  auto tryAll = [](const auto& cases) {
    for (const ValidatorCase& each : cases) {
      Bytes bytes = componentOf(each.hex);
      expectProgramOrError(bytes, each.text);
      for (size_t i = 8; i < bytes.size(); ++i) {
        std::byte original = bytes[i];
        for (int change : {0x01, 0x02, 0x04, 0x07, 0x10}) {
          bytes[i] = original ^ static_cast<std::byte>(change);
          expectProgramOrError(bytes, each.text);
        }
        bytes[i] = original;
      }
    }
  };
  tryAll(validatorCases());
  tryAll(gatedCases());
}

TEST(FlattenWithoutValidation, SaysWhatValidationLetThrough) {
  // Each: sections of a component that refer to something that is not there.
  struct Case {
    Bytes bytes;
    const char* message;
  };
  auto component = [] { return Builder::component(); };
  const Case cases[] = {
      {component().section(2, 1, 0x00, 3, 0).bytes(), "core module out of range"},
      {component().section(5, 1, 0x00, 3, 0).bytes(), "component 3 is out of range"},
      {component().section(6, 1, 0x00, 0x00, 0x01, 7, "f").bytes(), "core instance out of range"},
      {component().section(10, 1, 0x00, "f", 0x01, 0).bytes(), ""},
      {component().section(11, 1, 0x00, "f", 0x01, 9, 0x00).bytes(), "func 9 is out of range"},
      {component().section(2, 1, 0x01, 1, "f", 0x00, 5).bytes(), "core export f of nothing"},
      {component().section(8, 1, 0x01, 0x00, 4, 0).bytes(), "func out of range"},
  };
  for (const Case& each : cases) {
    Error error = errorOf(each.bytes);
    EXPECT_EQ(error.code, ErrorCode::INTERNAL) << error.text();
    EXPECT_THAT(error.message, HasSubstr(each.message));
    EXPECT_TRUE(error.offset) << error.text();
  }
}

// -- What is not run ------------------------------------------------------------------------------

TEST(Flatten, RefusesValuesByName) {
  for (const Bytes& bytes :
       {Builder::component().section(12, 1, 0x7d, 1, 7).bytes(),
        Builder::component().section(9, 0, 0, 0).bytes(),
        Builder::component().section(10, 1, 0, "v", 0x02, 0x01, 0x73).bytes()}) {
    Error error = errorOf(bytes);
    EXPECT_EQ(error.code, ErrorCode::UNSUPPORTED);
    EXPECT_THAT(error.message, HasSubstr("not supported"));
    EXPECT_TRUE(error.offset);
  }
}

TEST(Flatten, RefusesMoreThanItsLimits) {
  Bytes inner = Builder::component().bytes();
  Bytes two = Builder::component().section(4, inner).section(5, 2, 0x00, 0, 0, 0x00, 0, 0).bytes();
  EXPECT_EQ(errorOf(two).message, "accepted");
  EXPECT_EQ(errorOf(two, {.maxInstances = 2}).code, ErrorCode::LIMIT_EXCEEDED);
  EXPECT_THAT(errorOf(two, {.maxItems = 2}).message, HasSubstr("more than 2 items"));
  Bytes modules = Builder::component()
                      .section(1, Builder::module().bytes())
                      .section(2, 2, 0x00, 0, 0, 0x00, 0, 0)
                      .bytes();
  EXPECT_EQ(errorOf(modules).message, "accepted");
  EXPECT_THAT(errorOf(modules, {.maxCoreInstances = 1}).message,
              HasSubstr("more than 1 core instances"));
}

// -- Workloads ------------------------------------------------------------------------------------

TEST(FlattenWorkload, JoinsPartsInTheirOrder) {
  // Exports an empty instance "a:b/c"; imports one.
  Decoded giver(Builder::component()
                    .section(5, 1, 0x01, 0)
                    .section(11, 1, 0x00, "a:b/c", 0x05, 0, 0x00)
                    .bytes());
  Decoded taker(Builder::component()
                    .section(7, 1, 0x42, 0)
                    .section(10, 1, 0x00, "a:b/c", 0x05, 0)
                    .section(11, 1, 0x00, "a:b/d", 0x05, 0, 0x00)
                    .bytes());
  std::vector<WorkloadPart> parts = {{"giver", giver.component.get(), {}},
                                     {"taker", taker.component.get(), {{"a:b/c", 0, "a:b/c"}}}};
  auto program = flatten(parts, "workload");
  ASSERT_TRUE(program) << program.error().text();
  EXPECT_EQ(program->instances.size(), 2u + 1u);

  parts[1].wires[0].part = 1;
  EXPECT_THAT(flatten(parts, "workload").error().message, HasSubstr("a wire to a later"));
  parts[1].wires[0] = {"a:b/c", 0, "a:b/x"};
  EXPECT_THAT(flatten(parts, "workload").error().message,
              HasSubstr("part giver has no export a:b/x"));
}

TEST(FlattenWorkload, NamesThePartOfAnError) {
  Decoded broken(Builder::component().section(11, 1, 0x00, "f", 0x01, 9, 0x00).bytes());
  WorkloadPart part{"broken", broken.component.get(), {}};
  EXPECT_THAT(flatten({&part, 1}, "workload").error().message, ::testing::StartsWith("broken: "));
}

}  // namespace
}  // namespace tenon::component
