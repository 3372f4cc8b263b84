#include "shapes.h"

#include "component/types/type_table.h"
#include "random_values.h"
#include "run/executable.h"

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

namespace tenon::differential {
namespace {

std::string text(uint64_t number) { return std::to_string(number); }
std::string constant(uint64_t number) { return "(i32.const " + text(number) + ")"; }

// Every core function has one type, so that each can stand in each slot of a table.
constexpr const char* TYPE = "(type $t (func (param i32 i32) (result i32)))\n";
constexpr const char* ARGUMENTS = "(local.get 0) (local.get 1)";

// Where an import of the main module comes from.
enum class Source : uint8_t { STRING, NUMBERS, HOST };

constexpr const char* STRING_TYPE = "(func (param \"s\" string) (result u32))";
constexpr const char* NUMBERS_TYPE = "(func (param \"a\" u32) (param \"b\" u32) (result u32))";

const char* typeOf(Source source) { return source == Source::NUMBERS ? NUMBERS_TYPE : STRING_TYPE; }

// Writes component A, which calls C's functions.
class Shape {
 public:
  explicit Shape(Random& random) : random_(random) {
    for (uint32_t i = 0, n = 1 + random.below(4); i < n; ++i) {
      sources_.push_back(static_cast<Source>(random.below(3)));
    }
    slots_ = static_cast<uint32_t>(sources_.size()) + random.below(2);
    for (uint32_t i = 0, n = 1 + random.below(random.oneIn(3) ? 4 : 1); i < n; ++i) addRun(i);
    runs_ = runCount_;
    if (random.oneIn(10)) {
      start_ = "(start $begin)";
      functions_ += "(func $begin ";
      functions_ += random.oneIn(2) ? "(i32.store (i32.const 8) (i32.const 0x64636261)))\n"
                                    : "(drop (call $w0 (i32.const 1) (i32.const 2))))\n";
    }
    if (random.oneIn(4)) barred_ = "(drop (call $w0 (i32.const 1) (i32.const 2)))";
  }

  uint32_t runs() const { return runs_; }

  std::string toText() {
    std::string all = "(component\n(import \"host\" (instance $host (export \"f0\" " +
                      std::string(STRING_TYPE) + ")))\n";
    all += calleeText() + callerText();
    all += "(instance $c (instantiate $C))\n";
    all +=
        "(instance $a (instantiate $A (with \"c\" (instance $c)) (with \"host\" (instance "
        "$host))))\n";
    for (uint32_t i = 0; i < runs_; ++i) {
      std::string name = "\"run" + text(i) + "\"";
      all += "(export " + name + " (func $a " + name + "))\n";
    }
    return all + "(export \"text\" (func $a \"text\")))\n";
  }

 private:
  std::string pick() { return "$i" + text(random_.below(static_cast<uint32_t>(sources_.size()))); }
  std::string offset() { return constant(random_.below(3)); }

  // The body of a function that calls slot `slot` of a table.
  std::string indirect(const std::string& table, const std::string& before = "") {
    const char* word = random_.oneIn(6) ? "return_call_indirect " : "call_indirect ";
    return before + "(" + word + table + " (type $t) " + ARGUMENTS + " " +
           (random_.oneIn(5) ? "(local.get 1)" : offset()) + ")";
  }

