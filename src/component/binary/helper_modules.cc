// Recognises the two modules that `wit-component` puts around a program whose imports need its own
// memory. The program is instantiated with the shim's exports, which call through a table; once the
// program's memory exists, the fixup fills the table with the real functions.
//
// Leaving them out is sound only if they do exactly this, so nothing else is let through: what is
// not understood gives nullopt, and the modules are then run as they are.

#include "base/byte_reader.h"
#include "component/binary/core_module.h"
#include "component/binary/core_sections.h"
#include "component/binary/decode_internal.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace tenon::component {
namespace {

// Gives a Result's value, or ends the enclosing function with nullopt.
#define TENON_OR_NULLOPT(declaration, expression) \
  TENON_OR_NULLOPT_IMPL(TENON_CONCAT(tenonResult, __LINE__), declaration, expression)
#define TENON_OR_NULLOPT_IMPL(result, declaration, expression) \
  auto result = (expression);                                  \
  if (!result) return std::nullopt;                            \
  declaration = *std::move(result)

constexpr uint8_t FUNCREF = 0x70;
constexpr size_t SECTION_IDS = 14;

// The sections by id. Empty unless each of `required` is there, and nothing but custom sections is
// there beside them.
using Sections = std::array<std::optional<ByteReader>, SECTION_IDS>;
std::optional<Sections> readSections(std::span<const std::byte> bytes,
                                     std::span<const CoreSection> required) {
  Sections found;
  TENON_OR_NULLOPT(auto reader, CoreSectionReader::open(bytes, 0));
  while (!reader.atEnd()) {
    TENON_OR_NULLOPT(auto section, reader.next());
    if (section.id == CoreSection::CUSTOM) continue;
    if (std::find(required.begin(), required.end(), section.id) == required.end()) {
      return std::nullopt;
    }
    found[static_cast<size_t>(section.id)] = section.content;
  }
  for (CoreSection id : required) {
    if (!found[static_cast<size_t>(id)]) return std::nullopt;
  }
  return found;
}

ByteReader& contentOf(Sections& sections, CoreSection id) {
  return *sections[static_cast<size_t>(id)];
}

bool isNumber(const CoreValType& type) { return type.code >= 0x7c && type.code <= 0x7f; }

// A type section of nothing but plain function types of numbers.
std::optional<std::vector<CoreFuncType>> readFuncTypes(ByteReader in) {
  DecodeLimits limits;
  uint64_t spent = 0;
  detail::CoreTypeSpace types(spent);
  TENON_OR_NULLOPT(uint32_t count, in.count("types", limits.maxItems));
  for (uint32_t i = 0; i < count; ++i) {
    if (in.peek() != 0x60) return std::nullopt;
    if (!detail::readRecType(in, limits, types)) return std::nullopt;
  }
  if (!in.atEnd()) return std::nullopt;
  for (const CoreFuncType& type : types.funcs) {
    if (!std::all_of(type.params.begin(), type.params.end(), isNumber) ||
        !std::all_of(type.results.begin(), type.results.end(), isNumber)) {
      return std::nullopt;
    }
  }
  return std::move(types.funcs);
}

// A table of nullable function references with 32-bit indices, of a size that engines accept.
bool isFuncTable(const CoreExternType& type) {
  constexpr uint64_t MAX_TABLE_SIZE = 10'000'000;
  const CoreLimits& limits = type.limits;
  return type.kind == CoreExternKind::TABLE && type.valType == CoreValType{FUNCREF, 0} &&
         !limits.is64 && !limits.shared && limits.min <= MAX_TABLE_SIZE &&
         limits.max.value_or(limits.min) >= limits.min;
}

bool allDistinct(std::vector<std::string_view> names) {
  std::sort(names.begin(), names.end());
  return std::adjacent_find(names.begin(), names.end()) == names.end();
}

bool allDistinct(std::vector<uint32_t> numbers) {
  std::sort(numbers.begin(), numbers.end());
  return std::adjacent_find(numbers.begin(), numbers.end()) == numbers.end();
}

// The only table of a shim, of a fixed size. Gives the size.
std::optional<uint32_t> readShimTable(ByteReader in) {
  TENON_OR_NULLOPT(uint32_t count, in.u32());
  if (count != 1) return std::nullopt;
  TENON_OR_NULLOPT(CoreExternType type, detail::readTableType(in));
  if (!in.atEnd() || !isFuncTable(type) || type.limits.max != type.limits.min) {
    return std::nullopt;
  }
  return static_cast<uint32_t>(type.limits.min);
}

std::optional<std::vector<uint32_t>> readIndices(ByteReader& in) {
  TENON_OR_NULLOPT(uint32_t count, in.count("indices", UINT32_MAX));
  std::vector<uint32_t> indices;
  indices.reserve(count);
  for (uint32_t i = 0; i < count; ++i) {
    TENON_OR_NULLOPT(uint32_t index, in.u32());
    indices.push_back(index);
  }
  return indices;
}

// Reads `local.get` of each parameter in order, `i32.const slot`, `call_indirect`, `end`; no
// locals. Gives the slot.
std::optional<uint32_t> readShimBody(ByteReader in, const std::vector<CoreFuncType>& types,
                                     const CoreFuncType& type) {
  TENON_OR_NULLOPT(uint32_t locals, in.u32());
  if (locals != 0) return std::nullopt;
  auto next = [&](uint8_t opcode) { return detail::expectByte(in, opcode, "").ok(); };
  for (uint32_t i = 0; i < type.params.size(); ++i) {
    if (!next(0x20)) return std::nullopt;
    TENON_OR_NULLOPT(uint32_t local, in.u32());
    if (local != i) return std::nullopt;
  }
  if (!next(0x41)) return std::nullopt;
  TENON_OR_NULLOPT(int32_t slot, in.s32());
  if (slot < 0 || !next(0x11)) return std::nullopt;
  TENON_OR_NULLOPT(uint32_t calledType, in.u32());
  TENON_OR_NULLOPT(uint32_t table, in.u32());
  if (calledType >= types.size() || types[calledType] != type || table != 0 || !next(0x0b) ||
      !in.atEnd()) {
    return std::nullopt;
  }
  return static_cast<uint32_t>(slot);
}

// Exports of each function and of the table, once each. Fills the names, by function.
bool readShimExports(ByteReader in, ShimModule& shim) {
  auto count = in.count("exports", UINT32_MAX);
  if (!count || *count != shim.typeIndices.size() + 1) return false;
  shim.names.resize(shim.typeIndices.size());
  std::vector<bool> named(shim.names.size());
  bool hasTable = false;
  for (uint32_t i = 0; i < *count; ++i) {
    auto name = in.name();
    if (!name) return false;
    auto kind = in.u8();
    if (!kind) return false;
    auto index = in.u32();
    if (!index) return false;
    if (*kind == 0x01 && *index == 0 && !hasTable) {
      hasTable = true;
      shim.tableExport = *name;
    } else if (*kind == 0x00 && *index < named.size() && !named[*index]) {
      named[*index] = true;
      shim.names[*index] = *name;
    } else {
      return false;
    }
  }
  std::vector<std::string_view> names = shim.names;
  names.push_back(shim.tableExport);
  return in.atEnd() && allDistinct(std::move(names));
}

// One active segment for table 0 with a constant offset and functions as indices.
bool readFixupElements(ByteReader in, FixupModule& fixup) {
  auto count = in.u32();
  if (!count || *count != 1) return false;
  auto flags = in.u32();
  if (!flags || (*flags != 0 && *flags != 2)) return false;
  auto next = [&](uint8_t opcode) { return detail::expectByte(in, opcode, "").ok(); };
  if (*flags == 2) {
    auto table = in.u32();
    if (!table || *table != 0) return false;
  }
  if (!next(0x41)) return false;
  auto offset = in.s32();
  if (!offset || *offset < 0 || !next(0x0b)) return false;
  if (*flags == 2 && !next(0x00)) return false;
  auto elements = readIndices(in);
  if (!elements || !in.atEnd()) return false;
  fixup.offset = static_cast<uint32_t>(*offset);
  fixup.elements = *std::move(elements);
  return true;
}

}  // namespace

