#include "link/toml.h"

#include "base/cpu_time_testing.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>

namespace tenon::link::toml {
namespace {

// "a = 1\nb = [true]" for what was read: keys in order, values in a short form.
std::string print(const Table& table);
std::string print(const Value& value) {
  switch (value.kind) {
    case Kind::STRING:
      return "'" + value.text + "'";
    case Kind::INTEGER:
      return std::to_string(value.integer);
    case Kind::BOOLEAN:
      return value.boolean ? "true" : "false";
    case Kind::FLOAT:
    case Kind::DATE:
      return "<" + value.text + ">";
    case Kind::TABLE:
      return print(*value.table);
    case Kind::ARRAY: {
      std::string text = "[";
      for (const Value& item : value.items) text += (text.size() > 1 ? ", " : "") + print(item);
      return text + "]";
    }
  }
  return "";
}
std::string print(const Table& table) {
  std::string text = "{";
  for (const Entry& entry : table.entries()) {
    text += (text.size() > 1 ? ", " : "") + entry.key + ": " + print(entry.value);
  }
  return text + "}";
}

std::string read(std::string_view text) {
  Document document = parse(text);
  if (document.problems.empty()) return print(document.root);
  std::string problems;
  for (const Problem& problem : document.problems) {
    problems += (problems.empty() ? "" : "\n") + std::to_string(problem.place.line) + ":" +
                std::to_string(problem.place.column) + " " + problem.what;
  }
  return problems;
}

std::string repeat(std::string_view text, size_t times) {
  std::string result;
  for (size_t i = 0; i < times; ++i) result += text;
  return result;
}

TEST(Toml, ReadsEveryKindOfValue) {
  EXPECT_EQ(read("a = 'x'\nb = -1_000\nc = 1.5e3 # why\r\nd = true\ne = 1979-05-27 07:32:00Z\n"),
            "{a: 'x', b: -1000, c: <1.5e3>, d: true, e: <1979-05-27 07:32:00Z>}");
  EXPECT_EQ(read("a = [0xff, 0o17,\n  0b101, # end\n]"), "{a: [255, 15, 5]}");
  EXPECT_EQ(read("a = { b = 1, c.d = [] }\n\"e f\" = {}"), "{a: {b: 1, c: {d: []}}, e f: {}}");
  EXPECT_EQ(read("a = +inf\nb = 07:32:00.5\nc = 1979-05-27\n"),
            "{a: <+inf>, b: <07:32:00.5>, c: <1979-05-27>}");
}

TEST(Toml, ReadsStrings) {
  EXPECT_EQ(read(R"(a = "q\" \u00e9 \t\\")"), "{a: 'q\" \xc3\xa9 \t\\'}");
  EXPECT_EQ(read("a = \"\"\"\n one \\  \n\n   two\r\n\"\"\""), "{a: ' one two\n'}");
  EXPECT_EQ(read("a = '''x''''"), "{a: 'x''}");
  EXPECT_EQ(read("a = '''''x'''''"), "{a: '''x'''}");
  EXPECT_EQ(read("a = '\\n \xc3\xa9'"), "{a: '\\n \xc3\xa9'}");
}

TEST(Toml, PutsKeysWhereTheirHeadersSay) {
  EXPECT_EQ(read("a.b = 1\na . 'c' = 2\n[d.e]\nf = 3\n[d]\ng = 4\n"),
            "{a: {b: 1, c: 2}, d: {e: {f: 3}, g: 4}}");
  EXPECT_EQ(read("[[a]]\nb = 1\n[a.c]\nd = 2\n[[a]]\n[a.c]\n"),
            "{a: [{b: 1, c: {d: 2}}, {c: {}}]}");
}

TEST(Toml, RefusesWhatIsThereTwice) {
  const std::pair<const char*, const char*> cases[] = {
      {"a = 1\na = 2", "2:1 'a'"},
      {"[a]\n[b]\n[a]", "3:2 'a'"},
      {"[a.b]\nc = 1\n[a]\nb.d = 2", "4:1 'b'"},
      {"a = {}\n[a.b]", "2:2 'a'"},
      {"a = []\n[[a]]", "2:3 'a'"},
      {"a.b = 1\n[a]", "2:2 'a'"},
      {"a = { b.c = 1, b = 2 }", "1:16 'b'"},
  };
  for (auto [text, what] : cases) {
    EXPECT_EQ(read(text), std::string(what) + " is there already, in line 1");
  }
}

TEST(Toml, SaysWhatIsWrongAndWhere) {
  const std::pair<const char*, const char*> cases[] = {
      {"a = ", "1:5 expected a value, found the end of the text"},
      {"a = x", "1:5 'x' is no value: texts are written in quotes"},
      {"a 1", "1:3 expected '=' and a value after a key, found '1'"},
      {"a = 1 2", "1:7 expected the end of the line, found '2'"},
      {"a = \"x", "1:5 this string is not closed"},
      {"a = \"\"\"x\n\n", "1:5 this string is not closed"},
      {"a = \"\\q\"", "1:6 a backslash is followed by b, t, n, f, r, u, U, \" or \\"},
      {"a = \"\\ud800\"", "1:6 an escape that is no character"},
      {"a = [1 2]", "1:8 expected ',' or ']' in an array, found '2'"},
      {"a = {\n}", "1:6 a table in braces is written in one line"},
      {"[a", "1:3 expected ']', found the end of the text"},
      {"a = 99999999999999999999", "1:5 this number does not fit into 64 bits"},
      {"a = '\x01'",
       "1:6 a string has a control character: in double quotes it may be written as \\u001B"},
      {"a = 1 # \x7f", "1:9 a comment has a control character"},
      {"a = 'x\xff'", "1:7 this is not UTF-8"},
      {"\xc3\xa9 = 1", "1:1 characters beyond ASCII must be in quotes"},
      {"a = 'caf\xc3\xa9' \xc3\xa9", "1:12 characters beyond ASCII must be in quotes"},
  };
  for (auto [text, problem] : cases) EXPECT_EQ(read(text), problem);
}

TEST(Toml, RefusesWordsThatAreNoValues) {
  for (std::string_view word : {"01",
                                "1_",
                                "_1",
                                "1__0",
                                "0x",
                                "0xg",
                                "0o8",
                                "0b2",
                                "+0x1",
                                "1.",
                                ".1",
                                "1.e3",
                                "1e",
                                "1e+",
                                "++1",
                                "1979-13-01",
                                "1979-02-29",
                                "2000-1-1",
                                "24:00:00",
                                "07:60:00",
                                "07:32",
                                "1979-05-27T",
                                "1979-05-27T07:32:00+24:00",
                                "True",
                                "Inf",
                                "1979-05-27x"}) {
    EXPECT_NE(read("a = " + std::string(word)).find("is no value"), std::string::npos) << word;
  }
  EXPECT_EQ(read("a = 2000-02-29\nb = 1979-05-27t07:32:00.999-07:00"),
            "{a: <2000-02-29>, b: <1979-05-27t07:32:00.999-07:00>}");
}

TEST(Toml, GoesOnBehindAProblem) {
  EXPECT_EQ(read("a = \nb = 1\nc 2\n[d\nb = 3\n[e]\nb = 4\nb = 5\n"),
            "1:5 expected a value, found the end of the line\n"
            "3:3 expected '=' and a value after a key, found '2'\n"
            "4:3 expected ']', found the end of the line\n"
            "8:1 'b' is there already, in line 7");
  // What is inside of several lines would be read as something else.
  EXPECT_EQ(read("a = [\n1 2\n]\nb = \n"), "2:3 expected ',' or ']' in an array, found '2'");
  EXPECT_EQ(parse(repeat("=\n", 1000)).problems.size(), MAX_PROBLEMS);
}

// toml++ ended the process for such texts, by recursion.
TEST(Toml, NestsNoDeeperThanItsLimit) {
  const std::string refusal = " tables and arrays nest more than 32 levels deep";
  EXPECT_EQ(read(repeat("a.", 100'000) + "a = 1"), "1:65" + refusal);
  EXPECT_EQ(read("[" + repeat("a.", 100'000) + "a]"), "1:66" + refusal);
  EXPECT_EQ(read("[[" + repeat("a.", 100'000) + "a]]"), "1:67" + refusal);
  EXPECT_EQ(read("a = " + repeat("[", 100'000)), "1:36" + refusal);
  EXPECT_EQ(read("a = " + repeat("{a=", 100'000)), "1:51" + refusal);
  EXPECT_EQ(read("[a.a.a.a]\n" + repeat("a.", 30) + "a = 1"), "2:57" + refusal);
  EXPECT_EQ(read("a = " + repeat("[", 31) + repeat("]", 31)),
            "{a: " + repeat("[", 31) + repeat("]", 31) + "}");
}

TEST(Toml, RefusesATextThatIsTooLong) {
  EXPECT_EQ(read(std::string(MAX_BYTES + 1, '\n')), "1:1 the text has more than 4 MiB");
}

TEST(Toml, TakesTimeInProportionToTheText) {
  std::string keys, headers, dotted;
  for (int i = 0; i < 40'000; ++i) {
    std::string name = "k" + std::to_string(i);
    keys += name + " = [1, 2]\n";
    headers += "[a." + name + "]\n[[b." + name + "]]\n";
    dotted += "x." + name + ".y = 1\n";
  }
  auto took = cpuTimeOf([&] {
    for (const std::string& text :
         {keys, headers, dotted, "a = [" + repeat("'',", 1'000'000) + "]",
          repeat("[[a]]\n", 200'000), "a = " + repeat("'", 1'000'000), repeat("#", 1'000'000),
          "a = '''" + repeat("''\n", 500'000), "a = \"\"\"" + repeat("\\\n", 500'000) + "\"\"\"",
          "a = " + repeat("1", 1'000'000)}) {
      parse(text);
    }
  });
  // Seconds if anything were square; a tenth of one when it is not.
  EXPECT_LT(took, std::chrono::seconds(15));
}

TEST(Toml, SurvivesEveryPrefixAndEveryChangedByte) {
  const std::string text =
      "\xef\xbb\xbf# caf\xc3\xa9\n[a.\"b\".'c']\nd = { e.f = [1, 2.5, 'x'], g = \"\\u00e9\\n\" }\n"
      "[[h]]\ni = \"\"\"\nx \\\n y\"\"\"\nj = '''z''''\nk = 1979-05-27T07:32:00Z\n";
  for (size_t end = 0; end < text.size(); ++end) parse(text.substr(0, end));
  for (size_t at = 0; at < text.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string changed = text;
      changed[at] = static_cast<char>(byte);
      parse(changed);
    }
  }
  EXPECT_TRUE(parse(text).problems.empty()) << read(text);
}

}  // namespace
}  // namespace tenon::link::toml
