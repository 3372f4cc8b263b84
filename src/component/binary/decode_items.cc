// Instances, aliases, names, imports, exports, start and value definitions. Source: Binary.md,
// "Instance Definitions", "Alias Definitions", "Start Definitions", "Import and Export
// Definitions".

#include "component/binary/decode_internal.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tenon::component::detail {
namespace {

// core:sort.
Result<Sort> readCoreSort(ByteReader& in) {
  uint64_t start = in.offset();
  TENON_TRY(uint8_t byte, in.u8());
  if (byte <= 0x04 || (byte >= 0x10 && byte <= 0x12)) return static_cast<Sort>(byte);
  return unexpectedByte(start, "a core sort", byte);
}

// sort.
Result<Sort> readSort(ByteReader& in, const DecodeContext& context) {
  uint64_t start = in.offset();
  TENON_TRY(uint8_t byte, in.u8());
  if (byte == 0x00) return readCoreSort(in);
  if (byte > 0x05) return unexpectedByte(start, "a sort", byte);
  if (byte == 0x02) {
    TENON_CHECK(requireFeature(context.features.values, start, "sort value", "values"));
  }
  return static_cast<Sort>(0x20 | byte);
}

bool isCore(Sort sort) { return static_cast<uint8_t>(sort) < 0x20; }

// What components and their instances may export and take: every component sort, and core modules.
bool isExternSort(Sort sort) { return !isCore(sort) || sort == Sort::CORE_MODULE; }

// What core modules may export: function, table, memory, global, tag.
bool isCoreExternSort(Sort sort) { return static_cast<uint8_t>(sort) <= 0x04; }

// sortidx, of something that components and their instances may export and take.
Result<SortIndex> readSortIndex(ByteReader& in, const DecodeContext& context) {
  uint64_t start = in.offset();
  SortIndex item;
  TENON_TRY(item.sort, readSort(in, context));
  TENON_TRY(item.index, in.u32());
  if (isExternSort(item.sort)) return item;
  return Error{ErrorCode::INVALID,
               "sort " + std::string(toString(item.sort)) +
                   " cannot be given to or exported from a component or instance",
               start};
}

// core:sortidx, of something that core modules may export.
Result<SortIndex> readCoreSortIndex(ByteReader& in) {
  uint64_t start = in.offset();
  SortIndex item;
  TENON_TRY(item.sort, readCoreSort(in));
  TENON_TRY(item.index, in.u32());
  if (isCoreExternSort(item.sort)) return item;
  return Error{
      ErrorCode::INVALID,
      "sort " + std::string(toString(item.sort)) + " cannot be exported from a core instance",
      start};
}

// Reads the byte that says whether an instance is instantiated or a bag of exports.
Result<bool> readInstantiate(ByteReader& in, std::string_view what) {
  uint64_t start = in.offset();
  TENON_TRY(uint8_t opcode, in.u8());
  if (opcode > 0x01) return unexpectedByte(start, what, opcode);
  return opcode == 0x00;
}

// An attribute of a name, which may be given once. `start` is the attribute's offset.
Result<void> setAttribute(std::optional<std::string_view>& target, std::string_view value,
                          std::string_view what, uint64_t start) {
  if (target) {
    return Error{ErrorCode::MALFORMED, "duplicate attribute " + std::string(what) + " of a name",
                 start};
  }
  target = value;
  return {};
}

Result<void> readAttribute(ByteReader& in, ExternName& name) {
  uint64_t start = in.offset();
  TENON_TRY(uint8_t opcode, in.u8());
  if (opcode > 0x02) return unexpectedByte(start, "an attribute of a name", opcode);
  TENON_TRY(std::string_view value, in.name());
  if (opcode == 0x00) return setAttribute(name.implements, value, "implements", start);
  if (opcode == 0x01) return setAttribute(name.versionSuffix, value, "versionsuffix", start);
  return setAttribute(name.externalId, value, "external-id", start);
}

}  // namespace

