#pragma once

// The custom section `package-docs`: documentation and stability of what a WIT package declares, as
// JSON after a version byte. Written by `wit-component`; not part of the specification.

#include "component/wit/model.h"

#include <tenon/result.h>

#include <cstddef>
#include <span>

namespace tenon::component::wit {

// Puts the section's content into the main package of `model`. Errors: MALFORMED when it is no such
// section; INVALID when it names something that is not there. Offsets count from the start of
// `bytes`.
Result<> addPackageDocs(std::span<const std::byte> bytes, Model& model);

}  // namespace tenon::component::wit
