#include "component/wit/wit.h"

#include "component/binary/decoder.h"
#include "component/wit/type_graph.h"
#include "component/wit/wit_printer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <utility>

namespace tenon::component {
namespace {

using ::testing::HasSubstr;

std::string readFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::span<const std::byte> bytesOf(const std::string& text) {
  return std::as_bytes(std::span(text));
}

// What can be shown though it cannot be run.
Features shown() {
  Features features;
  features.errorContext = true;
  features.fixedLists = true;
  features.maps = true;
  return features;
}

// -- From binaries --------------------------------------------------------------------------------

// tests/wit/update_testdata.py makes the files; what is expected of the text is from wasm-tools.
class WitOf : public ::testing::TestWithParam<const char*> {
 protected:
  std::string path(std::string_view suffix) const {
    return std::string(TENON_SOURCE_DIR "/src/component/wit/testdata/") + GetParam() +
           std::string(suffix);
  }
};

TEST_P(WitOf, ABinaryIsAsExpected) {
  const std::string binary = readFile(path(".wasm"));
  ASSERT_FALSE(binary.empty());
  const auto component = decode(bytesOf(binary), shown());
  ASSERT_TRUE(component) << component.error().text();
  const Result<std::string> text = printWit(**component);
  ASSERT_TRUE(text) << text.error().text();
  EXPECT_EQ(*text, readFile(path(".wit")));
  const Result<std::string> json = printWitJson(**component);
  ASSERT_TRUE(json) << json.error().text();
  EXPECT_EQ(*json, readFile(path(".json")));
}

TEST_P(WitOf, ADamagedBinaryNeverCrashes) {
  const std::string binary = readFile(path(".wasm"));
  const size_t step = 1 + binary.size() / 200;
  for (size_t i = 0; i < binary.size(); i += step) {
    for (const int change : {1, 0x40}) {
      std::string changed = binary;
      changed[i] = static_cast<char>(changed[i] ^ change);
      const auto component = decode(bytesOf(changed), shown());
      if (!component) continue;
      static_cast<void>(printWit(**component));
      static_cast<void>(printWitJson(**component));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Testdata, WitOf,
                         ::testing::Values("empty", "empty_package", "everything",
                                           "everything_package", "gated", "gated_package",
                                           "modules", "nested", "unnamed", "versions",
                                           "versions_package"),
                         [](const auto& info) { return std::string(info.param); });

// -- From definitions -----------------------------------------------------------------------------

// Assembles a component's definitions; offsets count up from 1.
class Assembly {
 public:
  template <typename T>
  void add(T def) {
    component.definitions.push_back(
        Definition{std::move(def), static_cast<uint64_t>(component.definitions.size() + 1)});
  }

  static ValTypeRef ref(uint32_t index) { return ValTypeRef{false, TypeKind::BOOL, index}; }
  static ValTypeRef primitive(TypeKind kind) { return ValTypeRef{true, kind, 0}; }

  uint32_t type(DefValType def) {
    add(TypeDef{std::move(def), 0});
    return types++;
  }
  uint32_t list(ValTypeRef element) {
    DefValType def;
    def.kind = TypeKind::LIST;
    def.element = element;
    return type(std::move(def));
  }
  uint32_t tuple(const std::vector<ValTypeRef>& elements) {
    DefValType def;
    def.kind = TypeKind::TUPLE;
    def.elements = parts.keep(elements);
    return type(std::move(def));
  }
  uint32_t func(const std::vector<ParamDecl>& params) {
    add(TypeDef{FuncTypeDef{false, parts.keep(params), std::nullopt}, 0});
    return types++;
  }
  void import(std::string_view name, ExternTypeRef::Kind kind, uint32_t index) {
    add(Import{ExternName{name, {}, {}, {}, 0}, ExternTypeRef{kind, index, {}}});
  }
  void importFunc(std::string_view name, uint32_t type) {
    import(name, ExternTypeRef::Kind::FUNC, type);
  }

  Component component;
  ArrayPool parts;
  uint32_t types = 0;
};

void expectError(const Component& component, ErrorCode code, std::string_view message) {
  for (const auto print : {printWit, printWitJson}) {
    const Result<std::string> text = print(component);
    ASSERT_FALSE(text) << *text;
    EXPECT_STREQ(toString(text.error().code), toString(code)) << text.error().text();
    EXPECT_THAT(text.error().message, HasSubstr(message));
  }
}

TEST(Wit, PrintsAFunctionOfTheRoot) {
  Assembly assembly;
  const uint32_t list = assembly.list(Assembly::primitive(TypeKind::U8));
  assembly.importFunc("read", assembly.func({{"into", Assembly::ref(list)}}));
  EXPECT_EQ(printWit(assembly.component).value(),
            "package root:component;\n\nworld root {\n  import read: func(into: list<u8>);\n}\n");
}

TEST(Wit, RefusesIndicesThatDoNotExist) {
  Assembly assembly;
  assembly.importFunc("f", 7);
  expectError(assembly.component, ErrorCode::INVALID, "type 7 does not exist; there are 0");
  EXPECT_EQ(printWit(assembly.component).error().offset, 1U);

  Assembly alias;
  alias.add(Alias{Sort::TYPE, OuterAlias{3, 0}});
  expectError(alias.component, ErrorCode::INVALID, "3 levels out");

  Assembly instance;
  instance.add(Alias{Sort::FUNC, ExportAlias{0, "f"}});
  expectError(instance.component, ErrorCode::INVALID, "instance 0 does not exist");

  Assembly kind;
  kind.importFunc("f", kind.list(Assembly::primitive(TypeKind::U8)));
  expectError(kind.component, ErrorCode::INVALID, "type 0 is no function type");
}

TEST(Wit, RefusesANameTwice) {
  Assembly assembly;
  const uint32_t type = assembly.func({});
  assembly.importFunc("f", type);
  assembly.importFunc("f", type);
  expectError(assembly.component, ErrorCode::INVALID, "two imports are named \"f\"");
}

TEST(Wit, RefusesNamesThatCouldPassForOtherText) {
  Assembly name;
  name.importFunc("f: func(); import g", name.func({}));
  expectError(name.component, ErrorCode::INVALID, "no name");
  Assembly param;
  param.importFunc("f", param.func({{"a\x1b[31m", Assembly::primitive(TypeKind::U8)}}));
  expectError(param.component, ErrorCode::INVALID, "no label");
}

TEST(Wit, RefusesARecordWithoutAName) {
  Assembly assembly;
  DefValType record;
  record.kind = TypeKind::RECORD;
  const LabelledType field{"a", Assembly::primitive(TypeKind::U8)};
  record.members = {&field, 1};
  const uint32_t type = assembly.type(std::move(record));
  assembly.importFunc("f", assembly.func({{"a", Assembly::ref(type)}}));
  expectError(assembly.component, ErrorCode::UNSUPPORTED, "without a name");
}

TEST(Wit, RefusesAnExportThatIsNoFunctionOrInstance) {
  Assembly assembly;
  const uint32_t type = assembly.list(Assembly::primitive(TypeKind::U8));
  assembly.add(Export{ExternName{"t", {}, {}, {}, 0}, SortIndex{Sort::TYPE, type}, std::nullopt});
  expectError(assembly.component, ErrorCode::UNSUPPORTED, "export \"t\" is no function");
}

TEST(Wit, RefusesATypeNestedTooDeep) {
  Assembly assembly;
  uint32_t type = assembly.list(Assembly::primitive(TypeKind::U8));
  for (int i = 0; i < 10'000; ++i) type = assembly.list(Assembly::ref(type));
  assembly.importFunc("f", assembly.func({{"a", Assembly::ref(type)}}));
  expectError(assembly.component, ErrorCode::LIMIT_EXCEEDED, "nested deeper than");
}

TEST(Wit, RefusesTextThatExplodes) {
  Assembly assembly;
  uint32_t type = assembly.list(Assembly::primitive(TypeKind::U8));
  for (int i = 0; i < 60; ++i) {
    type = assembly.tuple({Assembly::ref(type), Assembly::ref(type)});
  }
  assembly.importFunc("f", assembly.func({{"a", Assembly::ref(type)}}));
  expectError(assembly.component, ErrorCode::LIMIT_EXCEEDED, "WIT text of more than");
}

// A component that imports an instance and exports it twice, in itself again and again: each level
// instantiates the one below twice.
TEST(Wit, RefusesWorkThatExplodes) {
  auto level = std::make_unique<Component>();
  const auto exportAs = [](std::string_view name, Sort sort, uint32_t index) {
    return Export{ExternName{name, {}, {}, {}, 0}, SortIndex{sort, index}, std::nullopt};
  };
  level->definitions.push_back(Definition{TypeDef{ResourceTypeDef{}, 0}, 1});
  level->definitions.push_back(Definition{exportAs("r", Sort::TYPE, 0), 1});
  for (int i = 0; i < 40; ++i) {
    auto outer = std::make_unique<Component>();
    outer->definitions.push_back(Definition{std::move(level), 1});
    for (const std::string_view name : {"a", "b", "c"}) {
      outer->definitions.push_back(Definition{Instance{true, 0, {}, {}}, 1});
      const uint32_t index = name == "a" ? 0 : name == "b" ? 2 : 4;
      outer->definitions.push_back(Definition{exportAs(name, Sort::INSTANCE, index), 1});
    }
    level = std::move(outer);
  }
  expectError(*level, ErrorCode::LIMIT_EXCEEDED, "steps");
}

// -- Documentation --------------------------------------------------------------------------------

class WitDocs : public ::testing::Test {
 protected:
  // The package "empty" with this as its documentation.
  Result<std::string> print(std::string_view docs) {
    binary_ = readFile(TENON_SOURCE_DIR "/src/component/wit/testdata/empty_package.wasm");
    component_ = decode(bytesOf(binary_)).value();
    std::erase_if(component_->definitions, [](const Definition& definition) {
      return std::holds_alternative<CustomSection>(definition.def);
    });
    docs_ = std::string(docs);
    component_->definitions.push_back(Definition{CustomSection{"package-docs", bytesOf(docs_)}, 1});
    return printWit(*component_);
  }

 private:
  std::string binary_, docs_;
  std::unique_ptr<Component> component_;
};

TEST_F(WitDocs, StandAboveWhatTheyDescribe) {
  const Result<std::string> text = print(
      "\x01{\"docs\":\"a\\n\\nb\\r\\n\",\"worlds\":{\"empty\":{\"docs\":\"\\u001b[31m\","
      "\"stability\":"
      "{\"unstable\":{\"feature\":\"new\",\"deprecated\":\"1.0.0\"}}}}}");
  ASSERT_TRUE(text) << text.error().text();
  EXPECT_EQ(*text,
            "/// a\n///\n/// b\npackage tenon:empty;\n\n/// \xef\xbf\xbd[31m\n"
            "@unstable(feature = new)\n@deprecated(version = 1.0.0)\nworld empty {\n}\n");
}

TEST_F(WitDocs, ThatDoNotFitAreRefused) {
  EXPECT_THAT(print("").error().message, HasSubstr("unknown version"));
  EXPECT_THAT(print("\x02{}").error().message, HasSubstr("unknown version"));
  EXPECT_THAT(print("\x01{").error().message, HasSubstr("JSON: expected a name"));
  EXPECT_EQ(print("\x01{").error().offset, 2U);
  EXPECT_THAT(print("\x01{\"worlds\":{\"x\":{}}}").error().message, HasSubstr("world \"x\""));
  EXPECT_THAT(print("\x01{\"interfaces\":{\"x\":{}}}").error().message, HasSubstr("\"x\""));
  EXPECT_THAT(print("\x01{\"docs\":1}").error().message, HasSubstr("expected a text"));
  EXPECT_THAT(print("\x01{\"worlds\":{\"empty\":{\"stability\":{\"stable\":{\"since\":\"1)\"}}}}}")
                  .error()
                  .message,
              HasSubstr("strange version"));
  EXPECT_THAT(print("\x01{\"worlds\":{\"empty\":{\"stability\":\"whatever\"}}}").error().message,
              HasSubstr("an unknown kind of stability"));
  EXPECT_THAT(print("\x01{\"worlds\":{\"empty\":{\"stability\":{\"old\":{}}}}}").error().message,
              HasSubstr("an unknown kind of stability"));
  EXPECT_TRUE(print("\x01{\"worlds\":{\"empty\":{\"stability\":\"unknown\"}}}"));
  EXPECT_TRUE(print(std::string_view("\x00{}", 3)));
}

}  // namespace
}  // namespace tenon::component
