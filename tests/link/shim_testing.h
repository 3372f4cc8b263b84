#pragma once

// The detour that `wit-component` makes of an import whose lowering needs the memory of the module
// that imports it: the module gets a shim, which calls what a table has, and once the import could
// be lowered another module puts it there. As text, for components of tests.
//
//   main module ── shim "0" ── table ──(put there by the fixup)── the lowered import

#include <cstddef>
#include <string>

namespace tenon::link {

struct Shim {
  std::string lowered;  // the core function that the table gets: "$len'"
  size_t params = 0;    // all i32, as the one result is

  // Stands before the main module's instance, which imports `(func $shim "0")`.
  std::string text() const {
    std::string arguments;
    for (size_t i = 0; i < params; ++i) arguments += "local.get " + std::to_string(i) + " ";
    return "(core module $shim " + type() + R"(
        (table (export "$imports") 1 1 funcref)
        (func (export "0") (type $t) )" +
           arguments + R"(i32.const 0 call_indirect (type $t)))
      (core instance $shim (instantiate $shim)))";
  }
  // Stands where `lowered` is.
  std::string fixup() const {
    return "(core module $fixup " + type() + R"(
        (import "" "0" (func (type $t))) (import "" "$imports" (table 1 1 funcref))
        (elem (i32.const 0) func 0))
      (core instance (instantiate $fixup (with "" (instance
        (export "0" (func )" +
           lowered + R"()) (export "$imports" (table $shim "$imports")))))))";
  }

 private:
  std::string type() const {
    std::string types;
    for (size_t i = 0; i < params; ++i) types += " i32";
    return "(type $t (func (param" + types + ") (result i32)))";
  }
};

}  // namespace tenon::link
