// Values and memory: each case as a call from the guilty component into another, into the host, and
// as what a guilty component returns to another and to the host.

#include "tests/broken/broken_workload.h"

#include <gtest/gtest.h>

#include <ostream>

namespace tenon::broken {
namespace {

struct Case {
  std::string name;
  std::string type;  // of the parameter or the result
  std::string flat;  // core types of the parameter
  std::string values;
  std::vector<std::string> reasons;  // an adapter's, the host's
  std::string data = "";
  std::string encoding = "utf8";
};

const std::vector<std::string> BOUNDS = {"pointer out of bounds of memory",
                                         "a pointer is out of bounds of the memory",
                                         "a string is out of bounds of the memory"};
const std::vector<std::string> ALIGNED = {"unaligned pointer",
                                          "a pointer is not aligned for its type",
                                          "a string is not aligned for its encoding"};
const std::vector<std::string> CHAR = {"invalid `char` bit pattern",
                                       "a char is not a Unicode scalar value"};
const std::vector<std::string> DISCRIMINANT = {"invalid variant discriminant",
                                               "a discriminant names no case of its type"};
const std::vector<std::string> UTF8 = {"invalid utf-8 in a string", "a string is not valid UTF-8"};
const std::vector<std::string> UTF16 = {"unpaired surrogate in a utf-16 string",
                                        "a string has an unpaired surrogate"};
const std::vector<std::string> TOO_LONG = {"list too long", "string too long",
                                           "a list is longer than 2^28 - 1 bytes",
                                           "a string is longer than 2^28 - 1 bytes"};

std::vector<std::string> orBounds(std::vector<std::string> reasons) {
  reasons.insert(reasons.end(), BOUNDS.begin(), BOUNDS.end());
  return reasons;
}

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

// A value that is a pointer and a length.
Case range(std::string name, std::string type, uint32_t pointer, uint32_t length,
           std::vector<std::string> reasons, std::string data = "", std::string encoding = "utf8") {
  return {std::move(name),
          std::move(type),
          "i32 i32",
          "(i32.const " + std::to_string(pointer) + ") (i32.const " + std::to_string(length) + ")",
          std::move(reasons),
          std::move(data),
          std::move(encoding)};
}

const Case CASES[] = {
    range("StringBehindTheEnd", "string", 0x20000, 4, BOUNDS),
    range("StringOverTheEnd", "string", 0xfffe, 4, BOUNDS),
    range("StringThatWrapsAround", "string", 0xfffffff0, 0x20, BOUNDS),
    range("StringOfMaximumLength", "string", 0x100, 0xffffffff, orBounds(TOO_LONG)),
    range("StringThatIsNotUtf8", "string", DATA, 3, UTF8, R"(a\ff\fe)"),
    range("StringThatEndsInTheMiddleOfACharacter", "string", DATA, 2, UTF8, R"(a\c3)"),
    range("StringWithAnEncodedSurrogate", "string", DATA, 3, UTF8, R"(\ed\a0\80)"),
    range("StringThatIsNotUtf16", "string", DATA, 2, UTF16, R"(a\00\00\d8)", "utf16"),
    range("StringThatIsNotAlignedForUtf16", "string", DATA + 1, 1, ALIGNED, R"(aaaa)", "utf16"),
    range("StringOfUtf16BehindTheEnd", "string", 0xfffe, 2, BOUNDS, "", "utf16"),
    range("StringThatIsNotAlignedForLatin1", "string", DATA + 1, 1, ALIGNED, R"(aaaa)",
          "latin1+utf16"),
    range("StringOfTaggedUtf16ThatIsNone", "string", DATA, 0x80000001, UTF16, R"(\00\dc)",
          "latin1+utf16"),
    range("ListThatIsNotAligned", "(list u32)", 0x102, 1, ALIGNED),
    range("EmptyListThatIsNotAligned", "(list u32)", 0x102, 0, ALIGNED),
    range("ListBehindTheEnd", "(list u8)", 0x10000, 1, BOUNDS),
    range("EmptyListBehindTheEnd", "(list u8)", 0x10001, 0, BOUNDS),
    range("ListOverTheEnd", "(list u64)", 0xfff8, 2, BOUNDS),
    range("ListWhoseSizeOverflows", "(list u64)", 0x100, 0x20000000, orBounds(TOO_LONG)),
    range("ListWhoseEndOverflows", "(list u8)", 0xfffffff8, 0x100, BOUNDS),
    range("ListOfListsWithABadOne", "(list (list u8))", DATA, 2, BOUNDS,
          R"(\00\01\00\00\01\00\00\00\00\00\02\00\01\00\00\00)"),
    range("ListWithABadCase", "(list (option u8))", DATA, 2, DISCRIMINANT, R"(\01\01\02\01)"),
    range("ListWithABadChar", "(list char)", DATA, 1, CHAR, R"(\00\d8\00\00)"),
    {"CharThatIsASurrogate", "char", "i32", "(i32.const 0xd800)", CHAR},
    {"CharThatIsTooLarge", "char", "i32", "(i32.const 0x110000)", CHAR},
    {"OptionOfNoCase", "(option u8)", "i32 i32", "(i32.const 2) (i32.const 0)", DISCRIMINANT},
    {"ResultOfNoCase", "(result u32 (error u32))", "i32 i32", "(i32.const -1) (i32.const 0)",
     DISCRIMINANT},
};

class BrokenCall : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override { workload.add("bystander", bystander()); }