  // The function $w<n> of the main module, which uses an import in some way, and is exported.
  void addRun(uint32_t number) {
    std::string n = text(number), q = "$q" + n, f = pick(), body;
    std::string plain = "(table " + q + " 3 funcref)\n";
    switch (random_.below(19)) {
      case 0:
        body = "(call " + f + " " + ARGUMENTS + ")";
        break;
      case 1:
        body = "(return_call " + f + " " + ARGUMENTS + ")";
        break;
      case 2:  // an initial value
        tables_ += "(table " + q + " 3 funcref (ref.func " + f + "))\n";
        body = indirect(q);
        break;
      case 3:
        tables_ += "(table " + q + " 3 (ref $t) (ref.func " + f + "))\n";
        body = indirect(q);
        break;
      case 4:  // one that an imported global gives, and a segment over it
        tables_ += "(table " + q + " 3 funcref (global.get $pg))\n";
        elements_ += "(elem (table " + q + ") " + offset() + " func " + pick() + ")\n";
        body = indirect(q);
        break;
      case 5:  // active segments, in both forms
        tables_ += plain;
        elements_ += "(elem (table " + q + ") (i32.const 0) func " + f + " $own " + pick() + ")\n";
        body = indirect(q);
        break;
      case 6:
        tables_ += plain;
        elements_ += "(elem (table " + q + ") " + offset() + " funcref (ref.func " + f +
                     ") (global.get $pg))\n";
        body = indirect(q);
        break;
      case 7:  // passive ones
        tables_ += plain;
        elements_ += "(elem $e" + n + " func " + f + " $own " + pick() + ")\n";
        body = indirect(q, "(table.init " + q + " $e" + n + " " + offset() + " " + offset() +
                               " (i32.const 1))");
        break;
      case 8:  // declared ones
        tables_ += plain;
        elements_ += "(elem declare func " + f + ")\n";
        body = indirect(q, "(table.set " + q + " " + offset() + " (ref.func " + f + "))");
        break;
      case 9:
        elements_ += "(elem declare func " + f + ")\n";
        body = "(call_ref $t " + std::string(ARGUMENTS) + " (ref.func " + f + "))";
        break;
      case 10:  // globals
        tables_ += plain;
        globals_ += "(global $g" + n + " (mut funcref) (ref.func " + f + "))\n";
        body = indirect(q, "(table.set " + q + " " + offset() + " (global.get $g" + n + "))");
        break;
      case 11:  // another module's table
        elements_ += "(elem (table $pt) " + offset() + " func " + f + ")\n";
        body = indirect("$pt");
        break;
      case 12:
        tables_ += "(table " + q + " 1 funcref (ref.func $own))\n";
        elements_ += "(elem declare func " + f + ")\n";
        body = indirect(q, "(drop (table.grow " + q + " (ref.func " + f + ") (i32.const 1)))");
        break;
      case 13:
        tables_ += plain;
        elements_ += "(elem declare func " + f + ")\n";
        body =
            indirect(q, "(table.fill " + q + " (i32.const 0) (ref.func " + f + ") (i32.const 2))");
        break;
      case 14:
        tables_ += plain + "(table $from" + n + " 2 funcref (ref.func " + f + "))\n";
        body = indirect(
            q, "(table.copy " + q + " $from" + n + " (i32.const 0) (i32.const 0) (i32.const 2))");
        break;
      case 15:  // out of the module: by a table, a global, an export
        tables_ += "(table " + q + " 3 funcref (ref.func " + f + "))\n";
        exports_ += "(export \"q" + n + "\" (table " + q + "))\n";
        otherImports_ += "(import \"m\" \"q" + n + "\" (table " + q + " 3 funcref))\n";
        others_ += "(func (export \"run" + n + "\") (type $t) " + indirect(q) + ")\n";
        fromOther_.push_back(number);
        body = indirect(q);
        break;
      case 16:
        globals_ += "(global $g" + n + " (export \"g" + n + "\") funcref (ref.func " + f + "))\n";
        otherImports_ += "(import \"m\" \"g" + n + "\" (global $g" + n + " funcref))\n";
        others_ += "(table " + q + " 3 funcref (global.get $g" + n + "))\n";
        others_ += "(func (export \"run" + n + "\") (type $t) " + indirect(q) + ")\n";
        fromOther_.push_back(number);
        body = "(call " + f + " " + ARGUMENTS + ")";
        break;
      case 17:
        exports_ += "(export \"again" + n + "\" (func " + f + "))\n";
        otherImports_ += "(import \"m\" \"again" + n + "\" (func $again" + n + " (type $t)))\n";
        others_ +=
            "(func (export \"run" + n + "\") (type $t) (call $again" + n + " " + ARGUMENTS + "))\n";
        fromOther_.push_back(number);
        body = "(call " + f + " " + ARGUMENTS + ")";
        break;
      default:
        body = "(if (result i32) (local.get 0) (then (call " + f + " " + ARGUMENTS +
               ")) (else (return_call " + pick() + " " + ARGUMENTS + ")))";
        break;
    }
    functions_ += "(func $w" + n + " (export \"w" + n + "\") (type $t) " + body + ")\n";
    ++runCount_;
  }

