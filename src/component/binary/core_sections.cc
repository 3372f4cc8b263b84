#include "component/binary/core_sections.h"

#include "component/binary/decode_internal.h"
#include "component/binary/decoder.h"

#include <cstdint>
#include <string>

namespace tenon::component {
namespace {

// Where a section stands in the order of a module; 0 for custom sections, which may be anywhere.
int rankOf(CoreSection section) {
  switch (section) {
    case CoreSection::CUSTOM:
      return 0;
    case CoreSection::TYPE:
      return 1;
    case CoreSection::IMPORT:
      return 2;
    case CoreSection::FUNCTION:
      return 3;
    case CoreSection::TABLE:
      return 4;
    case CoreSection::MEMORY:
      return 5;
    case CoreSection::TAG:
      return 6;
    case CoreSection::GLOBAL:
      return 7;
    case CoreSection::EXPORT:
      return 8;
    case CoreSection::START:
      return 9;
    case CoreSection::ELEMENT:
      return 10;
    case CoreSection::DATA_COUNT:
      return 11;
    case CoreSection::CODE:
      return 12;
    case CoreSection::DATA:
      return 13;
  }
  return 0;
}

}  // namespace

const char* toString(CoreSection section) {
  switch (section) {
    case CoreSection::CUSTOM:
      return "custom section";
    case CoreSection::TYPE:
      return "type section";
    case CoreSection::IMPORT:
      return "import section";
    case CoreSection::FUNCTION:
      return "function section";
    case CoreSection::TABLE:
      return "table section";
    case CoreSection::MEMORY:
      return "memory section";
    case CoreSection::GLOBAL:
      return "global section";
    case CoreSection::EXPORT:
      return "export section";
    case CoreSection::START:
      return "start section";
    case CoreSection::ELEMENT:
      return "element section";
    case CoreSection::CODE:
      return "code section";
    case CoreSection::DATA:
      return "data section";
    case CoreSection::DATA_COUNT:
      return "data count section";
    case CoreSection::TAG:
      return "tag section";
  }
  return "unknown section";
}

bool mayHaveSection(std::span<const std::byte> module, CoreSection id) {
  auto sections = CoreSectionReader::open(module, 0);
  if (!sections) return true;
  while (!sections->atEnd()) {
    auto section = sections->next();
    if (!section || section->id == id) return true;
  }
  return false;
}

Result<CoreSectionReader> CoreSectionReader::open(std::span<const std::byte> bytes,
                                                  uint64_t baseOffset) {
  TENON_TRY(Layer layer, detail::readPreamble(bytes, baseOffset));
  if (layer != Layer::CORE_MODULE) {
    return Error{ErrorCode::MALFORMED, "expected a core module, found a component", baseOffset};
  }
  return CoreSectionReader(
      ByteReader(bytes.subspan(detail::PREAMBLE_SIZE), baseOffset + detail::PREAMBLE_SIZE));
}

Result<CoreSectionReader::Section> CoreSectionReader::next() {
  uint64_t start = in_.offset();
  TENON_TRY(uint8_t byte, in_.u8());
  if (byte > static_cast<uint8_t>(CoreSection::TAG)) {
    return detail::unexpectedByte(start, "a core section id from 0 to 13", byte);
  }
  auto id = static_cast<CoreSection>(byte);
  TENON_TRY(uint32_t size, in_.u32());
  TENON_TRY(ByteReader content, in_.sub(size, toString(id)));
  if (id == CoreSection::CUSTOM) {
    ByteReader copy = content;
    TENON_TRY(std::string_view name, copy.name());
    static_cast<void>(name);
  } else if (rankOf(id) <= lastRank_) {
    return Error{ErrorCode::MALFORMED,
                 std::string(toString(id)) + " is out of order or there twice", start};
  } else {
    lastRank_ = rankOf(id);
  }
  return Section{id, content, start, in_.offset()};
}

}  // namespace tenon::component
