#include "component/binary/core_module.h"

#include "base/byte_reader.h"
#include "component/binary/core_sections.h"
#include "component/binary/decode_internal.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace tenon::component {
namespace {

Result<void> skipBytes(ByteReader& in, size_t count) {
  TENON_TRY(auto skipped, in.take(count, "constant"));
  static_cast<void>(skipped);
  return {};
}

Result<void> skipU32(ByteReader& in) {
  TENON_TRY(uint32_t skipped, in.u32());
  static_cast<void>(skipped);
  return {};
}

Result<void> skipS33(ByteReader& in) {
  TENON_TRY(int64_t skipped, in.s33());
  static_cast<void>(skipped);
  return {};
}

// Operands of the instructions with the prefix 0xfb that constant expressions may have.
Result<void> skipGcOperands(ByteReader& in) {
  uint64_t start = in.offset();
  TENON_TRY(uint32_t opcode, in.u32());
  switch (opcode) {
    case 0:  // struct.new
    case 1:  // struct.new_default
    case 6:  // array.new
    case 7:  // array.new_default
      return skipU32(in);
    case 8: {  // array.new_fixed
      TENON_CHECK(skipU32(in));
      return skipU32(in);
    }
    case 26:  // any.convert_extern
    case 27:  // extern.convert_any
    case 28:  // ref.i31
      return {};
    default:
      return Error{ErrorCode::MALFORMED,
                   "instruction 0xfb " + std::to_string(opcode) + " in a constant expression",
                   start};
  }
}

// core:expr, of those instructions that constant expressions may have.
Result<void> skipConstExpr(ByteReader& in) {
  for (;;) {
    uint64_t start = in.offset();
    TENON_TRY(uint8_t opcode, in.u8());
    switch (opcode) {
      case 0x0b:  // end
        return {};
      case 0x41: {  // i32.const
        TENON_TRY(int32_t value, in.s32());
        static_cast<void>(value);
        break;
      }
      case 0x42: {  // i64.const
        TENON_TRY(int64_t value, in.s64());
        static_cast<void>(value);
        break;
      }
      case 0x43:  // f32.const
        TENON_CHECK(skipBytes(in, 4));
        break;
      case 0x44:  // f64.const
        TENON_CHECK(skipBytes(in, 8));
        break;
      case 0x23:  // global.get
      case 0xd2:  // ref.func
        TENON_CHECK(skipU32(in));
        break;
      case 0xd0:  // ref.null
        TENON_CHECK(skipS33(in));
        break;
      case 0x6a:  // i32.add, sub, mul; i64.add, sub, mul
      case 0x6b:
      case 0x6c:
      case 0x7c:
      case 0x7d:
      case 0x7e:
        break;
      case 0xfb:
        TENON_CHECK(skipGcOperands(in));
        break;
      case 0xfd: {
        TENON_TRY(uint32_t vectorOpcode, in.u32());
        if (vectorOpcode != 12) {  // v128.const
          return Error{ErrorCode::MALFORMED, "vector instruction in a constant expression", start};
        }
        TENON_CHECK(skipBytes(in, 16));
        break;
      }
      default:
        return detail::unexpectedByte(start, "an instruction of a constant expression", opcode);
    }
  }
}

// Bound to the bytes of one module.
class ModuleReader {
 public:
  Result<CoreModuleInterface> read(std::span<const std::byte> bytes, uint64_t baseOffset) {
    TENON_TRY(auto sections, CoreSectionReader::open(bytes, baseOffset));
    while (!sections.atEnd()) {
      TENON_TRY(auto section, sections.next());
      if (auto done = content(section.id, section.content); !done) {
        Error error = std::move(done).error();
        error.message = std::string(toString(section.id)) + ": " + error.message;
        return error;
      }
    }
    return std::move(interface_);
  }

 private:
  Result<void> content(CoreSection id, ByteReader& in) {
    switch (id) {
      case CoreSection::TYPE:
        TENON_CHECK(each(in, "types", [&] { return detail::readRecType(in, limits_, types_); }));
        break;
      case CoreSection::IMPORT:
        TENON_CHECK(each(in, "imports", [&] { return import(in); }));
        break;
      case CoreSection::FUNCTION:
        TENON_CHECK(each(in, "functions", [&] { return function(in); }));
        break;
      case CoreSection::TABLE:
        TENON_CHECK(each(in, "tables", [&] { return table(in); }));
        break;
      case CoreSection::MEMORY:
        TENON_CHECK(each(in, "memories", [&] { return memory(in); }));
        break;
      case CoreSection::TAG:
        TENON_CHECK(each(in, "tags", [&] { return tag(in); }));
        break;
      case CoreSection::GLOBAL:
        TENON_CHECK(each(in, "globals", [&] { return global(in); }));
        break;
      case CoreSection::EXPORT:
        TENON_CHECK(each(in, "exports", [&] { return exportDecl(in); }));
        break;
      case CoreSection::START:
        TENON_CHECK(skipU32(in));
        interface_.hasStart = true;
        break;
      default:
        return {};  // custom sections, elements, code and data are not looked into
    }
    if (in.atEnd()) return {};
    return Error{ErrorCode::MALFORMED,
                 "section ends " + std::to_string(in.remaining()) + " bytes before its stated size",
                 in.offset()};
  }

  template <typename ReadItem>
  Result<void> each(ByteReader& in, std::string_view what, ReadItem&& readItem) {
    TENON_TRY(uint32_t count, in.count(what, limits_.maxItems));
    for (uint32_t i = 0; i < count; ++i) TENON_CHECK(readItem());
    return {};
  }

