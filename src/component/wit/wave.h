#pragma once

// WAVE, the Component Model's text form for values. Pure functions. Handles have no WAVE form: they
// are printed as `#<type>-<id>` and parsed through `findHandle`. Source: the WAVE grammar of the
// crate `wasm-wave`; WIT.md for identifiers.

#include <tenon/result.h>
#include <tenon/type.h>
#include <tenon/value.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace tenon::component {

// Finds the resource handle that was printed as `text` ("#counter-3"); null when there is none.
using FindHandle = std::function<std::shared_ptr<ResourceHandle>(std::string_view text)>;

// Parses one value of `type`; trailing text is an error. Errors: TYPE_MISMATCH or MALFORMED with
// the offset in `text` and both what was expected and what was found.
Result<Value> parseWave(std::string_view text, const Type& type, const FindHandle& findHandle = {});

// Prints `value`. With the same type the text parses back to an equal value, except for handles.
std::string printWave(const Value& value);

}  // namespace tenon::component
