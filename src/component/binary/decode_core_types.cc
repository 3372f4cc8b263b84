// Core types, as components and core modules write them. Source: Binary.md, "Type Definitions"
// (core:type), and the WebAssembly 3.0 Core Specification, "Binary Format", "Types".

#include "component/binary/decode_internal.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tenon::component::detail {
namespace {

// Parameters or results of one function: the limit that engines agree on.
constexpr uint32_t MAX_SIGNATURE = 1000;
// Parameters and results in all the copies of function types that one file asks for.
constexpr uint64_t MAX_RESOLVED_TYPES = 4'000'000;

bool isNumberOrVector(uint8_t byte) { return byte >= 0x7b && byte <= 0x7f; }

// Abstract heap types, which alone stand for the nullable reference: 0x70 func, 0x6f extern, 0x71
// none to 0x75 nocont, 0x6e any to 0x68 cont.
bool isAbstractHeapType(uint8_t byte) { return byte >= 0x68 && byte <= 0x75; }

Error unsupported(uint64_t offset, std::string_view what) {
  return {ErrorCode::UNSUPPORTED, std::string(what) + " are not supported", offset};
}

// core:heaptype: an index, or a negative number for an abstract one.
Result<int64_t> readHeapType(ByteReader& in) {
  uint64_t start = in.offset();
  auto first = in.peek();
  if (first == 0x65) return unsupported(start, "shared reference types");
  if (first == 0x62) return unsupported(start, "exact reference types");
  TENON_TRY(int64_t heapType, in.s33());
  if (heapType >= 0) return heapType;
  if (heapType < -64 || !isAbstractHeapType(static_cast<uint8_t>(heapType & 0x7f))) {
    return unexpectedByte(start, "a heap type", *first);
  }
  return heapType;
}

Result<CoreFuncType> readFuncType(ByteReader& in, const DecodeLimits& limits) {
  auto types = [&](std::string_view what) -> Result<std::vector<CoreValType>> {
    TENON_TRY(uint32_t count, in.count(what, std::min(limits.maxItems, MAX_SIGNATURE)));
    std::vector<CoreValType> list;
    list.reserve(count);
    for (uint32_t i = 0; i < count; ++i) {
      TENON_TRY(CoreValType type, readCoreValType(in));
      list.push_back(type);
    }
    return list;
  };
  CoreFuncType type;
  TENON_TRY(type.params, types("parameters"));
  TENON_TRY(type.results, types("results"));
  return type;
}

// core:fieldtype: a storage type (value type, 0x78 i8 or 0x77 i16) and mutability.
Result<void> skipFieldType(ByteReader& in) {
  auto first = in.peek();
  if (first == 0x78 || first == 0x77) {
    TENON_TRY(uint8_t packed, in.u8());
    static_cast<void>(packed);
  } else {
    TENON_TRY(CoreValType type, readCoreValType(in));
    static_cast<void>(type);
  }
  TENON_TRY(bool isMutable, readFlag(in, "the mutability of a field"));
  static_cast<void>(isMutable);
  return {};
}

// core:comptype, after its first byte. Only a function type is kept; whether it may be found by
// index as one is for the caller.
Result<std::optional<CoreFuncType>> readCompType(ByteReader& in, const DecodeLimits& limits,
                                                 uint8_t opcode, uint64_t start) {
  switch (opcode) {
    case 0x60: {
      TENON_TRY(CoreFuncType type, readFuncType(in, limits));
      return std::optional<CoreFuncType>(std::move(type));
    }
    case 0x5f: {
      TENON_TRY(uint32_t count, in.count("struct fields", limits.maxItems, 2));
      for (uint32_t i = 0; i < count; ++i) TENON_CHECK(skipFieldType(in));
      return std::optional<CoreFuncType>();
    }
    case 0x5e: {
      TENON_CHECK(skipFieldType(in));
      return std::optional<CoreFuncType>();
    }
    case 0x65:
      return unsupported(start, "shared core types");
    case 0x5d:
      return unsupported(start, "continuation types");
    case 0x4c:
    case 0x4d:
      return unsupported(start, "custom descriptors");
    default:
      return unexpectedByte(start, "a core type", opcode);
  }
}

// core:subtype.
Result<void> readSubType(ByteReader& in, const DecodeLimits& limits, CoreTypeSpace& space) {
  uint64_t start = in.offset();
  TENON_TRY(uint8_t opcode, in.u8());
  if (opcode == 0x50 || opcode == 0x4f) {
    TENON_TRY(uint32_t count, in.count("supertypes", limits.maxItems));
    for (uint32_t i = 0; i < count; ++i) {
      TENON_TRY(uint32_t supertype, in.u32());
      static_cast<void>(supertype);
    }
    start = in.offset();
    TENON_TRY(opcode, in.u8());
  }
  TENON_TRY(auto func, readCompType(in, limits, opcode, start));
  if (func) {
    space.addFunc(std::move(*func));
  } else {
    space.addOther();
  }
  return {};
}

// core:limits, after the flags byte.
Result<CoreLimits> readLimits(ByteReader& in, uint8_t flags) {
  CoreLimits limits;
  limits.shared = (flags & 0x02) != 0;
  limits.is64 = (flags & 0x04) != 0;
  TENON_TRY(limits.min, in.u64());
  if ((flags & 0x01) != 0) {
    TENON_TRY(limits.max, in.u64());
  }
  if ((flags & 0x08) != 0) {
    uint64_t start = in.offset();
    TENON_TRY(limits.pageSizeLog2, in.u32());
    if (*limits.pageSizeLog2 >= 64) {
      return Error{ErrorCode::MALFORMED,
                   "page size of 2^" + std::to_string(*limits.pageSizeLog2) + " bytes", start};
    }
  }
  return limits;
}

Result<CoreImportDecl> readCoreImport(ByteReader& in, const CoreTypeSpace& types) {
  CoreImportDecl decl;
  decl.offset = in.offset();
  TENON_TRY(decl.module, in.name());
  TENON_TRY(decl.name, in.name());
  TENON_TRY(decl.type, readCoreExternType(in, types));
  return decl;
}

Result<CoreExportDecl> readCoreExport(ByteReader& in, const CoreTypeSpace& types) {
  CoreExportDecl decl;
  decl.offset = in.offset();
  TENON_TRY(decl.name, in.name());
  TENON_TRY(decl.type, readCoreExternType(in, types));
  return decl;
}

// core:rectype, as one definition: a plain function type, or bytes.
Result<std::variant<CoreFuncType, CoreModuleTypeDef, CoreOtherType>> readRecTypeDef(
    ByteReader& in, const DecodeLimits& limits) {
  ByteReader start = in;
  uint64_t spent = 0;
  CoreTypeSpace space(spent);
  bool plain = in.peek() == 0x60;
  TENON_CHECK(readRecType(in, limits, space));
  std::variant<CoreFuncType, CoreModuleTypeDef, CoreOtherType> def;
  if (plain) {
    def = std::move(space.funcs[0]);
    return def;
  }
  TENON_TRY(auto bytes, start.take(in.offset() - start.offset(), "core type"));
  def = CoreOtherType{bytes, static_cast<uint32_t>(space.size())};
  return def;
}

Result<CoreOuterTypeAlias> readCoreAlias(ByteReader& in) {
  TENON_CHECK(expectByte(in, 0x10, "the sort type in an alias of a module type"));
  TENON_CHECK(expectByte(in, 0x01, "the target outer in an alias of a module type"));
  CoreOuterTypeAlias alias;
  TENON_TRY(alias.count, in.u32());
  TENON_TRY(alias.index, in.u32());
  return alias;
}

// core:moduledecl. `types` is the module type's own index space.
Result<CoreModuleDecl> readModuleDecl(ByteReader& in, DecodeContext& context,
                                      CoreTypeSpace& types) {
  uint64_t start = in.offset();
  TENON_TRY(uint8_t opcode, in.u8());
  switch (opcode) {
    case 0x00: {
      TENON_TRY(CoreImportDecl decl, readCoreImport(in, types));
      return CoreModuleDecl(std::move(decl));
    }
    case 0x01: {
      auto def = std::make_unique<CoreTypeDef>();
      def->offset = in.offset();
      TENON_TRY(def->def, readRecTypeDef(in, context.limits));
      if (auto* func = std::get_if<CoreFuncType>(&def->def)) {
        types.addFunc(*func);
      } else {
        // Read again for the function types among them.
        auto& other = std::get<CoreOtherType>(def->def);
        ByteReader again(other.bytes, def->offset);
        TENON_CHECK(readRecType(again, context.limits, types));
      }
      return CoreModuleDecl(std::move(def));
    }
    case 0x02: {
      TENON_TRY(CoreOuterTypeAlias alias, readCoreAlias(in));
      types.addOther();
      return CoreModuleDecl(alias);
    }
    case 0x03: {
      TENON_TRY(CoreExportDecl decl, readCoreExport(in, types));
      return CoreModuleDecl(std::move(decl));
    }
    default:
      return unexpectedByte(start, "a declarator of a core module type", opcode);
  }
}

}  // namespace

