#include "component/binary/decoder.h"

#include "component/binary/binary_testing.h"
#include "component/binary/decoder_testing.h"

#include <gtest/gtest.h>

#include <memory>
#include <variant>

namespace tenon::component {
namespace {

using testing::Builder;
using testing::Bytes;
using testing::bytesOf;
using testing::errorOf;
using testing::messageOf;
using testing::Only;

// -- Preambles and sections -----------------------------------------------------------------------

TEST(ReadLayer, TellsModulesFromComponents) {
  EXPECT_EQ(readLayer(Builder::component().bytes()).value(), Layer::COMPONENT);
  EXPECT_EQ(readLayer(Builder::module().bytes()).value(), Layer::CORE_MODULE);
}

TEST(ReadLayer, SaysWhatItFoundInsteadOfWasm) {
  EXPECT_EQ(readLayer({}).error().message, "the input is empty");
  EXPECT_EQ(readLayer(bytesOf({0x7f, 'E', 'L', 'F', 2})).error().message,
            "not a WebAssembly binary: expected the bytes 00 61 73 6d, found 7f 45 4c 46");
  EXPECT_EQ(readLayer(bytesOf({'\n', ' ', '(', 'm'})).error().message,
            "not a WebAssembly binary but text: translate it with `wasm-tools parse`");
  EXPECT_EQ(readLayer(bytesOf({0x00, 0x61, 0x73})).error().message,
            "truncated preamble: expected 8 bytes, found 3");
  auto old = readLayer(bytesOf({0x00, 0x61, 0x73, 0x6d, 0x0c, 0x00, 0x01, 0x00}));
  EXPECT_EQ(old.error().message, "component of the unknown version 0x000c, expected 0x000d");
  EXPECT_EQ(old.error().offset, 4);
  auto other = readLayer(bytesOf({0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x02, 0x00}));
  EXPECT_EQ(other.error().message,
            "unknown version 0x000d and layer 0x0002, expected a component (version 0x000d, layer "
            "0x0001)");
}

TEST(Decode, AdvisesWhatToDoWithACoreModule) {
  Error error = errorOf(Builder::module().bytes());
  EXPECT_EQ(error.code, ErrorCode::MALFORMED);
  EXPECT_EQ(error.message,
            "this is a core module, not a component: make one of it with `wasm-tools component "
            "new`, or build it for wasm32-wasip2");
}

TEST(Decode, TellsACoreModuleOfWasi01OfTheAdapter) {
  // (import "wasi_snapshot_preview1" "f" (func)), behind one of something else.
  Bytes module = bytesOf({0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00,  // preamble
                          0x01, 0x04, 0x01, 0x60, 0x00, 0x00,              // (type (func))
                          0x02, 0x23, 0x02,                                // two imports
                          0x01, 'e',  0x01, 'm',  0x02, 0x00, 0x01,        // (memory 1)
                          0x16});
  for (char c : std::string_view("wasi_snapshot_preview1")) {
    module.push_back(static_cast<std::byte>(c));
  }
  for (uint8_t byte : {0x01, int{'f'}, 0x00, 0x00}) module.push_back(static_cast<std::byte>(byte));
  module[15] = static_cast<std::byte>(module.size() - 16);
  Error error = errorOf(module);
  EXPECT_EQ(error.code, ErrorCode::MALFORMED);
  EXPECT_NE(error.message.find("a core module of WASI 0.1 (wasip1)"), std::string::npos)
      << error.message;
  EXPECT_NE(error.message.find("--adapt wasi_snapshot_preview1.command.wasm"), std::string::npos);
}

TEST(Decode, TakesAnEmptyComponentAndEmptySections) {
  Bytes empty = Builder::component().bytes();
  auto component = decode(empty).value();
  EXPECT_TRUE(component->definitions.empty());
  EXPECT_EQ(component->offset, 0);
  EXPECT_EQ(component->size, 8);
  for (int id : {2, 3, 5, 6, 7, 8, 10, 11}) {
    Bytes bytes = Builder::component().section(static_cast<uint8_t>(id), 0).bytes();
    EXPECT_TRUE(decode(bytes)) << id;
  }
}

TEST(Decode, RefusesUnknownSections) {
  EXPECT_EQ(messageOf(Builder::component().raw(13, 0).bytes()),
            "expected a section id from 0 to 12, found byte 0x0d (at byte 8)");
  EXPECT_EQ(messageOf(Builder::component().raw(0xff).bytes()),
            "expected a section id from 0 to 12, found byte 0xff (at byte 8)");
}

TEST(Decode, WantsSectionsToBeAsLongAsTheySay) {
  EXPECT_EQ(messageOf(Builder::component().raw(7, 3, 0).bytes()),
            "type section: content of 3 bytes is truncated, 1 bytes are left (at byte 10)");
  EXPECT_EQ(messageOf(Builder::component().section(7, 1, 0x73, 0x73).bytes()),
            "type section: section ends 1 bytes before its stated size (at byte 12)");
  EXPECT_EQ(messageOf(Builder::component().section(7, 2, 0x40, 0).bytes()),
            "type section: truncated input at byte 13");
}

TEST(Decode, RefusesACountBeforeItReservesMemory) {
  EXPECT_EQ(messageOf(Builder::component().section(7, 0xbf, 0x84, 0x3d, 0x73).bytes()),
            "type section: 999999 types cannot be in the remaining 1 bytes (at byte 10)");
}

TEST(Decode, KeepsCustomSectionsAndChecksTheirNames) {
  Only<CustomSection> custom(Builder::component().section(0, "hi", 0xff, 0xfe).bytes());
  EXPECT_EQ(custom->name, "hi");
  EXPECT_EQ(custom->bytes.size(), 2);
  EXPECT_EQ(custom.offset(), 10);
  EXPECT_EQ(messageOf(Builder::component().section(0, 2, 0xff, 0xfe).bytes()),
            "custom section: name is not UTF-8 (at byte 11)");
}

TEST(Decode, RefusesAFileAboveTheLimit) {
  DecodeLimits limits;
  limits.maxBytes = 7;
  EXPECT_EQ(errorOf(Builder::component().bytes(), {}, limits).code, ErrorCode::LIMIT_EXCEEDED);
}

TEST(Decode, RefusesTooManyDefinitions) {
  DecodeLimits limits;
  limits.maxItems = 3;
  Bytes two = Builder::component().section(7, 2, 0x73, 0x73).section(7, 1, 0x73).bytes();
  EXPECT_TRUE(decode(two, {}, limits));
  Bytes four = Builder::component().section(7, 2, 0x73, 0x73).section(7, 2, 0x73, 0x73).bytes();
  EXPECT_EQ(errorOf(four, {}, limits).message, "type section: more than 3 definitions");
  limits.maxItems = 100;
  limits.maxTotalItems = 3;
  EXPECT_EQ(errorOf(four, {}, limits).code, ErrorCode::LIMIT_EXCEEDED);
}

TEST(Decode, KeepsTheOrderOverManySections) {
  Builder builder = Builder::component();
  constexpr size_t SECTIONS = 300;
  for (size_t i = 0; i < SECTIONS; ++i) {
    builder.section(7, 1, 0x73);
    builder.section(0, "x");
  }
  Bytes bytes = builder.bytes();
  auto component = decode(bytes).value();
  ASSERT_EQ(component->definitions.size(), 2 * SECTIONS);
  for (size_t i = 0; i < component->definitions.size(); ++i) {
    EXPECT_EQ(component->definitions[i].def.index(), i % 2 == 0 ? 7u : 0u);
    if (i > 0) EXPECT_GT(component->definitions[i].offset, component->definitions[i - 1].offset);
  }
}

// -- Nesting --------------------------------------------------------------------------------------

TEST(Decode, KeepsNestedModulesAndComponentsWithTheirOffsets) {
  Bytes module = Builder::module().bytes();
  Bytes inner = Builder::component().section(7, 1, 0x73).bytes();
  Bytes outer = Builder::component().section(1, module).section(4, inner).bytes();
  auto component = decode(outer).value();
  ASSERT_EQ(component->definitions.size(), 2);
  EXPECT_EQ(std::get<CoreModule>(component->definitions[0].def).bytes.data(), outer.data() + 10);
  EXPECT_EQ(component->definitions[0].offset, 10);
  const auto& nested = *std::get<std::unique_ptr<Component>>(component->definitions[1].def);
  EXPECT_EQ(nested.offset, 20);
  EXPECT_EQ(nested.size, inner.size());
  EXPECT_EQ(nested.definitions.at(0).offset, 31);
  EXPECT_EQ(std::get<TypeDef>(nested.definitions[0].def).offset, 31);
}

TEST(Decode, RefusesAModuleWhereAComponentShouldBe) {
  EXPECT_EQ(messageOf(Builder::component().section(4, Builder::module().bytes()).bytes()),
            "expected a component, found a core module (at byte 10)");
  EXPECT_EQ(messageOf(Builder::component().section(1, Builder::component().bytes()).bytes()),
            "core module section: expected a core module, found a component (at byte 10)");
  EXPECT_EQ(messageOf(Builder::component().section(1).bytes()),
            "core module section: the input is empty (at byte 10)");
}

TEST(Decode, CapsTheNestingOfComponents) {
  Bytes bytes = Builder::component().bytes();
  for (int i = 1; i < 100; ++i) bytes = Builder::component().section(4, bytes).bytes();
  EXPECT_TRUE(decode(bytes));
  bytes = Builder::component().section(4, bytes).bytes();
  EXPECT_EQ(errorOf(bytes).message, "components are nested deeper than 100 levels");
}

TEST(Decode, CapsTheNestingOfTypes) {
  Bytes type = bytesOf({0x42, 0x00});
  for (int i = 1; i < 100; ++i) {
    Bytes outer = bytesOf({0x41, 0x01, 0x01});
    outer.insert(outer.end(), type.begin(), type.end());
    type = outer;
  }
  EXPECT_TRUE(decode(Builder::component().section(7, 1, type).bytes()));
  Error error = errorOf(Builder::component().section(7, 1, bytesOf({0x42, 1, 1}), type).bytes());
  EXPECT_EQ(error.code, ErrorCode::LIMIT_EXCEEDED);
  EXPECT_EQ(error.message,
            "type section: component and instance types are nested deeper than 100 levels");
}

// -- Instances and aliases ------------------------------------------------------------------------

TEST(Decode, ReadsCoreInstances) {
  Only<CoreInstance> made(Builder::component().section(2, 1, 0, 5, 1, "env", 0x12, 7).bytes());
  EXPECT_TRUE(made->instantiate);
  EXPECT_EQ(made->module, 5);
  ASSERT_EQ(made->args.size(), 1);
  EXPECT_EQ(made->args[0].name, "env");
  EXPECT_EQ(made->args[0].instance, 7);

  Only<CoreInstance> bag(
      Builder::component().section(2, 1, 1, 2, "f", 0x00, 3, "t", 0x04, 1).bytes());
  EXPECT_FALSE(bag->instantiate);
  ASSERT_EQ(bag->exports.size(), 2);
  EXPECT_EQ(bag->exports[0].item.sort, Sort::CORE_FUNC);
  EXPECT_EQ(bag->exports[1].item.sort, Sort::CORE_TAG);
  EXPECT_EQ(bag->exports[1].item.index, 1);

  EXPECT_EQ(messageOf(Builder::component().section(2, 1, 2, 0, 0).bytes()),
            "core instance section: expected a core instance (0x00 or 0x01), found byte 0x02 (at "
            "byte 11)");
  EXPECT_EQ(messageOf(Builder::component().section(2, 1, 0, 0, 1, "a", 0x00, 0).bytes()),
            "core instance section: expected an instance as instantiation argument (0x12), found "
            "byte 0x00 (at byte 16)");
  EXPECT_EQ(errorOf(Builder::component().section(2, 1, 1, 1, "m", 0x11, 0).bytes()).code,
            ErrorCode::INVALID);
}

TEST(Decode, ReadsInstances) {
  Only<Instance> made(
      Builder::component().section(5, 1, 0, 4, 2, "a", 0x01, 2, "m", 0x00, 0x11, 3).bytes());
  EXPECT_TRUE(made->instantiate);
  EXPECT_EQ(made->component, 4);
  ASSERT_EQ(made->args.size(), 2);
  EXPECT_EQ(made->args[0].item.sort, Sort::FUNC);
  EXPECT_EQ(made->args[1].item.sort, Sort::CORE_MODULE);
  EXPECT_EQ(made->args[1].item.index, 3);

  Only<Instance> bag(Builder::component().section(5, 1, 1, 1, 0x00, "g", 0x05, 2).bytes());
  EXPECT_FALSE(bag->instantiate);
  ASSERT_EQ(bag->exports.size(), 1);
  EXPECT_EQ(bag->exports[0].name.name, "g");
  EXPECT_EQ(bag->exports[0].item.sort, Sort::INSTANCE);

  EXPECT_EQ(messageOf(Builder::component().section(5, 1, 0, 0, 1, "a", 0x00, 0x00, 1).bytes()),
            "instance section: sort core func cannot be given to or exported from a component or "
            "instance (at byte 16)");
}

TEST(Decode, ReadsAliases) {
  Bytes bytes = Builder::component()
                    .section(6, 7,                           //
                             0x03, 0x00, 1, "t",             // type, export of instance 1
                             0x00, 0x02, 0x01, 2, "memory",  // core memory of core instance 2
                             0x03, 0x02, 1, 9,               // outer type
                             0x04, 0x02, 0, 0,               // outer component
                             0x00, 0x11, 0x02, 0, 1,         // outer core module
                             0x00, 0x10, 0x02, 0, 1,         // outer core type
                             0x00, 0x11, 0x00, 3, "m")       // core module of instance 3
                    .bytes();
  auto component = decode(bytes).value();
  auto alias = [&](size_t i) { return std::get<Alias>(component->definitions.at(i).def); };
  EXPECT_EQ(alias(0).sort, Sort::TYPE);
  EXPECT_EQ(std::get<ExportAlias>(alias(0).target).instance, 1);
  EXPECT_EQ(std::get<ExportAlias>(alias(0).target).name, "t");
  EXPECT_EQ(alias(1).sort, Sort::CORE_MEMORY);
  EXPECT_EQ(std::get<CoreExportAlias>(alias(1).target).name, "memory");
  EXPECT_EQ(std::get<OuterAlias>(alias(2).target).count, 1);
  EXPECT_EQ(std::get<OuterAlias>(alias(2).target).index, 9);
  EXPECT_EQ(alias(3).sort, Sort::COMPONENT);
  EXPECT_EQ(alias(4).sort, Sort::CORE_MODULE);
  EXPECT_EQ(alias(5).sort, Sort::CORE_TYPE);
  EXPECT_EQ(alias(6).sort, Sort::CORE_MODULE);
}

TEST(Decode, RefusesAliasesThatCannotBe) {
  EXPECT_EQ(messageOf(Builder::component().section(6, 1, 0x03, 0x03, 0, 0).bytes()),
            "alias section: expected an alias target (0x00 to 0x02), found byte 0x03 (at byte 12)");
  EXPECT_EQ(messageOf(Builder::component().section(6, 1, 0x06, 0x02, 0, 0).bytes()),
            "alias section: expected a sort, found byte 0x06 (at byte 11)");
  EXPECT_EQ(messageOf(Builder::component().section(6, 1, 0x00, 0x05, 0x02, 0, 0).bytes()),
            "alias section: expected a core sort, found byte 0x05 (at byte 12)");
  EXPECT_EQ(
      messageOf(Builder::component().section(6, 1, 0x05, 0x02, 0, 0).bytes()),
      "alias section: sort instance cannot be aliased from an enclosing component (at byte 11)");
  EXPECT_EQ(messageOf(Builder::component().section(6, 1, 0x01, 0x01, 0, "f").bytes()),
            "alias section: sort func cannot be an export of a core instance (at byte 11)");
  EXPECT_EQ(messageOf(Builder::component().section(6, 1, 0x00, 0x00, 0x00, 0, "f").bytes()),
            "alias section: sort core func cannot be an export of an instance (at byte 11)");
}

// -- Imports and exports --------------------------------------------------------------------------

TEST(Decode, ReadsImportsOfEveryKind) {
  using Kind = ExternTypeRef::Kind;
  Bytes bytes = Builder::component()
                    .section(10, 7,                     //
                             0x00, "m", 0x00, 0x11, 0,  //
                             0x01, "f", 0x01, 1,        //
                             0x00, "t", 0x03, 0x00, 2,  //
                             0x00, "r", 0x03, 0x01,     //
                             0x00, "c", 0x04, 3,        //
                             0x00, "i", 0x05, 4,        //
                             0x02, "n", 0, 0x05, 5)
                    .bytes();
  auto component = decode(bytes).value();
  const Kind kinds[] = {Kind::CORE_MODULE, Kind::FUNC,     Kind::TYPE_EQ, Kind::TYPE_SUB,
                        Kind::COMPONENT,   Kind::INSTANCE, Kind::INSTANCE};
  for (size_t i = 0; i < std::size(kinds); ++i) {
    EXPECT_EQ(std::get<Import>(component->definitions.at(i).def).type.kind, kinds[i]) << i;
  }
  const auto& func = std::get<Import>(component->definitions[1].def);
  EXPECT_EQ(func.name.name, "f");
  EXPECT_EQ(func.type.index, 1);
  EXPECT_EQ(func.name.offset, component->definitions[1].offset);

  EXPECT_EQ(messageOf(Builder::component().section(10, 1, 0x03, "a", 0x01, 0).bytes()),
            "import section: expected a name (0x00 to 0x02), found byte 0x03 (at byte 11)");
  EXPECT_EQ(messageOf(Builder::component().section(10, 1, 0x00, "a", 0x06, 0).bytes()),
            "import section: expected the type of an import or export (0x00 to 0x05), found byte "
            "0x06 (at byte 14)");
  EXPECT_EQ(messageOf(Builder::component().section(10, 1, 0x00, "m", 0x00, 0x00).bytes()),
            "import section: expected a core module type (0x11), found byte 0x00 (at byte 15)");
  EXPECT_EQ(messageOf(Builder::component().section(10, 1, 0x00, "t", 0x03, 0x02).bytes()),
            "import section: expected the bound of a type (0x00 or 0x01), found byte 0x02 (at byte "
            "15)");
}

TEST(Decode, ReadsAttributesOfNames) {
  Only<Import> import(
      Builder::component()
          .section(10, 1, 0x02, "i", 3, 0x00, "a:b/c", 0x01, ".1.2", 0x02, "id", 0x05, 0)
          .bytes());
  EXPECT_EQ(import->name.implements, "a:b/c");
  EXPECT_EQ(import->name.versionSuffix, ".1.2");
  EXPECT_EQ(import->name.externalId, "id");

  EXPECT_EQ(
      messageOf(
          Builder::component().section(10, 1, 0x02, "i", 2, 0x00, "a", 0x00, "b", 0x05, 0).bytes()),
      "import section: duplicate attribute implements of a name (at byte 18)");
  EXPECT_EQ(messageOf(Builder::component().section(10, 1, 0x02, "i", 1, 0x03, "a").bytes()),
            "import section: expected an attribute of a name, found byte 0x03 (at byte 15)");
}

TEST(Decode, ReadsExports) {
  Only<Export> plain(Builder::component().section(11, 1, 0x00, "e", 0x01, 4, 0x00).bytes());
  EXPECT_EQ(plain->name.name, "e");
  EXPECT_EQ(plain->item.sort, Sort::FUNC);
  EXPECT_EQ(plain->item.index, 4);
  EXPECT_FALSE(plain->type);
  Only<Export> typed(
      Builder::component().section(11, 1, 0x00, "e", 0x01, 4, 0x01, 0x01, 3).bytes());
  EXPECT_EQ(typed->type->index, 3);
  EXPECT_EQ(messageOf(Builder::component().section(11, 1, 0x00, "e", 0x01, 0, 0x02).bytes()),
            "export section: expected an optional type of an export (0x00 or 0x01), found byte "
            "0x02 (at byte 16)");
}

TEST(GatedFeatures, RefuseAnEmptyValueSectionToo) {
  Error error = errorOf(Builder::component().section(12, 0).bytes());
  EXPECT_EQ(error.code, ErrorCode::UNSUPPORTED);
  EXPECT_EQ(error.text(),
            "value section: a value section needs a feature that is not supported: values "
            "(at byte 10)");
  Features values{.values = true};
  auto bytes = Builder::component().section(12, 0).bytes();
  EXPECT_TRUE(decode(bytes, values));
}

TEST(GatedFeatures, ErrorsInAValueImportSayThatItIsOne) {
  EXPECT_EQ(messageOf(Builder::component().section(10, 1, 0, "a", 2, 0x73).bytes()),
            "import section: the bound of a value: expected eq or a type (0x00 or 0x01), found "
            "byte 0x73 (at byte 15)");
}

}  // namespace
}  // namespace tenon::component