Result<CoreInstance> readCoreInstance(ByteReader& in, DecodeContext& context) {
  CoreInstance instance;
  TENON_TRY(instance.instantiate, readInstantiate(in, "a core instance (0x00 or 0x01)"));
  if (instance.instantiate) {
    TENON_TRY(instance.module, in.u32());
    auto arg = [](ByteReader& reader) -> Result<CoreInstantiateArg> {
      CoreInstantiateArg item;
      TENON_TRY(item.name, reader.name());
      TENON_CHECK(expectByte(reader, 0x12, "an instance as instantiation argument"));
      TENON_TRY(item.instance, reader.u32());
      return item;
    };
    TENON_TRY(instance.args,
              readVector<CoreInstantiateArg>(in, context, "instantiation arguments", arg));
    return instance;
  }
  auto inlineExport = [](ByteReader& reader) -> Result<CoreInlineExport> {
    CoreInlineExport item;
    TENON_TRY(item.name, reader.name());
    TENON_TRY(item.item, readCoreSortIndex(reader));
    return item;
  };
  TENON_TRY(instance.exports,
            readVector<CoreInlineExport>(in, context, "inline exports", inlineExport));
  return instance;
}

Result<Instance> readInstance(ByteReader& in, DecodeContext& context) {
  Instance instance;
  TENON_TRY(instance.instantiate, readInstantiate(in, "an instance (0x00 or 0x01)"));
  if (instance.instantiate) {
    TENON_TRY(instance.component, in.u32());
    auto arg = [&](ByteReader& reader) -> Result<InstantiateArg> {
      InstantiateArg item;
      TENON_TRY(item.name, reader.name());
      TENON_TRY(item.item, readSortIndex(reader, context));
      return item;
    };
    TENON_TRY(instance.args,
              readVector<InstantiateArg>(in, context, "instantiation arguments", arg));
    return instance;
  }
  auto inlineExport = [&](ByteReader& reader) -> Result<InlineExport> {
    InlineExport item;
    TENON_TRY(item.name, readExternName(reader, context));
    TENON_TRY(item.item, readSortIndex(reader, context));
    return item;
  };
  TENON_TRY(instance.exports,
            readVector<InlineExport>(in, context, "inline exports", inlineExport));
  return instance;
}

Result<Alias> readAlias(ByteReader& in, DecodeContext& context) {
  uint64_t start = in.offset();
  Alias alias;
  TENON_TRY(alias.sort, readSort(in, context));
  uint64_t targetOffset = in.offset();
  TENON_TRY(uint8_t target, in.u8());
  auto refused = [&](std::string_view why) {
    return Error{ErrorCode::MALFORMED,
                 "sort " + std::string(toString(alias.sort)) + " " + std::string(why), start};
  };
  switch (target) {
    case 0x00: {
      if (!isExternSort(alias.sort)) return refused("cannot be an export of an instance");
      ExportAlias item;
      TENON_TRY(item.instance, in.u32());
      TENON_TRY(item.name, in.name());
      alias.target = item;
      return alias;
    }
    case 0x01: {
      if (!isCoreExternSort(alias.sort)) return refused("cannot be an export of a core instance");
      CoreExportAlias item;
      TENON_TRY(item.instance, in.u32());
      TENON_TRY(item.name, in.name());
      alias.target = item;
      return alias;
    }
    case 0x02: {
      if (alias.sort != Sort::CORE_TYPE && alias.sort != Sort::CORE_MODULE &&
          alias.sort != Sort::TYPE && alias.sort != Sort::COMPONENT) {
        return refused("cannot be aliased from an enclosing component");
      }
      OuterAlias item;
      TENON_TRY(item.count, in.u32());
      TENON_TRY(item.index, in.u32());
      alias.target = item;
      return alias;
    }
    default:
      return unexpectedByte(targetOffset, "an alias target (0x00 to 0x02)", target);
  }
}

namespace {

// valuebound
Result<void> readValueBound(ByteReader& in, DecodeContext& context, ExternTypeRef& type) {
  TENON_TRY(bool isType, readFlag(in, "eq or a type"));
  type.kind = isType ? ExternTypeRef::Kind::VALUE_TYPE : ExternTypeRef::Kind::VALUE_EQ;
  if (isType) {
    TENON_TRY(type.value, readValType(in, context));
  } else {
    TENON_TRY(type.index, in.u32());
  }
  return {};
}

}  // namespace