std::optional<ShimModule> readShimModule(std::span<const std::byte> bytes) {
  constexpr CoreSection REQUIRED[] = {CoreSection::TYPE, CoreSection::FUNCTION, CoreSection::TABLE,
                                      CoreSection::EXPORT, CoreSection::CODE};
  auto sections = readSections(bytes, REQUIRED);
  if (!sections) return std::nullopt;
  ShimModule shim;
  TENON_OR_NULLOPT(shim.types, readFuncTypes(contentOf(*sections, CoreSection::TYPE)));
  ByteReader functions = contentOf(*sections, CoreSection::FUNCTION);
  TENON_OR_NULLOPT(shim.typeIndices, readIndices(functions));
  if (!functions.atEnd()) return std::nullopt;
  TENON_OR_NULLOPT(shim.tableSize, readShimTable(contentOf(*sections, CoreSection::TABLE)));
  if (!readShimExports(contentOf(*sections, CoreSection::EXPORT), shim)) return std::nullopt;

  ByteReader code = contentOf(*sections, CoreSection::CODE);
  TENON_OR_NULLOPT(uint32_t bodies, code.u32());
  if (bodies != shim.typeIndices.size()) return std::nullopt;
  for (uint32_t typeIndex : shim.typeIndices) {
    if (typeIndex >= shim.types.size()) return std::nullopt;
    TENON_OR_NULLOPT(uint32_t size, code.u32());
    TENON_OR_NULLOPT(ByteReader body, code.sub(size, "body"));
    TENON_OR_NULLOPT(uint32_t slot, readShimBody(body, shim.types, shim.types[typeIndex]));
    if (slot >= shim.tableSize) return std::nullopt;
    shim.slots.push_back(slot);
  }
  if (!code.atEnd() || !allDistinct(shim.slots)) return std::nullopt;
  return shim;
}

