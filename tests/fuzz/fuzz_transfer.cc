// The store-to-store walk against lifting and lowering by Value: a generated function type, any
// bytes in the memory of the side that gives, any flat values, or good ones that were then changed;
// a `realloc` of the side that gets that answers anything. Both ways do the same, to the byte.

#include "component/abi/dynamic.h"
#include "tests/fuzz/input.h"
#include "tests/transfer/compare.h"

#include <vector>

using namespace tenon;

namespace {

StringEncoding encoding(fuzzing::Input& input) {
  constexpr StringEncoding ALL[] = {StringEncoding::UTF8, StringEncoding::UTF16,
                                    StringEncoding::LATIN1_UTF16};
  return ALL[input.below(3)];
}

void makeHostile(transfer::GuestState& guest, fuzzing::Input& input) {
  for (uint32_t i = 0, n = input.below(3); i < n; ++i) {
    uint32_t number = input.below(8);
    guest.forced[number] =
        input.flip() ? 8 * input.below(64) : static_cast<uint32_t>(input.integer());
  }
  for (uint32_t i = 0, n = input.below(3); i < n; ++i) {
    uint32_t number = input.below(8);
    guest.scribbled[number] = input.below(1024);
  }
}

void spoil(std::vector<uint8_t>& memory, fuzzing::Input& input) {
  for (uint32_t i = 0, n = input.below(8); i < n && !memory.empty(); ++i) {
    size_t at = input.below(0x10000) % memory.size();
    memory[at] = input.byte();
  }
}

void spoil(std::vector<RawValue>& flat, fuzzing::Input& input) {
  for (uint32_t i = 0, n = input.below(3); i < n && !flat.empty(); ++i) {
    size_t at = input.below(static_cast<uint32_t>(flat.size()));
    flat[at].i64 = input.flip() ? input.below(4096) : input.integer();
  }
}

void check(const FuncType& type, const transfer::Crossed& crossed) {
  if (!crossed.difference.empty()) fuzzing::fail(toString(type) + ": " + crossed.difference);
}

std::vector<uint8_t> anyBytes(fuzzing::Input& input) {
  auto rest = input.rest();
  std::vector<uint8_t> content(rest.begin(), rest.end());
  // Repeated, so that a short input can fill what large types need.
  if (!content.empty() && content[0] % 2 == 0) {
    for (size_t i = 0; content.size() < 4096; ++i) content.push_back(content[i]);
  }
  return content;
}

// Good values, and then what a hostile guest makes of them.
void passValues(const FuncType& type, const abi::Transfer& transfer, transfer::GuestState caller,
                transfer::GuestState callee, fuzzing::Input& input) {
  std::vector<Value> values;
  for (const Parameter& parameter : type.params) values.push_back(input.value(*parameter.type));
  std::vector<RawValue> flat, in;
  if (!transfer::lowerInto(caller, type, values, flat)) return;
  auto good = compareParameters(type, transfer, caller, callee, flat);
  check(type, good);
  if (good.failed) fuzzing::fail(toString(type) + ": good values failed of " + good.failure);

  transfer::GuestState from = callee;
  bool hasResult = type.result != nullptr &&
                   transfer::lowerResultInto(from, type, input.value(*type.result), in);
  if (hasResult) check(type, compareResults(type, transfer, from, caller, in, flat));

  makeHostile(callee, input);
  makeHostile(caller, input);
  spoil(caller.memory, input);
  spoil(flat, input);
  check(type, compareParameters(type, transfer, caller, callee, flat));
  if (!hasResult) return;
  spoil(from.memory, input);
  spoil(in, input);
  check(type, compareResults(type, transfer, from, caller, in, flat));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzzing::Input input(data, size);
  component::TypeTable types;
  bool anything = input.flip();
  auto kinds = anything ? fuzzing::Kinds::VALUES_AND_HANDLES : fuzzing::Kinds::VALUES;
  transfer::GuestState caller{.encoding = encoding(input)}, callee{.encoding = encoding(input)};
  FuncType type = input.function(types, kinds);
  auto transfer = abi::Transfer::compile(type, type);
  if (!transfer) return 0;  // streams and futures
  if (!anything) {
    passValues(type, *transfer, caller, callee, input);
    return 0;
  }
  std::vector<RawValue> flat(abi::slotCount(type));
  for (RawValue& raw : flat) raw.i64 = input.flip() ? input.below(4096) : input.integer();
  bool isResult = input.flip();
  makeHostile(callee, input);
  if (input.below(8) == 0) caller.budget = 100;
  caller.memory = anyBytes(input);
  if (isResult) {
    check(type, compareResults(type, *transfer, caller, callee, flat, flat));
  } else {
    check(type, compareParameters(type, *transfer, caller, callee, flat));
  }
  return 0;
}
