#pragma once

#include <tenon/type.h>

namespace tenon {

// A primitive type as WIT writes it: "u8", "string". "?" for a type that is made of others.
const char* primitiveName(TypeKind kind);

}  // namespace tenon
