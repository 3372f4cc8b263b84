// Adapters: a generated function type, its adapter compiled and run. Values arrive as they were
// sent; then the same adapter is called with any flat values and any bytes in the caller's memory,
// and returns or traps.

#include "tests/fuse/rig.h"
#include "tests/fuzz/input.h"

#include <cstring>

using namespace tenon;

namespace {

StringEncoding encoding(fuzzing::Input& input) {
  constexpr StringEncoding ALL[] = {StringEncoding::UTF8, StringEncoding::UTF16,
                                    StringEncoding::LATIN1_UTF16};
  return ALL[input.below(3)];
}

void scribble(GuestMemory memory, fuzzing::Input& input) {
  for (uint32_t i = 0, n = input.below(64); i < n; ++i) {
    // Above what the rig keeps its books in.
    (void)memory.store(1024 + input.below(4096), input.byte());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzzing::Input input(data, size);
  auto types = std::make_shared<component::TypeTable>();
  FuncType type = input.function(*types, fuzzing::Kinds::VALUES);
  component::testing::RigOptions options{encoding(input), encoding(input), input.flip()};
  component::testing::Rig rig(types, type, options);

  std::vector<Value> arguments;
  for (const Parameter& param : type.params) arguments.push_back(input.value(*param.type));
  std::optional<Value> result;
  if (type.result != nullptr) result = input.value(*type.result);
  auto trip = rig.roundTrip(arguments, result ? &*result : nullptr);
  if (trip.outcome.trapped) fuzzing::fail(toString(type) + ": " + trip.outcome.message);
  if (trip.arguments != arguments || trip.result != result) {
    fuzzing::fail(toString(type) + ": values changed on the way");
  }

  CoreSignature signature = component::flattenLower(type);
  for (int i = 0; i < 4; ++i) {
    scribble(rig.callerMemory(), input);
    scribble(rig.calleeMemory(), input);
    if (input.flip()) rig.forceRealloc(true, static_cast<uint32_t>(input.integer()));
    std::vector<RawValue> flat(signature.params.size());
    for (RawValue& raw : flat) raw.i64 = input.flip() ? input.below(8192) : input.integer();
    RawValue answer{};
    answer.i64 = input.integer();
    rig.answer(answer);
    // A trap leaves the flags of its instances as they are, so that one is the end.
    if (rig.call(flat).trapped) break;
  }
  return 0;
}