  // Calls f with the bad value.
  Caller badCaller() const {
    const Case& c = GetParam();
    return {.type = "(param \"v\" " + c.type + ")",
            .core = "(param " + c.flat + ")",
            .body = "(call $f " + c.values + ") (i32.const 7)",
            .encoding = c.encoding,
            .memory = {.data = c.data, .realloc = ""}};
  }

  // Returns the bad value: in a core result, or stored where the result says.
  Callee badCallee() const {
    const Case& c = GetParam();
    std::string body = c.values;
    if (c.flat != "i32") {
      const bool narrow = c.type == "(option u8)";
      body = "(call $put " + c.values + ") (i32.const 0x9000)";
      // A byte and what follows at its place, or two words.
      std::string store = narrow ? "(i32.store8 (i32.const 0x9000) (local.get 0)) "
                                   "(i32.store8 (i32.const 0x9001) (local.get 1))"
                          : c.type.starts_with("(result")
                              ? "(i32.store8 (i32.const 0x9000) (local.get 0)) "
                                "(i32.store (i32.const 0x9004) (local.get 1))"
                              : "(i32.store (i32.const 0x9000) (local.get 0)) "
                                "(i32.store (i32.const 0x9004) (local.get 1))";
      body += ") (func $put (param i32 i32) " + store;
    }
    return {.type = "(result " + c.type + ")",
            .core = "(result i32)",
            .body = body,
            .postReturn = "",
            .encoding = c.encoding,
            .memory = {.data = c.data, .realloc = ""}};
  }

  Workload workload;
};
INSTANTIATE_TEST_SUITE_P(Values, BrokenCall, testing::ValuesIn(CASES),
                         [](const auto& info) { return info.param.name; });

TEST_P(BrokenCall, IntoAnotherComponentIsTheCallersFault) {
  workload.add("good", Callee{.type = "(param \"v\" " + GetParam().type + ")",
                              .core = "(param " + GetParam().flat + ")",
                              .body = ""}
                           .text());
  workload.add("bad", badCaller().text());
  workload.expectBlame("bad", "bad", GetParam().reasons);
}

TEST_P(BrokenCall, IntoTheHostIsTheCallersFault) {
  int calls = 0;
  workload.linker.dynamicFunction("t:t/api", "f", [&](const FunctionInfo&, std::vector<Value>) {
    ++calls;
    return Result<std::vector<Value>>(std::vector<Value>{});
  });
  workload.add("bad", badCaller().text());
  workload.expectBlame("bad", "bad", GetParam().reasons);
  EXPECT_EQ(calls, 0);
}

TEST_P(BrokenCall, ThatReturnsToAnotherComponentIsTheCalleesFault) {
  workload.add("bad", badCallee().text());
  const bool direct = GetParam().flat == "i32";
  workload.add("good",
               Caller{.type = "(result " + GetParam().type + ")",
                      .core = direct ? "(result i32)" : "(param i32)",
                      .body = direct ? "(call $f)" : "(call $f (i32.const 0xb000)) (i32.const 7)"}
                   .text());
  workload.expectBlame("good", "bad", GetParam().reasons);
}

TEST_P(BrokenCall, ThatReturnsToTheHostIsTheCalleesFault) {
  // The same function, at the root and under the name that is called.
  std::string text = badCallee().text();
  const std::string instance = "(instance $api (export \"f\" (func $f)))";
  text.replace(text.find(instance), instance.size(), "");
  const std::string exported = "(export \"t:t/api\" (instance $api))";
  text.replace(text.find(exported), exported.size(), "(export \"go\" (func $f))");
  workload.add("bad", text);
  workload.expectBlame("bad", "bad", GetParam().reasons);
}

// -- Places for results and parameters ------------------------------------------------------------

class BrokenMemory : public testing::Test {
 protected:
  void SetUp() override { workload.add("bystander", bystander()); }

