#include "component/binary/core_module.h"

#include "component/binary/binary_testing.h"

#include <gtest/gtest.h>

#include <string>

namespace tenon::component {
namespace {

using testing::Builder;
using testing::Bytes;
using testing::bytesOf;

std::string messageOf(const Bytes& bytes, uint64_t baseOffset = 0) {
  auto read = readCoreModule(bytes, baseOffset);
  EXPECT_FALSE(read);
  return read ? "" : read.error().text();
}

TEST(ReadCoreModule, TakesAnEmptyModule) {
  Bytes bytes = Builder::module().bytes();
  auto module = readCoreModule(bytes, 0).value();
  EXPECT_TRUE(module.imports.empty());
  EXPECT_TRUE(module.exports.empty());
  EXPECT_FALSE(module.hasStart);
}

TEST(ReadCoreModule, ResolvesTheTypesOfImportsAndExports) {
  Bytes bytes = Builder::module()
                    .section(1, 2, 0x60, 1, 0x7f, 0, 0x60, 0, 1, 0x7e)  // (i32) -> (), () -> (i64)
                    .section(2, 5,                                      //
                             "a", "f", 0x00, 1,                         // function 0
                             "a", "t", 0x01, 0x70, 0x01, 1, 2,          // table 0
                             "a", "m", 0x02, 0x03, 1, 2,                // shared memory 0
                             "a", "g", 0x03, 0x7e, 1,                   // global 0
                             "a", "x", 0x04, 0x00, 0)                   // tag 0
                    .section(3, 1, 0)                                   // function 1
                    .section(4, 1, 0x6f, 0x04, 0x80, 0x01)              // table 1, 64-bit indices
                    .section(5, 1, 0x0c, 3, 0)              // memory 1, 64-bit, page size 1
                    .section(13, 1, 0x00, 0)                // tag 1
                    .section(6, 1, 0x7f, 0, 0x41, 5, 0x0b)  // global 1
                    .section(7, 10, "f0", 0, 0, "f1", 0, 1, "t0", 1, 0, "t1", 1, 1, "m0", 2, 0,
                             "m1", 2, 1, "g0", 3, 0, "g1", 3, 1, "x0", 4, 0, "x1", 4, 1)
                    .section(8, 1)
                    .section(10, 1, 2, 0, 0x0b)
                    .bytes();
  auto module = readCoreModule(bytes, 0).value();
  EXPECT_TRUE(module.hasStart);
  ASSERT_EQ(module.imports.size(), 5);
  EXPECT_EQ(module.imports[0].module, "a");
  EXPECT_EQ(module.imports[0].name, "f");
  EXPECT_EQ(module.imports[0].type.func.results.at(0).code, 0x7e);
  EXPECT_EQ(module.imports[4].type.func.params.at(0).code, 0x7f);
  ASSERT_EQ(module.exports.size(), 10);
  auto type = [&](size_t i) -> const CoreExternType& { return module.exports.at(i).type; };
  EXPECT_EQ(module.exports[0].name, "f0");
  EXPECT_EQ(type(0).func.results.size(), 1);
  EXPECT_EQ(type(1).func.params.size(), 1);
  EXPECT_EQ(type(1).typeIndex, 0);
  EXPECT_EQ(type(2).valType.code, 0x70);
  EXPECT_EQ(type(2).limits.max, 2);
  EXPECT_EQ(type(3).valType.code, 0x6f);
  EXPECT_TRUE(type(3).limits.is64);
  EXPECT_EQ(type(3).limits.min, 128);
  EXPECT_TRUE(type(4).limits.shared);
  EXPECT_TRUE(type(5).limits.is64);
  EXPECT_EQ(type(5).limits.pageSizeLog2, 0);
  EXPECT_EQ(type(5).limits.min, 3);
  EXPECT_TRUE(type(6).isMutable);
  EXPECT_EQ(type(6).valType.code, 0x7e);
  EXPECT_FALSE(type(7).isMutable);
  EXPECT_EQ(type(8).kind, CoreExternKind::TAG);
  EXPECT_EQ(type(9).func.params.size(), 1);
}

TEST(ReadCoreModule, SkipsConstantExpressions) {
  Bytes bytes = Builder::module()
                    .section(1, 2, 0x60, 0, 0, 0x5e, 0x7f, 1)
                    .section(3, 1, 0)
                    .section(4, 1, 0x40, 0x00, 0x70, 0x00, 1, 0xd2, 0, 0x0b)
                    .section(6, 8,                                                    //
                             0x7f, 0, 0x41, 0x80, 0x7f, 0x41, 1, 0x6a, 0x0b,          // i32.add
                             0x7e, 0, 0x42, 0x0b, 0x0b,                               // i64
                             0x7d, 0, 0x43, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b,             // f32
                             0x7c, 0, 0x44, bytesOf({1, 2, 3, 4, 5, 6, 7, 8}), 0x0b,  // f64
                             0x7b, 0, 0xfd, 12, Bytes(16, std::byte{0x0b}), 0x0b,     // v128
                             0x70, 0, 0xd0, 0x70, 0x0b,                               // null
                             0x7f, 0, 0x23, 0, 0x0b,                                  // global
                             0x63, 1, 0, 0x41, 1, 0x41, 2, 0xfb, 8, 1, 2, 0x0b)       // array
                    .section(7, 1, "g", 3, 7)
                    .section(10, 1, 2, 0, 0x0b)
                    .bytes();
  auto module = readCoreModule(bytes, 0);
  ASSERT_TRUE(module) << module.error().text();
  EXPECT_EQ(module->exports.at(0).type.valType, (CoreValType{0x63, 1}));
  EXPECT_EQ(messageOf(Builder::module().section(6, 1, 0x7f, 0, 0x10, 0, 0x0b).bytes()),
            "global section: expected an instruction of a constant expression, found byte 0x10 (at "
            "byte 13)");
}

TEST(ReadCoreModule, FindsFunctionTypesInsideGroups) {
  Bytes bytes = Builder::module()
                    .section(1, 2,                                            //
                             0x4e, 2, 0x5f, 0, 0x50, 0, 0x60, 1, 0x63, 0, 0,  // types 0 and 1
                             0x60, 0, 1, 0x7f)                                // type 2
                    .section(2, 2, "a", "f", 0x00, 1, "a", "g", 0x00, 2)
                    .bytes();
  auto module = readCoreModule(bytes, 0);
  ASSERT_TRUE(module) << module.error().text();
  EXPECT_EQ(module->imports[0].type.func.params.at(0), (CoreValType{0x63, 0}));
  EXPECT_EQ(module->imports[1].type.func.results.size(), 1);
  EXPECT_EQ(messageOf(Builder::module().section(1, 1, 0x5f, 0).section(3, 1, 0).bytes()),
            "function section: type 0 is not a function type (at byte 16)");
}

TEST(ReadCoreModule, RefusesWhatIsOutOfRangeOrOrder) {
  EXPECT_EQ(messageOf(Builder::module().section(3, 1, 4).bytes(), 1000),
            "function section: there is no type 4, the module has 0 (at byte 1011)");
  EXPECT_EQ(messageOf(Builder::module().section(7, 1, "f", 0, 3).bytes()),
            "export section: export of function 3, but the module has 0 (at byte 13)");
  EXPECT_EQ(messageOf(Builder::module().section(7, 0).section(1, 0).bytes()),
            "type section is out of order or there twice (at byte 11)");
  EXPECT_EQ(messageOf(Builder::module().section(1, 0).section(1, 0).bytes()),
            "type section is out of order or there twice (at byte 11)");
  EXPECT_EQ(messageOf(Builder::module().raw(14, 0).bytes()),
            "expected a core section id from 0 to 13, found byte 0x0e (at byte 8)");
  EXPECT_EQ(messageOf(Builder::module().section(1, 0, 0).bytes()),
            "type section: section ends 1 bytes before its stated size (at byte 11)");
  EXPECT_EQ(messageOf(Builder::component().bytes()),
            "expected a core module, found a component (at byte 0)");
}

TEST(ReadCoreModule, RefusesCopiesOfHugeTypesWithoutEnd) {
  // One type of 1000 parameters and 10 000 exports of a function of it: 10^7 types to copy.
  Bytes params(1000, std::byte{0x7f});
  Bytes exports;
  for (int i = 0; i < 10'000; ++i) {
    Bytes item = bytesOf({2, 'a' + i % 26, 'a', 0, 0});
    exports.insert(exports.end(), item.begin(), item.end());
  }
  Bytes bytes = Builder::module()
                    .section(1, 1, 0x60, 0xe8, 0x07, params, 0)
                    .section(3, 1, 0)
                    .section(7, 0x90, 0x4e, exports)
                    .bytes();
  auto read = readCoreModule(bytes, 0);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::LIMIT_EXCEEDED);
}

// -- Helper modules -------------------------------------------------------------------------------

// The parts of a shim as wit-component 0.2xx writes it, so that a test can change one.
struct Shim {
  Bytes types = bytesOf({2, 0x60, 2, 0x7f, 0x7e, 0, 0x60, 0, 1, 0x7f});
  Bytes functions = bytesOf({2, 0, 1});
  Bytes table = bytesOf({1, 0x70, 0x01, 2, 2});
  Bytes exports =
      bytesOf({3, 1, '0', 0, 0, 1, '1', 0, 1, 8, '$', 'i', 'm', 'p', 'o', 'r', 't', 's', 1, 0});
  Bytes code = bytesOf({2,                                                     //
                        11, 0, 0x20, 0, 0x20, 1, 0x41, 1,   0x11, 0, 0, 0x0b,  //
                        7,  0, 0x41, 0, 0x11, 1, 0,    0x0b});
  Bytes extra;  // further sections, at the end