  std::string calleeText() const {
    std::string core, lifts;
    for (size_t i = 0; i < sources_.size(); ++i) {
      if (sources_[i] == Source::HOST) continue;
      std::string n = text(i);
      core += "(func (export \"f" + n + "\") (param i32 i32) (result i32) ";
      if (sources_[i] == Source::STRING) {
        core += "(i32.add (i32.add (i32.const " + text(100 * (i + 1)) +
                ") (local.get 1)) (i32.load8_u (local.get 0))))\n";
        lifts += "(func (export \"f" + n +
                 "\") (param \"s\" string) (result u32) (canon lift "
                 "(core func $i \"f" +
                 n +
                 "\") (memory (core memory $i \"m\")) "
                 "(realloc (core func $i \"realloc\"))))\n";
      } else {
        core += "(i32.add (i32.mul (local.get 0) (i32.const " + text(7 * (i + 1)) +
                ")) (local.get 1)))\n";
        lifts += "(func (export \"f" + n +
                 "\") (param \"a\" u32) (param \"b\" u32) (result u32) "
                 "(canon lift (core func $i \"f" +
                 n + "\")))\n";
      }
    }
    return "(component $C\n(core module $m (memory (export \"m\") 1)\n(func (export \"realloc\") "
           "(param i32 i32 i32 i32) (result i32) (i32.const 64))\n" +
           core + ")\n(core instance $i (instantiate $m))\n" + lifts + ")\n";
  }