std::optional<FixupModule> readFixupModule(std::span<const std::byte> bytes) {
  constexpr CoreSection REQUIRED[] = {CoreSection::TYPE, CoreSection::IMPORT, CoreSection::ELEMENT};
  auto sections = readSections(bytes, REQUIRED);
  if (!sections) return std::nullopt;
  FixupModule fixup;
  TENON_OR_NULLOPT(fixup.types, readFuncTypes(contentOf(*sections, CoreSection::TYPE)));

  // Types are looked up by index below, so none is given here to copy from.
  uint64_t spent = 0;
  detail::CoreTypeSpace noTypes(spent);
  ByteReader imports = contentOf(*sections, CoreSection::IMPORT);
  TENON_OR_NULLOPT(uint32_t count, imports.count("imports", UINT32_MAX));
  bool hasTable = false;
  for (uint32_t i = 0; i < count; ++i) {
    FixupModule::Name name;
    TENON_OR_NULLOPT(name.module, imports.name());
    TENON_OR_NULLOPT(name.name, imports.name());
    TENON_OR_NULLOPT(CoreExternType type, detail::readCoreExternType(imports, noTypes));
    if (type.kind == CoreExternKind::FUNC && type.typeIndex < fixup.types.size()) {
      fixup.functions.push_back(name);
      fixup.typeIndices.push_back(type.typeIndex);
    } else if (isFuncTable(type) && !hasTable) {
      hasTable = true;
      fixup.table = name;
      fixup.tableSize = static_cast<uint32_t>(type.limits.min);
    } else {
      return std::nullopt;
    }
  }
  if (!imports.atEnd() || !hasTable) return std::nullopt;
  if (!readFixupElements(contentOf(*sections, CoreSection::ELEMENT), fixup)) return std::nullopt;
  if (uint64_t{fixup.offset} + fixup.elements.size() > fixup.tableSize) return std::nullopt;
  for (uint32_t element : fixup.elements) {
    if (element >= fixup.functions.size()) return std::nullopt;
  }
  return fixup;
}

}  // namespace tenon::component