  Bytes bytes() const {
    return Builder::module()
        .section(1, types)
        .section(3, functions)
        .section(4, table)
        .section(7, exports)
        .section(10, code)
        .section(0, "producers", 0)
        .raw(extra)
        .bytes();
  }
};

TEST(ReadShimModule, RecognisesAShim) {
  Bytes bytes = Shim().bytes();
  ASSERT_TRUE(readCoreModule(bytes, 0));
  auto shim = readShimModule(bytes);
  ASSERT_TRUE(shim);
  EXPECT_EQ(shim->tableExport, "$imports");
  EXPECT_EQ(shim->tableSize, 2);
  EXPECT_EQ(shim->names, (std::vector<std::string_view>{"0", "1"}));
  EXPECT_EQ(shim->slots, (std::vector<uint32_t>{1, 0}));
  EXPECT_EQ(shim->types.at(shim->typeIndices.at(0)).params.size(), 2);
  EXPECT_EQ(shim->types.at(shim->typeIndices.at(1)).results.size(), 1);
}

TEST(ReadShimModule, RefusesTheSlightestDifference) {
  auto recognised = [](auto change) {
    Shim shim;
    change(shim);
    return readShimModule(shim.bytes()).has_value();
  };
  ASSERT_TRUE(recognised([](Shim&) {}));
  auto code = [&](int first, std::initializer_list<int> body) {
    return recognised([&](Shim& shim) {
      Bytes start = bytesOf({2, 11, 0, 0x20, 0, 0x20, 1, 0x41, 1, 0x11, 0, 0, 0x0b, first});
      Bytes rest = bytesOf(body);
      start.insert(start.end(), rest.begin(), rest.end());
      shim.code = start;
    });
  };
  ASSERT_TRUE(code(7, {0, 0x41, 0, 0x11, 1, 0, 0x0b}));
  EXPECT_FALSE(code(7, {0, 0x41, 1, 0x11, 1, 0, 0x0b})) << "the slot of another";
  EXPECT_FALSE(code(7, {0, 0x41, 2, 0x11, 1, 0, 0x0b})) << "a slot behind the table";
  EXPECT_FALSE(code(7, {0, 0x41, 0x7f, 0x11, 1, 0, 0x0b})) << "a negative slot";
  EXPECT_FALSE(code(7, {0, 0x41, 0, 0x11, 0, 0, 0x0b})) << "another type";
  EXPECT_FALSE(code(7, {0, 0x41, 0, 0x11, 7, 0, 0x0b})) << "no type";
  EXPECT_FALSE(code(7, {0, 0x41, 0, 0x11, 1, 1, 0x0b})) << "another table";
  EXPECT_FALSE(code(7, {0, 0x41, 0, 0x13, 1, 0, 0x0b})) << "return_call_indirect";
  EXPECT_FALSE(code(8, {0, 0x01, 0x41, 0, 0x11, 1, 0, 0x0b})) << "a nop";
  EXPECT_FALSE(code(8, {0, 0x41, 0, 0x11, 1, 0, 0x01, 0x0b})) << "a nop after the call";
  EXPECT_FALSE(code(9, {1, 1, 0x7f, 0x41, 0, 0x11, 1, 0, 0x0b})) << "a local";
  EXPECT_FALSE(code(3, {0, 0x00, 0x0b})) << "another body";
  EXPECT_FALSE(recognised([](Shim& shim) {
    shim.code = bytesOf({2, 11, 0,    0x20, 1,    0x20, 0, 0x41, 1, 0x11, 0, 0, 0x0b,  //
                         7, 0,  0x41, 0,    0x11, 1,    0, 0x0b});
  })) << "parameters swapped";

  EXPECT_FALSE(recognised([](Shim& shim) { shim.table = bytesOf({1, 0x6f, 0x01, 2, 2}); }));
  EXPECT_FALSE(recognised([](Shim& shim) { shim.table = bytesOf({1, 0x70, 0x01, 2, 3}); }));
  EXPECT_FALSE(recognised([](Shim& shim) { shim.table = bytesOf({1, 0x70, 0x00, 2}); }));
  EXPECT_FALSE(recognised([](Shim& shim) { shim.table = bytesOf({1, 0x70, 0x05, 2, 2}); }));
  EXPECT_FALSE(recognised(
      [](Shim& shim) { shim.table = bytesOf({2, 0x70, 0x01, 2, 2, 0x70, 0x01, 2, 2}); }));
  EXPECT_FALSE(recognised([](Shim& shim) {
    shim.exports = bytesOf({2, 1, '0', 0, 0, 1, 't', 1, 0});
  })) << "a function that is not exported";
  EXPECT_FALSE(recognised([](Shim& shim) {
    shim.exports = bytesOf({3, 1, '0', 0, 0, 1, '1', 0, 0, 1, 't', 1, 0});
  })) << "a function that is exported twice";
  EXPECT_FALSE(recognised([](Shim& shim) {
    shim.exports = bytesOf({3, 1, '0', 0, 0, 1, '0', 0, 1, 1, 't', 1, 0});
  })) << "a name that is used twice";
  EXPECT_FALSE(recognised([](Shim& shim) {
    shim.exports = bytesOf({2, 1, '0', 0, 0, 1, '1', 0, 1});
  })) << "no table";
  EXPECT_FALSE(recognised([](Shim& shim) {
    shim.types = bytesOf({2, 0x4f, 0, 0x60, 2, 0x7f, 0x7e, 0, 0x60, 0, 1, 0x7f});
  })) << "a type that is not plain";
  EXPECT_FALSE(recognised([](Shim& shim) {
    shim.types = bytesOf({2, 0x60, 2, 0x7f, 0x68, 0, 0x60, 0, 1, 0x7f});
  })) << "a reference as parameter";
  EXPECT_FALSE(recognised([](Shim& shim) {
    shim.extra = Builder::module().section(11, 0).bytes();
    shim.extra.erase(shim.extra.begin(), shim.extra.begin() + 8);
  })) << "a data section";
  EXPECT_FALSE(readShimModule(Builder::module().section(2, 0).section(5, 0).bytes()).has_value());
}

struct Fixup {
  Bytes types = bytesOf({1, 0x60, 0, 0});
  Bytes imports = bytesOf({3,                            //
                           0, 1, '0', 0, 0,              //
                           0, 1, '$', 1, 0x70, 1, 3, 3,  //
                           0, 1, '1', 0, 0});
  Bytes elements = bytesOf({1, 0, 0x41, 1, 0x0b, 2, 1, 0});
  Bytes extra;