  std::string callerText() {
    std::string shim, imports, given, earlyLowers, lowers, fixupImports, fixupGiven, elements;
    std::string cTypes;
    for (size_t i = 0; i < sources_.size(); ++i) {
      std::string n = text(i), quoted = "\"" + n + "\"";
      shim += "(func (export " + quoted + ") (type $t) " + ARGUMENTS + " " + constant(i) +
              " (call_indirect (type $t)))\n";
      imports += "(import \"x\" " + quoted + " (func $i" + n + " (type $t)))\n";
      // What needs no memory may be given at once.
      bool early = sources_[i] == Source::NUMBERS && random_.oneIn(2);
      bool isHost = sources_[i] == Source::HOST;
      std::string from = isHost ? "(func $host \"f0\")" : "(func $c \"f" + n + "\")";
      const char* memory =
          sources_[i] == Source::NUMBERS ? "" : " (memory (core memory $mi \"m\"))";
      (early ? earlyLowers : lowers) +=
          "(core func $l" + n + " (canon lower " + from + memory + "))\n";
      given += "(export " + quoted + " (func " + (early ? "$l" + n : "$s " + quoted) + "))";
      if (!random_.oneIn(20)) {  // or the slot stays empty
        fixupImports += "(import \"\" " + quoted + " (func $f" + n + " (type $t)))\n";
        fixupGiven += "(export " + quoted + " (func $l" + n + "))";
        elements += " $f" + n;
      }
      if (sources_[i] != Source::HOST) {
        cTypes += "(export \"f" + n + "\" " + typeOf(sources_[i]) + ")";
      }
    }
    std::string size = text(slots_) + " " + text(slots_);
    std::string initial = random_.oneIn(12) ? " (ref.null func)" : "";
    std::string segment = random_.oneIn(8) ? expressions(elements) : " func" + elements;
    std::string all = "(component $A\n(import \"c\" (instance $c " + cTypes +
                      "))\n(import \"host\" (instance $host (export \"f0\" " + STRING_TYPE +
                      ")))\n";
    all += "(core module $shim " + std::string(TYPE) + "(table (export \"$imports\") " + size +
           " funcref" + initial + ")\n" + shim + ")\n";
    all += "(core module $pre " + std::string(TYPE) +
           "(table (export \"pt\") 3 funcref)\n(func $pf (type $t) (i32.const 5))\n"
           "(elem (i32.const 0) func $pf)\n(global (export \"pg\") funcref (ref.func $pf)))\n";
    all += "(core module $main " + std::string(TYPE) + imports +
           "(import \"p\" \"pt\" (table $pt 3 funcref))\n"
           "(import \"p\" \"pg\" (global $pg funcref))\n" +
           tables_ + "(memory (export \"m\") 1)\n" + globals_ + exports_ + start_ + elements_ +
           "(func $own (type $t) (i32.add (local.get 0) (i32.const 9)))\n" + functions_ +
           "(func (export \"realloc\") (param i32 i32 i32 i32) (result i32) " + barred_ +
           " (i32.const 128))\n(data (i32.const 0) \"abcdefghijklmnopqrstuvwxyz\"))\n";
    all += "(core module $fix " + std::string(TYPE) + fixupImports +
           "(import \"\" \"$imports\" (table " + size + " funcref))\n(elem (i32.const 0)" +
           segment + "))\n";
    all += "(core module $other " + std::string(TYPE) + otherImports_ + others_ + ")\n";
    all += "(core instance $s (instantiate $shim))\n(core instance $p (instantiate $pre))\n";
    all += earlyLowers;
    all += "(core instance $mi (instantiate $main (with \"x\" (instance " + given +
           ")) (with \"p\" (instance $p))))\n" + lowers;
    std::string fix = "(core instance $fi (instantiate $fix (with \"\" (instance " + fixupGiven +
                      "(export \"$imports\" (table $s \"$imports\"))))))\n";
    std::string other = "(core instance $o (instantiate $other (with \"m\" (instance $mi))))\n";
    all += random_.oneIn(2) ? fix + other : other + fix;
    for (uint32_t i = 0; i < runs_; ++i) {
      bool isOther = std::ranges::count(fromOther_, i) != 0;
      all += "(func (export \"run" + text(i) +
             "\") (param \"a\" u32) (param \"b\" u32) (result u32) (canon lift (core func " +
             (isOther ? "$o \"run" : "$mi \"w") + text(i) + "\")))\n";
    }
    all +=
        "(func (export \"text\") (param \"s\" string) (result u32) (canon lift (core func $mi "
        "\"w0\") (memory (core memory $mi \"m\")) (realloc (core func $mi \"realloc\")))))\n";
    return all;
  }

  static std::string expressions(const std::string& elements) {
    std::string all = " funcref";
    for (size_t at = 0; at < elements.size();) {
      size_t end = elements.find(' ', at + 1);
      all += " (ref.func" + elements.substr(at, end - at) + ")";
      at = end == std::string::npos ? elements.size() : end;
    }
    return all;
  }

