// The comparison, over types and values made of random bytes: good ones, and what hostile guests
// make of them.

#include "tests/transfer/compare.h"

#include "component/abi/dynamic.h"
#include "component/types/type_table.h"
#include "tests/fuzz/input.h"

#include <gtest/gtest.h>

#include <iterator>
#include <memory>
#include <random>
#include <tuple>
#include <vector>

namespace tenon::transfer {
namespace {

constexpr StringEncoding ENCODINGS[] = {StringEncoding::UTF8, StringEncoding::UTF16,
                                        StringEncoding::LATIN1_UTF16};

// What one sample is made of: everything follows from its number.
class Sample {
 public:
  explicit Sample(uint64_t seed, fuzzing::Kinds kinds) : random_(seed) {
    bytes_.resize(3000);
    for (uint8_t& byte : bytes_) byte = static_cast<uint8_t>(random_());
    input = std::make_unique<fuzzing::Input>(bytes_.data(), bytes_.size());
    type = input->function(types, kinds);
  }
  uint32_t below(uint32_t bound) { return static_cast<uint32_t>(random_() % bound); }

  component::TypeTable types;
  FuncType type;
  std::unique_ptr<fuzzing::Input> input;

 private:
  std::mt19937_64 random_;
  std::vector<uint8_t> bytes_;
};

abi::Transfer transferOf(const FuncType& type) {
  auto transfer = abi::Transfer::compile(type, type);
  EXPECT_TRUE(transfer) << transfer.error().message;
  return *std::move(transfer);
}

// `kinds` without streams and futures, which no call can move.
bool isSupported(const FuncType& type) { return abi::Transfer::compile(type, type).ok(); }

// Bytes of a guest's memory that a hostile guest has changed.
void spoil(GuestState& guest, Sample& sample) {
  for (uint32_t i = 0, n = 1 + sample.below(4); i < n && !guest.memory.empty(); ++i) {
    size_t at = sample.below(static_cast<uint32_t>(guest.memory.size()));
    constexpr uint8_t BYTES[] = {0, 1, 2, 0x7f, 0x80, 0xc3, 0xd8, 0xdc, 0xed, 0xff};
    guest.memory[at] = BYTES[sample.below(std::size(BYTES))];
  }
}

void spoil(std::vector<RawValue>& flat, Sample& sample) {
  if (flat.empty() || sample.below(2) == 0) return;
  constexpr uint64_t EDGES[] = {0,          1,          2,          3,      7,        0x80000000,
                                0xffffffff, 0xfffffff8, 0x10000000, 0xd800, 0x110000, ~0ull};
  flat[sample.below(static_cast<uint32_t>(flat.size()))].i64 =
      EDGES[sample.below(std::size(EDGES))];
}

void forceReallocs(GuestState& guest, Sample& sample) {
  constexpr uint32_t ANSWERS[] = {0, 1, 8, 16, 24, 0x1000, 0xfffffff0, 0xfffffffe, 0x80000000};
  for (uint32_t i = 0, n = sample.below(3); i < n; ++i) {
    guest.forced[sample.below(6)] = ANSWERS[sample.below(std::size(ANSWERS))];
  }
  for (uint32_t i = 0, n = sample.below(3); i < n; ++i) {
    guest.scribbled[sample.below(6)] = sample.below(256);
  }
}

struct Counts {
  int moved = 0, failed = 0, outOfBudget = 0;
  void take(const Crossed& crossed) {
    if (crossed.outOfBudget) {
      outOfBudget++;
    } else if (crossed.failed) {
      failed++;
    } else {
      moved++;
    }
  }
};

std::vector<Value> valuesOf(Sample& sample) {
  std::vector<Value> values;
  for (const Parameter& parameter : sample.type.params) {
    values.push_back(sample.input->value(*parameter.type));
  }
  return values;
}

class Compared : public ::testing::TestWithParam<std::tuple<int, int>> {
 protected:
  StringEncoding caller() const { return ENCODINGS[std::get<0>(GetParam())]; }
  StringEncoding callee() const { return ENCODINGS[std::get<1>(GetParam())]; }
};

TEST_P(Compared, GoodParametersArriveAsByValue) {
  Counts counts;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    Sample sample(seed, fuzzing::Kinds::VALUES);
    abi::Transfer transfer = transferOf(sample.type);
    GuestState from{.encoding = caller()}, to{.encoding = callee()};
    std::vector<RawValue> flat;
    auto values = valuesOf(sample);
    if (!lowerInto(from, sample.type, values, flat)) continue;
    auto crossed = compareParameters(sample.type, transfer, from, to, flat);
    ASSERT_EQ(crossed.difference, "") << "seed " << seed << ": " << toString(sample.type);
    ASSERT_FALSE(crossed.failed) << "seed " << seed << ": " << crossed.failure;
    counts.take(crossed);
  }
  EXPECT_GT(counts.moved, 350);
}

TEST_P(Compared, GoodResultsArriveAsByValue) {
  Counts counts;
  for (uint64_t seed = 0; seed < 600; ++seed) {
    Sample sample(seed, fuzzing::Kinds::VALUES);
    if (sample.type.result == nullptr) continue;
    abi::Transfer transfer = transferOf(sample.type);
    GuestState from{.encoding = callee()}, to{.encoding = caller()};
    std::vector<RawValue> flat, in;
    auto values = valuesOf(sample);
    if (!lowerInto(to, sample.type, values, flat)) continue;
    if (!lowerResultInto(from, sample.type, sample.input->value(*sample.type.result), in)) continue;
    auto crossed = compareResults(sample.type, transfer, from, to, in, flat);
    ASSERT_EQ(crossed.difference, "") << "seed " << seed << ": " << toString(sample.type);
    ASSERT_FALSE(crossed.failed) << "seed " << seed << ": " << crossed.failure;
    counts.take(crossed);
  }
  EXPECT_GT(counts.moved, 200);
}

TEST_P(Compared, WhatHostileGuestsPassFailsAsByValue) {
  Counts counts;
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    Sample sample(seed, fuzzing::Kinds::VALUES);
    abi::Transfer transfer = transferOf(sample.type);
    GuestState from{.encoding = caller()}, to{.encoding = callee()};
    std::vector<RawValue> flat, in;
    auto values = valuesOf(sample);
    if (!lowerInto(from, sample.type, values, flat)) continue;
    spoil(from, sample);
    spoil(flat, sample);
    forceReallocs(to, sample);
    auto crossed = compareParameters(sample.type, transfer, from, to, flat);
    ASSERT_EQ(crossed.difference, "") << "seed " << seed << ": " << toString(sample.type);
    counts.take(crossed);

    if (sample.type.result == nullptr) continue;
    GuestState back{.encoding = callee()};
    if (!lowerResultInto(back, sample.type, sample.input->value(*sample.type.result), in)) continue;
    spoil(back, sample);
    spoil(in, sample);
    forceReallocs(from, sample);
    crossed = compareResults(sample.type, transfer, back, from, in, flat);
    ASSERT_EQ(crossed.difference, "") << "seed " << seed << ": " << toString(sample.type);
    counts.take(crossed);
  }
  EXPECT_GT(counts.failed, 150);
  EXPECT_GT(counts.moved, 150);
  EXPECT_LT(counts.outOfBudget, 50);
}

