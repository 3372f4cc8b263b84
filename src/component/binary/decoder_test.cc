#include "component/binary/decoder.h"

#include "component/binary/binary_testing.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace tenon::component {
namespace {

using testing::Builder;
using testing::Bytes;
using testing::bytesOf;

// The component's only definition, which must be a `Def`. Keeps component and bytes alive.
template <typename Def>
class Only {
 public:
  explicit Only(Bytes bytes, const Features& features = {}) : bytes_(std::move(bytes)) {
    auto decoded = decode(bytes_, features);
    EXPECT_TRUE(decoded) << decoded.error().text();
    if (!decoded) return;
    component_ = *std::move(decoded);
    EXPECT_EQ(component_->definitions.size(), 1);
  }
  const Def& operator*() { return std::get<Def>(component_->definitions.at(0).def); }
  const Def* operator->() { return &**this; }
  uint64_t offset() const { return component_->definitions.at(0).offset; }

 private:
  Bytes bytes_;
  std::unique_ptr<Component> component_;
};

Error errorOf(const Bytes& bytes, const Features& features = {}, const DecodeLimits& limits = {}) {
  auto decoded = decode(bytes, features, limits);
  EXPECT_FALSE(decoded);
  if (decoded) return {};
  EXPECT_TRUE(decoded.error().offset) << decoded.error().message;
  return std::move(decoded).error();
}

std::string messageOf(const Bytes& bytes, const Features& features = {}) {
  return errorOf(bytes, features).text();
}

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

// -- Types ----------------------------------------------------------------------------------------

TEST(Decode, ReadsPrimitiveTypes) {
  const TypeKind kinds[] = {TypeKind::BOOL,  TypeKind::S8,  TypeKind::U8,  TypeKind::S16,
                            TypeKind::U16,   TypeKind::S32, TypeKind::U32, TypeKind::S64,
                            TypeKind::U64,   TypeKind::F32, TypeKind::F64, TypeKind::CHAR,
                            TypeKind::STRING};
  int opcode = 0x7f;
  for (TypeKind kind : kinds) {
    Only<TypeDef> type(Builder::component().section(7, 1, opcode--).bytes());
    EXPECT_EQ(std::get<DefValType>(type->def).kind, kind);
  }
}

TEST(Decode, ReadsValueTypes) {
  auto value = [](auto... parts) {
    Bytes bytes = Builder::component().section(7, 1, parts...).bytes();
    auto component = decode(bytes).value();
    return std::get<DefValType>(std::get<TypeDef>(component->definitions.at(0).def).def);
  };
  auto record = value(0x72, 2, "a", 0x7f, "b", 0x05);
  EXPECT_EQ(record.kind, TypeKind::RECORD);
  ASSERT_EQ(record.members.size(), 2);
  EXPECT_EQ(record.members[0].type->primitive, TypeKind::BOOL);
  EXPECT_FALSE(record.members[1].type->isPrimitive);
  EXPECT_EQ(record.members[1].type->index, 5);

  auto variant = value(0x71, 2, "x", 0x01, 0x7e, 0x00, "y", 0x00, 0x00);
  EXPECT_EQ(variant.kind, TypeKind::VARIANT);
  EXPECT_TRUE(variant.members[0].type);
  EXPECT_FALSE(variant.members[1].type);

  EXPECT_EQ(value(0x70, 0x7b).element->primitive, TypeKind::U16);
  EXPECT_EQ(value(0x6f, 2, 0x7c, 0x79).elements.size(), 2);
  EXPECT_EQ(value(0x6e, 1, "f").kind, TypeKind::FLAGS);
  EXPECT_EQ(value(0x6d, 2, "e", "f").members.size(), 2);
  EXPECT_EQ(value(0x6b, 0x7a).kind, TypeKind::OPTION);
  auto result = value(0x6a, 0x00, 0x01, 0x78);
  EXPECT_FALSE(result.ok);
  EXPECT_EQ(result.error->primitive, TypeKind::S64);
  EXPECT_EQ(value(0x69, 3).resource, 3);
  EXPECT_EQ(value(0x68, 4).kind, TypeKind::BORROW);
  EXPECT_EQ(value(0x66, 0x01, 0x7d).element->primitive, TypeKind::U8);
  EXPECT_FALSE(value(0x65, 0x00).element);
  // An index of 2^31 and more takes five bytes.
  EXPECT_EQ(value(0x70, 0xff, 0xff, 0xff, 0xff, 0x0f).element->index, 0xffffffff);
}

TEST(Decode, RefusesWhatIsNoType) {
  for (int opcode : {0x62, 0x44, 0x3e, 0x00, 0x6c}) {
    EXPECT_EQ(errorOf(Builder::component().section(7, 1, opcode).bytes()).code,
              ErrorCode::MALFORMED);
  }
  EXPECT_EQ(messageOf(Builder::component().section(7, 1, 0x62).bytes()),
            "type section: expected a type, found byte 0x62 (at byte 11)");
  EXPECT_EQ(messageOf(Builder::component().section(7, 1, 0x70, 0x72).bytes()),
            "type section: expected a value type, found byte 0x72 (at byte 12)");
  EXPECT_EQ(messageOf(Builder::component().section(7, 1, 0x71, 1, "c", 0x00, 0x01).bytes()),
            "type section: expected the end of a variant case (0x00), found byte 0x01 (at byte "
            "16)");
}

TEST(Decode, ReadsFunctionAndResourceTypes) {
  Only<TypeDef> func(Builder::component().section(7, 1, 0x43, 1, "p", 0x7f, 0x00, 0x79).bytes());
  const auto& type = std::get<FuncTypeDef>(func->def);
  EXPECT_TRUE(type.async);
  EXPECT_EQ(type.params.at(0).name, "p");
  EXPECT_EQ(type.result->primitive, TypeKind::U32);
  Only<TypeDef> none(Builder::component().section(7, 1, 0x40, 0, 0x01, 0x00).bytes());
  EXPECT_FALSE(std::get<FuncTypeDef>(none->def).result);
  EXPECT_EQ(messageOf(Builder::component().section(7, 1, 0x40, 0, 0x01, 0x01).bytes()),
            "type section: expected an empty list of results (0x00), found byte 0x01 (at byte 14)");

  Only<TypeDef> resource(Builder::component().section(7, 1, 0x3f, 0x7f, 0x01, 6).bytes());
  EXPECT_EQ(std::get<ResourceTypeDef>(resource->def).rep.code, 0x7f);
  EXPECT_EQ(std::get<ResourceTypeDef>(resource->def).dtor, 6);
}

TEST(Decode, ReadsComponentAndInstanceTypes) {
  Only<TypeDef> type(Builder::component()
                         .section(7, 1, 0x41, 5,                   //
                                  0x01, 0x73,                      // type string
                                  0x03, 0x00, "a", 0x03, 0x00, 0,  // import a, type (eq 0)
                                  0x00, 0x60, 0, 0,                // core type
                                  0x02, 0x03, 0x02, 1, 0,          // outer alias
                                  0x04, 0x00, "b", 0x03, 0x01)     // export b, sub resource
                         .bytes());
  const auto& decls = std::get<ComponentTypeDef>(type->def).decls;
  ASSERT_EQ(decls.size(), 5);
  EXPECT_EQ(decls[0].offset, 13);
  EXPECT_EQ(std::get<std::unique_ptr<TypeDef>>(decls[0].decl)->offset, 14);
  EXPECT_EQ(std::get<Import>(decls[1].decl).type.kind, ExternTypeRef::Kind::TYPE_EQ);
  EXPECT_TRUE(std::holds_alternative<std::unique_ptr<CoreTypeDef>>(decls[2].decl));
  EXPECT_EQ(std::get<Alias>(decls[3].decl).sort, Sort::TYPE);
  EXPECT_EQ(std::get<ExportDecl>(decls[4].decl).type.kind, ExternTypeRef::Kind::TYPE_SUB);

  EXPECT_EQ(messageOf(Builder::component().section(7, 1, 0x41, 1, 0x05, 0x73).bytes()),
            "type section: expected a declarator of a component type, found byte 0x05 (at byte "
            "13)");
  EXPECT_EQ(
      messageOf(Builder::component().section(7, 1, 0x42, 1, 0x03, 0x00, "a", 0x03, 0x01).bytes()),
      "type section: expected a declarator of an instance type, found byte 0x03 (at byte 13)");
}

TEST(Decode, ReadsCoreTypes) {
  Only<CoreTypeDef> func(Builder::component().section(3, 1, 0x60, 1, 0x7f, 1, 0x7e).bytes());
  EXPECT_EQ(std::get<CoreFuncType>(func->def).params.at(0).code, 0x7f);
  EXPECT_EQ(std::get<CoreFuncType>(func->def).results.at(0).code, 0x7e);

  Only<CoreTypeDef> sub(Builder::component().section(3, 1, 0x00, 0x50, 0, 0x60, 0, 0).bytes());
  EXPECT_EQ(std::get<CoreOtherType>(sub->def).count, 1);
  EXPECT_EQ(std::get<CoreOtherType>(sub->def).bytes.size(), 5);

  // A group of a struct with a packed and a reference field, and an array.
  Only<CoreTypeDef> group(
      Builder::component()
          .section(3, 1, 0x4e, 2, 0x5f, 2, 0x78, 1, 0x63, 0, 0, 0x4f, 1, 0, 0x5e, 0x7f, 1)
          .bytes());
  EXPECT_EQ(std::get<CoreOtherType>(group->def).count, 2);
}

TEST(Decode, ReadsCoreModuleTypesAndResolvesTheirFunctions) {
  Only<CoreTypeDef> type(Builder::component()
                             .section(3, 1, 0x50, 6,                //
                                      0x01, 0x60, 1, 0x7f, 0,       // type 0: (i32)
                                      0x02, 0x10, 0x01, 1, 4,       // type 1: outer alias
                                      0x00, "a", "b", 0x00, 0,      // import a b (func 0)
                                      0x00, "a", "c", 0x00, 1,      // import a c (func 1)
                                      0x03, "m", 0x02, 0x01, 1, 2,  // export memory 1 2
                                      0x03, "g", 0x03, 0x7e, 1)     // export mutable i64
                             .bytes());
  const auto& decls = std::get<CoreModuleTypeDef>(type->def).decls;
  ASSERT_EQ(decls.size(), 6);
  EXPECT_EQ(std::get<CoreOuterTypeAlias>(decls[1]).index, 4);
  const auto& known = std::get<CoreImportDecl>(decls[2]);
  EXPECT_EQ(known.module, "a");
  EXPECT_EQ(known.name, "b");
  ASSERT_EQ(known.type.func.params.size(), 1);
  const auto& unknown = std::get<CoreImportDecl>(decls[3]);
  EXPECT_EQ(unknown.type.typeIndex, 1);
  EXPECT_TRUE(unknown.type.func.params.empty());
  const auto& memory = std::get<CoreExportDecl>(decls[4]).type;
  EXPECT_EQ(memory.kind, CoreExternKind::MEMORY);
  EXPECT_EQ(memory.limits.max, 2);
  EXPECT_TRUE(std::get<CoreExportDecl>(decls[5]).type.isMutable);

  // Inside a module type, 0x50 begins a subtype and not another module type.
  EXPECT_EQ(
      errorOf(Builder::component().section(3, 1, 0x50, 2, 0x01, 0x50, 0, 0x01, 0x60, 0, 0).bytes())
          .message,
      "core type section: expected a core type, found byte 0x01");
}

TEST(Decode, ShortensReferenceTypes) {
  Only<CoreTypeDef> type(
      Builder::component().section(3, 1, 0x60, 3, 0x63, 0x70, 0x64, 0x70, 0x63, 5, 0).bytes());
  const auto& params = std::get<CoreFuncType>(type->def).params;
  EXPECT_EQ(params[0], (CoreValType{0x70, 0}));
  EXPECT_EQ(params[1], (CoreValType{0x64, -16}));
  EXPECT_EQ(params[2], (CoreValType{0x63, 5}));
}

// -- Canonical definitions ------------------------------------------------------------------------

TEST(Decode, ReadsLiftAndLowerWithTheirOptionsInOrder) {
  Only<Canon> lift(
      Builder::component()
          .section(8, 1, 0x00, 0x00, 1, 6, 0x02, 0x03, 7, 0x04, 8, 0x05, 9, 0x06, 0x07, 10, 2)
          .bytes());
  EXPECT_EQ(lift->kind, CanonKind::LIFT);
  EXPECT_EQ(lift->func, 1);
  EXPECT_EQ(lift->type, 2);
  ASSERT_EQ(lift->opts.options.size(), 6);
  EXPECT_EQ(lift->opts.options[1].code, 0x03);
  EXPECT_EQ(lift->opts.options[1].index, 7);
  EXPECT_EQ(lift->opts.encoding, StringEncoding::LATIN1_UTF16);
  EXPECT_EQ(lift->opts.memory, 7);
  EXPECT_EQ(lift->opts.realloc, 8);
  EXPECT_EQ(lift->opts.postReturn, 9);
  EXPECT_TRUE(lift->opts.async);
  EXPECT_EQ(lift->opts.callback, 10);

  Only<Canon> lower(Builder::component().section(8, 1, 0x01, 0x00, 3, 2, 0x00, 0x01).bytes());
  EXPECT_EQ(lower->kind, CanonKind::LOWER);
  EXPECT_EQ(lower->func, 3);
  EXPECT_EQ(lower->opts.encoding, StringEncoding::UTF16);
  EXPECT_EQ(lower->opts.options.size(), 2);
}

TEST(Decode, ReadsEveryBuiltInThatIsNotGated) {
  struct Row {
    const char* name;
    Bytes bytes;
  };
  const Row rows[] = {
      {"resource.new", bytesOf({0x02, 1})},
      {"resource.drop", bytesOf({0x03, 1})},
      {"resource.rep", bytesOf({0x04, 1})},
      {"task.cancel", bytesOf({0x05})},
      {"subtask.cancel", bytesOf({0x06, 1})},
      {"task.return", bytesOf({0x09, 0x00, 0x73, 0})},
      {"task.return", bytesOf({0x09, 0x01, 0x00, 0})},
      {"context.get", bytesOf({0x0a, 0x7f, 0})},
      {"context.set", bytesOf({0x0b, 0x7f, 1})},
      {"thread.yield", bytesOf({0x0c, 0})},
      {"subtask.drop", bytesOf({0x0d})},
      {"stream.new", bytesOf({0x0e, 1})},
      {"stream.read", bytesOf({0x0f, 1, 1, 0x06})},
      {"stream.write", bytesOf({0x10, 1, 0})},
      {"stream.cancel-read", bytesOf({0x11, 1, 0})},
      {"stream.cancel-write", bytesOf({0x12, 1, 1})},
      {"stream.drop-readable", bytesOf({0x13, 1})},
      {"stream.drop-writable", bytesOf({0x14, 1})},
      {"future.new", bytesOf({0x15, 1})},
      {"future.read", bytesOf({0x16, 1, 0})},
      {"future.write", bytesOf({0x17, 1, 0})},
      {"future.cancel-read", bytesOf({0x18, 1, 0})},
      {"future.cancel-write", bytesOf({0x19, 1, 0})},
      {"future.drop-readable", bytesOf({0x1a, 1})},
      {"future.drop-writable", bytesOf({0x1b, 1})},
      {"waitable-set.new", bytesOf({0x1f})},
      {"waitable-set.wait", bytesOf({0x20, 0, 1})},
      {"waitable-set.poll", bytesOf({0x21, 0, 1})},
      {"waitable-set.drop", bytesOf({0x22})},
      {"waitable.join", bytesOf({0x23})},
      {"backpressure.inc", bytesOf({0x24})},
      {"backpressure.dec", bytesOf({0x25})},
      {"stream.forward", bytesOf({0x2e, 1})},
      {"future.forward", bytesOf({0x2f, 1})},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Only<Canon> canon(Builder::component().section(8, 1, row.bytes).bytes());
    EXPECT_STREQ(toString(canon->kind), row.name);
  }
}

TEST(Decode, RefusesUnknownBuiltInsAndOptions) {
  for (int opcode : {0x07, 0x08, 0x30, 0x3f, 0x43, 0xff}) {
    EXPECT_EQ(errorOf(Builder::component().section(8, 1, opcode, 0, 0).bytes()).code,
              ErrorCode::MALFORMED);
  }
  EXPECT_EQ(messageOf(Builder::component().section(8, 1, 0x00, 0x01, 0, 0, 0).bytes()),
            "canon section: expected the sort func after canon lift (0x00), found byte 0x01 (at "
            "byte 12)");
  EXPECT_EQ(messageOf(Builder::component().section(8, 1, 0x01, 0x00, 0, 1, 0x0a).bytes()),
            "canon section: expected a canonical option (0x00 to 0x07), found byte 0x0a (at byte "
            "15)");
  EXPECT_EQ(messageOf(Builder::component().section(8, 1, 0x0c, 1).bytes()),
            "canon section: expected a reserved byte (0x00), found byte 0x01 (at byte 12)");
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

// -- Gated features -------------------------------------------------------------------------------

struct Gated {
  const char* feature;
  Bytes bytes;
};

std::vector<Gated> gatedComponents() {
  auto with = [](uint8_t id, auto... parts) {
    return Builder::component().section(id, parts...).bytes();
  };
  return {
      {"values", with(9, 0, 0, 0)},
      {"values", with(12, 1, 0x73, 2, 0x01, 'x')},
      {"values", with(10, 1, 0x00, "v", 0x02, 0x01, 0x73)},
      {"values", with(10, 1, 0x00, "v", 0x02, 0x00, 3)},
      {"values", with(6, 1, 0x02, 0x00, 0, "v")},
      {"fixed-length lists", with(7, 1, 0x67, 0x7d, 3)},
      {"maps", with(7, 1, 0x63, 0x73, 0x79)},
      {"error-context", with(7, 1, 0x64)},
      {"error-context", with(7, 1, 0x70, 0x64)},
      {"error-context", with(8, 1, 0x1c, 0)},
      {"error-context", with(8, 1, 0x1d, 0)},
      {"error-context", with(8, 1, 0x1e)},
      {"threads", with(8, 1, 0x26)},
      {"threads", with(8, 1, 0x27, 0, 0)},
      {"threads", with(8, 1, 0x28)},
      {"threads", with(8, 1, 0x29, 0)},
      {"threads", with(8, 1, 0x2a, 0)},
      {"threads", with(8, 1, 0x2b, 0)},
      {"threads", with(8, 1, 0x2c, 0)},
      {"threads", with(8, 1, 0x2d, 0)},
      {"shared-everything threads", with(8, 1, 0x40, 1, 0)},
      {"shared-everything threads", with(8, 1, 0x41, 0, 0, 0)},
      {"shared-everything threads", with(8, 1, 0x42, 0)},
      {"attributes (implements, versionsuffix, external-id)", with(10, 1, 0x02, "n", 0, 0x05, 5)},
  };
}

TEST(Decode, RefusesGatedFeaturesByName) {
  Features none;
  none.attributes = false;
  for (const Gated& gated : gatedComponents()) {
    Error error = errorOf(gated.bytes, none);
    EXPECT_EQ(error.code, ErrorCode::UNSUPPORTED) << error.message;
    EXPECT_TRUE(error.message.ends_with("needs a feature that is not supported: " +
                                        std::string(gated.feature)))
        << error.message;
  }
}

TEST(Decode, ReadsGatedFeaturesThatAreTurnedOn) {
  Features all{true, true, true, true, true, true, true};
  for (const Gated& gated : gatedComponents()) {
    auto decoded = decode(gated.bytes, all);
    EXPECT_TRUE(decoded) << gated.feature << ": " << decoded.error().text();
  }
  Only<TypeDef> list(Builder::component().section(7, 1, 0x67, 0x7d, 3).bytes(), all);
  EXPECT_EQ(std::get<DefValType>(list->def).length, 3);
  Only<TypeDef> map(Builder::component().section(7, 1, 0x63, 0x73, 0x79).bytes(), all);
  EXPECT_EQ(std::get<DefValType>(map->def).key->primitive, TypeKind::STRING);
  Only<ValueDef> value(Builder::component().section(12, 1, 0x73, 2, 1, 'x').bytes(), all);
  EXPECT_EQ(value->bytes.size(), 2);
}

TEST(Decode, PrefersToSayThatAGatedFeatureIsMalformed) {
  EXPECT_EQ(errorOf(Builder::component().section(8, 1, 0x29, 1).bytes()).code,
            ErrorCode::MALFORMED);
}

}  // namespace
}  // namespace tenon::component