  Random& random_;
  std::vector<Source> sources_;
  uint32_t slots_ = 0, runs_ = 0, runCount_ = 0;
  std::string tables_, globals_, exports_, elements_, functions_, start_, barred_;
  std::string otherImports_, others_;
  std::vector<uint32_t> fromOther_;
};

std::string show(const Outcome& outcome) {
  if (outcome.trap) {
    std::string reason = trapClass(*outcome.trap);
    // Wasmtime's adapters leave some checks of bounds to the loads and stores themselves.
    return "trapped: " + (reason == "memory access" ? "range" : reason);
  }
  std::string shown = "returned";
  for (const Value& value : outcome.results) shown += " " + std::to_string(*value.find<uint32_t>());
  return shown;
}

// What one engine does with all calls of a case: one line each, of the host's calls too.
std::vector<std::string> runAll(Side& side, Script& script, Random random, uint32_t runs,
                                const FuncType& numbers, const FuncType& string) {
  std::vector<std::string> lines;
  auto fresh = [&]() {
    script.events.clear();
    auto made = side.instantiate();
    if (!made) lines.push_back("instantiating " + show({made.error().message, {}}));
    return made.ok();
  };
  if (!fresh()) return lines;
  for (uint32_t i = 0, n = 6 + 3 * runs; i < n; ++i) {
    uint32_t run = random.below(runs + 1);
    uint32_t a = random.oneIn(8) ? 0xfffffff0 : random.below(8), b = random.below(6);
    script.result = Value(uint32_t{1000} + i);
    Outcome outcome = run == runs ? side.call("text", string, {Value(std::string(b, 'x'))})
                                  : side.call("run" + text(run), numbers, {Value(a), Value(b)});
    std::string line = (run == runs ? "text" : "run" + text(run)) + "(" + text(a) + ", " + text(b) +
                       ") " + show(outcome);
    for (const Event& event : script.events) {
      line += ", host got " + *event.values.at(0).find<std::string>();
    }
    lines.push_back(std::move(line));
    script.events.clear();
    if (outcome.trap && !fresh()) return lines;
  }
  return lines;
}

size_t instancesOf(const std::vector<std::byte>& bytes, component::Rewriting rewriting) {
  auto executable = run::Executable::link(bytes, "test", rewriting);
  return executable ? (*executable)->program().steps.size() : 0;
}

}  // namespace

int runShapes(const Engines& engines, uint64_t seed, uint64_t first, uint64_t count,
              uint64_t& calls, uint64_t& trapped, uint64_t& rewritten) {
  component::TypeTable types;
  const Type* u32 = types.primitive(TypeKind::U32);
  FuncType numbers, string;
  numbers.params = {{"a", u32}, {"b", u32}};
  numbers.result = string.result = u32;
  string.params = {{"s", types.primitive(TypeKind::STRING)}};
  int differences = 0;
  for (uint64_t number = first; number < first + count; ++number) {
    Random random(seed * 1'000'003 + number);
    Shape shape(random);
    std::string source = shape.toText();
    auto report = [&](const std::string& what) {
      if (++differences > 5) return;
      std::printf("DIFFERENCE in shape %llu (--what shapes --seed %llu): %s\n%s\n",
                  static_cast<unsigned long long>(number), static_cast<unsigned long long>(seed),
                  what.c_str(), source.c_str());
      std::fflush(stdout);
    };
    auto bytes = parseText(source);
    if (!bytes) {
      report("no component: " + bytes.error().text());
      continue;
    }
    using component::Rewriting;
    rewritten += instancesOf(*bytes, Rewriting::ON) < instancesOf(*bytes, Rewriting::OFF);
    Script script;
    script.functions = {string};
    std::vector<std::vector<std::string>> all;
    for (int engine = 0; engine < 3; ++engine) {
      auto side = engine == 0 ? newWasmtimeSide(engines.wasmtime, *bytes, script)
                              : newTenonSide(engines.tenon, *bytes, script,
                                             engine == 1 ? Rewriting::ON : Rewriting::OFF);
      if (!side) {
        all.push_back({"refused: " + side.error().text()});
      } else {
        all.push_back(runAll(**side, script, random, shape.runs(), numbers, string));
      }
    }
    calls += all[0].size();
    for (const std::string& line : all[0]) trapped += line.find("trapped") != std::string::npos;
    for (int engine = 1; engine < 3; ++engine) {
      if (all[engine] == all[0]) continue;
      auto at = std::ranges::mismatch(all[0], all[engine]);
      auto line = [](auto place, const std::vector<std::string>& of) {
        return place == of.end() ? std::string("nothing") : *place;
      };
      report(std::string(engine == 1 ? "Tenon " : "Tenon with the shim ") +
             line(at.in2, all[engine]) + "; Wasmtime " + line(at.in1, all[0]));
      break;
    }
  }
  return differences;
}

}  // namespace tenon::differential
