// Values on the wire over types, values and bytes that are made of random ones.

#include "tests/fuzz/input.h"
#include "tests/wire/check.h"

#include <gtest/gtest.h>

#include <random>
#include <tuple>
#include <vector>

namespace tenon::wiretest {
namespace {

constexpr StringEncoding ENCODINGS[] = {StringEncoding::UTF8, StringEncoding::UTF16,
                                        StringEncoding::LATIN1_UTF16};

std::vector<uint8_t> randomBytes(std::mt19937_64& random, size_t count) {
  std::vector<uint8_t> bytes(count);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  return bytes;
}

class Sent : public ::testing::TestWithParam<std::tuple<int, int>> {};

TEST_P(Sent, ValuesHaveTheBytesOfTheReferenceAndArrive) {
  int sent = 0;
  for (uint64_t seed = 0; seed < 600; ++seed) {
    std::mt19937_64 random(seed);
    auto bytes = randomBytes(random, 3000);
    fuzzing::Input input(bytes.data(), bytes.size());
    component::TypeTable types;
    FuncType type = input.function(types, fuzzing::Kinds::VALUES);
    if (!isSendable(type)) continue;
    std::vector<Value> values;
    for (const Parameter& parameter : type.params) values.push_back(input.value(*parameter.type));
    ASSERT_EQ(roundTrip(type, values, ENCODINGS[std::get<0>(GetParam())],
                        ENCODINGS[std::get<1>(GetParam())], 1 + seed % 40),
              "")
        << "seed " << seed << ": " << toString(type);
    ++sent;
  }
  EXPECT_GT(sent, 100);
}

INSTANTIATE_TEST_SUITE_P(Encodings, Sent,
                         ::testing::Combine(::testing::Range(0, 3), ::testing::Range(0, 3)));

TEST(Received, AnyBytesAreRefusedCutOrValues) {
  int accepted = 0, refused = 0;
  for (uint64_t seed = 0; seed < 8000; ++seed) {
    std::mt19937_64 random(seed);
    auto choices = randomBytes(random, 300);
    fuzzing::Input input(choices.data(), choices.size());
    component::TypeTable types;
    FuncType type = input.function(types, fuzzing::Kinds::VALUES_AND_HANDLES);
    if (!isSendable(type)) continue;
    // Small numbers mostly: they are counts, cases and bools.
    std::string bytes;
    for (int i = 0; i < 200; ++i) {
      bytes += static_cast<char>(random() % 4 == 0 ? random() : random() % 4);
    }
    bool isValue = false;
    ASSERT_EQ(anyBytes(type, bytes, 1 + seed % 50, isValue), "")
        << "seed " << seed << ": " << toString(type);
    ++(isValue ? accepted : refused);
  }
  EXPECT_GT(accepted, 300);
  EXPECT_GT(refused, 300);
}

}  // namespace
}  // namespace tenon::wiretest