Result<bool> CoreTypeSpace::resolve(CoreExternType& type, uint64_t offset) const {
  const CoreFuncType* func = find(type.typeIndex);
  if (func == nullptr) return false;
  spent += func->params.size() + func->results.size();
  if (spent > MAX_RESOLVED_TYPES) {
    return Error{ErrorCode::LIMIT_EXCEEDED, "too many functions of too many parameters", offset};
  }
  type.func = *func;
  return true;
}

Result<CoreValType> readCoreValType(ByteReader& in) {
  uint64_t start = in.offset();
  TENON_TRY(uint8_t byte, in.u8());
  if (isNumberOrVector(byte) || isAbstractHeapType(byte)) return CoreValType{byte, 0};
  if (byte == 0x63 || byte == 0x64) {
    TENON_TRY(int64_t heapType, readHeapType(in));
    // `(ref null func)` is the long form of `funcref`.
    if (byte == 0x63 && heapType < 0) {
      return CoreValType{static_cast<uint8_t>(heapType & 0x7f), 0};
    }
    return CoreValType{byte, heapType};
  }
  if (byte == 0x65) return unsupported(start, "shared reference types");
  return unexpectedByte(start, "a core value type", byte);
}

Result<void> readRecType(ByteReader& in, const DecodeLimits& limits, CoreTypeSpace& space) {
  if (in.peek() != 0x4e) return readSubType(in, limits, space);
  TENON_CHECK(expectByte(in, 0x4e, "a group of core types"));
  TENON_TRY(uint32_t count, in.count("types of a group", limits.maxItems, 2));
  for (uint32_t i = 0; i < count; ++i) TENON_CHECK(readSubType(in, limits, space));
  return {};
}

