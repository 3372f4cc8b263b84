// Component types. Source: Binary.md, "Type Definitions".

#include "component/binary/decode_internal.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tenon::component::detail {
namespace {

std::optional<TypeKind> primitiveOf(uint8_t byte) {
  // 0x7f bool, going down to 0x73 string.
  if (byte >= 0x73 && byte <= 0x7f) return static_cast<TypeKind>(0x7f - byte);
  if (byte == 0x64) return TypeKind::ERROR_CONTEXT;
  return std::nullopt;
}
static_assert(static_cast<int>(TypeKind::STRING) == 0x7f - 0x73);

Result<void> checkPrimitive(TypeKind kind, uint64_t offset, const DecodeContext& context) {
  if (kind != TypeKind::ERROR_CONTEXT) return {};
  return requireFeature(context.features.errorContext, offset, "type error-context",
                        "error-context");
}

Result<std::optional<ValTypeRef>> readOptionalValType(ByteReader& in, DecodeContext& context) {
  TENON_TRY(bool present, readFlag(in, "an optional value type"));
  if (!present) return std::optional<ValTypeRef>();
  TENON_TRY(ValTypeRef type, readValType(in, context));
  return std::optional<ValTypeRef>(type);
}

Result<LabelledType> readLabelledValType(ByteReader& in, DecodeContext& context) {
  LabelledType member;
  TENON_TRY(member.label, in.name());
  TENON_TRY(member.type, readValType(in, context));
  return member;
}

Result<LabelledType> readCase(ByteReader& in, DecodeContext& context) {
  LabelledType member;
  TENON_TRY(member.label, in.name());
  TENON_TRY(member.type, readOptionalValType(in, context));
  TENON_CHECK(expectByte(in, 0x00, "the end of a variant case"));
  return member;
}

Result<LabelledType> readLabel(ByteReader& in) {
  LabelledType member;
  TENON_TRY(member.label, in.name());
  return member;
}

Result<void> readFixedList(ByteReader& in, DecodeContext& context, uint64_t start,
                           DefValType& type) {
  type.kind = TypeKind::LIST;
  TENON_TRY(type.element, readValType(in, context));
  TENON_TRY(type.length, in.u32());
  return requireFeature(context.features.fixedLists, start, "a list with a length",
                        "fixed-length lists");
}

Result<void> readMap(ByteReader& in, DecodeContext& context, uint64_t start, DefValType& type) {
  type.kind = TypeKind::LIST;
  TENON_TRY(type.key, readValType(in, context));
  TENON_TRY(type.element, readValType(in, context));
  return requireFeature(context.features.maps, start, "type map", "maps");
}

// defvaltype, after its first byte, which was at `start`.
Result<void> readDefValType(ByteReader& in, DecodeContext& context, uint8_t opcode, uint64_t start,
                            DefValType& type) {
  auto labelledValType = [&](ByteReader& reader) { return readLabelledValType(reader, context); };
  auto variantCase = [&](ByteReader& reader) { return readCase(reader, context); };
  auto valType = [&](ByteReader& reader) { return readValType(reader, context); };
  if (auto kind = primitiveOf(opcode)) {
    type.kind = *kind;
    return checkPrimitive(*kind, start, context);
  }
  switch (opcode) {
    case 0x72: {
      type.kind = TypeKind::RECORD;
      TENON_TRY(type.members,
                readParts<LabelledType>(in, context, "record fields", labelledValType));
      return {};
    }
    case 0x71: {
      type.kind = TypeKind::VARIANT;
      TENON_TRY(type.members, readParts<LabelledType>(in, context, "variant cases", variantCase));
      return {};
    }
    case 0x70: {
      type.kind = TypeKind::LIST;
      TENON_TRY(type.element, readValType(in, context));
      return {};
    }
    case 0x6f: {
      type.kind = TypeKind::TUPLE;
      TENON_TRY(type.elements, readParts<ValTypeRef>(in, context, "tuple members", valType));
      return {};
    }
    case 0x6e: {
      type.kind = TypeKind::FLAGS;
      TENON_TRY(type.members, readParts<LabelledType>(in, context, "flags", readLabel));
      return {};
    }
    case 0x6d: {
      type.kind = TypeKind::ENUM;
      TENON_TRY(type.members, readParts<LabelledType>(in, context, "enum cases", readLabel));
      return {};
    }
    case 0x6b: {
      type.kind = TypeKind::OPTION;
      TENON_TRY(type.element, readValType(in, context));
      return {};
    }
    case 0x6a: {
      type.kind = TypeKind::RESULT;
      TENON_TRY(type.ok, readOptionalValType(in, context));
      TENON_TRY(type.error, readOptionalValType(in, context));
      return {};
    }
    case 0x69:
    case 0x68: {
      type.kind = opcode == 0x69 ? TypeKind::OWN : TypeKind::BORROW;
      TENON_TRY(type.resource, in.u32());
      return {};
    }
    case 0x67:
      return readFixedList(in, context, start, type);
    case 0x66:
    case 0x65: {
      type.kind = opcode == 0x66 ? TypeKind::STREAM : TypeKind::FUTURE;
      TENON_TRY(type.element, readOptionalValType(in, context));
      return {};
    }
    case 0x63:
      return readMap(in, context, start, type);
    default:
      return unexpectedByte(start, "a type", opcode);
  }
}

Result<void> readFuncType(ByteReader& in, DecodeContext& context, FuncTypeDef& type) {
  auto param = [&](ByteReader& reader) -> Result<ParamDecl> {
    ParamDecl decl;
    TENON_TRY(decl.name, reader.name());
    TENON_TRY(decl.type, readValType(reader, context));
    return decl;
  };
  TENON_TRY(type.params, readParts<ParamDecl>(in, context, "parameters", param));
  TENON_TRY(type.result, readResultList(in, context));
  return {};
}

Result<ResourceTypeDef> readResourceType(ByteReader& in) {
  ResourceTypeDef type;
  TENON_TRY(type.rep, readCoreValType(in));
  TENON_TRY(bool hasDestructor, readFlag(in, "an optional destructor"));
  if (hasDestructor) {
    TENON_TRY(type.dtor, in.u32());
  }
  return type;
}

enum class DeclsOf : uint8_t { COMPONENT_TYPE, INSTANCE_TYPE };

Result<Decl> readDecl(ByteReader& in, DecodeContext& context, DeclsOf owner, uint32_t depth) {
  Decl decl;
  decl.offset = in.offset();
  TENON_TRY(uint8_t opcode, in.u8());
  if (opcode == 0x00) {
    TENON_TRY(CoreTypeDef type, readCoreType(in, context));
    decl.decl = std::make_unique<CoreTypeDef>(std::move(type));
  } else if (opcode == 0x01) {
    auto& type = decl.decl.emplace<std::unique_ptr<TypeDef>>(std::make_unique<TypeDef>());
    TENON_CHECK(readType(in, context, depth, *type));
  } else if (opcode == 0x02) {
    TENON_TRY(decl.decl, readAlias(in, context));
  } else if (opcode == 0x03 && owner == DeclsOf::COMPONENT_TYPE) {
    TENON_TRY(decl.decl, readImport(in, context));
  } else if (opcode == 0x04) {
    TENON_TRY(decl.decl, readExportDecl(in, context));
  } else {
    return unexpectedByte(decl.offset,
                          owner == DeclsOf::COMPONENT_TYPE ? "a declarator of a component type"
                                                           : "a declarator of an instance type",
                          opcode);
  }
  return decl;
}

Result<std::vector<Decl>> readDecls(ByteReader& in, DecodeContext& context, DeclsOf owner,
                                    uint32_t depth) {
  if (depth >= context.limits.maxNesting) {
    return Error{ErrorCode::LIMIT_EXCEEDED,
                 "component and instance types are nested deeper than " +
                     std::to_string(context.limits.maxNesting) + " levels",
                 in.offset()};
  }
  return readVector<Decl>(in, context, "declarators", [&](ByteReader& reader) {
    return readDecl(reader, context, owner, depth + 1);
  });
}

}  // namespace