  Result<void> import(ByteReader& in) {
    CoreImportDecl decl;
    decl.offset = in.offset();
    TENON_TRY(decl.module, in.name());
    TENON_TRY(decl.name, in.name());
    uint64_t typeOffset = in.offset();
    TENON_TRY(decl.type, detail::readCoreExternType(in, types_));
    switch (decl.type.kind) {
      case CoreExternKind::FUNC:
        TENON_CHECK(requireFuncType(decl.type.typeIndex, typeOffset));
        functions_.push_back(decl.type.typeIndex);
        break;
      case CoreExternKind::TABLE:
        tables_.push_back(decl.type);
        break;
      case CoreExternKind::MEMORY:
        memories_.push_back(decl.type);
        break;
      case CoreExternKind::GLOBAL:
        globals_.push_back(decl.type);
        break;
      case CoreExternKind::TAG:
        TENON_CHECK(requireFuncType(decl.type.typeIndex, typeOffset));
        tags_.push_back(decl.type.typeIndex);
        break;
    }
    interface_.imports.push_back(std::move(decl));
    return {};
  }

  Result<void> requireFuncType(uint32_t typeIndex, uint64_t offset) {
    if (types_.find(typeIndex) != nullptr) return {};
    if (typeIndex < types_.size()) {
      return Error{ErrorCode::MALFORMED,
                   "type " + std::to_string(typeIndex) + " is not a function type", offset};
    }
    return Error{ErrorCode::MALFORMED,
                 "there is no type " + std::to_string(typeIndex) + ", the module has " +
                     std::to_string(types_.size()),
                 offset};
  }

  Result<void> function(ByteReader& in) {
    uint64_t start = in.offset();
    TENON_TRY(uint32_t typeIndex, in.u32());
    TENON_CHECK(requireFuncType(typeIndex, start));
    functions_.push_back(typeIndex);
    return {};
  }

  Result<void> table(ByteReader& in) {
    bool hasInit = in.peek() == 0x40;
    if (hasInit) {
      TENON_CHECK(detail::expectByte(in, 0x40, "a table with a first value"));
      TENON_CHECK(detail::expectByte(in, 0x00, "a reserved byte"));
    }
    TENON_TRY(CoreExternType type, detail::readTableType(in));
    if (hasInit) TENON_CHECK(skipConstExpr(in));
    tables_.push_back(std::move(type));
    return {};
  }

  Result<void> memory(ByteReader& in) {
    TENON_TRY(CoreExternType type, detail::readMemoryType(in));
    memories_.push_back(std::move(type));
    return {};
  }

  Result<void> tag(ByteReader& in) {
    uint64_t start = in.offset();
    TENON_TRY(CoreExternType type, detail::readTagType(in, types_));
    TENON_CHECK(requireFuncType(type.typeIndex, start));
    tags_.push_back(type.typeIndex);
    return {};
  }

  Result<void> global(ByteReader& in) {
    TENON_TRY(CoreExternType type, detail::readGlobalType(in));
    TENON_CHECK(skipConstExpr(in));
    globals_.push_back(std::move(type));
    return {};
  }

  // The item `index` of one of the index spaces; `kind` names its kind in the error.
  template <typename Item>
  static Result<Item> itemAt(const std::vector<Item>& items, uint32_t index, const char* kind,
                             uint64_t offset) {
    if (index < items.size()) return items[index];
    return Error{ErrorCode::MALFORMED,
                 "export of " + std::string(kind) + " " + std::to_string(index) +
                     ", but the module has " + std::to_string(items.size()),
                 offset};
  }

  Result<CoreExternType> funcLike(CoreExternKind kind, uint32_t typeIndex, uint64_t offset) {
    CoreExternType type;
    type.kind = kind;
    type.typeIndex = typeIndex;
    TENON_TRY(bool known, types_.resolve(type, offset));
    static_cast<void>(known);
    return type;
  }

  Result<void> exportDecl(ByteReader& in) {
    CoreExportDecl decl;
    decl.offset = in.offset();
    TENON_TRY(decl.name, in.name());
    uint64_t start = in.offset();
    TENON_TRY(uint8_t kind, in.u8());
    TENON_TRY(uint32_t index, in.u32());
    switch (kind) {
      case 0x00: {
        TENON_TRY(uint32_t typeIndex, itemAt(functions_, index, "function", start));
        TENON_TRY(decl.type, funcLike(CoreExternKind::FUNC, typeIndex, start));
        break;
      }
      case 0x01: {
        TENON_TRY(decl.type, itemAt(tables_, index, "table", start));
        break;
      }
      case 0x02: {
        TENON_TRY(decl.type, itemAt(memories_, index, "memory", start));
        break;
      }
      case 0x03: {
        TENON_TRY(decl.type, itemAt(globals_, index, "global", start));
        break;
      }
      case 0x04: {
        TENON_TRY(uint32_t typeIndex, itemAt(tags_, index, "tag", start));
        TENON_TRY(decl.type, funcLike(CoreExternKind::TAG, typeIndex, start));
        break;
      }
      default:
        return detail::unexpectedByte(start, "the kind of an export (0x00 to 0x04)", kind);
    }
    interface_.exports.push_back(std::move(decl));
    return {};
  }

  DecodeLimits limits_;
  uint64_t resolvedTypes_ = 0;
  detail::CoreTypeSpace types_{resolvedTypes_};
  std::vector<uint32_t> functions_;  // type indices
  std::vector<CoreExternType> tables_;
  std::vector<CoreExternType> memories_;
  std::vector<CoreExternType> globals_;
  std::vector<uint32_t> tags_;  // type indices
  CoreModuleInterface interface_;
};

}  // namespace

Result<CoreModuleInterface> readCoreModule(std::span<const std::byte> bytes, uint64_t baseOffset) {
  return ModuleReader().read(bytes, baseOffset);
}

}  // namespace tenon::component
