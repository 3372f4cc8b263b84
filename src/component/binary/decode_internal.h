#pragma once

// What the files of the decoder share. Each function reads one production of Binary.md at the
// reader's position; the production is named beside it. All errors carry an offset.

#include "base/byte_reader.h"
#include "component/binary/decoder.h"
#include "component/binary/definitions.h"

#include <tenon/result.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace tenon::component::detail {

// What a decoding carries along: settings and what has been used up. Lives as long as one `decode`.
struct DecodeContext {
  const Features& features;
  const DecodeLimits& limits;
  ArrayPool& parts;            // of the outermost component
  uint64_t items = 0;          // items counted so far
  uint64_t resolvedTypes = 0;  // see `CoreTypeSpace::spent`
  // For `readParts`: items of each kind before their number is known to be true.
  std::tuple<std::vector<LabelledType>, std::vector<ValTypeRef>, std::vector<ParamDecl>> scratch =
      {};
};

// Magic, version and layer.
inline constexpr size_t PREAMBLE_SIZE = 8;
// Reads the preamble of what starts at `offset` and ends with `bytes`.
Result<Layer> readPreamble(std::span<const std::byte> bytes, uint64_t offset);

// -- Errors ---------------------------------------------------------------------------------------

// "expected <what>, found byte 0x62".
Error unexpectedByte(uint64_t offset, std::string_view what, uint8_t found);
// Reads one byte, which must be `expected`.
Result<void> expectByte(ByteReader& in, uint8_t expected, std::string_view what);
// Reads 0x00 or 0x01.
Result<bool> readFlag(ByteReader& in, std::string_view what);
// "<what> needs <feature>, a feature that is not supported": an error unless `enabled`.
Result<void> requireFeature(bool enabled, uint64_t offset, std::string_view what,
                            std::string_view feature);

// -- Vectors --------------------------------------------------------------------------------------

// A `vec`'s length, counted against the limits. At most the remaining bytes.
Result<uint32_t> readCount(ByteReader& in, DecodeContext& context, std::string_view what);

// A `vec`. `readItem(in)` gives a Result of one item. `what` names the items, in the plural.
template <typename Item, typename ReadItem>
Result<std::vector<Item>> readVector(ByteReader& in, DecodeContext& context, std::string_view what,
                                     ReadItem&& readItem) {
  TENON_TRY(uint32_t count, readCount(in, context, what));
  std::vector<Item> items;
  // A hostile count may be far above what parses, so memory grows with what did.
  constexpr uint32_t RESERVED = 256;
  items.reserve(count < RESERVED ? count : RESERVED);
  for (uint32_t i = 0; i < count; ++i) {
    TENON_TRY(Item item, readItem(in));
    items.push_back(std::move(item));
  }
  return items;
}

// The same into `context.parts`, for the small items of types.
template <typename Item, typename ReadItem>
Result<std::span<const Item>> readParts(ByteReader& in, DecodeContext& context,
                                        std::string_view what, ReadItem&& readItem) {
  TENON_TRY(uint32_t count, readCount(in, context, what));
  auto& items = std::get<std::vector<Item>>(context.scratch);
  items.clear();
  for (uint32_t i = 0; i < count; ++i) {
    TENON_TRY(Item item, readItem(in));
    items.push_back(item);
  }
  return context.parts.keep(items);
}

// -- decode_core_types.cc -------------------------------------------------------------------------

// Function types of a core type index space, filled in order. Functions are resolved to copies of
// their types, so a short file could ask for a lot of memory: `spent` counts, for the whole file.
struct CoreTypeSpace {
  explicit CoreTypeSpace(uint64_t& spent) : spent(spent) {}

  size_t size() const { return indices.size(); }
  // Null when there is no such type, or it is no function type.
  const CoreFuncType* find(uint32_t index) const {
    if (index >= indices.size() || indices[index] < 0) return nullptr;
    return &funcs[static_cast<size_t>(indices[index])];
  }
  // Sets `type.func` if `type.typeIndex` is a function type. Says whether it did.
  // Errors: LIMIT_EXCEEDED.
  Result<bool> resolve(CoreExternType& type, uint64_t offset) const;
  void addFunc(CoreFuncType type) {
    indices.push_back(static_cast<int64_t>(funcs.size()));
    funcs.push_back(std::move(type));
  }
  void addOther() { indices.push_back(-1); }

  uint64_t& spent;
  std::vector<CoreFuncType> funcs;
  std::vector<int64_t> indices;  // per type: into `funcs`, or -1
};

// core:valtype; abbreviated reference types come out in their short form.
Result<CoreValType> readCoreValType(ByteReader& in);
// core:rectype. Adds what it defines to `space`.
Result<void> readRecType(ByteReader& in, const DecodeLimits& limits, CoreTypeSpace& space);
// core:importdesc without the names, core:externtype. Function types come from `types`, where
// known.
Result<CoreExternType> readCoreExternType(ByteReader& in, const CoreTypeSpace& types);
// core:tabletype, core:memtype, core:globaltype, core:tagtype.
Result<CoreExternType> readTableType(ByteReader& in);
Result<CoreExternType> readMemoryType(ByteReader& in);
Result<CoreExternType> readGlobalType(ByteReader& in);
Result<CoreExternType> readTagType(ByteReader& in, const CoreTypeSpace& types);
// core:type of a component: core:deftype.
Result<CoreTypeDef> readCoreType(ByteReader& in, DecodeContext& context);

// -- decode_types.cc ------------------------------------------------------------------------------

// valtype.
Result<ValTypeRef> readValType(ByteReader& in, DecodeContext& context);
// resultlist.
Result<std::optional<ValTypeRef>> readResultList(ByteReader& in, DecodeContext& context);
// type. `depth` counts the types around it. After an error `type` is filled in part.
Result<void> readType(ByteReader& in, DecodeContext& context, uint32_t depth, TypeDef& type);

// -- decode_canon.cc ------------------------------------------------------------------------------

// canon.
Result<Canon> readCanon(ByteReader& in, DecodeContext& context);

// -- decode_items.cc ------------------------------------------------------------------------------

// core:instance.
Result<CoreInstance> readCoreInstance(ByteReader& in, DecodeContext& context);
// instance.
Result<Instance> readInstance(ByteReader& in, DecodeContext& context);
// alias.
Result<Alias> readAlias(ByteReader& in, DecodeContext& context);
// externtype.
Result<ExternTypeRef> readExternType(ByteReader& in, DecodeContext& context);
// nameattributes.
Result<ExternName> readExternName(ByteReader& in, DecodeContext& context);
// import.
Result<Import> readImport(ByteReader& in, DecodeContext& context);
// exportdecl.
Result<ExportDecl> readExportDecl(ByteReader& in, DecodeContext& context);
// export.
Result<Export> readExport(ByteReader& in, DecodeContext& context);
// start. Gated.
Result<Start> readStart(ByteReader& in, DecodeContext& context);
// value. Gated.
Result<ValueDef> readValueDef(ByteReader& in, DecodeContext& context);

}  // namespace tenon::component::detail
