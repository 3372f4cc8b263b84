#pragma once

// Small components for tests of isolated links: one that does whatever it is told, and one that
// passes everything on to another.

#include "engine/engine_testing.h"

#include <tenon/component.h>
#include <tenon/engine.h>

#include <map>
#include <stdexcept>
#include <string>
#include <utility>

namespace tenon::testing_links {

// One for all tests; instances on demand.
inline const Engine& testEngine() {
  static const Engine engine = Engine::create({.pooling = false, .cache = false}).value();
  return engine;
}

inline std::string textOf(const Error& error) {
  return error.message + (error.details.empty() ? "" : "\n" + error.details);
}

// Parsed and loaded once for each text.
inline const Component& componentOf(const std::string& text) {
  static std::map<std::string, Component> known;
  auto found = known.find(text);
  if (found == known.end()) {
    auto component = Component::fromBytes(testEngine(), engine::testing::wasm(text), "made-up");
    if (!component) throw std::runtime_error(textOf(component.error()));
    found = known.emplace(text, *std::move(component)).first;
  }
  return found->second;
}

// The functions of the interface, each with its component type and its core signature as lifted.
struct TestFunction {
  const char* name;
  const char* type;
  int params;        // all i32
  bool returns;      // an i32
  bool hasMemory;    // values in memory; with a result there
  const char* body;  // of the callee
};

// "next" counts the calls of an instance; "heavy" gives a list that its own realloc has no room
// for, were it not for the caller's.
inline constexpr TestFunction FUNCTIONS[] = {
    {"next", "(result u32)", 0, true, false,
     "(global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n)"},
    {"add", "(param \"a\" u32) (param \"b\" u32) (result u32)", 2, true, false,
     "(i32.add (local.get 0) (local.get 1))"},
    {"echo", "(param \"s\" string) (result string)", 2, true, true,
     "(i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1)) "
     "(i32.const 16)"},
    {"length", "(param \"l\" (list u8)) (result u32)", 2, true, false, "(local.get 1)"},
    {"boom", "", 0, false, false, "unreachable"},
    {"spin", "", 0, false, false, "(loop $l (br $l))"},
    {"grow", "(param \"pages\" u32) (result u32)", 1, true, false, "(memory.grow (local.get 0))"},
    // A string beyond the end of the memory.
    {"lie", "(result string)", 0, true, true,
     "(i32.store (i32.const 16) (i32.const 0x7fffff00)) (i32.store (i32.const 20) (i32.const 64)) "
     "(i32.const 16)"},
    // A string that is no UTF-8.
    {"garble", "(result string)", 0, true, true,
     "(i32.store (i32.const 32) (i32.const 0xfffefdfc)) (i32.store (i32.const 16) (i32.const 32)) "
     "(i32.store (i32.const 20) (i32.const 4)) (i32.const 16)"},
};

inline constexpr const char* API = "t:t/api";

inline std::string apiType() {
  std::string text = "(instance";
  for (const TestFunction& function : FUNCTIONS) {
    text += std::string(" (export \"") + function.name + "\" (func " + function.type + "))";
  }
  return text + ")";
}

inline std::string signatureOf(const TestFunction& function, bool lowered) {
  std::string text;
  // A result in memory: lifted functions return where it is, lowered ones are told.
  bool spills = lowered && function.returns && function.hasMemory;
  for (int i = 0; i < function.params + (spills ? 1 : 0); ++i) text += " (param i32)";
  if (function.returns && !spills) text += " (result i32)";
  return text;
}

// With a realloc that never frees and grows the memory. `realloc`: its body, in place of that.
inline std::string memoryModule(const std::string& realloc = {}) {
  return R"(
  (core module $Mem
    (memory (export "memory") 1)
    (global $heap (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local $at i32))" +
         (realloc.empty() ? std::string(R"(
      (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
      (global.set $heap (i32.add (local.get $at) (local.get 3)))
      (loop $more
        (if (i32.gt_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536)))
          (then (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable))
            (br $more))))
      (local.get $at))")
                          : realloc) +
         R"())
  (core instance $mem (instantiate $Mem))
  (alias core export $mem "memory" (core memory $memory))
  (alias core export $mem "realloc" (core func $realloc)))";
}