  Bytes bytes() const {
    return Builder::module()
        .section(1, types)
        .section(2, imports)
        .section(9, elements)
        .raw(extra)
        .bytes();
  }
};

TEST(ReadFixupModule, RecognisesAFixup) {
  Bytes bytes = Fixup().bytes();
  ASSERT_TRUE(readCoreModule(bytes, 0));
  auto fixup = readFixupModule(bytes);
  ASSERT_TRUE(fixup);
  EXPECT_EQ(fixup->table.module, "");
  EXPECT_EQ(fixup->table.name, "$");
  EXPECT_EQ(fixup->tableSize, 3);
  ASSERT_EQ(fixup->functions.size(), 2);
  EXPECT_EQ(fixup->functions[1].name, "1");
  EXPECT_EQ(fixup->typeIndices, (std::vector<uint32_t>{0, 0}));
  EXPECT_EQ(fixup->offset, 1);
  EXPECT_EQ(fixup->elements, (std::vector<uint32_t>{1, 0}));
}

TEST(ReadFixupModule, RefusesTheSlightestDifference) {
  auto recognised = [](auto change) {
    Fixup fixup;
    change(fixup);
    return readFixupModule(fixup.bytes()).has_value();
  };
  auto elements = [&](std::initializer_list<int> bytes) {
    return recognised([&](Fixup& fixup) { fixup.elements = bytesOf(bytes); });
  };
  ASSERT_TRUE(elements({1, 0, 0x41, 1, 0x0b, 2, 1, 0}));
  EXPECT_TRUE(elements({1, 2, 0, 0x41, 1, 0x0b, 0x00, 2, 1, 0})) << "the long form";
  EXPECT_FALSE(elements({1, 0, 0x41, 2, 0x0b, 2, 1, 0})) << "behind the table's end";
  EXPECT_FALSE(elements({1, 0, 0x41, 0x7f, 0x0b, 2, 1, 0})) << "a negative offset";
  EXPECT_FALSE(elements({1, 0, 0x23, 0, 0x0b, 2, 1, 0})) << "an offset that is not constant";
  EXPECT_FALSE(elements({1, 0, 0x41, 1, 0x0b, 2, 1, 2})) << "no such function";
  EXPECT_FALSE(elements({1, 1, 0x00, 2, 1, 0})) << "a passive segment";
  EXPECT_FALSE(elements({1, 2, 1, 0x41, 1, 0x0b, 0x00, 2, 1, 0})) << "another table";
  EXPECT_FALSE(elements({0})) << "no segment";
  EXPECT_FALSE(elements({2, 0, 0x41, 0, 0x0b, 1, 0, 0, 0x41, 1, 0x0b, 1, 0})) << "two segments";
  EXPECT_FALSE(recognised([](Fixup& fixup) {
    fixup.imports = bytesOf({2, 0, 1, '0', 0, 0, 0, 1, '1', 0, 0});
  })) << "no table";
  EXPECT_FALSE(recognised([](Fixup& fixup) {
    fixup.imports = bytesOf({4, 0, 1,   '0', 0, 0, 0, 1, '$', 1, 0x70, 1, 3, 3, 0, 1, '1', 0, 0,  //
                             0, 1, 'm', 2,   0, 1});
  })) << "a memory";
  EXPECT_FALSE(recognised([](Fixup& fixup) {
    fixup.extra = Builder::module().section(0, "x").section(10, 0).bytes();
    fixup.extra.erase(fixup.extra.begin(), fixup.extra.begin() + 8);
  })) << "a code section";
  EXPECT_FALSE(readFixupModule(Shim().bytes()));
  EXPECT_FALSE(readShimModule(Fixup().bytes()));
}

}  // namespace
}  // namespace tenon::component