Result<CoreExternType> readTableType(ByteReader& in) {
  CoreExternType type;
  type.kind = CoreExternKind::TABLE;
  uint64_t elementOffset = in.offset();
  TENON_TRY(type.valType, readCoreValType(in));
  if (isNumberOrVector(type.valType.code)) {
    return unexpectedByte(elementOffset, "a reference type", type.valType.code);
  }
  uint64_t flagsOffset = in.offset();
  TENON_TRY(uint8_t flags, in.u8());
  if ((flags & ~0x07) != 0) return unexpectedByte(flagsOffset, "limits of a table", flags);
  TENON_TRY(type.limits, readLimits(in, flags));
  return type;
}

Result<CoreExternType> readMemoryType(ByteReader& in) {
  CoreExternType type;
  type.kind = CoreExternKind::MEMORY;
  uint64_t flagsOffset = in.offset();
  TENON_TRY(uint8_t flags, in.u8());
  if ((flags & ~0x0f) != 0) return unexpectedByte(flagsOffset, "limits of a memory", flags);
  TENON_TRY(type.limits, readLimits(in, flags));
  return type;
}

Result<CoreExternType> readGlobalType(ByteReader& in) {
  CoreExternType type;
  type.kind = CoreExternKind::GLOBAL;
  TENON_TRY(type.valType, readCoreValType(in));
  uint64_t start = in.offset();
  TENON_TRY(uint8_t flags, in.u8());
  if (flags == 0x02 || flags == 0x03) return unsupported(start, "shared globals");
  if (flags > 0x03) return unexpectedByte(start, "the mutability of a global", flags);
  type.isMutable = flags == 0x01;
  return type;
}

Result<CoreExternType> readTagType(ByteReader& in, const CoreTypeSpace& types) {
  CoreExternType type;
  type.kind = CoreExternKind::TAG;
  TENON_CHECK(expectByte(in, 0x00, "the attribute of a tag"));
  uint64_t start = in.offset();
  TENON_TRY(type.typeIndex, in.u32());
  TENON_TRY(bool known, types.resolve(type, start));
  static_cast<void>(known);
  return type;
}

Result<CoreExternType> readCoreExternType(ByteReader& in, const CoreTypeSpace& types) {
  uint64_t start = in.offset();
  TENON_TRY(uint8_t kind, in.u8());
  switch (kind) {
    case 0x00: {
      CoreExternType type;
      TENON_TRY(type.typeIndex, in.u32());
      TENON_TRY(bool known, types.resolve(type, start));
      static_cast<void>(known);
      return type;
    }
    case 0x01:
      return readTableType(in);
    case 0x02:
      return readMemoryType(in);
    case 0x03:
      return readGlobalType(in);
    case 0x04:
      return readTagType(in, types);
    case 0x20:
      return unsupported(start, "exact function imports");
    case 0x7e:
    case 0x7f:
      return unsupported(start, "compact import sections");
    default:
      return unexpectedByte(start, "the type of a core import or export (0x00 to 0x04)", kind);
  }
}

Result<CoreTypeDef> readCoreType(ByteReader& in, DecodeContext& context) {
  CoreTypeDef type;
  type.offset = in.offset();
  if (in.peek() == 0x50) {
    TENON_CHECK(expectByte(in, 0x50, "a core module type"));
    CoreModuleTypeDef module;
    CoreTypeSpace types(context.resolvedTypes);
    auto decl = [&](ByteReader& reader) { return readModuleDecl(reader, context, types); };
    TENON_TRY(module.decls, readVector<CoreModuleDecl>(in, context, "declarators", decl));
    type.def = std::move(module);
    return type;
  }
  if (in.peek() == 0x00) {
    // A non-final subtype has this byte in front, because 0x50 is taken by module types.
    TENON_CHECK(expectByte(in, 0x00, "a core type"));
    uint64_t start = in.offset();
    if (auto next = in.peek(); next && *next != 0x50) {
      return unexpectedByte(start, "a non-final subtype (0x50)", *next);
    }
  }
  TENON_TRY(type.def, readRecTypeDef(in, context.limits));
  return type;
}

}  // namespace tenon::component::detail