TEST_P(Compared, AnyBytesAndHandlesDoWhatTheyDoByValue) {
  Counts counts;
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    Sample sample(seed, fuzzing::Kinds::VALUES_AND_HANDLES);
    if (!isSupported(sample.type)) continue;
    abi::Transfer transfer = transferOf(sample.type);
    GuestState from{.encoding = caller()}, to{.encoding = callee()};
    // Small numbers mostly, so that many are pointers, lengths and cases that are good.
    from.memory.resize(2048);
    for (uint8_t& byte : from.memory) {
      byte = static_cast<uint8_t>(sample.below(3) == 0 ? sample.below(8) : 0);
    }
    std::vector<RawValue> flat(abi::slotCount(sample.type));
    for (RawValue& raw : flat)
      raw.i64 = sample.below(2) == 0 ? sample.below(12) : 4 * sample.below(500);
    if (sample.below(2) == 0) forceReallocs(to, sample);
    auto crossed = compareParameters(sample.type, transfer, from, to, flat);
    ASSERT_EQ(crossed.difference, "") << "seed " << seed << ": " << toString(sample.type);
    counts.take(crossed);
  }
  EXPECT_GT(counts.failed, 30);
  EXPECT_GT(counts.moved, 30);
}

INSTANTIATE_TEST_SUITE_P(Encodings, Compared,
                         ::testing::Combine(::testing::Range(0, 3), ::testing::Range(0, 3)));

}  // namespace
}  // namespace tenon::transfer