inline std::string liftOf(const TestFunction& function) {
  return std::string("(func $") + function.name + "_ " + function.type +
         " (canon lift (core func $" + "main \"" + function.name +
         "\") (memory $memory) (realloc (core func $realloc))))\n";
}

// Exports API, each function as its body has it.
inline std::string callee(const std::string& realloc = {}) {
  std::string text = "(component" + memoryModule(realloc) + R"(
  (core module $Main (import "mem" "memory" (memory 1)) (global $n (mut i32) (i32.const 0)))";
  for (const TestFunction& function : FUNCTIONS) {
    text += std::string("\n    (func (export \"") + function.name + "\")" +
            signatureOf(function, false) + " " + function.body + ")";
  }
  text += ")\n  (core instance $main (instantiate $Main (with \"mem\" (instance $mem))))\n";
  std::string exports;
  for (const TestFunction& function : FUNCTIONS) {
    text += "  " + liftOf(function);
    exports += std::string(" (export \"") + function.name + "\" (func $" + function.name + "_))";
  }
  return text + "  (instance $made" + exports + ")\n  (export \"" + API + "\" (instance $made)))";
}

// Imports API as `import` and exports it as `name`; passes every call on.
inline std::string forwarder(const std::string& import, const std::string& name) {
  std::string text = "(component\n  (import \"" + import + "\" (instance $api " +
                     apiType().substr(sizeof("(instance") - 1) + ")" + memoryModule() + "\n";
  std::string main, with, lifts, exports;
  for (const TestFunction& function : FUNCTIONS) {
    const std::string called = function.name;
    text += "  (core func $" + called + "' (canon lower (func $api \"" + called +
            "\") (memory $memory) (realloc (core func $realloc))))\n";
    main += "\n    (import \"api\" \"" + called + "\" (func $" + called +
            signatureOf(function, true) + "))";
    with += " (export \"" + called + "\" (func $" + called + "'))";
  }
  for (const TestFunction& function : FUNCTIONS) {
    const std::string called = function.name;
    std::string arguments;
    for (int i = 0; i < function.params; ++i) arguments += " (local.get " + std::to_string(i) + ")";
    bool spills = function.returns && function.hasMemory;
    main += "\n    (func (export \"" + called + "\")" + signatureOf(function, false) + " (call $" +
            called + arguments + (spills ? " (i32.const 16)) (i32.const 16))" : "))");
    lifts += "  " + liftOf(function);
    exports += " (export \"" + called + "\" (func $" + called + "_))";
  }
  return text + "  (core module $Main" + main +
         ")\n  (core instance $main (instantiate $Main (with \"api\" (instance" + with + "))))\n" +
         lifts + "  (instance $made" + exports + ")\n  (export \"" + name + "\" (instance $made)))";
}

// Exports `name` with `run: func(v: u32) -> u32`, made of core functions: `body` may call $next,
// the function of the same type that `import` has, and count in $n.
inline std::string step(const std::string& import, const std::string& name,
                        const std::string& body) {
  return R"((component
  (import ")" +
         import + R"(" (instance $i (export "run" (func (param "v" u32) (result u32)))))
  (core func $next (canon lower (func $i "run")))
  (core module $Main (import "" "next" (func $next (param i32) (result i32)))
    (global $n (mut i32) (i32.const 0))
    (func (export "run") (param i32) (result i32) )" +
         body + R"())
  (core instance $main (instantiate $Main (with "" (instance (export "next" (func $next))))))
  (func $run (param "v" u32) (result u32) (canon lift (core func $main "run")))
  (instance $made (export "run" (func $run)))
  (export ")" +
         name + R"(" (instance $made))))";
}

// Passes on what it gets.
inline const std::string PASS_ON = "(call $next (local.get 0))";
// One more than what the next says of one less; 0 of 0.
inline const std::string COUNT_DOWN =
    "(if (result i32) (local.get 0) "
    "(then (i32.add (i32.const 1) (call $next (i32.sub (local.get 0) (i32.const 1))))) "
    "(else (i32.const 0)))";
// Waits for the next, and says how many calls this instance has begun.
inline const std::string WAIT_AND_COUNT =
    "(global.set $n (i32.add (global.get $n) (i32.const 1))) (drop (call $next (local.get 0))) "
    "(global.get $n)";

}  // namespace tenon::testing_links
