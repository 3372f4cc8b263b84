#pragma once

// Splits a core module into its sections. Shared by the readers of core modules.

#include "base/byte_reader.h"

#include <tenon/result.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace tenon::component::detail {

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

// Walks over the sections of one core module, which must outlive it, from front to back.
class CoreSectionReader {
 public:
  // Checks the preamble. Errors: MALFORMED.
  static Result<CoreSectionReader> open(std::span<const std::byte> bytes, uint64_t baseOffset);

  struct Section {
    CoreSection id;
    ByteReader content;
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

// The name of a section for errors, for example "import section".
const char* toString(CoreSection section);

}  // namespace tenon::component::detail