  static Callee greeter() {
    return {.type = "(result string)",
            .core = "(result i32)",
            .body =
                "(i32.store (i32.const 0xb000) (i32.const 0x100)) "
                "(i32.store (i32.const 0xb004) (i32.const 4)) (i32.const 0xb000)",
            .memory = {.data = "text", .realloc = ""}};
  }
  static Callee listener() {
    return {.type = "(param \"v\" (list u64))", .core = "(param i32 i32)", .body = ""};
  }
  static Caller speaker() {
    return {.type = "(param \"v\" (list u64))",
            .core = "(param i32 i32)",
            .body = "(call $f (i32.const 0x100) (i32.const 2)) (i32.const 7)"};
  }
  static Caller asker(const std::string& place = "0xb000") {
    return {.type = "(result string)",
            .core = "(param i32)",
            .body = "(call $f (i32.const " + place + ")) (i32.const 7)"};
  }

  Workload workload;
};

TEST_F(BrokenMemory, GoodOnesGetAlong) {
  workload.add("callee", greeter().text());
  workload.add("caller", asker().text());
  workload.expectFine("caller", 7);
}

TEST_F(BrokenMemory, ResultsThatTheCallerWantsAtABadPlaceAreItsFault) {
  for (const char* place : {"0xfffc", "0x10000", "0xfffffffc"}) {
    Workload another;
    another.add("good", greeter().text());
    another.add("bad", asker(place).text());
    another.expectBlame("bad", "bad", BOUNDS);
  }
  workload.add("good", greeter().text());
  workload.add("bad", asker("0xb002").text());
  workload.expectBlame("bad", "bad", ALIGNED);
}

TEST_F(BrokenMemory, HostResultsThatTheCallerWantsAtABadPlaceAreItsFault) {
  auto greet = [](const FunctionInfo&, std::vector<Value>) {
    return Result<std::vector<Value>>(std::vector<Value>{Value("text")});
  };
  for (const char* place : {"0xfffc", "0x10000", "0xfffffffc", "0xb002"}) {
    Workload another;
    another.linker.dynamicFunction("t:t/api", "f", greet);
    another.add("bystander", bystander());
    another.add("bad", asker(place).text());
    another.expectBlame("bad", "bad", std::string(place) == "0xb002" ? ALIGNED : BOUNDS);
  }
}

TEST_F(BrokenMemory, AResultBehindTheEndIsTheCalleesFault) {
  for (const char* place : {"0xfffc", "0x10000", "0xfffffffc", "0x9002"}) {
    Workload another;
    Callee bad = greeter();
    bad.body = "(i32.const " + std::string(place) + ")";
    another.add("bad", bad.text());
    another.add("good", asker().text());
    another.expectBlame("good", "bad", std::string(place) == "0x9002" ? ALIGNED : BOUNDS);
  }
}

TEST_F(BrokenMemory, SpilledParametersAtABadPlaceAreTheCallersFault) {
  std::string seventeen = "(tuple";
  for (int i = 0; i < 17; ++i) seventeen += " u32";
  seventeen += ")";
  for (const char* place : {"0xffc0", "0x10000", "0xfffffffc", "0x102"}) {
    Workload another;
    another.add("good",
                Callee{.type = "(param \"v\" " + seventeen + ")", .core = "(param i32)", .body = ""}
                    .text());
    another.add("bad",
                Caller{.type = "(param \"v\" " + seventeen + ")",
                       .core = "(param i32)",
                       .body = "(call $f (i32.const " + std::string(place) + ")) (i32.const 7)"}
                    .text());
    another.expectBlame("bad", "bad", std::string(place) == "0x102" ? ALIGNED : BOUNDS);
  }
}

// -- realloc --------------------------------------------------------------------------------------

struct BadRealloc {
  const char* name;
  const char* body;
  std::vector<std::string> reasons;
};
const std::vector<std::string> REALLOC_BOUNDS = {
    "realloc returned a pointer beyond the end of memory", "realloc return: beyond end of memory"};
const std::vector<std::string> REALLOC_ALIGNED = {"realloc returned an unaligned pointer",
                                                  "realloc return: result not aligned"};
const BadRealloc REALLOCS[] = {
    {"Behind the end", "(i32.const 0x10000)", REALLOC_BOUNDS},
    {"Over the end", "(i32.const 0xfff8)", REALLOC_BOUNDS},
    {"All ones", "(i32.const -8)", REALLOC_BOUNDS},
    {"Not aligned", "(i32.const 0x9004)", REALLOC_ALIGNED},
    {"Odd", "(i32.const 0x9001)", REALLOC_ALIGNED},
};

TEST_F(BrokenMemory, AReallocThatReturnsRubbishIsTheCalleesFault) {
  for (const BadRealloc& bad : REALLOCS) {
    SCOPED_TRACE(bad.name);
    Workload another;
    Callee callee = listener();
    callee.memory.realloc = bad.body;
    another.add("bystander", bystander());
    another.add("bad", callee.text());
    another.add("good", speaker().text());
    another.expectBlame("good", "bad", bad.reasons);
  }
}

TEST_F(BrokenMemory, AReallocThatReturnsRubbishForAResultIsTheCallersFault) {
  for (const BadRealloc& bad : REALLOCS) {
    SCOPED_TRACE(bad.name);
    Callee callee{.type = "(result (list u64))",
                  .core = "(result i32)",
                  .body =
                      "(i32.store (i32.const 0xb000) (i32.const 0x100)) "
                      "(i32.store (i32.const 0xb004) (i32.const 2)) (i32.const 0xb000)"};
    Caller caller{.type = "(result (list u64))",
                  .core = "(param i32)",
                  .body = "(call $f (i32.const 0xb000)) (i32.const 7)"};
    caller.memory.realloc = bad.body;
    Workload fused;
    fused.add("bystander", bystander());
    fused.add("good", callee.text());
    fused.add("bad", caller.text());
    fused.expectBlame("bad", "bad", bad.reasons);

    workload = Workload();
    workload.linker.dynamicFunction("t:t/api", "f", [](const FunctionInfo&, std::vector<Value>) {
      return Result<std::vector<Value>>(
          std::vector<Value>{Value(List{{Value(uint64_t{1}), Value(uint64_t{2})}})});
    });
    workload.add("bystander", bystander());
    workload.add("bad", caller.text());
    workload.expectBlame("bad", "bad", bad.reasons);
  }
}

// `note` is the host's, and then a component's: it may be called by neither realloc nor
// post-return.
class BrokenEscape : public BrokenMemory {
 protected:
  void SetUp() override {}
  // With f of `callee`, called by `caller`.
  void expectBlame(const Callee& callee, const Caller& caller) {
    Workload toHost;
    int notes = 0;
    toHost.linker.dynamicFunction("t:t/notes", "note",
                                  [&](const FunctionInfo&, std::vector<Value>) {
                                    ++notes;
                                    return Result<std::vector<Value>>(std::vector<Value>{});
                                  });
    toHost.add("bystander", bystander());
    toHost.add("bad", callee.text());
    toHost.add("good", caller.text());
    toHost.expectBlame("good", "bad", {"cannot leave component instance"});
    EXPECT_EQ(notes, 0);

    Workload toComponent;
    toComponent.add("bystander", bystander());
    toComponent.add("notes", R"((component
      (core module $M (func (export "note")))
      (core instance $m (instantiate $M))
      (func $note (canon lift (core func $m "note")))
      (instance $api (export "note" (func $note)))
      (export "t:t/notes" (instance $api))))");
    toComponent.add("bad", callee.text());
    toComponent.add("good", caller.text());
    toComponent.expectBlame("good", "bad", {"cannot leave component instance"});
  }
};

TEST_F(BrokenEscape, AReallocThatCallsOutIsTheCalleesFault) {
  Callee callee = listener();
  callee.mayNote = true;
  callee.memory.realloc = "(call $note) (i32.const 0x9000)";
  expectBlame(callee, speaker());
}

TEST_F(BrokenEscape, APostReturnThatCallsOutIsTheCalleesFault) {
  Callee callee = greeter();
  callee.mayNote = true;
  callee.postReturn = "(call $note)";
  expectBlame(callee, asker());
}

}  // namespace
}  // namespace tenon::broken
