// Text from outside as text for people: names that may be mangled, and anything made printable.
// What comes out is bounded, is UTF-8 without controls, and does not change when it is done again.

#include "base/byte_reader.h"
#include "base/demangle.h"
#include "base/utf8.h"
#include "tests/fuzz/input.h"

#include <tenon/text.h>

using namespace tenon;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  if (auto name = demangle(text); name && name->size() > detail::MOST_DEMANGLED) {
    fuzzing::fail("a name of " + std::to_string(name->size()) + " bytes");
  }
  constexpr size_t MARK = 40;
  for (size_t most : {size_t{0}, size_t{7}, size_t{100}, SIZE_MAX}) {
    std::string shown = printable(text, Lines::ONE, most);
    if (most != SIZE_MAX && shown.size() > most + MARK) fuzzing::fail("too long: " + shown);
    if (!isUtf8(shown)) fuzzing::fail("not UTF-8: " + shown);
    if (printable(shown) != shown) fuzzing::fail("printable twice: " + shown);
    if (shortened(text, most).size() > size + MARK) fuzzing::fail("shortened to more");
  }
  return 0;
}
