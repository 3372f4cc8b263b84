#pragma once

#include "call/registry.h"

namespace tenon::wasi {

// The functions of package wasi:cli: environment, exit, standard streams, terminals.
void provideCli(call::Registry& registry);

}  // namespace tenon::wasi
