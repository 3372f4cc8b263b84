#pragma once

// A component's world as WIT text, and as JSON, from its decoded definitions. Pure functions.
// Source: WIT.md; the layout of the text is that of `wasm-tools component wit`.

#include "component/binary/definitions.h"

#include <tenon/result.h>

#include <string>

namespace tenon::component {

// The component's packages as WIT, `package root:component;` and its world `root` first, then every
// package that it names, as `wasm-tools component wit FILE` prints them. A WIT package in binary
// form prints as that package. Documentation (the custom section `package-docs`) is included.
// `component` must be valid for the text to mean something; any other is safe to give.
// Errors: UNSUPPORTED when WIT cannot express it (an imported instance exported under a second
// name, an export that is a type); INVALID for indices and names that are off; MALFORMED for
// documentation that is; LIMIT_EXCEEDED for types that explode.
Result<std::string> printWit(const Component& component);

// The same as JSON: {"world": {"name", "imports": [...], "exports": [...]}, "packages": [...]},
// with types as WIT text. README.md has the shape. Errors: as above.
Result<std::string> printWitJson(const Component& component);

}  // namespace tenon::component
