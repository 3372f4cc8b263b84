// Values on the wire: a generated function type; generated values go through the encoder, which is
// compared with a second one, the scan and the decoder; then any bytes are scanned, and what is
// accepted is decoded and encoded again.

#include "tests/fuzz/input.h"
#include "tests/wire/check.h"

#include <vector>

using namespace tenon;

namespace {

StringEncoding encoding(fuzzing::Input& input) {
  constexpr StringEncoding ALL[] = {StringEncoding::UTF8, StringEncoding::UTF16,
                                    StringEncoding::LATIN1_UTF16};
  return ALL[input.below(3)];
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzzing::Input input(data, size);
  component::TypeTable types;
  bool values = input.flip();
  StringEncoding from = encoding(input), to = encoding(input);
  size_t piece = 1 + input.below(64);
  FuncType type =
      input.function(types, values ? fuzzing::Kinds::VALUES : fuzzing::Kinds::VALUES_AND_HANDLES);
  if (!wiretest::isSendable(type)) return 0;
  std::string failure;
  if (values) {
    std::vector<Value> arguments;
    for (const Parameter& param : type.params) arguments.push_back(input.value(*param.type));
    failure = wiretest::roundTrip(type, arguments, from, to, piece);
  } else {
    bool accepted = false;
    failure = wiretest::anyBytes(type, std::string(input.text()), piece, accepted);
  }
  if (!failure.empty()) fuzzing::fail(toString(type) + ": " + failure);
  return 0;
}
