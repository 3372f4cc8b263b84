// WAVE: whatever text is parsed, errors point into it; what parses prints, and parses again to the
// same. Generated values print and parse back to themselves.

#include "component/abi/dynamic.h"
#include "component/wit/wave.h"
#include "tests/fuzz/input.h"

using namespace tenon;

namespace {

void roundTrip(const Value& value, const Type& type) {
  std::string printed = component::printWave(value);
  auto again = component::parseWave(printed, type);
  if (!again) {
    fuzzing::fail(printed + " of type " + toString(type) + ": " + again.error().text());
  }
  if (component::printWave(*again) != printed) {
    fuzzing::fail(printed + " became " + component::printWave(*again));
  }
  if (auto fits = abi::checkValue(type, *again, "value"); !fits) fuzzing::fail(fits.error().text());
}

}  // namespace

// One byte of length, as many bytes that choose the type, then text.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  size_t typeBytes = data[0] % 32;
  if (size < 1 + typeBytes) return 0;
  component::TypeTable types;
  const Type& type = *fuzzing::Input(data + 1, typeBytes).type(types, 4, fuzzing::Kinds::VALUES);
  fuzzing::Input rest(data + 1 + typeBytes, size - 1 - typeBytes);
  fuzzing::Input sameRest = rest;
  std::string_view text = rest.text();
  if (auto parsed = component::parseWave(text, type)) {
    roundTrip(*parsed, type);
  } else if (parsed.error().offset && *parsed.error().offset > text.size()) {
    fuzzing::fail("an offset outside of the text: " + parsed.error().text());
  }
  roundTrip(sameRest.value(type), type);
  return 0;
}
