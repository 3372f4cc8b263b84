#pragma once

// Splits a core module into its sections, and its code into functions: the one walk that all
// readers of core modules share.

#include "base/byte_reader.h"

#include <tenon/result.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace tenon::component {

enum class CoreSection : uint8_t {
  CUSTOM = 0,
  TYPE = 1,
  IMPORT = 2,
  FUNCTION = 3,
  TABLE = 4,
  MEMORY = 5,
  GLOBAL = 6,
  EXPORT = 7,
  START = 8,
  ELEMENT = 9,
  CODE = 10,
  DATA = 11,
  DATA_COUNT = 12,
  TAG = 13,
};

// More than the engine takes.
inline constexpr uint32_t MAX_CORE_FUNCTIONS = 10'000'000;

// Walks over the sections of one core module, which must outlive it, from front to back.
class CoreSectionReader {
 public:
  // Checks the preamble. Errors: MALFORMED.
  static Result<CoreSectionReader> open(std::span<const std::byte> bytes, uint64_t baseOffset);

  struct Section {
    CoreSection id;
    ByteReader content;
    // Where it stands, with its head: offsets as in errors.
    uint64_t begin = 0, end = 0;
  };

  bool atEnd() const { return in_.atEnd(); }
  // The next section. Checks that the sections are in the specification's order, each at most once,
  // and that a custom one has a name, which is left in its content. Errors: MALFORMED.
  Result<Section> next();

 private:
  explicit CoreSectionReader(ByteReader in) : in_(in) {}

  ByteReader in_;
  int lastRank_ = 0;
};

// Calls `visit(uint32_t number, ByteReader body)`, which gives a Result<void>, for each function's
// locals and instructions in the content of a code section. Errors: MALFORMED, and those of
// `visit`.
template <typename Visit>
Result<void> forEachBody(ByteReader code, const Visit& visit) {
  TENON_TRY(uint32_t count, code.count("functions", MAX_CORE_FUNCTIONS));
  for (uint32_t number = 0; number < count; ++number) {
    TENON_TRY(uint32_t size, code.u32());
    TENON_TRY(ByteReader body, code.sub(size, "function"));
    TENON_CHECK(visit(number, body));
  }
  return {};
}

// Whether the module has such a section. What cannot be read is taken to.
bool mayHaveSection(std::span<const std::byte> module, CoreSection id);

// The name of a section for errors, for example "import section".
const char* toString(CoreSection section);

}  // namespace tenon::component