Result<ExternTypeRef> readExternType(ByteReader& in, DecodeContext& context) {
  using Kind = ExternTypeRef::Kind;
  uint64_t start = in.offset();
  ExternTypeRef type;
  TENON_TRY(uint8_t opcode, in.u8());
  switch (opcode) {
    case 0x00: {
      TENON_CHECK(expectByte(in, 0x11, "a core module type"));
      type.kind = Kind::CORE_MODULE;
      break;
    }
    case 0x01:
      type.kind = Kind::FUNC;
      break;
    case 0x02: {
      if (auto read = readValueBound(in, context, type); !read) {
        Error error = std::move(read).error();
        error.message = "the bound of a value: " + error.message;
        return error;
      }
      TENON_CHECK(requireFeature(context.features.values, start, "a value", "values"));
      return type;
    }
    case 0x03: {
      TENON_TRY(bool isResource, readFlag(in, "the bound of a type"));
      type.kind = isResource ? Kind::TYPE_SUB : Kind::TYPE_EQ;
      if (isResource) return type;
      break;
    }
    case 0x04:
      type.kind = Kind::COMPONENT;
      break;
    case 0x05:
      type.kind = Kind::INSTANCE;
      break;
    default:
      return unexpectedByte(start, "the type of an import or export (0x00 to 0x05)", opcode);
  }
  TENON_TRY(type.index, in.u32());
  return type;
}

Result<ExternName> readExternName(ByteReader& in, DecodeContext& context) {
  ExternName name;
  name.offset = in.offset();
  TENON_TRY(uint8_t opcode, in.u8());
  if (opcode > 0x02) return unexpectedByte(name.offset, "a name (0x00 to 0x02)", opcode);
  TENON_TRY(name.name, in.name());
  if (opcode < 0x02) return name;
  TENON_TRY(uint32_t count, readCount(in, context, "attributes of a name"));
  for (uint32_t i = 0; i < count; ++i) TENON_CHECK(readAttribute(in, name));
  TENON_CHECK(requireFeature(context.features.attributes, name.offset, "a name with attributes",
                             "attributes (implements, versionsuffix, external-id)"));
  return name;
}

Result<Import> readImport(ByteReader& in, DecodeContext& context) {
  Import item;
  TENON_TRY(item.name, readExternName(in, context));
  TENON_TRY(item.type, readExternType(in, context));
  return item;
}

Result<ExportDecl> readExportDecl(ByteReader& in, DecodeContext& context) {
  ExportDecl item;
  TENON_TRY(item.name, readExternName(in, context));
  TENON_TRY(item.type, readExternType(in, context));
  return item;
}

Result<Export> readExport(ByteReader& in, DecodeContext& context) {
  Export item;
  TENON_TRY(item.name, readExternName(in, context));
  TENON_TRY(item.item, readSortIndex(in, context));
  TENON_TRY(bool hasType, readFlag(in, "an optional type of an export"));
  if (hasType) {
    TENON_TRY(item.type, readExternType(in, context));
  }
  return item;
}

Result<Start> readStart(ByteReader& in, DecodeContext& context) {
  uint64_t start = in.offset();
  Start item;
  TENON_TRY(item.func, in.u32());
  TENON_TRY(item.args, readVector<uint32_t>(in, context, "arguments",
                                            [](ByteReader& reader) { return reader.u32(); }));
  TENON_TRY(item.results, in.u32());
  TENON_CHECK(requireFeature(context.features.values, start, "a start definition", "values"));
  return item;
}

Result<ValueDef> readValueDef(ByteReader& in, DecodeContext& context) {
  uint64_t start = in.offset();
  ValueDef item;
  TENON_TRY(item.type, readValType(in, context));
  TENON_TRY(uint32_t size, in.u32());
  TENON_TRY(item.bytes, in.take(size, "value"));
  TENON_CHECK(requireFeature(context.features.values, start, "a value definition", "values"));
  return item;
}

}  // namespace tenon::component::detail