Result<ValTypeRef> readValType(ByteReader& in, DecodeContext& context) {
  uint64_t start = in.offset();
  ValTypeRef type;
  auto first = in.peek();
  if (auto kind = first ? primitiveOf(*first) : std::nullopt) {
    TENON_TRY(uint8_t opcode, in.u8());
    static_cast<void>(opcode);
    TENON_CHECK(checkPrimitive(*kind, start, context));
    type.primitive = *kind;
    return type;
  }
  TENON_TRY(int64_t index, in.s33());
  if (index < 0) return unexpectedByte(start, "a value type", *first);
  type.isPrimitive = false;
  type.index = static_cast<uint32_t>(index);
  return type;
}

Result<std::optional<ValTypeRef>> readResultList(ByteReader& in, DecodeContext& context) {
  uint64_t start = in.offset();
  TENON_TRY(uint8_t opcode, in.u8());
  if (opcode == 0x01) {
    TENON_CHECK(expectByte(in, 0x00, "an empty list of results"));
    return std::optional<ValTypeRef>();
  }
  if (opcode != 0x00) return unexpectedByte(start, "a list of results (0x00 or 0x01)", opcode);
  TENON_TRY(ValTypeRef type, readValType(in, context));
  return std::optional<ValTypeRef>(type);
}

Result<void> readType(ByteReader& in, DecodeContext& context, uint32_t depth, TypeDef& type) {
  type.offset = in.offset();
  TENON_TRY(uint8_t opcode, in.u8());
  switch (opcode) {
    case 0x3f: {
      TENON_TRY(type.def, readResourceType(in));
      return {};
    }
    case 0x40:
    case 0x43: {
      auto& func = type.def.emplace<FuncTypeDef>();
      func.async = opcode == 0x43;
      return readFuncType(in, context, func);
    }
    case 0x41: {
      auto& def = type.def.emplace<ComponentTypeDef>();
      TENON_TRY(def.decls, readDecls(in, context, DeclsOf::COMPONENT_TYPE, depth));
      return {};
    }
    case 0x42: {
      auto& def = type.def.emplace<InstanceTypeDef>();
      TENON_TRY(def.decls, readDecls(in, context, DeclsOf::INSTANCE_TYPE, depth));
      return {};
    }
    default:
      return readDefValType(in, context, opcode, type.offset, type.def.emplace<DefValType>());
  }
}

}  // namespace tenon::component::detail
