#pragma once

// A model as JSON for programs. README.md has the shape.

#include "component/wit/model.h"

#include <tenon/result.h>

#include <string>

namespace tenon::component::wit {

// Indented by two spaces, with a line break at the end. Errors: as WitPrinter::print.
Result<std::string> printJson(const Model& model);

}  // namespace tenon::component::wit
