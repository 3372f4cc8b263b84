#pragma once

// Matching and printing of core types: what a core instance exports against what a core module
// imports. Source: WebAssembly Core Specification, "Matching".
//
// References to types that a module defines (`(ref $t)`) are not resolved here: two of them match
// when they are equally nullable, and the engine, which knows both modules, checks the rest when it
// links them.

#include "component/binary/definitions.h"

#include <optional>
#include <string>

namespace tenon::component {

std::string toString(const CoreValType& type);
std::string toString(const CoreFuncType& type);  // "(func (param i32) (result i64))"

// "func", "table", "memory", "global", "tag".
const char* toString(CoreExternKind kind);

// Why `actual` cannot be used where `expected` is asked for; empty if it can.
std::optional<std::string> coreMismatch(const CoreExternType& actual,
                                        const CoreExternType& expected);

// Subtyping of value types. Packed field types match themselves.
bool valTypeMatches(const CoreValType& actual, const CoreValType& expected);

// The core type of a flat value.
CoreValType coreValType(CoreType type);

// `type` names these and nothing else.
bool isSignature(const CoreFuncType& type, const std::vector<CoreType>& params,
                 const std::vector<CoreType>& results);

}  // namespace tenon::component
