#include "component/binary/binary_testing.h"
#include "component/binary/decoder.h"
#include "component/binary/decoder_testing.h"

#include <gtest/gtest.h>

#include <memory>
#include <variant>
#include <vector>

namespace tenon::component {
namespace {

using testing::Builder;
using testing::Bytes;
using testing::errorOf;
using testing::messageOf;
using testing::Only;

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
  std::vector<std::unique_ptr<Component>> decoded;
  auto value = [&](auto... parts) {
    Bytes bytes = Builder::component().section(7, 1, parts...).bytes();
    decoded.push_back(decode(bytes).value());
    return std::get<DefValType>(std::get<TypeDef>(decoded.back()->definitions.at(0).def).def);
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
  EXPECT_EQ(type.params[0].name, "p");
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

}  // namespace
}  // namespace tenon::component
