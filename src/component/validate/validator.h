#pragma once

// Everything that the specification forbids is refused here, with the offset of the definition and
// a sentence. What passes may be trusted by later stages, which must not check again. Code inside
// core modules is the engine's to validate; their imports and exports are read and checked here.
// Source: Explainer.md, Binary.md; CanonicalABI.md "Canonical Definitions".

#include "component/binary/decoder.h"
#include "component/binary/definitions.h"

#include <tenon/result.h>

namespace tenon::component {

// Errors: INVALID where a rule is broken; UNSUPPORTED for a gated feature that `features` does not
// let through; LIMIT_EXCEEDED; MALFORMED inside core modules. Always with an offset.
Result<void> validate(const Component& component, const Features& features = {});

}  // namespace tenon::component
