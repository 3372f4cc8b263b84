#pragma once

// Component values as JSON, both ways, for `tenon call --json`. docs/call.md has the table.

#include <tenon/instance.h>
#include <tenon/result.h>
#include <tenon/type.h>
#include <tenon/value.h>

#include <span>
#include <string>
#include <vector>

namespace tenon::cli {

// JSON texts to arguments, one text per parameter. Errors: INVALID_ARGUMENT with the parameter, the
// place in the value, what was expected and what was found.
Result<std::vector<Value>> parseJsonArguments(const FunctionInfo& function,
                                              std::span<const std::string> texts,
                                              const DynamicFunction::FindHandle& findHandle);

// One line, without its end.
std::string toJson(const Value& value);

}  // namespace tenon::cli
