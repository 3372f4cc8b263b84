#pragma once

// A component's world as WIT text, and as JSON, from its decoded definitions. Pure functions.
// Source: WIT.md; the layout of the text is that of `wasm-tools component wit`.

#include "component/binary/definitions.h"

#include <tenon/result.h>

#include <string>

namespace tenon::component {

// The component's packages as WIT, `package root:component;` and its world `root` first, then every
// package that it names, as `wasm-tools component wit FILE` prints them. `component` must be valid.
Result<std::string> printWit(const Component& component);

// The same as JSON: {"world": {"imports": [...], "exports": [...]}, "packages": [...]}.
Result<std::string> printWitJson(const Component& component);

}  // namespace tenon::component
